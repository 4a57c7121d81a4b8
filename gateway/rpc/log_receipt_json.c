#include "gateway/rpc/log_receipt_json.h"

#include "base/hex.h"
#include "base/timefmt.h"
#include "domain/money.h"
#include "domain/payout_state.h"
#include "domain/purpose.h"
#include "domain/rate.h"
#include "domain/rounding.h"

#include <stdlib.h>

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
    if (m->failed || value == NULL || json_object_set_new_nocheck(m->object, key, value) != 0) {
        m->failed = true;
        if (m->object == NULL)
            json_decref(value);
    }
}

static json_t *done(struct made *m)
{
    if (!m->failed)
        return m->object;
    json_decref(m->object);
    return NULL;
}

/* null for one that is absent */
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

static json_t *base64(struct slice bytes)
{
    char *out = malloc(BASE64URL_SIZE(bytes.len));
    json_t *json = NULL;
    if (out == NULL)
        return NULL;
    json = json_stringn(out, base64url_encode(bytes.p, bytes.len, out));
    free(out);
    return json;
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

static json_t *money(struct slice currency, int64_t minor)
{
    const struct ccy *ccy = ccy_by_alpha(currency);
    char out[MONEY_TEXT_SIZE];
    struct made m = object();
    set(&m, "currency", text(currency));
    set(&m, "amount",
        json_string(
            money_format(money_of(minor, ccy == NULL ? 0 : ccy->number), MONEY_PLAIN, out)));
    return done(&m);
}

static json_t *rate(int64_t e10)
{
    char out[RATE_TEXT_SIZE];
    return json_string(rate_format((rate_t){e10}, out));
}

/* Hashes one after the other, as a list of them. */
static json_t *path(struct slice hashes)
{
    json_t *list = json_array();
    for (size_t at = 0; at < hashes.len; at += SEAL_HASH_SIZE)
        if (json_array_append_new(list, hex(slice_of(hashes.p + at, SEAL_HASH_SIZE))) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* ---------------------------------------------------------------- the payout */

static json_t *account_masked(const struct pii_open *person)
{
    const struct slice iban = person->value[PII_IBAN], mobile = person->value[PII_MOBILE];
    char out[64];
    if (iban.len > 0)
        return json_string(mask_iban(iban, out, sizeof(out)));
    return mobile.len > 0 ? json_string(mask_tail(mobile, out, sizeof(out))) : json_null();
}

static json_t *beneficiary_json(const struct log_entries *entries)
{
    const struct seal_beneficiary *b = &entries->beneficiary;
    enum channel channel = CHANNEL_EXPORT_OF_SERVICES;
    struct made m = object();
    set(&m, "name", name_of(b->book, "beneficiaries", b->beneficiary_id));
    set(&m, "version", json_integer(b->version));
    set(&m, "channel",
        channel_from_number((int32_t)b->channel, &channel) == REASON_NONE
            ? json_string(channel_name(channel))
            : NULL);
    set(&m, "purpose_code", text(b->purpose_code));
    set(&m, "recorded_by", text(b->actor));
    set(&m, "recorded_at", time_of(b->created_at));
    set(&m, "display_name",
        entries->has_person ? text(entries->person.value[PII_NAME]) : json_null());
    set(&m, "account", entries->has_person ? account_masked(&entries->person) : json_null());
    return done(&m);
}

static json_t *pricing_json(const struct seal_payout *p)
{
    rate_t ours = {0};
    struct made m = object();
    /* domain/pricing.h: a stored rate is positive, so it cannot overflow. */
    if (!round_div_int64((int128_t)p->mid_rate_e10 * (10000 - p->margin_bps), 10000,
                         ROUND_HALF_EVEN, &ours.e10))
        ours.e10 = 0;
    set(&m, "gross", money(p->src_ccy, p->gross));
    set(&m, "fee", money(p->src_ccy, p->fee));
    set(&m, "converted", money(p->src_ccy, p->gross - p->fee));
    set(&m, "mid_rate", rate(p->mid_rate_e10));
    set(&m, "mid_value", money(p->dst_ccy, p->mid_value));
    set(&m, "margin_bps", json_integer(p->margin_bps));
    set(&m, "margin", money(p->dst_ccy, p->margin));
    set(&m, "our_rate", rate(ours.e10));
    set(&m, "net", money(p->dst_ccy, p->net));
    return done(&m);
}

static json_t *rate_json(const struct seal_rate_sheet *s)
{
    char date[TIMEFMT_DATE_SIZE];
    struct made m = object();
    set(&m, "source", text(s->source));
    set(&m, "date", json_string(timefmt_date((int32_t)s->sheet_date, date)));
    set(&m, "as_of", time_of(s->as_of));
    return done(&m);
}

static json_t *quote_json(const struct log_entries *entries)
{
    const struct seal_quote *q = &entries->quote;
    struct made m;
    if (!entries->has_quote)
        return json_null();
    m = object();
    set(&m, "name", name_of(q->book, "quotes", q->quote_id));
    set(&m, "request_id", text(q->request_id));
    set(&m, "created_at", time_of(q->created_at));
    set(&m, "expires_at", time_of(q->expires_at));
    return done(&m);
}

/* The state each kind of journal leads to; 0: none of its own. */
static int64_t state_of(const struct seal_journal *j)
{
    switch (j->subject) {
    case SEAL_SUBJECT_PAYOUT:
        return PAYOUT_STATE_ACCEPTED;
    case SEAL_SUBJECT_HANDOUT:
        return PAYOUT_STATE_INSTRUCTED;
    case SEAL_SUBJECT_TRANSITION:
        return j->of.transition.state;
    case SEAL_SUBJECT_NONE:
    case SEAL_SUBJECT_DEPOSIT:
    case SEAL_SUBJECT_ADJUSTMENT:
    case SEAL_SUBJECT_UNCLAIMED:
    case SEAL_SUBJECT_UNCLAIMED_END:
    case SEAL_SUBJECT_HOLD:
    case SEAL_SUBJECT_HOLD_END:
        break;
    }
    return 0;
}

static json_t *state_json(int64_t number)
{
    enum payout_state state = PAYOUT_STATE_NONE;
    if (!payout_state_from_number((int32_t)number, &state))
        return NULL;
    return json_string(payout_state_name(state));
}

static json_t *payout_json(const struct log_entries *entries)
{
    const struct seal_payout *p = &entries->accepted->journal.of.payout;
    struct made m = object();
    int64_t state = 0;
    for (unsigned i = 0; i < entries->n; i++)
        if (state_of(&entries->entry[i].journal) != 0)
            state = state_of(&entries->entry[i].journal);
    set(&m, "name", name_of(entries->book.code, "payouts", entries->payout_id));
    set(&m, "reference", text(p->reference));
    set(&m, "info", text(p->info));
    set(&m, "state", state_json(state));
    set(&m, "bank", text(p->bank));
    set(&m, "beneficiary", beneficiary_json(entries));
    set(&m, "pricing", pricing_json(p));
    set(&m, "rate", rate_json(&entries->sheet.sheet));
    set(&m, "quote", quote_json(entries));
    return done(&m);
}

static json_t *event_json(const struct seal_journal *j, struct slice dst_ccy)
{
    static const struct seal_transition none;
    const struct seal_transition *t =
        j->subject == SEAL_SUBJECT_TRANSITION ? &j->of.transition : &none;
    struct made m = object();
    set(&m, "state", state_json(state_of(j)));
    set(&m, "time", time_of(j->committed_at));
    set(&m, "journal", json_integer(j->seq));
    set(&m, "reason_code", text(t->reason_code));
    set(&m, "bank_reference", text(t->bank_reference));
    set(&m, "tax_withheld",
        t->tax_withheld.present ? money(dst_ccy, t->tax_withheld.value) : json_null());
    set(&m, "eprc_number", text(t->eprc_number));
    return done(&m);
}

static json_t *events_json(const struct log_entries *entries)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < entries->n; i++) {
        const struct seal_journal *j = &entries->entry[i].journal;
        if (state_of(j) != 0 &&
            json_array_append_new(
                list, event_json(j, entries->accepted->journal.of.payout.dst_ccy)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* ---------------------------------------------------------------- journals and blocks */

static json_t *lines_json(const struct seal_journal *j)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < j->n_lines; i++) {
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

static json_t *journal_json(const struct log_entry *e)
{
    const struct seal_journal *j = &e->journal;
    struct made m = object();
    set(&m, "seq", json_integer(j->seq));
    set(&m, "block_no", json_integer(j->block_no));
    set(&m, "time", time_of(j->committed_at));
    set(&m, "kind", text(j->kind));
    set(&m, "actor", text(j->actor));
    set(&m, "payout", j->payout_id.present ? json_integer(j->payout_id.value) : json_null());
    set(&m, "reverses",
        j->reverses_seq.present ? json_integer(j->reverses_seq.value) : json_null());
    set(&m, "detail", text(j->detail));
    set(&m, "lines", lines_json(j));
    set(&m, "record", base64(e->record));
    set(&m, "leaf_index", json_integer(e->leaf_index));
    set(&m, "path", path(e->leaf_path));
    return done(&m);
}

static json_t *block_json(const struct log_entry *e)
{
    const struct seal_block *b = &e->block;
    struct made m = object();
    set(&m, "block_no", json_integer(b->block_no));
    set(&m, "first_seq", json_integer(b->first_seq));
    set(&m, "last_seq", json_integer(b->last_seq));
    set(&m, "committed_at", time_of(b->committed_at));
    set(&m, "journal_root", hex(log_hash_slice(&b->journal_root)));
    set(&m, "prev", hex(log_hash_slice(&b->prev)));
    set(&m, "record", base64(e->block_record));
    set(&m, "key_id", text(e->block_key_id));
    set(&m, "signature", base64(e->block_signature));
    set(&m, "path", path(e->block_path));
    return done(&m);
}

static bool append(json_t *list, json_t *value)
{
    return json_array_append_new(list, value) == 0;
}

/* A block is there once, however many of the journals are in it. */
static json_t *entries_json(const struct log_entries *entries, bool blocks)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (unsigned i = 0; i < entries->n && ok; i++) {
        const struct log_entry *e = &entries->entry[i];
        if (!blocks)
            ok = append(list, journal_json(e));
        else if (i == 0 || entries->entry[i - 1].block.block_no != e->block.block_no)
            ok = append(list, block_json(e));
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

/* ---------------------------------------------------------------- head and keys */

static json_t *head_json(const struct log_book *book)
{
    const struct seal_tree_head *h = &book->head_record;
    struct made m = object();
    set(&m, "tree_size", json_integer(h->tree_size));
    set(&m, "root", hex(log_hash_slice(&h->root)));
    set(&m, "signed_at", time_of(h->signed_at));
    set(&m, "record", base64(book->head.signed_record.record));
    set(&m, "key_id", text(book->head.signed_record.key_id));
    set(&m, "signature", base64(book->head.signed_record.signature));
    return done(&m);
}

static json_t *keys_json(const struct log_book *book)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < book->keys.n; i++) {
        const struct seal_key_record *k = &book->key_records.items[i];
        struct made m = object();
        set(&m, "key_id", text(k->key_id));
        set(&m, "public_key", hex(k->public_key));
        set(&m, "from_block", json_integer(k->from_block));
        set(&m, "created_at", time_of(k->created_at));
        set(&m, "record", base64(book->keys.items[i].record));
        set(&m, "signed_by", text(book->keys.items[i].key_id));
        set(&m, "signature", base64(book->keys.items[i].signature));
        if (!append(list, done(&m))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* ---------------------------------------------------------------- what records point to */

static json_t *records_json(const struct log_entries *entries)
{
    struct made m = object();
    set(&m, "beneficiary", base64(entries->beneficiary_record));
    set(&m, "rate_sheet", base64(entries->sheet.record));
    return done(&m);
}

static json_t *opening_json(const struct pii_open *person, enum pii_field field)
{
    struct made m;
    if (person->value[field].len == 0)
        return json_null();
    m = object();
    set(&m, "salt", hex(person->salt[field]));
    set(&m, "value", text(person->value[field]));
    return done(&m);
}

/* Of the name and the account alone: a receipt is shown to others, and they have no business with a CNIC. */
static json_t *openings_json(const struct log_entries *entries)
{
    struct made m;
    if (!entries->has_person)
        return json_null();
    m = object();
    set(&m, "name", opening_json(&entries->person, PII_NAME));
    set(&m, "iban", opening_json(&entries->person, PII_IBAN));
    set(&m, "mobile", opening_json(&entries->person, PII_MOBILE));
    return done(&m);
}

json_t *log_receipt_json(const struct log_entries *entries)
{
    struct made m = object();
    set(&m, "format", json_string("ujrat/receipt/1"));
    set(&m, "payout", payout_json(entries));
    set(&m, "events", events_json(entries));
    set(&m, "journals", entries_json(entries, false));
    set(&m, "blocks", entries_json(entries, true));
    set(&m, "tree_head", head_json(&entries->book));
    set(&m, "keys", keys_json(&entries->book));
    set(&m, "records", records_json(entries));
    set(&m, "openings", openings_json(entries));
    return done(&m);
}
