#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_client_internal.h"
#include "gateway/net/grpc_text.h"

#define FREE_CALLS_MAX 4096U
#define NO_COPY        (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

/* ---------------------------------------------------------------- birth and end */

static struct grpc_client_call *call_new(struct grpc_client *client, const char *path,
                                         uint32_t deadline_ms)
{
    struct grpc_client_call *call = client->free_calls;
    if (call != NULL) {
        client->free_calls = call->next;
        client->free_calls_count--;
        struct byte_queue out = call->out, body = call->reader.body, answer = call->answer;
        memset(call, 0, sizeof *call);
        call->out = out;
        call->reader.body = body;
        call->answer = answer;
    } else {
        call = calloc(1, sizeof *call);
        if (call == NULL)
            abort(); /* a client program without memory has nothing left to tell */
    }
    call->client = client;
    call->path = path;
    call->deadline_ms = deadline_ms;
    call->next = client->calls;
    if (call->next != NULL)
        call->next->prev = call;
    client->calls = call;
    client->calls_open++;
    return call;
}

static void call_memory_free(struct grpc_client_call *call)
{
    byte_queue_deinit(&call->out);
    byte_queue_deinit(&call->answer);
    grpc_frame_deinit(&call->reader);
    free(call);
}

void client_call_free_list(struct grpc_client *client)
{
    while (client->free_calls != NULL) {
        struct grpc_client_call *call = client->free_calls;
        client->free_calls = call->next;
        call_memory_free(call);
    }
}

static void recycle(struct grpc_client_call *call)
{
    struct grpc_client *client = call->client;
    free(call->message);
    free(call->details);
    call->message = NULL;
    call->details = NULL;
    if (client->free_calls_count >= FREE_CALLS_MAX) {
        call_memory_free(call);
        return;
    }
    byte_queue_reset(&call->out);
    byte_queue_reset(&call->answer);
    grpc_frame_reset(&call->reader);
    call->next = client->free_calls;
    client->free_calls = call;
    client->free_calls_count++;
}

static void unlink_call(struct grpc_client_call *call)
{
    struct grpc_client *client = call->client;
    timers_disarm(&client->call_timers, &call->timer);
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        client->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    client->calls_open--;
    if (call->conn != NULL)
        call->conn->calls_open--;
    call->conn = NULL;
}

void client_call_complete(struct grpc_client_call *call)
{
    char message[GRPC_STATUS_MESSAGE_BYTES_MAX * 3 + 1];
    uint8_t details[GRPC_STATUS_DETAILS_BYTES_MAX * 2];
    struct grpc_result result = {
        .status = call->status,
        .message = call->local_message != NULL ? call->local_message : "",
        .may_have_been_processed = call->headers_sent && !call->refused,
    };
    unlink_call(call);
    result.message_length = strlen(result.message);
    if (call->local_message == NULL && call->message != NULL) {
        result.message_length = grpc_percent_decode(call->message, call->message_length, message);
        message[result.message_length] = 0;
        result.message = message;
    }
    if (call->details != NULL &&
        grpc_base64_decode(call->details, call->details_length, details, &result.details_length))
        result.details = details;
    if (call->on_message == NULL && call->messages == 1) {
        result.bytes = byte_queue_front(&call->answer);
        result.bytes_length = byte_queue_length(&call->answer);
    }
    if (call->done != NULL)
        call->done(call->user, &result);
    recycle(call);
}

void client_call_doom(struct grpc_client_call *call, enum grpc_status status, const char *literal)
{
    if (call->doomed)
        return;
    call->doomed = true;
    call->status = status;
    call->local_message = literal;
    call->messages = 0;
    if (call->conn != NULL && call->stream_id != 0) {
        nghttp2_session *session = call->conn->io.session;
        nghttp2_session_set_stream_user_data(session, call->stream_id, NULL);
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_CANCEL);
        h2_io_want_flush(&call->conn->io);
    }
    call->next_doomed = call->client->doomed;
    call->client->doomed = call;
    client_kick(call->client);
}

static void on_deadline(struct net_timer *timer)
{
    struct grpc_client_call *call =
        (struct grpc_client_call *)(void *)((char *)timer -
                                            offsetof(struct grpc_client_call, timer));
    client_call_doom(call, GRPC_DEADLINE_EXCEEDED, "deadline exceeded");
}

void grpc_client_call_cancel(grpc_client_call_t *call)
{
    client_call_doom(call, GRPC_CANCELLED, "cancelled by the caller");
}

/* ---------------------------------------------------------------- sending */

static ssize_t read_data(nghttp2_session *session, int32_t stream_id, uint8_t *buffer,
                         size_t length, uint32_t *flags, nghttp2_data_source *source,
                         void *user_data)
{
    (void)source;
    (void)user_data;
    /* Not by source->ptr: a doomed call may be gone before its stream is. */
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t waiting = byte_queue_length(&call->out);
    size_t n = waiting < length ? waiting : length;
    if (n == 0 && !call->half_closed) {
        call->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n > 0) {
        memcpy(buffer, byte_queue_front(&call->out), n);
        byte_queue_take(&call->out, n);
    }
    if (n == waiting && call->half_closed)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static nghttp2_nv header(const char *name, const char *value, uint8_t flags)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), flags};
}

