#include "ledger/batch.h"

#include <assert.h>
#include <stdlib.h>

/* One ledger_submit_batch call. */
struct submit {
    int32_t book_id, principal_id;
    const struct batch_draft *batch;
    const struct batch_item_draft *items;
    unsigned n;
    struct batch_posted *posted;
    ledger_posted_cb *cb;
    void *user;
};

/* The columns of submit_batch.sql. */
enum { COL_VERDICT, COL_BATCH_ID, COL_COMMITTED_AT, COL_SAME_BODY, COL_SAME_NAMES };

/* ---------------------------------------------------------------- encoding */

/* Column by column as the type batch_item_draft has them (ledger/schema). */
static void item_row(struct params *p, const struct batch_item_draft *i)
{
    const bool found = i->receiver_kind != RECEIVER_NONE;
    params_row_begin(p, 6);
    params_row_text_or_null(p, i->sender_item_id);
    params_row_int2(p, (int16_t)i->recipient_type);
    params_row_int2_or_null(p, (int16_t)i->receiver_kind);
    params_row_bytea_or_null(p, slice_of(found ? i->receiver_lookup : NULL, found ? 32 : 0));
    params_row_int2_or_null(p, i->sealed.len == 0 ? 0 : i->key_id);
    params_row_bytea_or_null(p, i->sealed);
    params_row_end(p);
}

static void encode_submit(void *user, struct params *p, const uint32_t *oids)
{
    const struct submit *s = user;
    params_add_int4(p, s->book_id);
    params_add_int4(p, s->principal_id);
    params_add_int4(p, s->batch->credential_id);
    params_add_text_or_null(p, s->batch->sender_batch_id);
    params_add_text_or_null(p, s->batch->request_id);
    params_add_text(p, s->batch->fingerprint);
    params_add_text_or_null(p, s->batch->email_subject);
    params_add_text_or_null(p, s->batch->email_message);
    params_add_int2(p, s->batch->ccy);
    params_add_int8(p, s->batch->amount);
    params_add_int8(p, s->batch->unclaimed_ttl_s);
    params_array_begin(p, LEDGER_TYPE_PAYOUT_DRAFT);
    for (unsigned i = 0; i < s->n; i++)
        payout_draft_row(p, &s->items[i].payout, oids);
    params_array_end(p);
    params_array_begin(p, LEDGER_TYPE_BATCH_ITEM_DRAFT);
    for (unsigned i = 0; i < s->n; i++)
        item_row(p, &s->items[i]);
    params_array_end(p);
}

/* ---------------------------------------------------------------- a batch */

static void read_answer(struct batch_posted *p, const struct rows *rows, bool lost)
{
    const int64_t verdict = rows_count(rows) == 1 ? rows_int(rows, 0, COL_VERDICT) : 0;
    if (verdict < BATCH_TAKEN || verdict > BATCH_NOT_COVERED) {
        /* Committed, and we cannot read how. */
        p->outcome = LEDGER_UNKNOWN;
        p->reason = REASON_OUTCOME_UNKNOWN;
        return;
    }
    p->verdict = (enum batch_verdict)verdict;
    p->batch_id = rows_int(rows, 0, COL_BATCH_ID);
    p->committed_us = rows_time_us(rows, 0, COL_COMMITTED_AT);
    p->same_body = rows_bool(rows, 0, COL_SAME_BODY);
    if (lost && rows_bool(rows, 0, COL_SAME_NAMES))
        p->verdict = BATCH_TAKEN;
    if (lost && p->verdict == BATCH_NOT_COVERED) {
        /* The lost call may still wait for the book's lock, and find more in the float than we did. */
        p->outcome = LEDGER_UNKNOWN;
        p->reason = REASON_OUTCOME_UNKNOWN;
    }
}

