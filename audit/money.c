#include "audit/money.h"

#include <assert.h>

#define WHOLE_DIGITS_MAX 30

__extension__ typedef unsigned __int128 wide_t;

/* The digits of a magnitude backwards, with the point and the separators among them. */
static const char *format(amount_t minor, unsigned digits, bool grouped, char out[AMOUNT_TEXT_SIZE])
{
    char reversed[AMOUNT_TEXT_SIZE];
    size_t n = 0;
    size_t o = 0;
    unsigned count = 0;
    bool negative = minor < 0;
    /* of the least of all numbers too */
    wide_t left = negative ? -(wide_t)minor : (wide_t)minor;

    assert(digits <= AMOUNT_DIGITS_MAX);
    while (left > 0 || count <= digits) {
        if (count == digits && digits > 0)
            reversed[n++] = '.';
        if (grouped && count > digits && (count - digits) % 3 == 0)
            reversed[n++] = ',';
        reversed[n++] = (char)('0' + (int)(left % 10));
        left /= 10;
        count++;
    }
    if (negative)
        out[o++] = '-';
    while (n > 0)
        out[o++] = reversed[--n];
    out[o] = '\0';
    return out;
}

const char *amount_plain(amount_t minor, unsigned digits, char out[AMOUNT_TEXT_SIZE])
{
    return format(minor, digits, false, out);
}

const char *amount_shown(amount_t minor, unsigned digits, char out[AMOUNT_TEXT_SIZE])
{
    return format(minor, digits, true, out);
}

bool amount_add(amount_t *sum, amount_t minor)
{
    amount_t result;

    if (__builtin_add_overflow(*sum, minor, &result))
        return false;
    *sum = result;
    return true;
}

static bool take_sign(struct slice *s)
{
    if (s->len == 0 || s->p[0] != '-')
        return false;
    s->p++;
    s->len--;
    return true;
}

/* Digits onto *value. */
static err_t take_digits(struct slice s, amount_t *value, unsigned *count)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!char_is_digit(s.p[i]))
            return err_make(ERR_PARSE, "not a number");
        if (++*count > WHOLE_DIGITS_MAX)
            return err_make(ERR_LIMIT, "a number of too many digits");
        *value = *value * 10 + (s.p[i] - '0');
    }
    return err_none();
}

err_t amount_parse_whole(struct slice s, amount_t *out)
{
    bool negative = take_sign(&s);
    amount_t value = 0;
    unsigned count = 0;
    err_t err = take_digits(s, &value, &count);

    if (!err_failed(err) && count == 0)
        err = err_make(ERR_PARSE, "not a number");
    if (!err_failed(err))
        *out = negative ? -value : value;
    return err;
}

/* "1,234": the first group of one to three digits, the others of three; or no separators at all. */
static err_t take_whole(struct slice s, amount_t *value, unsigned *count)
{
    struct slice group;
    bool first = true;
    bool more = true;
    bool grouped = memchr(s.p, ',', s.len) != NULL;

    while (more) {
        more = slice_cut(s, ',', &group, &s);
        if (group.len == 0 || (grouped && (first ? group.len > 3 : group.len != 3)))
            return err_make(ERR_PARSE, "not an amount");
        err_t err = take_digits(group, value, count);
        if (err_failed(err))
            return err;
        first = false;
    }
    return err_none();
}

err_t amount_parse(struct slice s, unsigned digits, amount_t *out)
{
    struct slice whole;
    struct slice decimals;
    bool negative = take_sign(&s);
    amount_t value = 0;
    unsigned count = 0;
    err_t err;

    assert(digits <= AMOUNT_DIGITS_MAX);
    if (s.len == 0)
        return err_make(ERR_PARSE, "not an amount");
    if (slice_cut(s, '.', &whole, &decimals) && decimals.len == 0)
        return err_make(ERR_PARSE, "not an amount");
    while (decimals.len > digits && decimals.p[decimals.len - 1] == '0')
        decimals.len--;
    if (decimals.len > digits)
        return err_make(ERR_PARSE, "more decimals than the currency has");
    err = take_whole(whole, &value, &count);
    if (!err_failed(err))
        err = take_digits(decimals, &value, &count);
    for (size_t i = decimals.len; i < digits && !err_failed(err); i++)
        value *= 10;
    if (!err_failed(err))
        *out = negative ? -value : value;
    return err;
}
