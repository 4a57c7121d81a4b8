/* A call's way in: headers, who may come in at all, messages. */
#include "gateway/net/grpc_server_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/net/grpc_text.h"

/* What we hear out of a request that is not gRPC before we answer it. */
#define HTTP_REQUEST_BYTES_MAX ((size_t)64 * 1024)

static bool is(const uint8_t *bytes, size_t length, const char *text, size_t text_length)
{
    return length == text_length && memcmp(bytes, text, length) == 0;
}
#define IS(bytes, length, literal) is(bytes, length, literal, sizeof(literal) - 1)

static void take_content_type(struct grpc_call *call, const uint8_t *value, size_t length)
{
    static const char grpc[] = "application/grpc";
    const size_t n = sizeof grpc - 1;
    call->type_is_grpc = length >= n && memcmp(value, grpc, n) == 0 &&
                         (length == n || value[n] == '+' || value[n] == ';');
    const uint8_t *rest = value + n;
    call->type_is_known =
        call->type_is_grpc && (length == n || value[n] == ';' ||
                               (length >= n + 6 && memcmp(rest, "+proto", 6) == 0 &&
                                (length == n + 6 || rest[6] == ';')));
}

static void keep_metadata(struct grpc_call *call, const uint8_t *name, size_t name_length,
                          const uint8_t *value, size_t value_length)
{
    const struct grpc_server *server = call->conn->server;
    for (size_t i = 0; i < server->metadata_names_count; i++) {
        const char *wanted = server->config.metadata_names[i];
        if (!is(name, name_length, wanted, strlen(wanted)))
            continue;
        struct call_extra *extra = grpc_call_extra(call);
        if (extra == NULL || extra->kept[i] != NULL)
            return;
        extra->kept[i] = malloc(value_length + 1);
        if (extra->kept[i] == NULL)
            return;
        memcpy(extra->kept[i], value, value_length);
        extra->kept[i][value_length] = 0;
        extra->kept_length[i] = value_length;
        return;
    }
}

void grpc_call_take_header(struct grpc_call *call, const uint8_t *name, size_t name_length,
                           const uint8_t *value, size_t value_length)
{
    struct grpc_server *server = call->conn->server;
    /* As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113, 6.5.2). */
    call->header_bytes += (uint32_t)(name_length + value_length + 32);
    if (call->header_bytes > server->config.header_bytes_max || call->headers_seen)
        return;
    if (name_length == 7 && IS(name, name_length, ":method")) {
        call->is_post = IS(value, value_length, "POST");
        call->is_head = IS(value, value_length, "HEAD");
    } else if (name_length == 5 && IS(name, name_length, ":path")) {
        const struct method_slot *slot =
            grpc_server_find_method(server, (const char *)value, value_length);
        if (slot != NULL) {
            call->method = slot->method;
            call->builtin = slot->builtin;
        }
    } else if (name_length == 12 && IS(name, name_length, "content-type")) {
        take_content_type(call, value, value_length);
    } else if (name_length == 12 && IS(name, name_length, "grpc-timeout")) {
        call->timeout_is_bad =
            !grpc_timeout_parse((const char *)value, value_length, &call->timeout_ms);
    } else if (name_length == 13 && IS(name, name_length, "grpc-encoding")) {
        call->encoding_is_bad = !IS(value, value_length, "identity");
    } else if (server->metadata_names_count > 0) {
        keep_metadata(call, name, name_length, value, value_length);
    }
}

/* Is it a call we can take at all? If not it is answered here. */
static bool acceptable(struct grpc_call *call)
{
    struct grpc_server *server = call->conn->server;
    char text[128];
    if (call->header_bytes > server->config.header_bytes_max) {
        snprintf(text, sizeof text, "request headers are over the limit of %" PRIu32 " bytes",
                 server->config.header_bytes_max);
        if (call->type_is_grpc)
            grpc_call_refuse_busy(call, text, 0);
        else
            grpc_call_answer_http(call, "431", "The request headers are too long.\n");
    } else if (!call->is_post) {
        grpc_call_answer_http(call, "405", "This is a gRPC service: only POST is understood.\n");
    } else if (!call->type_is_known) {
        grpc_call_answer_http(call, "415",
                              "This is a gRPC service: content-type must be application/grpc.\n");
    } else if (call->method == NULL) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED, "unknown service or method");
    } else if (call->encoding_is_bad) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED,
                         "grpc-encoding: only identity (no compression) is understood");
    } else if (call->timeout_is_bad) {
        grpc_call_refuse(call, GRPC_INTERNAL, "grpc-timeout is malformed");
    } else {
        return true;
    }
    return false;
}

/* Is there room, and may this client? If not it is answered here. */
static bool admitted(struct grpc_call *call)
{
    struct grpc_conn *conn = call->conn;
    struct grpc_server *server = conn->server;
    if (conn->over_limit) {
        grpc_call_refuse_busy(call, "too many connections", 1000);
        grpc_conn_goaway(conn);
        return false;
    }
    if (server->stats.calls_open > server->config.calls_max) {
        grpc_call_refuse_busy(call, "too many calls", 250);
        return false;
    }
    if (conn->peer.has_certificate && time(NULL) > conn->peer.cert_not_after_s) {
        grpc_call_refuse(call, GRPC_UNAUTHENTICATED, "the client certificate has expired");
        return false;
    }
    if (!call->builtin && server->config.authorize != NULL &&
        !server->config.authorize(server->config.authorize_user, call)) {
        call->discard = true;
        server->stats.calls_refused++;
        if (!call->finished)
            grpc_call_refuse(call, GRPC_PERMISSION_DENIED, "not allowed");
        return false;
    }
    return true;
}

