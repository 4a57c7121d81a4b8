#include "gateway/rpc/rpc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/rpc/book_heads.h"
#include "gateway/rpc/error.h"
#include "ledger/statements.h"

enum {
    SPARE_CALLS_MAX = 256,
    CALL_CHUNK_BYTES = 8 * 1024,
    CALL_ARENA_BYTES_MAX = 8 * 1024 * 1024,
    BATCH_CHUNK_BYTES = 1024 * 1024,
    BATCH_ARENA_BYTES_MAX = 96 * 1024 * 1024,
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
    SCRATCH_KEEP_BYTES = 1024 * 1024,
};

static const char drained_message[] = "the server is going away; connect again";

/* What the transport hands back with a call. */
struct rpc_binding {
    struct rpc_ctx *ctx;
    const struct rpc_method *method;
};

/* ---------------------------------------------------------------- calls and their memory */

static struct rpc_call *call_new(struct rpc_ctx *ctx, const struct rpc_method *method)
{
    struct rpc_call *call = ctx->spare;
    if (call != NULL) {
        ctx->spare = call->next;
        ctx->spare_count--;
        struct arena arena = call->arena;
        *call = (struct rpc_call){.arena = arena};
    } else {
        call = calloc(1, sizeof(*call));
        if (call == NULL)
            return NULL;
        arena_init(&call->arena, CALL_CHUNK_BYTES, CALL_ARENA_BYTES_MAX);
    }
    if (method->is_batch) {
        arena_deinit(&call->arena);
        arena_init(&call->arena, BATCH_CHUNK_BYTES, BATCH_ARENA_BYTES_MAX);
        ctx->batches++;
    }
    call->ctx = ctx;
    call->method = method;
    call->next = ctx->open;
    if (ctx->open != NULL)
        ctx->open->prev = call;
    ctx->open = call;
    return call;
}

static void call_free(struct rpc_call *call)
{
    struct rpc_ctx *ctx = call->ctx;
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        ctx->open = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    ctx->batches -= call->method->is_batch;
    if (ctx->spare_count >= SPARE_CALLS_MAX) {
        arena_deinit(&call->arena);
        free(call);
        return;
    }
    if (call->method->is_batch) {
        arena_deinit(&call->arena);
        arena_init(&call->arena, CALL_CHUNK_BYTES, CALL_ARENA_BYTES_MAX);
    }
    arena_reset(&call->arena);
    call->next = ctx->spare;
    ctx->spare = call;
    ctx->spare_count++;
}

/* Answered or gone: from here on only the ledger may still hold on to its memory. */
static void call_over(struct rpc_call *call)
{
    call->grpc = NULL;
    call->gone = true;
    if (call->holds == 0)
        call_free(call);
}

void rpc_ctx_init(struct rpc_ctx *ctx)
{
    buf_init(&ctx->scratch, SCRATCH_BYTES_MAX);
    ctx->open = NULL;
    ctx->spare = NULL;
    ctx->spare_count = 0;
    ctx->batches = 0;
    ctx->draining = false;
    ctx->heads = NULL;
}

void rpc_ctx_deinit(struct rpc_ctx *ctx)
{
    assert(ctx->open == NULL);
    book_heads_free(&ctx->heads);
    while (ctx->spare != NULL) {
        struct rpc_call *call = ctx->spare;
        ctx->spare = call->next;
        arena_deinit(&call->arena);
        free(call);
    }
    buf_deinit(&ctx->scratch);
    free(ctx->net_methods);
    free(ctx->bindings);
    ctx->net_methods = NULL;
    ctx->bindings = NULL;
}

/* ---------------------------------------------------------------- who may */

static reason_t check_principal(const struct rpc_ctx *ctx, const struct rpc_method *method,
                                const struct grpc_peer *peer, const struct principal **out)
{
    *out = NULL;
    if (!registry_is_loaded(ctx->registry))
        return REASON_LEDGER_UNAVAILABLE;
    if (!peer->has_certificate || peer->san_uri_count != 1)
        return REASON_UNAUTHENTICATED_PRINCIPAL;
    const struct principal *p = registry_principal(ctx->registry, slice_str(peer->san_uri));
    if (p == NULL)
        return REASON_UNAUTHENTICATED_PRINCIPAL;
    if (!p->enabled)
        return REASON_PRINCIPAL_DISABLED;
    if ((method->roles & (unsigned)p->role) == 0)
        return REASON_ROLE_FORBIDDEN;
    *out = p;
    return REASON_NONE;
}

