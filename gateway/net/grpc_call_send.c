/* A call's way out: messages, headers and trailers, and plain HTTP for those who do not speak gRPC. */
#include "gateway/net/grpc_server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_text.h"
#include "gateway/net/pb_lite.h"

/* How long what is not gRPC may go on before it is answered. */
#define HTTP_REQUEST_MS 2000
/* An encoded message must leave room in the 8 KiB of headers that clients take. */
#define ENCODED_MESSAGE_BYTES_MAX ((size_t)1536)

#define STATIC_NV(n, v)                                                                            \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), sizeof(n) - 1, sizeof(v) - 1,        \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                           \
    }

static const char *const status_digits[] = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                            "9", "10", "11", "12", "13", "14", "15", "16"};

static nghttp2_nv make_nv(const char *name, size_t name_length, const char *value,
                          size_t value_length)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_length,
                        value_length, NGHTTP2_NV_FLAG_NONE};
}

static void submit_trailers(struct grpc_call *call);

static void queue_writable(struct grpc_call *call)
{
    call->want_writable = false;
    if (call->in_writable_list)
        return;
    call->in_writable_list = true;
    call->next_writable = call->conn->writable;
    call->conn->writable = call;
}

bool grpc_conn_run_writable(struct grpc_conn *conn)
{
    /* Those that ask again are served after what the others made has been written. */
    struct grpc_call *list = conn->writable;
    conn->writable = NULL;
    bool any = list != NULL;
    while (list != NULL) {
        struct grpc_call *call = list;
        list = call->next_writable;
        call->in_writable_list = false;
        if (call->engaged && call->method->on_writable != NULL)
            call->method->on_writable(call);
    }
    return any;
}

static ssize_t read_data(nghttp2_session *session, int32_t stream_id, uint8_t *buffer,
                         size_t length, uint32_t *flags, nghttp2_data_source *source,
                         void *user_data)
{
    (void)session;
    (void)stream_id;
    (void)user_data;
    struct grpc_call *call = source->ptr;
    size_t waiting = byte_queue_length(&call->out);
    size_t n = waiting < length ? waiting : length;
    if (n == 0 && !call->finished) {
        call->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n > 0) {
        memcpy(buffer, byte_queue_front(&call->out), n);
        byte_queue_take(&call->out, n);
    }
    if (call->want_writable && waiting - n < GRPC_SEND_LOW_BYTES)
        queue_writable(call);
    if (waiting == n && call->finished) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!call->plain) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            submit_trailers(call);
        }
    }
    return (ssize_t)n;
}

static size_t put_headers(nghttp2_nv *out, const struct call_header *headers)
{
    size_t n = 0;
    for (int i = 0; i < CALL_METADATA_MAX && headers[i].name != NULL; i++)
        out[n++] = make_nv(headers[i].name, headers[i].name_length, headers[i].value,
                           headers[i].value_length);
    return n;
}

#define TRAILERS_MAX (3 + CALL_METADATA_MAX)

static size_t put_trailers(const struct grpc_call *call, nghttp2_nv *out)
{
    static const nghttp2_nv ok = STATIC_NV("grpc-status", "0");
    size_t n = 1;
    out[0] = ok;
    out[0].value = (uint8_t *)(uintptr_t)status_digits[call->status];
    out[0].valuelen = call->status > 9 ? 2 : 1;
    const struct call_extra *extra = call->extra;
    if (extra == NULL)
        return n;
    if (extra->message_length > 0)
        out[n++] = make_nv("grpc-message", 12, extra->message, extra->message_length);
    if (extra->details_length > 0)
        out[n++] = make_nv("grpc-status-details-bin", 23, extra->details, extra->details_length);
    return n + put_headers(out + n, extra->trailing);
}

static void give_up(struct grpc_call *call)
{
    nghttp2_submit_rst_stream(call->conn->io.session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_INTERNAL_ERROR);
}

static void submit_trailers(struct grpc_call *call)
{
    nghttp2_nv nva[TRAILERS_MAX];
    size_t n = put_trailers(call, nva);
    if (nghttp2_submit_trailer(call->conn->io.session, call->stream_id, nva, n) != 0)
        give_up(call);
}

static const nghttp2_nv nv_status_200 = STATIC_NV(":status", "200");
static const nghttp2_nv nv_type_grpc = STATIC_NV("content-type", "application/grpc");
static const nghttp2_nv nv_accept_identity = STATIC_NV("grpc-accept-encoding", "identity");

static void submit_response(struct grpc_call *call)
{
    nghttp2_nv nva[2 + CALL_METADATA_MAX] = {nv_status_200, nv_type_grpc};
    size_t n = 2;
    if (call->extra != NULL)
        n += put_headers(nva + n, call->extra->initial);
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_data};
    call->headers_sent = true;
    if (nghttp2_submit_response(call->conn->io.session, call->stream_id, nva, n, &provider) != 0)
        give_up(call);
}

