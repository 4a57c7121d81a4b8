/* GetBalance: the prefunded float, per currency. */
#include "gateway/rpc/methods.h"
#include "gateway/wire/payout_messages.h"

static void on_balances(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    uint32_t n = (uint32_t)rows_count(rows);
    struct wire_get_balance_response answer = {.present = true};
    answer.available.items = rpc_alloc(call, n, sizeof(*answer.available.items));
    if (answer.available.items == NULL)
        return;
    answer.available.n = n;
    for (uint32_t i = 0; i < n; i++)
        answer.available.items[i] =
            wire_money_of(rows_int(rows, (int)i, 1), (uint16_t)rows_int(rows, (int)i, 0));
    rpc_reply(call, &wire_get_balance_response_type, &answer);
}

static void get_balance(struct rpc_call *call, const void *request)
{
    (void)request;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    rpc_query(call, "balance_get", &params, on_balances);
    params_deinit(&params);
}

const struct rpc_method rpc_get_balance = {
    .path = "/ujrat.payout.v1.PayoutService/GetBalance",
    .roles = ROLE_PLATFORM,
    .request = &wire_get_balance_request_type,
    .handle = get_balance,
};
