/* ReturnPayment. Saying it again with the same reference answers with the first time. */
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { RETURN_REFERENCE_CHARS_MAX = 35 };

/* Columns of ledger/sql/settlement_return.sql. */
enum { COL_AT, COL_STATE, COL_RETURNED, COL_ONLY_LEFT };

struct asked {
    struct slice instruction_id;
    int32_t book_id;
    int64_t payout_id;
    uint16_t ccy;
    int64_t charge;
};

static void refuse_more_than_is_left(struct rpc_call *call, money_t left)
{
    char amount[MONEY_TEXT_SIZE], more[MONEY_TEXT_SIZE + 32];
    (void)snprintf(more, sizeof(more), "%s is left of the payment.",
                   money_format(left, MONEY_CODE_THOUSANDS, amount));
    rpc_refuse_saying(call, REASON_AMOUNT_OVER_LIMIT, "amount", more);
}

static void on_returned(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    const struct asked *asked = call->state;
    if (outcome != LEDGER_DONE) {
        const char *field = NULL;
        if (reason == REASON_CURRENCY_MISMATCH || reason == REASON_FIELD_INVALID)
            field = "amount";
        else if (reason == REASON_INSTRUCTION_NOT_FOUND)
            field = "instruction_id";
        else if (reason == REASON_ALREADY_CONFIRMED_DIFFERENTLY)
            field = "return_reference";
        rpc_refuse_outcome(call, outcome, reason, field);
        return;
    }
    if (!rows_is_null(rows, 0, COL_ONLY_LEFT)) {
        refuse_more_than_is_left(call, money_of(rows_int(rows, 0, COL_ONLY_LEFT), asked->ccy));
        return;
    }
    struct wire_return_payment_response answer = {
        .present = true,
        .instruction_id = asked->instruction_id,
        .state = (int32_t)rows_int(rows, 0, COL_STATE),
        .return_time = wire_time_of(rows_time_us(rows, 0, COL_AT)),
        .returned_amount = wire_money_of(rows_int(rows, 0, COL_RETURNED), asked->ccy),
    };
    rpc_reply(call, &wire_return_payment_response_type, &answer);
}

static reason_t check_charge(const struct wire_return_payment_request *r, struct asked *asked)
{
    asked->charge = 0;
    if (!r->charge.present)
        return REASON_NONE;
    const struct ccy *ccy = ccy_by_alpha(r->charge.currency_code);
    if (ccy == NULL)
        return REASON_CURRENCY_UNKNOWN;
    if (ccy->number != asked->ccy)
        return REASON_CURRENCY_MISMATCH;
    if (r->charge.minor_units < 0)
        return REASON_AMOUNT_NEGATIVE;
    asked->charge = r->charge.minor_units;
    return asked->charge > r->amount.minor_units ? REASON_AMOUNT_OVER_LIMIT : REASON_NONE;
}

static struct refusal check(const struct wire_return_payment_request *r, struct asked *asked)
{
    reason_t reason;
    asked->instruction_id = r->instruction_id;
    if (r->instruction_id.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "instruction_id"};
    if (!instruction_id_read(r->instruction_id, &asked->book_id, &asked->payout_id))
        return (struct refusal){REASON_INSTRUCTION_NOT_FOUND, "instruction_id"};
    if (!r->amount.present)
        return (struct refusal){REASON_FIELD_REQUIRED, "amount"};
    const struct ccy *ccy = ccy_by_alpha(r->amount.currency_code);
    if (ccy == NULL)
        return (struct refusal){REASON_CURRENCY_UNKNOWN, "amount"};
    asked->ccy = ccy->number;
    reason = money_check_positive(money_of(r->amount.minor_units, ccy->number));
    if (reason != REASON_NONE)
        return (struct refusal){reason, "amount"};
    if ((reason = iso20022_reason_check_return(r->reason_code)) != REASON_NONE)
        return (struct refusal){reason, "reason_code"};
    if (r->return_reference.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "return_reference"};
    reason = text_check_ascii(r->return_reference, RETURN_REFERENCE_CHARS_MAX);
    if (reason != REASON_NONE)
        return (struct refusal){reason, "return_reference"};
    return (struct refusal){check_charge(r, asked), "charge"};
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_return_payment_request *r = request;
    struct asked *asked = rpc_alloc(call, 1, sizeof(*asked));
    if (asked == NULL)
        return;
    struct refusal no = check(r, asked);
    if (no.reason != REASON_NONE) {
        rpc_refuse(call, no.reason, no.field);
        return;
    }
    call->state = asked;
    struct params params;
    params_init(&params);
    params_add_int4(&params, asked->book_id);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, asked->payout_id);
    params_add_int2(&params, (int16_t)asked->ccy);
    params_add_int8(&params, r->amount.minor_units);
    params_add_int8(&params, asked->charge);
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
