#include "gateway/net/grpc_server_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/net/grpc_text.h"
#include "gateway/net/pb_lite.h"

#define FREE_CALLS_MAX 4096U
/* How long a unary request may take to arrive, and an answer to be taken, without a deadline. */
#define SLOW_PEER_MS 60000
/* What we hear out of a request that is not gRPC before we answer it. */
#define HTTP_REQUEST_MS        2000
#define HTTP_REQUEST_BYTES_MAX ((size_t)64 * 1024)
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

/* ---------------------------------------------------------------- memory */

/* Half-received messages are counted, so that one connection can not hold all our memory. */
static size_t held_by(const struct grpc_call *call)
{
    return grpc_frame_held(&call->reader) + call->held.capacity;
}

struct grpc_call *grpc_call_new(struct grpc_conn *conn, int32_t stream_id)
{
    struct grpc_server *server = conn->server;
    struct grpc_call *call = server->free_calls;
    if (call != NULL) {
        server->free_calls = call->next;
        server->free_calls_count--;
        struct byte_queue out = call->out, body = call->reader.body, held = call->held;
        memset(call, 0, sizeof *call);
        call->out = out;
        call->reader.body = body;
        call->held = held;
    } else {
        call = calloc(1, sizeof *call);
        if (call == NULL)
            return NULL;
    }
    conn->held_bytes += held_by(call);
    call->conn = conn;
    call->stream_id = stream_id;
    call->timeout_ms = -1;
    call->id = ++server->next_call_id;
    call->next = conn->calls;
    if (call->next != NULL)
        call->next->prev = call;
    conn->calls = call;
    conn->calls_open++;
    server->stats.calls_open++;
    server->stats.calls_total++;
    return call;
}

static void extra_free(struct call_extra **extra)
{
    struct call_extra *e = *extra;
    if (e == NULL)
        return;
    for (int i = 0; i < CALL_METADATA_MAX; i++) {
        free(e->initial[i].name);
        free(e->trailing[i].name);
        free(e->kept[i]);
    }
    free(e->message);
    free(e->details);
    free(e);
    *extra = NULL;
}

static struct call_extra *extra_of(struct grpc_call *call)
{
    if (call->extra == NULL)
        call->extra = calloc(1, sizeof *call->extra);
    return call->extra;
}

static void call_memory_free(struct grpc_call *call)
{
    byte_queue_deinit(&call->out);
    byte_queue_deinit(&call->held);
    grpc_frame_deinit(&call->reader);
    free(call);
}

static void leave_writable_list(struct grpc_call *call)
{
    if (!call->in_writable_list)
        return;
    struct grpc_call **at = &call->conn->writable;
    while (*at != call)
        at = &(*at)->next_writable;
    *at = call->next_writable;
    call->in_writable_list = false;
}

static void recycle(struct grpc_call *call)
{
    struct grpc_conn *conn = call->conn;
    struct grpc_server *server = conn->server;
    conn->held_bytes -= held_by(call);
    leave_writable_list(call);
    timers_disarm(&server->call_timers, &call->timer);
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        conn->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    server->stats.calls_open--;
    if (--conn->calls_open == 0)
        conn->idle_since_ms = conn->io.last_read_ms;
    extra_free(&call->extra);
    if (server->free_calls_count >= FREE_CALLS_MAX) {
        call_memory_free(call);
        return;
    }
    byte_queue_reset(&call->out);
    byte_queue_reset(&call->held);
    grpc_frame_reset(&call->reader);
    call->next = server->free_calls;
    server->free_calls = call;
    server->free_calls_count++;
}

void grpc_call_free_list(struct grpc_server *server)
{
    while (server->free_calls != NULL) {
        struct grpc_call *call = server->free_calls;
        server->free_calls = call->next;
        call_memory_free(call);
    }
    server->free_calls_count = 0;
}

/* Ends the handler's part: after this nobody but the transport knows the call. */
static void disengage(struct grpc_call *call)
{
    if (!call->engaged)
        return;
    assert(call->method != NULL);
    call->engaged = false;
    if (call->method->on_cancel != NULL)
        call->method->on_cancel(call);
}

void grpc_call_gone(struct grpc_call *call)
{
    if (call->engaged)
        call->conn->server->stats.calls_cancelled++;
    disengage(call);
    recycle(call);
}

/* ---------------------------------------------------------------- sending */

static void submit_trailers(struct grpc_call *call);
static void on_call_timer(struct net_timer *timer);

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

enum grpc_send_result grpc_call_send(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    size_t waiting = byte_queue_length(&call->out);
    if (call->finished || length > GRPC_SEND_MAX_BYTES - GRPC_FRAME_PREFIX_BYTES ||
        waiting > GRPC_SEND_MAX_BYTES - GRPC_FRAME_PREFIX_BYTES - length)
        return GRPC_SEND_FULL;
    size_t framed = length + GRPC_FRAME_PREFIX_BYTES;
    uint8_t *room = byte_queue_reserve(&call->out, framed);
    if (room == NULL)
        return GRPC_SEND_FULL;
    grpc_frame_write_prefix(room, (uint32_t)length);
    if (length > 0)
        memcpy(room + GRPC_FRAME_PREFIX_BYTES, bytes, length);
    byte_queue_commit(&call->out, framed);
    push_out(call);
    if (waiting + framed < GRPC_SEND_HIGH_BYTES)
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
    struct call_extra *extra = extra_of(call);
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
    struct call_extra *extra = extra_of(call);
    if (extra == NULL || length > GRPC_STATUS_DETAILS_BYTES_MAX)
        return;
    extra->details = malloc(GRPC_BASE64_BYTES(length) + 1);
    if (extra->details != NULL)
        extra->details_length = grpc_base64_encode(details, length, extra->details);
}

