#include "gateway/net/grpc_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/net/grpc_server_internal.h"

#define CALL_TICK_MS       10
#define CONN_TICK_MS       250
#define ACCEPTS_PER_EVENT  64
#define SHUTDOWN_NOTICE_MS 200

void grpc_server_log(const struct grpc_server *server, enum log_level level, uint64_t connection_id,
                     const char *event, const char *format, ...)
{
    if (server->config.log == NULL)
        return;
    char text[320];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    server->config.log(server->config.log_user, level, connection_id, event, text);
}

/* ---------------------------------------------------------------- methods */

static uint32_t hash_path(const char *path, size_t length)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)path[i]) * 16777619U;
    return hash;
}

static struct method_slot *method_place(struct method_slot *slots, size_t capacity,
                                        const char *path, size_t length, uint32_t hash)
{
    for (size_t i = hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        struct method_slot *slot = &slots[i];
        if (slot->method == NULL || (slot->hash == hash && slot->path_length == length &&
                                     memcmp(slot->method->path, path, length) == 0))
            return slot;
    }
}

const struct method_slot *grpc_server_find_method(const struct grpc_server *server,
                                                  const char *path, size_t length)
{
    const struct method_slot *slot = method_place(server->methods, server->methods_capacity, path,
                                                  length, hash_path(path, length));
    return slot->method != NULL ? slot : NULL;
}

static void grow_methods(grpc_server_t *server)
{
    size_t capacity = server->methods_capacity * 2;
    struct method_slot *slots = calloc(capacity, sizeof *slots);
    assert(slots != NULL); /* set-up, not traffic */
    for (size_t i = 0; i < server->methods_capacity; i++) {
        const struct method_slot *old = &server->methods[i];
        if (old->method != NULL)
            *method_place(slots, capacity, old->method->path, old->path_length, old->hash) = *old;
    }
    free(server->methods);
    server->methods = slots;
    server->methods_capacity = capacity;
}

static void add_methods(grpc_server_t *server, const struct grpc_method *table, size_t count,
                        bool builtin)
{
    for (size_t i = 0; i < count; i++) {
        assert(table[i].path[0] == '/' && table[i].on_message != NULL);
        if ((server->methods_count + 1) * 2 > server->methods_capacity)
            grow_methods(server);
        size_t length = strlen(table[i].path);
        uint32_t hash = hash_path(table[i].path, length);
        struct method_slot *slot =
            method_place(server->methods, server->methods_capacity, table[i].path, length, hash);
        assert(slot->method == NULL);
        *slot = (struct method_slot){&table[i], length, hash, builtin};
        server->methods_count++;
    }
}

void grpc_server_add_methods(grpc_server_t *server, const struct grpc_method *table, size_t count)
{
    add_methods(server, table, count, false);
}

void grpc_server_add_builtin(grpc_server_t *server, const struct grpc_method *table, size_t count)
{
    add_methods(server, table, count, true);
}

/* ---------------------------------------------------------------- accepting */

static void format_address(const struct sockaddr_storage *from, char *out, size_t size)
{
    char text[INET6_ADDRSTRLEN] = "?";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->ss_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        snprintf(out, size, "%s:%u", text, (unsigned)ntohs(v4.sin_port));
    } else {
        memcpy(&v6, from, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        snprintf(out, size, "[%s]:%u", text, (unsigned)ntohs(v6.sin6_port));
    }
}

static void take_connection(struct grpc_server *server, int fd, const char *address)
{
    uint64_t max = server->config.connections_max;
    if (server->stats.connections_open >= max + max / 10 + 1) {
        server->stats.connections_refused++;
        close(fd);
        return;
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    SSL *ssl = SSL_new(server->tls);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        close(fd);
        return;
    }
    SSL_set_accept_state(ssl);
    struct grpc_conn *conn = grpc_conn_new(server, fd, ssl, address);
    if (conn == NULL) {
        SSL_free(ssl);
        close(fd);
        return;
    }
    if (server->stats.connections_open > max) {
        conn->over_limit = true;
        server->stats.connections_refused++;
    }
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
    (void)what;
    struct grpc_server *server = arg;
    for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        int fd = accept4(listen_fd, (struct sockaddr *)(void *)&from, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            char address[64];
            format_address(&from, address, sizeof address);
            take_connection(server, fd, address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The socket stays readable: rest, or we would only spin. */
            struct timeval rest = {.tv_usec = 200000};
            grpc_server_log(server, LOG_LEVEL_ERROR, 0, "accept", "%s", strerror(errno));
            event_del(&server->accept_event);
            event_add(&server->accept_pause_event, &rest);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void on_accept_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct grpc_server *server = arg;
    if (server->listen_fd >= 0)
        event_add(&server->accept_event, NULL);
}

static bool parse_address(const char *text, uint16_t port, struct sockaddr_storage *out,
                          socklen_t *size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof v4);
        *size = sizeof v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof v6);
        *size = sizeof v6;
        return true;
    }
    return false;
}

