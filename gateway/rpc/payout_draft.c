#include "gateway/rpc/payout_draft.h"

#include <string.h>

#include "base/clock.h"
#include "domain/text.h"

enum { INFO_CHARS_MAX = 140 };

static struct refusal at(reason_t reason, const char *field)
{
    return (struct refusal){reason, reason == REASON_NONE ? NULL : field};
}

/* ---------------------------------------------------------------- prices */

void payout_pricer_init_book(struct payout_pricer *pricer, const struct rpc_ctx *ctx,
                             int32_t book_id)
{
    *pricer = (struct payout_pricer){
        .registry = ctx->registry,
        .book_id = book_id,
        .now_us = clock_realtime_us(),
        .rate_age_max_us = ctx->config->rate_age_max_ms * US_PER_MS,
    };
}

void payout_pricer_init(struct payout_pricer *pricer, const struct rpc_call *call)
{
    payout_pricer_init_book(pricer, call->ctx, call->principal.book_id);
}

/* Accounts the lines go to; what the book does not have leaves a zero, and the ledger then has no such lines. */
static void find_accounts(struct payout_pricer *p, uint16_t src, uint16_t dst)
{
    const struct registry *r = p->registry;
    p->accounts = (struct payout_accounts){
        .float_src = registry_account(r, p->book_id, ACCOUNT_FLOAT, src, 0),
        .fee_income_src = registry_account(r, p->book_id, ACCOUNT_FEE, src, 0),
        .position_src = registry_account(r, p->book_id, ACCOUNT_POSITION, src, 0),
        .position_dst = registry_account(r, p->book_id, ACCOUNT_POSITION, dst, 0),
        .margin_income_dst = registry_account(r, p->book_id, ACCOUNT_MARGIN, dst, 0),
        .payable_bank_dst = LEDGER_ACCOUNT_PAYABLE,
    };
}

static bool has_accounts(const struct payout_pricer *p)
{
    const struct payout_accounts *a = &p->accounts;
    return a->float_src != 0 && a->fee_income_src != 0 && a->position_src != 0 &&
           a->position_dst != 0 && a->margin_income_dst != 0;
}

/* The policy's, unless the daemon's own bound is stricter. */
static int64_t rate_age_max_us(const struct payout_pricer *p)
{
    int64_t s = policy_value(registry_rules(p->registry), POLICY_RATE_AGE_MAX, SLICE(""), 0, 0);
    return s == 0 || s > p->rate_age_max_us / US_PER_SEC ? p->rate_age_max_us : s * US_PER_SEC;
}

static reason_t find_terms(struct payout_pricer *p)
{
    uint16_t dst = CCY_PKR;
    const struct registry_rates *rates = registry_rates(p->registry);
    struct policy_terms terms;
    find_accounts(p, p->ccy, dst);
    if (!registry_terms(p->registry, p->book_id, p->ccy, &terms) || !has_accounts(p))
        return REASON_CURRENCY_NOT_SUPPORTED;
    p->gross_max = terms.payout_max_minor;
    p->policy_id = registry_policy_id(p->registry);
    p->terms =
        (struct pricing_terms){.ccy_dst = dst, .margin_bps = terms.margin_bps, .fee = terms.fee};
    p->digit_shift = (int16_t)(ccy_by_number(dst)->digits - ccy_by_number(p->ccy)->digits);
    if (rates == NULL)
        return REASON_RATE_MISSING;
    p->rate_id = rates->rate_id;
    if (p->ccy == dst) {
        p->terms.mid = (rate_t){RATE_ONE};
        return REASON_NONE;
    }
    reason_t reason = rate_sheet_mid(&rates->sheet, p->ccy, dst, &p->terms.mid);
    if (reason != REASON_NONE)
        return reason;
    return p->now_us - rates->as_of_us > rate_age_max_us(p) ? REASON_RATE_STALE : REASON_NONE;
}

reason_t payout_pricer_aim(struct payout_pricer *p, struct slice currency_code)
{
    if (currency_code.len == 3 && memcmp(currency_code.p, p->code, 3) == 0)
        return REASON_NONE;
    const struct ccy *ccy = ccy_by_alpha(currency_code);
    if (ccy == NULL)
        return REASON_CURRENCY_UNKNOWN;
    memcpy(p->code, ccy->alpha, sizeof(p->code));
    p->ccy = ccy->number;
    p->refusal = find_terms(p);
    return REASON_NONE;
}

reason_t payout_pricer_price(struct payout_pricer *p, int64_t gross_minor, struct pricing *out)
{
    if (p->refusal != REASON_NONE)
        return p->refusal;
    if (gross_minor > p->gross_max)
        return REASON_AMOUNT_OVER_LIMIT;
    return pricing_compute(money_of(gross_minor, p->ccy), &p->terms, out);
}

