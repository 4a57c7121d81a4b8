/* A call's life: memory, time, refusals, and what its handler may ask. */
#include "gateway/net/grpc_server_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FREE_CALLS_MAX 4096U

/* ---------------------------------------------------------------- memory */

size_t grpc_call_held_bytes(const struct grpc_call *call)
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
    conn->held_bytes += grpc_call_held_bytes(call);
    call->conn = conn;
    call->stream_id = stream_id;
    call->timeout_ms = -1;
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

struct call_extra *grpc_call_extra(struct grpc_call *call)
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
    conn->held_bytes -= grpc_call_held_bytes(call);
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

void grpc_call_disengage(struct grpc_call *call)
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
    grpc_call_disengage(call);
    recycle(call);
}

void grpc_call_refuse(struct grpc_call *call, enum grpc_status status, const char *message)
{
    if (call->finished)
        return;
    call->discard = true;
    call->conn->server->stats.calls_refused++;
    grpc_call_disengage(call);
    grpc_call_finish(call, status, message, NULL, 0);
}

void grpc_call_refuse_busy(struct grpc_call *call, const char *message, uint32_t retry_ms)
{
    call->discard = true;
    grpc_call_disengage(call);
    grpc_call_finish_busy(call, message, retry_ms);
}

bool grpc_call_takes_one_message(const struct grpc_call *call)
{
    return call->method->kind == GRPC_UNARY || call->method->kind == GRPC_SERVER_STREAM;
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
        if (!call->half_closed && grpc_call_takes_one_message(call)) {
            grpc_call_refuse(call, GRPC_DEADLINE_EXCEEDED, "the request did not arrive in time");
            return;
        }
        timers_arm(&server->call_timers, timer, call->deadline_ms);
        return;
    }
    if (!call->finished && byte_queue_length(&call->out) == 0) {
        server->stats.calls_timed_out++;
        call->discard = true;
        grpc_call_disengage(call);
        grpc_call_finish(call, GRPC_DEADLINE_EXCEEDED, "deadline exceeded", NULL, 0);
        return;
    }
    /* The peer does not take what waits for it; it is not owed an end. */
    grpc_call_disengage(call);
    call->finished = true;
    nghttp2_submit_rst_stream(call->conn->io.session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_CANCEL);
    h2_io_want_flush(&call->conn->io);
}

void grpc_call_set_timer(struct grpc_call *call, int64_t due_ms)
{
    call->timer.fire = on_call_timer;
    timers_arm(&call->conn->server->call_timers, &call->timer, due_ms);
}

void grpc_call_start_clock(struct grpc_call *call)
{
    int64_t now = call->conn->io.last_read_ms;
    int64_t due = 0;
    if (call->timeout_ms >= 0) {
        call->deadline_ms = now + call->timeout_ms;
        due = call->deadline_ms;
    }
    if (grpc_call_takes_one_message(call) && (due == 0 || due > now + GRPC_SLOW_PEER_MS)) {
        due = now + GRPC_SLOW_PEER_MS;
        if (call->deadline_ms == 0)
            call->deadline_ms = INT64_MAX;
    }
    if (due == 0)
        return;
    grpc_call_set_timer(call, due);
}

void grpc_call_request_arrived(struct grpc_call *call)
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
