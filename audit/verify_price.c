/* The arithmetic of docs/accounting.md, "Price and rounding", once more. */
#include "audit/verify_book.h"

__extension__ typedef __int128 wide_t;

#define BPS_MAX   9999
#define SHIFT_MAX 4

/* (gross − fee) × rate × 10^shift / 10^10, to the nearest; from the middle to the even one. */
static bool mid_value(const struct price *p, int64_t *out)
{
    static const int64_t powers[] = {1000000,       10000000,       100000000,
                                     1000000000,    10000000000,    100000000000,
                                     1000000000000, 10000000000000, 100000000000000};
    wide_t divisor = powers[SHIFT_MAX - p->digit_shift]; /* 10^(10 − shift) */
    wide_t product = (wide_t)(p->gross - p->fee) * p->mid_rate_e10;
    wide_t value = product / divisor;
    wide_t twice = product % divisor * 2;

    if (twice > divisor || (twice == divisor && (value & 1)))
        value++;
    if (value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

static bool differs(const char *name, int64_t want, int64_t have, const char **field,
                    int64_t *expected, int64_t *found)
{
    if (want == have)
        return false;
    *field = name;
    *expected = want;
    *found = have;
    return true;
}

bool price_holds(const struct price *p, const char **field, int64_t *expected, int64_t *found)
{
    int64_t mid = 0;
    struct {
        const char *name;
        int64_t value, low, high;
    } ranges[] = {
        {"gross", p->gross, 1, INT64_MAX},
        {"fee", p->fee, 0, p->gross > 0 ? p->gross - 1 : 0},
        {"mid_rate_e10", p->mid_rate_e10, 1, INT64_MAX},
        {"margin_bps", p->margin_bps, 0, BPS_MAX},
        {"digit_shift", p->digit_shift, -SHIFT_MAX, SHIFT_MAX},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high) {
            *field = ranges[i].name;
            *expected = ranges[i].value < ranges[i].low ? ranges[i].low : ranges[i].high;
            *found = ranges[i].value;
            return false;
        }
    if (!mid_value(p, &mid)) {
        *field = "mid_value";
        *expected = INT64_MAX;
        *found = p->mid_value;
        return false;
    }
    if (differs("mid_value", mid, p->mid_value, field, expected, found) ||
        differs("margin", (int64_t)((wide_t)mid * p->margin_bps / 10000), p->margin, field,
                expected, found) ||
        differs("net", mid - p->margin, p->net, field, expected, found))
        return false;
    if (p->net <= 0) {
        *field = "net";
        *expected = 1;
        *found = p->net;
        return false;
    }
    return true;
}
