#include "gateway/net/http_conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is thrown away of a refused body so that its connection can go on; more closes it. */
#define DISCARD_BYTES_MAX 65536U
/* What a connection over the bound may use to hear so. */
#define OVER_LIMIT_MS         5000
#define ANSWER_HEADERS_MAX    16U
#define ANSWER_HEADER_BYTES   8192U
#define ANSWER_HEAD_BYTES_MAX (ANSWER_HEADER_BYTES + 1024U)
#define TRANSPORT_ERROR_BYTES 16384U
#define NEVER_MS              INT64_MAX
#define PLAIN_TEXT            "text/plain; charset=utf-8"

enum http_phase {
    HTTP_PHASE_IDLE,     /* of a request, at most a part of the head came */
    HTTP_PHASE_BODY,     /* on_head was called; the handler waits for the body */
    HTTP_PHASE_HANDLING, /* on_request was called */
    HTTP_PHASE_DISCARD,  /* answered; the rest of the body comes and is dropped */
    HTTP_PHASE_ENDING,   /* the last answer is written, nothing is read any more */
};

struct http_exchange {
    bool live; /* the handler holds the handle */
    struct http_target target;
    void *user;
    struct buf headers; /* of the answer */
    unsigned headers_count;
};

struct http_conn {
    struct http_exchange exchange; /* first: casts go both ways */
    struct http_server *server;
    struct h2_io *io;
    struct http_conn_peer peer;
    struct http_parser parser;
    struct byte_queue held;
    struct buf body;
    struct net_timer timer;
    enum http_phase phase;
    int64_t opened_ms;
    int64_t since_ms; /* idle, or the head's first byte, or the body's beginning */
    int64_t answer_since_ms;
    uint64_t answer_bytes;
    uint64_t body_seen;
    uint32_t requests;
    bool head_begun, continue_sent;
};

static struct http_conn *conn_of(http_exchange_t *exchange)
{
    return (struct http_conn *)(void *)exchange;
}

/* ---------------------------------------------------------------- what a handler asks */

const struct http_target *http_exchange_target(const http_exchange_t *exchange)
{
    return &exchange->target;
}

bool http_exchange_header(const http_exchange_t *exchange, const char *name, struct slice *value,
                          unsigned *count)
{
    const struct http_conn *conn = (const struct http_conn *)(const void *)exchange;
    return http_parser_header(&conn->parser, name, value, count);
}

uint64_t http_exchange_connection_id(const http_exchange_t *exchange)
{
    return ((const struct http_conn *)(const void *)exchange)->peer.connection_id;
}

const char *http_exchange_peer_address(const http_exchange_t *exchange)
{
    return ((const struct http_conn *)(const void *)exchange)->peer.address;
}

void *http_exchange_user(const http_exchange_t *exchange)
{
    return exchange->user;
}

void http_exchange_set_user(http_exchange_t *exchange, void *value)
{
    exchange->user = value;
}

/* ---------------------------------------------------------------- time */

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When so many bytes must have moved, at the slowest that is put up with. */
static int64_t pace_ms(const struct http_conn *conn, int64_t since_ms, uint64_t bytes)
{
    const struct http_limits *limits = &conn->server->limits;
    return since_ms + limits->grace_ms + (int64_t)(bytes * 1000 / limits->bytes_per_s_min);
}

static int64_t write_due_ms(const struct http_conn *conn)
{
    if (!h2_io_is_stalled(conn->io))
        return NEVER_MS;
    return min_ms(conn->io->last_write_ms + conn->server->limits.grace_ms,
                  pace_ms(conn, conn->answer_since_ms, conn->answer_bytes));
}

static int64_t read_due_ms(const struct http_conn *conn)
{
    const struct http_limits *limits = &conn->server->limits;
    switch (conn->phase) {
    case HTTP_PHASE_IDLE:
        if (conn->head_begun || conn->requests == 0)
            return conn->since_ms + limits->header_timeout_ms;
        return h2_io_is_stalled(conn->io) ? NEVER_MS : conn->since_ms + limits->idle_timeout_ms;
    case HTTP_PHASE_BODY:
    case HTTP_PHASE_DISCARD:
        return pace_ms(conn, conn->since_ms, conn->body_seen);
    case HTTP_PHASE_HANDLING:
    case HTTP_PHASE_ENDING:
        break;
    }
    return NEVER_MS;
}

