#include "settle/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/timefmt.h"

bool manifest_stem_is_good(struct slice stem)
{
    if (stem.len == 0 || stem.len > MANIFEST_STEM_MAX)
        return false;
    for (size_t i = 0; i < stem.len; i++) {
        char c = stem.p[i];
        bool plain = char_is_digit(c) || char_is_upper(c) || char_is_lower(c);
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}

struct slice manifest_stem_of(struct slice name, const char *ending)
{
    struct slice e = slice_str(ending);
    if (name.len <= e.len || !slice_equal(slice_of(name.p + name.len - e.len, e.len), e) ||
        !manifest_stem_is_good(slice_of(name.p, name.len - e.len)))
        return slice_of(NULL, 0);
    return slice_of(name.p, name.len - e.len);
}

/* ---------------------------------------------------------------- writing */

/* Everything in it is of our own making, and needs no escapes: names, codes, numbers, times. */
err_t manifest_write(const struct manifest *m, struct buf *out)
{
    char sha256[HEX_SIZE(MANIFEST_SHA256_SIZE)], previous[HEX_SIZE(MANIFEST_SHA256_SIZE)];
    char at[TIMEFMT_SIZE];
    const char *quote = m->has_previous ? "\"" : "";
    const char *money = m->sum[0] == '\0' ? "" : "\"";
    (void)hex_encode(m->sha256, sizeof m->sha256, sha256);
    (void)hex_encode(m->previous_sha256, sizeof m->previous_sha256, previous);
    return buf_printf(out,
                      "{\n"
                      "  \"format\": \"" MANIFEST_FORMAT "\",\n"
                      "  \"bank\": \"%s\",\n"
                      "  \"direction\": \"%s\",\n"
                      "  \"file\": \"%s\",\n"
                      "  \"file_no\": %lld,\n"
                      "  \"message\": \"%s\",\n"
                      "  \"bytes\": %lld,\n"
                      "  \"sha256\": \"%s\",\n"
                      "  \"previous_sha256\": %s%s%s,\n"
                      "  \"created_at\": \"%s\",\n"
                      "  \"count\": %lld,\n"
                      "  \"sum\": %s%s%s,\n"
                      "  \"currency\": %s%s%s\n"
                      "}\n",
                      m->bank, m->to_bank ? "to_bank" : "from_bank", m->file, (long long)m->file_no,
                      m->message, (long long)m->bytes, sha256, quote,
                      m->has_previous ? previous : "null", quote,
                      timefmt_rfc3339(m->created_us, at), (long long)m->count, money,
                      m->sum[0] == '\0' ? "null" : m->sum, money, money,
                      m->sum[0] == '\0' ? "null" : m->currency, money);
}

/* ---------------------------------------------------------------- reading */

struct reading {
    json_t *object;
    struct manifest_problem *problem;
    bool failed;
};

static void complain(struct reading *r, const char *name, const char *what)
{
    if (!r->failed)
        (void)snprintf(r->problem->text, sizeof r->problem->text, "manifest, member \"%s\": %s",
                       name, what);
    r->failed = true;
}

/* The member as text; empty: it is not there, or null. */
static struct slice text_of(struct reading *r, const char *name, bool must)
{
    const json_t *v = json_object_get(r->object, name);
    if (json_is_string(v) && json_string_length(v) > 0)
        return slice_of(json_string_value(v), json_string_length(v));
    if ((v != NULL && !json_is_null(v)) || must)
        complain(r, name, v == NULL ? "is missing" : "must be a text");
    return slice_of(NULL, 0);
}

static void copy_text(struct reading *r, const char *name, bool must, char *out, size_t out_size)
{
    struct slice text = text_of(r, name, must);
    if (utf8_check(text, NULL) != UTF8_OK || err_failed(slice_copy(text, out, out_size))) {
        out[0] = '\0';
        complain(r, name, "is too long, or has control characters");
    }
}

static int64_t number_of(struct reading *r, const char *name, bool must, bool *given)
{
    const json_t *v = json_object_get(r->object, name);
    *given = json_is_integer(v);
    if (*given && json_integer_value(v) >= 0)
        return json_integer_value(v);
    if (*given || must || (v != NULL && !json_is_null(v)))
        complain(r, name, v == NULL ? "is missing" : "must be a whole number that is not negative");
    return 0;
}

static bool hash_of(struct reading *r, const char *name, bool must,
                    unsigned char out[MANIFEST_SHA256_SIZE])
{
    struct slice hex = text_of(r, name, must);
    size_t len = 0;
    if (hex.len == 0)
        return false;
    if (err_failed(hex_decode(hex, out, MANIFEST_SHA256_SIZE, &len)) || len != MANIFEST_SHA256_SIZE)
        complain(r, name, "must be the 64 hexadecimal digits of a SHA-256");
    return true;
}

static void read_names(struct reading *r, struct manifest *m)
{
    char format[32], direction[16];
    copy_text(r, "format", true, format, sizeof format);
    if (!r->failed && strcmp(format, MANIFEST_FORMAT) != 0)
        complain(r, "format", "must be \"" MANIFEST_FORMAT "\"");
    copy_text(r, "bank", true, m->bank, sizeof m->bank);
    copy_text(r, "direction", true, direction, sizeof direction);
    m->to_bank = strcmp(direction, "to_bank") == 0;
    if (!m->to_bank && strcmp(direction, "from_bank") != 0)
        complain(r, "direction", "must be \"to_bank\" or \"from_bank\"");
    copy_text(r, "file", true, m->file, sizeof m->file);
    if (manifest_stem_of(slice_str(m->file), ".xml").len == 0)
        complain(r, "file", "must be a plain name that ends with .xml");
    copy_text(r, "message", true, m->message, sizeof m->message);
    copy_text(r, "sum", false, m->sum, sizeof m->sum);
    copy_text(r, "currency", false, m->currency, sizeof m->currency);
}

static void read_members(struct reading *r, struct manifest *m)
{
    bool given;
    read_names(r, m);
    m->file_no = number_of(r, "file_no", false, &given);
    m->bytes = number_of(r, "bytes", true, &given);
    m->count = number_of(r, "count", false, &m->has_count);
    (void)hash_of(r, "sha256", true, m->sha256);
    m->has_previous = hash_of(r, "previous_sha256", false, m->previous_sha256);
    struct slice at = text_of(r, "created_at", false);
    if (at.len > 0 && err_failed(timefmt_parse_rfc3339(at, &m->created_us)))
        complain(r, "created_at", "must be a time by RFC 3339");
}

err_t manifest_read(struct slice text, struct manifest *out, struct manifest_problem *problem)
{
    json_error_t error;
    struct reading r = {.problem = problem};
    memset(out, 0, sizeof *out);
    problem->text[0] = '\0';
    if (text.len > MANIFEST_BYTES_MAX) {
        (void)snprintf(problem->text, sizeof problem->text, "manifest: longer than %d bytes",
                       MANIFEST_BYTES_MAX);
        return err_make(ERR_LIMIT, "manifest");
    }
    if (text.len >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        (void)snprintf(problem->text, sizeof problem->text,
                       "manifest, line 1: it begins with a byte order mark; JSON has none");
        return err_make(ERR_PARSE, "manifest");
    }
    r.object = json_loadb(text.p == NULL ? "" : text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(r.object)) {
        (void)snprintf(problem->text, sizeof problem->text, "manifest, line %d: %s",
                       r.object == NULL ? error.line : 1,
                       r.object == NULL ? error.text : "must be one JSON object");
        json_decref(r.object);
        return err_make(ERR_PARSE, "manifest");
    }
    read_members(&r, out);
    json_decref(r.object);
    return r.failed ? err_make(ERR_INVALID, "manifest") : err_none();
}
