#include "gateway/rpc/rpc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/rpc/book_heads.h"
#include "gateway/rpc/rpc_transport.h"
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

const char rpc_drained_message[] = "the server is going away; connect again";

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

static int64_t deadline_of(const struct rpc_ctx *ctx, int64_t left_ms)
{
    int64_t ms = ctx->config->call_deadline_ms;
    return clock_monotonic_us() + (left_ms < ms ? left_ms : ms) * US_PER_MS;
}

struct rpc_call *rpc_call_begin(struct rpc_ctx *ctx, const struct rpc_method *method,
                                const struct rpc_transport *transport, void *handle,
                                const struct principal *principal, uint64_t conn_id,
                                int64_t left_ms)
{
    if (method->is_batch && ctx->batches >= (uint64_t)ctx->config->batches_max)
        return NULL;
    struct rpc_call *call = call_new(ctx, method);
    if (call == NULL)
        return NULL;
    call->transport = transport;
    call->handle = handle;
    call->principal = *principal;
    call->conn_id = conn_id;
    call->deadline_us = method->kind == GRPC_UNARY ? deadline_of(ctx, left_ms) : INT64_MAX;
    return call;
}

/* Answered or gone: from here on only the ledger may still hold on to its memory. */
void rpc_call_over(struct rpc_call *call)
{
    call->handle = NULL;
    call->gone = true;
    if (call->holds == 0)
        call_free(call);
}

void *rpc_call_gone(struct rpc_call *call)
{
    void *handle = call->handle;
    call->gone = true;
    if (call->method->on_gone != NULL)
        call->method->on_gone(call);
    rpc_call_over(call);
    return handle;
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

struct buf *rpc_scratch(struct rpc_ctx *ctx)
{
    buf_reset(&ctx->scratch);
    return &ctx->scratch;
}

void rpc_scratch_trim(struct rpc_ctx *ctx)
{
    if (ctx->scratch.size > SCRATCH_KEEP_BYTES)
        buf_release(&ctx->scratch);
}

void rpc_log_refusal(struct rpc_ctx *ctx, uint64_t conn_id, const char *principal, const char *path,
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
    log_info(ctx->log, "call.refused", log_conn(conn_id), log_str("principal", principal),
             log_str("call", path), log_str("reason", reason_name(reason)),
             log_str("field", field));
}

void rpc_reply(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    assert(call->handle != NULL);
    call->transport->reply(call, type, message);
}

void rpc_refuse(struct rpc_call *call, reason_t reason, const char *field)
{
    assert(call->handle != NULL && reason != REASON_NONE);
    if (call->wrote && call->method->kind == GRPC_UNARY) {
        reason = REASON_OUTCOME_UNKNOWN;
        field = NULL;
    }
    call->transport->refuse(call, reason, field, NULL);
    rpc_call_over(call);
}

void rpc_refuse_saying(struct rpc_call *call, reason_t reason, const char *field, const char *more)
{
    assert(call->handle != NULL && reason != REASON_NONE);
    call->transport->refuse(call, reason, field, more);
    rpc_call_over(call);
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
    assert(call->handle != NULL && call->transport->send != NULL);
    return call->transport->send(call, type, message);
}

void rpc_send_headers(struct rpc_call *call)
{
    call->transport->send_headers(call);
}