static int64_t due_ms(const struct http_conn *conn)
{
    int64_t due = min_ms(write_due_ms(conn), read_due_ms(conn));
    return conn->peer.over_limit ? min_ms(due, conn->opened_ms + OVER_LIMIT_MS) : due;
}

static void set_timer(struct http_conn *conn)
{
    int64_t due = due_ms(conn);
    if (due == NEVER_MS || conn->io->phase != H2_IO_OPEN)
        timers_disarm(conn->server->timers, &conn->timer);
    else
        timers_arm(conn->server->timers, &conn->timer, due);
}

/* ---------------------------------------------------------------- answers */

static const char *date_now(struct http_server *server)
{
    int64_t now = (int64_t)time(NULL);
    if (now != server->date_s || server->date[0] == 0) {
        server->date_s = now;
        http_format_date(now, server->date);
    }
    return server->date;
}

struct answer {
    unsigned status;
    const char *content_type; /* NULL: no body */
    struct slice body, headers;
    bool keep;
};

/* The body as it goes out: compressed into *packed, or as it is. */
static struct slice pack_body(struct http_conn *conn, const struct answer *answer,
                              struct buf *packed, bool *is_packed)
{
    *is_packed = answer->body.len >= HTTP_GZIP_BYTES_MIN && http_takes_gzip(&conn->parser) &&
                 http_gzip_compress(&conn->server->gzip, answer->body, packed);
    return *is_packed ? buf_slice(packed) : answer->body;
}

static err_t write_head(struct http_conn *conn, const struct answer *answer, size_t body_bytes,
                        bool is_packed, struct buf *out)
{
    struct http_server *server = conn->server;
    err_t err = buf_printf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", answer->status,
                           http_status_phrase(answer->status), date_now(server));
    if (!err_failed(err) && answer->content_type != NULL)
        err = buf_printf(out, "Content-Type: %s\r\n", answer->content_type);
    if (!err_failed(err) && answer->status != 204 && answer->status != 304)
        err = buf_printf(out, "Content-Length: %zu\r\n", body_bytes);
    if (!err_failed(err) && is_packed)
        err = buf_printf(out, "Content-Encoding: gzip\r\n");
    if (!err_failed(err) && answer->body.len >= HTTP_GZIP_BYTES_MIN)
        err = buf_printf(out, "Vary: Accept-Encoding\r\n");
    if (!err_failed(err))
        err = buf_append(out, answer->headers.p, answer->headers.len);
    if (!err_failed(err) && answer->keep)
        err = buf_printf(out, "Connection: keep-alive\r\nKeep-Alive: timeout=%u\r\n\r\n",
                         (unsigned)(server->limits.idle_timeout_ms / 1000));
    else if (!err_failed(err))
        err = buf_printf(out, "Connection: close\r\n\r\n");
    return err;
}

/* Output has its time from when the first of what waits was written. */
static void write_out(struct http_conn *conn, const void *bytes, size_t length)
{
    if (!h2_io_is_stalled(conn->io)) {
        conn->answer_since_ms = net_now_ms();
        conn->answer_bytes = 0;
    }
    conn->answer_bytes += length;
    h2_io_write_raw(conn->io, bytes, length);
}

static void send_answer(struct http_conn *conn, struct answer *answer)
{
    struct buf head, packed;
    bool is_packed = false;
    if (answer->content_type == NULL || answer->status == 204 || answer->status == 304)
        answer->body = slice_of(NULL, 0);
    buf_init(&head, ANSWER_HEAD_BYTES_MAX);
    buf_init(&packed, answer->body.len);
    struct slice body = pack_body(conn, answer, &packed, &is_packed);
    if (err_failed(write_head(conn, answer, body.len, is_packed, &head))) {
        h2_io_close(conn->io, "out of memory");
    } else {
        write_out(conn, buf_data(&head), buf_len(&head));
        if (conn->parser.method != HTTP_HEAD)
            write_out(conn, body.p, body.len);
    }
    buf_deinit(&packed);
    buf_deinit(&head);
    if (!answer->keep) {
        conn->phase = HTTP_PHASE_ENDING;
        h2_io_resume_reading(conn->io); /* what comes is dropped, but an end is seen */
        h2_io_write_raw_and_close(conn->io, "", 0);
    }
}

