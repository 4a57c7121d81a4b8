#include "gateway/net/grpc_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/net/grpc_client_internal.h"

#define STREAM_WINDOW_BYTES     (1024 * 1024)
#define CONNECTION_WINDOW_BYTES (8 * 1024 * 1024)
#define KEEPALIVE_MS            30000
#define PING_PATIENCE_MS        20000

/* ---------------------------------------------------------------- calls without a connection */

void client_kick(struct grpc_client *client)
{
    event_active(&client->kick_event, EV_TIMEOUT, 0);
}

static void leave_waiting(struct grpc_client *client, struct grpc_client_call *call)
{
    struct grpc_client_call *previous = NULL;
    for (struct grpc_client_call *at = client->waiting_first; at != NULL; at = at->next_waiting) {
        if (at == call) {
            if (previous != NULL)
                previous->next_waiting = call->next_waiting;
            else
                client->waiting_first = call->next_waiting;
            if (client->waiting_last == call)
                client->waiting_last = previous;
            call->waiting = false;
            return;
        }
        previous = at;
    }
}

static struct grpc_client_call *pop_waiting(struct grpc_client *client)
{
    struct grpc_client_call *call = client->waiting_first;
    if (call == NULL)
        return NULL;
    client->waiting_first = call->next_waiting;
    if (client->waiting_first == NULL)
        client->waiting_last = NULL;
    call->waiting = false;
    return call;
}

static void complete_doomed(struct grpc_client *client)
{
    while (client->doomed != NULL) {
        struct grpc_client_call *call = client->doomed;
        client->doomed = call->next_doomed;
        if (call->waiting)
            leave_waiting(client, call);
        client_call_complete(call);
    }
}

static void submit_waiting(struct grpc_client *client)
{
    struct grpc_client_call *call;
    while (client->connected && (call = pop_waiting(client)) != NULL) {
        if (!call->doomed)
            client_call_submit(call, client->conn);
    }
}

void client_place_call(struct grpc_client_call *call)
{
    struct grpc_client *client = call->client;
    if (client->connected) {
        client_call_submit(call, client->conn);
        return;
    }
    call->waiting = true;
    call->next_waiting = NULL;
    if (client->waiting_last != NULL)
        client->waiting_last->next_waiting = call;
    else
        client->waiting_first = call;
    client->waiting_last = call;
    client_kick(client);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct grpc_client *client = arg;
    complete_doomed(client);
    if (client->waiting_first != NULL && client->conn == NULL)
        grpc_client_connect(client);
    submit_waiting(client);
}

/* ---------------------------------------------------------------- connections */

static void conn_free(struct client_conn *conn)
{
    timers_disarm(&conn->client->conn_timers, &conn->timer);
    h2_io_deinit(&conn->io);
    free(conn);
}

void client_conn_retire(struct client_conn *conn)
{
    struct grpc_client *client = conn->client;
    if (client->conn != conn)
        return;
    client->conn = NULL;
    conn->next = client->draining;
    client->draining = conn;
    snprintf(client->last_error, sizeof client->last_error, "the server is going away");
    client->connected = false;
}

static void on_open(struct h2_io *io, enum tls_alpn alpn)
{
    struct client_conn *conn = (struct client_conn *)(void *)io;
    struct grpc_client *client = conn->client;
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
    };
    if (alpn != TLS_ALPN_H2) {
        h2_io_close(io, "the server does not speak HTTP/2");
        return;
    }
    if (nghttp2_session_client_new(&io->session, client->callbacks, conn) != 0 ||
        nghttp2_submit_settings(io->session, NGHTTP2_FLAG_NONE, settings, 2) != 0 ||
        nghttp2_session_set_local_window_size(io->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW_BYTES) != 0) {
        h2_io_close(io, "out of memory");
        return;
    }
    timers_arm(&client->conn_timers, &conn->timer, net_now_ms() + KEEPALIVE_MS);
    client->connected = true;
    client->untried = client->n_addresses - 1;
    submit_waiting(client);
}