static void on_submitted(void *user, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows, bool lost)
{
    struct submit *s = user;
    *s->posted = (struct batch_posted){.outcome = outcome, .reason = reason};
    if (outcome == LEDGER_DONE)
        read_answer(s->posted, rows, lost);
    ledger_posted_cb *cb = s->cb;
    void *caller = s->user;
    free(s);
    cb(caller);
}

void ledger_submit_batch(struct ledger *l, int32_t book_id, int32_t principal_id,
                         const struct batch_draft *batch, const struct batch_item_draft *items,
                         unsigned n, int64_t deadline_us, struct batch_posted *posted,
                         ledger_posted_cb *cb, void *user)
{
    struct submit *s = malloc(sizeof *s);
    assert(n > 0 && s != NULL);
    *s = (struct submit){book_id, principal_id, batch, items, n, posted, cb, user};
    const struct ledger_ask ask = {"submit_batch", encode_submit, on_submitted, s, deadline_us};
    ledger_ask(l, &ask);
}

/* ---------------------------------------------------------------- claims */

struct claiming {
    int32_t book_id, principal_id;
    struct claim *claims;
    unsigned n;
    int64_t *numbers; /* room for 2 n */
    ledger_posted_cb *cb;
    void *user;
};

static void encode_claims(void *user, struct params *p, const uint32_t *oids)
{
    const struct claiming *c = user;
    for (unsigned i = 0; i < c->n; i++)
        c->numbers[i] = c->claims[i].unclaimed_id;
    params_add_int4(p, c->book_id);
    params_add_int4(p, c->principal_id);
    params_add_int8_array(p, c->numbers, (int32_t)c->n);
    params_array_begin(p, LEDGER_TYPE_PAYOUT_DRAFT);
    for (unsigned i = 0; i < c->n; i++)
        payout_draft_row(p, &c->claims[i].payout, oids);
    params_array_end(p);
}

static struct claimed claimed_of(int64_t outcome, int64_t payout_id, bool lost)
{
    struct claimed c = {.outcome = outcome == 0 || (outcome == 1 && lost) ? LEDGER_DONE
                                   : outcome == 1                         ? LEDGER_DUPLICATE
                                                                          : LEDGER_REFUSED,
                        .payout_id = payout_id};
    if (outcome > 1 && !reason_from_number((int32_t)outcome, &c.reason))
        c.reason = REASON_INTERNAL;
    return c;
}

static void on_claimed(void *user, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows, bool lost)
{
    struct claiming *c = user;
    const int n = (int)c->n;
    const bool done = outcome == LEDGER_DONE && rows_count(rows) == 1 &&
                      rows_int_array(rows, 0, 0, c->numbers, n) == n &&
                      rows_int_array(rows, 0, 1, c->numbers + n, n) == n;
    if (outcome == LEDGER_DONE && !done) {
        outcome = LEDGER_UNKNOWN; /* committed, and we cannot read how */
        reason = REASON_OUTCOME_UNKNOWN;
    }
    for (int i = 0; i < n; i++)
        c->claims[i].claimed = done ? claimed_of(c->numbers[i], c->numbers[n + i], lost)
                                    : (struct claimed){.outcome = outcome, .reason = reason};
    ledger_posted_cb *cb = c->cb;
    void *caller = c->user;
    free(c->numbers);
    free(c);
    cb(caller);
}

void ledger_claim(struct ledger *l, int32_t book_id, int32_t principal_id, struct claim *claims,
                  unsigned n, int64_t deadline_us, ledger_posted_cb *cb, void *user)
{
    struct claiming *c = malloc(sizeof *c);
    int64_t *numbers = calloc((size_t)n * 2, sizeof *numbers);
    assert(n > 0 && c != NULL && numbers != NULL);
    *c = (struct claiming){book_id, principal_id, claims, n, numbers, cb, user};
    const struct ledger_ask ask = {"unclaimed_claim", encode_claims, on_claimed, c, deadline_us};
    ledger_ask(l, &ask);
}
