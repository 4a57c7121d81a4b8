/*
 * pgblock against a real PostgreSQL: what an answer comes to when it is late, when the program is to end, when the statement
 * or the whole backend is ended from outside. Each waits for a table that a second connection has locked.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/pgblock.h"
#include "tests/pg/ledger_fixture.h"

enum { LATE_MS = 300 };

struct world {
    PGconn *admin;
    struct pgblock pg;
    int stop_fd, meanwhile_fd;
    const char *then; /* what the admin does meanwhile; NULL: unlocks */
    int called;
};

static void run(PGconn *conn, const char *text)
{
    PGresult *r = PQexec(conn, text);
    assert_true(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
    PQclear(r);
}

static void lock(struct world *w)
{
    run(w->admin, "BEGIN; LOCK TABLE ujrat.book_head IN ACCESS EXCLUSIVE MODE");
}

static void unlock(struct world *w)
{
    run(w->admin, "ROLLBACK");
}

static void set(int fd)
{
    assert_int_equal(eventfd_write(fd, 1), 0);
}

/* Whether our backend waits for the lock, by now. */
static bool is_waiting(struct world *w, const char *pid)
{
    PGresult *r =
        PQexecParams(w->admin, "SELECT 1 FROM pg_locks WHERE pid = $1::int AND NOT granted", 1,
                     NULL, (const char *const[]){pid}, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
    bool waits = PQntuples(r) > 0;
    PQclear(r);
    return waits;
}

static void ready(void *user)
{
    struct world *w = user;
    eventfd_t ignored;
    char pid[16];
    w->called++;
    assert_int_equal(eventfd_read(w->meanwhile_fd, &ignored), 0);
    (void)snprintf(pid, sizeof pid, "%d", PQbackendPID(w->pg.conn));
    while (!is_waiting(w, pid))
        continue;
    if (w->then != NULL)
        PQclear(
            PQexecParams(w->admin, w->then, 1, NULL, (const char *const[]){pid}, NULL, NULL, 0));
    else
        run(w->admin, "ROLLBACK");
}

static void open_world(struct world *w, int64_t timeout_ms)
{
    *w = (struct world){.admin = PQconnectdb(getenv("UJRAT_TEST_DB"))};
    assert_int_equal(PQstatus(w->admin), CONNECTION_OK);
    w->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->meanwhile_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(
        pgblock_open(&w->pg,
                     &(struct pgblock_config){.uri = getenv("UJRAT_TEST_DB"),
                                              .program = "test",
                                              .options = "-c synchronous_commit=off",
                                              .type = LEDGER_TYPE_CONFIRMATION_DRAFT,
                                              .type_name = "confirmation_draft",
                                              .timeout_ms = timeout_ms,
                                              .stop_fd = w->stop_fd,
                                              .meanwhile = {&w->meanwhile_fd, 1, ready, w}}),
        PGBLOCK_DONE);
    assert_int_not_equal(w->pg.type_oid[LEDGER_TYPE_CONFIRMATION_DRAFT], 0);
}

static void close_world(struct world *w)
{
    pgblock_close(&w->pg);
    pgblock_close(&w->pg); /* nothing */
    PQfinish(w->admin);
    close(w->stop_fd);
    close(w->meanwhile_fd);
}

static enum pgblock_end ask(struct world *w)
{
    struct params params;
    struct rows *rows;
    params_init(&params);
    enum pgblock_end end = pgblock_ask(&w->pg, "book_heads", &params, &rows);
    assert_true((rows != NULL) == (end == PGBLOCK_DONE));
    rows_free(&rows);
    assert_null(rows);
    params_deinit(&params);
    return end;
}

static void an_answer_is_done(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, PATIENCE_MS);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    assert_int_equal(ask(&w), PGBLOCK_DONE); /* prepared before */
    close_world(&w);
}

static void no_answer_in_time_is_lost(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, LATE_MS);
    lock(&w);
    assert_int_equal(ask(&w), PGBLOCK_LOST);
    assert_string_equal(w.pg.problem, "no answer in time");
    assert_string_equal(w.pg.sqlstate, "");
    unlock(&w);
    close_world(&w);
}

static void asked_to_end_it_stops_long_before_the_deadline(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 100 * PATIENCE_MS);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    lock(&w);
    set(w.stop_fd);
    assert_int_equal(ask(&w), PGBLOCK_STOPPED);
    unlock(&w);
    close_world(&w);
}

