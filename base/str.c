#include "base/str.h"

#include <assert.h>

int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len == b.len ? 0 : (a.len < b.len ? -1 : 1);
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal(slice_of(s.p, prefix.len), prefix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool slice_cut(struct slice s, char separator, struct slice *before, struct slice *after)
{
    const char *at = s.len == 0 ? NULL : memchr(s.p, separator, s.len);
    if (at == NULL) {
        *before = s;
        *after = slice_of(NULL, 0);
        return false;
    }
    size_t n = (size_t)(at - s.p);
    *before = slice_of(s.p, n);
    *after = slice_of(at + 1, s.len - n - 1);
    return true;
}

bool slice_next_line(struct slice *rest, struct slice *line)
{
    if (rest->len == 0)
        return false;
    (void)slice_cut(*rest, '\n', line, rest);
    if (line->len > 0 && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

err_t slice_copy(struct slice s, char *out, size_t out_size)
{
    if (s.len >= out_size)
        return err_make(ERR_LIMIT, "text too long");
    if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)
        return err_make(ERR_INVALID, "NUL in text");
    if (s.len > 0)
        memcpy(out, s.p, s.len);
    out[s.len] = '\0';
    return err_none();
}

err_t str_parse_uint64(struct slice s, uint64_t *out)
{
    if (s.len == 0)
        return err_make(ERR_PARSE, "no number");
    uint64_t value = 0;
    bool fits = true;
    for (size_t i = 0; i < s.len; i++) {
        if (!char_is_digit(s.p[i]))
            return err_make(ERR_PARSE, "not a number");
        unsigned digit = (unsigned)(s.p[i] - '0');
        fits = fits && !__builtin_mul_overflow(value, 10U, &value) &&
               !__builtin_add_overflow(value, digit, &value);
    }
    if (!fits)
        return err_make(ERR_LIMIT, "number too large");
    *out = value;
    return err_none();
}

err_t str_parse_int64(struct slice s, int64_t *out)
{
    bool negative = s.len > 0 && s.p[0] == '-';
    if (negative) {
        s.p++;
        s.len--;
    }
    uint64_t magnitude = 0;
    err_t err = str_parse_uint64(s, &magnitude);
    if (err_failed(err))
        return err;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1U : 0U))
        return err_make(ERR_LIMIT, "number too large");
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return err_none();
}

size_t str_format_uint64(uint64_t value, char out[STR_INT64_SIZE])
{
    char reversed[STR_INT64_SIZE];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = '\0';
    return n;
}

size_t str_format_int64(int64_t value, char out[STR_INT64_SIZE])
{
    if (value >= 0)
        return str_format_uint64((uint64_t)value, out);
    char digits[STR_INT64_SIZE];
    size_t n = str_format_uint64(0 - (uint64_t)value, digits);
    out[0] = '-';
    memcpy(out + 1, digits, n + 1); /* 19 digits at most: fits */
    return n + 1;
}

/* Length of the sequence a byte begins, 0 if it begins none (RFC 3629: no C0, C1, F5 and up). */
static size_t utf8_sequence_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

/* Decodes one sequence; returns its length, 0 if it is broken. */
static size_t utf8_decode(struct slice s, uint32_t *code)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (s.len == 0)
        return 0;
    unsigned char lead = (unsigned char)s.p[0];
    size_t n = utf8_sequence_len(lead);
    if (n <= 1) {
        *code = lead;
        return n;
    }
    if (n > s.len)
        return 0;
    uint32_t value = lead & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c & 0xC0U) != 0x80U)
            return 0;
        value = (value << 6) | (c & 0x3FU);
    }
    if (value < smallest[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return n;
}

/* Control characters by any name that could break a line or turn its direction around. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

enum utf8_fault utf8_check(struct slice s, size_t *code_points)
{
    enum utf8_fault fault = UTF8_OK;
    size_t count = 0;
    while (s.len > 0) {
        uint32_t code = 0;
        size_t n = utf8_decode(s, &code);
        if (n == 0)
            return UTF8_BROKEN;
        if (code == 0)
            fault = UTF8_NUL;
        else if (fault == UTF8_OK && is_control(code))
            fault = UTF8_CONTROL;
        s.p += n;
        s.len -= n;
        count++;
    }
    if (code_points != NULL)
        *code_points = count;
    return fault;
}

uint32_t utf8_next(struct slice *s)
{
    assert(s->len > 0);
    uint32_t code = 0;
    size_t n = utf8_decode(*s, &code);
    if (n == 0) {
        n = 1;
        code = 0xFFFD;
    }
    s->p += n;
    s->len -= n;
    return code;
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Blocks of Unicode whose characters take no column: combining marks (Latin, Cyrillic, Hebrew, Arabic and
 * its extensions, Devanagari signs), joiners, variation selectors. */
static const struct range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8}, {0x06EA, 0x06ED},
    {0x08D3, 0x08FF}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF},
};

/* East Asian Wide and Fullwidth, and pictographs. */
static const struct range two_columns[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x2FFFD}, {0x30000, 0x3FFFD},
};

size_t utf8_width(struct slice s)
{
    size_t width = 0;
    while (s.len > 0) {
        uint32_t code = utf8_next(&s);
        if (code < 0x300)
            width += 1;
        else if (in_ranges(code, zero_width, sizeof zero_width / sizeof zero_width[0]))
            width += 0;
        else
            width +=
                in_ranges(code, two_columns, sizeof two_columns / sizeof two_columns[0]) ? 2 : 1;
    }
    return width;
}
