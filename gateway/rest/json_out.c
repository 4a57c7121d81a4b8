#include "gateway/rest/json_out.h"

#include <string.h>

#include "base/timefmt.h"
#include "domain/money.h"

static void put(struct json_out *o, const void *p, size_t len)
{
    if (!o->failed && err_failed(buf_append(o->buf, p, len)))
        o->failed = true;
}

static void put_str(struct json_out *o, const char *text)
{
    put(o, text, strlen(text));
}

/* Before every value: the comma that parts it from the one before. */
static void begin_value(struct json_out *o)
{
    if (o->after_key) {
        o->after_key = false;
        return;
    }
    if ((o->begun >> o->depth & 1U) != 0)
        put(o, ",", 1);
    o->begun |= 1U << o->depth;
}

static void open(struct json_out *o, const char *bracket)
{
    begin_value(o);
    put(o, bracket, 1);
    if (o->depth + 1 >= JSON_OUT_DEPTH_MAX)
        o->failed = true;
    else
        o->depth++;
    o->begun &= ~(1U << o->depth);
}

static void close(struct json_out *o, const char *bracket)
{
    if (o->depth == 0)
        o->failed = true;
    else
        o->depth--;
    put(o, bracket, 1);
}

void json_out_object(struct json_out *o)
{
    open(o, "{");
}

void json_out_object_end(struct json_out *o)
{
    close(o, "}");
}

void json_out_array(struct json_out *o)
{
    open(o, "[");
}

void json_out_array_end(struct json_out *o)
{
    close(o, "]");
}

void json_out_key(struct json_out *o, const char *key)
{
    begin_value(o);
    put(o, "\"", 1);
    put_str(o, key);
    put(o, "\":", 2);
    o->after_key = true;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x7f;
}

static void put_escaped(struct json_out *o, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *short_form = c == '"'    ? "\\\""
                             : c == '\\' ? "\\\\"
                             : c == '\n' ? "\\n"
                             : c == '\r' ? "\\r"
                             : c == '\t' ? "\\t"
                                         : NULL;
    if (short_form != NULL) {
        put_str(o, short_form);
        return;
    }
    const char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    put(o, text, sizeof(text));
}

/* Length of the UTF-8 sequence at p; 0: it is none. */
static size_t sequence(const unsigned char *p, size_t left)
{
    size_t len = p[0] < 0x80   ? 1
                 : p[0] < 0xc2 ? 0
                 : p[0] < 0xe0 ? 2
                 : p[0] < 0xf0 ? 3
                 : p[0] < 0xf5 ? 4
                               : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

void json_out_text(struct json_out *o, struct slice value)
{
    const unsigned char *p = (const unsigned char *)value.p;
    begin_value(o);
    put(o, "\"", 1);
    for (size_t i = 0; i < value.len;) {
        size_t run = 0;
        while (i + run < value.len && is_plain(p[i + run]))
            run++;
        if (run > 0) {
            put(o, p + i, run);
            i += run;
            continue;
        }
        size_t len = p[i] < 0x80 ? 1 : sequence(p + i, value.len - i);
        if (p[i] < 0x80)
            put_escaped(o, p[i]);
        else if (len == 0)
            put_str(o, "\\ufffd");
        else
            put(o, p + i, len);
        i += len == 0 ? 1 : len;
    }
    put(o, "\"", 1);
}

void json_out_int(struct json_out *o, int64_t value)
{
    char text[STR_INT64_SIZE];
    begin_value(o);
    put(o, text, str_format_int64(value, text));
}

void json_out_bool(struct json_out *o, bool value)
{
    begin_value(o);
    put_str(o, value ? "true" : "false");
}

void json_out_null(struct json_out *o)
{
    begin_value(o);
    put_str(o, "null");
}

void json_out_raw(struct json_out *o, struct slice value)
{
    begin_value(o);
    put(o, value.p, value.len);
}

void json_out_field(struct json_out *o, const char *key, struct slice value)
{
    json_out_key(o, key);
    json_out_text(o, value);
}

void json_out_field_if(struct json_out *o, const char *key, struct slice value)
{
    if (value.len > 0)
        json_out_field(o, key, value);
}

void json_out_field_str(struct json_out *o, const char *key, const char *value)
{
    json_out_field(o, key, slice_str(value));
}

void json_out_field_int(struct json_out *o, const char *key, int64_t value)
{
    json_out_key(o, key);
    json_out_int(o, value);
}

void json_out_field_bool(struct json_out *o, const char *key, bool value)
{
    json_out_key(o, key);
    json_out_bool(o, value);
}

void json_out_field_time(struct json_out *o, const char *key, int64_t unix_us)
{
    enum { SECONDS_LEN = 19 };
    char text[TIMEFMT_SIZE];
    (void)timefmt_rfc3339(unix_us, text);
    text[SECONDS_LEN] = 'Z';
    json_out_field(o, key, slice_of(text, SECONDS_LEN + 1));
}

void json_out_field_money(struct json_out *o, const char *key, int64_t minor, uint16_t ccy)
{
    char text[MONEY_TEXT_SIZE];
    json_out_key(o, key);
    json_out_object(o);
    json_out_field_str(o, "currency", ccy_alpha(ccy));
    json_out_field_str(o, "value", money_format(money_of(minor, ccy), MONEY_PLAIN, text));
    json_out_object_end(o);
}
