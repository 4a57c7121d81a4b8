#include "iso20022/reader.h"

#include "base/timefmt.h"
#include "iso20022/shape.h"

#include <assert.h>
#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlschemas.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FRAMES_MAX    16   /* groups inside each other in shape.c, and some */
#define TEXT_SIZE     2048 /* of one element that we know: 320 characters of 4 bytes, and room */
#define PROLOG_SIZE   256  /* an XML declaration stands in the file's first bytes */
#define NS_SIZE       96
#define PAKISTAN      "+05:00"
#define HEAD_FAMILY   "head.001.001."
#define HEAD_VERSIONS "02 04"

/* Text of the message, given back all at once. */
struct pool {
    size_t used;
    char bytes[ISO_POOL_SIZE];
};

/* A group that has begun and not ended. */
struct frame {
    const struct iso_element *row;   /* NULL: the message's own element, or AppHdr */
    const struct iso_element *inner; /* what may stand in it */
    const struct iso_element *last;  /* the row that stood in it last */
    const char *ns;
    char *base;
};

enum place { IN_WRAPPER, IN_HEADER, IN_DOCUMENT };

struct reader {
    struct iso_reader_options options;
    const struct iso_sink *sink;
    struct iso_refusal *out;
    bool failed, may_stop; /* may_stop: within a call that the parser may be stopped from */
    xmlParserCtxtPtr xml;

    /* bytes */
    iso_read_fn *read;
    void *source;
    uint64_t bytes;
    size_t token; /* since the last '<' */
    bool at_end;
    char prolog[PROLOG_SIZE];
    size_t prolog_len;

    /* where we are */
    int depth;
    int skip_depth; /* of an element that is passed over; 0: none */
    enum place place;
    int place_depth;
    char ns[NS_SIZE];
    struct frame frames[FRAMES_MAX];
    size_t n_frames;
    const struct iso_element *value; /* the element whose text is gathered; NULL: none */
    char text[TEXT_SIZE];
    size_t text_len;
    bool text_cut;
    uint16_t ccy; /* of its Ccy */

    /* what was read */
    const struct iso_definition *definition;
    bool header_seen, document_seen, message_seen, group_told;
    struct iso_header header;
    struct iso_group group;
    union iso_item item;
    bool in_item;
    uint64_t items;   /* that have begun */
    uint64_t details; /* of this entry that were told */
    struct pool group_pool, item_pool;
    size_t again_mark,
        part_mark;   /* of the pools, where a block or a part began; SIZE_MAX: none has */
    bool first_told; /* a group: the header was held against it */
    struct iso_totals totals, block_totals;

    /* validation */
    xmlSchemaValidCtxtPtr valid;
    xmlSchemaSAXPlugPtr plug;
    xmlSAXHandlerPtr valid_sax;
    void *valid_user;
};

/* ---------------------------------------------------------------- saying no */

static void stop(struct reader *r)
{
    r->failed = true;
    if (r->may_stop) /* else the parser ends by itself: it gets no more bytes, or has found an error */
        xmlStopParser(r->xml);
}

/* The path of names to where we are, as rules.h has it. */
static void path_here(const struct reader *r, const char *below, char out[ISO_PATH_SIZE])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i <= r->n_frames + 1; i++) {
        const char *name = NULL;
        if (i < r->n_frames && r->frames[i].row != NULL)
            name = r->frames[i].row->name;
        else if (i == 0 && r->place == IN_HEADER)
            name = "AppHdr";
        else if (i == r->n_frames && r->value != NULL)
            name = r->value->name;
        else if (i == r->n_frames + 1)
            name = below;
        if (name == NULL || len + strlen(name) + 2 > ISO_PATH_SIZE)
            continue;
        len += (size_t)snprintf(out + len, ISO_PATH_SIZE - len, "%s%s", len == 0 ? "" : "/", name);
    }
}

/* *r->out has been filled by somebody who knows neither line nor item. */
static bool fail_as_told(struct reader *r)
{
    if (r->failed) /* the first complaint is the cause of the others */
        return false;
    if (r->xml != NULL && r->out->line == 0)
        r->out->line = xmlSAX2GetLineNumber(r->xml);
    if (r->in_item)
        r->out->item = r->items;
    stop(r);
    return false;
}

