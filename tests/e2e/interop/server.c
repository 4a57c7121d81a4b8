/*
 * ujrat-interop: our transport with grpc.testing.TestService on it, as the public description of
 * the gRPC interoperability tests wants it. Prints its port when it is ready; SIGTERM drains it.
 */
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "gateway/net/grpc_server.h"
#include "gateway/net/pb_lite.h"
#include "tests/e2e/interop/http.h"

extern const struct embedded descriptors, test_descriptors;

#define ANSWER_BYTES_MAX  ((size_t)8 * 1024 * 1024)
#define PARAMETERS_MAX    4096U
#define PARAMETERS_PAUSED 256U

static const char *const metadata_names[] = {"x-grpc-test-echo-initial",
                                             "x-grpc-test-echo-trailing-bin", NULL};

/* ---------------------------------------------------------------- messages */

struct test_request {
    uint64_t response_size;
    uint64_t payload_length;
    bool has_status;
    uint64_t status_code;
    struct pb_bytes status_message;
    bool wants_compression;
};

static void read_inner(struct pb_bytes message, uint32_t number, uint64_t *value,
                       struct pb_bytes *bytes)
{
    struct pb_field field;
    while (pb_next(&message, &field)) {
        if (field.number != number)
            continue;
        if (value != NULL)
            *value = field.value;
        if (bytes != NULL)
            *bytes = field.bytes;
    }
}

/* SimpleRequest; for the streaming ones the same numbers where they mean the same. */
static bool read_request(const uint8_t *bytes, size_t length, struct test_request *out)
{
    struct pb_bytes rest = {bytes, length};
    struct pb_field field;
    memset(out, 0, sizeof *out);
    while (pb_next(&rest, &field)) {
        struct pb_bytes body = {NULL, 0};
        uint64_t flag = 0;
        if (field.number == 2 && field.wire_type == 0) {
            out->response_size = field.value;
        } else if (field.number == 3) {
            read_inner(field.bytes, 2, NULL, &body);
            out->payload_length = body.length;
        } else if (field.number == 7) {
            out->has_status = true;
            read_inner(field.bytes, 1, &out->status_code, NULL);
            read_inner(field.bytes, 2, NULL, &out->status_message);
        } else if (field.number == 6 || field.number == 8) {
            read_inner(field.bytes, 1, &flag, NULL);
            out->wants_compression = flag != 0 || out->wants_compression;
        }
    }
    return rest.length == 0;
}

static void finish_with(grpc_call_t *call, uint64_t code, struct pb_bytes message)
{
    char text[GRPC_STATUS_MESSAGE_BYTES_MAX + 1];
    size_t n = message.length < sizeof text - 1 ? message.length : sizeof text - 1;
    if (n > 0)
        memcpy(text, message.data, n);
    text[n] = 0;
    grpc_call_finish(call, (enum grpc_status)code, text, NULL, 0);
}

/* {Payload payload = 1 {bytes body = 2}} of so many zeros. NULL: out of memory. */
static uint8_t *make_answer(size_t size, size_t *length)
{
    size_t room = size + 32;
    uint8_t *block = calloc(2, room);
    if (block == NULL)
        return NULL;
    struct pb_writer payload = {block + room, 0, room, false};
    pb_put_bytes(&payload, 2, block, size);
    struct pb_writer answer = {block, 0, room, false};
    pb_put_bytes(&answer, 1, payload.data, payload.length);
    *length = answer.length;
    return block;
}

static enum grpc_send_result send_payload(grpc_call_t *call, size_t size)
{
    size_t length;
    uint8_t *answer = make_answer(size, &length);
    if (answer == NULL)
        return GRPC_SEND_FULL;
    enum grpc_send_result sent = grpc_call_send(call, answer, length);
    free(answer);
    return sent;
}

static void echo_metadata(grpc_call_t *call)
{
    size_t length;
    const char *value = grpc_call_metadata(call, metadata_names[0], &length);
    if (value != NULL)
        (void)grpc_call_add_initial_metadata(call, metadata_names[0], value, length);
    value = grpc_call_metadata(call, metadata_names[1], &length);
    if (value != NULL)
        (void)grpc_call_add_trailing_metadata(call, metadata_names[1], value, length);
}

/* ---------------------------------------------------------------- unary */

