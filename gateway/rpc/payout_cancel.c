/* CancelPayout. Cancelling is idempotent in the ledger: an unknown outcome is asked again by the client. */
#include "gateway/rpc/methods.h"
#include "gateway/wire/payout_messages.h"

static void on_cancelled(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else
        rpc_answer_payout(call, rows_int(rows, 0, 0));
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_cancel_payout_request *r = request;
    int64_t payout_id;
    reason_t reason = rpc_resource_id(call, r->name, "payouts", &payout_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "name");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, payout_id);
    rpc_query(call, "payout_cancel", &params, on_cancelled);
}

const struct rpc_method rpc_cancel_payout = {
    .path = "/ujrat.payout.v1.PayoutService/CancelPayout",
    .roles = ROLE_PLATFORM,
    .request = &wire_cancel_payout_request_type,
    .handle = handle,
};
