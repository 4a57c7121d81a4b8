/*
 * ConfirmInstructions: each confirmation is checked by itself, then those of one book go to the ledger in one call,
 * one book after the other. When the answer of a book is lost, its confirmations are UNKNOWN: the bank says them
 * again, and whatever was recorded answers as DUPLICATE.
 */
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { BANK_TEXT_CHARS_MAX = 35 };

struct item {
    const struct wire_confirmation *said;
    struct refusal no;
    int32_t book_id;
    int64_t payout_id;
    uint16_t ccy;
    bool is_sent; /* to the ledger, or answered */
    int32_t outcome;
};

struct confirm {
    uint32_t n;
    struct item *items;
    uint32_t *sent; /* indexes of the items of the call under way, in its order */
    uint32_t n_sent;
};

/* ---------------------------------------------------------------- checks */

static reason_t check_money(const struct wire_money *money, uint16_t *ccy)
{
    if (!money->present)
        return REASON_FIELD_REQUIRED;
    const struct ccy *c = ccy_by_alpha(money->currency_code);
    if (c == NULL)
        return REASON_CURRENCY_UNKNOWN;
    *ccy = c->number;
    return money_check_positive(money_of(money->minor_units, c->number));
}

static reason_t check_tax(const struct wire_money *tax, uint16_t ccy)
{
    if (!tax->present)
        return REASON_NONE;
    const struct ccy *c = ccy_by_alpha(tax->currency_code);
    if (c == NULL)
        return REASON_CURRENCY_UNKNOWN;
    if (c->number != ccy)
        return REASON_CURRENCY_MISMATCH;
    return tax->minor_units < 0 ? REASON_AMOUNT_NEGATIVE : REASON_NONE;
}

static struct refusal check_settled(const struct item *item)
{
    const struct wire_confirmation *said = item->said;
    reason_t reason;
    if (said->bank_reference.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "bank_reference"};
    if (said->reason_code.len != 0)
        return (struct refusal){REASON_FIELD_CONFLICT, "reason_code"};
    if ((reason = check_tax(&said->tax_withheld, item->ccy)) != REASON_NONE)
        return (struct refusal){reason, "tax_withheld"};
    if ((reason = text_check_ascii(said->eprc_number, BANK_TEXT_CHARS_MAX)) != REASON_NONE)
        return (struct refusal){reason, "eprc_number"};
    return (struct refusal){REASON_NONE, NULL};
}

static struct refusal check_rejected(const struct item *item)
{
    const struct wire_confirmation *said = item->said;
    reason_t reason = iso20022_reason_check_reject(said->reason_code);
    if (reason != REASON_NONE)
        return (struct refusal){reason, "reason_code"};
    if (said->tax_withheld.present)
        return (struct refusal){REASON_FIELD_CONFLICT, "tax_withheld"};
    if (said->eprc_number.len != 0)
        return (struct refusal){REASON_FIELD_CONFLICT, "eprc_number"};
    return (struct refusal){REASON_NONE, NULL};
}

static struct refusal check_item(struct item *item)
{
    const struct wire_confirmation *said = item->said;
    reason_t reason;
    if (said->instruction_id.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "instruction_id"};
    /* Not one of ours, another bank's, not there: the same answer to all. */
    if (!instruction_id_read(said->instruction_id, &item->book_id, &item->payout_id))
        return (struct refusal){REASON_INSTRUCTION_NOT_FOUND, "instruction_id"};
    if ((reason = check_money(&said->amount, &item->ccy)) != REASON_NONE)
        return (struct refusal){reason, "amount"};
    if ((reason = text_check_ascii(said->bank_reference, BANK_TEXT_CHARS_MAX)) != REASON_NONE)
        return (struct refusal){reason, "bank_reference"};
    if (said->status == WIRE_STATUS_SETTLED)
        return check_settled(item);
    if (said->status == WIRE_STATUS_REJECTED)
        return check_rejected(item);
    return (struct refusal){said->status == 0 ? REASON_FIELD_REQUIRED : REASON_FIELD_INVALID,
                            "status"};
}

/* ---------------------------------------------------------------- the answer */

static void answer(struct rpc_call *call)
{
    const struct confirm *c = call->state;
    struct wire_confirm_instructions_response message = {.present = true};
    struct wire_confirmation_result *results = rpc_alloc(call, c->n, sizeof(*results));
    if (results == NULL)
        return;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct item *item = &c->items[i];
        results[i].present = true;
        /* An answer must be valid UTF-8, or the client drops it with all its neighbours. */
        if (utf8_check(item->said->instruction_id, NULL) == UTF8_OK)
            results[i].instruction_id = item->said->instruction_id;
        results[i].outcome = item->outcome;
        if (item->no.reason != REASON_NONE) {
            results[i].reason = slice_str(reason_name(item->no.reason));
            if (item->no.field != NULL)
                results[i].field = rpc_text(call, "confirmations[%u].%s", i, item->no.field);
            results[i].message = slice_str(reason_text(item->no.reason));
        }
    }
    message.results.items = results;
    message.results.n = c->n;
    rpc_reply(call, &wire_confirm_instructions_response_type, &message);
}