__attribute__((format(printf, 4, 5))) static bool
fail_at(struct reader *r, enum iso_rule rule, const char *below, const char *format, ...)
{
    char path[ISO_PATH_SIZE];
    char detail[ISO_DETAIL_SIZE];
    va_list args;

    if (r->failed)
        return false;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    path_here(r, below, path);
    (void)iso_refuse(r->out, rule, path, "%s", detail);
    return fail_as_told(r);
}

#define fail(r, rule, ...) fail_at(r, rule, NULL, __VA_ARGS__)

/* ---------------------------------------------------------------- bytes */

int iso_read_fd(void *user, char *out, int len)
{
    ssize_t n = 0;
    do
        n = read(*(const int *)user, out, (size_t)len);
    while (n < 0 && errno == EINTR);
    return (int)n;
}

int iso_read_slice(void *user, char *out, int len)
{
    struct slice *rest = user;
    size_t n = rest->len < (size_t)len ? rest->len : (size_t)len;
    if (n > 0)
        memcpy(out, rest->p, n);
    rest->p += n;
    rest->len -= n;
    return (int)n;
}

/* In UTF-8 a file begins with '<', perhaps with blanks or a byte order mark before it. */
static bool begins_well(const struct reader *r)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t at = r->prolog_len >= 3 && memcmp(r->prolog, mark, 3) == 0 ? 3 : 0;
    while (at < r->prolog_len && strchr(" \t\r\n", r->prolog[at]) != NULL && r->prolog[at] != '\0')
        at++;
    return at == r->prolog_len || r->prolog[at] == '<';
}

static bool watch(struct reader *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n && r->prolog_len < PROLOG_SIZE - 1; i++)
        r->prolog[r->prolog_len++] = p[i];
    if (memchr(p, '\0', n) != NULL)
        return fail(r, ISO_RULE_XML_ENCODING, "it has a NUL byte");
    if (r->prolog_len >= 4 && !begins_well(r))
        return fail(r, ISO_RULE_XML_ENCODING, "it does not begin as XML in UTF-8 does");
    while (n > 0) {
        const char *tag = memchr(p, '<', n);
        size_t len = tag == NULL ? n : (size_t)(tag - p);
        if (r->token + len > ISO_TOKEN_MAX)
            return fail(r, ISO_RULE_XML_TOO_LARGE, "more than %d bytes without a tag",
                        ISO_TOKEN_MAX);
        r->token = tag == NULL ? r->token + len : 0;
        len += tag == NULL ? 0 : 1;
        p += len;
        n -= len;
    }
    return true;
}

static int on_read(void *user, char *out, int len)
{
    struct reader *r = user;
    int n = 0;

    if (r->failed)
        return -1;
    n = r->read(r->source, out, len);
    assert(n <= len);
    if (n < 0) {
        (void)fail(r, ISO_RULE_INPUT, "%s", "");
        return -1;
    }
    r->bytes += (uint64_t)n;
    if (r->bytes > r->options.bytes_max) {
        (void)fail(r, ISO_RULE_XML_TOO_LARGE, "at most %llu bytes",
                   (unsigned long long)r->options.bytes_max);
        return -1;
    }
    r->at_end = n == 0;
    return watch(r, out, (size_t)n) ? n : -1;
}

/* It is read as UTF-8 whatever it says, so it may not say otherwise. US-ASCII is UTF-8. */
static bool check_encoding(struct reader *r)
{
    const char *end = NULL;
    const char *at = NULL;

    r->prolog[r->prolog_len] = '\0';
    end = strstr(r->prolog, "?>");
    at = strstr(r->prolog, "encoding");
    if (end == NULL || at == NULL || at > end)
        return true;
    at += strcspn(at, "\"'");
    if (*at != '\0')
        at++;
    if (strncasecmp(at, "UTF-8", 5) == 0 || strncasecmp(at, "UTF8", 4) == 0 ||
        strncasecmp(at, "US-ASCII", 8) == 0)
        return true;
    return fail(r, ISO_RULE_XML_ENCODING, "its XML declaration says so");
}

