#include "domain/decimal.h"

#include <assert.h>

#define TEXT_BYTES_MAX 64

/* What a decimal text says, before it is known whether that is allowed. */
struct reading {
    bool negative;
    bool fits;
    uint64_t magnitude;  /* scaled */
    size_t dropped;      /* decimals past the wanted ones */
    unsigned first_drop; /* the first of them */
    bool more_drop;      /* any after the first is not zero */
};

static bool take_digit(struct slice *s, unsigned *digit)
{
    if (s->len == 0 || !char_is_digit(s->p[0]))
        return false;
    *digit = (unsigned)(s->p[0] - '0');
    s->p++;
    s->len--;
    return true;
}

static void append_digit(struct reading *r, unsigned digit)
{
    r->fits = r->fits && !__builtin_mul_overflow(r->magnitude, 10U, &r->magnitude) &&
              !__builtin_add_overflow(r->magnitude, digit, &r->magnitude);
}

static bool read_decimal(struct slice s, unsigned digits, struct reading *r)
{
    *r = (struct reading){.fits = true};
    unsigned digit = 0;
    if (s.len == 0 || s.len > TEXT_BYTES_MAX)
        return false;
    if (s.p[0] == '-') {
        r->negative = true;
        s.p++;
        s.len--;
    }
    if (!take_digit(&s, &digit))
        return false;
    do
        append_digit(r, digit);
    while (take_digit(&s, &digit));
    unsigned decimals = 0;
    if (s.len > 0) {
        if (s.p[0] != '.' || s.len == 1)
            return false;
        s.p++;
        s.len--;
        while (take_digit(&s, &digit)) {
            if (decimals < digits) {
                append_digit(r, digit);
                decimals++;
            } else if (r->dropped++ == 0) {
                r->first_drop = digit;
            } else {
                r->more_drop = r->more_drop || digit != 0;
            }
        }
    }
    for (; decimals < digits; decimals++)
        append_digit(r, 0);
    return s.len == 0;
}

static bool rounds_away(const struct reading *r, enum rounding mode)
{
    switch (mode) {
    case ROUND_HALF_EVEN:
        return r->first_drop > 5 ||
               (r->first_drop == 5 && (r->more_drop || (r->magnitude & 1) != 0));
    case ROUND_HALF_UP:
        return r->first_drop >= 5;
    case ROUND_DOWN:
        return false;
    case ROUND_UP:
        return r->first_drop > 0 || r->more_drop;
    }
    return false;
}

static reason_t finish(const struct reading *r, int64_t *out)
{
    if (!r->fits || r->magnitude > (uint64_t)INT64_MAX + (r->negative ? 1U : 0U))
        return REASON_AMOUNT_OVERFLOW;
    *out = (int64_t)(r->negative ? 0 - r->magnitude : r->magnitude);
    return REASON_NONE;
}

reason_t decimal_parse(struct slice s, unsigned digits, int64_t *out)
{
    assert(digits <= DECIMAL_DIGITS_MAX);
    struct reading r;
    if (!read_decimal(s, digits, &r) || r.dropped > 0)
        return REASON_AMOUNT_INVALID;
    return finish(&r, out);
}

reason_t decimal_parse_round(struct slice s, unsigned digits, enum rounding mode, int64_t *out)
{
    assert(digits <= DECIMAL_DIGITS_MAX);
    struct reading r;
    if (!read_decimal(s, digits, &r))
        return REASON_AMOUNT_INVALID;
    if (rounds_away(&r, mode))
        r.fits = r.fits && !__builtin_add_overflow(r.magnitude, 1U, &r.magnitude);
    return finish(&r, out);
}

size_t decimal_format(int64_t value, unsigned digits, char thousands, char out[DECIMAL_SIZE])
{
    assert(digits <= DECIMAL_DIGITS_MAX);
    /* Written from the right; the longest is 1 sign, 19 digits, 6 separators, 1 point. */
    char reversed[DECIMAL_SIZE];
    size_t n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (unsigned i = 0; i < digits; i++, rest /= 10)
        reversed[n++] = (char)('0' + (int)(rest % 10));
    if (digits > 0)
        reversed[n++] = '.';
    unsigned whole = 0;
    do {
        if (thousands != 0 && whole > 0 && whole % 3 == 0)
            reversed[n++] = thousands;
        reversed[n++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        whole++;
    } while (rest != 0);
    if (value < 0)
        reversed[n++] = '-';
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = '\0';
    return n;
}

size_t decimal_format_short(int64_t value, unsigned digits, unsigned decimals_min,
                            char out[DECIMAL_SIZE])
{
    size_t n = decimal_format(value, digits, 0, out);
    for (unsigned decimals = digits; decimals > decimals_min && out[n - 1] == '0'; decimals--)
        n--;
    if (out[n - 1] == '.')
        n--;
    out[n] = '\0';
    return n;
}
