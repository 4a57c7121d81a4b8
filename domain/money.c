#include "domain/money.h"

#include <string.h>

reason_t money_add(money_t a, money_t b, money_t *out)
{
    int64_t sum = 0;
    if (a.ccy != b.ccy)
        return REASON_CURRENCY_MISMATCH;
    if (__builtin_add_overflow(a.minor, b.minor, &sum))
        return REASON_AMOUNT_OVERFLOW;
    *out = money_of(sum, a.ccy);
    return REASON_NONE;
}

reason_t money_sub(money_t a, money_t b, money_t *out)
{
    int64_t difference = 0;
    if (a.ccy != b.ccy)
        return REASON_CURRENCY_MISMATCH;
    if (__builtin_sub_overflow(a.minor, b.minor, &difference))
        return REASON_AMOUNT_OVERFLOW;
    *out = money_of(difference, a.ccy);
    return REASON_NONE;
}

reason_t money_neg(money_t a, money_t *out)
{
    return money_sub(money_of(0, a.ccy), a, out);
}

reason_t money_compare(money_t a, money_t b, int *order)
{
    if (a.ccy != b.ccy)
        return REASON_CURRENCY_MISMATCH;
    *order = a.minor < b.minor ? -1 : (a.minor > b.minor ? 1 : 0);
    return REASON_NONE;
}

reason_t money_check_positive(money_t a)
{
    if (ccy_by_number(a.ccy) == NULL)
        return REASON_CURRENCY_UNKNOWN;
    if (a.minor < 0)
        return REASON_AMOUNT_NEGATIVE;
    return a.minor == 0 ? REASON_AMOUNT_ZERO : REASON_NONE;
}

reason_t money_parse(struct slice text, uint16_t ccy, money_t *out)
{
    const struct ccy *info = ccy_by_number(ccy);
    if (info == NULL)
        return REASON_CURRENCY_UNKNOWN;
    int64_t minor = 0;
    reason_t reason = decimal_parse(text, info->digits, &minor);
    if (reason == REASON_NONE)
        *out = money_of(minor, ccy);
    return reason;
}

const char *money_format(money_t a, enum money_style style, char out[MONEY_TEXT_SIZE])
{
    const struct ccy *info = ccy_by_number(a.ccy);
    char number[DECIMAL_SIZE];
    char thousands = ((unsigned)style & MONEY_THOUSANDS) != 0 ? ',' : 0;
    size_t n = decimal_format(a.minor, info == NULL ? 0 : info->digits, thousands, number);
    size_t at = 0;
    if (((unsigned)style & MONEY_CODE) != 0) {
        memcpy(out, ccy_alpha(a.ccy), 3);
        out[3] = ' ';
        at = 4;
    }
    memcpy(out + at, number, n + 1);
    return out;
}
