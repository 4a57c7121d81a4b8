/*
 * iso20022_maker.h: messages for tests. Random ones are made by walking the tables of iso20022/shape.h, so that every
 * element of every message is written and read by some of them; then what must hold between elements is put right.
 * All people are made up; IBANs have right check digits and account numbers nobody has.
 */
#ifndef UJRAT_TESTS_UNIT_ISO20022_MAKER_H
#define UJRAT_TESTS_UNIT_ISO20022_MAKER_H

#include "base/buf.h"
#include "domain/iban.h"
#include "iso20022/ids.h"
#include "iso20022/reader.h"
#include "iso20022/shape.h"
#include "iso20022/writer.h"
#include "tests/unit/prng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAKER_ITEMS_MAX 6
#define US_BR           SLICE("UJRTPKKAXXX") /* us and a bank, made up */
#define BANK_BR         SLICE("DEMOPKKA")

struct maker {
    struct prng prng;
    uint16_t ccy; /* of this message */
    char store[1 << 18];
    size_t used;
    struct iso_group group;
    union iso_item items[MAKER_ITEMS_MAX];
    size_t n;
};

static inline bool coin(struct maker *m)
{
    return (prng_next(&m->prng) & 1) != 0;
}

static inline struct slice store(struct maker *m, const char *text, size_t len)
{
    struct slice s = {m->store + m->used, len};
    if (len > sizeof m->store - m->used)
        abort();
    memcpy(m->store + m->used, text, len);
    m->used += len;
    return s;
}