static void asked_to_end_it_still_takes_what_comes_soon(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, PATIENCE_MS);
    set(w.stop_fd);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    close_world(&w);
}

static void what_comes_meanwhile_is_done_and_the_answer_still_taken(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, PATIENCE_MS);
    lock(&w);
    set(w.meanwhile_fd);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    assert_int_equal(w.called, 1);
    close_world(&w);
}

static void a_cancelled_statement_is_refused_and_the_next_one_works(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, PATIENCE_MS);
    assert_int_equal(ask(&w), PGBLOCK_DONE); /* it is prepared: what is cancelled is the asking */
    lock(&w);
    w.then = "SELECT pg_cancel_backend($1::int)";
    set(w.meanwhile_fd);
    assert_int_equal(ask(&w), PGBLOCK_REFUSED);
    assert_string_equal(w.pg.sqlstate, "57014");
    unlock(&w);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    assert_string_equal(w.pg.sqlstate, "");
    close_world(&w);
}

static void an_ended_backend_is_lost(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, PATIENCE_MS);
    lock(&w);
    w.then = "SELECT pg_terminate_backend($1::int)";
    set(w.meanwhile_fd);
    assert_int_equal(ask(&w), PGBLOCK_LOST);
    assert_int_equal(ask(&w), PGBLOCK_LOST);
    unlock(&w);
    close_world(&w);
}

struct kept {
    char text[64];
    size_t len;
    bool full;
};

static bool keep(void *user, const char *bytes, size_t len)
{
    struct kept *k = user;
    if (k->full)
        return false;
    assert_true(len < sizeof k->text - k->len);
    memcpy(k->text + k->len, bytes, len);
    k->len += len;
    return true;
}

static void a_copy_comes_whole_or_says_why_not(void **state)
{
    struct world w;
    struct kept k = {.len = 0};
    (void)state;
    open_world(&w, PATIENCE_MS);
    assert_int_equal(pgblock_copy(&w.pg, "COPY (SELECT generate_series(1, 4)) TO STDOUT", keep, &k),
                     PGBLOCK_DONE);
    assert_string_equal(k.text, "1\n2\n3\n4\n");
    assert_int_equal(pgblock_copy(&w.pg, "COPY (SELECT nothing) TO STDOUT", keep, &k),
                     PGBLOCK_REFUSED);
    assert_string_equal(w.pg.sqlstate, "42703");
    k = (struct kept){.len = 0};
    assert_int_equal(
        pgblock_copy(&w.pg, "COPY (SELECT 6 / (3 - n) FROM generate_series(1, 4) n) TO STDOUT",
                     keep, &k),
        PGBLOCK_REFUSED); /* in the middle */
    assert_string_equal(w.pg.sqlstate, "22012");
    assert_int_equal(pgblock_copy(&w.pg, "SELECT 1", keep, &k), PGBLOCK_LOST);
    assert_int_equal(ask(&w), PGBLOCK_DONE);
    k.full = true;
    assert_int_equal(pgblock_copy(&w.pg, "COPY (SELECT 1) TO STDOUT", keep, &k), PGBLOCK_LOST);
    close_world(&w);
}

static void a_server_that_is_not_there_is_lost(void **state)
{
    struct pgblock pg;
    (void)state;
    assert_int_equal(pgblock_open(&pg, &(struct pgblock_config){.uri = "host=/nonexistent",
                                                                .program = "test",
                                                                .options = "",
                                                                .type_name = "payout_draft",
                                                                .timeout_ms = PATIENCE_MS,
                                                                .stop_fd = -1}),
                     PGBLOCK_LOST);
    assert_int_not_equal(pg.problem[0], '\0');
    pgblock_close(&pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_done),
        cmocka_unit_test(no_answer_in_time_is_lost),
        cmocka_unit_test(asked_to_end_it_stops_long_before_the_deadline),
        cmocka_unit_test(asked_to_end_it_still_takes_what_comes_soon),
        cmocka_unit_test(what_comes_meanwhile_is_done_and_the_answer_still_taken),
        cmocka_unit_test(a_cancelled_statement_is_refused_and_the_next_one_works),
        cmocka_unit_test(an_ended_backend_is_lost),
        cmocka_unit_test(a_copy_comes_whole_or_says_why_not),
        cmocka_unit_test(a_server_that_is_not_there_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