static void on_raw(struct h2_io *io, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    h2_io_close(io, "the server does not speak HTTP/2");
}

static void fail_calls_of(struct client_conn *conn)
{
    struct grpc_client *client = conn->client;
    /* A callback may start and doom calls: look for the next from the start each time. */
    struct grpc_client_call *call = client->calls;
    while (call != NULL) {
        if (call->conn != conn || call->doomed) {
            if (call->conn == conn) { /* its end is on its way, without the stream */
                call->conn = NULL;
                conn->calls_open--;
            }
            call = call->next;
            continue;
        }
        if (!call->has_status) {
            call->status = GRPC_UNAVAILABLE;
            call->local_message = client->last_error;
        }
        client_call_complete(call);
        call = client->calls;
    }
}

/* Whether there is another address to try; if not, all are to be tried again the next time. */
static bool turn_to_next_address(struct grpc_client *client)
{
    client->address_at = (client->address_at + 1) % client->n_addresses;
    if (client->untried > 0) {
        client->untried--;
        return true;
    }
    client->untried = client->n_addresses - 1;
    return false;
}

static void on_closed(struct h2_io *io, const char *why)
{
    struct client_conn *conn = (struct client_conn *)(void *)io;
    struct grpc_client *client = conn->client;
    bool was_ready = client->conn == conn && client->connected;
    if (was_ready)
        snprintf(client->last_error, sizeof client->last_error, "%s", why);
    else /* whoever reads this may have the wrong address */
        snprintf(client->last_error, sizeof client->last_error, "%.100s: %s", client->target, why);
    if (client->conn == conn) {
        client->conn = NULL;
        client->connected = false;
        struct grpc_client_call *call;
        if (!was_ready && !turn_to_next_address(client))
            while ((call = pop_waiting(client)) != NULL)
                client_call_doom(call, GRPC_UNAVAILABLE, client->last_error);
    } else {
        struct client_conn **at = &client->draining;
        while (*at != conn)
            at = &(*at)->next;
        *at = conn->next;
    }
    fail_calls_of(conn);
    conn_free(conn);
    if (client->waiting_first != NULL)
        client_kick(client);
}

static const struct h2_io_owner io_owner = {
    .on_open = on_open,
    .on_raw = on_raw,
    .on_closed = on_closed,
};

static void on_conn_timer(struct net_timer *timer)
{
    struct client_conn *conn =
        (struct client_conn *)(void *)((char *)timer - offsetof(struct client_conn, timer));
    int64_t now = net_now_ms();
    if (conn->io.session == NULL) {
        h2_io_close(&conn->io, "connecting took too long");
        return;
    }
    if (conn->ping_waits && now - conn->ping_ms >= PING_PATIENCE_MS) {
        h2_io_close(&conn->io, "the server does not answer");
        return;
    }
    if (!conn->ping_waits && conn->calls_open > 0 && now - conn->io.last_read_ms >= KEEPALIVE_MS) {
        conn->ping_waits = true;
        conn->ping_ms = now;
        nghttp2_submit_ping(conn->io.session, NGHTTP2_FLAG_NONE, NULL);
        h2_io_want_flush(&conn->io);
    }
    timers_arm(&conn->client->conn_timers, timer,
               now + (conn->ping_waits ? PING_PATIENCE_MS : KEEPALIVE_MS));
}

static SSL *new_tls(struct grpc_client *client, int fd)
{
    SSL *ssl = SSL_new(client->tls);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
        goto failed;
    unsigned char ip[16];
    bool is_ip = inet_pton(AF_INET, client->verify_name, ip) == 1 ||
                 inet_pton(AF_INET6, client->verify_name, ip) == 1;
    if (is_ip) {
        if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), client->verify_name) != 1)
            goto failed;
    } else if (SSL_set1_host(ssl, client->verify_name) != 1 ||
               SSL_set_tlsext_host_name(ssl, client->verify_name) != 1) {
        goto failed;
    }
    SSL_set_connect_state(ssl);
    return ssl;
