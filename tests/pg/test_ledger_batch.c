/* Batches and claims as the gateway asks for them, and what becomes of them when their answers are lost. */
#include "ledger/batch.h"
#include "tests/pg/proxy_fixture.h"

enum { ITEMS_MAX = 64 };

/* A batch of 1000 cents an item to beneficiaries in turn; items with an odd number are for a receiver that nobody has. */
struct trial {
    struct batch_draft batch;
    struct batch_item_draft items[ITEMS_MAX];
    uint8_t lookup[ITEMS_MAX][32];
    struct batch_posted posted;
    char name[40];
    unsigned n, called;
};

static int32_t credential(struct setting *s)
{
    sql_run(
        &s->f,
        "INSERT INTO rest_credential (client_id, principal_id, secret_salt, secret_sha256, token_key)"
        " VALUES ('client-for-the-batch-tests', %d, substr(sha256('s'), 1, 16), sha256('h'),"
        " sha256('k')) ON CONFLICT DO NOTHING",
        s->f.principal_id);
    return (int32_t)sql_int(&s->f, "SELECT credential_id FROM rest_credential WHERE client_id ="
                                   " 'client-for-the-batch-tests'");
}

static void trial_make(struct setting *s, struct trial *t, const char *name, unsigned n)
{
    *t = (struct trial){.n = n};
    s->p->n = 0;
    snprintf(t->name, sizeof t->name, "%s", name);
    for (unsigned i = 0; i < n; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "%s-%u", name, i + 1);
        const struct payout_draft *d = post_add(&s->f, &s->book, s->p, reference, 1000);
        t->items[i] = (struct batch_item_draft){
            .payout = *d,
            .recipient_type = RECIPIENT_PAYPAL_ID,
            .key_id = 1,
            .sealed = SLICE("sealed"),
        };
        if (i % 2 == 0)
            continue;
        memset(t->lookup[i], (int)i, 32);
        t->items[i].payout = (struct payout_draft){.reference = d->reference,
                                                   .info = SLICE("for work"),
                                                   .gross = d->gross,
                                                   .src_ccy = d->src_ccy};
        t->items[i].recipient_type = RECIPIENT_EMAIL;
        t->items[i].receiver_kind = RECEIVER_EMAIL;
        t->items[i].receiver_lookup = t->lookup[i];
    }
    t->batch = (struct batch_draft){
        .sender_batch_id = slice_str(t->name),
        .fingerprint = SLICE("0123456789abcdef"),
        .credential_id = credential(s),
        .ccy = CCY_USD,
        .amount = (int64_t)n * 1000,
        .unclaimed_ttl_s = 86400,
    };
}

static void on_called(void *user)
{
    (*(unsigned *)user)++;
}

static void trial_send(struct setting *s, struct trial *t, int64_t within_ms)
{
    t->called = 0;
    t->posted = (struct batch_posted){0};
    ledger_submit_batch(s->f.ledger, s->book.id, s->f.principal_id, &t->batch, t->items, t->n,
                        clock_monotonic_us() + within_ms * US_PER_MS, &t->posted, on_called,
                        &t->called);
    assert_int_equal(t->called, 0);
}

static void trial_wait(struct setting *s, struct trial *t)
{
    run_until(&s->f, t->called > 0);
    assert_int_equal(t->called, 1);
}

static void trial_run(struct setting *s, struct trial *t)
{
    trial_send(s, t, PATIENCE_MS);
    trial_wait(s, t);
}

static int64_t batches(struct setting *s)
{
    return sql_int(&s->f, "SELECT count(*) FROM payout_batch WHERE book_id = %d", s->book.id);
}

#define assert_verdict(t, wanted)                                                                  \
    do {                                                                                           \
        assert_int_equal((t)->posted.outcome, LEDGER_DONE);                                        \
        assert_int_equal((t)->posted.verdict, (wanted));                                           \
    } while (0)

