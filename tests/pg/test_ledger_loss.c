/* What becomes of payouts and statements when the database is slow, gone, or dies in the middle. */
#include "tests/pg/proxy_fixture.h"

/* Posts one payout whose commit is made and whose answer is never seen. */
static void commit_unseen(struct setting *s, const char *reference, int64_t within_ms)
{
    proxy_mode_set(&s->proxy, PROXY_SWALLOW_ANSWERS, PROXY_PASS);
    const int64_t before = payouts_stored(&s->f, &s->book);
    post_add(&s->f, &s->book, s->p, reference, 1000);
    post_send(&s->f, &s->book, s->p, within_ms);
    run_until(&s->f, payouts_stored(&s->f, &s->book) == before + 1);
    assert_int_equal(s->p->called, 0);
}

static void an_answer_that_was_lost_is_asked_for_again(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    post_add(&s.f, &s.book, s.p, "warm", 1000); /* prepared: nothing else is lost below */
    post_run(&s.f, &s.book, s.p);
    s.p->n = 0;
    commit_unseen(&s, "unseen", PATIENCE_MS);
    proxy_cut(&s.proxy);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(s.p->posted[0].net, s.p->drafts[0].net);
    assert_int_equal(payouts_stored(&s.f, &s.book), 2);
    struct ledger_stats stats;
    ledger_stats(s.f.ledger, &stats);
    assert_int_equal(stats.unknown_resolved, 1);
    assert_int_equal(stats.reconnects, 1);
    behind_proxy_end(&s);
}

static void a_request_that_never_arrived_is_sent_again(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    proxy_mode_set(&s.proxy, PROXY_SWALLOW_REQUESTS, PROXY_PASS);
    post_add(&s.f, &s.book, s.p, "unheard", 1000);
    post_send(&s.f, &s.book, s.p, PATIENCE_MS);
    run_for_ms(&s.f, 50);
    assert_int_equal(s.p->called, 0);
    proxy_cut(&s.proxy);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_DONE, REASON_NONE);
    assert_int_equal(payouts_stored(&s.f, &s.book), 1);
    behind_proxy_end(&s);
}

static void a_server_that_says_nothing_is_left_and_asked_again(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 300);
    post_add(&s.f, &s.book, s.p, "warm", 1000);
    post_run(&s.f, &s.book, s.p);
    s.p->n = 0;
    const int64_t from_us = clock_monotonic_us();
    commit_unseen(&s, "unseen", PATIENCE_MS);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_true(clock_monotonic_us() - from_us >= 290 * US_PER_MS);
    assert_int_equal(payouts_stored(&s.f, &s.book), 2);
    behind_proxy_end(&s);
}

static void what_cannot_be_asked_again_in_time_is_unknown(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    post_add(&s.f, &s.book, s.p, "warm", 1000);
    post_run(&s.f, &s.book, s.p);
    s.p->n = 0;
    commit_unseen(&s, "unseen", 400);
    s.proxy.mode = PROXY_SWALLOW_ANSWERS; /* nobody gets through */
    proxy_cut(&s.proxy);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
    proxy_mode_set(&s.proxy, PROXY_PASS, PROXY_PASS);
    proxy_cut(&s.proxy);
    post_run(&s.f, &s.book, s.p);
    assert_outcome(s.p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(payouts_stored(&s.f, &s.book), 2);
    behind_proxy_end(&s);
}

/* The second try is cancelled by the server, which says nothing about the first. */
static void an_error_of_the_server_does_not_make_an_unknown_undone(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 300);
    post_add(&s.f, &s.book, s.p, "warm", 1000);
    post_run(&s.f, &s.book, s.p);
    s.p->n = 0;
    commit_unseen(&s, "unseen", 1500);
    lock_book(&s);
    proxy_cut(&s.proxy);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
    sql_run(&s.f, "ROLLBACK");

    s.p->n = 0;
    commit_unseen(&s, "unseen-too", PATIENCE_MS);
    lock_book(&s);
    proxy_cut(&s.proxy);
    run_for_ms(&s.f, 700); /* two tries or three are cancelled */
    assert_int_equal(s.p->called, 0);
    sql_run(&s.f, "ROLLBACK");
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(payouts_stored(&s.f, &s.book), 3);
    behind_proxy_end(&s);
}