void grpc_call_begin(struct grpc_call *call)
{
    call->headers_seen = true;
    if (!acceptable(call) || !admitted(call))
        return;
    grpc_call_start_clock(call);
    call->engaged = true;
    if (call->method->on_start != NULL)
        call->method->on_start(call);
}

static void deliver(struct grpc_call *call, const uint8_t *message, size_t length)
{
    call->delivered = true;
    if (call->engaged)
        call->method->on_message(call, message, length);
}

/* A method with one request: it is handed on when the client has said all it will. */
static void take_only_message(struct grpc_call *call, const uint8_t *message, size_t length,
                              bool last)
{
    if (call->has_held || call->delivered) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED, "this method takes one message, more were sent");
        return;
    }
    if (last) {
        grpc_call_request_arrived(call);
        deliver(call, message, length);
        return;
    }
    call->has_held = true;
    if (length > 0 && message == byte_queue_front(&call->reader.body)) {
        struct byte_queue swap = call->held;
        call->held = call->reader.body;
        call->reader.body = swap;
        byte_queue_reset(&call->reader.body);
    } else if (!byte_queue_append(&call->held, message, length)) {
        grpc_call_refuse_busy(call, "out of memory", 1000);
    }
}

static void refuse_frame(struct grpc_call *call, enum grpc_frame_event event, uint32_t bytes_max)
{
    char text[96];
    switch (event) {
    case GRPC_FRAME_COMPRESSED:
        call->encoding_is_bad = true;
        grpc_call_refuse(call, GRPC_INTERNAL, "a compressed message without grpc-encoding");
        break;
    case GRPC_FRAME_BAD_FLAG:
        grpc_call_refuse(call, GRPC_INTERNAL, "a message with an unknown flag");
        break;
    case GRPC_FRAME_TOO_LONG:
        snprintf(text, sizeof text, "message of %" PRIu32 " bytes is over the limit of %" PRIu32,
                 call->reader.length, bytes_max);
        /* No use in sending it again; a shorter one may come at once. */
        grpc_call_refuse_busy(call, text, 0);
        break;
    case GRPC_FRAME_NO_MEMORY:
        grpc_call_refuse_busy(call, "out of memory", 1000);
        break;
    case GRPC_FRAME_NEED_MORE:
    case GRPC_FRAME_MESSAGE:
        break;
    }
}

void grpc_call_take_data(struct grpc_call *call, const uint8_t *bytes, size_t length,
                         bool end_of_stream)
{
    if (call->discard || call->finished) {
        call->discarded += length;
        if (call->plain && !call->headers_sent && call->discarded > HTTP_REQUEST_BYTES_MAX)
            grpc_call_send_http_answer(call);
        return;
    }
    struct grpc_server *server = call->conn->server;
    uint32_t bytes_max = call->method->request_bytes_max != 0 ? call->method->request_bytes_max
                                                              : server->config.message_bytes_max;
    bool one_message = grpc_call_takes_one_message(call);
    size_t before = grpc_call_held_bytes(call);
    while (length > 0 && !call->finished) {
        const uint8_t *message;
        size_t message_length;
        enum grpc_frame_event event =
            grpc_frame_next(&call->reader, bytes_max, &bytes, &length, &message, &message_length);
        if (event == GRPC_FRAME_NEED_MORE)
            break;
        if (event != GRPC_FRAME_MESSAGE)
            refuse_frame(call, event, bytes_max);
        else if (one_message)
            take_only_message(call, message, message_length, end_of_stream && length == 0);
        else
            deliver(call, message, message_length);
    }
    call->conn->held_bytes += grpc_call_held_bytes(call) - before;
    if (call->conn->held_bytes > server->config.connection_bytes_max && !call->finished)
        grpc_call_refuse_busy(call, "too much is half-received on this connection", 250);
}

void grpc_call_half_closed(struct grpc_call *call)
{
    call->half_closed = true;
    if (call->plain && !call->headers_sent)
        grpc_call_send_http_answer(call);
    if (call->discard || call->finished)
        return;
    bool one_message = grpc_call_takes_one_message(call);
    if (!grpc_frame_is_clean(&call->reader)) {
        grpc_call_refuse(call, GRPC_INTERNAL, "the stream ended inside a message");
        return;
    }
    if (one_message && call->has_held && !call->delivered) {
        grpc_call_request_arrived(call);
        deliver(call, byte_queue_front(&call->held), byte_queue_length(&call->held));
    } else if (one_message && !call->delivered) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED, "this method takes one message, none was sent");
        return;
    }
    if (call->engaged && call->method->on_half_close != NULL)
        call->method->on_half_close(call);
}

void grpc_call_pause_reading(grpc_call_t *call)
{
    call->paused = true;
}

void grpc_call_resume_reading(grpc_call_t *call)
{
    if (!call->paused)
        return;
    call->paused = false;
    if (call->unconsumed == 0)
        return;
    nghttp2_session_consume_stream(call->conn->io.session, call->stream_id, call->unconsumed);
    call->unconsumed = 0;
    h2_io_want_flush(&call->conn->io);
}