static void fill_numbers(const struct pricing *pricing, struct payout_draft *draft)
{
    draft->fee = pricing->fee.minor;
    draft->mid_rate_e10 = pricing->mid.e10;
    draft->mid_value = pricing->mid_value.minor;
    draft->margin = pricing->margin.minor;
    draft->net = pricing->net.minor;
    draft->margin_bps = pricing->margin_bps;
    draft->src_ccy = (int16_t)pricing->gross.ccy;
    draft->dst_ccy = (int16_t)pricing->net.ccy;
}

void payout_draft_price(struct payout_pricer *p, struct slice currency_code,
                        struct payout_draft *draft)
{
    struct pricing pricing;
    reason_t reason = payout_pricer_aim(p, currency_code);
    if (reason == REASON_NONE)
        reason = payout_pricer_price(p, draft->gross, &pricing);
    if (reason != REASON_NONE) {
        if (draft->refusal == REASON_NONE)
            draft->refusal = reason;
        return;
    }
    fill_numbers(&pricing, draft);
    draft->rate_id = p->rate_id;
    draft->policy_id = p->policy_id;
    draft->digit_shift = p->digit_shift;
    journal_payout(&pricing, &p->accounts, &draft->journal);
}

static reason_t take_quote(struct payout_pricer *p, const struct quote_row *q,
                           struct slice currency_code, struct payout_draft *draft)
{
    if (q == NULL)
        return REASON_QUOTE_NOT_FOUND;
    reason_t reason = payout_pricer_aim(p, currency_code);
    if (reason != REASON_NONE)
        return reason;
    if (q->src_ccy != p->ccy || q->gross != draft->gross)
        return REASON_QUOTE_MISMATCH;
    find_accounts(p, q->src_ccy, q->dst_ccy);
    if (!has_accounts(p))
        return REASON_CURRENCY_NOT_SUPPORTED;
    struct pricing pricing = {
        .gross = money_of(q->gross, q->src_ccy),
        .fee = money_of(q->fee, q->src_ccy),
        .converted_source = money_of(q->gross - q->fee, q->src_ccy),
        .mid_value = money_of(q->mid_value, q->dst_ccy),
        .margin = money_of(q->margin, q->dst_ccy),
        .net = money_of(q->net, q->dst_ccy),
        .mid = {q->mid_rate_e10},
        .margin_bps = q->margin_bps,
    };
    fill_numbers(&pricing, draft);
    draft->rate_id = q->rate_id;
    draft->policy_id = q->policy_id;
    draft->digit_shift = q->digit_shift;
    journal_payout(&pricing, &p->accounts, &draft->journal);
    return REASON_NONE;
}

void payout_draft_quote(struct payout_pricer *p, const struct quote_row *q,
                        struct slice currency_code, struct payout_draft *draft)
{
    reason_t reason = take_quote(p, q, currency_code, draft);
    if (draft->refusal == REASON_NONE)
        draft->refusal = reason;
    if (reason != REASON_NONE)
        draft->quote_id = 0;
}

/* ---------------------------------------------------------------- the request itself */

static struct refusal check_gross(const struct wire_money *gross)
{
    if (!gross->present)
        return at(REASON_FIELD_REQUIRED, "gross");
    if (gross->currency_code.len == 0)
        return at(REASON_FIELD_REQUIRED, "gross.currency_code");
    if (gross->minor_units <= 0)
        return at(gross->minor_units == 0 ? REASON_AMOUNT_ZERO : REASON_AMOUNT_NEGATIVE,
                  "gross.minor_units");
    return at(REASON_NONE, NULL);
}

static const char *details_field(const char *field)
{
    static const char *const paths[] = {
        "beneficiary_details.display_name", "beneficiary_details.iban",
        "beneficiary_details.mobile_alias", "beneficiary_details.bank_code",
        "beneficiary_details.cnic",         "beneficiary_details.pseb_registration",
        "beneficiary_details.channel",      "beneficiary_details.purpose_code"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(strchr(paths[i], '.') + 1, field) == 0)
            return paths[i];
    return "beneficiary_details";
}