static void on_empty(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    grpc_call_reply(call, (const uint8_t *)"", 0);
}

static void on_unary(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    struct test_request request;
    echo_metadata(call);
    if (!read_request(bytes, length, &request)) {
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, "not a SimpleRequest", NULL, 0);
    } else if (request.wants_compression) {
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, "compression is not spoken here", NULL, 0);
    } else if (request.has_status && request.status_code != 0) {
        finish_with(call, request.status_code, request.status_message);
    } else if (request.response_size > ANSWER_BYTES_MAX) {
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, "response_size is too large", NULL, 0);
    } else {
        (void)send_payload(call, (size_t)request.response_size);
        grpc_call_finish(call, GRPC_OK, NULL, NULL, 0);
    }
}

/* ---------------------------------------------------------------- client streaming */

static void on_input(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    struct pb_bytes payload = {NULL, 0}, body = {NULL, 0};
    read_inner((struct pb_bytes){bytes, length}, 1, NULL, &payload);
    read_inner(payload, 2, NULL, &body);
    uintptr_t total = (uintptr_t)grpc_call_user(call) + body.length;
    grpc_call_set_user(call, (void *)total); /* the slot holds the sum itself */
}

static void on_input_end(grpc_call_t *call)
{
    uint8_t out[16];
    struct pb_writer writer = {out, 0, sizeof out, false};
    pb_put_varint(&writer, 1, (uintptr_t)grpc_call_user(call));
    grpc_call_reply(call, out, writer.length);
}

/* ---------------------------------------------------------------- streams of answers */

struct stream {
    grpc_call_t *call;
    struct event *wake;
    struct {
        uint32_t size, interval_us;
    } queue[PARAMETERS_MAX]; /* a ring */
    uint32_t first, count;
    bool slept, asleep, full, ended, half_duplex;
};

static void stream_free(struct stream *stream)
{
    event_free(stream->wake);
    free(stream);
}

