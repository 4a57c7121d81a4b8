/*
 * HTTP/1.1: the codec gives the same events whatever the pieces its input comes in; and a connection below TLS, as if
 * TLS had given it the bytes. Whatever comes: no crash, every exchange that began is ended once, nothing stays held.
 *
 * Input: one byte of chunk size, one of what the handler does (bits below), then bytes of requests.
 */
#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DO_REPLY_AT_HEAD 1 /* … of every other request */
#define DO_REPLY_LATER   2
#define DO_LARGE_ANSWER  4
#define DO_DRAIN         8 /* after the first chunk */
#define DO_OVER_LIMIT    16
#define DO_SMALL_BODIES  32

/* ---------------------------------------------------------------- the codec */

struct told {
    uint64_t hash;
    enum http_event last;
    bool in_head, refused;
};

static void mix(struct told *told, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < length; i++)
        told->hash = (told->hash ^ p[i]) * 1099511628211U;
}

static void tell(struct told *told, const struct http_parser *parser, enum http_event event,
                 struct slice body)
{
    uint8_t mark = (uint8_t)event;
    if (event != HTTP_EVENT_BODY || told->last != HTTP_EVENT_BODY)
        mix(told, &mark, 1);
    told->last = event;
    switch (event) {
    case HTTP_EVENT_MORE:
        break;
    case HTTP_EVENT_HEAD: {
        struct http_target target = http_parser_target(parser);
        struct slice host;
        assert(!told->in_head && target.path.len > 0 && target.path.p[0] == '/');
        assert(parser->version_1_0 || http_parser_header(parser, "host", &host, NULL));
        assert(!parser->is_chunked || parser->content_length == 0);
        mix(told, target.path.p, target.path.len);
        told->in_head = true;
        break;
    }
    case HTTP_EVENT_BODY:
        assert(told->in_head && body.len > 0);
        mix(told, body.p, body.len);
        break;
    case HTTP_EVENT_END:
        assert(told->in_head);
        told->in_head = false;
        break;
    case HTTP_EVENT_REFUSED:
        assert(parser->status >= 400 && parser->status <= 599 && parser->why != NULL);
        mix(told, parser->why, strlen(parser->why));
        told->refused = true;
        break;
    }
}

static uint64_t parse_in_chunks(const uint8_t *data, size_t size, size_t chunk_max)
{
    struct http_parser parser;
    struct told told = {.hash = 14695981039346656037U, .last = HTTP_EVENT_MORE};
    http_parser_init(&parser);
    while (size > 0 && !told.refused) {
        size_t n = size < chunk_max ? size : chunk_max;
        struct slice in = slice_of(data, n), body;
        enum http_event event;
        do {
            size_t used = http_parser_take(&parser, in, &event, &body);
            assert(used <= in.len);
            in = slice_of(in.p + used, in.len - used);
            if (event != HTTP_EVENT_MORE)
                tell(&told, &parser, event, body);
            if (event == HTTP_EVENT_END)
                http_parser_next(&parser);
        } while (event != HTTP_EVENT_MORE && event != HTTP_EVENT_REFUSED);
        assert(event == HTTP_EVENT_REFUSED || in.len == 0);
        data += n;
        size -= n;
    }
    http_parser_deinit(&parser);
    return told.hash;
}

/* ---------------------------------------------------------------- the connection */

static struct {
    struct event_base *base;
    struct timers timers;
    struct http_server server;
    struct h2_scratch scratch;
    struct h2_io io;
    struct http_conn *conn;
    http_exchange_t *waiting; /* for its answer */
    unsigned what, heads, started, ended;
    bool closed;
} world;

static void answer(http_exchange_t *exchange)
{
    static const char text[3000] = "0123456789";
    bool large = (world.what & DO_LARGE_ANSWER) != 0;
    assert(http_reply_header(exchange, "X-Debug-Id", SLICE("abc")));
    assert(!http_reply_header(exchange, "X-Debug-Id", SLICE("a\r\nb: c")));
    world.ended++;
    http_reply(exchange, 200, "application/json", slice_of(text, large ? sizeof text : 10));
}

static bool on_head(void *user, http_exchange_t *exchange, size_t *body_bytes_max)
{
    (void)user;
    assert(http_exchange_target(exchange)->path.len > 0);
    world.started++;
    *body_bytes_max = (world.what & DO_SMALL_BODIES) != 0 ? 8 : SIZE_MAX;
    if ((world.what & DO_REPLY_AT_HEAD) == 0 || world.heads++ % 2 == 0)
        return true;
    answer(exchange);
    return false;
}

