/* A receipt as it must be, made from its own records: what differs from this was changed. */
#include "audit/money.h"
#include "audit/receipt.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- values */

/* What fails for want of memory gives NULL, and an object that is given NULL says so: no value is checked by itself. */
struct made {
    json_t *object;
    bool failed;
};

static struct made object(void)
{
    struct made m = {.object = json_object()};

    m.failed = m.object == NULL;
    return m;
}

static void set(struct made *m, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(m->object, key, value) != 0)
        m->failed = true;
}

static json_t *done(struct made *m)
{
    if (!m->failed)
        return m->object;
    json_decref(m->object);
    return NULL;
}

static json_t *text(struct slice s)
{
    return s.p == NULL ? json_null() : json_stringn(s.p, s.len);
}

static json_t *hex(struct slice bytes)
{
    char out[HEX_SIZE(64)];

    if (bytes.len > 64)
        return NULL;
    hex_encode(bytes.p, bytes.len, out);
    return json_string(out);
}

static json_t *time_of(int64_t us)
{
    char out[TIMEFMT_SIZE];

    return json_string(timefmt_rfc3339(us, out));
}

static json_t *name_of(struct slice book, const char *collection, int64_t id)
{
    return json_sprintf("platforms/%.*s/%s/%lld", SLICE_ARG(book), collection, (long long)id);
}

static json_t *money(struct slice currency, amount_t minor)
{
    char out[AMOUNT_TEXT_SIZE];
    struct made m = object();

    set(&m, "currency", text(currency));
    set(&m, "amount", json_string(amount_plain(minor, receipt_digits(currency), out)));
    return done(&m);
}

/* As short as it goes: "277.9612". */
static json_t *rate(amount_t e10)
{
    char out[64];
    size_t n = (size_t)snprintf(out, sizeof out, "%lld.%010lld", (long long)(e10 / 10000000000LL),
                                (long long)(e10 % 10000000000LL));

    while (out[n - 1] == '0')
        n--;
    if (out[n - 1] == '.')
        n--;
    return json_stringn(out, n);
}

/* What stands in the document itself: records, signatures and paths have been checked. */
static json_t *as_is(const json_t *from, const char *key)
{
    return json_deep_copy(json_object_get(from, key));
}

/* ---------------------------------------------------------------- the payout */

static json_t *account_said(const struct receipt *r)
{
    char out[64];
    struct slice iban = r->openings[1].value, mobile = r->openings[2].value;

    if (iban.p != NULL && iban.len < sizeof out)
        return json_string(mask_iban(iban, out, sizeof out));
    if (mobile.p != NULL && mobile.len < sizeof out)
        return json_string(mask_tail(mobile, out, sizeof out));
    return json_null();
}

static json_t *beneficiary_said(const struct receipt *r)
{
    const struct record_beneficiary *b = &r->beneficiary;
    struct made m = object();

    set(&m, "name", name_of(b->book, "beneficiaries", b->beneficiary_id));
    set(&m, "version", json_integer(b->version));
    set(&m, "channel",
        json_string(b->channel == 1   ? "EXPORT_OF_SERVICES"
                    : b->channel == 2 ? "HOME_REMITTANCE"
                                      : "?"));
    set(&m, "purpose_code", text(b->purpose_code));
    set(&m, "recorded_by", text(b->actor));
    set(&m, "recorded_at", time_of(b->created_at_us));
    set(&m, "display_name", text(r->openings[0].value));
    set(&m, "account", account_said(r));
    return done(&m);
}

/* mid × (10,000 − margin) / 10,000, to the nearest, from the middle to the even one. */
static amount_t our_rate(const struct record_payout *p)
{
    amount_t product = (amount_t)p->mid_rate_e10 * (10000 - p->margin_bps);
    amount_t value = product / 10000, twice = product % 10000 * 2;

    return value + (twice > 10000 || (twice == 10000 && value % 2 != 0) ? 1 : 0);
}