static void on_xml_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    char text[160];
    long consumed = r->xml == NULL ? -1 : xmlByteConsumed(r->xml);
    bool last_bytes = r->at_end && consumed >= 0 && (uint64_t)consumed + 4 >= r->bytes;

    if (r->failed || e->level < XML_ERR_ERROR)
        return;
    /* Its first line names elements and entities, never text. */
    (void)snprintf(text, sizeof text, "%s", e->message == NULL ? "" : e->message);
    text[strcspn(text, "\n")] = '\0';
    if (e->code == XML_ERR_NAME_TOO_LONG || e->code == XML_ERR_INTERNAL_ERROR)
        (void)fail(r, ISO_RULE_XML_TOO_LARGE, "%s", text);
    else if (r->bytes == 0 || (last_bytes && (r->depth > 0 || !r->document_seen)))
        (void)fail(r, ISO_RULE_XML_TRUNCATED, "%s", r->bytes == 0 ? "it is empty" : "");
    else if (e->code == XML_ERR_INVALID_ENCODING || strstr(text, "UTF-8") != NULL)
        (void)fail(r, ISO_RULE_XML_ENCODING, "%s", "");
    else
        (void)fail(r, ISO_RULE_XML, "%s", text);
}

/* ---------------------------------------------------------------- values */

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
    if (utf8_check(text, &chars) != UTF8_OK)
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
    return (good && *out != 0) || fail(r, ISO_RULE_DATE, "%s", "");
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
    return fail(r, ISO_RULE_DATE, "%s", "");
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