failed:
    SSL_free(ssl);
    return NULL;
}

static void connect_failed(struct grpc_client *client, const char *why)
{
    snprintf(client->last_error, sizeof client->last_error, "%.100s: %s", client->target, why);
    struct grpc_client_call *call;
    while ((call = pop_waiting(client)) != NULL)
        client_call_doom(call, GRPC_UNAVAILABLE, client->last_error);
}

/* A socket on its way to the address; -1, with errno. */
static int begin_connect(const struct client_address *to)
{
    int fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (const struct sockaddr *)(const void *)&to->address, to->size) != 0 &&
        errno != EINPROGRESS) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

void grpc_client_connect(grpc_client_t *client)
{
    if (client->conn != NULL || client->freeing)
        return;
    int fd;
    while ((fd = begin_connect(&client->addresses[client->address_at])) < 0) {
        int why = errno;
        if (!turn_to_next_address(client)) {
            connect_failed(client, strerror(why));
            return;
        }
    }
    SSL *ssl = new_tls(client, fd);
    struct client_conn *conn = ssl != NULL ? calloc(1, sizeof *conn) : NULL;
    if (conn == NULL) {
        connect_failed(client, "out of memory");
        SSL_free(ssl);
        close(fd);
        return;
    }
    conn->client = client;
    client->conn = conn;
    h2_io_init(&conn->io, &io_owner, client->base, client->scratch, fd, ssl, false, true);
    conn->timer.fire = on_conn_timer;
    timers_arm(&client->conn_timers, &conn->timer, net_now_ms() + client->connect_timeout_ms);
}

/* ---------------------------------------------------------------- birth and death */

/* "host:port", "[v6]:port" → host, and the addresses to connect to. */
static bool resolve(struct grpc_client *client, const char *target, struct net_error *error)
{
    const char *colon = strrchr(target, ':');
    if (colon == NULL || colon == target || colon[1] == 0) {
        snprintf(error->text, sizeof error->text, "%s is not host:port", target);
        return false;
    }
    size_t length = (size_t)(colon - target);
    if (target[0] == '[' && target[length - 1] == ']')
        client->host = strndup(target + 1, length - 2);
    else
        client->host = strndup(target, length);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    int code =
        client->host != NULL ? getaddrinfo(client->host, colon + 1, &hints, &found) : EAI_MEMORY;
    if (code != 0) {
        snprintf(error->text, sizeof error->text, "%s: %s", target, gai_strerror(code));
        return false;
    }
    for (const struct addrinfo *a = found; a != NULL && client->n_addresses < CLIENT_ADDRESSES_MAX;
         a = a->ai_next) {
        struct client_address *to = &client->addresses[client->n_addresses++];
        memcpy(&to->address, a->ai_addr, a->ai_addrlen);
        to->size = a->ai_addrlen;
    }
    freeaddrinfo(found);
    client->untried = client->n_addresses - 1; /* there is at least one */
    return true;
}

static bool set_up(struct grpc_client *client, const struct grpc_client_config *config,
                   struct net_error *error)
{
    if (!resolve(client, config->target, error))
        return false;
    client->target = strdup(config->target);
    client->authority = strdup(config->authority != NULL ? config->authority : config->target);
    client->verify_name = strdup(config->authority != NULL ? config->authority : client->host);
    client->scratch = malloc(sizeof *client->scratch);
    snprintf(error->text, sizeof error->text, "out of memory");
    if (client->target == NULL || client->authority == NULL || client->verify_name == NULL ||
        client->scratch == NULL || client->base == NULL ||
        !client_callbacks_new(&client->callbacks))
        return false;
    if (config->ca_file == NULL || (config->cert_file == NULL) != (config->key_file == NULL)) {
        snprintf(error->text, sizeof error->text,
                 "a CA file must be named, and a certificate together with its key");
        return false;
    }
    return tls_client_context_new(config->ca_file, config->cert_file, config->key_file, error,
                                  &client->tls);
}