static struct refusal check_beneficiary(struct rpc_call *call,
                                        const struct wire_submit_payout_request *in,
                                        struct payout_draft *draft)
{
    if (in->beneficiary.len == 0 && !in->beneficiary_details.present)
        return at(REASON_FIELD_REQUIRED, "beneficiary");
    if (in->beneficiary.len != 0 && in->beneficiary_details.present)
        return at(REASON_FIELD_CONFLICT, "beneficiary_details");
    if (in->beneficiary.len != 0)
        return at(rpc_resource_id(call, in->beneficiary, "beneficiaries", &draft->beneficiary_id),
                  "beneficiary");
    struct beneficiary_text *text = arena_alloc(&call->arena, sizeof(*text));
    if (text == NULL)
        return at(REASON_MESSAGE_TOO_LARGE, "beneficiary_details");
    struct refusal no = beneficiary_details_check(&in->beneficiary_details, text);
    if (no.reason != REASON_NONE)
        return at(no.reason, details_field(no.field));
    draft->refusal = beneficiary_bank(call->ctx->registry, &in->beneficiary_details, text);
    if (draft->refusal == REASON_NONE)
        draft->refusal = beneficiary_purpose(call->ctx->registry, text);
    beneficiary_fingerprint(call->ctx->fingerprinter, text);
    draft->carried = &text->draft;
    return at(beneficiary_seal(call->ctx->pii, &call->arena, text), "beneficiary_details");
}

static reason_t take_fingerprint(struct rpc_call *call, const struct wire_submit_payout_request *in,
                                 struct payout_draft *draft)
{
    const struct wire_beneficiary_details *d = &in->beneficiary_details;
    uint8_t *fingerprint = arena_alloc(&call->arena, FINGERPRINT_SIZE);
    char gross[8], channel[4];
    if (fingerprint == NULL)
        return REASON_MESSAGE_TOO_LARGE;
    for (unsigned i = 0; i < sizeof(gross); i++)
        gross[i] = (char)((uint64_t)in->gross.minor_units >> (56 - 8 * i));
    for (unsigned i = 0; i < sizeof(channel); i++)
        channel[i] = (char)((uint32_t)d->channel >> (24 - 8 * i));
    const struct slice fields[] = {in->reference,
                                   in->gross.currency_code,
                                   slice_of(gross, sizeof(gross)),
                                   in->beneficiary,
                                   d->display_name,
                                   d->iban,
                                   d->mobile_alias,
                                   d->bank_code,
                                   d->cnic,
                                   d->pseb_registration,
                                   slice_of(channel, sizeof(channel)),
                                   d->purpose_code,
                                   in->quote,
                                   in->remittance_information};
    fingerprint_of(call->ctx->fingerprinter, "ujrat.payout.v1", fields,
                   sizeof(fields) / sizeof(fields[0]), fingerprint);
    draft->fingerprint = slice_of(fingerprint, FINGERPRINT_SIZE);
    return REASON_NONE;
}

struct refusal payout_draft_check(struct rpc_call *call,
                                  const struct wire_submit_payout_request *in,
                                  struct payout_draft *draft)
{
    *draft = (struct payout_draft){0};
    reason_t reason = text_check_reference(in->reference);
    if (reason != REASON_NONE)
        return at(reason, "reference");
    struct refusal no = check_gross(&in->gross);
    if (no.reason != REASON_NONE)
        return no;
    no = check_beneficiary(call, in, draft);
    if (no.reason != REASON_NONE)
        return no;
    if (in->quote.len != 0 &&
        (reason = rpc_resource_id(call, in->quote, "quotes", &draft->quote_id)) != REASON_NONE)
        return at(reason, "quote");
    reason = text_check(in->remittance_information, INFO_CHARS_MAX);
    if (reason != REASON_NONE)
        return at(reason, "remittance_information");
    draft->reference = in->reference;
    draft->info = in->remittance_information;
    draft->gross = in->gross.minor_units;
    return at(take_fingerprint(call, in, draft), NULL);
}

const char *payout_draft_field(reason_t reason, const struct wire_submit_payout_request *in)
{
    bool by_alias = in->beneficiary_details.present && in->beneficiary_details.iban.len == 0;
    if (reason == REASON_REFERENCE_REUSED)
        return "reference";
    if (reason == REASON_IBAN_BANK_UNKNOWN || reason == REASON_BANK_NOT_CONNECTED)
        return !in->beneficiary_details.present ? "beneficiary"
               : by_alias                       ? "beneficiary_details.bank_code"
                                                : "beneficiary_details.iban";
    if (reason == REASON_PURPOSE_CODE_UNKNOWN)
        return "beneficiary_details.purpose_code";
    if (reason == REASON_BENEFICIARY_NOT_FOUND || reason == REASON_BENEFICIARY_DISABLED)
        return "beneficiary";
    if (reason == REASON_CURRENCY_UNKNOWN || reason == REASON_CURRENCY_NOT_SUPPORTED ||
        (reason >= REASON_RATE_MISSING && reason <= REASON_RATE_INVALID))
        return "gross.currency_code";
    if (reason >= REASON_QUOTE_NOT_FOUND && reason <= REASON_QUOTE_MISMATCH)
        return "quote";
    if (reason >= REASON_AMOUNT_ZERO && reason <= REASON_INSUFFICIENT_FLOAT)
        return "gross.minor_units";
    return NULL;
}