static json_t *pricing_said(const struct record_payout *p)
{
    struct made m = object();

    set(&m, "gross", money(p->src_ccy, p->gross));
    set(&m, "fee", money(p->src_ccy, p->fee));
    set(&m, "converted", money(p->src_ccy, (amount_t)p->gross - p->fee));
    set(&m, "mid_rate", rate(p->mid_rate_e10));
    set(&m, "mid_value", money(p->dst_ccy, p->mid_value));
    set(&m, "margin_bps", json_integer(p->margin_bps));
    set(&m, "margin", money(p->dst_ccy, p->margin));
    set(&m, "our_rate", rate(our_rate(p)));
    set(&m, "net", money(p->dst_ccy, p->net));
    return done(&m);
}

static json_t *rate_said(const struct record_rate_sheet *s)
{
    char date[TIMEFMT_DATE_SIZE];
    struct made m = object();

    set(&m, "source", text(s->source));
    set(&m, "date", json_string(timefmt_date((int32_t)s->sheet_date_days, date)));
    set(&m, "as_of", time_of(s->as_of_us));
    return done(&m);
}

static json_t *quote_said(const struct receipt *r)
{
    const struct record_quote *q = &r->quote;
    struct made m;

    if (r->journals[0].said.payout.quote.p == NULL)
        return json_null();
    m = object();
    set(&m, "name", name_of(q->book, "quotes", q->quote_id));
    set(&m, "request_id", text(q->request_id));
    set(&m, "created_at", time_of(q->created_at_us));
    set(&m, "expires_at", time_of(q->expires_at_us));
    return done(&m);
}

static json_t *payout_said(const struct receipt *r)
{
    const struct record_journal *first = &r->journals[0].said;
    const struct record_payout *p = &first->payout;
    struct made m = object();
    int64_t state = 0;

    for (size_t i = 0; i < r->n_journals; i++)
        if (receipt_state_of(&r->journals[i].said) != 0)
            state = receipt_state_of(&r->journals[i].said);
    set(&m, "name", name_of(first->book, "payouts", first->seq));
    set(&m, "reference", text(p->reference));
    set(&m, "info", text(p->info));
    set(&m, "state", json_string(receipt_state_name(state)));
    set(&m, "bank", text(p->bank));
    set(&m, "beneficiary", beneficiary_said(r));
    set(&m, "pricing", pricing_said(p));
    set(&m, "rate", rate_said(&r->sheet));
    set(&m, "quote", quote_said(r));
    return done(&m);
}

static json_t *event_said(const struct record_journal *j, struct slice dst_ccy)
{
    const struct record_transition none = {0};
    const struct record_transition *t = j->subject == SUBJECT_TRANSITION ? &j->transition : &none;
    struct made m = object();

    set(&m, "state", json_string(receipt_state_name(receipt_state_of(j))));
    set(&m, "time", time_of(j->committed_at_us));
    set(&m, "journal", json_integer(j->seq));
    set(&m, "reason_code", text(t->reason_code));
    set(&m, "bank_reference", text(t->bank_reference));
    set(&m, "tax_withheld",
        t->tax_withheld.has ? money(dst_ccy, t->tax_withheld.value) : json_null());
    set(&m, "eprc_number", text(t->eprc_number));
    return done(&m);
}

/* ---------------------------------------------------------------- journals, blocks, head, keys */

static json_t *lines_said(const struct record_journal *j)
{
    json_t *list = json_array();

    for (size_t i = 0; i < j->n_lines; i++) {
        json_t *line = money(j->lines[i].currency, j->lines[i].amount);

        if (line == NULL || json_object_set_new(line, "account", text(j->lines[i].account)) != 0 ||
            json_array_append(list, line) != 0) {
            json_decref(line);
            json_decref(list);
            return NULL;
        }
        json_decref(line);
    }
    return list;
}