void client_call_submit(struct grpc_client_call *call, struct client_conn *conn)
{
    struct grpc_client *client = call->client;
    char timeout[16];
    nghttp2_nv nva[8];
    size_t n = 0;
    nva[n++] = header(":method", "POST", NO_COPY);
    nva[n++] = header(":scheme", "https", NO_COPY);
    nva[n++] = header(":path", call->path, NO_COPY);
    nva[n++] = header(":authority", client->authority, NO_COPY);
    nva[n++] = header("te", "trailers", NO_COPY);
    nva[n++] = header("content-type", "application/grpc", NO_COPY);
    nva[n++] = header("user-agent", "ujrat/1", NO_COPY);
    if (call->deadline_ms > 0) {
        if (call->deadline_ms < 100000000U)
            snprintf(timeout, sizeof timeout, "%um", (unsigned)call->deadline_ms);
        else
            snprintf(timeout, sizeof timeout, "%uS", (unsigned)(call->deadline_ms / 1000));
        nva[n++] = header("grpc-timeout", timeout, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    }
    nghttp2_data_provider provider = {.source.ptr = NULL, .read_callback = read_data};
    int32_t id = nghttp2_submit_request(conn->io.session, NULL, nva, n, &provider, call);
    if (id < 0) {
        client_call_doom(call, GRPC_UNAVAILABLE, "no more streams on this connection");
        return;
    }
    call->stream_id = id;
    call->conn = conn;
    conn->calls_open++;
    h2_io_want_flush(&conn->io);
}

static bool append_message(struct grpc_client_call *call, const uint8_t *bytes, size_t length)
{
    size_t waiting = byte_queue_length(&call->out);
    if (length > GRPC_SEND_MAX_BYTES || waiting + length > GRPC_SEND_MAX_BYTES)
        return false;
    uint8_t *room = byte_queue_reserve(&call->out, length + GRPC_FRAME_PREFIX_BYTES);
    if (room == NULL)
        return false;
    grpc_frame_write_prefix(room, (uint32_t)length);
    if (length > 0)
        memcpy(room + GRPC_FRAME_PREFIX_BYTES, bytes, length);
    byte_queue_commit(&call->out, length + GRPC_FRAME_PREFIX_BYTES);
    return true;
}

static void push_out(struct grpc_client_call *call)
{
    if (!call->deferred || call->conn == NULL || call->doomed)
        return;
    call->deferred = false;
    nghttp2_session_resume_data(call->conn->io.session, call->stream_id);
    h2_io_want_flush(&call->conn->io);
}

bool grpc_client_call_send(grpc_client_call_t *call, const uint8_t *bytes, size_t length)
{
    if (call->doomed || call->half_closed || !append_message(call, bytes, length))
        return false;
    push_out(call);
    return true;
}

void grpc_client_call_half_close(grpc_client_call_t *call)
{
    call->half_closed = true;
    push_out(call);
}

static void start(struct grpc_client_call *call)
{
    struct grpc_client *client = call->client;
    if (client->freeing || client->calls_open > client->calls_max) {
        client_call_doom(call, GRPC_UNAVAILABLE, "too many open calls");
        return;
    }
    if (call->deadline_ms > 0) {
        call->timer.fire = on_deadline;
        timers_arm(&client->call_timers, &call->timer, net_now_ms() + call->deadline_ms);
    }
    client_place_call(call);
}

void grpc_client_unary(grpc_client_t *client, const char *path, const uint8_t *request,
                       size_t request_length, uint32_t deadline_ms, grpc_done_fn done, void *user)
{
    struct grpc_client_call *call = call_new(client, path, deadline_ms);
    call->done = done;
    call->user = user;
    call->half_closed = true;
    if (append_message(call, request, request_length))
        start(call);
    else
        client_call_doom(call, GRPC_RESOURCE_EXHAUSTED, "the request is too long to send");
}

grpc_client_call_t *grpc_client_stream(grpc_client_t *client, const char *path,
                                       uint32_t deadline_ms,
                                       const struct grpc_stream_handler *handler)
{
    struct grpc_client_call *call = call_new(client, path, deadline_ms);
    assert(handler->on_message != NULL);
    call->done = handler->on_done;
    call->on_message = handler->on_message;
    call->user = handler->user;
    start(call);
    return call;
}

grpc_client_call_t *grpc_client_server_stream(grpc_client_t *client, const char *path,
                                              const uint8_t *request, size_t request_length,
                                              uint32_t deadline_ms,
                                              const struct grpc_stream_handler *handler)
{
    struct grpc_client_call *call = grpc_client_stream(client, path, deadline_ms, handler);
    if (grpc_client_call_send(call, request, request_length))
        grpc_client_call_half_close(call);
    else
        client_call_doom(call, GRPC_RESOURCE_EXHAUSTED, "the request is too long to send");
    return call;
}

/* ---------------------------------------------------------------- receiving */

#define IS(bytes, length, literal)                                                                 \
    ((length) == sizeof(literal) - 1 && memcmp(bytes, literal, sizeof(literal) - 1) == 0)

static unsigned digits(const uint8_t *text, size_t length)
{
    unsigned value = 0;
    for (size_t i = 0; i < length && i < 4; i++) {
        if (text[i] < '0' || text[i] > '9')
            return GRPC_UNKNOWN;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value;
}

static void keep(char **at, size_t *at_length, const uint8_t *value, size_t length, size_t max)
{
    if (length > max || *at != NULL)
        return;
    *at = malloc(length + 1);
    if (*at == NULL)
        return;
    memcpy(*at, value, length);
    *at_length = length;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t length, uint8_t flags,
                     void *user_data)
{
    (void)flags;
    (void)user_data;
    struct grpc_client_call *call =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    if (IS(name, name_length, ":status")) {
        call->http_status = (int)digits(value, length);
    } else if (IS(name, name_length, "grpc-status")) {
        unsigned code = digits(value, length);
        call->has_status = true;
        call->status = code <= GRPC_UNAUTHENTICATED ? (enum grpc_status)code : GRPC_UNKNOWN;
    } else if (IS(name, name_length, "grpc-message")) {
        keep(&call->message, &call->message_length, value, length,
             (size_t)GRPC_STATUS_MESSAGE_BYTES_MAX * 3);
    } else if (IS(name, name_length, "grpc-status-details-bin")) {
        keep(&call->details, &call->details_length, value, length,
             (size_t)GRPC_STATUS_DETAILS_BYTES_MAX * 2);
    }
    return 0;
}

static void take_message(struct grpc_client_call *call, const uint8_t *message, size_t length)
{
    call->messages++;
    if (call->on_message != NULL)
        call->on_message(call->user, call, message, length);
    else if (call->messages > 1)
        client_call_doom(call, GRPC_INTERNAL, "more than one answer to a unary call");
    else if (!byte_queue_append(&call->answer, message, length))
        client_call_doom(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t length, void *user_data)
{
    (void)flags;
    (void)user_data;
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call == NULL || call->http_status != 200)
        return 0;
    while (length > 0 && !call->doomed) {
        const uint8_t *message;
        size_t message_length;
        switch (grpc_frame_next(&call->reader, call->client->message_bytes_max, &data, &length,
                                &message, &message_length)) {
        case GRPC_FRAME_NEED_MORE:
            break;
        case GRPC_FRAME_MESSAGE:
            take_message(call, message, message_length);
            break;
        case GRPC_FRAME_TOO_LONG:
            client_call_doom(call, GRPC_RESOURCE_EXHAUSTED, "the answer is over the limit");
            break;
        case GRPC_FRAME_COMPRESSED:
        case GRPC_FRAME_BAD_FLAG:
            client_call_doom(call, GRPC_INTERNAL, "the answer is compressed or malformed");
            break;
        case GRPC_FRAME_NO_MEMORY:
            client_call_doom(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
            break;
        }
    }
    return 0;
}

/* https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html */
static enum grpc_status status_of_http(int http)
{
    switch (http) {
    case 400:
    case 200: /* and no grpc-status: the server broke off */
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

static void status_of_reset(struct grpc_client_call *call, uint32_t error_code)
{
    if (error_code == NGHTTP2_REFUSED_STREAM) {
        call->refused = true;
        call->status = GRPC_UNAVAILABLE;
        call->local_message = "the server refused the stream";
    } else if (error_code == NGHTTP2_CANCEL) {
        call->status = GRPC_CANCELLED;
        call->local_message = "the server reset the stream";
    } else if (error_code == NGHTTP2_ENHANCE_YOUR_CALM) {
        call->status = GRPC_RESOURCE_EXHAUSTED;
        call->local_message = "the server asks for calm";
    } else if (error_code == NGHTTP2_NO_ERROR) {
        call->status = status_of_http(call->http_status);
        call->local_message = "the answer has no grpc-status";
    } else {
        call->status = GRPC_INTERNAL;
        call->local_message = "the stream was reset";
    }
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    (void)user_data;
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call == NULL || call->doomed)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    if (!call->has_status)
        status_of_reset(call, error_code);
    if (call->has_status && call->status == GRPC_OK && call->on_message == NULL &&
        call->messages != 1) {
        call->status = GRPC_INTERNAL;
        call->local_message = "no answer, though the status is OK";
    }
    client_call_complete(call);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)user_data;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    struct grpc_client_call *call =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call != NULL)
        call->headers_sent = true;
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct client_conn *conn = user_data;
    (void)session;
    conn->ping_waits = false;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        client_conn_retire(conn);
    return 0;
}

bool client_callbacks_new(nghttp2_session_callbacks **out)
{
    if (nghttp2_session_callbacks_new(out) != 0)
        return false;
    nghttp2_session_callbacks_set_on_header_callback(*out, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*out, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*out, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(*out, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(*out, on_stream_close);
    return true;
}
