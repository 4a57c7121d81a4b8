#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_server_internal.h"

#define STREAM_WINDOW_BYTES     (1024 * 1024)
#define CONNECTION_WINDOW_BYTES (8 * 1024 * 1024)
/* Silence after our PING, or output that nobody takes for as long on top of keepalive. */
#define PING_PATIENCE_MS 20000
/* What a connection over the bound may use to hear so. */
#define OVER_LIMIT_MS           5000
#define HTTP1_REQUEST_BYTES_MAX 8192U

static struct grpc_conn *conn_of(struct h2_io *io)
{
    return (struct grpc_conn *)(void *)io;
}

/* ---------------------------------------------------------------- what HTTP/2 tells */

/*
 * nghttp2 takes HEADERS on an id that was passed over for trailers of a stream long closed, and
 * ignores them; they are a connection error (RFC 9113, 5.1.1). Clients count by twos, so that gaps
 * are rare, and few need to be remembered.
 */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user_data)
{
    struct grpc_conn *conn = user_data;
    if (hd->type != NGHTTP2_HEADERS || (hd->stream_id & 1) == 0)
        return 0;
    if (hd->stream_id > conn->last_stream_id) {
        int32_t next = conn->last_stream_id == 0 ? 1 : conn->last_stream_id + 2;
        if (hd->stream_id > next)
            conn->gaps[conn->gaps_count++ % STREAM_GAPS_MAX] =
                (struct stream_gap){next, hd->stream_id - 2};
        conn->last_stream_id = hd->stream_id;
        return 0;
    }
    for (size_t i = 0; i < STREAM_GAPS_MAX && i < conn->gaps_count; i++) {
        if (hd->stream_id >= conn->gaps[i].first && hd->stream_id <= conn->gaps[i].last)
            nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_conn *conn = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_call *call = grpc_call_new(conn, frame->hd.stream_id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user_data)
{
    (void)flags;
    (void)user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call != NULL)
        grpc_call_take_header(call, name, name_length, value, value_length);
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t length, void *user_data)
{
    (void)user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    bool last = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (call != NULL)
        grpc_call_take_data(call, data, length, last);
    nghttp2_session_consume_connection(session, length);
    if (call != NULL && call->paused)
        call->unconsumed += length;
    else if (!last) /* nobody will use that window any more */
        nghttp2_session_consume_stream(session, stream_id, length);
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_conn *conn = user_data;
    if (frame->hd.type == NGHTTP2_SETTINGS || frame->hd.type == NGHTTP2_PING) {
        conn->preface_seen = true;
        conn->ping_waits = false;
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        grpc_call_begin(call);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        grpc_call_half_closed(call);
    return 0;
}

/* An answer that overtook its request: the client is told to send no more (RFC 9113, 8.1). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)user_data;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call != NULL && !call->half_closed && !call->end_sent) {
        call->end_sent = true;
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_NO_ERROR);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    (void)error_code;
    (void)user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call != NULL) {
        nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        grpc_call_gone(call);
    }
    return 0;
}

bool grpc_conn_callbacks_new(nghttp2_session_callbacks **out)
{
    if (nghttp2_session_callbacks_new(out) != 0)
        return false;
    nghttp2_session_callbacks_set_on_begin_frame_callback(*out, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(*out, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(*out, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*out, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*out, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(*out, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(*out, on_stream_close);
    return true;
}

/* ---------------------------------------------------------------- what TLS tells */

static bool start_http2(struct grpc_conn *conn)
{
    struct grpc_server *server = conn->server;
    if (nghttp2_session_server_new2(&conn->io.session, server->callbacks, conn, server->options) !=
        0)
        return false;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server->config.streams_per_connection_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, server->config.header_bytes_max},
    };
    if (nghttp2_submit_settings(conn->io.session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof settings[0]) != 0 ||
        nghttp2_session_set_local_window_size(conn->io.session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW_BYTES) != 0)
        return false;
    if (server->draining)
        nghttp2_submit_goaway(conn->io.session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    return true;
}

static bool start_http1(struct grpc_conn *conn)
{
    struct grpc_server *server = conn->server;
    const struct http_conn_peer peer = {.connection_id = conn->peer.connection_id,
                                        .address = conn->peer.address,
                                        .over_limit = conn->over_limit};
    timers_disarm(&server->conn_timers, &conn->timer); /* it has time-outs of its own */
    conn->http = http_conn_new(&server->http, &conn->io, &peer);
    return conn->http != NULL;
}

static void on_open(struct h2_io *io, enum tls_alpn alpn)
{
    struct grpc_conn *conn = conn_of(io);
    const struct grpc_server_config *config = &conn->server->config;
    conn->idle_since_ms = net_now_ms();
    if (io->ssl != NULL)
        tls_describe_peer(io->ssl, &conn->peer);
    if (alpn != TLS_ALPN_H2 && config->http != NULL) {
        if (!start_http1(conn))
            h2_io_close(io, "out of memory");
    } else if (alpn == TLS_ALPN_H2 && config->http != NULL && config->tls.client_cert_required &&
               io->ssl != NULL && !conn->peer.has_certificate) {
        /* TLS has seen to that; but a session made without one must never come through here. */
        h2_io_close(io, "no client certificate");
    } else if (alpn == TLS_ALPN_H2 && !start_http2(conn)) {
        h2_io_close(io, "out of memory");
    }
}

/* Somebody who speaks HTTP/1.1 to us gets one proper answer to what he asked first. */
static void on_raw(struct h2_io *io, const uint8_t *bytes, size_t length)
{
    static const char answer[] = "HTTP/1.1 505 HTTP Version Not Supported\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 39\r\n"
                                 "Connection: close\r\n\r\n"
                                 "This is a gRPC service: HTTP/2 is due.\n";
    struct grpc_conn *conn = conn_of(io);
    if (conn->http != NULL) {
        http_conn_take(conn->http, bytes, length);
        return;
    }
    conn->preface_seen = true; /* only the idle time-out and this function's bound are left */
    if (io->shut_when_flushed)
        return;
    conn->http1_bytes += (uint32_t)length;
    for (size_t i = 0; i < length && conn->http1_newlines < 2; i++) {
        if (bytes[i] == '\n')
            conn->http1_newlines++;
        else if (bytes[i] != '\r')
            conn->http1_newlines = 0;
    }
    if (conn->http1_newlines >= 2 || conn->http1_bytes > HTTP1_REQUEST_BYTES_MAX)
        h2_io_write_raw_and_close(io, answer, sizeof answer - 1);
}

static bool on_drained(struct h2_io *io)
{
    struct grpc_conn *conn = conn_of(io);
    if (io->session != NULL)
        return grpc_conn_run_writable(conn);
    if (conn->http != NULL)
        http_conn_drained(conn->http);
    return false;
}

/* Whoever knocks often must not fill the log: the rest of a second's refusals is one line. */
static void log_refused(struct grpc_conn *conn, const char *why)
{
    struct grpc_server *server = conn->server;
    int64_t second = net_now_ms() / 1000;
    server->stats.handshakes_failed++;
    if (second != server->refusals_second) {
        if (server->refusals_in_second > REFUSALS_LOGGED_MAX)
            grpc_server_log(server, LOG_LEVEL_WARN, 0, "tls_refused", "%u more",
                            (unsigned)(server->refusals_in_second - REFUSALS_LOGGED_MAX));
        server->refusals_second = second;
        server->refusals_in_second = 0;
    }
    if (server->refusals_in_second++ < REFUSALS_LOGGED_MAX)
        grpc_server_log(server, LOG_LEVEL_WARN, conn->peer.connection_id, "tls_refused", "%s: %s",
                        conn->peer.address, why);
}

static void on_closed(struct h2_io *io, const char *why)
{
    struct grpc_conn *conn = conn_of(io);
    struct grpc_server *server = conn->server;
    if (io->failed_handshake) {
        log_refused(conn, why);
    } else {
        grpc_server_log(server, LOG_LEVEL_DEBUG, conn->peer.connection_id, "connection_closed",
                        "%s: %s", conn->peer.address, why);
    }
    grpc_conn_free(conn);
    grpc_server_conn_gone(server);
}

static const struct h2_io_owner io_owner = {
    .on_open = on_open,
    .on_raw = on_raw,
    .plain_http_answer = "HTTP/1.1 400 Bad Request\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Length: 43\r\n"
                         "Connection: close\r\n\r\n"
                         "This port speaks TLS only, not plain HTTP.\n",
    .on_drained = on_drained,
    .on_closed = on_closed,
};

/* ---------------------------------------------------------------- time */

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Looks at an open connection; returns when to look again, or 0 if it was closed. */
static int64_t check_open(struct grpc_conn *conn, int64_t now)
{
    const struct grpc_server_config *config = &conn->server->config;
    int64_t patience = (int64_t)config->keepalive_ms + PING_PATIENCE_MS;
    if (h2_io_is_stalled(&conn->io) && now - conn->io.last_write_ms > patience) {
        h2_io_close(&conn->io, "does not read");
        return 0;
    }
    int64_t silent = now - conn->io.last_read_ms;
    if (conn->ping_waits && now - conn->ping_ms >= PING_PATIENCE_MS) {
        if (silent >= PING_PATIENCE_MS) {
            h2_io_close(&conn->io, "does not answer PING");
            return 0;
        }
        conn->ping_waits = false;
    }
    int64_t idle_left = INT64_MAX / 2;
    if (conn->calls_open == 0) {
        idle_left = conn->idle_since_ms + config->idle_timeout_ms - now;
        if (idle_left <= 0) {
            grpc_conn_goaway(conn);
            idle_left = 1000;
        }
    }
    if (silent >= config->keepalive_ms && !conn->ping_waits) {
        conn->ping_waits = true;
        conn->ping_ms = now;
        nghttp2_submit_ping(conn->io.session, NGHTTP2_FLAG_NONE, NULL);
        h2_io_want_flush(&conn->io);
    }
    int64_t next = conn->ping_waits ? conn->ping_ms + PING_PATIENCE_MS
                                    : conn->io.last_read_ms + config->keepalive_ms;
    return min_ms(next, now + idle_left);
}

static void on_conn_timer(struct net_timer *timer)
{
    struct grpc_conn *conn =
        (struct grpc_conn *)(void *)((char *)timer - offsetof(struct grpc_conn, timer));
    struct grpc_server *server = conn->server;
    int64_t now = net_now_ms();
    int64_t next;
    if (!conn->preface_seen || conn->io.session == NULL) {
        /* In TLS or before the first SETTINGS; HTTP/1.1 gets as long to say what it wants. */
        next = conn->accepted_ms + server->config.handshake_timeout_ms;
        if (next <= now) {
            conn->io.failed_handshake = conn->io.phase == H2_IO_HANDSHAKE;
            h2_io_close(&conn->io, "handshake took too long");
            return;
        }
    } else if (conn->over_limit && now - conn->accepted_ms >= OVER_LIMIT_MS) {
        h2_io_close(&conn->io, "over the bound of connections");
        return;
    } else {
        next = check_open(conn, now);
        if (next == 0)
            return;
        if (conn->over_limit)
            next = min_ms(next, conn->accepted_ms + OVER_LIMIT_MS);
    }
    timers_arm(&server->conn_timers, timer, next);
}

/* ---------------------------------------------------------------- life */

void grpc_conn_shutdown_notice(struct grpc_conn *conn)
{
    if (conn->io.session == NULL || conn->goaway_said)
        return;
    nghttp2_submit_shutdown_notice(conn->io.session);
    h2_io_want_flush(&conn->io);
}

void grpc_conn_goaway(struct grpc_conn *conn)
{
    if (conn->io.session == NULL || conn->goaway_said)
        return;
    conn->goaway_said = true;
    nghttp2_submit_goaway(conn->io.session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(conn->io.session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    h2_io_want_flush(&conn->io);
}

struct grpc_conn *grpc_conn_new(struct grpc_server *server, int fd, SSL *ssl, const char *address)
{
    struct grpc_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->server = server;
    h2_io_init(&conn->io, &io_owner, server->base, server->scratch, fd, ssl, true, false);
    conn->peer.connection_id = ++server->next_conn_id;
    snprintf(conn->peer.address, sizeof conn->peer.address, "%s", address);
    conn->accepted_ms = net_now_ms();
    conn->idle_since_ms = conn->accepted_ms;
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    server->conns = conn;
    server->stats.connections_open++;
    server->stats.connections_total++;
    conn->timer.fire = on_conn_timer;
    timers_arm(&server->conn_timers, &conn->timer,
               conn->accepted_ms + server->config.handshake_timeout_ms);
    if (ssl == NULL)
        on_open(&conn->io, TLS_ALPN_H2);
    return conn;
}

void grpc_conn_free(struct grpc_conn *conn)
{
    struct grpc_server *server = conn->server;
    while (conn->calls != NULL)
        grpc_call_gone(conn->calls);
    http_conn_free(&conn->http);
    server->stats.bytes_in += conn->io.bytes_in;
    server->stats.bytes_out += conn->io.bytes_out;
    timers_disarm(&server->conn_timers, &conn->timer);
    h2_io_deinit(&conn->io);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    server->stats.connections_open--;
    if (conn->user_free != NULL && conn->user != NULL)
        conn->user_free(conn->user);
    free(conn);
}
