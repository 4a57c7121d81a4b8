/* Posting payouts through the batcher, with a PostgreSQL that does nothing unusual. */
#include "ledger/params.h"
#include "tests/pg/ledger_fixture.h"

enum { SINGLES = 500 };

static struct fixture *fixture(void **state)
{
    return *state;
}

static void a_payout_is_posted_and_the_books_follow(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "first", 10000);
    const int64_t before_us = clock_realtime_us();
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    const struct payout_posted *got = &p->posted[0];
    assert_true(got->committed_us >= before_us && got->committed_us <= clock_realtime_us());
    assert_int_equal(got->fee, 100);
    assert_int_equal(got->net, p->drafts[0].net);
    assert_int_equal(got->dst_ccy, CCY_PKR);
    assert_int_equal(
        sql_int(f,
                "SELECT count(*) FROM payout p JOIN bank USING (bank_id) WHERE book_id = %d AND"
                " payout_id = %" PRId64
                " AND reference = 'first' AND gross = 10000 AND bank_id = %d AND code = 'SCBL'",
                book.id, got->payout_id, got->bank_id),
        1);
    assert_int_equal(
        sql_int(f, "SELECT -balance FROM account_now WHERE book_id = %d AND code = 'float.USD'",
                book.id),
        990000);
    assert_int_equal(
        sql_int(f,
                "SELECT -balance FROM account_now WHERE book_id = %d AND code = 'payable.SCBL.PKR'",
                book.id),
        got->net);
    assert_book_sound(f, &book);
    free(p);
}

static void many_posts_become_few_batches_in_order_of_arrival(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 100000000);
    struct post *p[SINGLES];
    struct ledger_stats before, after;
    ledger_stats(f->ledger, &before);
    for (int i = 0; i < SINGLES; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "r%d", i);
        p[i] = post_new();
        post_add(f, &book, p[i], reference, 1000 + i);
        post_send(f, &book, p[i], PATIENCE_MS);
    }
    for (int i = 0; i < SINGLES; i++)
        post_wait(f, p[i]);
    ledger_stats(f->ledger, &after);
    assert_in_range(after.batches - before.batches, 1, 3);
    assert_int_equal(after.payouts - before.payouts, SINGLES);
    assert_int_equal(after.payouts_queued, 0);
    for (int i = 0; i < SINGLES; i++) {
        assert_outcome(p[i], 0, LEDGER_DONE, REASON_NONE);
        assert_int_equal(p[i]->posted[0].payout_id, p[0]->posted[0].payout_id + i);
        assert_int_equal(p[i]->posted[0].net, p[i]->drafts[0].net);
    }
    assert_int_equal(
        sql_int(
            f,
            "SELECT count(*) FROM payout WHERE book_id = %d AND reference = 'r' || (gross - 1000)",
            book.id),
        SINGLES);
    assert_book_sound(f, &book);
    for (int i = 0; i < SINGLES; i++)
        free(p[i]);
}

static void a_call_larger_than_a_batch_goes_in_parts_and_is_answered_whole(void **state)
{
    struct fixture *f = fixture(state);
    struct ledger_config config = fixture_config(f);
    config.batch_payouts_max = 64;
    ledger_free(&f->ledger);
    fixture_up(f, &config);
    const struct test_book book = book_new(f, 100000000);
    struct post *p = post_new();
    struct post *other = post_new();
    for (int i = 0; i < POST_MAX; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "r%d", i);
        post_add(f, &book, p, reference, 1000 + i);
    }
    post_add(f, &book, other, "behind", 5000);
    post_send(f, &book, p, PATIENCE_MS);
    post_send(f, &book, other, PATIENCE_MS);
    post_wait(f, p);
    post_wait(f, other);
    struct ledger_stats stats;
    ledger_stats(f->ledger, &stats);
    assert_int_equal(stats.batches, (POST_MAX + 1 + 63) / 64);
    for (int i = 0; i < POST_MAX; i++) {
        assert_outcome(p, i, LEDGER_DONE, REASON_NONE);
        assert_int_equal(p->posted[i].payout_id, p->posted[0].payout_id + i);
    }
    assert_int_equal(other->posted[0].payout_id, p->posted[0].payout_id + POST_MAX);
    assert_book_sound(f, &book);
    free(p);
    free(other);
    config = fixture_config(f);
    ledger_free(&f->ledger);
    fixture_up(f, &config);
}

