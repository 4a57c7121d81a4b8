/*
 * rpc_transport.h: what carries a call in and its answer out. gRPC is one (rpc_grpc.c), the REST API another
 * (gateway/rest/). Handlers know nothing of it: rpc_reply and rpc_refuse end up here, with messages as structs and
 * refusals as reasons, and each transport says them in its own way.
 *
 * The life of a call, as its transport sees it:
 *
 *   rpc_call_begin → the handler … → transport.reply or transport.refuse
 *        └── at any time before: the client goes away: rpc_call_gone
 *
 * After each of the two the transport's handle (call->handle) is NULL, and `call` belongs to rpc.c, which frees it when
 * the ledger has answered what was asked for it.
 */
#ifndef UJRAT_RPC_RPC_TRANSPORT_H
#define UJRAT_RPC_RPC_TRANSPORT_H

#include "gateway/rpc/rpc.h"

struct rpc_transport {
    /*
     * Answers, and ends with rpc_call_over(call). A message that cannot be said: rpc_refuse(call, REASON_INTERNAL,
     * NULL) instead. It may also ask the ledger on (rpc_query), and answer when it has been told.
     */
    void (*reply)(struct rpc_call *call, const struct wire_message *type, const void *message);
    /* Says no. rpc.c ends the call right after. field and more may be NULL. */
    void (*refuse)(struct rpc_call *call, reason_t reason, const char *field, const char *more);
    /* Of streams; NULL where there are none. send is as rpc_send, and FAILED when there was too much (rpc.c refuses). */
    enum rpc_send_result (*send)(struct rpc_call *call, const struct wire_message *type,
                                 const void *message);
    void (*send_headers)(struct rpc_call *call);
};

/*
 * A call of its own memory, with a copy of the principal. left_ms: the client's own deadline, INT64_MAX if it has none;
 * call_deadline bounds it (streams have none). NULL: no memory, or too many batches under way: QUEUE_FULL.
 */
struct rpc_call *rpc_call_begin(struct rpc_ctx *ctx, const struct rpc_method *method,
                                const struct rpc_transport *transport, void *handle,
                                const struct principal *principal, uint64_t conn_id,
                                int64_t left_ms);

/* Its handle was answered. `call` is not to be touched after. */
void rpc_call_over(struct rpc_call *call);

/* The client went away, or is sent away: on_gone of its method runs; the handle, which rpc.c forgets, is returned. */
void *rpc_call_gone(struct rpc_call *call);

/* One line at info, but of a flood of them only so many a second. */
void rpc_log_refusal(struct rpc_ctx *ctx, uint64_t conn_id, const char *principal, const char *path,
                     reason_t reason, const char *field);

/* The worker's scratch buffer, emptied; after use rpc_scratch_trim() gives back what an unusual answer took. */
struct buf *rpc_scratch(struct rpc_ctx *ctx);
void rpc_scratch_trim(struct rpc_ctx *ctx);

/* What a stream that is sent away by a drain is told. */
extern const char rpc_drained_message[];

#endif