static const struct rpc_binding *binding_of(const grpc_call_t *grpc)
{
    return grpc_call_method(grpc) == NULL ? NULL : grpc_call_method_user(grpc);
}

static void log_refusal(struct rpc_ctx *ctx, const struct grpc_peer *peer, const char *path,
                        reason_t reason, const char *field)
{
    enum { WINDOW_LINES_MAX = 200 };
    int64_t now_us = clock_monotonic_us();
    if (now_us - ctx->refusal_window_us >= US_PER_SEC) {
        if (ctx->refusals_unlogged > 0)
            log_info(ctx->log, "call.refusals_not_logged", log_uint("n", ctx->refusals_unlogged));
        ctx->refusal_window_us = now_us;
        ctx->refusals_logged = 0;
        ctx->refusals_unlogged = 0;
    }
    if (ctx->refusals_logged >= WINDOW_LINES_MAX) {
        ctx->refusals_unlogged++;
        return;
    }
    ctx->refusals_logged++;
    log_info(ctx->log, "call.refused", log_conn(peer->connection_id),
             log_str("principal", peer->san_uri), log_str("call", path),
             log_str("reason", reason_name(reason)), log_str("field", field));
}

/* more: what is said besides the reason's own sentence; may be NULL. */
static void finish_refused_saying(struct rpc_ctx *ctx, grpc_call_t *grpc, reason_t reason,
                                  const char *field, const char *more)
{
    log_refusal(ctx, grpc_call_peer(grpc), grpc_call_path(grpc), reason, field);
    struct rpc_error error;
    rpc_error_make(reason, field, &error);
    if (more != NULL) {
        const size_t len = strlen(error.message);
        (void)snprintf(error.message + len, sizeof(error.message) - len, " %s", more);
    }
    buf_reset(&ctx->scratch);
    err_t err = wire_status_encode(reason, field, error.message, error.retry_ms, &ctx->scratch);
    bool encoded = !err_failed(err);
    grpc_call_finish(grpc, (enum grpc_status)reason_grpc_status(reason), error.message,
                     encoded ? buf_data(&ctx->scratch) : NULL,
                     encoded ? buf_len(&ctx->scratch) : 0);
}

static void finish_refused(struct rpc_ctx *ctx, grpc_call_t *grpc, reason_t reason,
                           const char *field)
{
    finish_refused_saying(ctx, grpc, reason, field, NULL);
}

bool rpc_authorize(void *user, grpc_call_t *grpc)
{
    struct rpc_ctx *ctx = user;
    const struct rpc_binding *binding = binding_of(grpc);
    if (binding == NULL)
        return true; /* none of ours: the transport says UNIMPLEMENTED */
    const struct principal *p;
    reason_t reason = check_principal(ctx, binding->method, grpc_call_peer(grpc), &p);
    if (reason != REASON_NONE)
        finish_refused(ctx, grpc, reason, NULL);
    return reason == REASON_NONE;
}

/* ---------------------------------------------------------------- from the transport */

static int64_t deadline_of(const struct rpc_ctx *ctx, int64_t left_ms)
{
    int64_t ms = ctx->config->call_deadline_ms;
    return clock_monotonic_us() + (left_ms < ms ? left_ms : ms) * US_PER_MS;
}

static void on_message(grpc_call_t *grpc, const uint8_t *bytes, size_t length)
{
    const struct rpc_binding *binding = grpc_call_method_user(grpc);
    struct rpc_ctx *ctx = binding->ctx;
    const struct rpc_method *method = binding->method;
    const struct principal *p;
    const struct grpc_peer *peer = grpc_call_peer(grpc);
    /* Asked again: between headers and body the principal may have been disabled. */
    reason_t reason = check_principal(ctx, method, peer, &p);
    if (reason != REASON_NONE) {
        finish_refused(ctx, grpc, reason, NULL);
        return;
    }
    if (ctx->draining && method->kind != GRPC_UNARY) { /* it would never end */
        grpc_call_finish(grpc, GRPC_UNAVAILABLE, drained_message, NULL, 0);
        return;
    }
    struct rpc_call *call = NULL;
    if (!method->is_batch || ctx->batches < (uint64_t)ctx->config->batches_max)
        call = call_new(ctx, method);
    if (call == NULL) {
        finish_refused(ctx, grpc, REASON_QUEUE_FULL, NULL);
        return;
    }
    call->grpc = grpc;
    call->principal = *p;
    call->conn_id = peer->connection_id;
    call->deadline_us =
        method->kind == GRPC_UNARY ? deadline_of(ctx, grpc_call_deadline_left_ms(grpc)) : INT64_MAX;
    grpc_call_set_user(grpc, call);

    struct slice message;
    void *request = arena_alloc(&call->arena, method->request->size);
    struct refusal no = {REASON_MESSAGE_TOO_LARGE, NULL};
    /* The transport's bytes are gone when we return; the request's slices must not be. */
    if (request != NULL && arena_slice_dup(&call->arena, slice_of(bytes, length), &message))
        no = wire_decode(method->request, message, &call->arena, request);
    if (no.reason != REASON_NONE)
        rpc_refuse(call, no.reason, no.field);
    else
        method->handle(call, request);
}

