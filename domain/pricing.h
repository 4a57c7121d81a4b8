/*
 * pricing.h: the one place where a payout gets its price.
 *
 *     fee              = fee_compute(gross)                                            source currency
 *     converted_source = gross − fee                                                   source currency
 *     mid_value        = half_even(converted_source × mid × 10^(digits_dst − digits_src))
 *     margin           = floor(mid_value × margin_bps / 10000)                         destination currency
 *     net              = mid_value − margin                                            destination currency
 *     our_rate         = half_even(mid × (10000 − margin_bps) / 10000)                 for display only
 *
 * mid is units of the destination currency for 1 of the source, an exact decimal of 10 digits
 * (mid.e10 / 10^10); amounts are in minor units. mid_value is rounded once, margin once (down, in the
 * freelancer's favour), net never: gross = fee + converted_source and mid_value = margin + net hold exactly.
 * A constraint in the schema checks the same formula in NUMERIC:
 *
 *     mid_value = half_even(converted_source * mid * 10::numeric ^ (digits_dst - digits_src))
 *     margin    = floor(mid_value * margin_bps / 10000.0)
 *
 * When source and destination are the same currency nothing is exchanged: mid is 1 and margin 0, whatever
 * the terms say.
 */
#ifndef UJRAT_DOMAIN_PRICING_H
#define UJRAT_DOMAIN_PRICING_H

#include "domain/fee.h"
#include "domain/money.h"
#include "domain/rate.h"
#include "domain/reason.h"

#include <stdint.h>

#define PRICING_MARGIN_BPS_MAX 9999

struct pricing_terms {
    uint16_t ccy_dst;
    rate_t mid;         /* not looked at when both currencies are the same */
    int32_t margin_bps; /* hundredths of a percent of mid_value, 0..PRICING_MARGIN_BPS_MAX */
    struct fee_schedule fee;
};

struct pricing {
    money_t gross;            /* source: taken from the float */
    money_t fee;              /* source: ours */
    money_t converted_source; /* source: gross − fee */
    money_t mid_value;        /* destination: what converted_source is worth at mid */
    money_t margin;           /* destination: ours */
    money_t net;              /* destination: what the freelancer gets */
    rate_t mid;
    rate_t our_rate;
    int32_t margin_bps; /* as applied: 0 in the same currency */
};

/* AMOUNT_ZERO, AMOUNT_NEGATIVE, AMOUNT_BELOW_FEE (fee takes all, or net would be zero), AMOUNT_OVERFLOW,
 * CURRENCY_UNKNOWN, RATE_MISSING (mid not above zero), FIELD_INVALID (margin or fee schedule out of range).
 * *out is written on success only. */
MUST_CHECK reason_t pricing_compute(money_t gross, const struct pricing_terms *terms,
                                    struct pricing *out);

/* Whether the numbers of a pricing (one read back from storage) follow from each other by the formula above.
 * The fee is taken as given. */
MUST_CHECK bool pricing_is_consistent(const struct pricing *pricing);

#endif