static json_t *journal_said(const struct receipt *r, size_t i)
{
    const json_t *have = json_array_get(json_object_get(r->json, "journals"), i);
    const struct record_journal *j = &r->journals[i].said;
    int64_t first = r->journals[i].block < 0 ? 0 : r->blocks[r->journals[i].block].said.first_seq;
    struct made m = object();

    set(&m, "seq", json_integer(j->seq));
    set(&m, "block_no", json_integer(j->block_no));
    set(&m, "time", time_of(j->committed_at_us));
    set(&m, "kind", text(j->kind));
    set(&m, "actor", text(j->actor));
    set(&m, "payout", j->payout_id.has ? json_integer(j->payout_id.value) : json_null());
    set(&m, "reverses", j->reverses_seq.has ? json_integer(j->reverses_seq.value) : json_null());
    set(&m, "detail", text(j->detail));
    set(&m, "lines", lines_said(j));
    set(&m, "record", as_is(have, "record"));
    set(&m, "leaf_index", json_integer((json_int_t)((uint64_t)j->seq - (uint64_t)first)));
    set(&m, "path", as_is(have, "path"));
    return done(&m);
}

static json_t *block_said(const struct receipt *r, size_t i)
{
    const json_t *have = json_array_get(json_object_get(r->json, "blocks"), i);
    const struct record_block *b = &r->blocks[i].said;
    const struct receipt_key *key = receipt_key_for(r, b->block_no);
    struct made m = object();

    set(&m, "block_no", json_integer(b->block_no));
    set(&m, "first_seq", json_integer(b->first_seq));
    set(&m, "last_seq", json_integer(b->last_seq));
    set(&m, "committed_at", time_of(b->committed_at_us));
    set(&m, "journal_root", hex(b->journal_root));
    set(&m, "prev", hex(b->prev));
    set(&m, "record", as_is(have, "record"));
    set(&m, "key_id", json_string(key == NULL ? "" : key->key_id));
    set(&m, "signature", as_is(have, "signature"));
    set(&m, "path", as_is(have, "path"));
    return done(&m);
}

static json_t *head_said(const struct receipt *r)
{
    const json_t *have = json_object_get(r->json, "tree_head");
    struct made m = object();

    set(&m, "tree_size", json_integer(r->head.tree_size));
    set(&m, "root", hex(r->head.root));
    set(&m, "signed_at", time_of(r->head.signed_at_us));
    set(&m, "record", as_is(have, "record"));
    set(&m, "key_id", as_is(have, "key_id"));
    set(&m, "signature", as_is(have, "signature"));
    return done(&m);
}

static json_t *key_said(const struct receipt *r, size_t i)
{
    const json_t *have = json_array_get(json_object_get(r->json, "keys"), i);
    const struct receipt_key *k = &r->keys[i];
    struct made m = object();

    set(&m, "key_id", json_string(k->key_id));
    set(&m, "public_key", hex(k->said.public_key));
    set(&m, "from_block", json_integer(k->said.from_block));
    set(&m, "created_at", time_of(k->said.created_at_us));
    set(&m, "record", as_is(have, "record"));
    set(&m, "signed_by", json_string(i == 0 ? k->key_id : r->keys[i - 1].key_id));
    set(&m, "signature", as_is(have, "signature"));
    return done(&m);
}