static void a_batch_is_taken_and_known_again(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "one", 6);
    t.items[4].payout.refusal = REASON_RATE_STALE;
    t.items[0].sender_item_id = SLICE("item");
    t.batch.request_id = SLICE("request");
    t.batch.email_subject = SLICE("You are paid");
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_TAKEN);
    const int64_t id = t.posted.batch_id, at_us = t.posted.committed_us;
    assert_int_equal(
        sql_int(&s.f,
                "SELECT count(payout_id) * 100 + count(unclaimed_id) * 10 + count(reason)"
                " FROM payout_batch_item WHERE book_id = %d",
                s.book.id),
        231);
    assert_int_equal(
        sql_int(&s.f, "SELECT reason FROM payout_batch_item WHERE book_id = %d AND item_no = 5",
                s.book.id),
        REASON_RATE_STALE);
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_SAME);
    assert_int_equal(t.posted.batch_id, id);
    assert_int_equal(t.posted.committed_us, at_us);
    t.batch.fingerprint = SLICE("fedcba9876543210");
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_REQUEST_REUSED);
    t.batch.request_id = slice_of(NULL, 0);
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_SENDER_REUSED);
    assert_false(t.posted.same_body);
    t.batch.fingerprint = SLICE("0123456789abcdef");
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_SENDER_REUSED);
    assert_true(t.posted.same_body);
    assert_int_equal(batches(&s), 1);
    behind_proxy_end(&s);
}

static void a_batch_that_is_not_covered_leaves_nothing(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "dear", 4);
    const int64_t left = 10000000 - 2999;
    t.items[3].payout.gross = left;
    t.batch.amount = 3000 + left;
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_NOT_COVERED);
    assert_int_equal(batches(&s) + payouts_stored(&s.f, &s.book), 0);
    assert_int_equal(sql_int(&s.f, "SELECT next_seq FROM book_head WHERE book_id = %d", s.book.id),
                     2);
    behind_proxy_end(&s);
}

/* Sends one whose commit is made and whose answer is never seen. */
static void take_unseen(struct setting *s, struct trial *t, int64_t within_ms)
{
    const int64_t before = batches(s);
    proxy_mode_set(&s->proxy, PROXY_SWALLOW_ANSWERS, PROXY_PASS);
    trial_send(s, t, within_ms);
    run_until(&s->f, batches(s) == before + 1);
    assert_int_equal(t->called, 0);
}

static void a_batch_whose_answer_was_lost_is_taken_once(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "warm", 2);
    trial_run(&s, &t);
    trial_make(&s, &t, "unseen", 8);
    take_unseen(&s, &t, PATIENCE_MS);
    proxy_cut(&s.proxy);
    trial_wait(&s, &t);
    assert_verdict(&t, BATCH_TAKEN);
    assert_int_equal(t.posted.batch_id, 2);
    assert_int_equal(batches(&s), 2);
    assert_int_equal(payouts_stored(&s.f, &s.book), 1 + 4);
    /* Where nothing was lost, the same is told to have been there. */
    trial_run(&s, &t);
    assert_verdict(&t, BATCH_SENDER_REUSED);
    behind_proxy_end(&s);
}

static void after_a_loss_another_one_s_batch_is_not_taken_for_ours(void **state)
{
    static struct setting s;
    static struct trial t, other;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &other, "shared", 2);
    other.batch.request_id = SLICE("theirs");
    trial_run(&s, &other);
    assert_verdict(&other, BATCH_TAKEN);
    trial_make(&s, &t, "shared", 2);
    t.batch.request_id = SLICE("ours");
    proxy_mode_set(&s.proxy, PROXY_SWALLOW_REQUESTS, PROXY_PASS);
    trial_send(&s, &t, PATIENCE_MS);
    run_for_ms(&s.f, 50);
    proxy_cut(&s.proxy);
    trial_wait(&s, &t);
    assert_verdict(&t, BATCH_SENDER_REUSED);
    assert_true(t.posted.same_body);
    behind_proxy_end(&s);
}

static void a_batch_that_cannot_be_asked_again_in_time_is_unknown(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "warm", 2);
    trial_run(&s, &t);
    trial_make(&s, &t, "unseen", 2);
    take_unseen(&s, &t, 400);
    s.proxy.mode = PROXY_SWALLOW_ANSWERS; /* nobody gets through */
    proxy_cut(&s.proxy);
    trial_wait(&s, &t);
    assert_int_equal(t.posted.outcome, LEDGER_UNKNOWN);
    assert_int_equal(t.posted.reason, REASON_OUTCOME_UNKNOWN);
    behind_proxy_end(&s);
}