static void end_call(struct grpc_call *call)
{
    struct grpc_server *server = call->conn->server;
    call->engaged = false;
    call->finished = true;
    call->want_writable = false;
    int64_t latest_ms = net_now_ms() + SLOW_PEER_MS;
    if (!net_timer_is_armed(&call->timer) || call->timer.due_ms > latest_ms) {
        call->timer.fire = on_call_timer;
        timers_arm(&server->call_timers, &call->timer, latest_ms);
    }
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
    size_t framed = length + GRPC_FRAME_PREFIX_BYTES;
    uint8_t *room = length <= GRPC_SEND_MAX_BYTES ? byte_queue_reserve(&call->out, framed) : NULL;
    if (room == NULL) {
        grpc_call_finish(call, GRPC_INTERNAL, "the answer is too long to send", NULL, 0);
        return;
    }
    grpc_frame_write_prefix(room, (uint32_t)length);
    if (length > 0)
        memcpy(room + GRPC_FRAME_PREFIX_BYTES, bytes, length);
    byte_queue_commit(&call->out, framed);
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

void grpc_call_refuse(struct grpc_call *call, enum grpc_status status, const char *message)
{
    if (call->finished)
        return;
    call->discard = true;
    call->conn->server->stats.calls_refused++;
    disengage(call);
    grpc_call_finish(call, status, message, NULL, 0);
}

static void refuse_busy(struct grpc_call *call, const char *message, uint32_t retry_ms)
{
    call->discard = true;
    disengage(call);
    grpc_call_finish_busy(call, message, retry_ms);
}

/*
 * What is not gRPC gets an HTTP answer, with a line of text for whoever looks at it: when the
 * request is over, or when enough of it was thrown away.
 */
static void send_http_answer(struct grpc_call *call)
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

static void answer_http(struct grpc_call *call, const char *code, const char *text)
{
    call->http_code = code;
    call->http_text = text;
    call->discard = true;
    call->plain = true;
    call->finished = true;
    call->conn->server->stats.calls_refused++;
    call->timer.fire = on_call_timer;
    timers_arm(&call->conn->server->call_timers, &call->timer,
               call->conn->io.last_read_ms + HTTP_REQUEST_MS);
}

/* ---------------------------------------------------------------- time */

static void on_call_timer(struct net_timer *timer)
{
    struct grpc_call *call =
        (struct grpc_call *)(void *)((char *)timer - offsetof(struct grpc_call, timer));
    struct grpc_server *server = call->conn->server;
    int64_t now = net_now_ms();
    if (!call->finished &&
        call->deadline_ms > now) { /* it was the limit on the request's arrival */
        if (!call->half_closed && call->method->kind != GRPC_CLIENT_STREAM &&
            call->method->kind != GRPC_BIDI) {
            grpc_call_refuse(call, GRPC_DEADLINE_EXCEEDED, "the request did not arrive in time");
            return;
        }
        timers_arm(&server->call_timers, timer, call->deadline_ms);
        return;
    }
    if (!call->finished && byte_queue_length(&call->out) == 0) {
        server->stats.calls_timed_out++;
        call->discard = true;
        disengage(call);
        grpc_call_finish(call, GRPC_DEADLINE_EXCEEDED, "deadline exceeded", NULL, 0);
        return;
    }
    /* The peer does not take what waits for it; it is not owed an end. */
    disengage(call);
    call->finished = true;
    nghttp2_submit_rst_stream(call->conn->io.session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_CANCEL);
    h2_io_want_flush(&call->conn->io);
}

static void arm_call_timer(struct grpc_call *call)
{
    int64_t now = call->conn->io.last_read_ms;
    int64_t due = 0;
    if (call->timeout_ms >= 0) {
        call->deadline_ms = now + call->timeout_ms;
        due = call->deadline_ms;
    }
    bool one_request = call->method->kind == GRPC_UNARY || call->method->kind == GRPC_SERVER_STREAM;
    if (one_request && (due == 0 || due > now + SLOW_PEER_MS)) {
        due = now + SLOW_PEER_MS;
        if (call->deadline_ms == 0)
            call->deadline_ms = INT64_MAX;
    }
    if (due == 0)
        return;
    call->timer.fire = on_call_timer;
    timers_arm(&call->conn->server->call_timers, &call->timer, due);
}

/* The request is whole: from here only the client's own deadline counts. */
static void request_arrived(struct grpc_call *call)
{
    if (call->deadline_ms != INT64_MAX)
        return;
    call->deadline_ms = 0;
    timers_disarm(&call->conn->server->call_timers, &call->timer);
}

int64_t grpc_call_deadline_left_ms(const grpc_call_t *call)
{
    if (call->deadline_ms == 0 || call->deadline_ms == INT64_MAX)
        return INT64_MAX;
    int64_t left = call->deadline_ms - net_now_ms();
    return left > 0 ? left : 0;
}

/* ---------------------------------------------------------------- receiving */

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
        struct call_extra *extra = extra_of(call);
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
            refuse_busy(call, text, 0);
        else
            answer_http(call, "431", "The request headers are too long.\n");
    } else if (!call->is_post) {
        answer_http(call, "405", "This is a gRPC service: only POST is understood.\n");
    } else if (!call->type_is_known) {
        answer_http(call, "415",
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
        refuse_busy(call, "too many connections", 1000);
        grpc_conn_goaway(conn);
        return false;
    }
    if (server->stats.calls_open > server->config.calls_max) {
        refuse_busy(call, "too many calls", 250);
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
    arm_call_timer(call);
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
        request_arrived(call);
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
        refuse_busy(call, "out of memory", 1000);
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
        refuse_busy(call, text, 0);
        break;
    case GRPC_FRAME_NO_MEMORY:
        refuse_busy(call, "out of memory", 1000);
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
            send_http_answer(call);
        return;
    }
    struct grpc_server *server = call->conn->server;
    uint32_t bytes_max = call->method->request_bytes_max != 0 ? call->method->request_bytes_max
                                                              : server->config.message_bytes_max;
    bool one_request = call->method->kind == GRPC_UNARY || call->method->kind == GRPC_SERVER_STREAM;
    size_t before = held_by(call);
    while (length > 0 && !call->finished) {
        const uint8_t *message;
        size_t message_length;
        enum grpc_frame_event event =
            grpc_frame_next(&call->reader, bytes_max, &bytes, &length, &message, &message_length);
        if (event == GRPC_FRAME_NEED_MORE)
            break;
        if (event != GRPC_FRAME_MESSAGE)
            refuse_frame(call, event, bytes_max);
        else if (one_request)
            take_only_message(call, message, message_length, end_of_stream && length == 0);
        else
            deliver(call, message, message_length);
    }
    call->conn->held_bytes += held_by(call) - before;
    if (call->conn->held_bytes > server->config.connection_bytes_max && !call->finished)
        refuse_busy(call, "too much is half-received on this connection", 250);
}

