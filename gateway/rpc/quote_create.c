/* CreateQuote: prices an amount and locks the price. */
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/quote_row.h"

void quote_row_read(const struct rows *rows, int row, struct quote_row *out)
{
    struct slice source = rows_text(rows, row, 12);
    *out = (struct quote_row){
        .quote_id = rows_int(rows, row, 0),
        .src_ccy = (uint16_t)rows_int(rows, row, 1),
        .dst_ccy = (uint16_t)rows_int(rows, row, 2),
        .digit_shift = (int16_t)rows_int(rows, row, 3),
        .rate_id = (int32_t)rows_int(rows, row, 4),
        .gross = rows_int(rows, row, 5),
        .fee = rows_int(rows, row, 6),
        .mid_rate_e10 = rows_int(rows, row, 7),
        .mid_value = rows_int(rows, row, 8),
        .margin = rows_int(rows, row, 9),
        .net = rows_int(rows, row, 10),
        .margin_bps = (int32_t)rows_int(rows, row, 11),
        .rate_as_of_us = rows_time_us(rows, row, 13),
        .created_us = rows_time_us(rows, row, 14),
        .expires_us = rows_time_us(rows, row, 15),
        .policy_id = (int32_t)rows_int(rows, row, 16),
    };
    if (err_failed(slice_copy(source, out->rate_source, sizeof(out->rate_source))))
        out->rate_source[0] = '\0';
}

static void on_quote(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    if (outcome == LEDGER_DONE && rows_count(rows) != 1) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
        return;
    }
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    struct quote_row row;
    struct pricing_text text;
    quote_row_read(rows, 0, &row);
    struct wire_quote quote = {
        .present = true,
        .name = rpc_resource_name(call, "quotes", row.quote_id),
        .create_time = wire_time_of(row.created_us),
        .expire_time = wire_time_of(row.expires_us),
    };
    wire_pricing_fill(&(struct pricing_row){.src_ccy = row.src_ccy,
                                            .dst_ccy = row.dst_ccy,
                                            .gross = row.gross,
                                            .fee = row.fee,
                                            .mid_rate_e10 = row.mid_rate_e10,
                                            .margin = row.margin,
                                            .net = row.net,
                                            .margin_bps = row.margin_bps,
                                            .rate_source = slice_str(row.rate_source),
                                            .rate_as_of_us = row.rate_as_of_us,
                                            .policy_id = row.policy_id},
                      &text, &quote.pricing);
    rpc_reply(call, &wire_quote_type, &quote);
}

static struct refusal check(const struct wire_create_quote_request *in)
{
    reason_t reason = text_check_reference(in->request_id);
    if (reason != REASON_NONE)
        return (struct refusal){reason, "request_id"};
    if (!in->gross.present)
        return (struct refusal){REASON_FIELD_REQUIRED, "gross"};
    if (in->gross.currency_code.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "gross.currency_code"};
    if (in->gross.minor_units <= 0)
        return (struct refusal){in->gross.minor_units == 0 ? REASON_AMOUNT_ZERO
                                                           : REASON_AMOUNT_NEGATIVE,
                                "gross.minor_units"};
    if (in->target_currency_code.len != 0 && ccy_by_alpha(in->target_currency_code) == NULL)
        return (struct refusal){REASON_CURRENCY_UNKNOWN, "target_currency_code"};
    /* Banks here are paid in rupees; others need accounts that no book has yet. */
    if (in->target_currency_code.len != 0 && !slice_equal(in->target_currency_code, SLICE("PKR")))
        return (struct refusal){REASON_CURRENCY_NOT_SUPPORTED, "target_currency_code"};
    return (struct refusal){REASON_NONE, NULL};
}

static void take_fingerprint(struct rpc_call *call, const struct wire_create_quote_request *in,
                             uint8_t out[FINGERPRINT_SIZE])
{
    char gross[STR_INT64_SIZE];
    struct slice target =
        in->target_currency_code.len == 0 ? SLICE("PKR") : in->target_currency_code;
    const struct slice fields[] = {in->request_id, in->gross.currency_code,
                                   slice_of(gross, str_format_int64(in->gross.minor_units, gross)),
                                   target};
    fingerprint_of(call->ctx->fingerprinter, "ujrat.quote.v1", fields,
                   sizeof(fields) / sizeof(fields[0]), out);
}

