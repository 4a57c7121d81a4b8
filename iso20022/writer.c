#include "iso20022/writer.h"

#include "base/timefmt.h"
#include "iso20022/shape.h"

#include <assert.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX_DEFAULT (1ULL << 30)
#define PROLOG            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define PAKISTAN_US       (5 * 3600 * 1000000LL) /* UTC+5, no summer time */
#define VALUE_SIZE        2048 /* of any text: 320 characters of 4 bytes, and room */

struct iso_writer {
    struct iso_writer_options options;
    xmlTextWriterPtr xml;
    struct iso_group group; /* as given, with what the writer adds */
    char control_sum[MONEY_TEXT_SIZE];
    char name[ISO_NAME_SIZE];
    const struct iso_element
        *open[8]; /* the groups around the items, outermost first, and then the item's row */
    size_t n_open;
    struct iso_totals totals;
    uint64_t bytes;
    bool failed, over_limit, began, ended;
};

/* ---------------------------------------------------------------- bytes */

/* Never says no to the library, which would print that to stderr: what went wrong is kept and asked for. */
static int on_write(void *user, const char *p, int len)
{
    struct iso_writer *w = user;
    if (len <= 0 || w->failed || w->over_limit)
        return len;
    w->over_limit = (uint64_t)len > w->options.bytes_max - w->bytes;
    w->failed = !w->over_limit && !w->options.write(w->options.user, p, (size_t)len);
    if (!w->failed && !w->over_limit)
        w->bytes += (uint64_t)len;
    return len;
}

static int on_close(void *user)
{
    (void)user;
    return 0;
}

err_t iso_writer_new(const struct iso_writer_options *options, struct iso_writer **out)
{
    struct iso_writer *w = calloc(1, sizeof *w);
    xmlOutputBufferPtr buffer = NULL;

    *out = NULL;
    if (w == NULL)
        return err_make(ERR_NO_MEMORY, "writer of ISO 20022");
    w->options = *options;
    if (w->options.bytes_max == 0)
        w->options.bytes_max = BYTES_MAX_DEFAULT;
    if (w->options.wrapper == NULL)
        w->options.wrapper = "BizMsg";
    buffer = xmlOutputBufferCreateIO(on_write, on_close, w, NULL);
    w->xml = buffer == NULL ? NULL : xmlNewTextWriter(buffer);
    if (w->xml == NULL) {
        if (buffer != NULL)
            (void)xmlOutputBufferClose(buffer);
        free(w);
        return err_make(ERR_NO_MEMORY, "writer of ISO 20022");
    }
    *out = w;
    return err_none();
}

void iso_writer_free(struct iso_writer **writer)
{
    struct iso_writer *w = *writer;
    if (w == NULL)
        return;
    w->failed = true; /* freeing flushes, and nothing is to be written any more */
    xmlFreeTextWriter(w->xml);
    free(w);
    *writer = NULL;
}

uint64_t iso_writer_bytes(const struct iso_writer *w)
{
    return w->bytes;
}

static bool fault(struct iso_writer *w, struct iso_refusal *out)
{
    w->failed = true;
    if (w->over_limit)
        return iso_refuse(out, ISO_RULE_XML_TOO_LARGE, "", "at most %llu bytes",
                          (unsigned long long)w->options.bytes_max);
    return iso_refuse(out, ISO_RULE_OUTPUT, "", "%s", "");
}

/* ---------------------------------------------------------------- values */

static void format_time(int64_t us, char out[40])
{
    char utc[TIMEFMT_SIZE];
    (void)timefmt_rfc3339(us + PAKISTAN_US, utc);
    (void)snprintf(out, 40, "%.23s+05:00", utc);
}

