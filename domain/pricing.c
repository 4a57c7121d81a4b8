#include "domain/pricing.h"

#include "domain/fx.h"

#include <assert.h>

#define BPS_ONE 10000

/* What follows from converted_source, mid and margin_bps: the destination side. */
static reason_t price_destination(struct pricing *p, uint16_t ccy_dst)
{
    reason_t reason =
        fx_convert(p->converted_source, p->mid, ccy_dst, ROUND_HALF_EVEN, &p->mid_value);
    if (reason != REASON_NONE)
        return reason;
    /* margin_bps is below one, so the margin is below mid_value, and the rate below mid: both fit. */
    int128_t margin = round_div((int128_t)p->mid_value.minor * p->margin_bps, BPS_ONE, ROUND_DOWN);
    int128_t our_rate =
        round_div((int128_t)p->mid.e10 * (BPS_ONE - p->margin_bps), BPS_ONE, ROUND_HALF_EVEN);
    p->margin = money_of((int64_t)margin, ccy_dst);
    p->our_rate = (rate_t){(int64_t)our_rate};
    return money_sub(p->mid_value, p->margin, &p->net);
}

reason_t pricing_compute(money_t gross, const struct pricing_terms *terms, struct pricing *out)
{
    reason_t reason = money_check_positive(gross);
    if (reason != REASON_NONE)
        return reason;
    if (ccy_by_number(terms->ccy_dst) == NULL)
        return REASON_CURRENCY_UNKNOWN;
    if (terms->margin_bps < 0 || terms->margin_bps > PRICING_MARGIN_BPS_MAX)
        return REASON_FIELD_INVALID;
    bool exchanged = gross.ccy != terms->ccy_dst;
    if (exchanged && terms->mid.e10 <= 0)
        return REASON_RATE_MISSING;
    struct pricing p = {.gross = gross};
    p.mid = exchanged ? terms->mid : (rate_t){RATE_ONE};
    p.margin_bps = exchanged ? terms->margin_bps : 0;
    reason = fee_compute(gross, &terms->fee, &p.fee);
    if (reason != REASON_NONE)
        return reason;
    if (p.fee.minor >= gross.minor)
        return REASON_AMOUNT_BELOW_FEE;
    reason = money_sub(gross, p.fee, &p.converted_source);
    if (reason != REASON_NONE)
        return reason;
    reason = price_destination(&p, terms->ccy_dst);
    if (reason != REASON_NONE)
        return reason;
    if (p.net.minor <= 0)
        return REASON_AMOUNT_BELOW_FEE;
    assert(pricing_is_consistent(&p));
    *out = p;
    return REASON_NONE;
}

bool pricing_is_consistent(const struct pricing *pricing)
{
    struct pricing again = *pricing;
    if (pricing->gross.minor <= 0 || pricing->fee.minor < 0 || pricing->margin_bps < 0 ||
        pricing->margin_bps > PRICING_MARGIN_BPS_MAX || pricing->net.minor <= 0)
        return false;
    if (pricing->gross.ccy == pricing->net.ccy &&
        (pricing->mid.e10 != RATE_ONE || pricing->margin_bps != 0))
        return false;
    return money_sub(pricing->gross, pricing->fee, &again.converted_source) == REASON_NONE &&
           again.converted_source.minor > 0 &&
           price_destination(&again, pricing->net.ccy) == REASON_NONE &&
           money_equal(again.converted_source, pricing->converted_source) &&
           money_equal(again.mid_value, pricing->mid_value) &&
           money_equal(again.margin, pricing->margin) && money_equal(again.net, pricing->net) &&
           again.our_rate.e10 == pricing->our_rate.e10;
}