static bool take_value(struct reader *r, const struct iso_element *e, void *out)
{
    struct slice text = collapse(e->type, slice_of(r->text, r->text_len));

    if (text.len == 0)
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

/* ---------------------------------------------------------------- telling */

/* The group is whole: its first item begins, or its block ends without one. */
static bool tell_group(struct reader *r)
{
    if (r->group_told)
        return true;
    r->group_told = true;
    if (!iso_rules_group(&r->group, r->out))
        return fail_as_told(r);
    if (r->sink->group == NULL)
        return true;
    (void)iso_refuse(r->out, ISO_RULE_REFUSED, "", "%s", "");
    if (!r->sink->group(r->sink->user, r->header_seen ? &r->header : NULL, &r->group, r->out))
        return fail_as_told(r);
    return true;
}

static bool check_header(struct reader *r, const union iso_item *item)
{
    if (r->first_told)
        return true;
    r->first_told = true;
    if (r->header_seen && !iso_rules_header(&r->header, &r->group, item, r->out))
        return fail_as_told(r);
    return true;
}

/* What the group says for all its items. */
static void fill_in(const struct iso_group *g, enum iso_item_type type, union iso_item *item)
{
    struct iso_transfer *t = &item->transfer;
    struct iso_follow_up *f = &item->follow_up;

    if (type == ISO_ITEM_FOLLOW_UP && f->original.message_id.len == 0)
        f->original = g->original;
    if (g->kind != ISO_PAIN_001)
        return;
    t->debtor = g->payment.debtor;
    t->debtor_account = g->payment.debtor_account;
    t->debtor_agent = g->payment.debtor_agent;
    t->settlement_date = g->payment.execution_date;
    t->charge_bearer = g->payment.charge_bearer;
}

static bool tell_item(struct reader *r)
{
    if (!iso_rules_item(&r->group, &r->item, r->out) ||
        !iso_totals_add(&r->group, &r->item, &r->totals, r->out) ||
        !iso_totals_add(&r->group, &r->item, &r->block_totals, r->out))
        return fail_as_told(r);
    if (!check_header(r, &r->item))
        return false;
    fill_in(&r->group, r->definition->item, &r->item);
    if (r->sink->item == NULL)
        return true;
    (void)iso_refuse(r->out, ISO_RULE_REFUSED, "", "%s", "");
    if (!r->sink->item(r->sink->user, &r->group, &r->item, r->out))
        return fail_as_told(r);
    return true;
}

/* ---------------------------------------------------------------- groups that begin and end */

static bool push(struct reader *r, const struct iso_element *row, const struct iso_element *inner,
                 const char *ns, void *base)
{
    assert(r->n_frames < FRAMES_MAX);
    r->frames[r->n_frames++] = (struct frame){row, inner, NULL, ns, base};
    return true;
}

static bool begin_item(struct reader *r)
{
    if (!tell_group(r))
        return false;
    memset(&r->item, 0, sizeof r->item);
    r->item_pool.used = 0;
    r->part_mark = SIZE_MAX;
    r->details = 0;
    r->in_item = true;
    r->items++;
    return true;
}

/* The pool goes back to where the first of the blocks or parts began: what was read of those before is told. */
static void begin_again(const struct iso_element *e, void *base, struct pool *pool, size_t *mark)
{
    if (*mark == SIZE_MAX)
        *mark = pool->used;
    pool->used = *mark;
    iso_clear(e, base);
}

static bool begin_group(struct reader *r, const struct frame *in, const struct iso_element *e)
{
    char *base = in->base + iso_value_at(e, 0);

    if (e->flags & ISO_ITEM) {
        base = (char *)&r->item;
        if (!begin_item(r))
            return false;
    } else if (e->flags & ISO_AGAIN) {
        begin_again(e, in->base, &r->group_pool, &r->again_mark);
        r->group_told = false;
        r->block_totals = (struct iso_totals){0};
    } else if (e->flags & ISO_PART) {
        begin_again(e, in->base, &r->item_pool, &r->part_mark);
    } else if (e->list_max > 0) {
        size_t *n = (size_t *)(void *)(in->base + e->offset);
        if (*n == e->list_max)
            return fail_at(r, ISO_RULE_REPEATED, e->name, "at most %u", (unsigned)e->list_max);
        base = in->base + iso_value_at(e, (*n)++);
        memset(base, 0, e->list_stride);
    }
    return push(r, e, e->inner, e->ns != NULL ? e->ns : in->ns, base);
}

static bool end_group(struct reader *r)
{
    const struct iso_element *e = r->frames[--r->n_frames].row;

    if (e == NULL)
        return true;
    if (e->flags & ISO_PART) {
        r->item.entry.details_number = ++r->details;
        return tell_item(r);
    }
    if (e->flags & ISO_ITEM) {
        bool good = r->details > 0 || tell_item(r);
        r->in_item = r->failed; /* a refusal is of this item */
        return good;
    }
    if ((e->flags & ISO_AGAIN) == 0)
        return true;
    if (!tell_group(r))
        return false;
    if (r->definition->kind == ISO_PAIN_001 &&
        !iso_rules_block_totals(&r->group.payment, &r->block_totals, r->out))
        return fail_as_told(r);
    return true;
}

/* ---------------------------------------------------------------- validation */

/* "Element '{namespace}Name': ..." without what is in braces. */
static void drop_namespaces(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < size; text++) {
        if (*text == '{')
            text += strcspn(text, "}");
        else
            out[n++] = *text;
        if (*text == '\0')
            break;
    }
    out[n] = '\0';
}

static void on_schema_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    char text[400];
    const char *name = NULL;
    const char *facet = NULL;
    const char *rest = NULL;
    int name_len = 0;

    drop_namespaces(e->message == NULL ? "" : e->message, text, sizeof text);
    name = text + strcspn(text, "'");
    name += *name == '\0' ? 0 : 1;
    name_len = (int)strcspn(name, "'");
    facet = strstr(text, "[facet '");
    rest = strstr(text, "': ");
    /* Of the validator's words only those are taken that do not quote the value. */
    if (facet != NULL)
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: %.*s", name_len, name, (int)strcspn(facet, "]") - 1,
                   facet + 1);
    else if (e->code == XML_SCHEMAV_ELEMENT_CONTENT && rest != NULL)
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: %.*s", name_len, name, (int)strcspn(rest + 3, "\n"),
                   rest + 3);
    else
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: the value or an attribute", name_len, name);
}

