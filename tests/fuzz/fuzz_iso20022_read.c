/* A bank's file may be anything: what the reader tells of it is whole, and is the same however the bytes are cut. */
#include "iso20022/reader.h"
#include "iso20022/shape.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct slice rest;
    int step;
};

struct sums {
    uint64_t groups, items, hash;
};

static int take(void *user, char *out, int len)
{
    struct input *in = user;
    return iso_read_slice(&in->rest, out, len < in->step ? len : in->step);
}

static void add(struct sums *sums, const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sums->hash = sums->hash * 31 + ((const unsigned char *)p)[i];
}

/* Every byte of every value that is told. */
static void add_inside(struct sums *sums, const struct iso_element *inner, const void *base)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++) {
        if (e->flags & ISO_ITEM)
            continue;
        assert(e->list_max == 0 || iso_value_count(e, base) <= e->list_max);
        for (size_t i = 0; i < iso_value_count(e, base); i++) {
            const void *value = iso_value(e, base, i);
            if (e->type == ISO_GROUP) {
                add_inside(sums, e->inner, value);
            } else if (iso_type_is_text(e->type)) {
                struct slice s = *(const struct slice *)value;
                assert(utf8_check(s, NULL) == UTF8_OK);
                add(sums, s.p, s.len);
            } else {
                add(sums, value, iso_value_size(e->type));
            }
        }
    }
}

static bool group(void *user, const struct iso_header *header, const struct iso_group *g,
                  struct iso_refusal *why)
{
    struct sums *sums = user;
    (void)why;
    assert(g->message_id.len > 0 && g->creation_us != 0);
    if (header != NULL)
        add_inside(sums, iso_header_elements, header);
    add_inside(sums, iso_definition(g->kind)->inner, g);
    sums->groups++;
    return true;
}

static const struct iso_element *item_row(const struct iso_element *inner)
{
    const struct iso_element *e = inner;
    while ((e->flags & (ISO_PATH | ISO_ITEM)) == 0)
        e++;
    return e->flags & ISO_ITEM ? e : item_row(e->inner);
}

static bool item(void *user, const struct iso_group *g, const union iso_item *i,
                 struct iso_refusal *why)
{
    struct sums *sums = user;
    (void)why;
    assert(sums->groups > 0);
    add_inside(sums, item_row(iso_definition(g->kind)->inner)->inner, i);
    sums->items++;
    return true;
}

static bool read_by(const uint8_t *data, size_t size, int step, struct sums *sums)
{
    struct input in = {slice_of(data, size), step};
    struct iso_sink sink = {sums, group, item};
    struct iso_refusal refusal;
    bool good = iso_read(NULL, take, &in, &sink, &refusal);

    assert(good == (refusal.rule == ISO_RULE_NONE));
    assert(good || sums->groups == 0 || refusal.line > 0);
    for (const char *c = refusal.detail; *c != '\0'; c++)
        assert(*c >= ' ' && *c <= '~');
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sums whole = {0, 0, 0};
    struct sums parts = {0, 0, 0};
    bool good = read_by(data, size, 1 << 20, &whole);

    assert(read_by(data, size, 7, &parts) == good);
    assert(memcmp(&whole, &parts, sizeof whole) == 0);
    return 0;
}