static void on_request(void *user, http_exchange_t *exchange, struct slice body)
{
    (void)user;
    uint64_t sum = 0;
    for (size_t i = 0; i < body.len; i++)
        sum += (uint8_t)body.p[i];
    http_exchange_set_user(exchange, (void *)(uintptr_t)sum);
    if ((world.what & DO_REPLY_LATER) != 0)
        world.waiting = exchange;
    else
        answer(exchange);
}

static void on_gone(void *user, http_exchange_t *exchange)
{
    (void)user;
    (void)exchange;
    world.ended++;
    world.waiting = NULL;
}

static void on_raw(struct h2_io *io, const uint8_t *bytes, size_t length)
{
    (void)io;
    http_conn_take(world.conn, bytes, length);
}

static bool on_drained(struct h2_io *io)
{
    (void)io;
    http_conn_drained(world.conn);
    return false;
}

static void on_closed(struct h2_io *io, const char *why)
{
    (void)io;
    (void)why;
    world.closed = true;
}

static const struct http_handler handler = {
    .on_head = on_head, .on_request = on_request, .on_gone = on_gone};
static const struct h2_io_owner owner = {
    .on_raw = on_raw, .on_drained = on_drained, .on_closed = on_closed};

static void run_loop(void)
{
    if (world.io.phase == H2_IO_OPEN && !world.io.flush_wanted && world.waiting == NULL)
        return; /* nothing is due: a system call for each byte would only be slow */
    do {
        event_base_loop(world.base, EVLOOP_NONBLOCK);
        http_exchange_t *exchange = world.waiting;
        world.waiting = NULL;
        if (exchange != NULL)
            answer(exchange);
        event_base_loop(world.base, EVLOOP_NONBLOCK);
    } while (world.io.read_paused && !world.closed);
}

/* Nothing here takes a second, so a timer that is due by then counts from a wrong beginning. */
static void check_timers(void)
{
    int64_t soon = net_now_ms() + 1000;
    uint64_t left = world.timers.armed;
    for (size_t i = 0; i < TIMERS_SLOTS && left > 0; i++) {
        const struct net_timer *head = &world.timers.slots[i];
        for (const struct net_timer *timer = head->next; timer != head; timer = timer->next) {
            assert(timer->due_ms > soon);
            left--;
        }
    }
}

static void feed(const uint8_t *data, size_t size, size_t chunk_max)
{
    while (size > 0 && !world.closed) {
        size_t n = size < chunk_max ? size : chunk_max;
        uint8_t *chunk = malloc(n);
        assert(chunk != NULL);
        memcpy(chunk, data, n);
        h2_io_feed(&world.io, chunk, n);
        free(chunk);
        if (world.io.flush_wanted)
            check_timers();
        run_loop();
        if ((world.what & DO_DRAIN) != 0 && !world.server.draining) {
            world.server.draining = true;
            http_conn_close_if_idle(world.conn);
        }
        data += n;
        size -= n;
    }
}

static void converse(const uint8_t *data, size_t size, size_t chunk_max)
{
    const struct http_conn_peer peer = {
        .connection_id = 1, .address = "fuzz", .over_limit = (world.what & DO_OVER_LIMIT) != 0};
    world.started = world.ended = world.heads = 0;
    world.closed = false;
    world.server.draining = false;
    h2_io_init(&world.io, &owner, world.base, &world.scratch, -1, NULL, true, false);
    world.conn = http_conn_new(&world.server, &world.io, &peer);
    assert(world.conn != NULL);
    feed(data, size, chunk_max);
    http_conn_free(&world.conn);
    h2_io_deinit(&world.io);
    world.waiting = NULL;
    assert(world.started == world.ended);
    assert(world.server.stats.exchanges_open == 0 && world.server.stats.body_bytes == 0);
    assert(world.timers.armed == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_limits limits = {.requests_max = 20, .body_bytes_max = 1U << 20};
    if (size < 2)
        return 0;
    if (world.base == NULL) {
        world.base = event_base_new();
        assert(world.base != NULL);
        timers_init(&world.timers, world.base, 250);
        http_server_init(&world.server, &handler, &limits, &world.timers, NULL, NULL);
    }
    size_t chunk_max = (size_t)data[0] + 1;
    world.what = data[1];
    data += 2;
    size -= 2;
    const uint64_t whole = parse_in_chunks(data, size, SIZE_MAX);
    const uint64_t split = parse_in_chunks(data, size, chunk_max);
    assert(whole == split);
    converse(data, size, chunk_max * chunk_max);
    return 0;
}