static bool valid_begin(struct reader *r, const char *name)
{
    xmlSchemaPtr schema = NULL;

    if (r->options.schemas == NULL)
        return true;
    schema = iso_schemas_get(r->options.schemas, name);
    if (schema == NULL)
        return fail(r, ISO_RULE_SCHEMA_MISSING, "%s.xsd", name);
    r->valid = xmlSchemaNewValidCtxt(schema);
    if (r->valid == NULL)
        return fail(r, ISO_RULE_NO_MEMORY, "%s", "");
    xmlSchemaSetValidStructuredErrors(r->valid, on_schema_error, r);
    r->valid_sax = NULL; /* with no handlers of ours to call, its own can be called one by one */
    r->valid_user = NULL;
    r->plug = xmlSchemaSAXPlug(r->valid, &r->valid_sax, &r->valid_user);
    if (r->plug == NULL)
        return fail(r, ISO_RULE_NO_MEMORY, "%s", "");
    return true;
}

static void valid_end(struct reader *r)
{
    if (r->plug != NULL)
        (void)xmlSchemaSAXUnplug(r->plug);
    xmlSchemaFreeValidCtxt(r->valid);
    r->plug = NULL;
    r->valid = NULL;
}

/* ---------------------------------------------------------------- roots */

static bool open_header(struct reader *r, struct slice name)
{
    struct slice family = SLICE(HEAD_FAMILY);
    char text[ISO_NAME_SIZE];

    if (!slice_starts_with(name, family) ||
        !iso_word_in(slice_of(name.p + family.len, name.len - family.len), HEAD_VERSIONS))
        return fail(r, ISO_RULE_MESSAGE_UNKNOWN, "the header is %.*s",
                    SLICE_ARG(slice_of(name.p, name.len > 60 ? 60 : name.len)));
    if (r->header_seen || r->document_seen)
        return fail(r, ISO_RULE_OUT_OF_PLACE, "a file has one AppHdr, before its Document");
    r->header_seen = true;
    r->place = IN_HEADER;
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    return valid_begin(r, text) && push(r, NULL, iso_header_elements, r->ns, &r->header);
}

static bool open_document(struct reader *r, struct slice name)
{
    enum iso_kind kind = ISO_NO_KIND;
    unsigned version = 0;
    char text[ISO_NAME_SIZE];

    if (r->document_seen)
        return fail(r, ISO_RULE_OUT_OF_PLACE, "a file has one Document");
    if (r->options.header_required && !r->header_seen)
        return fail(r, ISO_RULE_REQUIRED, "AppHdr");
    if (!iso_message_find(name, &kind, &version) ||
        (r->options.kinds != 0 && (r->options.kinds & (1U << kind)) == 0))
        return fail(r, ISO_RULE_MESSAGE_UNKNOWN, "it is '%.*s'",
                    SLICE_ARG(slice_of(name.p, name.len > 60 ? 60 : name.len)));
    r->document_seen = true;
    r->place = IN_DOCUMENT;
    r->definition = iso_definition(kind);
    r->group.kind = kind;
    r->group.version = version;
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    return valid_begin(r, text);
}

static bool open_root(struct reader *r, const char *local, const char *uri)
{
    struct slice name = slice_str(uri);
    struct slice prefix = SLICE(ISO_NS_PREFIX);

    if (r->depth == 1 && !check_encoding(r))
        return false;
    if (slice_starts_with(name, prefix))
        name = slice_of(name.p + prefix.len, name.len - prefix.len);
    else if (strcmp(local, "Document") == 0 || strcmp(local, "AppHdr") == 0)
        return fail(r, ISO_RULE_MESSAGE_UNKNOWN, "<%s> is of no namespace of ISO 20022", local);
    r->place_depth = r->depth;
    (void)snprintf(r->ns, sizeof r->ns, "%s", uri);
    if (strcmp(local, "AppHdr") == 0)
        return open_header(r, name);
    if (strcmp(local, "Document") == 0)
        return open_document(r, name);
    return r->depth <= ISO_WRAPPERS_MAX ||
           fail(r, ISO_RULE_MESSAGE_UNKNOWN, "there is neither AppHdr nor Document in <%.40s>",
                local);
}