/* The first try was committed; the second meets an error that would else be told as a refusal. */
static void an_error_after_a_loss_is_no_refusal(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    post_add(&s.f, &s.book, s.p, "warm", 1000);
    post_run(&s.f, &s.book, s.p);
    s.p->n = 0;
    commit_unseen(&s, "unseen", PATIENCE_MS);
    sql_run(&s.f, "REVOKE EXECUTE ON FUNCTION post_payouts FROM ujrat_app");
    proxy_cut(&s.proxy);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
    /* Where nothing was lost before, the same error is a refusal. */
    s.p->n = 0;
    post_add(&s.f, &s.book, s.p, "new", 1000);
    post_run(&s.f, &s.book, s.p);
    assert_outcome(s.p, 0, LEDGER_REFUSED, REASON_INTERNAL);
    sql_run(&s.f, "GRANT EXECUTE ON FUNCTION post_payouts TO ujrat_app");
    s.p->n = 0;
    post_add(&s.f, &s.book, s.p, "unseen", 1000);
    post_run(&s.f, &s.book, s.p);
    assert_outcome(s.p, 0, LEDGER_DUPLICATE, REASON_NONE);
    behind_proxy_end(&s);
}

/* ---------------------------------------------------------------- statements */

struct answer {
    unsigned called;
    enum ledger_outcome outcome;
    reason_t reason;
};

static void on_rows(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct answer *a = user;
    (void)rows;
    a->called++;
    a->outcome = outcome;
    a->reason = reason;
}

static void ask(struct setting *s, const char *name, struct params *params, int64_t within_ms,
                struct answer *a)
{
    *a = (struct answer){0};
    ledger_query(s->f.ledger, name, params, clock_monotonic_us() + within_ms * US_PER_MS, on_rows,
                 a);
}

static void a_lost_statement_that_only_reads_is_run_again(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    struct params params;
    struct answer a;
    params_init(&params);
    ask(&s, "registry_books", &params, PATIENCE_MS, &a);
    run_until(&s.f, a.called > 0);
    proxy_mode_set(&s.proxy, PROXY_SWALLOW_ANSWERS, PROXY_PASS);
    ask(&s, "registry_books", &params, PATIENCE_MS, &a);
    run_for_ms(&s.f, 50);
    assert_int_equal(a.called, 0);
    proxy_cut(&s.proxy);
    run_until(&s.f, a.called > 0);
    assert_int_equal(a.outcome, LEDGER_DONE);
    behind_proxy_end(&s);
}

static void a_lost_statement_that_writes_is_unknown(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    post_add(&s.f, &s.book, s.p, "to-cancel", 1000);
    post_run(&s.f, &s.book, s.p);
    struct params params;
    struct answer a;
    params_init(&params);
    for (int round = 0; round < 3; round++) {
        params_add_int4(&params, s.book.id);
        params_add_int4(&params, s.f.principal_id);
        params_add_int8(&params,
                        s.p->posted[0].payout_id + (round == 0)); /* first: refused, but prepared */
        if (round == 1)
            proxy_mode_set(&s.proxy, PROXY_SWALLOW_ANSWERS, PROXY_PASS);
        ask(&s, "payout_cancel", &params, PATIENCE_MS, &a);
        if (round == 1) {
            run_until(&s.f,
                      sql_int(&s.f, "SELECT count(*) FROM payout_transition WHERE book_id = %d",
                              s.book.id) == 1);
            proxy_cut(&s.proxy);
        }
        run_until(&s.f, a.called > 0);
        static const enum ledger_outcome wanted[] = {LEDGER_REFUSED, LEDGER_UNKNOWN, LEDGER_DONE};
        assert_int_equal(a.outcome, wanted[round]);
    }
    behind_proxy_end(&s);
}