static json_t *events_said(const struct receipt *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_journals; i++)
        if (receipt_state_of(&r->journals[i].said) != 0 &&
            json_array_append_new(
                list, event_said(&r->journals[i].said, r->journals[0].said.payout.dst_ccy)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *list_said(const struct receipt *r, size_t n,
                         json_t *(*one)(const struct receipt *r, size_t i))
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, one(r, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *records_said(const struct receipt *r)
{
    const json_t *have = json_object_get(r->json, "records");
    struct made m = object();

    set(&m, "beneficiary", as_is(have, "beneficiary"));
    set(&m, "rate_sheet", as_is(have, "rate_sheet"));
    return done(&m);
}

static json_t *openings_said(const struct receipt *r)
{
    static const char *const names[RECEIPT_OPENINGS] = {"name", "iban", "mobile"};
    const json_t *have = json_object_get(r->json, "openings");
    struct made m;

    if (json_is_null(have))
        return json_null();
    m = object();
    for (int i = 0; i < RECEIPT_OPENINGS; i++) {
        struct made one = object();

        set(&one, "salt", hex(slice_of(r->openings[i].salt, sizeof r->openings[i].salt)));
        set(&one, "value", text(r->openings[i].value));
        if (r->openings[i].value.p == NULL) {
            json_decref(one.object);
            set(&m, names[i], json_null());
        } else {
            set(&m, names[i], done(&one));
        }
    }
    return done(&m);
}

json_t *receipt_said(const struct receipt *r)
{
    struct made m = object();

    set(&m, "format", json_string("ujrat/receipt/1"));
    set(&m, "payout", payout_said(r));
    set(&m, "events", events_said(r));
    set(&m, "journals", list_said(r, r->n_journals, journal_said));
    set(&m, "blocks", list_said(r, r->n_blocks, block_said));
    set(&m, "tree_head", head_said(r));
    set(&m, "keys", list_said(r, r->n_keys, key_said));
    set(&m, "records", records_said(r));
    set(&m, "openings", openings_said(r));
    return done(&m);
}

/* ---------------------------------------------------------------- comparing */

static const char *shown(const json_t *value, char *out, size_t size)
{
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    (void)snprintf(out, size, "%.70s%s", dumped == NULL ? "nothing" : dumped,
                   dumped != NULL && strlen(dumped) > 70 ? "…" : "");
    free(dumped);
    return out;
}

static void compare(const json_t *want, const json_t *have, const char *where,
                    struct receipt_findings *findings);

static void compare_objects(const json_t *want, const json_t *have, const char *where,
                            struct receipt_findings *findings)
{
    char inner[RECEIPT_WHERE_SIZE];
    const char *dot = where[0] == '\0' ? "" : ".";
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)want, key, value)
    {
        (void)snprintf(inner, sizeof inner, "%s%s%s", where, dot, key);
        if (json_object_get(have, key) == NULL)
            receipt_find(findings, inner, "it is missing");
        else
            compare(value, json_object_get(have, key), inner, findings);
    }
    json_object_foreach((json_t *)(uintptr_t)have, key, value)
    {
        (void)snprintf(inner, sizeof inner, "%s%s%s", where, dot, key);
        if (json_object_get(want, key) == NULL)
            receipt_find(findings, inner, "it does not belong there: nothing vouches for it");
    }
}

static void compare(const json_t *want, const json_t *have, const char *where,
                    struct receipt_findings *findings)
{
    char inner[RECEIPT_WHERE_SIZE], text_want[96], text_have[96];

    if (json_is_object(want) && json_is_object(have)) {
        compare_objects(want, have, where, findings);
    } else if (json_is_array(want) && json_is_array(have)) {
        if (json_array_size(want) != json_array_size(have))
            receipt_find(findings, where, "there are %zu, and must be %zu", json_array_size(have),
                         json_array_size(want));
        for (size_t i = 0; i < json_array_size(want) && i < json_array_size(have); i++) {
            (void)snprintf(inner, sizeof inner, "%s[%zu]", where, i);
            compare(json_array_get(want, i), json_array_get(have, i), inner, findings);
        }
    } else if (!json_equal(want, have)) {
        receipt_find(findings, where, "it says %s, and its record %s",
                     shown(have, text_have, sizeof text_have),
                     shown(want, text_want, sizeof text_want));
    }
}

void receipt_compare(const json_t *want, const json_t *have, struct receipt_findings *findings)
{
    compare(want, have, "", findings);
}
