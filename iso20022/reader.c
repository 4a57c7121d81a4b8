#include "iso20022/reader_parts.h"

#include <assert.h>
#include <libxml/SAX2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_FAMILY   "head.001.001."
#define HEAD_VERSIONS "02 04"

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

bool iso_reader_fail_as_told(struct reader *r)
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

bool iso_reader_fail_at(struct reader *r, enum iso_rule rule, const char *below, const char *format,
                        ...)
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
    return iso_reader_fail_as_told(r);
}

/* ---------------------------------------------------------------- telling */

/* The group is whole: its first item begins, or its block ends without one. */
static bool tell_group(struct reader *r)
{
    if (r->group_told)
        return true;
    r->group_told = true;
    if (!iso_rules_group(&r->group, r->out))
        return iso_reader_fail_as_told(r);
    if (r->sink->group == NULL)
        return true;
    (void)iso_refuse(r->out, ISO_RULE_REFUSED, "", "%s", "");
    if (!r->sink->group(r->sink->user, r->header_seen ? &r->header : NULL, &r->group, r->out))
        return iso_reader_fail_as_told(r);
    return true;
}

/* Where the group names no agents each item does, and each must be the header's. */
static bool check_header(struct reader *r, const union iso_item *item)
{
    bool again =
        item != NULL && (r->group.instructing.bic.len == 0 || r->group.instructed.bic.len == 0);
    if (r->header_checked && !again)
        return true;
    r->header_checked = true;
    if (r->header_seen && !iso_rules_header(&r->header, &r->group, item, r->out))
        return iso_reader_fail_as_told(r);
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
        return iso_reader_fail_as_told(r);
    if (!check_header(r, &r->item))
        return false;
    fill_in(&r->group, r->definition->item, &r->item);
    if (r->sink->item == NULL)
        return true;
    (void)iso_refuse(r->out, ISO_RULE_REFUSED, "", "%s", "");
    if (!r->sink->item(r->sink->user, &r->group, &r->item, r->out))
        return iso_reader_fail_as_told(r);
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
            return iso_reader_fail_at(r, ISO_RULE_REPEATED, e->name, "at most %u",
                                      (unsigned)e->list_max);
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
        return iso_reader_fail_as_told(r);
    return true;
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
    return iso_reader_valid_begin(r, text) && push(r, NULL, iso_header_elements, r->ns, &r->header);
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
    return iso_reader_valid_begin(r, text);
}

static bool open_root(struct reader *r, const char *local, const char *uri)
{
    struct slice name = slice_str(uri);
    struct slice prefix = SLICE(ISO_NS_PREFIX);

    if (r->depth == 1 && !iso_reader_check_encoding(r))
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
    iso_reader_valid_end(r);
    if (r->failed)
        return false;
    if (was == IN_DOCUMENT) {
        if (!tell_group(r) || !check_header(r, NULL))
            return false;
        if (!iso_rules_totals(&r->group, &r->totals, r->out))
            return iso_reader_fail_as_told(r);
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
        return iso_reader_fail_at(r, ISO_RULE_OUT_OF_PLACE, e->name, "it belongs before %s",
                                  in->last->name);
    if (e == in->last && !may_recur(e))
        return iso_reader_fail_at(r, ISO_RULE_REPEATED, e->name, "%s", "");
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
    good = iso_reader_take_value(r, e, base + iso_value_at(e, i));
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
    /* A tag that the file ends in is told like a whole one, but a whole one is told before its '>'. */
    if (r->at_end && (uint64_t)xmlByteConsumed(r->xml) >= r->bytes)
        (void)fail(r, ISO_RULE_XML_TRUNCATED, "%s", "");
    else if (++r->depth > ISO_DEPTH_MAX)
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
        .serror = iso_reader_on_xml_error,
    };
    xmlSAXHandler copy = sax;

    r->xml = xmlCreateIOParserCtxt(&copy, r, iso_reader_on_read, NULL, r, XML_CHAR_ENCODING_UTF8);
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
    iso_reader_valid_end(r);
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
