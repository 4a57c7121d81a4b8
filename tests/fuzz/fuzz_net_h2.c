/*
 * A server connection below TLS: the client preface and then the input, as if TLS had given it, cut
 * into chunks. Health, reflection and an echo are served, so that headers, framing and the little
 * protobuf reader are met too. Whatever comes: no crash, and every started call is ended once.
 *
 * Input: one byte of chunk size, then HTTP/2 frames.
 */
#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "gateway/net/grpc_server_internal.h"

extern const struct embedded descriptors;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long started, ended;

static void on_start(grpc_call_t *call)
{
    (void)call;
    started++;
}

static void on_message(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    if (length > 0 && bytes[0] == 'f') {
        ended++;
        grpc_call_finish(call, GRPC_ABORTED, "by request", bytes, length);
        return;
    }
    (void)grpc_call_send(call, bytes, length);
    if (length > 0 && bytes[0] == 'p')
        grpc_call_pause_reading(call);
    if (length > 0 && bytes[0] == 'w')
        grpc_call_want_writable(call);
}

static void on_half_close(grpc_call_t *call)
{
    ended++;
    grpc_call_finish(call, GRPC_OK, NULL, NULL, 0);
}

static void on_cancel(grpc_call_t *call)
{
    (void)call;
    ended++;
}

static void on_writable(grpc_call_t *call)
{
    grpc_call_resume_reading(call);
}

#define ECHO_CALLBACKS                                                                             \
    .on_start = on_start, .on_message = on_message, .on_half_close = on_half_close,                \
    .on_cancel = on_cancel, .on_writable = on_writable

static const struct grpc_method methods[] = {
    {.path = "/t.T/U", .kind = GRPC_UNARY, .request_bytes_max = 4096, ECHO_CALLBACKS},
    {.path = "/t.T/B", .kind = GRPC_BIDI, .request_bytes_max = 4096, ECHO_CALLBACKS},
};

static bool authorize(void *user, grpc_call_t *call)
{
    (void)user;
    size_t length;
    if (grpc_call_metadata(call, "x-no", &length) == NULL)
        return true;
    grpc_call_finish(call, GRPC_PERMISSION_DENIED, "no", NULL, 0);
    return false;
}

static void feed(struct grpc_server *server, struct event_base *base, const uint8_t *data,
                 size_t size, size_t chunk_max)
{
    while (size > 0 && server->conns != NULL) {
        size_t n = size < chunk_max ? size : chunk_max;
        uint8_t *chunk = malloc(n);
        assert(chunk != NULL);
        memcpy(chunk, data, n);
        h2_io_feed(&server->conns->io, chunk, n);
        free(chunk);
        event_base_loop(base, EVLOOP_NONBLOCK);
        data += n;
        size -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static const char *const names[] = {"x-no", NULL};
    if (size < 1)
        return 0;
    struct event_base *base = event_base_new();
    struct grpc_server_config config = {
        .metadata_names = names, .authorize = authorize, .streams_per_connection_max = 32};
    struct net_error error;
    grpc_server_t *server;
    if (base == NULL || !grpc_server_new(&config, base, &error, &server))
        abort();
    grpc_server_add_methods(server, methods, sizeof methods / sizeof methods[0]);
    if (!grpc_reflection_add(server, (const uint8_t *)descriptors.text,
                             (size_t)((const char *)descriptors.end - descriptors.text)))
        abort();
    started = 0;
    ended = 0;
    if (grpc_conn_new(server, -1, NULL, "fuzz") == NULL)
        abort();
    feed(server, base, preface, sizeof preface - 1, SIZE_MAX);
    feed(server, base, data + 1, size - 1, (size_t)data[0] * 16 + 1);
    assert(server->stats.calls_open <= 2 * config.streams_per_connection_max);
    grpc_server_free(&server);
    event_base_free(base);
    assert(started == ended);
    return 0;
}