/* The value as text in out, whose address is returned; NULL if it does not fit. */
static const char *format_value(enum iso_type type, const void *value, char *out, size_t size)
{
    char digits[STR_INT64_SIZE];

    if (iso_type_is_text(type)) {
        struct slice s = *(const struct slice *)value;
        return err_failed(slice_copy(s, out, size)) ? NULL : out;
    }
    out[0] = '\0';
    switch ((int)type) { /* those that are no text */
    case ISO_AMOUNT:
    case ISO_BALANCE: {
        char money[MONEY_TEXT_SIZE];
        (void)snprintf(out, size, "%s", money_format(*(const money_t *)value, MONEY_PLAIN, money));
        break;
    }
    case ISO_DATE:
    case ISO_DAY_OF: {
        char date[TIMEFMT_DATE_SIZE];
        (void)snprintf(out, size, "%s", timefmt_date(*(const int32_t *)value, date));
        break;
    }
    case ISO_TIME: {
        char time[40];
        format_time(*(const int64_t *)value, time);
        (void)snprintf(out, size, "%s", time);
        break;
    }
    case ISO_COUNT:
        (void)str_format_uint64(*(const uint64_t *)value, digits);
        (void)snprintf(out, size, "%s", digits);
        break;
    case ISO_SIGN:
        (void)snprintf(out, size, "%s",
                       *(const enum iso_sign *)value == ISO_CREDIT ? "CRDT" : "DBIT");
        break;
    case ISO_BOOL:
        (void)snprintf(out, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    }
    return out;
}

#define XML(text) ((const xmlChar *)(text))

static bool start(struct iso_writer *w, const struct iso_element *e)
{
    return xmlTextWriterStartElement(w->xml, XML(e->name)) >= 0 &&
           (e->ns == NULL || xmlTextWriterWriteAttribute(w->xml, XML("xmlns"), XML(e->ns)) >= 0);
}

static bool finish(struct iso_writer *w)
{
    return xmlTextWriterEndElement(w->xml) >= 0;
}

static bool write_value(struct iso_writer *w, const struct iso_element *e, const void *value)
{
    char text[VALUE_SIZE];
    const char *said =
        e->type == ISO_CONSTANT ? e->words : format_value(e->type, value, text, sizeof text);

    if (said == NULL || !start(w, e))
        return false;
    if (e->type == ISO_AMOUNT || e->type == ISO_BALANCE) {
        const char *ccy = ccy_alpha(((const money_t *)value)->ccy);
        if (xmlTextWriterWriteAttribute(w->xml, XML("Ccy"), XML(ccy)) < 0)
            return false;
    }
    return xmlTextWriterWriteString(w->xml, XML(said)) >= 0 && finish(w);
}

/* ---------------------------------------------------------------- elements */

static bool write_inside(struct iso_writer *w, const struct iso_element *inner, const void *base);

/* Is it written even when nothing is said in it? base: of a group that is there itself. */
static bool always(const struct iso_element *e)
{
    return e->type == ISO_CONSTANT || (e->flags & ISO_KEEP) != 0 ||
           (e->type == ISO_BOOL && (e->flags & ISO_MUST) != 0);
}

static bool write_element(struct iso_writer *w, const struct iso_element *e, const void *base)
{
    if ((e->flags & ISO_READ) || e->type == ISO_NEVER)
        return true;
    if (!always(e) && !iso_is_present(e, base))
        return true;
    for (size_t i = 0; i < iso_value_count(e, base); i++) {
        const void *value = iso_value(e, base, i);
        if (e->type != ISO_GROUP) {
            if (!write_value(w, e, value))
                return false;
        } else if (!start(w, e) || !write_inside(w, e->inner, value) || !finish(w)) {
            return false;
        }
    }
    return true;
}

static bool write_inside(struct iso_writer *w, const struct iso_element *inner, const void *base)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++)
        if (!write_element(w, e, base))
            return false;
    return true;
}

