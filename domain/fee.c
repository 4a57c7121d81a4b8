#include "domain/fee.h"

#define BPS_ONE 10000

reason_t fee_schedule_check(const struct fee_schedule *schedule)
{
    bool sound = schedule->fixed_minor >= 0 && schedule->bps >= 0 && schedule->bps <= BPS_ONE &&
                 schedule->min_minor >= 0 && schedule->max_minor >= 0 &&
                 (schedule->max_minor == 0 || schedule->max_minor >= schedule->min_minor);
    return sound ? REASON_NONE : REASON_FIELD_INVALID;
}

reason_t fee_compute(money_t gross, const struct fee_schedule *schedule, money_t *fee)
{
    reason_t reason = fee_schedule_check(schedule);
    if (reason != REASON_NONE)
        return reason;
    if (gross.minor < 0)
        return REASON_AMOUNT_NEGATIVE;
    int64_t minor = 0;
    /* At most gross, as bps is at most one: always fits. */
    int64_t part = (int64_t)round_div((int128_t)gross.minor * schedule->bps, BPS_ONE, ROUND_DOWN);
    if (__builtin_add_overflow(schedule->fixed_minor, part, &minor)) {
        if (schedule->max_minor == 0)
            return REASON_AMOUNT_OVERFLOW;
        minor = schedule->max_minor;
    }
    if (minor < schedule->min_minor)
        minor = schedule->min_minor;
    if (schedule->max_minor != 0 && minor > schedule->max_minor)
        minor = schedule->max_minor;
    *fee = money_of(minor, gross.ccy);
    return REASON_NONE;
}