static void books_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book slow = book_new(f, 1000000);
    const struct test_book quick = book_new(f, 1000000);
    struct post *p = post_new();
    struct post *q = post_new();
    post_add(f, &slow, p, "slow", 1000);
    post_add(f, &quick, q, "quick", 1000);
    sql_run(f, "BEGIN");
    sql_run(f, "SELECT 1 FROM book_head WHERE book_id = %d FOR UPDATE", slow.id);
    post_send(f, &slow, p, PATIENCE_MS);
    run_for_ms(f, 30);
    post_run(f, &quick, q);
    assert_outcome(q, 0, LEDGER_DONE, REASON_NONE);
    assert_int_equal(p->called, 0);
    sql_run(f, "ROLLBACK");
    post_wait(f, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    free(p);
    free(q);
}

/* ---------------------------------------------------------------- references */

static void a_reference_again_answers_with_the_first_result(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "again", 10000);
    post_run(f, &book, p);
    const struct payout_posted first = p->posted[0];
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);

    /* By now the fee is another: the same body comes to other numbers, but what is stored stands. */
    f->terms.fee.fixed_minor = 300;
    p->n = 0;
    post_add(f, &book, p, "again", 10000);
    post_add(f, &book, p, "new", 10000);
    f->terms.fee.fixed_minor = 100;
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(p->posted[0].payout_id, first.payout_id);
    assert_int_equal(p->posted[0].fee, first.fee);
    assert_int_equal(p->posted[0].net, first.net);
    assert_int_equal(p->posted[0].bank_id, first.bank_id);
    assert_int_equal(p->posted[0].dst_ccy, CCY_PKR);
    assert_outcome(p, 1, LEDGER_DONE, REASON_NONE);
    assert_int_equal(p->posted[1].fee, 300);

    p->n = 0;
    post_add(f, &book, p, "again", 10001);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_REFUSED, REASON_REFERENCE_REUSED);
    assert_int_equal(payouts_stored(f, &book), 2);
    assert_book_sound(f, &book);
    free(p);
}

static void a_duplicate_in_the_middle_of_a_batch_is_found_too(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "old", 10000);
    post_run(f, &book, p);
    const int64_t old_id = p->posted[0].payout_id;
    p->n = 0;
    post_add(f, &book, p, "a", 1000);
    post_add(f, &book, p, "old", 10000);
    post_add(f, &book, p, "b", 2000);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 1, LEDGER_DUPLICATE, REASON_NONE);
    assert_outcome(p, 2, LEDGER_DONE, REASON_NONE);
    assert_int_equal(p->posted[1].payout_id, old_id);
    assert_int_equal(p->posted[2].payout_id, p->posted[0].payout_id + 1);
    assert_int_equal(p->posted[2].net, p->drafts[2].net);
    assert_book_sound(f, &book);
    free(p);
}

static void a_reference_twice_in_a_batch_is_one_payout(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "twice", 1000);
    post_add(f, &book, p, "other", 1000);
    post_add(f, &book, p, "twice", 1000);
    post_add(f, &book, p, "twice", 2000);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 1, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 2, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(p->posted[2].payout_id, p->posted[0].payout_id);
    assert_outcome(p, 3, LEDGER_REFUSED, REASON_REFERENCE_REUSED);
    assert_int_equal(payouts_stored(f, &book), 2);
    assert_book_sound(f, &book);
    free(p);
}

