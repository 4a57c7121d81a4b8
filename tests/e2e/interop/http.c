/*
 * Routes for tests of HTTP/1.1:
 *
 *   GET  /hello      "hello"
 *   GET  /large?N    N bytes that compress well
 *   GET  /slow?MS    "slow", that much later
 *   GET  /stats      the transport's counters
 *   POST /echo       the body, as it came, with how many bytes it had in X-Body-Bytes; at most 1 MiB
 *   POST /no         401 before any of the body is taken
 *   any  /none       204
 */
#include "tests/e2e/interop/http.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#define ECHO_BYTES_MAX  ((size_t)1 << 20)
#define LARGE_BYTES_MAX ((uint64_t)64 << 20)

struct slow {
    struct event *timer;
    http_exchange_t *exchange;
};

static struct interop_http *http_of(void *user)
{
    return user;
}

static bool path_is(const http_exchange_t *exchange, const char *path)
{
    return slice_equal_str(http_exchange_target(exchange)->path, path);
}

static bool on_head(void *user, http_exchange_t *exchange, size_t *body_bytes_max)
{
    (void)user;
    if (path_is(exchange, "/no")) {
        if (!http_reply_header(exchange, "WWW-Authenticate", SLICE("Bearer")))
            abort();
        http_reply(exchange, 401, "text/plain", SLICE("no\n"));
        return false;
    }
    *body_bytes_max = path_is(exchange, "/echo") ? ECHO_BYTES_MAX : 0;
    return true;
}

static void on_slow_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct slow *slow = arg;
    http_exchange_t *exchange = slow->exchange;
    event_free(slow->timer);
    free(slow);
    http_reply(exchange, 200, "text/plain", SLICE("slow\n"));
}

static void begin_slow(struct interop_http *http, http_exchange_t *exchange, uint64_t ms)
{
    struct slow *slow = calloc(1, sizeof *slow);
    struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    if (slow == NULL)
        abort();
    slow->exchange = exchange;
    slow->timer = event_new(http->base, -1, 0, on_slow_over, slow);
    if (slow->timer == NULL)
        abort();
    event_add(slow->timer, &wait);
    http_exchange_set_user(exchange, slow);
}

static void reply_large(http_exchange_t *exchange, uint64_t bytes)
{
    static const char line[] =
        "{\"payout_item_id\":\"0123456789ABC\",\"transaction_status\":\"OK\"}\n";
    size_t n = bytes < LARGE_BYTES_MAX ? (size_t)bytes : LARGE_BYTES_MAX;
    char *text = malloc(n + 1);
    if (text == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        text[i] = line[i % (sizeof line - 1)];
    http_reply(exchange, 200, "application/json", slice_of(text, n));
    free(text);
}

static void reply_stats(struct interop_http *http, http_exchange_t *exchange)
{
    struct grpc_server_stats stats;
    char text[512];
    grpc_server_stats(http->server, &stats);
    int n = snprintf(
        text, sizeof text,
        "{\"connections_open\":%llu,\"http_connections_open\":%llu,\"requests_total\":%llu,"
        "\"exchanges_open\":%llu,\"requests_refused\":%llu,\"requests_timed_out\":%llu,"
        "\"requests_gone\":%llu,\"body_bytes\":%llu}\n",
        (unsigned long long)stats.connections_open, (unsigned long long)stats.http.connections_open,
        (unsigned long long)stats.http.requests_total,
        (unsigned long long)stats.http.exchanges_open,
        (unsigned long long)stats.http.requests_refused,
        (unsigned long long)stats.http.requests_timed_out,
        (unsigned long long)stats.http.requests_gone, (unsigned long long)stats.http.body_bytes);
    http_reply(exchange, 200, "application/json", slice_of(text, (size_t)n));
}

static void reply_echo(http_exchange_t *exchange, struct slice body)
{
    char number[STR_INT64_SIZE];
    size_t length = str_format_uint64(body.len, number);
    if (!http_reply_header(exchange, "X-Body-Bytes", slice_of(number, length)))
        abort();
    http_reply(exchange, 200, "application/octet-stream", body);
}

static void on_request(void *user, http_exchange_t *exchange, struct slice body)
{
    struct interop_http *http = http_of(user);
    uint64_t number = 0;
    if (err_failed(str_parse_uint64(http_exchange_target(exchange)->query, &number)))
        number = 0;
    if (path_is(exchange, "/hello"))
        http_reply(exchange, 200, "text/plain", SLICE("hello\n"));
    else if (path_is(exchange, "/large"))
        reply_large(exchange, number);
    else if (path_is(exchange, "/slow"))
        begin_slow(http, exchange, number);
    else if (path_is(exchange, "/stats"))
        reply_stats(http, exchange);
    else if (path_is(exchange, "/echo"))
        reply_echo(exchange, body);
    else if (path_is(exchange, "/none"))
        http_reply(exchange, 204, NULL, SLICE(""));
    else
        http_reply(exchange, 404, "text/plain", SLICE("no such path\n"));
}

static void on_gone(void *user, http_exchange_t *exchange)
{
    (void)user;
    struct slow *slow = http_exchange_user(exchange);
    if (slow == NULL)
        return;
    event_free(slow->timer);
    free(slow);
}

static void transport_error(void *user, unsigned status, const char *why, struct buf *body,
                            const char **content_type)
{
    (void)user;
    *content_type = "application/json";
    if (err_failed(buf_printf(body, "{\"status\":%u,\"why\":\"%s\"}\n", status, why)))
        buf_reset(body);
}

void interop_http_init(struct interop_http *http, struct event_base *base)
{
    *http = (struct interop_http){.base = base,
                                  .handler = {.on_head = on_head,
                                              .on_request = on_request,
                                              .on_gone = on_gone,
                                              .transport_error = transport_error,
                                              .user = http}};
}
