/* GetPayout, GetPayoutByReference. */
#include "gateway/rpc/payout_get.h"

#include "domain/text.h"
#include "gateway/rpc/methods.h"

/* Columns of ledger/sql/payout_get.sql. */
enum {
    COL_ID,
    COL_REFERENCE,
    COL_STATE,
    COL_BOOK_CODE,
    COL_BANK_CODE,
    COL_BENEFICIARY_ID,
    COL_QUOTE_ID,
    COL_SRC_CCY,
    COL_DST_CCY,
    COL_GROSS,
    COL_FEE,
    COL_MID_RATE_E10,
    COL_MARGIN_BPS,
    COL_MARGIN,
    COL_NET,
    COL_RATE_SOURCE,
    COL_RATE_AS_OF,
    COL_INFO,
    COL_CREATED_AT,
    COL_UPDATED_AT,
    COL_REASON_CODE,
    COL_BANK_REFERENCE,
    COL_TAX_WITHHELD,
    COL_EPRC_NUMBER,
    COL_POLICY_ID,
};

static struct slice name_of(struct rpc_call *call, struct slice book_code, const char *collection,
                            int64_t id)
{
    return rpc_text(call, "platforms/%.*s/%s/%lld", SLICE_ARG(book_code), collection,
                    (long long)id);
}

bool payout_from_row(struct rpc_call *call, const struct rows *rows, int row,
                     struct wire_payout *out)
{
    struct slice book_code = rows_text(rows, row, COL_BOOK_CODE);
    int64_t quote_id = rows_int(rows, row, COL_QUOTE_ID);
    struct pricing_row pricing = {
        .src_ccy = (uint16_t)rows_int(rows, row, COL_SRC_CCY),
        .dst_ccy = (uint16_t)rows_int(rows, row, COL_DST_CCY),
        .gross = rows_int(rows, row, COL_GROSS),
        .fee = rows_int(rows, row, COL_FEE),
        .mid_rate_e10 = rows_int(rows, row, COL_MID_RATE_E10),
        .margin = rows_int(rows, row, COL_MARGIN),
        .net = rows_int(rows, row, COL_NET),
        .margin_bps = (int32_t)rows_int(rows, row, COL_MARGIN_BPS),
        .rate_source = rows_text(rows, row, COL_RATE_SOURCE),
        .rate_as_of_us = rows_time_us(rows, row, COL_RATE_AS_OF),
        .policy_id = (int32_t)rows_int(rows, row, COL_POLICY_ID),
    };
    struct pricing_text *text = rpc_alloc(call, 1, sizeof(*text));
    if (text == NULL)
        return false;
    *out = (struct wire_payout){
        .present = true,
        .name = name_of(call, book_code, "payouts", rows_int(rows, row, COL_ID)),
        .reference = rows_text(rows, row, COL_REFERENCE),
        .state = (int32_t)rows_int(rows, row, COL_STATE),
        .beneficiary =
            name_of(call, book_code, "beneficiaries", rows_int(rows, row, COL_BENEFICIARY_ID)),
        .bank_code = rows_text(rows, row, COL_BANK_CODE),
        .remittance_information = rows_text(rows, row, COL_INFO),
        .create_time = wire_time_of(rows_time_us(rows, row, COL_CREATED_AT)),
        .update_time = wire_time_of(rows_time_us(rows, row, COL_UPDATED_AT)),
        .reason_code = rows_text(rows, row, COL_REASON_CODE),
        .bank_reference = rows_text(rows, row, COL_BANK_REFERENCE),
        .eprc_number = rows_text(rows, row, COL_EPRC_NUMBER),
    };
    if (quote_id != 0)
        out->quote = name_of(call, book_code, "quotes", quote_id);
    if (!rows_is_null(rows, row, COL_TAX_WITHHELD))
        out->tax_withheld = wire_money_of(rows_int(rows, row, COL_TAX_WITHHELD), pricing.dst_ccy);
    wire_pricing_fill(&pricing, text, &out->pricing);
    return true;
}

static void on_payout(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        rpc_refuse(call, REASON_PAYOUT_NOT_FOUND, NULL);
        return;
    }
    struct wire_payout payout;
    if (payout_from_row(call, rows, 0, &payout))
        rpc_reply(call, &wire_payout_type, &payout);
}

void rpc_answer_payout(struct rpc_call *call, int64_t payout_id)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, payout_id);
    rpc_query(call, "payout_get", &params, on_payout);
}

static void handle_get(struct rpc_call *call, const void *request)
{
    const struct wire_get_payout_request *r = request;
    int64_t payout_id;
    reason_t reason = rpc_resource_id(call, r->name, "payouts", &payout_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "name");
        return;
    }
    rpc_answer_payout(call, payout_id);
}

static void handle_get_by_reference(struct rpc_call *call, const void *request)
{
    const struct wire_get_payout_by_reference_request *r = request;
    reason_t reason = text_check_reference(r->reference);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "reference");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, r->reference);
    rpc_query(call, "payout_get_by_reference", &params, on_payout);
}

const struct rpc_method rpc_get_payout = {
    .path = "/ujrat.payout.v1.PayoutService/GetPayout",
    .roles = ROLE_PLATFORM,
    .request = &wire_get_payout_request_type,
    .handle = handle_get,
};

const struct rpc_method rpc_get_payout_by_reference = {
    .path = "/ujrat.payout.v1.PayoutService/GetPayoutByReference",
    .roles = ROLE_PLATFORM,
    .request = &wire_get_payout_by_reference_request_type,
    .handle = handle_get_by_reference,
};