static void a_reference_belongs_to_its_book(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book one = book_new(f, 1000000);
    const struct test_book two = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &one, p, "mine", 1000);
    post_run(f, &one, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    p->n = 0;
    post_add(f, &two, p, "mine", 2000);
    post_run(f, &two, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    free(p);
}

static void a_draft_that_cannot_be_posted_still_finds_what_the_first_try_did(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "done-before", 1000);
    post_run(f, &book, p);
    const int64_t id = p->posted[0].payout_id;
    p->n = 0;
    post_add_refusal(p, "done-before", 1000, REASON_RATE_STALE);
    post_add_refusal(p, "not-before", 1000, REASON_RATE_STALE);
    post_add(f, &book, p, "sound", 3000);
    post_add_refusal(p, "done-before", 9999, REASON_RATE_STALE);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(p->posted[0].payout_id, id);
    assert_true(p->posted[0].net > 0);
    assert_outcome(p, 1, LEDGER_REFUSED, REASON_RATE_STALE);
    assert_outcome(p, 2, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 3, LEDGER_REFUSED, REASON_REFERENCE_REUSED);
    assert_int_equal(payouts_stored(f, &book), 2);
    assert_book_sound(f, &book);
    free(p);
}

/* ---------------------------------------------------------------- what only the ledger knows */

static void the_float_is_spent_in_order_while_it_lasts(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 25000);
    struct post *p = post_new();
    static const int64_t gross[] = {10000, 10000, 10000, 5000, 1000};
    for (int i = 0; i < 5; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "r%d", i);
        post_add(f, &book, p, reference, gross[i]);
    }
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 1, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 2, LEDGER_REFUSED, REASON_INSUFFICIENT_FLOAT);
    assert_outcome(p, 3, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 4, LEDGER_REFUSED, REASON_INSUFFICIENT_FLOAT);
    assert_int_equal(
        sql_int(f, "SELECT balance FROM account_now WHERE book_id = %d AND code = 'float.USD'",
                book.id),
        0);
    assert_book_sound(f, &book);
    free(p);
}

static void unknown_beneficiaries_and_currencies_are_refused_alone(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 1000000);
    struct post *p = post_new();
    post_add(f, &book, p, "good", 1000);
    post_add(f, &book, p, "nobody", 1000)->beneficiary_id = 999;
    post_add(f, &book, p, "euro", 1000)->src_ccy = CCY_EUR;
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 1, LEDGER_REFUSED, REASON_BENEFICIARY_NOT_FOUND);
    assert_outcome(p, 2, LEDGER_REFUSED, REASON_CURRENCY_NOT_SUPPORTED);
    free(p);
}

static int64_t quote_new(struct fixture *f, const struct test_book *book, const char *id,
                         int64_t gross, int ttl_ms)
{
    struct pricing q;
    assert_int_equal(pricing_compute((money_t){gross, CCY_USD}, &f->terms, &q), REASON_NONE);
    return sql_int(
        f,
        "SELECT create_quote(%d, %d, '%s', substring(sha256('q'), 1, 16), 840::int2, 586::int2, 0::int2,"
        " %d, ARRAY[%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
        "]::int8[], %d, %d, %d)",
        book->id, f->principal_id, id, f->rate_id, q.gross.minor, q.fee.minor, q.mid.e10,
        q.mid_value.minor, q.margin.minor, q.net.minor, q.margin_bps, ttl_ms, f->policy_id);
}

static void a_quote_is_used_once_in_time_and_as_it_was_given(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 10000000);
    const struct test_book other = book_new(f, 10000000);
    const int64_t quote = quote_new(f, &book, "q1", 10000, 60000);
    const int64_t late = quote_new(f, &book, "q2", 10000, 1);
    const int64_t twice = quote_new(f, &book, "q3", 10000, 60000);
    (void)sql_int(f,
                  "SELECT length(pg_sleep(0.01)::text)"); /* by the server's clock q2 is over now */
    struct post *p = post_new();
    post_add(f, &book, p, "mismatch", 20000)->quote_id = quote;
    post_add(f, &book, p, "used", 10000)->quote_id = quote;
    post_add(f, &book, p, "expired", 10000)->quote_id = late;
    post_add(f, &book, p, "missing", 10000)->quote_id = 77;
    post_add(f, &book, p, "one", 10000)->quote_id = twice;
    post_add(f, &book, p, "two", 10000)->quote_id = twice;
    post_add(f, &book, p, "plain", 10000);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_REFUSED, REASON_QUOTE_MISMATCH);
    assert_outcome(p, 1, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 2, LEDGER_REFUSED, REASON_QUOTE_EXPIRED);
    assert_outcome(p, 3, LEDGER_REFUSED, REASON_QUOTE_NOT_FOUND);
    assert_outcome(p, 4, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 5, LEDGER_REFUSED, REASON_QUOTE_USED);
    assert_outcome(p, 6, LEDGER_DONE, REASON_NONE);

    struct post *q = post_new();
    post_add(f, &book, q, "once-more", 10000)->quote_id = quote;
    post_add(f, &book, q, "used", 10000)->quote_id = quote; /* a retry of what used it */
    post_run(f, &book, q);
    assert_outcome(q, 0, LEDGER_REFUSED, REASON_QUOTE_USED);
    assert_outcome(q, 1, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(q->posted[1].payout_id, p->posted[1].payout_id);

    q->n = 0;
    post_add(f, &other, q, "theirs", 10000)->quote_id = quote;
    post_run(f, &other, q);
    assert_outcome(q, 0, LEDGER_REFUSED, REASON_QUOTE_NOT_FOUND);
    assert_book_sound(f, &book);
    free(p);
    free(q);
}