/* The handle is void, what it held is given back. */
static void end_exchange(struct http_conn *conn)
{
    struct http_stats *stats = &conn->server->stats;
    assert(conn->exchange.live);
    stats->exchanges_open--;
    stats->body_bytes -= buf_len(&conn->body);
    buf_release(&conn->body);
    buf_deinit(&conn->exchange.headers);
    memset(&conn->exchange, 0, sizeof conn->exchange);
}

static void drop_exchange(struct http_conn *conn)
{
    const struct http_handler *handler = conn->server->handler;
    if (!conn->exchange.live)
        return;
    conn->server->stats.requests_gone++;
    handler->on_gone(handler->user, &conn->exchange);
    end_exchange(conn);
}

/* The transport's own last word on this connection. `why` is a literal. */
static void refuse(struct http_conn *conn, unsigned status, const char *why)
{
    struct http_server *server = conn->server;
    const struct http_handler *handler = server->handler;
    struct buf body;
    struct answer answer = {.status = status, .content_type = PLAIN_TEXT};
    drop_exchange(conn);
    server->stats.requests_refused++;
    if (status == 408)
        server->stats.requests_timed_out++;
    if (server->log != NULL) {
        char text[160];
        snprintf(text, sizeof text, "%s: %u, %s", conn->peer.address, status, why);
        server->log(server->log_user, LOG_LEVEL_DEBUG, conn->peer.connection_id, "http_refused",
                    text);
    }
    buf_init(&body, TRANSPORT_ERROR_BYTES);
    if (handler->transport_error != NULL)
        handler->transport_error(handler->user, status, why, &body, &answer.content_type);
    else if (err_failed(buf_printf(&body, "%s\n", why)))
        buf_reset(&body);
    answer.body = buf_slice(&body);
    if (status == 503)
        answer.headers = SLICE("Retry-After: 1\r\n");
    send_answer(conn, &answer);
    buf_deinit(&body);
}

/* Between requests, or what is left of the connection when that was the last. */
static void begin_idle(struct http_conn *conn)
{
    conn->phase = HTTP_PHASE_IDLE;
    conn->since_ms = net_now_ms();
    conn->head_begun = false;
    conn->continue_sent = false;
    http_parser_next(&conn->parser);
}

/* May the body that is still to come be dropped, so that the connection goes on behind it? */
static bool rest_is_small(const struct http_conn *conn)
{
    const struct http_parser *parser = &conn->parser;
    if (conn->phase == HTTP_PHASE_HANDLING)
        return true;
    /* Who waits for 100 may or may not send the body that is refused: nobody knows where the next request begins. */
    if (parser->is_chunked || (parser->expects_continue && !conn->continue_sent))
        return false;
    return parser->left <= DISCARD_BYTES_MAX;
}

static bool is_reserved(const char *lower_name)
{
    static const char *const reserved[] = {"content-type", "content-length",    "content-encoding",
                                           "date",         "transfer-encoding", "connection",
                                           "keep-alive"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(lower_name, reserved[i]) == 0)
            return true;
    }
    return false;
}

bool http_reply_header(http_exchange_t *exchange, const char *name, struct slice value)
{
    char lower_name[64];
    size_t length = strlen(name);
    assert(exchange->live && length > 0 && length < sizeof lower_name);
    for (size_t i = 0; i <= length; i++)
        lower_name[i] = char_is_upper(name[i]) ? (char)(name[i] + ('a' - 'A')) : name[i];
    assert(nghttp2_check_header_name((const uint8_t *)lower_name, length) != 0 && name[0] != ':');
    assert(!is_reserved(lower_name));
    if (exchange->headers_count == ANSWER_HEADERS_MAX ||
        nghttp2_check_header_value((const uint8_t *)value.p, value.len) == 0 ||
        err_failed(buf_printf(&exchange->headers, "%s: %.*s\r\n", name, SLICE_ARG(value))))
        return false;
    exchange->headers_count++;
    return true;
}

void http_reply(http_exchange_t *exchange, unsigned status, const char *content_type,
                struct slice body)
{
    struct http_conn *conn = conn_of(exchange);
    struct http_server *server = conn->server;
    assert(exchange->live && status >= 200 && status <= 599);
    struct answer answer = {
        .status = status,
        .content_type = content_type,
        .body = body,
        .headers = buf_slice(&exchange->headers),
        .keep = conn->parser.keep_alive && !server->draining &&
                conn->requests < server->limits.requests_max && rest_is_small(conn),
    };
    send_answer(conn, &answer);
    end_exchange(conn);
    if (answer.keep && conn->phase == HTTP_PHASE_HANDLING)
        begin_idle(conn);
    else if (answer.keep)
        conn->phase = HTTP_PHASE_DISCARD;
    set_timer(conn);
}

