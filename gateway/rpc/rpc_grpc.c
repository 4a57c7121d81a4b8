/* gRPC as a transport of calls: who may, messages in and out, streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/rpc/error.h"
#include "gateway/rpc/rpc_transport.h"

/* What the server hands back with a call. */
struct rpc_binding {
    struct rpc_ctx *ctx;
    const struct rpc_method *method;
};

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

/* more: what is said besides the reason's own sentence; may be NULL. */
static void finish_refused_saying(struct rpc_ctx *ctx, grpc_call_t *grpc, reason_t reason,
                                  const char *field, const char *more)
{
    const struct grpc_peer *peer = grpc_call_peer(grpc);
    rpc_log_refusal(ctx, peer->connection_id, peer->san_uri, grpc_call_path(grpc), reason, field);
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

/* ---------------------------------------------------------------- answers */

/* Encodes into the worker's scratch buffer. */
static bool encode(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    err_t err = wire_encode(type, message, rpc_scratch(call->ctx));
    if (!err_failed(err))
        return true;
    log_error(call->ctx->log, "call.answer_not_encoded", log_conn(call->conn_id),
              log_str("call", call->method->path), log_err(err));
    rpc_refuse(call, REASON_INTERNAL, NULL);
    return false;
}

static void grpc_reply(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    if (!encode(call, type, message))
        return;
    struct rpc_ctx *ctx = call->ctx;
    log_debug(ctx->log, "call.answered", log_conn(call->conn_id),
              log_str("principal", call->principal.uri), log_str("call", call->method->path));
    grpc_call_reply(call->handle, buf_data(&ctx->scratch), buf_len(&ctx->scratch));
    rpc_scratch_trim(ctx);
    rpc_call_over(call);
}

static void grpc_refuse(struct rpc_call *call, reason_t reason, const char *field, const char *more)
{
    finish_refused_saying(call->ctx, call->handle, reason, field, more);
}

static enum rpc_send_result grpc_send(struct rpc_call *call, const struct wire_message *type,
                                      const void *message)
{
    if (!encode(call, type, message))
        return RPC_SEND_FAILED;
    struct rpc_ctx *ctx = call->ctx;
    enum grpc_send_result sent =
        grpc_call_send(call->handle, buf_data(&ctx->scratch), buf_len(&ctx->scratch));
    rpc_scratch_trim(ctx);
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

static void grpc_send_headers(struct rpc_call *call)
{
    grpc_call_send_headers(call->handle);
}

static const struct rpc_transport grpc_transport = {
    .reply = grpc_reply,
    .refuse = grpc_refuse,
    .send = grpc_send,
    .send_headers = grpc_send_headers,
};

/* ---------------------------------------------------------------- from the transport */

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
        grpc_call_finish(grpc, GRPC_UNAVAILABLE, rpc_drained_message, NULL, 0);
        return;
    }
    struct rpc_call *call = rpc_call_begin(ctx, method, &grpc_transport, grpc, p,
                                           peer->connection_id, grpc_call_deadline_left_ms(grpc));
    if (call == NULL) {
        finish_refused(ctx, grpc, REASON_QUEUE_FULL, NULL);
        return;
    }
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
    (void)rpc_call_gone(call);
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
    return call->transport == &grpc_transport && call->method->kind != GRPC_UNARY &&
           call->handle != NULL;
}

void rpc_drain(struct rpc_ctx *ctx)
{
    ctx->draining = true;
    for (struct rpc_call *call = ctx->open, *next; call != NULL; call = next) {
        next = call->next;
        if (is_open_stream(call))
            grpc_call_finish(rpc_call_gone(call), GRPC_UNAVAILABLE, rpc_drained_message, NULL, 0);
    }
}

void rpc_recheck_streams(struct rpc_ctx *ctx)
{
    for (struct rpc_call *call = ctx->open, *next; call != NULL; call = next) {
        const struct principal *p;
        reason_t reason = REASON_NONE;
        next = call->next;
        if (is_open_stream(call))
            reason = check_principal(ctx, call->method, grpc_call_peer(call->handle), &p);
        if (reason != REASON_NONE)
            finish_refused(ctx, rpc_call_gone(call), reason, NULL);
    }
}