static void a_carried_beneficiary_is_stored_once_as_it_was_given(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 10000000);
    const struct beneficiary_draft carried = {
        .fingerprint = SLICE("carried-carried-"),
        .bank_id = (int16_t)sql_int(f, "SELECT bank_id FROM bank WHERE code = 'MUCB'"),
        .channel = 2,
        .purpose_code = SLICE("9471"),
        .pii = {.key_id = 7,
                .sealed = SLICE("sealed with key seven"),
                .commitment = {[PII_NAME] = SLICE("commitment to the name----------"),
                               [PII_MOBILE] = SLICE("commitment to the mobile number-"),
                               [PII_CNIC] = SLICE("commitment to the identity card-"),
                               [PII_PSEB] = SLICE("commitment to the registration--")}},
    };
    struct post *p = post_new();
    for (int i = 0; i < 3; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "carried-%d", i);
        struct payout_draft *d = post_add(f, &book, p, reference, 10000);
        d->beneficiary_id = 0;
        d->carried = &carried;
    }
    post_run(f, &book, p);
    for (unsigned i = 0; i < p->n; i++) {
        assert_outcome(p, i, LEDGER_DONE, REASON_NONE);
        assert_int_equal(p->posted[i].bank_id, carried.bank_id);
    }
    assert_int_equal(
        sql_int(
            f,
            "SELECT count(DISTINCT v.beneficiary_id) FROM payout p JOIN beneficiary_version v USING (book_id, beneficiary_id)"
            " JOIN beneficiary_pii r USING (book_id, beneficiary_id, version)"
            " WHERE p.book_id = %d AND v.name_commitment = 'commitment to the name----------' AND v.iban_commitment IS NULL"
            " AND v.mobile_commitment = 'commitment to the mobile number-'"
            " AND v.cnic_commitment = 'commitment to the identity card-'"
            " AND v.pseb_commitment = 'commitment to the registration--' AND v.channel = 2 AND v.purpose_code = '9471'"
            " AND r.key_id = 7 AND r.sealed = 'sealed with key seven'",
            book.id),
        1);
    assert_int_equal(payouts_stored(f, &book), 3);
    assert_book_sound(f, &book);
    free(p);
}

/* ---------------------------------------------------------------- bad rows, bounds */

static void a_bad_row_fails_alone(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 10000000);
    struct post *p = post_new();
    struct post *q = post_new();
    post_add(f, &book, p, "a", 1000);
    post_add(f, &book, p, "margin-too-high", 2000)->margin +=
        1; /* net = mid_value - margin no more */
    post_add(f, &book, p, "b", 3000);
    post_add(f, &book, p, "no-such-sheet", 4000)->rate_id = 9999;
    post_add(f, &book, p, "c", 5000);
    post_add(f, &book, p, "no-such-version", 7000)->policy_id = 9999;
    post_add(f, &book, q, "neighbour", 6000);
    struct ledger_stats before, after;
    ledger_stats(f->ledger, &before);
    post_send(f, &book, p, PATIENCE_MS);
    post_send(f, &book, q, PATIENCE_MS);
    post_wait(f, p);
    post_wait(f, q);
    ledger_stats(f->ledger, &after);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 1, LEDGER_REFUSED, REASON_INTERNAL);
    assert_outcome(p, 2, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 3, LEDGER_REFUSED, REASON_INTERNAL);
    assert_outcome(p, 4, LEDGER_DONE, REASON_NONE);
    assert_outcome(p, 5, LEDGER_REFUSED, REASON_INTERNAL);
    assert_outcome(q, 0, LEDGER_DONE, REASON_NONE);
    assert_int_equal(p->posted[2].net, p->drafts[2].net);
    assert_int_equal(q->posted[0].payout_id, p->posted[4].payout_id + 1);
    assert_int_equal(after.resent_singly - before.resent_singly, 7);
    assert_int_equal(payouts_stored(f, &book), 4);
    assert_book_sound(f, &book);

    p->n = 0; /* and afterwards batches are batches again */
    post_add(f, &book, p, "later", 1000);
    post_run(f, &book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    free(p);
    free(q);
}