/* ---------------------------------------------------------------- requests */

static void on_head(struct http_conn *conn)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_server *server = conn->server;
    const struct http_handler *handler = server->handler;
    size_t bytes_max = 0;
    conn->requests++;
    conn->phase = HTTP_PHASE_BODY;
    conn->since_ms = net_now_ms();
    conn->body_seen = 0;
    if (conn->peer.over_limit) {
        refuse(conn, 503, "too many connections");
        return;
    }
    server->stats.requests_total++;
    server->stats.exchanges_open++;
    conn->exchange =
        (struct http_exchange){.live = true, .target = http_parser_target(&conn->parser)};
    buf_init(&conn->exchange.headers, ANSWER_HEADER_BYTES);
    bool taken = handler->on_head(handler->user, &conn->exchange, &bytes_max);
    assert(taken == conn->exchange.live);
    if (!taken)
        return;
    if (bytes_max > server->limits.body_bytes_max)
        bytes_max = server->limits.body_bytes_max;
    buf_init(&conn->body, bytes_max);
    if (conn->parser.content_length > bytes_max) {
        refuse(conn, 413, "body is too large");
    } else if (conn->parser.expects_continue &&
               (conn->parser.is_chunked || conn->parser.content_length > 0)) {
        conn->continue_sent = true;
        write_out(conn, go_on, sizeof go_on - 1);
    }
}

static void on_body(struct http_conn *conn, struct slice piece)
{
    struct http_server *server = conn->server;
    conn->body_seen += piece.len;
    if (conn->phase == HTTP_PHASE_DISCARD)
        return;
    if (piece.len > conn->body.bytes_max - buf_len(&conn->body)) {
        refuse(conn, 413, "body is too large");
    } else if (server->stats.body_bytes + piece.len > server->limits.body_bytes_max_total) {
        refuse(conn, 503, "too much is being received at once");
    } else if (err_failed(buf_append(&conn->body, piece.p, piece.len))) {
        refuse(conn, 503, "out of memory");
    } else {
        server->stats.body_bytes += piece.len;
    }
}

static void on_end(struct http_conn *conn)
{
    const struct http_handler *handler = conn->server->handler;
    if (conn->phase == HTTP_PHASE_DISCARD) {
        begin_idle(conn);
        return;
    }
    conn->phase = HTTP_PHASE_HANDLING;
    handler->on_request(handler->user, &conn->exchange, buf_slice(&conn->body));
}

static bool may_parse(const struct http_conn *conn)
{
    if (conn->io->phase != H2_IO_OPEN)
        return false;
    switch (conn->phase) {
    case HTTP_PHASE_IDLE:
        return !h2_io_is_stalled(conn->io);
    case HTTP_PHASE_BODY:
    case HTTP_PHASE_DISCARD:
        return true;
    case HTTP_PHASE_HANDLING:
    case HTTP_PHASE_ENDING:
        break;
    }
    return false;
}

/* Returns how much was taken: all of it, unless something has to be waited for. */
static size_t parse(struct http_conn *conn, struct slice in)
{
    size_t used = 0;
    while (may_parse(conn)) {
        enum http_event event;
        struct slice piece;
        used +=
            http_parser_take(&conn->parser, slice_of(in.p + used, in.len - used), &event, &piece);
        switch (event) {
        case HTTP_EVENT_MORE:
            if (!conn->head_begun && http_parser_has_begun(&conn->parser)) {
                conn->head_begun = true;
                /* The first head's time began when TLS stood. */
                conn->since_ms = conn->requests == 0 ? conn->since_ms : net_now_ms();
            }
            return used;
        case HTTP_EVENT_HEAD:
            conn->head_begun = true;
            on_head(conn);
            break;
        case HTTP_EVENT_BODY:
            on_body(conn, piece);
            break;
        case HTTP_EVENT_END:
            on_end(conn);
            break;
        case HTTP_EVENT_REFUSED:
            refuse(conn, conn->parser.status, conn->parser.why);
            break;
        }
    }
    return used;
}