static const char *field_of_verdict(reason_t reason)
{
    if (reason == REASON_INSTRUCTION_NOT_FOUND)
        return "instruction_id";
    if (reason == REASON_AMOUNT_OVER_LIMIT)
        return "tax_withheld";
    return reason == REASON_FIELD_INVALID || reason == REASON_CURRENCY_MISMATCH ? "amount" : NULL;
}

static void take_verdict(struct item *item, int64_t verdict)
{
    reason_t reason;
    if (verdict == 0) {
        item->outcome = WIRE_RESULT_RECORDED;
    } else if (verdict == 1) {
        item->outcome = WIRE_RESULT_DUPLICATE;
    } else {
        if (!reason_from_number((int32_t)verdict, &reason))
            reason = REASON_INTERNAL;
        item->outcome = WIRE_RESULT_REFUSED;
        item->no = (struct refusal){reason, field_of_verdict(reason)};
    }
}

/* ---------------------------------------------------------------- book by book */

static void next_book(struct rpc_call *call);

static void on_verdicts(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    struct confirm *c = call->state;
    int64_t verdicts[WIRE_CONFIRMATIONS_MAX];
    int n =
        outcome == LEDGER_DONE ? rows_int_array(rows, 0, 0, verdicts, WIRE_CONFIRMATIONS_MAX) : 0;
    for (uint32_t i = 0; i < c->n_sent; i++) {
        struct item *item = &c->items[c->sent[i]];
        switch (outcome) {
        case LEDGER_DONE:
        case LEDGER_DUPLICATE:
            take_verdict(item, i < (uint32_t)n ? verdicts[i] : REASON_INTERNAL);
            break;
        case LEDGER_REFUSED:
            /* The ledger has no such book (503), or something is wrong on our side. */
            item->outcome = WIRE_RESULT_REFUSED;
            if (reason == REASON_RESOURCE_FORBIDDEN)
                item->no = (struct refusal){REASON_INSTRUCTION_NOT_FOUND, "instruction_id"};
            else
                item->no.reason = REASON_INTERNAL;
            break;
        case LEDGER_NOT_SENT:
        case LEDGER_UNKNOWN:
            /* To the bank both mean: say it again. The reason tells them apart. */
            item->outcome = WIRE_RESULT_UNKNOWN;
            item->no.reason = outcome == LEDGER_UNKNOWN ? REASON_OUTCOME_UNKNOWN
                              : reason == REASON_NONE   ? REASON_LEDGER_UNAVAILABLE
                                                        : reason;
            break;
        }
    }
    next_book(call);
}

static void add_row(struct params *params, const struct item *item)
{
    const struct wire_confirmation *said = item->said;
    bool settled = said->status == WIRE_STATUS_SETTLED;
    params_row_begin(params, 8);
    params_row_int8(params, item->payout_id);
    params_row_int2(params, settled ? PAYOUT_STATE_SETTLED : PAYOUT_STATE_REJECTED);
    params_row_int2(params, (int16_t)item->ccy);
    params_row_int8(params, said->amount.minor_units);
    params_row_text_or_null(params, said->bank_reference);
    params_row_int8_or_null(params, said->tax_withheld.minor_units);
    params_row_text_or_null(params, said->eprc_number);
    params_row_text_or_null(params, said->reason_code);
    params_row_end(params);
}

/* Sends what belongs to the book of the first item not sent yet; answers when there is none. */
static void next_book(struct rpc_call *call)
{
    struct confirm *c = call->state;
    struct params params;
    uint32_t first = 0;
    while (first < c->n && c->items[first].is_sent)
        first++;
    if (first == c->n) {
        answer(call);
        return;
    }
    int32_t book_id = c->items[first].book_id;
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int4(&params, call->principal.principal_id);
    params_array_begin(&params, LEDGER_TYPE_CONFIRMATION_DRAFT);
    c->n_sent = 0;
    for (uint32_t i = first; i < c->n; i++) {
        struct item *item = &c->items[i];
        if (item->is_sent || item->book_id != book_id)
            continue;
        item->is_sent = true;
        c->sent[c->n_sent++] = i;
        add_row(&params, item);
    }
    params_array_end(&params);
    rpc_query(call, "settlement_confirm", &params, on_verdicts);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_confirm_instructions_request *r = request;
    uint32_t n = r->confirmations.n;
    if (n == 0) {
        rpc_refuse(call, REASON_BATCH_EMPTY, "confirmations");
        return;
    }
    struct confirm *c = rpc_alloc(call, 1, sizeof(*c));
    if (c == NULL)
        return;
    call->state = c;
    c->n = n;
    if ((c->items = rpc_alloc(call, n, sizeof(*c->items))) == NULL ||
        (c->sent = rpc_alloc(call, n, sizeof(*c->sent))) == NULL)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = &c->items[i];
        item->said = &r->confirmations.items[i];
        item->no = check_item(item);
        item->is_sent = item->no.reason != REASON_NONE;
        item->outcome = WIRE_RESULT_REFUSED;
    }
    next_book(call);
}

const struct rpc_method rpc_confirm_instructions = {
    .path = "/ujrat.settlement.v1.SettlementService/ConfirmInstructions",
    .roles = ROLE_BANK,
    .request = &wire_confirm_instructions_request_type,
    .handle = handle,
};
