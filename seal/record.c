#include "seal/record.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_PREFIX = 1, FIRST_BYTES = 2048 };

static const unsigned char ABSENT[4] = {0xff, 0xff, 0xff, 0xff};

void seal_record_init(struct seal_record *r)
{
    *r = (struct seal_record){0};
}

void seal_record_deinit(struct seal_record *r)
{
    free(r->store);
    *r = (struct seal_record){0};
}

struct slice seal_record_bytes(const struct seal_record *r)
{
    if (r->failed || r->len == 0)
        return slice_of(NULL, 0);
    return slice_of(r->store + LEAF_PREFIX, r->len - LEAF_PREFIX);
}

struct slice seal_record_leaf(const struct seal_record *r)
{
    return r->failed ? slice_of(NULL, 0) : slice_of(r->store, r->len);
}

/* Out of line: once in a record's life at most. */
static __attribute__((noinline)) bool grow(struct seal_record *r, size_t n)
{
    size_t size = r->size == 0 ? FIRST_BYTES : r->size;
    while (size < r->len + n)
        size *= 2;
    unsigned char *store = realloc(r->store, size);
    if (store == NULL) {
        r->failed = true;
        return false;
    }
    r->store = store;
    r->size = size;
    return true;
}

static inline unsigned char *room(struct seal_record *r, size_t n)
{
    if (r->failed || (r->size - r->len < n && !grow(r, n)))
        return NULL;
    unsigned char *at = r->store + r->len;
    r->len += n;
    return at;
}

static inline void put(struct seal_record *r, const void *p, size_t len)
{
    if (len > SEAL_FIELD_BYTES_MAX) {
        r->failed = true;
        return;
    }
    unsigned char *at = room(r, 4 + len);
    if (at == NULL)
        return;
    const uint32_t be = htobe32((uint32_t)len);
    memcpy(at, &be, 4);
    if (len > 0)
        memcpy(at + 4, p, len);
}

static inline void put_text(struct seal_record *r, struct slice s)
{
    put(r, s.p, s.len);
}

static inline void put_hash(struct seal_record *r, const seal_hash_t *h)
{
    put(r, h->b, sizeof h->b);
}

static inline void put_absent(struct seal_record *r)
{
    unsigned char *at = room(r, 4);
    if (at != NULL)
        memcpy(at, ABSENT, 4);
}

static inline void put_optional(struct seal_record *r, struct slice s)
{
    if (s.p == NULL)
        put_absent(r);
    else
        put_text(r, s);
}

static inline void put_int(struct seal_record *r, int64_t value)
{
    static const unsigned char eight[4] = {0, 0, 0, 8};
    unsigned char *at = room(r, 12);
    if (at == NULL)
        return;
    const uint64_t be = htobe64((uint64_t)value);
    memcpy(at, eight, 4);
    memcpy(at + 4, &be, 8);
}

static inline void put_optional_int(struct seal_record *r, struct seal_opt_int v)
{
    if (v.present)
        put_int(r, v.value);
    else
        put_absent(r);
}

static void begin(struct seal_record *r, struct slice name)
{
    r->len = 0;
    r->failed = false;
    unsigned char *at = room(r, LEAF_PREFIX);
    if (at != NULL)
        *at = 0;
    put_text(r, name);
}

/* ---------------------------------------------------------------- a journal */

static void put_payout(struct seal_record *r, const struct seal_payout *p)
{
    put_text(r, SLICE("payout"));
    put_text(r, p->reference);
    put_optional(r, p->info);
    put_text(r, p->bank);
    put_text(r, p->src_ccy);
    put_text(r, p->dst_ccy);
    put_int(r, p->gross);
    put_int(r, p->fee);
    put_int(r, p->mid_rate_e10);
    put_int(r, p->mid_value);
    put_int(r, p->margin_bps);
    put_int(r, p->margin);
    put_int(r, p->net);
    put_int(r, p->digit_shift);
    put_text(r, p->fingerprint);
    put_int(r, p->beneficiary_id);
    put_int(r, p->beneficiary_version);
    put_text(r, p->beneficiary);
    put_text(r, p->rate_sheet);
    put_optional(r, p->quote);
    if (p->policy.p != NULL)
        put_text(r, p->policy);
}