static void on_cancel(grpc_call_t *grpc)
{
    struct rpc_call *call = grpc_call_user(grpc);
    if (call == NULL)
        return;
    log_debug(call->ctx->log, "call.cancelled", log_conn(call->conn_id),
              log_str("call", call->method->path));
    call->gone = true;
    if (call->method->on_gone != NULL)
        call->method->on_gone(call);
    call_over(call);
}

static void on_writable(grpc_call_t *grpc)
{
    struct rpc_call *call = grpc_call_user(grpc);
    if (call != NULL && call->method->on_writable != NULL)
        call->method->on_writable(call);
}

err_t rpc_register(struct rpc_ctx *ctx)
{
    size_t n = 0;
    while (rpc_methods[n] != NULL)
        n++;
    ctx->net_methods = calloc(n + 1, sizeof(*ctx->net_methods));
    ctx->bindings = calloc(n + 1, sizeof(*ctx->bindings));
    if (ctx->net_methods == NULL || ctx->bindings == NULL)
        return err_make(ERR_NO_MEMORY, "table of methods");
    for (size_t i = 0; i < n; i++) {
        const struct rpc_method *method = rpc_methods[i];
        ctx->bindings[i] = (struct rpc_binding){ctx, method};
        ctx->net_methods[i] = (struct grpc_method){
            .path = method->path,
            .kind = method->kind,
            .request_bytes_max = method->is_batch ? (uint32_t)ctx->config->batch_bytes_max : 0,
            .on_message = on_message,
            .on_cancel = on_cancel,
            .on_writable = on_writable,
            .user = &ctx->bindings[i],
        };
    }
    grpc_server_add_methods(ctx->server, ctx->net_methods, n);
    return err_none();
}

static bool is_open_stream(const struct rpc_call *call)
{
    return call->method->kind != GRPC_UNARY && call->grpc != NULL;
}

/* Takes a stream from its handler; what is returned is to be finished. */
static grpc_call_t *take_stream(struct rpc_call *call)
{
    grpc_call_t *grpc = call->grpc;
    call->gone = true;
    if (call->method->on_gone != NULL)
        call->method->on_gone(call);
    call_over(call);
    return grpc;
}

void rpc_drain(struct rpc_ctx *ctx)
{
    ctx->draining = true;
    for (struct rpc_call *call = ctx->open, *next; call != NULL; call = next) {
        next = call->next;
        if (is_open_stream(call))
            grpc_call_finish(take_stream(call), GRPC_UNAVAILABLE, drained_message, NULL, 0);
    }
}

void rpc_recheck_streams(struct rpc_ctx *ctx)
{
    for (struct rpc_call *call = ctx->open, *next; call != NULL; call = next) {
        const struct principal *p;
        reason_t reason = REASON_NONE;
        next = call->next;
        if (is_open_stream(call))
            reason = check_principal(ctx, call->method, grpc_call_peer(call->grpc), &p);
        if (reason != REASON_NONE)
            finish_refused(ctx, take_stream(call), reason, NULL);
    }
}

/* ---------------------------------------------------------------- for handlers */

void *rpc_alloc(struct rpc_call *call, size_t count, size_t size)
{
    void *p = arena_array(&call->arena, count, size);
    if (p == NULL)
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
    return p;
}

struct slice rpc_text(struct rpc_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : arena_alloc(&call->arena, (size_t)n + 1);
    if (text == NULL)
        return SLICE("");
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return slice_of(text, (size_t)n);
}