/* ---------------------------------------------------------------- time-outs and deadlines */

static void a_server_that_is_read_only_has_done_nothing(void **state)
{
    static struct setting s;
    struct answer a;
    (void)state;
    behind_proxy(&s, 10000);
    sql_run(&s.f,
            "DO $$BEGIN EXECUTE format('ALTER DATABASE %%I SET default_transaction_read_only = on',"
            " current_database()); END$$");
    proxy_cut(&s.proxy);
    run_for_ms(&s.f, 100);
    struct params params;
    params_init(&params);
    params_add_int4(&params, s.book.id);
    params_add_int4(&params, s.f.principal_id);
    params_add_int8(&params, 1);
    ask(&s, "payout_cancel", &params, PATIENCE_MS, &a);
    run_until(&s.f, a.called > 0);
    sql_run(&s.f,
            "DO $$BEGIN EXECUTE format('ALTER DATABASE %%I RESET default_transaction_read_only',"
            " current_database()); END$$");
    assert_int_equal(a.outcome, LEDGER_NOT_SENT);
    assert_int_equal(a.reason, REASON_LEDGER_UNAVAILABLE);
    behind_proxy_end(&s);
}

static void a_batch_the_server_cancels_was_not_done(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 300);
    lock_book(&s);
    post_add(&s.f, &s.book, s.p, "slow", 1000);
    post_send(&s.f, &s.book, s.p, PATIENCE_MS);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    sql_run(&s.f, "ROLLBACK");
    assert_int_equal(payouts_stored(&s.f, &s.book), 0);
    post_run(&s.f, &s.book, s.p);
    assert_outcome(s.p, 0, LEDGER_DONE, REASON_NONE);
    behind_proxy_end(&s);
}