static bool close_root(struct reader *r)
{
    enum place was = r->place;
    valid_end(r);
    if (r->failed)
        return false;
    if (was == IN_DOCUMENT) {
        if (!tell_group(r) || !check_header(r, NULL))
            return false;
        if (!iso_rules_totals(&r->group, &r->totals, r->out))
            return fail_as_told(r);
    }
    r->place = IN_WRAPPER;
    return true;
}

/* ---------------------------------------------------------------- elements */

/* NULL: nothing we have a use for. */
static const struct iso_element *find_row(const struct frame *in, const char *local,
                                          const char *uri)
{
    for (const struct iso_element *e = in->inner; e->name != NULL; e++)
        if (strcmp(e->name, local) == 0 && strcmp(e->ns != NULL ? e->ns : in->ns, uri) == 0)
            return e;
    return NULL;
}

static bool may_recur(const struct iso_element *e)
{
    return e->list_max > 0 || (e->flags & (ISO_AGAIN | ISO_ITEM | ISO_MANY | ISO_PART)) != 0;
}

/* Ccy="PKR" among five pointers an attribute: name, prefix, namespace, value, its end. */
static bool take_attributes(struct reader *r, int n, const xmlChar **a)
{
    r->ccy = 0;
    if (r->value->type != ISO_AMOUNT && r->value->type != ISO_BALANCE)
        return true;
    for (int i = 0; i < n; i++, a += 5) {
        if (strcmp((const char *)a[0], "Ccy") != 0 || a[2] != NULL)
            continue;
        const struct ccy *ccy = ccy_by_alpha(slice_of(a[3], (size_t)(a[4] - a[3])));
        r->ccy = ccy == NULL ? 0 : ccy->number;
    }
    return true;
}

static bool open_message(struct reader *r, const char *local, const char *uri)
{
    if (strcmp(local, r->definition->root) != 0 || strcmp(uri, r->ns) != 0)
        return fail(r, ISO_RULE_MESSAGE_UNKNOWN, "there is <%.40s> in it, not <%s>", local,
                    r->definition->root);
    if (r->message_seen)
        return fail(r, ISO_RULE_REPEATED, "<%s>", r->definition->root);
    r->message_seen = true;
    return push(r, NULL, r->definition->inner, r->ns, &r->group);
}

static bool open_element(struct reader *r, const char *local, const char *uri, int n_attributes,
                         const xmlChar **attributes)
{
    struct frame *in = NULL;
    const struct iso_element *e = NULL;

    if (r->place == IN_WRAPPER)
        return open_root(r, local, uri);
    if (r->place == IN_DOCUMENT && r->depth == r->place_depth + 1)
        return open_message(r, local, uri);
    if (r->value != NULL)
        return fail(r, ISO_RULE_OUT_OF_PLACE, "there is an element in it");
    in = &r->frames[r->n_frames - 1];
    e = find_row(in, local, uri);
    if (e == NULL) {
        r->skip_depth = r->depth;
        return true;
    }
    if (in->last != NULL && e < in->last)
        return fail_at(r, ISO_RULE_OUT_OF_PLACE, e->name, "it belongs before %s", in->last->name);
    if (e == in->last && !may_recur(e))
        return fail_at(r, ISO_RULE_REPEATED, e->name, "%s", "");
    in->last = e;
    if (e->type == ISO_GROUP)
        return begin_group(r, in, e);
    r->value = e;
    r->text_len = 0;
    r->text_cut = false;
    return take_attributes(r, n_attributes, attributes);
}

static bool close_value(struct reader *r)
{
    const struct iso_element *e = r->value;
    char *base = r->frames[r->n_frames - 1].base;
    size_t i = 0;
    bool good = false;

    if (e->list_max > 0) {
        i = iso_value_count(e, base);
        if (i == e->list_max)
            return fail(r, ISO_RULE_REPEATED, "at most %u", (unsigned)e->list_max);
    } else if (iso_is_present(e, base)) {
        return fail(r, ISO_RULE_REPEATED, "%s", "");
    }
    good = take_value(r, e, base + iso_value_at(e, i));
    if (good && e->list_max > 0)
        (*(size_t *)(void *)(base + e->offset))++;
    r->value = NULL;
    return good;
}