static bool start_listening(struct grpc_server *server, struct net_error *error)
{
    const struct grpc_server_config *config = &server->config;
    struct sockaddr_storage address;
    socklen_t size;
    int yes = 1;
    if (!parse_address(config->listen_address, config->listen_port, &address, &size)) {
        snprintf(error->text, sizeof error->text, "listen address %s is not an IP address",
                 config->listen_address);
        return false;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        (config->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0) ||
        bind(fd, (struct sockaddr *)(void *)&address, size) != 0 || listen(fd, 1024) != 0) {
        snprintf(error->text, sizeof error->text, "listen on %s port %u: %s",
                 config->listen_address, (unsigned)config->listen_port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    server->listen_fd = fd;
    return true;
}

static bool find_port(struct grpc_server *server, struct net_error *error)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    evutil_make_socket_nonblocking(server->listen_fd);
    if (getsockname(server->listen_fd, (struct sockaddr *)(void *)&address, &size) != 0) {
        snprintf(error->text, sizeof error->text, "listening socket: %s", strerror(errno));
        return false;
    }
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address.ss_family == AF_INET6) {
        memcpy(&v6, &address, sizeof v6);
        server->port = ntohs(v6.sin6_port);
    } else {
        memcpy(&v4, &address, sizeof v4);
        server->port = ntohs(v4.sin_port);
    }
    return true;
}

/* ---------------------------------------------------------------- draining */

static void close_listener(struct grpc_server *server)
{
    if (server->listen_fd < 0)
        return;
    event_del(&server->accept_event);
    event_del(&server->accept_pause_event);
    close(server->listen_fd);
    server->listen_fd = -1;
}

void grpc_server_conn_gone(struct grpc_server *server)
{
    if (!server->goaway_said || server->conns != NULL || server->drained == NULL)
        return;
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    drained(server->drained_user);
}

static void on_notice_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct grpc_server *server = arg;
    server->goaway_said = true;
    for (struct grpc_conn *conn = server->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->http != NULL)
            http_conn_close_if_idle(conn->http);
        else if (conn->io.session == NULL)
            h2_io_close(&conn->io, "draining");
        else
            grpc_conn_goaway(conn);
    }
    grpc_health_drain(server, true);
    grpc_reflection_drain(server);
    grpc_server_conn_gone(server);
}

void grpc_server_drain(grpc_server_t *server, void (*done)(void *user), void *user)
{
    if (server->draining)
        return;
    server->draining = true;
    server->http.draining = true; /* from now on answers say close; idle ones go after the notice */
    server->drained = done;
    server->drained_user = user;
    close_listener(server);
    grpc_health_drain(server, false);
    for (struct grpc_conn *conn = server->conns; conn != NULL; conn = conn->next)
        grpc_conn_shutdown_notice(conn);
    struct timeval notice = {.tv_usec = server->conns != NULL ? SHUTDOWN_NOTICE_MS * 1000 : 0};
    event_add(&server->drain_event, &notice);
}

/* ---------------------------------------------------------------- TLS files */

bool grpc_server_reload_tls(grpc_server_t *server, struct net_error *error)
{
    SSL_CTX *fresh;
    if (!tls_server_context_new(&server->config.tls, server->config.http != NULL, error, &fresh))
        return false;
    SSL_CTX_free(server->tls); /* connections keep what they need of it */
    server->tls = fresh;
    for (struct grpc_conn *conn = server->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        const char *why;
        if (conn->io.ssl == NULL || !conn->peer.has_certificate ||
            tls_peer_still_valid(conn->io.ssl, fresh, &why))
            continue;
        grpc_server_log(server, LOG_LEVEL_WARN, conn->peer.connection_id, "certificate_withdrawn",
                        "%s %s: %s", conn->peer.address, conn->peer.san_uri, why);
        h2_io_close(&conn->io, "certificate no longer verifies");
    }
    return true;
}

/* ---------------------------------------------------------------- life */