static void an_error_after_a_loss_says_nothing_of_the_batch(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "warm", 2);
    trial_run(&s, &t);
    trial_make(&s, &t, "unseen", 2);
    take_unseen(&s, &t, PATIENCE_MS);
    sql_run(&s.f, "REVOKE EXECUTE ON FUNCTION submit_batch FROM ujrat_app");
    proxy_cut(&s.proxy);
    trial_wait(&s, &t);
    assert_int_equal(t.posted.outcome, LEDGER_UNKNOWN);
    trial_make(&s, &t, "new", 2);
    trial_run(&s, &t);
    assert_int_equal(t.posted.outcome, LEDGER_REFUSED);
    sql_run(&s.f, "GRANT EXECUTE ON FUNCTION submit_batch TO ujrat_app");
    behind_proxy_end(&s);
}

/* The server cancels the second try, more than once, and says nothing about the first by that. */
static void a_server_that_is_busy_after_a_loss_is_asked_until_it_tells(void **state)
{
    static struct setting s;
    static struct trial t;
    (void)state;
    behind_proxy(&s, 1000);
    trial_make(&s, &t, "warm", 2);
    trial_run(&s, &t);
    trial_make(&s, &t, "unseen", 2);
    take_unseen(&s, &t, PATIENCE_MS);
    lock_book(&s);
    proxy_cut(&s.proxy);
    run_for_ms(&s.f, 2500);
    assert_int_equal(t.called, 0);
    sql_run(&s.f, "ROLLBACK");
    trial_wait(&s, &t);
    assert_verdict(&t, BATCH_TAKEN);
    assert_int_equal(batches(&s), 2);
    behind_proxy_end(&s);
}

enum { ROUNDS = 30, CALLS = 6 };

static void backends_ended_at_any_moment_leave_every_batch_whole_and_once(void **state)
{
    static struct setting s;
    static struct trial t[CALLS];
    static struct post *posts[CALLS];
    int64_t ended = 0;
    (void)state;
    behind_proxy(&s, 10000);
    s.config.uri = s.f.uri;
    s.config.connections = 2;
    ledger_free(&s.f.ledger);
    fixture_up(&s.f, &s.config);
    struct post *own = s.p;
    for (int i = 0; i < CALLS; i++)
        posts[i] = post_new();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CALLS; i++) {
            char name[40];
            snprintf(name, sizeof name, "r%d-%d", round, i);
            s.p = posts[i]; /* what the drafts point to */
            trial_make(&s, &t[i], name, 10);
            trial_send(&s, &t[i], PATIENCE_MS);
        }
        run_for_ms(&s.f, round % 10);
        ended += terminate_backends(&s);
        for (int i = 0; i < CALLS; i++) {
            trial_wait(&s, &t[i]);
            assert_verdict(&t[i], BATCH_TAKEN);
        }
    }
    assert_true(ended >= ROUNDS);
    assert_int_equal(batches(&s), ROUNDS * CALLS);
    assert_int_equal(payouts_stored(&s.f, &s.book), ROUNDS * CALLS * 5);
    assert_int_equal(sql_int(&s.f, "SELECT count(*) FROM unclaimed WHERE book_id = %d", s.book.id),
                     ROUNDS * CALLS * 5);
    assert_int_equal(
        sql_int(&s.f, "SELECT count(*) FROM payout_batch_item WHERE book_id = %d", s.book.id),
        ROUNDS * CALLS * 10);
    for (int i = 0; i < CALLS; i++)
        free(posts[i]);
    s.p = own;
    behind_proxy_end(&s);
}

/* ---------------------------------------------------------------- claims */

static void claims_send(struct setting *s, struct claim *claims, unsigned n, unsigned *called)
{
    *called = 0;
    ledger_claim(s->f.ledger, s->book.id, 0, claims, n,
                 clock_monotonic_us() + PATIENCE_MS * US_PER_MS, on_called, called);
}