static void what_the_queue_cannot_hold_is_told_at_once(void **state)
{
    struct fixture *f = fixture(state);
    struct ledger_config config = fixture_config(f);
    config.queue_payouts_max = 10;
    ledger_free(&f->ledger);
    fixture_up(f, &config);
    const struct test_book book = book_new(f, 10000000);
    struct post *p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = post_new();
        for (int k = 0; k < 5; k++) {
            char reference[40];
            snprintf(reference, sizeof reference, "r%d-%d", i, k);
            post_add(f, &book, p[i], reference, 1000);
        }
    }
    sql_run(f, "BEGIN");
    sql_run(f, "SELECT 1 FROM book_head WHERE book_id = %d FOR UPDATE", book.id);
    for (int i = 0; i < 3; i++)
        post_send(f, &book, p[i], PATIENCE_MS);
    post_wait(f, p[2]);
    for (int k = 0; k < 5; k++)
        assert_outcome(p[2], k, LEDGER_NOT_SENT, REASON_QUEUE_FULL);
    assert_int_equal(p[0]->called + p[1]->called, 0);
    sql_run(f, "ROLLBACK");
    post_wait(f, p[0]);
    post_wait(f, p[1]);
    post_run(f, &book, p[2]); /* there is room again */
    assert_outcome(p[2], 4, LEDGER_DONE, REASON_NONE);
    assert_int_equal(payouts_stored(f, &book), 15);
    for (int k = 5; k < 40;
         k++) { /* an empty queue takes a call of any size: it would never fit otherwise */
        char reference[40];
        snprintf(reference, sizeof reference, "r3-%d", k);
        post_add(f, &book, p[3], reference, 1000);
    }
    post_run(f, &book, p[3]);
    assert_outcome(p[3], 39, LEDGER_DONE, REASON_NONE);
    for (int i = 0; i < 4; i++)
        free(p[i]);
    config = fixture_config(f);
    ledger_free(&f->ledger);
    fixture_up(f, &config);
}

/* ---------------------------------------------------------------- statements */

struct answer {
    unsigned called;
    enum ledger_outcome outcome;
    reason_t reason;
    int rows;
    int64_t first;
};

static void on_rows(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct answer *a = user;
    a->called++;
    a->outcome = outcome;
    a->reason = reason;
    assert_int_equal(rows != NULL, outcome == LEDGER_DONE);
    a->rows = rows == NULL ? -1 : rows_count(rows);
    a->first = a->rows > 0 ? rows_int(rows, 0, 0) : 0;
}

static struct answer query(struct fixture *f, const char *name, struct params *params)
{
    struct answer a = {0};
    ledger_query(f->ledger, name, params, clock_monotonic_us() + PATIENCE_MS * US_PER_MS, on_rows,
                 &a);
    assert_int_equal(a.called, 0);
    assert_int_equal(params->n, 0); /* moved from */
    run_until(f, a.called > 0);
    return a;
}

