/*
 * str.h: slices of somebody else's bytes, strict number parsing, UTF-8.
 *
 * A slice owns nothing and is not NUL-terminated. {NULL, 0} is an empty slice. Nothing here allocates.
 */
#ifndef UJRAT_BASE_STR_H
#define UJRAT_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t len;
};

/* A slice over a string literal, usable in static initialisers. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* For printf: printf("%.*s", SLICE_ARG(s)). */
#define SLICE_ARG(s) (int)(s).len, ((s).p == NULL ? "" : (s).p)

static inline struct slice slice_of(const void *p, size_t len)
{
    return (struct slice){p, len};
}

/* NULL gives an empty slice. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    if (a.len != b.len || a.len == 0)
        return a.len == b.len;
    return a.p != NULL && b.p != NULL && memcmp(a.p, b.p, a.len) == 0;
}

static inline bool slice_equal_str(struct slice a, const char *b)
{
    return slice_equal(a, slice_str(b));
}

/* Order of the bytes; a shorter slice comes before one it begins. */
int slice_compare(struct slice a, struct slice b);
bool slice_starts_with(struct slice s, struct slice prefix);

/* Without the spaces and tabs at both ends. */
struct slice slice_trim(struct slice s);

/* Cuts at the first `separator`: true and *before, *after (separator in neither); false if there is none,
 * and then *before is all of s and *after is empty. */
bool slice_cut(struct slice s, char separator, struct slice *before, struct slice *after);

/* Takes the next line off *rest (without its LF or CRLF). False at the end. */
bool slice_next_line(struct slice *rest, struct slice *line);

/* Copies with a NUL behind. ERR_LIMIT if it does not fit, ERR_INVALID if the slice has a NUL in it. */
MUST_CHECK err_t slice_copy(struct slice s, char *out, size_t out_size);

/* ASCII only, whatever the locale. */
static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool char_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Decimal, optional '-', no '+', no blanks, nothing behind. ERR_PARSE, or ERR_LIMIT if it does not fit. */
MUST_CHECK err_t str_parse_int64(struct slice s, int64_t *out);
MUST_CHECK err_t str_parse_uint64(struct slice s, uint64_t *out);

/* Room for any int64_t or uint64_t in decimal and a NUL. */
#define STR_INT64_SIZE 21

/* Write in decimal with a NUL behind; return the length. Without stdio, so the domain may use them. */
size_t str_format_int64(int64_t value, char out[STR_INT64_SIZE]);
size_t str_format_uint64(uint64_t value, char out[STR_INT64_SIZE]);

enum utf8_fault {
    UTF8_OK = 0,
    UTF8_BROKEN, /* not UTF-8 by RFC 3629: stray or missing bytes, overlong, a surrogate, above U+10FFFF */
    UTF8_NUL,     /* U+0000 */
    UTF8_CONTROL, /* C0 (tab and newline too), DEL, C1, line and paragraph separators, bidi overrides */
};

/* What is wrong with s as one line of text for people; counts the code points if code_points is given. */
enum utf8_fault utf8_check(struct slice s, size_t *code_points);

/* Takes one code point off *s. Only for what utf8_check() calls UTF8_OK; U+FFFD for a broken byte. */
uint32_t utf8_next(struct slice *s);

/* Columns the text takes on a terminal: wide East Asian 2, combining marks 0. Good enough for tables. */
size_t utf8_width(struct slice s);

#endif