/* What comes before the items, with the groups around them left open. Items are the last of what they stand in. */
static bool open_path(struct iso_writer *w, const struct iso_element *inner, const void *base)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++) {
        if (e->flags & (ISO_PATH | ISO_ITEM)) {
            assert(w->n_open < sizeof w->open / sizeof w->open[0] && e[1].name == NULL);
            w->open[w->n_open++] = e;
            if (e->flags & ISO_ITEM)
                return true;
            return start(w, e) && open_path(w, e->inner, iso_value(e, base, 0));
        }
        if (!write_element(w, e, base))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- the message */

static void make_header(const struct iso_writer *w, struct iso_header *h)
{
    const struct iso_group *g = &w->group;
    *h = (struct iso_header){
        .from_bic = g->kind == ISO_PAIN_001 ? g->initiator.organisation_bic : g->instructing.bic,
        .to_bic = g->kind == ISO_PAIN_001 ? g->payment.debtor_agent.bic : g->instructed.bic,
        .message_id = g->message_id,
        .definition = slice_str(w->name),
        .service = w->options.service,
        .creation_us = g->creation_us,
        .possible_duplicate = w->options.possible_duplicate,
    };
}

static bool start_root(struct iso_writer *w, const char *element, const char *name)
{
    char ns[sizeof ISO_NS_PREFIX + ISO_NAME_SIZE];
    (void)snprintf(ns, sizeof ns, ISO_NS_PREFIX "%s", name);
    return xmlTextWriterStartElement(w->xml, XML(element)) >= 0 &&
           xmlTextWriterWriteAttribute(w->xml, XML("xmlns"), XML(ns)) >= 0;
}

static bool write_header(struct iso_writer *w, const struct iso_header *header)
{
    return xmlTextWriterStartElement(w->xml, XML(w->options.wrapper)) >= 0 &&
           start_root(w, "AppHdr", ISO_HEADER_NAME) &&
           write_inside(w, iso_header_elements, header) && finish(w) &&
           xmlTextWriterWriteRaw(w->xml, XML("\n")) >= 0;
}

bool iso_writer_begin(struct iso_writer *w, const struct iso_group *group, struct iso_refusal *out)
{
    const struct iso_definition *d = iso_definition(group->kind);
    struct iso_header header;

    assert(!w->began && (group->version == 0 || group->version == d->version));
    w->began = true;
    w->group = *group;
    w->group.version = d->version;
    (void)iso_message_name(group->kind, 0, w->name);
    if (w->group.control_sum.len == 0 && w->group.total.ccy != 0)
        w->group.control_sum = slice_str(money_format(w->group.total, MONEY_PLAIN, w->control_sum));
    if (!iso_rules_group(&w->group, out))
        return false;
    make_header(w, &header);
    if (!w->options.bare && !iso_rules_header(&header, &w->group, NULL, out))
        return false;
    /* Not by xmlTextWriterStartDocument(): that would put a converter of UTF-8 to UTF-8 behind us. */
    if (xmlTextWriterWriteRaw(w->xml, XML(PROLOG)) < 0 ||
        (!w->options.bare && !write_header(w, &header)) || !start_root(w, "Document", w->name) ||
        xmlTextWriterStartElement(w->xml, XML(d->root)) < 0 || !open_path(w, d->inner, &w->group) ||
        w->failed || w->over_limit)
        return fault(w, out);
    return true;
}

bool iso_writer_add(struct iso_writer *w, const union iso_item *item, struct iso_refusal *out)
{
    assert(w->began && !w->ended && w->n_open > 0);
    const struct iso_element *row = w->open[w->n_open - 1];
    uint64_t number = w->totals.count + 1;
    bool good =
        iso_rules_item(&w->group, item, out) && iso_totals_add(&w->group, item, &w->totals, out);
    if (good && (xmlTextWriterWriteRaw(w->xml, XML("\n")) < 0 || !start(w, row) ||
                 !write_inside(w, row->inner, item) || !finish(w) || w->failed || w->over_limit))
        good = fault(w, out);
    if (!good)
        out->item = number;
    return good;
}

bool iso_writer_end(struct iso_writer *w, struct iso_refusal *out)
{
    assert(w->began && !w->ended);
    w->ended = true;
    if (!iso_rules_totals(&w->group, &w->totals, out))
        return false;
    if (w->group.kind == ISO_PAIN_001 &&
        !iso_rules_block_totals(&w->group.payment, &w->totals, out))
        return false;
    if (xmlTextWriterWriteRaw(w->xml, XML("\n")) < 0 || xmlTextWriterEndDocument(w->xml) < 0 ||
        xmlTextWriterFlush(w->xml) < 0 || w->failed || w->over_limit)
        return fault(w, out);
    return true;
}