static void what_waits_past_its_deadline_is_not_sent(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    s.config.batch_payouts_max = 10;
    ledger_free(&s.f.ledger);
    fixture_up(&s.f, &s.config);
    struct post *behind = post_new();
    for (int i = 0; i < 30; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "r%d", i);
        post_add(&s.f, &s.book, s.p, reference, 1000);
    }
    post_add(&s.f, &s.book, behind, "behind", 1000);
    lock_book(&s);
    post_send(&s.f, &s.book, s.p, 200);
    post_send(&s.f, &s.book, behind, 200);
    post_wait(&s.f, behind);
    assert_outcome(behind, 0, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    run_for_ms(&s.f, 100);
    assert_int_equal(s.p->called, 0); /* ten of its payouts are with the server */
    sql_run(&s.f, "ROLLBACK");
    post_wait(&s.f, s.p);
    for (unsigned i = 0; i < 30; i++) {
        if (i < 10)
            assert_outcome(s.p, i, LEDGER_DONE, REASON_NONE);
        else
            assert_outcome(s.p, i, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    }
    run_for_ms(&s.f, 50);
    assert_int_equal(payouts_stored(&s.f, &s.book), 10);
    assert_int_equal(s.p->called, 1);
    free(behind);
    behind_proxy_end(&s);
}

static void without_a_database_everything_is_not_sent(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    ledger_free(&s.f.ledger);
    char nowhere[1400];
    snprintf(nowhere, sizeof nowhere, "%s&host=/nonexistent", s.f.uri);
    s.config.uri = nowhere;
    s.config.connections = 2;
    fixture_ledger(&s.f, &s.config);
    post_add(&s.f, &s.book, s.p, "nowhere", 1000);
    struct params params;
    struct answer a;
    params_init(&params);
    const int64_t from_us = clock_monotonic_us();
    post_send(&s.f, &s.book, s.p, 300);
    ask(&s, "registry_books", &params, 200, &a);
    run_until(&s.f, a.called > 0);
    assert_int_equal(a.outcome, LEDGER_NOT_SENT);
    assert_int_equal(a.reason, REASON_LEDGER_UNAVAILABLE);
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    assert_in_range((clock_monotonic_us() - from_us) / US_PER_MS, 300, 2000);
    assert_int_equal(ledger_connections_up(s.f.ledger), 0);
    behind_proxy_end(&s);
}

/* ---------------------------------------------------------------- backends that die */

static void a_backend_ended_while_it_waits_is_replaced(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    lock_book(&s);
    post_add(&s.f, &s.book, s.p, "ended", 1000);
    post_send(&s.f, &s.book, s.p, PATIENCE_MS);
    run_until(&s.f,
              sql_int(&s.f,
                      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ujratd' AND"
                      " datname = current_database() AND wait_event_type = 'Lock'") == 1);
    assert_int_equal(terminate_backends(&s), 1);
    sql_run(&s.f, "ROLLBACK");
    post_wait(&s.f, s.p);
    assert_outcome(s.p, 0, LEDGER_DONE, REASON_NONE);
    assert_int_equal(payouts_stored(&s.f, &s.book), 1);
    behind_proxy_end(&s);
}

enum { ROUNDS = 40, CALLS = 20, CALL_PAYOUTS = 5 };

static void backends_ended_at_any_moment_leave_every_payout_once(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    s.config.uri = s.f.uri;
    s.config.connections = 2;
    s.config.batch_payouts_max = 37; /* so that calls are torn between batches */
    ledger_free(&s.f.ledger);
    fixture_up(&s.f, &s.config);
    struct post *calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = post_new();
    int64_t ended = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CALLS; i++) {
            calls[i]->n = 0;
            for (int k = 0; k < CALL_PAYOUTS; k++) {
                char reference[40];
                snprintf(reference, sizeof reference, "r%d-%d-%d", round, i, k);
                post_add(&s.f, &s.book, calls[i], reference, 1000 + k);
            }
            post_send(&s.f, &s.book, calls[i], PATIENCE_MS);
        }
        run_for_ms(&s.f, round % 8);
        ended += terminate_backends(&s);
        for (int i = 0; i < CALLS; i++) {
            post_wait(&s.f, calls[i]);
            for (unsigned k = 0; k < calls[i]->n; k++)
                assert_true(calls[i]->posted[k].outcome == LEDGER_DONE ||
                            calls[i]->posted[k].outcome == LEDGER_DUPLICATE);
        }
    }
    struct ledger_stats stats;
    ledger_stats(s.f.ledger, &stats);
    print_message("# %" PRId64 " backends ended, %" PRIu64 " unknown payouts resolved\n", ended,
                  stats.unknown_resolved);
    assert_true(ended >= ROUNDS);
    assert_true(stats.unknown_resolved > 0);
    assert_int_equal(payouts_stored(&s.f, &s.book), ROUNDS * CALLS * CALL_PAYOUTS);
    for (int i = 0; i < CALLS; i++)
        free(calls[i]);
    behind_proxy_end(&s);
}

/* ---------------------------------------------------------------- the end */