void http_conn_take(struct http_conn *conn, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    if (byte_queue_length(&conn->held) == 0)
        used = parse(conn, slice_of(bytes, length));
    if (used < length && conn->phase != HTTP_PHASE_ENDING) {
        if (!byte_queue_append(&conn->held, bytes + used, length - used))
            h2_io_close(conn->io, "out of memory");
        h2_io_pause_reading(conn->io);
    }
    set_timer(conn);
}

void http_conn_close_if_idle(struct http_conn *conn)
{
    if (conn->phase != HTTP_PHASE_IDLE || conn->head_begun || byte_queue_length(&conn->held) > 0 ||
        h2_io_is_stalled(conn->io))
        return;
    conn->phase = HTTP_PHASE_ENDING;
    h2_io_write_raw_and_close(conn->io, "", 0);
}

void http_conn_drained(struct http_conn *conn)
{
    if (conn->phase == HTTP_PHASE_IDLE && !conn->head_begun && conn->requests > 0)
        conn->since_ms = net_now_ms();
    if (byte_queue_length(&conn->held) > 0 && may_parse(conn)) {
        size_t used =
            parse(conn, slice_of(byte_queue_front(&conn->held), byte_queue_length(&conn->held)));
        byte_queue_take(&conn->held, used);
        if (byte_queue_length(&conn->held) == 0)
            byte_queue_reset(&conn->held);
    }
    if (byte_queue_length(&conn->held) == 0)
        h2_io_resume_reading(conn->io);
    if (conn->server->draining)
        http_conn_close_if_idle(conn);
    set_timer(conn);
}

/* ---------------------------------------------------------------- life */

static void on_timer(struct net_timer *timer)
{
    struct http_conn *conn =
        (struct http_conn *)(void *)((char *)timer - offsetof(struct http_conn, timer));
    int64_t now = net_now_ms();
    if (due_ms(conn) > now) {
        set_timer(conn);
    } else if (write_due_ms(conn) <= now) {
        h2_io_close(conn->io, "does not read");
    } else if (conn->phase == HTTP_PHASE_BODY) {
        refuse(conn, 408, "body came too slowly");
        set_timer(conn);
    } else if (conn->phase == HTTP_PHASE_IDLE && conn->head_begun) {
        refuse(conn, 408, "head came too slowly");
        set_timer(conn);
    } else {
        /* Nothing was asked, or it is answered already. */
        conn->phase = HTTP_PHASE_ENDING;
        h2_io_write_raw_and_close(conn->io, "", 0);
        set_timer(conn);
    }
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

void http_server_init(struct http_server *server, const struct http_handler *handler,
                      const struct http_limits *limits, struct timers *timers, net_log_fn log,
                      void *log_user)
{
    memset(server, 0, sizeof *server);
    server->handler = handler;
    server->timers = timers;
    server->log = log;
    server->log_user = log_user;
    server->limits = (struct http_limits){
        .header_timeout_ms = or_default(limits->header_timeout_ms, 10000),
        .idle_timeout_ms = or_default(limits->idle_timeout_ms, 75000),
        .bytes_per_s_min = or_default(limits->bytes_per_s_min, 4096),
        .grace_ms = or_default(limits->grace_ms, 10000),
        .requests_max = or_default(limits->requests_max, 10000),
        .body_bytes_max = or_default(limits->body_bytes_max, 16U << 20),
        .body_bytes_max_total =
            limits->body_bytes_max_total != 0 ? limits->body_bytes_max_total : 128U << 20,
    };
}

void http_server_deinit(struct http_server *server)
{
    http_gzip_deinit(&server->gzip);
}

struct http_conn *http_conn_new(struct http_server *server, struct h2_io *io,
                                const struct http_conn_peer *peer)
{
    struct http_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->server = server;
    conn->io = io;
    conn->peer = *peer;
    http_parser_init(&conn->parser);
    conn->opened_ms = net_now_ms();
    conn->since_ms = conn->opened_ms;
    conn->timer.fire = on_timer;
    server->stats.connections_open++;
    server->stats.connections_total++;
    set_timer(conn);
    return conn;
}

void http_conn_free(struct http_conn **handle)
{
    struct http_conn *conn = *handle;
    *handle = NULL;
    if (conn == NULL)
        return;
    drop_exchange(conn);
    timers_disarm(conn->server->timers, &conn->timer);
    conn->server->stats.connections_open--;
    http_parser_deinit(&conn->parser);
    byte_queue_deinit(&conn->held);
    buf_deinit(&conn->body);
    free(conn);
}
