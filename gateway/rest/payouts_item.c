/* GET /v1/payments/payouts-item/{id}, and its cancellation: of an item that is unclaimed, or that no bank was told of. */
#include "domain/payout_state.h"
#include "gateway/rest/item_out.h"
#include "gateway/rest/routes.h"
#include "gateway/rest/sandbox.h"

struct item {
    int64_t batch_id;
    int32_t item_no;
};

static void refuse_id(struct rpc_call *call)
{
    rest_refuse(call, &(struct rest_error){.status = 404,
                                           .name = "INVALID_RESOURCE_ID",
                                           .message = "There is no item of this id."});
}

static void ask_item(struct rpc_call *call, rpc_rows_fn *on_rows)
{
    const struct item *item = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, item->batch_id);
    params_add_int4(&params, item->item_no);
    rpc_query(call, "batch_item_get", &params, on_rows);
    params_deinit(&params);
}

/* False: there is none, or the question failed; the call is over then. */
static bool has_item(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return false;
    }
    if (rows_count(rows) == 0) {
        refuse_id(call);
        return false;
    }
    return true;
}

static void on_answer(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (!has_item(call, outcome, reason, rows))
        return;
    const struct item *item = call->state;
    struct item_frame frame = {.batch_id = item->batch_id,
                               .sender_batch_id = rows_text(rows, 0, ITEM_SENDER_BATCH_ID)};
    item_frame_stem(&frame, frame.sender_batch_id, rows_text(rows, 0, ITEM_REQUEST_ID));
    struct json_out json = rest_json(call);
    item_write(call, &json, &frame, rows, 0);
    rest_reply(call, 200, &json);
}

/* ---------------------------------------------------------------- cancel */

static void on_cancelled(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    (void)rows;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else
        ask_item(call, on_answer);
}

static void cancel(struct rpc_call *call, const char *statement, int64_t id)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, id);
    rpc_query(call, statement, &params, on_cancelled);
    params_deinit(&params);
}

static void on_to_cancel(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    if (!has_item(call, outcome, reason, rows))
        return;
    switch (rows_int(rows, 0, ITEM_STATE)) {
    case PAYOUT_STATE_UNCLAIMED:
        cancel(call, "unclaimed_cancel", rows_int(rows, 0, ITEM_UNCLAIMED_ID));
        break;
    case PAYOUT_STATE_ACCEPTED:
    case PAYOUT_STATE_HELD:
        cancel(call, "payout_cancel", rows_int(rows, 0, ITEM_PAYOUT_ID));
        break;
    case PAYOUT_STATE_CANCELLED:
    case BATCH_ITEM_CANCELLED:
        rest_refuse(call, &(struct rest_error){.status = 400,
                                               .name = "ITEM_ALREADY_CANCELLED",
                                               .message = "The item was cancelled before."});
        break;
    default:
        rest_refuse(call,
                    &(struct rest_error){.status = 400,
                                         .name = "ITEM_INCORRECT_STATUS",
                                         .message = "Only an item that is unclaimed, or that no "
                                                    "bank was told of, can be cancelled."});
        break;
    }
}

/* ---------------------------------------------------------------- requests */

static bool take_id(struct rpc_call *call, const struct rest_request *request)
{
    struct item *item = rpc_alloc(call, 1, sizeof(*item));
    if (item == NULL)
        return false;
    call->state = item;
    if (rest_id_read(request->param[0], &item->batch_id, &item->item_no) && item->item_no >= 1)
        return true;
    refuse_id(call);
    return false;
}

static void handle_get(struct rpc_call *call, struct rest_request *request)
{
    if (!sandbox_get_item(call, request->param[0]) && take_id(call, request))
        ask_item(call, on_answer);
}

static void handle_cancel(struct rpc_call *call, struct rest_request *request)
{
    if (!sandbox_cancel_item(call, request->param[0]) && take_id(call, request))
        ask_item(call, on_to_cancel);
}

const struct rest_route rest_get_item = {
    .method = HTTP_GET,
    .rpc = {.path = "/v1/payments/payouts-item/{id}", .roles = ROLE_PLATFORM},
    .handle = handle_get,
};

const struct rest_route rest_cancel_item = {
    .method = HTTP_POST,
    .rpc = {.path = "/v1/payments/payouts-item/{id}/cancel", .roles = ROLE_PLATFORM},
    .handle = handle_cancel,
};