static void pump(struct stream *stream)
{
    while (stream->count > 0 && !stream->full && !stream->asleep) {
        uint32_t interval = stream->queue[stream->first].interval_us;
        if (interval > 0 && !stream->slept) {
            struct timeval wait = {.tv_sec = interval / 1000000, .tv_usec = interval % 1000000};
            stream->asleep = true;
            event_add(stream->wake, &wait);
            return;
        }
        stream->slept = false;
        uint32_t size = stream->queue[stream->first].size;
        stream->first = (stream->first + 1) % PARAMETERS_MAX;
        stream->count--;
        stream->full = send_payload(stream->call, size) != GRPC_SEND_OK;
    }
    if (stream->count < PARAMETERS_PAUSED)
        grpc_call_resume_reading(stream->call);
    if (stream->ended && stream->count == 0) {
        grpc_call_finish(stream->call, GRPC_OK, NULL, NULL, 0);
        stream_free(stream);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct stream *stream = arg;
    stream->asleep = false;
    stream->slept = true;
    pump(stream);
}

static void on_stream_start(grpc_call_t *call)
{
    struct stream *stream = calloc(1, sizeof *stream);
    struct event *wake =
        stream != NULL ? event_new(grpc_call_method_user(call), -1, 0, on_wake, stream) : NULL;
    if (wake == NULL) {
        free(stream);
        grpc_call_finish_busy(call, "out of memory", 1000);
        return;
    }
    stream->call = call;
    stream->wake = wake;
    grpc_call_set_user(call, stream);
    echo_metadata(call);
}

static void on_half_duplex_start(grpc_call_t *call)
{
    on_stream_start(call);
    struct stream *stream = grpc_call_user(call);
    if (stream != NULL)
        stream->half_duplex = true;
}

static void end_stream(struct stream *stream, uint64_t code, struct pb_bytes message)
{
    grpc_call_t *call = stream->call;
    stream_free(stream);
    finish_with(call, code, message);
}

/* False: one too many, or too large. */
static bool queue_answer(struct stream *stream, struct pb_bytes parameters)
{
    uint64_t size = 0, interval = 0;
    read_inner(parameters, 1, &size, NULL);
    read_inner(parameters, 2, &interval, NULL);
    if (stream->count == PARAMETERS_MAX || size > ANSWER_BYTES_MAX || interval > 3600000000U)
        return false;
    uint32_t at = (stream->first + stream->count++) % PARAMETERS_MAX;
    stream->queue[at].size = (uint32_t)size;
    stream->queue[at].interval_us = (uint32_t)interval;
    return true;
}

static void on_stream_request(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    struct stream *stream = grpc_call_user(call);
    struct test_request request;
    struct pb_bytes rest = {bytes, length};
    struct pb_field field;
    bool good = read_request(bytes, length, &request);
    while (good && pb_next(&rest, &field)) {
        if (field.number == 2 && field.wire_type == 2)
            good = queue_answer(stream, field.bytes);
    }
    if (!good) {
        static const char text[] = "not a StreamingOutputCallRequest, or too much of it";
        end_stream(stream, GRPC_INVALID_ARGUMENT,
                   (struct pb_bytes){(const uint8_t *)text, sizeof text - 1});
        return;
    }
    if (request.has_status && request.status_code != 0) {
        end_stream(stream, request.status_code, request.status_message);
        return;
    }
    if (stream->count >= PARAMETERS_PAUSED)
        grpc_call_pause_reading(call);
    if (!stream->half_duplex)
        pump(stream);
}

static void on_stream_end(grpc_call_t *call)
{
    struct stream *stream = grpc_call_user(call);
    stream->ended = true;
    pump(stream);
}

static void on_stream_writable(grpc_call_t *call)
{
    struct stream *stream = grpc_call_user(call);
    stream->full = false;
    pump(stream);
}

static void on_stream_cancel(grpc_call_t *call)
{
    stream_free(grpc_call_user(call));
}

/* ---------------------------------------------------------------- main */

#define SERVICE "/grpc.testing.TestService/"
#define STREAM_CALLBACKS                                                                           \
    .on_message = on_stream_request, .on_half_close = on_stream_end,                               \
    .on_cancel = on_stream_cancel, .on_writable = on_stream_writable

static struct grpc_method methods[] = {
    {.path = SERVICE "EmptyCall", .kind = GRPC_UNARY, .on_message = on_empty},
    {.path = SERVICE "UnaryCall", .kind = GRPC_UNARY, .on_message = on_unary},
    {.path = SERVICE "CacheableUnaryCall", .kind = GRPC_UNARY, .on_message = on_unary},
    {.path = SERVICE "StreamingInputCall",
     .kind = GRPC_CLIENT_STREAM,
     .on_message = on_input,
     .on_half_close = on_input_end},
    {.path = SERVICE "StreamingOutputCall",
     .kind = GRPC_SERVER_STREAM,
     .on_start = on_stream_start,
     STREAM_CALLBACKS},
    {.path = SERVICE "FullDuplexCall",
     .kind = GRPC_BIDI,
     .on_start = on_stream_start,
     STREAM_CALLBACKS},
    {.path = SERVICE "HalfDuplexCall",
     .kind = GRPC_BIDI,
     .on_start = on_half_duplex_start,
     STREAM_CALLBACKS},
};

struct program {
    struct event_base *base;
    grpc_server_t *server;
};

static void on_drained(void *user)
{
    event_base_loopbreak(user);
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct program *program = arg;
    grpc_server_drain(program->server, on_drained, program->base);
}

static void on_hup(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct program *program = arg;
    struct net_error error;
    if (!grpc_server_reload_tls(program->server, &error))
        fprintf(stderr, "reload: %s\n", error.text);
}

static void log_line(void *user, enum log_level level, uint64_t connection_id, const char *event,
                     const char *text)
{
    const enum log_level *most = user;
    if (level <= *most)
        fprintf(stderr, "conn=%llu %s: %s\n", (unsigned long long)connection_id, event, text);
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: ujrat-interop --cert FILE --key FILE [--port N] [--client-ca FILE]\n"
        "  [--crl FILE] [--require-client-cert] [--connections-max N] [--streams-max N]\n"
        "  [--handshake-timeout-ms N] [--idle-timeout-ms N] [--verbose]\n"
        "  [--http [--http-header-timeout-ms N] [--http-idle-timeout-ms N] [--http-grace-ms N]\n"
        "  [--http-requests-max N] [--http-body-bytes-max-total N]]\n");
    return 2;
}

