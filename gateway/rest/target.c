#include "gateway/rest/target.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool target_decode(struct arena *arena, struct slice text, bool plus, struct slice *out)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '%') {
            const int high = i + 2 < text.len ? hex_digit(text.p[i + 1]) : -1;
            const int low = i + 2 < text.len ? hex_digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[n++] = c;
    }
    to[n] = '\0';
    *out = slice_of(to, n);
    enum utf8_fault fault = utf8_check(*out, NULL);
    return fault == UTF8_OK || fault == UTF8_CONTROL;
}

struct slice target_trim(struct slice path)
{
    while (path.len > 1) {
        const char last = path.p[path.len - 1];
        if (last != '/' && last != '&' && last != '?')
            break;
        path.len--;
    }
    return path;
}

/* The next segment off a path that begins with '/'. */
static bool next_segment(struct slice *rest, struct slice *segment)
{
    if (rest->len == 0 || rest->p[0] != '/')
        return false;
    const struct slice after = slice_of(rest->p + 1, rest->len - 1);
    struct slice tail;
    const bool more = slice_cut(after, '/', segment, &tail);
    *rest = more ? slice_of(segment->p + segment->len, after.len - segment->len)
                 : slice_of(after.p + after.len, 0);
    return true;
}

bool target_match(struct slice path, const char *pattern, struct slice *params, unsigned params_max)
{
    struct slice left = target_trim(path);
    struct slice want = slice_str(pattern);
    struct slice segment, wanted;
    unsigned n = 0;
    while (next_segment(&want, &wanted)) {
        if (!next_segment(&left, &segment) || segment.len == 0)
            return false;
        if (wanted.len > 0 && wanted.p[0] == '{') {
            if (n < params_max)
                params[n++] = segment;
        } else if (!slice_equal(segment, wanted)) {
            return false;
        }
    }
    return left.len == 0;
}

bool target_next(struct slice *rest, struct slice *name, struct slice *value)
{
    struct slice piece;
    while (rest->len > 0) {
        struct slice tail;
        (void)slice_cut(*rest, '&', &piece, &tail);
        *rest = tail;
        if (piece.len == 0)
            continue;
        (void)slice_cut(piece, '=', name, value);
        return true;
    }
    return false;
}

bool target_param(struct arena *arena, struct slice query, const char *name, struct slice *out)
{
    struct slice key, value, decoded;
    while (target_next(&query, &key, &value))
        if (target_decode(arena, key, true, &decoded) && slice_equal_str(decoded, name) &&
            target_decode(arena, value, true, out))
            return true;
    return false;
}