void grpc_call_half_closed(struct grpc_call *call)
{
    call->half_closed = true;
    if (call->plain && !call->headers_sent)
        send_http_answer(call);
    if (call->discard || call->finished)
        return;
    bool one_request = call->method->kind == GRPC_UNARY || call->method->kind == GRPC_SERVER_STREAM;
    if (!grpc_frame_is_clean(&call->reader)) {
        grpc_call_refuse(call, GRPC_INTERNAL, "the stream ended inside a message");
        return;
    }
    if (one_request && call->has_held && !call->delivered) {
        request_arrived(call);
        deliver(call, byte_queue_front(&call->held), byte_queue_length(&call->held));
    } else if (one_request && !call->delivered) {
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

/* ---------------------------------------------------------------- what a handler may ask */

const struct grpc_peer *grpc_call_peer(const grpc_call_t *call)
{
    return &call->conn->peer;
}

void *grpc_call_connection_user(const grpc_call_t *call)
{
    return call->conn->user;
}

void grpc_call_set_connection_user(grpc_call_t *call, void *value, void (*free_fn)(void *))
{
    struct grpc_conn *conn = call->conn;
    if (conn->user_free != NULL && conn->user != NULL)
        conn->user_free(conn->user);
    conn->user = value;
    conn->user_free = free_fn;
}

void *grpc_call_user(const grpc_call_t *call)
{
    return call->user;
}

void grpc_call_set_user(grpc_call_t *call, void *value)
{
    call->user = value;
}

void *grpc_call_method_user(const grpc_call_t *call)
{
    return call->method->user;
}

const struct grpc_method *grpc_call_method(const grpc_call_t *call)
{
    return call->method;
}

const char *grpc_call_path(const grpc_call_t *call)
{
    return call->method->path;
}

uint64_t grpc_call_id(const grpc_call_t *call)
{
    return call->id;
}

const char *grpc_call_metadata(const grpc_call_t *call, const char *name, size_t *length)
{
    const struct grpc_server *server = call->conn->server;
    *length = 0;
    for (size_t i = 0; call->extra != NULL && i < server->metadata_names_count; i++) {
        if (strcmp(server->config.metadata_names[i], name) != 0)
            continue;
        *length = call->extra->kept_length[i];
        return call->extra->kept[i];
    }
    return NULL;
}

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
    return !call->headers_sent && extra_of(call) != NULL &&
           add_header(call->extra->initial, name, value, value_length);
}

bool grpc_call_add_trailing_metadata(grpc_call_t *call, const char *name, const char *value,
                                     size_t value_length)
{
    return !call->finished && extra_of(call) != NULL &&
           add_header(call->extra->trailing, name, value, value_length);
}
