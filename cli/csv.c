#include "cli/csv.h"

#include <string.h>

void csv_init(struct csv *csv, struct slice text)
{
    *csv = (struct csv){.rest = text};
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf")))
        csv->rest = slice_of(text.p + 3, text.len - 3);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One value from *in into *out (NUL put behind); both are moved on. In is at the comma or the end afterwards. */
static const char *take_value(const char **in, const char *end, char **out)
{
    const char *p = *in;
    char *o = *out;
    char *begin = o;

    while (p < end && is_blank(*p))
        p++;
    if (p < end && *p == '"') {
        for (p++;; p++) {
            if (p == end)
                return "a quote is not closed";
            if (*p == '"') {
                if (p + 1 == end || p[1] != '"')
                    break;
                p++;
            }
            *o++ = *p;
        }
        for (p++; p < end && is_blank(*p); p++)
            ;
        if (p < end && *p != ',')
            return "there is text after a closing quote";
    } else {
        while (p < end && *p != ',')
            *o++ = *p++;
        while (o > begin && is_blank(o[-1]))
            o--;
    }
    *o++ = '\0';
    *in = p;
    *out = o;
    return NULL;
}

static const char *take_record(struct csv *csv, struct slice line)
{
    const char *p = line.p;
    const char *end = line.p + line.len;
    char *out = csv->store;

    if (memchr(line.p, '\0', line.len) != NULL)
        return "there is a NUL byte in it";
    /* Each value takes at most its own bytes and the comma's, where its NUL goes. */
    if (line.len + 1 >= sizeof csv->store)
        return "the line is too long";
    csv->n = 0;
    for (;;) {
        const char *why;

        if (csv->n == CSV_COLUMNS_MAX)
            return "there are too many values";
        csv->values[csv->n++] = out;
        why = take_value(&p, end, &out);
        if (why != NULL)
            return why;
        if (p == end)
            return NULL;
        p++;
    }
}

enum csv_result csv_next(struct csv *csv, const char **why)
{
    struct slice line;

    while (slice_next_line(&csv->rest, &line)) {
        csv->line++;
        if (slice_trim(line).len == 0 || line.p[0] == '#')
            continue;
        *why = take_record(csv, line);
        return *why == NULL ? CSV_RECORD : CSV_BROKEN;
    }
    return CSV_END;
}

static char folded(char c)
{
    if (char_is_upper(c))
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

int csv_column(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->n; i++) {
        const char *a = csv->values[i];
        const char *b = name;

        while (*a != '\0' && folded(*a) == *b) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0')
            return (int)i;
    }
    return -1;
}