static void set_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static char *copy_string(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static void copy_config(struct grpc_server *server, const struct grpc_server_config *config)
{
    struct grpc_server_config *c = &server->config;
    *c = *config;
    c->listen_address =
        copy_string(config->listen_address != NULL ? config->listen_address : "127.0.0.1");
    c->tls.cert_file = copy_string(config->tls.cert_file);
    c->tls.key_file = copy_string(config->tls.key_file);
    c->tls.client_ca_file = copy_string(config->tls.client_ca_file);
    c->tls.crl_file = copy_string(config->tls.crl_file);
    set_default(&c->connections_max, 1024);
    set_default(&c->streams_per_connection_max, 1024);
    set_default(&c->calls_max, 65536);
    set_default(&c->message_bytes_max, 4U << 20);
    set_default(&c->header_bytes_max, 16U << 10);
    set_default(&c->connection_bytes_max, 32U << 20);
    set_default(&c->reset_burst_max, 5000);
    set_default(&c->reset_rate_max, 500);
    set_default(&c->handshake_timeout_ms, 5000);
    set_default(&c->idle_timeout_ms, 900000);
    set_default(&c->keepalive_ms, 60000);
    while (c->metadata_names != NULL && c->metadata_names[server->metadata_names_count] != NULL)
        server->metadata_names_count++;
    assert(server->metadata_names_count <= CALL_METADATA_MAX);
}

static void free_string(const char **text)
{
    union {
        const char *read;
        char *owned;
    } u = {*text};
    free(u.owned);
    *text = NULL;
}

static bool make_http2_options(struct grpc_server *server)
{
    if (!grpc_conn_callbacks_new(&server->callbacks) || nghttp2_option_new(&server->options) != 0)
        return false;
    /* Windows are given back by hand, so that a handler can pause its client. */
    nghttp2_option_set_no_auto_window_update(server->options, 1);
    /*
     * Higher than nghttp2's 1000 and 33/s: a platform that cancels many calls at once is no attack,
     * and one stock client never recovers from the GOAWAY. A reset call costs us no more than a
     * call that is answered, so this bound is only the last one.
     */
    nghttp2_option_set_stream_reset_rate_limit(server->options, server->config.reset_burst_max,
                                               server->config.reset_rate_max);
    return true;
}

static bool start(struct grpc_server *server, struct net_error *error)
{
    snprintf(error->text, sizeof error->text, "out of memory");
    server->methods_capacity = 64;
    server->methods = calloc(server->methods_capacity, sizeof *server->methods);
    server->scratch = malloc(sizeof *server->scratch);
    if (server->methods == NULL || server->scratch == NULL || !make_http2_options(server) ||
        !grpc_health_new(server) || !grpc_reflection_new(server))
        return false;
    if (server->config.tls.cert_file != NULL &&
        !tls_server_context_new(&server->config.tls, server->config.http != NULL, error,
                                &server->tls))
        return false;
    if (server->listen_fd < 0 && server->tls != NULL && !start_listening(server, error))
        return false;
    if (server->listen_fd >= 0) {
        if (!find_port(server, error))
            return false;
        event_assign(&server->accept_event, server->base, server->listen_fd, EV_READ | EV_PERSIST,
                     on_accept, server);
        event_add(&server->accept_event, NULL);
    }
    return true;
}

bool grpc_server_new(const struct grpc_server_config *config, struct event_base *base,
                     struct net_error *error, grpc_server_t **out)
{
    *out = NULL;
    struct grpc_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(error->text, sizeof error->text, "out of memory");
        return false;
    }
    /* OpenSSL writes to sockets without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    copy_config(server, config);
    server->base = base;
    server->listen_fd = config->listen_fd > 0 ? config->listen_fd : -1;
    timers_init(&server->call_timers, base, CALL_TICK_MS);
    timers_init(&server->conn_timers, base, CONN_TICK_MS);
    http_server_init(&server->http, config->http, &config->http_limits, &server->conn_timers,
                     config->log, config->log_user);
    event_assign(&server->accept_event, base, -1, 0, on_accept, server);
    event_assign(&server->accept_pause_event, base, -1, 0, on_accept_pause_over, server);
    event_assign(&server->drain_event, base, -1, 0, on_notice_over, server);
    if (!start(server, error)) {
        grpc_server_free(&server);
        return false;
    }
    error->text[0] = 0;
    *out = server;
    return true;
}

void grpc_server_free(grpc_server_t **handle)
{
    struct grpc_server *server = *handle;
    *handle = NULL;
    if (server == NULL)
        return;
    close_listener(server);
    while (server->conns != NULL)
        grpc_conn_free(server->conns);
    event_del(&server->drain_event);
    timers_deinit(&server->call_timers);
    timers_deinit(&server->conn_timers);
    http_server_deinit(&server->http);
    grpc_call_free_list(server);
    grpc_health_free(server);
    grpc_reflection_free(server);
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->options);
    SSL_CTX_free(server->tls);
    free(server->methods);
    free(server->scratch);
    free_string(&server->config.listen_address);
    free_string(&server->config.tls.cert_file);
    free_string(&server->config.tls.key_file);
    free_string(&server->config.tls.client_ca_file);
    free_string(&server->config.tls.crl_file);
    free(server);
}

uint16_t grpc_server_port(const grpc_server_t *server)
{
    return server->port;
}

void grpc_server_stats(const grpc_server_t *server, struct grpc_server_stats *out)
{
    *out = server->stats;
    out->http = server->http.stats;
    for (const struct grpc_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        out->bytes_in += conn->io.bytes_in;
        out->bytes_out += conn->io.bytes_out;
    }
}