static void query_done(void *user, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    struct rpc_call *call = user;
    rpc_rows_fn *on_rows = call->on_rows;
    call->wrote = call->wrote || (call->writes && outcome == LEDGER_DONE);
    if (rpc_release(call))
        on_rows(call, outcome, reason, rows);
}

void rpc_query(struct rpc_call *call, const char *statement, struct params *params,
               rpc_rows_fn *on_rows)
{
    int64_t deadline_us =
        call->deadline_us == INT64_MAX ? deadline_of(call->ctx, INT64_MAX) : call->deadline_us;
    call->on_rows = on_rows;
    call->writes = !statements_is_read_only(statements_find(statement));
    rpc_hold(call);
    ledger_query(call->ctx->ledger, statement, params, deadline_us, query_done, call);
}

void rpc_hold(struct rpc_call *call)
{
    call->holds++;
}

bool rpc_release(struct rpc_call *call)
{
    assert(call->holds > 0);
    call->holds--;
    if (!call->gone)
        return true;
    if (call->holds == 0)
        call_free(call);
    return false;
}

/* Encodes into the worker's scratch buffer. */
static bool encode(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    struct buf *scratch = &call->ctx->scratch;
    buf_reset(scratch);
    err_t err = wire_encode(type, message, scratch);
    if (!err_failed(err))
        return true;
    log_error(call->ctx->log, "call.answer_not_encoded", log_conn(call->conn_id),
              log_str("call", call->method->path), log_err(err));
    rpc_refuse(call, REASON_INTERNAL, NULL);
    return false;
}

static void trim_scratch(struct rpc_ctx *ctx)
{
    if (ctx->scratch.size > SCRATCH_KEEP_BYTES)
        buf_release(&ctx->scratch);
}

void rpc_reply(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    assert(call->grpc != NULL);
    if (!encode(call, type, message))
        return;
    struct rpc_ctx *ctx = call->ctx;
    log_debug(ctx->log, "call.answered", log_conn(call->conn_id),
              log_str("principal", call->principal.uri), log_str("call", call->method->path));
    grpc_call_reply(call->grpc, buf_data(&ctx->scratch), buf_len(&ctx->scratch));
    trim_scratch(ctx);
    call_over(call);
}

void rpc_refuse(struct rpc_call *call, reason_t reason, const char *field)
{
    assert(call->grpc != NULL && reason != REASON_NONE);
    if (call->wrote && call->method->kind == GRPC_UNARY) {
        reason = REASON_OUTCOME_UNKNOWN;
        field = NULL;
    }
    finish_refused(call->ctx, call->grpc, reason, field);
    call_over(call);
}

void rpc_refuse_saying(struct rpc_call *call, reason_t reason, const char *field, const char *more)
{
    assert(call->grpc != NULL && reason != REASON_NONE);
    finish_refused_saying(call->ctx, call->grpc, reason, field, more);
    call_over(call);
}

void rpc_refuse_outcome(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const char *field)
{
    switch (outcome) {
    case LEDGER_REFUSED:
        rpc_refuse(call, reason == REASON_NONE ? REASON_INTERNAL : reason, field);
        break;
    case LEDGER_NOT_SENT:
        rpc_refuse(call, reason == REASON_NONE ? REASON_LEDGER_UNAVAILABLE : reason, NULL);
        break;
    case LEDGER_UNKNOWN:
        rpc_refuse(call, REASON_OUTCOME_UNKNOWN, NULL);
        break;
    case LEDGER_DONE:
    case LEDGER_DUPLICATE:
        assert(!"a refusal of what was done");
        break;
    }
}

enum rpc_send_result rpc_send(struct rpc_call *call, const struct wire_message *type,
                              const void *message)
{
    assert(call->grpc != NULL);
    if (!encode(call, type, message))
        return RPC_SEND_FAILED;
    struct rpc_ctx *ctx = call->ctx;
    enum grpc_send_result sent =
        grpc_call_send(call->grpc, buf_data(&ctx->scratch), buf_len(&ctx->scratch));
    trim_scratch(ctx);
    switch (sent) {
    case GRPC_SEND_OK:
        return RPC_SEND_OK;
    case GRPC_SEND_PAUSE:
        return RPC_SEND_PAUSE;
    case GRPC_SEND_FULL:
        break;
    }
    /* Only one who went on sending after PAUSE gets here. */
    rpc_refuse(call, REASON_QUEUE_FULL, NULL);
    return RPC_SEND_FAILED;
}

void rpc_send_headers(struct rpc_call *call)
{
    grpc_call_send_headers(call->grpc);
}