static bool take_http_option(int c, uint32_t number, struct grpc_server_config *config,
                             const struct http_handler *handler)
{
    struct http_limits *limits = &config->http_limits;
    switch (c) {
    case '1':
        config->http = handler;
        return true;
    case '2':
        limits->header_timeout_ms = number;
        return true;
    case '3':
        limits->idle_timeout_ms = number;
        return true;
    case '4':
        limits->grace_ms = number;
        return true;
    case '5':
        limits->requests_max = number;
        return true;
    case '6':
        limits->body_bytes_max_total = number;
        return true;
    default:
        return false;
    }
}

static bool parse_options(int argc, char **argv, struct grpc_server_config *config,
                          const struct http_handler *handler, enum log_level *most)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"client-ca", required_argument, NULL, 'a'},
        {"crl", required_argument, NULL, 'r'},
        {"require-client-cert", no_argument, NULL, 'q'},
        {"connections-max", required_argument, NULL, 'n'},
        {"streams-max", required_argument, NULL, 's'},
        {"handshake-timeout-ms", required_argument, NULL, 'h'},
        {"idle-timeout-ms", required_argument, NULL, 'i'},
        {"verbose", no_argument, NULL, 'v'},
        {"http", no_argument, NULL, '1'},
        {"http-header-timeout-ms", required_argument, NULL, '2'},
        {"http-idle-timeout-ms", required_argument, NULL, '3'},
        {"http-grace-ms", required_argument, NULL, '4'},
        {"http-requests-max", required_argument, NULL, '5'},
        {"http-body-bytes-max-total", required_argument, NULL, '6'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint32_t number = optarg != NULL ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'p':
            config->listen_port = (uint16_t)number;
            break;
        case 'c':
            config->tls.cert_file = optarg;
            break;
        case 'k':
            config->tls.key_file = optarg;
            break;
        case 'a':
            config->tls.client_ca_file = optarg;
            break;
        case 'r':
            config->tls.crl_file = optarg;
            break;
        case 'q':
            config->tls.client_cert_required = true;
            break;
        case 'n':
            config->connections_max = number;
            break;
        case 's':
            config->streams_per_connection_max = number;
            break;
        case 'h':
            config->handshake_timeout_ms = number;
            break;
        case 'i':
            config->idle_timeout_ms = number;
            break;
        case 'v':
            *most = LOG_LEVEL_DEBUG;
            break;
        default:
            if (!take_http_option(c, number, config, handler))
                return false;
            break;
        }
    }
    return config->tls.cert_file != NULL && config->tls.key_file != NULL;
}

static bool add_reflection(grpc_server_t *server, const struct embedded *set)
{
    return grpc_reflection_add(server, (const uint8_t *)set->text,
                               (size_t)((const char *)set->end - (const char *)set->text));
}

int main(int argc, char **argv)
{
    enum log_level most = LOG_LEVEL_WARN;
    struct grpc_server_config config = {
        .metadata_names = metadata_names, .log = log_line, .log_user = &most};
    struct program program = {0};
    struct interop_http http;
    struct net_error error;
    program.base = event_base_new();
    interop_http_init(&http, program.base);
    if (!parse_options(argc, argv, &config, &http.handler, &most))
        return usage();
    if (program.base == NULL || !grpc_server_new(&config, program.base, &error, &program.server)) {
        fprintf(stderr, "ujrat-interop: %s\n", program.base != NULL ? error.text : "libevent");
        return 1;
    }
    http.server = program.server;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        methods[i].user = program.base;
    grpc_server_add_methods(program.server, methods, sizeof methods / sizeof methods[0]);
    grpc_health_set(program.server, "grpc.testing.TestService", GRPC_HEALTH_SERVING);
    if (!add_reflection(program.server, &descriptors) ||
        !add_reflection(program.server, &test_descriptors))
        return 1;
    struct event *term = evsignal_new(program.base, SIGTERM, on_term, &program);
    struct event *hup = evsignal_new(program.base, SIGHUP, on_hup, &program);
    event_add(term, NULL);
    event_add(hup, NULL);
    printf("%u\n", (unsigned)grpc_server_port(program.server));
    fflush(stdout);
    event_base_dispatch(program.base);
    grpc_server_free(&program.server);
    event_free(term);
    event_free(hup);
    event_base_free(program.base);
    return 0;
}
