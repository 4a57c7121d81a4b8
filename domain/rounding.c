#include "domain/rounding.h"

#include <assert.h>

/* Whether a quotient cut towards zero must step away from it. rest is below divisor, both at least 0. */
static bool steps_away(int128_t rest, int128_t divisor, bool odd, enum rounding mode)
{
    switch (mode) {
    case ROUND_HALF_EVEN:
        return rest > divisor - rest || (rest == divisor - rest && odd);
    case ROUND_HALF_UP:
        return rest >= divisor - rest;
    case ROUND_DOWN:
        return false;
    case ROUND_UP:
        return rest > 0;
    }
    return false;
}

int128_t round_div(int128_t value, int128_t divisor, enum rounding mode)
{
    assert(divisor > 0);
    int128_t quotient;
    int128_t rest;
    if (value == (int64_t)value &&
        divisor == (int64_t)divisor) { /* the common case, and far cheaper */
        quotient = (int64_t)value / (int64_t)divisor;
        rest = (int64_t)value % (int64_t)divisor;
    } else {
        quotient = value / divisor;
        rest = value - quotient * divisor;
    }
    bool odd = ((unsigned)quotient & 1U) != 0;
    if (!steps_away(rest < 0 ? -rest : rest, divisor, odd, mode))
        return quotient;
    return value < 0 ? quotient - 1 : quotient + 1;
}

bool round_div_int64(int128_t value, int128_t divisor, enum rounding mode, int64_t *out)
{
    int128_t quotient = round_div(value, divisor, mode);
    if (quotient != (int64_t)quotient)
        return false;
    *out = (int64_t)quotient;
    return true;
}