static void answer(struct rpc_call *call, int64_t quote_id)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, rpc_text(call, "{%lld}", (long long)quote_id));
    rpc_query(call, "quote_get", &params, on_quote);
    params_deinit(&params);
}

static void on_created(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason,
                           reason == REASON_REFERENCE_REUSED ? "request_id" : NULL);
    else
        answer(call, rows_int(rows, 0, 0));
}

static void create(struct rpc_call *call, const struct wire_create_quote_request *in,
                   const struct payout_pricer *pricer, const struct pricing *pricing,
                   const uint8_t fingerprint[FINGERPRINT_SIZE])
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_text(&params, in->request_id);
    params_add_text(&params, slice_of(fingerprint, FINGERPRINT_SIZE));
    params_add_int2(&params, (int16_t)pricer->ccy);
    params_add_int2(&params, (int16_t)pricer->terms.ccy_dst);
    params_add_int2(&params, pricer->digit_shift);
    params_add_int4(&params, pricer->rate_id);
    params_add_text(&params,
                    rpc_text(call, "{%lld,%lld,%lld,%lld,%lld,%lld}",
                             (long long)pricing->gross.minor, (long long)pricing->fee.minor,
                             (long long)pricing->mid.e10, (long long)pricing->mid_value.minor,
                             (long long)pricing->margin.minor, (long long)pricing->net.minor));
    params_add_int4(&params, pricing->margin_bps);
    params_add_int4(&params, (int32_t)call->ctx->config->quote_ttl_ms);
    params_add_int4(&params, pricer->policy_id);
    rpc_query(call, "quote_create", &params, on_created);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- no new quote can be made now */

struct refused {
    reason_t reason;
    const char *field;
};

static void on_earlier(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    const struct refused *refused = call->state;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else if (rows_count(rows) == 0)
        rpc_refuse(call, refused->reason, refused->field);
    else if (!rows_bool(rows, 0, 1))
        rpc_refuse(call, REASON_REFERENCE_REUSED, "request_id");
    else
        answer(call, rows_int(rows, 0, 0));
}

/* A retry of a call that made a quote is answered with it, whatever has become of rates and limits since. */
static void find_earlier(struct rpc_call *call, const struct wire_create_quote_request *in,
                         reason_t reason, const uint8_t fingerprint[FINGERPRINT_SIZE])
{
    struct refused *refused = rpc_alloc(call, 1, sizeof(*refused));
    if (refused == NULL)
        return;
    *refused = (struct refused){
        reason, payout_draft_field(reason, &(struct wire_submit_payout_request){.present = true})};
    call->state = refused;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, in->request_id);
    params_add_text(&params, slice_of(fingerprint, FINGERPRINT_SIZE));
    rpc_query(call, "quote_by_request", &params, on_earlier);
    params_deinit(&params);
}

static void create_quote(struct rpc_call *call, const void *request)
{
    const struct wire_create_quote_request *in = request;
    struct payout_pricer pricer;
    struct pricing pricing = {.margin_bps = 0};
    struct refusal no = check(in);
    if (no.reason != REASON_NONE) {
        rpc_refuse(call, no.reason, no.field);
        return;
    }
    payout_pricer_init(&pricer, call);
    reason_t reason = payout_pricer_aim(&pricer, in->gross.currency_code);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "gross.currency_code");
        return;
    }
    uint8_t fingerprint[FINGERPRINT_SIZE];
    take_fingerprint(call, in, fingerprint);
    reason = payout_pricer_price(&pricer, in->gross.minor_units, &pricing);
    if (reason == REASON_NONE)
        create(call, in, &pricer, &pricing, fingerprint);
    else
        find_earlier(call, in, reason, fingerprint);
}

const struct rpc_method rpc_create_quote = {
    .path = "/ujrat.payout.v1.PayoutService/CreateQuote",
    .roles = ROLE_PLATFORM,
    .request = &wire_create_quote_request_type,
    .handle = create_quote,
};