/* 1 to chars_max of set, with none of its first `inner` at the ends (blank, slash) and no two of them together. */
static inline struct slice any_of(struct maker *m, const char *set, size_t inner, size_t chars_max)
{
    char text[400];
    size_t all = strlen(set);
    size_t len = (size_t)prng_between(&m->prng, 1, (int64_t)chars_max);
    bool was_inner = true;
    for (size_t i = 0; i < len; i++) {
        size_t first = was_inner || i + 1 == len ? inner : 0;
        size_t at = (size_t)prng_between(&m->prng, (int64_t)first, (int64_t)all - 1);
        text[i] = set[at];
        was_inner = at < inner;
    }
    return store(m, text, len);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static inline struct slice any_iban(struct maker *m)
{
    char account[17];
    char iban[IBAN_SIZE];
    for (int i = 0; i < 16; i++)
        account[i] = i < 4 ? '9' : DIGITS[prng_next(&m->prng) % 10];
    if (iban_make(SLICE("ZZZZ"), slice_of(account, 16), iban) != REASON_NONE)
        abort();
    return store(m, iban, IBAN_LEN);
}

static inline struct slice any_word(struct maker *m, const char *words)
{
    struct slice rest = slice_str(words);
    struct slice one;
    while (slice_cut(rest, ' ', &one, &rest) && coin(m))
        ;
    return one;
}

static inline struct slice any_uetr(struct maker *m)
{
    char uetr[ISO_UETR_SIZE];
    struct slice id = any_of(m, DIGITS LETTERS, 0, 20);
    if (err_failed(iso_uetr_make(SLICE("MAKER"), id, uetr)))
        abort();
    return store(m, uetr, 36);
}

static inline struct slice any_text(struct maker *m, const struct iso_element *e)
{
    static const char name[] = " aZ0!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~bcdefghijklmnopq";
    switch ((int)e->type) {
    case ISO_ID:
        return any_of(m, "/ -?:().,'+abcXYZ0123456789", 2, e->chars_max);
    case ISO_TEXT:
        return coin(m) ? SLICE("\xD8\xA7\xD8\xAC\xD8\xB1\xD8\xAA")
                       : any_of(m, name, 1, e->chars_max);
    case ISO_CODE:
        return any_of(m, LETTERS, 0, e->chars_max < 4 ? e->chars_max : 4);
    case ISO_WORD:
        return any_word(m, e->words);
    case ISO_BIC:
        return coin(m) ? SLICE("ZZZZPKKAXXX") : SLICE("ZZZZAEA1");
    case ISO_IBAN:
        return coin(m) ? any_iban(m) : SLICE("GB82WEST12345698765432");
    case ISO_LEI:
        return SLICE("ZZZZ00AAAAAAAAAAAA12");
    case ISO_COUNTRY:
        return coin(m) ? SLICE("PK") : SLICE("AE");
    case ISO_CURRENCY:
        return SLICE("PKR");
    case ISO_UETR:
        return any_uetr(m);
    case ISO_DECIMAL:
        return SLICE("281.8289");
    default:
        return any_of(m, name, 1, e->chars_max);
    }
}

static inline void fill_value(struct maker *m, const struct iso_element *e, void *at)
{
    if (iso_type_is_text(e->type)) {
        *(struct slice *)at = any_text(m, e);
        return;
    }
    switch ((int)e->type) {
    case ISO_AMOUNT:
    case ISO_BALANCE:
        *(money_t *)at = money_of(prng_between(&m->prng, 1, 1000000000000), m->ccy);
        break;
    case ISO_DATE:
        *(int32_t *)at = (int32_t)prng_between(&m->prng, 10957, 47481);
        break;
    case ISO_TIME: /* whole milliseconds, which is what is written */
        *(int64_t *)at = prng_between(&m->prng, 946684800000, 4102358400000) * 1000;
        break;
    case ISO_COUNT:
        *(uint64_t *)at = (uint64_t)prng_between(&m->prng, 1, 99999);
        break;
    case ISO_SIGN:
        *(enum iso_sign *)at = coin(m) ? ISO_CREDIT : ISO_DEBIT;
        break;
    case ISO_BOOL:
        *(bool *)at = coin(m);
        break;
    }
}

static inline void fill(struct maker *m, const struct iso_element *e, void *base, bool must);

static inline void fill_inside(struct maker *m, const struct iso_element *e, void *base)
{
    size_t n = 0;
    size_t only = 0;
    for (const struct iso_element *in = e->inner; in->name != NULL; in++)
        n += (in->flags & ISO_READ) == 0;
    only = (size_t)prng_between(&m->prng, 1, (int64_t)n);
    n = 0;
    for (const struct iso_element *in = e->inner; in->name != NULL; in++) {
        n += (in->flags & ISO_READ) == 0;
        if (e->check != ISO_CHECK_CHOICE || n == only)
            fill(m, in, base, (in->flags & ISO_MUST) != 0 || e->check == ISO_CHECK_CHOICE);
    }
}

static inline void repair(struct maker *m, const struct iso_element *e, void *value)
{
    struct iso_address *address = value;
    struct iso_agent *agent = value;
    struct iso_party *party = value;
    struct iso_remittance *remittance = value;
    struct iso_reason *reason = value;
    if (e->check == ISO_CHECK_ADDRESS) {
        address->town = SLICE("Sialkot");
        address->country = SLICE("PK");
        if (address->lines.n > 2)
            address->lines.n = 2;
    } else if (e->check == ISO_CHECK_AGENT && agent->bic.len == 0 && agent->member_id.len == 0) {
        agent->bic = SLICE("ZZZZPKKA");
    } else if (e->check == ISO_CHECK_PARTY && party->name.len == 0) {
        party->name = SLICE("Made Up");
    } else if (e->check == ISO_CHECK_REASON) {
        if (reason->proprietary.len == 0)
            reason->code = SLICE("AC04");
    } else if (e->check == ISO_CHECK_REMITTANCE) {
        if (remittance->lines.n > 0 && coin(m))
            remittance->references.n = 0;
        else if (remittance->references.n > 0)
            remittance->lines.n = 0;
        if (remittance->lines.n > 1)
            remittance->lines.n = 1;
    }
}

/* Says something or, if it may, nothing. */
static inline void fill(struct maker *m, const struct iso_element *e, void *base, bool must)
{
    size_t n = 1;
    if ((e->flags & (ISO_READ | ISO_ITEM)) || e->type == ISO_NEVER || e->type == ISO_CONSTANT ||
        (!must && coin(m)))
        return;
    if (e->list_max > 0) {
        n = (size_t)prng_between(&m->prng, 1, e->list_max);
        *(size_t *)(void *)((char *)base + e->offset) = n;
    }
    for (size_t i = 0; i < n; i++) {
        char *at = (char *)base + iso_value_at(e, i);
        if (e->type != ISO_GROUP) {
            fill_value(m, e, at);
        } else {
            fill_inside(m, e, at);
            repair(m, e, at);
        }
    }
}

static inline const struct iso_element *item_row(const struct iso_element *inner)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++) {
        if (e->flags & ISO_PATH)
            return item_row(e->inner);
        if (e->flags & ISO_ITEM)
            return e;
    }
    abort();
}

static inline void repair_transfer(struct maker *m, struct iso_transfer *t)
{
    const struct iso_group *g = &m->group;
    t->instructing = coin(m) ? g->instructing : (struct iso_agent){0};
    t->instructed = coin(m) ? g->instructed : (struct iso_agent){0};
    if (slice_equal_str(t->charge_bearer, "SLEV"))
        t->charges.n = 0;
    if (slice_equal_str(t->charge_bearer, "CRED") && t->charges.n == 0) {
        t->charges.n = 1;
        t->charges.at[0] =
            (struct iso_charge){.amount = money_of(0, m->ccy), .agent = {.bic = BANK_BR}};
    }
}

