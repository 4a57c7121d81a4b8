#include "domain/rate.h"

reason_t rate_parse(struct slice text, rate_t *out)
{
    int64_t e10 = 0;
    if (decimal_parse(text, RATE_DIGITS, &e10) != REASON_NONE || e10 <= 0)
        return REASON_RATE_INVALID;
    *out = (rate_t){e10};
    return REASON_NONE;
}

const char *rate_format(rate_t rate, char out[RATE_TEXT_SIZE])
{
    (void)decimal_format_short(rate.e10, RATE_DIGITS, 4, out);
    return out;
}

reason_t rate_cross(rate_t a, rate_t b, rate_t *out)
{
    int64_t e10 = 0;
    if (a.e10 <= 0 || b.e10 <= 0)
        return REASON_RATE_INVALID;
    if (!round_div_int64((int128_t)a.e10 * RATE_ONE, b.e10, ROUND_HALF_EVEN, &e10) || e10 == 0)
        return REASON_RATE_INVALID;
    *out = (rate_t){e10};
    return REASON_NONE;
}
