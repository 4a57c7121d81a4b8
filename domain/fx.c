#include "domain/fx.h"

/* 10^(RATE_DIGITS - (digits_out - digits_in)), by digits_out - digits_in + CCY_DIGITS_MAX. */
static const int64_t divisors[2 * CCY_DIGITS_MAX + 1] = {
    100000000000000, 10000000000000, 1000000000000, 100000000000, 10000000000,
    1000000000,      100000000,      10000000,      1000000,
};

reason_t fx_convert(money_t in, rate_t rate, uint16_t ccy_out, enum rounding mode, money_t *out)
{
    const struct ccy *from = ccy_by_number(in.ccy);
    const struct ccy *to = ccy_by_number(ccy_out);
    if (from == NULL || to == NULL)
        return REASON_CURRENCY_UNKNOWN;
    if (rate.e10 <= 0)
        return REASON_RATE_INVALID;
    int64_t divisor = divisors[to->digits - from->digits + CCY_DIGITS_MAX];
    int64_t minor = 0;
    if (!round_div_int64((int128_t)in.minor * rate.e10, divisor, mode, &minor))
        return REASON_AMOUNT_OVERFLOW;
    *out = money_of(minor, ccy_out);
    return REASON_NONE;
}