static inline void repair_follow_up(struct maker *m, struct iso_follow_up *f)
{
    f->instructing = f->instructed = (struct iso_agent){0};
    f->ids.end_to_end_id = SLICE("UJ7-42");
    if (f->reasons.n == 0)
        f->reasons.n = 1;
    for (size_t i = 0; i < f->reasons.n; i++) {
        f->reasons.at[i].code = SLICE("AC04");
        f->reasons.at[i].proprietary = (struct slice){0};
    }
    if (slice_equal_str(f->charge_bearer, "SLEV"))
        f->charges.n = 0;
    else if (f->charges.n == 0)
        f->charge_bearer = (struct slice){0};
    (void)m;
}

static inline void repair_group(struct maker *m, const struct iso_definition *d)
{
    struct iso_group *g = &m->group;
    g->instructing = (struct iso_agent){.bic = US_BR};
    g->instructed = (struct iso_agent){.bic = BANK_BR};
    g->settlement_date = 20650;
    g->control_sum = g->payment.control_sum = (struct slice){0};
    g->count = m->n;
    g->payment.count = 0;
    g->initiator.organisation_bic = US_BR;
    g->initiator.person_id = g->initiator.person_scheme = (struct slice){0};
    g->payment.debtor_agent = g->instructed;
    g->total = (money_t){0, 0};
    for (size_t i = 0; i < m->n; i++) {
        const union iso_item *item = &m->items[i];
        money_t amount = d->item == ISO_ITEM_TRANSFER
                             ? item->transfer.amount
                             : (d->kind == ISO_PACS_004 ? item->follow_up.amount
                                                        : item->follow_up.original_amount);
        if (amount.ccy == 0 ||
            (d->item != ISO_ITEM_TRANSFER && d->kind != ISO_PACS_004 && d->kind != ISO_CAMT_056))
            continue;
        g->total = money_of(g->total.minor + amount.minor, m->ccy);
    }
}

/* A message of a kind, the same for the same seed. */
static inline void make_message(struct maker *m, enum iso_kind kind, uint64_t seed)
{
    static const uint16_t ccys[] = {CCY_PKR, CCY_USD, 392 /* JPY, no decimals */,
                                    414 /* KWD, three */};
    const struct iso_definition *d = iso_definition(kind);
    const struct iso_element *row = item_row(d->inner);

    memset(m, 0, sizeof *m);
    m->prng.state = seed;
    m->ccy = ccys[prng_next(&m->prng) % 4];
    m->n = (size_t)prng_between(&m->prng, 1, MAKER_ITEMS_MAX);
    m->group.kind = kind;
    struct iso_element root = {
        .name = d->root, .type = ISO_GROUP, .inner = d->inner, .flags = ISO_MUST};
    fill(m, &root, &m->group, true);
    for (size_t i = 0; i < m->n; i++)
        fill_inside(m, row, &m->items[i]);
    repair_group(m, d);
    for (size_t i = 0; i < m->n; i++) {
        if (d->item == ISO_ITEM_TRANSFER)
            repair_transfer(m, &m->items[i].transfer);
        else if (d->item == ISO_ITEM_FOLLOW_UP)
            repair_follow_up(m, &m->items[i].follow_up);
    }
}

/* ---------------------------------------------------------------- writing and reading in memory */

static inline bool into_buf(void *user, const char *p, size_t len)
{
    return !err_failed(buf_append(user, p, len));
}

/* Empties out first. */
static inline bool write_message(const struct maker *m, bool bare, struct buf *out,
                                 struct iso_refusal *refusal)
{
    struct iso_writer_options options = {.write = into_buf, .user = out, .bare = bare};
    struct iso_writer *w = NULL;
    bool good = true;
    buf_reset(out);
    if (err_failed(iso_writer_new(&options, &w)))
        abort();
    good = iso_writer_begin(w, &m->group, refusal);
    for (size_t i = 0; good && i < m->n; i++)
        good = iso_writer_add(w, &m->items[i], refusal);
    good = good && iso_writer_end(w, refusal);
    iso_writer_free(&w);
    return good;
}

static inline bool read_bytes(struct slice bytes, const struct iso_reader_options *options,
                              const struct iso_sink *sink, struct iso_refusal *refusal)
{
    static const struct iso_sink nobody;
    return iso_read(options, iso_read_slice, &bytes, sink == NULL ? &nobody : sink, refusal);
}

/* The folder of published XSDs; NULL, and it says so, where there is none. */
static inline const char *xsd_folder(void)
{
    static const char *const places[] = {"../shared/data/iso20022-xsd",
                                         "../../shared/data/iso20022-xsd"};
    struct stat st;
    for (size_t i = 0; i < 2; i++)
        if (stat(places[i], &st) == 0)
            return places[i];
    printf("# SKIP: no ../shared/data/iso20022-xsd here: NOTHING IS VALIDATED AGAINST THE XSDs\n");
    return NULL;
}

#endif