static void put_transition(struct seal_record *r, const struct seal_transition *t)
{
    put_text(r, SLICE("transition"));
    put_int(r, t->step);
    put_int(r, t->state);
    put_optional(r, t->reason_code);
    put_optional(r, t->bank_reference);
    put_optional_int(r, t->tax_withheld);
    put_optional(r, t->eprc_number);
}

static void put_hold(struct seal_record *r, const struct seal_hold *h)
{
    put_text(r, SLICE("hold"));
    put_int(r, h->hold_no);
    put_text(r, h->reason);
    put_optional(r, h->detail);
    put_optional(r, h->evidence);
    put_int(r, h->deadline);
}

static void put_hold_end(struct seal_record *r, const struct seal_hold_end *e)
{
    put_text(r, SLICE("hold_end"));
    put_int(r, e->hold_no);
    put_int(r, e->outcome);
    put_text(r, e->first_by);
    put_text(r, e->second_by);
    put_text(r, e->first_note);
    put_text(r, e->second_note);
}

static void put_subject(struct seal_record *r, const struct seal_journal *j)
{
    switch (j->subject) {
    case SEAL_SUBJECT_NONE:
        put_text(r, SLICE("none"));
        break;
    case SEAL_SUBJECT_PAYOUT:
        put_payout(r, &j->of.payout);
        break;
    case SEAL_SUBJECT_TRANSITION:
        put_transition(r, &j->of.transition);
        break;
    case SEAL_SUBJECT_HANDOUT:
        put_text(r, SLICE("handout"));
        put_text(r, j->of.handout.bank);
        put_int(r, j->of.handout.prev_payout_id);
        put_int(r, j->of.handout.last_payout_id);
        break;
    case SEAL_SUBJECT_DEPOSIT:
        put_text(r, SLICE("deposit"));
        put_text(r, j->of.deposit.reference);
        put_text(r, j->of.deposit.currency);
        put_int(r, j->of.deposit.amount);
        break;
    case SEAL_SUBJECT_ADJUSTMENT:
        put_text(r, SLICE("adjustment"));
        put_int(r, j->of.adjustment.proposal);
        put_text(r, j->of.adjustment.reason);
        put_optional(r, j->of.adjustment.evidence);
        put_text(r, j->of.adjustment.proposed_by);
        put_int(r, j->of.adjustment.proposed_at);
        break;
    case SEAL_SUBJECT_UNCLAIMED:
        put_text(r, SLICE("unclaimed"));
        put_text(r, j->of.unclaimed.reference);
        put_optional(r, j->of.unclaimed.info);
        put_text(r, j->of.unclaimed.currency);
        put_int(r, j->of.unclaimed.gross);
        put_int(r, j->of.unclaimed.batch_id);
        put_int(r, j->of.unclaimed.item_no);
        put_int(r, j->of.unclaimed.expires_at);
        break;
    case SEAL_SUBJECT_UNCLAIMED_END:
        put_text(r, SLICE("unclaimed_end"));
        put_int(r, j->of.unclaimed_end.outcome);
        put_optional_int(r, j->of.unclaimed_end.payout_id);
        break;
    case SEAL_SUBJECT_HOLD:
        put_hold(r, &j->of.hold);
        break;
    case SEAL_SUBJECT_HOLD_END:
        put_hold_end(r, &j->of.hold_end);
        break;
    }
}

void seal_record_journal(struct seal_record *r, const struct seal_journal *j)
{
    assert(j->n_lines <= SEAL_LINES_MAX);
    begin(r, j->subject == SEAL_SUBJECT_PAYOUT && j->of.payout.policy.p != NULL
                 ? SLICE("ujrat/journal/2")
                 : SLICE("ujrat/journal/1"));
    put_text(r, j->book);
    put_int(r, j->seq);
    put_int(r, j->block_no);
    put_int(r, j->committed_at);
    put_text(r, j->kind);
    put_text(r, j->actor);
    put_optional_int(r, j->payout_id);
    put_optional_int(r, j->reverses_seq);
    put_optional(r, j->detail);
    put_int(r, j->n_lines);
    for (unsigned i = 0; i < j->n_lines; i++) {
        put_text(r, j->lines[i].account);
        put_text(r, j->lines[i].currency);
        put_int(r, j->lines[i].amount);
    }
    put_subject(r, j);
}

/* ---------------------------------------------------------------- what journals point to */