bool grpc_client_new(const struct grpc_client_config *config, struct event_base *base,
                     struct net_error *error, grpc_client_t **out)
{
    *out = NULL;
    struct grpc_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        snprintf(error->text, sizeof error->text, "out of memory");
        return false;
    }
    /* OpenSSL writes to sockets without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    client->owns_base = base == NULL;
    client->base = base != NULL ? base : event_base_new();
    client->connect_timeout_ms =
        config->connect_timeout_ms != 0 ? config->connect_timeout_ms : 5000;
    client->message_bytes_max =
        config->message_bytes_max != 0 ? config->message_bytes_max : 16U << 20;
    client->calls_max = config->calls_max != 0 ? config->calls_max : 65536;
    if (client->base != NULL) {
        timers_init(&client->call_timers, client->base, 10);
        timers_init(&client->conn_timers, client->base, 250);
        event_assign(&client->kick_event, client->base, -1, 0, on_kick, client);
    }
    if (!set_up(client, config, error)) {
        grpc_client_free(&client);
        return false;
    }
    error->text[0] = 0;
    *out = client;
    return true;
}

void grpc_client_free(grpc_client_t **handle)
{
    struct grpc_client *client = *handle;
    *handle = NULL;
    if (client == NULL)
        return;
    client->freeing = true;
    for (struct grpc_client_call *call = client->calls; call != NULL; call = call->next)
        client_call_doom(call, GRPC_CANCELLED, "the client is closing");
    if (client->base != NULL) {
        complete_doomed(client);
        if (client->conn != NULL)
            conn_free(client->conn);
        while (client->draining != NULL) {
            struct client_conn *conn = client->draining;
            client->draining = conn->next;
            conn_free(conn);
        }
        event_del(&client->kick_event);
        timers_deinit(&client->call_timers);
        timers_deinit(&client->conn_timers);
    }
    client_call_free_list(client);
    nghttp2_session_callbacks_del(client->callbacks);
    SSL_CTX_free(client->tls);
    free(client->scratch);
    free(client->target);
    free(client->host);
    free(client->authority);
    free(client->verify_name);
    if (client->owns_base && client->base != NULL)
        event_base_free(client->base);
    free(client);
}

struct event_base *grpc_client_base(grpc_client_t *client)
{
    return client->base;
}

bool grpc_client_is_connected(const grpc_client_t *client)
{
    return client->connected;
}

const char *grpc_client_last_error(const grpc_client_t *client)
{
    return client->last_error;
}

/* ---------------------------------------------------------------- blocking */

struct blocking {
    grpc_reply_t *reply;
    bool done;
};

static void *copy_bytes(const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy == NULL)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = 0;
    return copy;
}

static void on_blocking_done(void *user, const struct grpc_result *result)
{
    struct blocking *blocking = user;
    grpc_reply_t *reply = blocking->reply;
    blocking->done = true;
    reply->status = result->status;
    reply->may_have_been_processed = result->may_have_been_processed;
    reply->message = copy_bytes(result->message, result->message_length);
    if (result->details != NULL) {
        reply->details = copy_bytes(result->details, result->details_length);
        reply->details_length = result->details_length;
    }
    if (result->bytes != NULL) {
        reply->bytes = copy_bytes(result->bytes, result->bytes_length);
        reply->bytes_length = result->bytes_length;
    }
}

bool grpc_client_call_blocking(grpc_client_t *client, const char *path, const uint8_t *request,
                               size_t request_length, uint32_t deadline_ms, grpc_reply_t *reply)
{
    memset(reply, 0, sizeof *reply);
    struct blocking blocking = {reply, false};
    grpc_client_unary(client, path, request, request_length, deadline_ms, on_blocking_done,
                      &blocking);
    while (!blocking.done) {
        if (event_base_loop(client->base, EVLOOP_ONCE) < 0)
            abort();
    }
    return reply->status == GRPC_OK;
}

void grpc_reply_deinit(grpc_reply_t *reply)
{
    free(reply->message);
    free(reply->details);
    free(reply->bytes);
    memset(reply, 0, sizeof *reply);
}