static void statements_answer_with_rows_or_a_reason(void **state)
{
    struct fixture *f = fixture(state);
    const struct test_book book = book_new(f, 10000000);
    struct post *p = post_new();
    post_add(f, &book, p, "to-cancel", 1000);
    post_run(f, &book, p);
    struct params params;
    params_init(&params);
    struct answer a = query(f, "registry_banks", &params);
    assert_int_equal(a.outcome, LEDGER_DONE);
    assert_true(a.rows >= 2);
    for (int round = 0; round < 2; round++) {
        params_add_int4(&params, book.id);
        params_add_int4(&params, f->principal_id);
        params_add_int8(&params, p->posted[0].payout_id + round);
        a = query(f, "payout_cancel", &params);
        if (round == 0) {
            assert_int_equal(a.outcome, LEDGER_DONE);
            assert_int_equal(a.first, p->posted[0].payout_id);
        } else {
            assert_int_equal(a.outcome, LEDGER_REFUSED);
            assert_string_equal(reason_name(a.reason), "PAYOUT_NOT_FOUND");
        }
    }
    params_deinit(&params);
    assert_book_sound(f, &book);
    free(p);
}

static void statements_over_the_bound_are_refused_and_the_others_answered(void **state)
{
    struct fixture *f = fixture(state);
    struct ledger_config config = fixture_config(f);
    config.queue_statements_max = 8;
    ledger_free(&f->ledger);
    fixture_up(f, &config);
    struct answer a[20] = {{0}};
    struct params params;
    params_init(&params);
    for (int i = 0; i < 20; i++)
        ledger_query(f->ledger, "registry_books", &params,
                     clock_monotonic_us() + PATIENCE_MS * US_PER_MS, on_rows, &a[i]);
    for (int i = 0; i < 20; i++) {
        run_until(f, a[i].called > 0);
        assert_int_equal(a[i].outcome, i < 8 ? LEDGER_DONE : LEDGER_NOT_SENT);
        assert_int_equal(a[i].reason, i < 8 ? REASON_NONE : REASON_QUEUE_FULL);
    }
    config = fixture_config(f);
    ledger_free(&f->ledger);
    fixture_up(f, &config);
}

/* On one connection too: each gets its turn, however many of the other wait. */
static void statements_and_payouts_do_not_starve_each_other(void **state)
{
    struct fixture *f = fixture(state);
    struct ledger_config config = fixture_config(f);
    config.connections = 1;
    config.batch_payouts_max = 1;
    ledger_free(&f->ledger);
    fixture_up(f, &config);
    const struct test_book book = book_new(f, 10000000);
    struct post *p = post_new();
    for (int i = 0; i < 300; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "r%d", i);
        post_add(f, &book, p, reference, 1000);
    }
    post_send(f, &book, p, PATIENCE_MS);
    struct params params;
    params_init(&params);
    const struct answer a = query(f, "registry_books", &params);
    assert_int_equal(a.outcome, LEDGER_DONE);
    assert_int_equal(p->called, 0);
    post_wait(f, p);
    free(p);
    config = fixture_config(f);
    ledger_free(&f->ledger);
    fixture_up(f, &config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payout_is_posted_and_the_books_follow),
        cmocka_unit_test(many_posts_become_few_batches_in_order_of_arrival),
        cmocka_unit_test(a_call_larger_than_a_batch_goes_in_parts_and_is_answered_whole),
        cmocka_unit_test(books_do_not_wait_for_each_other),
        cmocka_unit_test(a_reference_again_answers_with_the_first_result),
        cmocka_unit_test(a_duplicate_in_the_middle_of_a_batch_is_found_too),
        cmocka_unit_test(a_reference_twice_in_a_batch_is_one_payout),
        cmocka_unit_test(a_reference_belongs_to_its_book),
        cmocka_unit_test(a_draft_that_cannot_be_posted_still_finds_what_the_first_try_did),
        cmocka_unit_test(the_float_is_spent_in_order_while_it_lasts),
        cmocka_unit_test(unknown_beneficiaries_and_currencies_are_refused_alone),
        cmocka_unit_test(a_quote_is_used_once_in_time_and_as_it_was_given),
        cmocka_unit_test(a_carried_beneficiary_is_stored_once_as_it_was_given),
        cmocka_unit_test(a_bad_row_fails_alone),
        cmocka_unit_test(what_the_queue_cannot_hold_is_told_at_once),
        cmocka_unit_test(statements_answer_with_rows_or_a_reason),
        cmocka_unit_test(statements_over_the_bound_are_refused_and_the_others_answered),
        cmocka_unit_test(statements_and_payouts_do_not_starve_each_other),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