void seal_record_beneficiary(struct seal_record *r, const struct seal_beneficiary *b)
{
    begin(r, SLICE("ujrat/beneficiary/1"));
    put_text(r, b->book);
    put_int(r, b->beneficiary_id);
    put_int(r, b->version);
    put_text(r, b->bank);
    put_int(r, b->channel);
    put_text(r, b->purpose_code);
    for (unsigned i = 0; i < SEAL_COMMITMENTS; i++)
        put_optional(r, b->commitments[i]);
    put_text(r, b->actor);
    put_int(r, b->created_at);
}

void seal_record_rate_sheet(struct seal_record *r, const struct seal_rate_sheet *s)
{
    begin(r, SLICE("ujrat/rate-sheet/1"));
    put_int(r, s->rate_id);
    put_text(r, s->source);
    put_int(r, s->sheet_date);
    put_int(r, s->as_of);
    put_int(r, s->imported_at);
    put_text(r, s->file_name);
    put_text(r, s->file_sha256);
    put_text(r, s->author);
    put_int(r, s->n_rates);
}

void seal_record_rate(struct seal_record *r, struct slice currency, int64_t pkr_e10)
{
    put_text(r, currency);
    put_int(r, pkr_e10);
}

void seal_record_quote(struct seal_record *r, const struct seal_quote *q)
{
    begin(r, q->policy.p != NULL ? SLICE("ujrat/quote/2") : SLICE("ujrat/quote/1"));
    put_text(r, q->book);
    put_int(r, q->quote_id);
    put_text(r, q->request_id);
    put_text(r, q->fingerprint);
    put_text(r, q->src_ccy);
    put_text(r, q->dst_ccy);
    put_int(r, q->digit_shift);
    put_text(r, q->rate_sheet);
    put_int(r, q->gross);
    put_int(r, q->fee);
    put_int(r, q->mid_rate_e10);
    put_int(r, q->mid_value);
    put_int(r, q->margin_bps);
    put_int(r, q->margin);
    put_int(r, q->net);
    put_text(r, q->actor);
    put_int(r, q->created_at);
    put_int(r, q->expires_at);
    if (q->policy.p != NULL)
        put_text(r, q->policy);
}

void seal_record_policy_change(struct seal_record *r, const struct seal_policy_change *c)
{
    begin(r, SLICE("ujrat/policy-change/1"));
    put_int(r, c->policy_id);
    put_int(r, c->effective_at);
    put_text(r, c->reason);
    put_text(r, c->source);
    put_optional(r, c->source_sha256);
    put_int(r, c->opening);
    put_text(r, c->proposed_by);
    put_int(r, c->proposed_at);
    put_text(r, c->approved_by);
    put_int(r, c->approved_at);
    put_int(r, c->n_changes);
}

void seal_record_rule(struct seal_record *r, const struct seal_rule *rule)
{
    put_text(r, rule->rule);
    put_text(r, rule->scope);
    put_optional(r, rule->currency);
    put_optional_int(r, rule->value);
}

void seal_record_policy(struct seal_record *r, const struct seal_policy *p)
{
    begin(r, SLICE("ujrat/policy/1"));
    put_int(r, p->policy_id);
    put_int(r, p->effective_at);
    put_int(r, p->n_changes);
}

void seal_record_policy_hash(struct seal_record *r, const seal_hash_t *change)
{
    put_hash(r, change);
}

/* ---------------------------------------------------------------- what is signed */

void seal_record_block(struct seal_record *r, const struct seal_block *b)
{
    begin(r, SLICE("ujrat/block/1"));
    put_text(r, b->book);
    put_int(r, b->block_no);
    put_int(r, b->first_seq);
    put_int(r, b->last_seq);
    put_int(r, b->committed_at);
    put_hash(r, &b->journal_root);
    put_hash(r, &b->prev);
}

void seal_record_tree_head(struct seal_record *r, const struct seal_tree_head *h)
{
    begin(r, SLICE("ujrat/tree-head/1"));
    put_text(r, h->book);
    put_int(r, h->tree_size);
    put_hash(r, &h->root);
    put_int(r, h->signed_at);
}

void seal_record_key(struct seal_record *r, const struct seal_key_record *k)
{
    begin(r, SLICE("ujrat/key/1"));
    put_text(r, k->book);
    put_text(r, k->key_id);
    put_text(r, k->public_key);
    put_int(r, k->from_block);
    put_int(r, k->created_at);
}
