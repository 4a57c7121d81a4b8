/* ReturnPayment. Saying it again with the same reference answers with the first time. */
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { RETURN_REFERENCE_CHARS_MAX = 35 };

static void on_returned(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    const struct wire_return_payment_request *r = call->state;
    if (outcome != LEDGER_DONE) {
        const char *field = NULL;
        if (reason == REASON_CURRENCY_MISMATCH || reason == REASON_FIELD_INVALID)
            field = "amount";
        else if (reason == REASON_INSTRUCTION_NOT_FOUND)
            field = "instruction_id";
        rpc_refuse_outcome(call, outcome, reason, field);
        return;
    }
    struct wire_return_payment_response answer = {
        .present = true,
        .instruction_id = r->instruction_id,
        .state = PAYOUT_STATE_RETURNED,
        .return_time = wire_time_of(rows_time_us(rows, 0, 0)),
    };
    rpc_reply(call, &wire_return_payment_response_type, &answer);
}

static struct refusal check(const struct wire_return_payment_request *r, int32_t *book_id,
                            int64_t *payout_id, uint16_t *ccy_number)
{
    reason_t reason;
    if (r->instruction_id.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "instruction_id"};
    if (!instruction_id_read(r->instruction_id, book_id, payout_id))
        return (struct refusal){REASON_INSTRUCTION_NOT_FOUND, "instruction_id"};
    if (!r->amount.present)
        return (struct refusal){REASON_FIELD_REQUIRED, "amount"};
    const struct ccy *ccy = ccy_by_alpha(r->amount.currency_code);
    if (ccy == NULL)
        return (struct refusal){REASON_CURRENCY_UNKNOWN, "amount"};
    *ccy_number = ccy->number;
    reason = money_check_positive(money_of(r->amount.minor_units, ccy->number));
    if (reason != REASON_NONE)
        return (struct refusal){reason, "amount"};
    if ((reason = iso20022_reason_check_return(r->reason_code)) != REASON_NONE)
        return (struct refusal){reason, "reason_code"};
    if (r->return_reference.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "return_reference"};
    reason = text_check_ascii(r->return_reference, RETURN_REFERENCE_CHARS_MAX);
    return (struct refusal){reason, "return_reference"};
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_return_payment_request *r = request;
    int32_t book_id;
    int64_t payout_id;
    uint16_t ccy;
    struct refusal no = check(r, &book_id, &payout_id, &ccy);
    if (no.reason != REASON_NONE) {
        rpc_refuse(call, no.reason, no.field);
        return;
    }
    struct wire_return_payment_request *state = rpc_alloc(call, 1, sizeof(*state));
    if (state == NULL)
        return;
    *state = *r;
    call->state = state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, payout_id);
    params_add_int2(&params, (int16_t)ccy);
    params_add_int8(&params, r->amount.minor_units);
    params_add_text(&params, r->reason_code);
    params_add_text(&params, r->return_reference);
    rpc_query(call, "settlement_return", &params, on_returned);
}

const struct rpc_method rpc_return_payment = {
    .path = "/ujrat.settlement.v1.SettlementService/ReturnPayment",
    .roles = ROLE_BANK,
    .request = &wire_return_payment_request_type,
    .handle = handle,
};
