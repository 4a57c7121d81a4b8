/*
 * fee.h: what we charge for a payout, in its source currency.
 *
 *     fee = fixed + floor(gross × bps / 10000), at least min, and at most max unless max is 0
 *
 * The proportional part is rounded down, in the freelancer's favour.
 */
#ifndef UJRAT_DOMAIN_FEE_H
#define UJRAT_DOMAIN_FEE_H

#include "domain/money.h"
#include "domain/reason.h"

#include <stdint.h>

struct fee_schedule {
    int64_t fixed_minor; /* >= 0 */
    int32_t bps;         /* hundredths of a percent of gross, 0..10000 */
    int64_t min_minor;   /* >= 0 */
    int64_t max_minor;   /* 0: no maximum; else >= min_minor */
};

/* FIELD_INVALID if the schedule is not as said above. */
MUST_CHECK reason_t fee_schedule_check(const struct fee_schedule *schedule);

/* gross.minor >= 0, else AMOUNT_NEGATIVE. FIELD_INVALID for the schedule, AMOUNT_OVERFLOW. The fee may be
 * more than gross: the caller decides (pricing_compute refuses). */
MUST_CHECK reason_t fee_compute(money_t gross, const struct fee_schedule *schedule, money_t *fee);

#endif
