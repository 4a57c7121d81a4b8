/* GetPosition: over all books, by currency. */
#include "domain/ccy.h"
#include "gateway/rpc/methods.h"
#include "gateway/wire/settlement_messages.h"

static void on_rows(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    int n = rows_count(rows);
    struct wire_get_position_response answer = {.present = true};
    struct wire_position *positions = rpc_alloc(call, (size_t)n + 1, sizeof(*positions));
    if (positions == NULL)
        return;
    for (int i = 0; i < n; i++) {
        positions[i] = (struct wire_position){
            .present = true,
            .currency_code = slice_str(ccy_alpha((uint16_t)rows_int(rows, i, 0))),
            .owed_minor_units = rows_int(rows, i, 1),
            .pending_minor_units = rows_int(rows, i, 2),
            .pending_count = rows_int(rows, i, 3),
        };
    }
    answer.positions.items = positions;
    answer.positions.n = (uint32_t)n;
    rpc_reply(call, &wire_get_position_response_type, &answer);
}

static void handle(struct rpc_call *call, const void *request)
{
    (void)request;
    struct params params;
    params_init(&params);
    params_add_int2(&params, call->principal.bank_id);
    rpc_query(call, "settlement_position", &params, on_rows);
}

const struct rpc_method rpc_get_position = {
    .path = "/ujrat.settlement.v1.SettlementService/GetPosition",
    .roles = ROLE_BANK,
    .request = &wire_get_position_request_type,
    .handle = handle,
};