static void a_claim_whose_answer_was_lost_is_made_once(void **state)
{
    static struct setting s;
    static struct trial t;
    struct claim claims[3] = {0};
    unsigned called;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &t, "some", 6);
    trial_run(&s, &t);
    s.p->n = 0;
    for (unsigned i = 0; i < 3; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "some-%u", 2 * i + 2);
        claims[i].payout = *post_add(&s.f, &s.book, s.p, reference, 1000);
        claims[i].payout.info = SLICE("for work");
        claims[i].payout.beneficiary_id = 1;
        claims[i].unclaimed_id = sql_int(
            &s.f, "SELECT unclaimed_id FROM unclaimed WHERE book_id = %d AND reference = '%s'",
            s.book.id, reference);
    }
    /* Nobody has the receivers yet. */
    claims_send(&s, claims, 3, &called);
    run_until(&s.f, called > 0);
    assert_int_equal(claims[0].claimed.outcome, LEDGER_REFUSED);
    assert_int_equal(claims[0].claimed.reason, REASON_BENEFICIARY_NOT_FOUND);
    sql_run(
        &s.f,
        "SELECT add_receiver(%d, %d, 1, receiver_kind, receiver_lookup, 1::int2, 'x') FROM unclaimed_open"
        " WHERE book_id = %d ORDER BY unclaimed_id LIMIT 2",
        s.book.id, s.f.principal_id, s.book.id);
    proxy_mode_set(&s.proxy, PROXY_SWALLOW_ANSWERS, PROXY_PASS);
    claims_send(&s, claims, 3, &called);
    run_until(&s.f, payouts_stored(&s.f, &s.book) == 3 + 2);
    proxy_cut(&s.proxy);
    run_until(&s.f, called > 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(claims[i].claimed.outcome, LEDGER_DONE);
        assert_int_equal(claims[i].claimed.payout_id,
                         sql_int(&s.f,
                                 "SELECT payout_id FROM unclaimed_end WHERE book_id = %d AND"
                                 " unclaimed_id = %" PRId64,
                                 s.book.id, claims[i].unclaimed_id));
    }
    assert_int_equal(claims[2].claimed.outcome, LEDGER_REFUSED);
    claims_send(&s, claims, 3, &called);
    run_until(&s.f, called > 0);
    assert_int_equal(claims[1].claimed.outcome, LEDGER_DUPLICATE);
    assert_int_equal(payouts_stored(&s.f, &s.book), 3 + 2);
    behind_proxy_end(&s);
}

static void ending_calls_who_waits_for_a_batch_once(void **state)
{
    static struct setting s;
    static struct trial running, queued;
    struct post *own;
    (void)state;
    behind_proxy(&s, 10000);
    trial_make(&s, &running, "running", 2);
    own = s.p;
    s.p = post_new();
    trial_make(&s, &queued, "queued", 2);
    lock_book(&s);
    trial_send(&s, &running, PATIENCE_MS);
    run_for_ms(&s.f, 50);
    trial_send(&s, &queued, PATIENCE_MS);
    ledger_free(&s.f.ledger);
    sql_run(&s.f, "ROLLBACK");
    assert_int_equal(running.called, 1);
    assert_int_equal(running.posted.outcome, LEDGER_UNKNOWN);
    assert_int_equal(queued.called, 1);
    assert_int_equal(queued.posted.outcome, LEDGER_NOT_SENT);
    fixture_up(&s.f, &s.config);
    free(own);
    behind_proxy_end(&s);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the proxy's; libpq does without */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_taken_and_known_again),
        cmocka_unit_test(a_batch_that_is_not_covered_leaves_nothing),
        cmocka_unit_test(a_batch_whose_answer_was_lost_is_taken_once),
        cmocka_unit_test(after_a_loss_another_one_s_batch_is_not_taken_for_ours),
        cmocka_unit_test(a_batch_that_cannot_be_asked_again_in_time_is_unknown),
        cmocka_unit_test(an_error_after_a_loss_says_nothing_of_the_batch),
        cmocka_unit_test(a_server_that_is_busy_after_a_loss_is_asked_until_it_tells),
        cmocka_unit_test(backends_ended_at_any_moment_leave_every_batch_whole_and_once),
        cmocka_unit_test(a_claim_whose_answer_was_lost_is_made_once),
        cmocka_unit_test(ending_calls_who_waits_for_a_batch_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
