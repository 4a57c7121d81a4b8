/* The text of an element becomes what message.h has for it, or is refused. */
#include "iso20022/reader_parts.h"

#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

#define PAKISTAN "+05:00"

static bool keep_text(struct reader *r, struct slice text, struct slice *out)
{
    struct pool *pool = r->in_item ? &r->item_pool : &r->group_pool;
    if (text.len > sizeof pool->bytes - pool->used)
        return fail(r, ISO_RULE_XML_TOO_LARGE, "its texts are over %d bytes", ISO_POOL_SIZE);
    memcpy(pool->bytes + pool->used, text.p, text.len);
    *out = slice_of(pool->bytes + pool->used, text.len);
    pool->used += text.len;
    return true;
}

static bool take_text(struct reader *r, const struct iso_element *e, struct slice text,
                      struct slice *out)
{
    size_t chars = 0;
    if (!r->text_cut && utf8_check(text, &chars) != UTF8_OK)
        return fail(r, ISO_RULE_NOT_TEXT, "%s", "");
    if (r->text_cut || (e->chars_max > 0 && chars > e->chars_max))
        return fail(r, ISO_RULE_TOO_LONG, "at most %u characters", (unsigned)e->chars_max);
    return keep_text(r, text, out);
}

static bool take_amount(struct reader *r, struct slice text, money_t *out)
{
    reason_t reason = REASON_NONE;
    if (r->ccy == 0)
        return fail(r, ISO_RULE_CURRENCY_UNKNOWN, "attribute Ccy");
    reason = money_parse(text, r->ccy, out);
    if (reason == REASON_NONE)
        return true;
    return fail(r, ISO_RULE_AMOUNT_SHAPE, "%s",
                reason == REASON_AMOUNT_OVERFLOW ? "it is too large" : ccy_alpha(r->ccy));
}

static bool is_offset(struct slice s)
{
    if (s.len == 1)
        return s.p[0] == 'Z';
    return s.len == 6 && (s.p[0] == '+' || s.p[0] == '-') && char_is_digit(s.p[1]) &&
           char_is_digit(s.p[2]) && s.p[3] == ':' && char_is_digit(s.p[4]) && char_is_digit(s.p[5]);
}

/* The day as it is written, whatever the offset behind it. */
static bool take_day(struct reader *r, struct slice text, int32_t *out)
{
    bool good = text.len >= 10 && !err_failed(timefmt_parse_date(slice_of(text.p, 10), out)) &&
                (text.len == 10 || is_offset(slice_of(text.p + 10, text.len - 10)));
    return (good && *out != 0) || fail(r, ISO_RULE_DATE, "2026-01-31 is one");
}

static bool take_time(struct reader *r, struct slice text, int64_t *out)
{
    char with_offset[64];
    bool has = text.len > 6 &&
               (text.p[text.len - 1] == 'Z' || is_offset(slice_of(text.p + text.len - 6, 6)));
    int n =
        snprintf(with_offset, sizeof with_offset, "%.*s%s", SLICE_ARG(text), has ? "" : PAKISTAN);
    if (n > 0 && (size_t)n < sizeof with_offset &&
        !err_failed(timefmt_parse_rfc3339(slice_of(with_offset, (size_t)n), out)) && *out != 0)
        return true;
    return fail(r, ISO_RULE_DATE, "2026-01-31T10:00:00+05:00 is one, with its time");
}

static bool take_day_of(struct reader *r, struct slice text, int32_t *out)
{
    int64_t us = 0;
    return take_time(r, text, &us) && take_day(r, slice_of(text.p, 10), out);
}

static bool take_bool(struct reader *r, struct slice text, bool *out)
{
    *out = slice_equal_str(text, "true") || slice_equal_str(text, "1");
    return *out || slice_equal_str(text, "false") || slice_equal_str(text, "0") ||
           fail(r, ISO_RULE_VALUE, "true or false");
}

static bool take_sign(struct reader *r, struct slice text, enum iso_sign *out)
{
    *out = slice_equal_str(text, "CRDT") ? ISO_CREDIT : ISO_DEBIT;
    return *out == ISO_CREDIT || slice_equal_str(text, "DBIT") ||
           fail(r, ISO_RULE_VALUE, "CRDT or DBIT");
}

static bool take_count(struct reader *r, struct slice text, uint64_t *out)
{
    bool good = text.len >= 1 && text.len <= 15 && !err_failed(str_parse_uint64(text, out));
    return good || fail(r, ISO_RULE_NUMBER, "%s", "");
}

/* What has no field: it must be what it always is. */
static bool take_fixed(struct reader *r, const struct iso_element *e, struct slice text)
{
    bool yes = false;
    if (e->type == ISO_CONSTANT)
        return slice_equal_str(text, e->words) || fail(r, ISO_RULE_VALUE, "only %s", e->words);
    return take_bool(r, text, &yes) &&
           (!yes || fail(r, ISO_RULE_VALUE, "true is not taken: name each transaction"));
}

/* Numbers and dates are what they are with blanks around them (XML Schema: whiteSpace is collapse); texts are not. */
static struct slice collapse(enum iso_type type, struct slice s)
{
    if (iso_type_is_text(type) && type != ISO_DECIMAL)
        return s;
    while (s.len > 0 && strchr(" \t\r\n", s.p[0]) != NULL) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) != NULL)
        s.len--;
    return s;
}

bool iso_reader_take_value(struct reader *r, const struct iso_element *e, void *out)
{
    struct slice text = collapse(e->type, slice_of(r->text, r->text_len));

    if (text.len == 0 && !r->text_cut)
        return fail(r, ISO_RULE_REQUIRED, "it is empty");
    if (iso_type_is_text(e->type))
        return take_text(r, e, text, out);
    if (r->text_cut)
        return fail(r, ISO_RULE_TOO_LONG, "%s", "");
    switch ((int)e->type) { /* those that are no text */
    case ISO_AMOUNT:
    case ISO_BALANCE:
        return take_amount(r, text, out);
    case ISO_DATE:
        return take_day(r, text, out);
    case ISO_DAY_OF:
        return take_day_of(r, text, out);
    case ISO_TIME:
        return take_time(r, text, out);
    case ISO_COUNT:
        return take_count(r, text, out);
    case ISO_SIGN:
        return take_sign(r, text, out);
    case ISO_BOOL:
        return take_bool(r, text, out);
    default: /* ISO_CONSTANT, ISO_NEVER */
        return take_fixed(r, e, text);
    }
}