static void submit_trailers_only(struct grpc_call *call)
{
    nghttp2_nv nva[3 + CALL_METADATA_MAX + TRAILERS_MAX] = {nv_status_200, nv_type_grpc};
    size_t n = 2;
    if (call->encoding_is_bad)
        nva[n++] = nv_accept_identity;
    if (call->extra != NULL)
        n += put_headers(nva + n, call->extra->initial);
    n += put_trailers(call, nva + n);
    call->headers_sent = true;
    if (nghttp2_submit_response(call->conn->io.session, call->stream_id, nva, n, NULL) != 0)
        give_up(call);
}

static void push_out(struct grpc_call *call)
{
    if (!call->headers_sent) {
        submit_response(call);
    } else if (call->deferred) {
        call->deferred = false;
        nghttp2_session_resume_data(call->conn->io.session, call->stream_id);
    }
    h2_io_want_flush(&call->conn->io);
}

/* False: no memory, and nothing was queued. */
static bool queue_message(struct grpc_call *call, const uint8_t *bytes, size_t length)
{
    size_t framed = length + GRPC_FRAME_PREFIX_BYTES;
    uint8_t *room = byte_queue_reserve(&call->out, framed);
    if (room == NULL)
        return false;
    grpc_frame_write_prefix(room, (uint32_t)length);
    if (length > 0)
        memcpy(room + GRPC_FRAME_PREFIX_BYTES, bytes, length);
    byte_queue_commit(&call->out, framed);
    return true;
}

enum grpc_send_result grpc_call_send(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    size_t waiting = byte_queue_length(&call->out);
    if (call->finished || length > GRPC_SEND_MAX_BYTES - GRPC_FRAME_PREFIX_BYTES ||
        waiting > GRPC_SEND_MAX_BYTES - GRPC_FRAME_PREFIX_BYTES - length)
        return GRPC_SEND_FULL;
    if (!queue_message(call, bytes, length))
        return GRPC_SEND_FULL;
    push_out(call);
    if (byte_queue_length(&call->out) < GRPC_SEND_HIGH_BYTES)
        return GRPC_SEND_OK;
    call->want_writable = true;
    return GRPC_SEND_PAUSE;
}

void grpc_call_send_headers(grpc_call_t *call)
{
    if (!call->headers_sent)
        push_out(call);
}

void grpc_call_want_writable(grpc_call_t *call)
{
    if (call->finished)
        return;
    call->want_writable = true;
    if (byte_queue_length(&call->out) < GRPC_SEND_LOW_BYTES) {
        queue_writable(call);
        h2_io_want_flush(&call->conn->io);
    }
}

static void set_message(struct grpc_call *call, const char *message)
{
    struct call_extra *extra = grpc_call_extra(call);
    if (extra == NULL)
        return;
    char encoded[ENCODED_MESSAGE_BYTES_MAX];
    size_t length = strnlen(message, GRPC_STATUS_MESSAGE_BYTES_MAX);
    size_t n = grpc_percent_encode(message, length, encoded, sizeof encoded);
    extra->message = malloc(n + 1);
    if (extra->message == NULL)
        return;
    memcpy(extra->message, encoded, n);
    extra->message_length = n;
}

static void set_details(struct grpc_call *call, const uint8_t *details, size_t length)
{
    struct call_extra *extra = grpc_call_extra(call);
    if (extra == NULL || length > GRPC_STATUS_DETAILS_BYTES_MAX)
        return;
    extra->details = malloc(GRPC_BASE64_BYTES(length) + 1);
    if (extra->details != NULL)
        extra->details_length = grpc_base64_encode(details, length, extra->details);
}

static void end_call(struct grpc_call *call)
{
    call->engaged = false;
    call->finished = true;
    call->want_writable = false;
    int64_t latest_ms = net_now_ms() + GRPC_SLOW_PEER_MS;
    if (!net_timer_is_armed(&call->timer) || call->timer.due_ms > latest_ms)
        grpc_call_set_timer(call, latest_ms);
    if (!call->headers_sent && byte_queue_length(&call->out) == 0 && !call->plain) {
        submit_trailers_only(call);
        h2_io_want_flush(&call->conn->io);
    } else {
        push_out(call);
    }
}

void grpc_call_finish(grpc_call_t *call, enum grpc_status status, const char *message,
                      const uint8_t *details, size_t details_length)
{
    assert(!call->finished);
    call->status = (unsigned)status <= GRPC_UNAUTHENTICATED ? status : GRPC_UNKNOWN;
    if (message != NULL && message[0] != 0)
        set_message(call, message);
    if (details != NULL && details_length > 0)
        set_details(call, details, details_length);
    end_call(call);
}

