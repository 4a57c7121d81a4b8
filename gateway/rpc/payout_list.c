/* ListPayouts: by number, so that a page never shifts under its reader. */
#include "gateway/rpc/methods.h"
#include "gateway/rpc/payout_get.h"

struct list {
    int32_t page_size;
};

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct list *list = call->state;
    int n = rows_count(rows);
    int shown = n > list->page_size ? list->page_size : n;
    struct wire_list_payouts_response answer = {.present = true};
    struct wire_payout *payouts = rpc_alloc(call, (size_t)shown + 1, sizeof(*payouts));
    if (payouts == NULL)
        return;
    for (int i = 0; i < shown; i++) {
        if (!payout_from_row(call, rows, i, &payouts[i]))
            return;
    }
    answer.payouts.items = payouts;
    answer.payouts.n = (uint32_t)shown;
    if (n > shown) { /* one more was asked for than is shown */
        struct rpc_token token = {'p', call->principal.book_id, rows_int(rows, shown - 1, 0), 0};
        answer.next_page_token = rpc_token_encode(call, &token);
    }
    rpc_reply(call, &wire_list_payouts_response_type, &answer);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_list_payouts_request *r = request;
    struct list *list = rpc_alloc(call, 1, sizeof(*list));
    if (list == NULL)
        return;
    call->state = list;
    reason_t reason = rpc_page_size(r->page_size, &list->page_size);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "page_size");
        return;
    }
    struct rpc_token token = {.kind = 'p', .scope = call->principal.book_id};
    if (!rpc_token_decode(r->page_token, &token)) {
        rpc_refuse(call, REASON_PAGE_TOKEN_INVALID, "page_token");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, token.a);
    params_add_int4(&params, list->page_size + 1);
    rpc_query(call, "payout_list", &params, on_page);
}

const struct rpc_method rpc_list_payouts = {
    .path = "/ujrat.payout.v1.PayoutService/ListPayouts",
    .roles = ROLE_PLATFORM,
    .request = &wire_list_payouts_request_type,
    .handle = handle,
};
