#include "settle/report.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 1200, LAST_LINE = 80 };

void report_init(struct report *r)
{
    *r = (struct report){0};
    buf_init(&r->text, REPORT_BYTES_MAX + LAST_LINE);
}

void report_deinit(struct report *r)
{
    buf_deinit(&r->text);
}

void report_reset(struct report *r)
{
    buf_reset(&r->text);
    r->lines_left_out = 0;
}

void report_line(struct report *r, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (buf_len(&r->text) + len + 1 > REPORT_BYTES_MAX ||
        err_failed(buf_append(&r->text, line, len)) ||
        err_failed(buf_append_char(&r->text, '\n')))
        r->lines_left_out++;
}

struct slice report_text(struct report *r)
{
    err_t err = err_none();
    if (r->lines_left_out > 0)
        err = buf_printf(&r->text, "... and %lld lines more\n", (long long)r->lines_left_out);
    r->lines_left_out = err_failed(err) ? r->lines_left_out : 0;
    return buf_slice(&r->text);
}