void grpc_call_reply(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    assert(!call->finished);
    if (length > GRPC_SEND_MAX_BYTES || !queue_message(call, bytes, length)) {
        grpc_call_finish(call, GRPC_INTERNAL, "the answer is too long to send", NULL, 0);
        return;
    }
    call->status = GRPC_OK;
    end_call(call);
}

/* google.rpc.Status{code, message, details: [RetryInfo{retry_delay}]} */
static void write_retry_details(struct pb_writer *out, enum grpc_status status, const char *message,
                                uint32_t retry_ms)
{
    static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
    uint8_t delay[16], info[24], any[96];
    struct pb_writer d = {delay, 0, sizeof delay, false};
    if (retry_ms >= 1000)
        pb_put_varint(&d, 1, retry_ms / 1000);
    if (retry_ms % 1000 != 0)
        pb_put_varint(&d, 2, (uint64_t)(retry_ms % 1000) * 1000000);
    struct pb_writer i = {info, 0, sizeof info, false};
    pb_put_bytes(&i, 1, delay, d.length);
    struct pb_writer a = {any, 0, sizeof any, false};
    pb_put_bytes(&a, 1, type, sizeof type - 1);
    pb_put_bytes(&a, 2, info, i.length);
    pb_put_varint(out, 1, (uint64_t)status);
    pb_put_bytes(out, 2, message, strlen(message));
    pb_put_bytes(out, 3, any, a.length);
}

void grpc_call_finish_busy(grpc_call_t *call, const char *message, uint32_t retry_ms)
{
    uint8_t details[512];
    char text[256];
    snprintf(text, sizeof text, "%s", message);
    struct pb_writer writer = {details, 0, sizeof details, false};
    write_retry_details(&writer, GRPC_RESOURCE_EXHAUSTED, text, retry_ms);
    assert(!writer.overflow);
    call->conn->server->stats.calls_refused++;
    grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, text, details, writer.length);
}

/* ---------------------------------------------------------------- metadata */

static bool add_header(struct call_header *headers, const char *name, const char *value,
                       size_t value_length)
{
    size_t name_length = strlen(name);
    if (!grpc_metadata_name_is_legal(name, name_length) || value_length > 4096 ||
        !grpc_metadata_value_is_legal(value, value_length))
        return false;
    for (int i = 0; i < CALL_METADATA_MAX; i++) {
        if (headers[i].name != NULL)
            continue;
        char *block = malloc(name_length + value_length + 1);
        if (block == NULL)
            return false;
        memcpy(block, name, name_length + 1); /* the value takes the NUL's place */
        memcpy(block + name_length, value, value_length);
        headers[i] = (struct call_header){block, block + name_length, name_length, value_length};
        return true;
    }
    return false;
}

bool grpc_call_add_initial_metadata(grpc_call_t *call, const char *name, const char *value,
                                    size_t value_length)
{
    return !call->headers_sent && grpc_call_extra(call) != NULL &&
           add_header(call->extra->initial, name, value, value_length);
}

bool grpc_call_add_trailing_metadata(grpc_call_t *call, const char *name, const char *value,
                                     size_t value_length)
{
    return !call->finished && grpc_call_extra(call) != NULL &&
           add_header(call->extra->trailing, name, value, value_length);
}

/* ---------------------------------------------------------------- plain HTTP */

void grpc_call_send_http_answer(struct grpc_call *call)
{
    static const nghttp2_nv type = STATIC_NV("content-type", "text/plain; charset=utf-8");
    static const nghttp2_nv allow = STATIC_NV("allow", "POST");
    nghttp2_nv nva[4] = {make_nv(":status", 7, call->http_code, 3), type};
    size_t n = 2;
    if (strcmp(call->http_code, "405") == 0)
        nva[n++] = allow;
    call->headers_sent = true;
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_data};
    bool body =
        !call->is_head && byte_queue_append(&call->out, call->http_text, strlen(call->http_text));
    if (nghttp2_submit_response(call->conn->io.session, call->stream_id, nva, n,
                                body ? &provider : NULL) != 0)
        give_up(call);
    h2_io_want_flush(&call->conn->io);
}

void grpc_call_answer_http(struct grpc_call *call, const char *code, const char *text)
{
    call->http_code = code;
    call->http_text = text;
    call->discard = true;
    call->plain = true;
    call->finished = true;
    call->conn->server->stats.calls_refused++;
    grpc_call_set_timer(call, call->conn->io.last_read_ms + HTTP_REQUEST_MS);
}