static void ending_calls_everybody_once(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    s.config.connections = 2;
    s.config.batch_payouts_max = 10;
    ledger_free(&s.f.ledger);
    fixture_up(&s.f, &s.config);
    struct post *waiting = post_new();
    struct post *torn = post_new();
    struct answer running, queued, refused;
    struct params params;
    params_init(&params);
    lock_book(&s);
    post_add(&s.f, &s.book, s.p, "in-flight", 1000);
    for (int i = 0; i < 15; i++) {
        char reference[40];
        snprintf(reference, sizeof reference, "torn-%d", i);
        post_add(&s.f, &s.book, torn, reference, 1000);
    }
    post_add(&s.f, &s.book, waiting, "waiting", 1000);
    post_send(&s.f, &s.book, s.p, PATIENCE_MS);
    post_send(&s.f, &s.book, torn, PATIENCE_MS);
    post_send(&s.f, &s.book, waiting, PATIENCE_MS);
    params_add_int4(&params, s.book.id);
    params_add_int4(&params, s.f.principal_id);
    params_add_int8(&params, 1);
    ask(&s, "payout_cancel", &params, PATIENCE_MS, &running); /* waits for the book's lock */
    run_for_ms(&s.f, 50);
    ask(&s, "registry_books", &params, PATIENCE_MS, &queued); /* no connection is free */
    run_for_ms(&s.f, 20);
    s.config.queue_statements_max = 0;
    ask(&s, "registry_books", &params, PATIENCE_MS, &refused);
    assert_int_equal(s.p->called + torn->called + waiting->called + running.called + queued.called,
                     0);
    ledger_free(&s.f.ledger);
    assert_int_equal(s.p->called, 1);
    assert_int_equal(torn->called, 1);
    assert_int_equal(waiting->called, 1);
    assert_int_equal(running.called, 1);
    assert_int_equal(queued.called, 1);
    assert_int_equal(refused.called, 1);
    assert_outcome(s.p, 0, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
    assert_outcome(torn, 0, LEDGER_UNKNOWN,
                   REASON_OUTCOME_UNKNOWN); /* nine went with the one before */
    assert_outcome(torn, 8, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
    assert_outcome(torn, 9, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    assert_outcome(waiting, 0, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    assert_int_equal(running.outcome, LEDGER_UNKNOWN);
    assert_int_equal(queued.outcome, LEDGER_NOT_SENT);
    sql_run(&s.f, "ROLLBACK");
    /* The server may still have done what was in flight, or not: that is what unknown means. */
    fixture_up(&s.f, &s.config);
    post_run(&s.f, &s.book, s.p);
    assert_true(s.p->posted[0].outcome == LEDGER_DONE ||
                s.p->posted[0].outcome == LEDGER_DUPLICATE);
    free(waiting);
    free(torn);
    behind_proxy_end(&s);
}

static void ending_before_the_first_connection_is_no_trouble(void **state)
{
    static struct setting s;
    (void)state;
    behind_proxy(&s, 10000);
    ledger_free(&s.f.ledger);
    fixture_ledger(&s.f, &s.config);
    ledger_free(&s.f.ledger);
    fixture_ledger(&s.f, &s.config);
    post_add(&s.f, &s.book, s.p, "early", 1000);
    post_send(&s.f, &s.book, s.p, PATIENCE_MS);
    ledger_free(&s.f.ledger);
    assert_int_equal(s.p->called, 1);
    assert_outcome(s.p, 0, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    behind_proxy_end(&s);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the proxy's; libpq does without */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_was_lost_is_asked_for_again),
        cmocka_unit_test(a_request_that_never_arrived_is_sent_again),
        cmocka_unit_test(a_server_that_says_nothing_is_left_and_asked_again),
        cmocka_unit_test(what_cannot_be_asked_again_in_time_is_unknown),
        cmocka_unit_test(an_error_of_the_server_does_not_make_an_unknown_undone),
        cmocka_unit_test(an_error_after_a_loss_is_no_refusal),
        cmocka_unit_test(a_server_that_is_read_only_has_done_nothing),
        cmocka_unit_test(a_lost_statement_that_only_reads_is_run_again),
        cmocka_unit_test(a_lost_statement_that_writes_is_unknown),
        cmocka_unit_test(a_batch_the_server_cancels_was_not_done),
        cmocka_unit_test(what_waits_past_its_deadline_is_not_sent),
        cmocka_unit_test(without_a_database_everything_is_not_sent),
        cmocka_unit_test(a_backend_ended_while_it_waits_is_replaced),
        cmocka_unit_test(backends_ended_at_any_moment_leave_every_payout_once),
        cmocka_unit_test(ending_calls_everybody_once),
        cmocka_unit_test(ending_before_the_first_connection_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
