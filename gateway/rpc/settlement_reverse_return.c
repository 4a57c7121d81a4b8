/* ReverseReturn. Saying it again with the same reference answers with the first time. */
#include "domain/iso20022_reason.h"
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { REFERENCE_CHARS_MAX = 35 };

/* Columns of ledger/sql/settlement_reverse_return.sql. */
enum { COL_AT, COL_STATE, COL_RETURNED, COL_CCY };

static void on_reversed(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    const struct slice *instruction_id = call->state;
    if (outcome != LEDGER_DONE) {
        const char *field = NULL;
        if (reason == REASON_INSTRUCTION_NOT_FOUND)
            field = "instruction_id";
        else if (reason == REASON_STATE_CONFLICT)
            field = "return_reference";
        else if (reason == REASON_ALREADY_CONFIRMED_DIFFERENTLY)
            field = "reversal_reference";
        rpc_refuse_outcome(call, outcome, reason, field);
        return;
    }
    struct wire_reverse_return_response answer = {
        .present = true,
        .instruction_id = *instruction_id,
        .state = (int32_t)rows_int(rows, 0, COL_STATE),
        .reversal_time = wire_time_of(rows_time_us(rows, 0, COL_AT)),
        .returned_amount =
            wire_money_of(rows_int(rows, 0, COL_RETURNED), (uint16_t)rows_int(rows, 0, COL_CCY)),
    };
    rpc_reply(call, &wire_reverse_return_response_type, &answer);
}

static reason_t check_reference(struct slice text)
{
    return text.len == 0 ? REASON_FIELD_REQUIRED : text_check_ascii(text, REFERENCE_CHARS_MAX);
}

static struct refusal check(const struct wire_reverse_return_request *r, int32_t *book_id,
                            int64_t *payout_id)
{
    reason_t reason;
    if (r->instruction_id.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "instruction_id"};
    if (!instruction_id_read(r->instruction_id, book_id, payout_id))
        return (struct refusal){REASON_INSTRUCTION_NOT_FOUND, "instruction_id"};
    if ((reason = check_reference(r->return_reference)) != REASON_NONE)
        return (struct refusal){reason, "return_reference"};
    if ((reason = check_reference(r->reversal_reference)) != REASON_NONE)
        return (struct refusal){reason, "reversal_reference"};
    return (struct refusal){iso20022_reason_check_return(r->reason_code), "reason_code"};
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_reverse_return_request *r = request;
    int32_t book_id;
    int64_t payout_id;
    struct refusal no = check(r, &book_id, &payout_id);
    if (no.reason != REASON_NONE) {
        rpc_refuse(call, no.reason, no.field);
        return;
    }
    struct slice *instruction_id = rpc_alloc(call, 1, sizeof(*instruction_id));
    if (instruction_id == NULL)
        return;
    *instruction_id = r->instruction_id;
    call->state = instruction_id;
    struct params params;
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, payout_id);
    params_add_text(&params, r->return_reference);
    params_add_text(&params, r->reason_code);
    params_add_text(&params, r->reversal_reference);
    rpc_query(call, "settlement_reverse_return", &params, on_reversed);
}

const struct rpc_method rpc_reverse_return = {
    .path = "/ujrat.settlement.v1.SettlementService/ReverseReturn",
    .roles = ROLE_BANK,
    .request = &wire_reverse_return_request_type,
    .handle = handle,
};