static void close_element(struct reader *r)
{
    if (r->skip_depth > 0) {
        if (r->skip_depth == r->depth)
            r->skip_depth = 0;
        return;
    }
    if (r->value != NULL) {
        (void)close_value(r);
        return;
    }
    if (r->n_frames > 0 && !end_group(r))
        return;
    if (r->place != IN_WRAPPER && r->depth == r->place_depth)
        (void)close_root(r);
}

/* ---------------------------------------------------------------- what the parser calls */

static void on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    struct reader *r = user;

    if (r->failed)
        return;
    r->may_stop = true;
    if (++r->depth > ISO_DEPTH_MAX)
        (void)fail(r, ISO_RULE_XML_TOO_DEEP, "at most %d", ISO_DEPTH_MAX);
    else if (r->skip_depth == 0)
        (void)open_element(r, (const char *)local, uri == NULL ? "" : (const char *)uri,
                           n_attributes, attributes);
    if (r->valid != NULL && !r->failed)
        r->valid_sax->startElementNs(r->valid_user, local, prefix, uri, n_namespaces, namespaces,
                                     n_attributes, n_defaulted, attributes);
    r->may_stop = false;
}

static void on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = user;

    if (r->failed)
        return;
    r->may_stop = true;
    if (r->valid != NULL)
        r->valid_sax->endElementNs(r->valid_user, local, prefix, uri);
    if (!r->failed)
        close_element(r);
    r->depth--;
    r->may_stop = false;
}

static void on_text(void *user, const xmlChar *text, int len)
{
    struct reader *r = user;

    if (r->failed)
        return;
    if (r->valid != NULL)
        r->valid_sax->characters(r->valid_user, text, len);
    if (r->value == NULL || r->skip_depth > 0 || r->failed)
        return;
    if ((size_t)len > sizeof r->text - r->text_len) {
        r->text_cut = true;
        return;
    }
    memcpy(r->text + r->text_len, text, (size_t)len);
    r->text_len += (size_t)len;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name;
    (void)public_id;
    (void)system_id;
    ((struct reader *)user)->may_stop = true;
    (void)fail((struct reader *)user, ISO_RULE_XML_DOCTYPE, "%s", "");
}

static void parse(struct reader *r)
{
    static const xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .serror = on_xml_error,
    };
    xmlSAXHandler copy = sax;

    r->xml = xmlCreateIOParserCtxt(&copy, r, on_read, NULL, r, XML_CHAR_ENCODING_UTF8);
    if (r->xml == NULL) {
        if (!r->failed)
            (void)iso_refuse(r->out, ISO_RULE_NO_MEMORY, "", "%s", "");
        r->failed = true;
        return;
    }
    (void)xmlCtxtUseOptions(r->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    (void)xmlParseDocument(r->xml);
    if (!r->failed && !r->xml->wellFormed)
        (void)fail(r, ISO_RULE_XML, "%s", "");
    if (!r->failed && !r->document_seen)
        (void)fail(r, ISO_RULE_MESSAGE_UNKNOWN, "there is no Document in it");
    valid_end(r);
    xmlFreeParserCtxt(r->xml);
}

bool iso_read(const struct iso_reader_options *options, iso_read_fn *read, void *source,
              const struct iso_sink *sink, struct iso_refusal *out)
{
    struct reader *r = calloc(1, sizeof *r);
    bool good = false;

    *out = (struct iso_refusal){0};
    if (r == NULL)
        return iso_refuse(out, ISO_RULE_NO_MEMORY, "", "%s", "");
    if (options != NULL)
        r->options = *options;
    if (r->options.bytes_max == 0)
        r->options.bytes_max = ISO_BYTES_MAX_DEFAULT;
    r->sink = sink;
    r->out = out;
    r->read = read;
    r->source = source;
    r->again_mark = r->part_mark = SIZE_MAX;
    parse(r);
    good = !r->failed;
    if (good)
        *out = (struct iso_refusal){0};
    free(r);
    return good;
}
