/*
 * ledger_fixture.h: books, payouts and a ledger for the tests of ledger/ against a real PostgreSQL.
 *
 * UJRAT_TEST_DB is a superuser's URI of a migrated database. The ledger runs as ujrat_app, as in real life; a second,
 * blocking connection (`admin`) sets things up and looks at what came of them.
 */
#ifndef UJRAT_TESTS_PG_LEDGER_FIXTURE_H
#define UJRAT_TESTS_PG_LEDGER_FIXTURE_H

#include <event2/event.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/ccy.h"
#include "domain/pricing.h"
#include "ledger/ledger.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 20000, BENEFICIARIES = 4 };

struct fixture {
    struct event_base *base;
    struct ledger *ledger;
    PGconn *admin;
    char uri[1024];
    int32_t rate_id;
    int32_t
        policy_id; /* the version that opened the first book's terms, which are those of all here */
    int32_t principal_id;
    struct pricing_terms terms;
};

/* A platform's book with a float in USD, and beneficiaries 1..BENEFICIARIES at two banks in turn. */
struct test_book {
    int32_t id;
    struct payout_accounts accounts;
};

/* ---------------------------------------------------------------- SQL by hand */

__attribute__((format(printf, 2, 3))) static inline PGresult *sql(struct fixture *f,
                                                                  const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof text);
    PGresult *r = PQexec(f->admin, text);
    const ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQresultErrorMessage(r));
    return r;
}

#define sql_run(...) PQclear(sql(__VA_ARGS__))

/* The one number a query answers. */
#define sql_int(...) result_int(sql(__VA_ARGS__))

static inline int64_t result_int(PGresult *r)
{
    assert_int_equal(PQntuples(r), 1);
    const int64_t v = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return v;
}

static inline PGconn *connect_admin(void)
{
    const char *uri = getenv("UJRAT_TEST_DB");
    if (uri == NULL)
        fail_msg("UJRAT_TEST_DB is not set");
    PGconn *pg = PQconnectdb(uri);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    PQclear(PQexec(pg, "SET search_path = ujrat"));
    return pg;
}

/* ---------------------------------------------------------------- life */

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.admin = connect_admin(), .base = event_base_new()};
    assert_non_null(f->base);
    snprintf(f->uri, sizeof f->uri, "%s&options=-c%%20role%%3Dujrat_app", getenv("UJRAT_TEST_DB"));
    sql_run(f, "SELECT connect_bank('MUCB'), connect_bank('SCBL')");
    f->rate_id = (int32_t)sql_int(
        f,
        "SELECT import_rates('SBP-M2M', '2026-07-17', '2026-07-17T12:00Z', 'test', sha256('test'), 'test', NULL,"
        " ARRAY[840::smallint], ARRAY[2779612000000])");
    f->principal_id = (int32_t)sql_int(f, "SELECT add_principal('ujrat://system/test', 'system')");
    f->terms = (struct pricing_terms){
        .ccy_dst = CCY_PKR, .mid = {2779612000000}, .margin_bps = 50, .fee = {.fixed_minor = 100}};
}

static inline struct ledger_config fixture_config(const struct fixture *f)
{
    return (struct ledger_config){
        .uri = f->uri,
        .connections = 2,
        .batch_payouts_max = 1000,
        .queue_payouts_max = 100000,
        .queue_statements_max = 1000,
        .statement_timeout_ms = 10000,
    };
}

static inline void fixture_ledger(struct fixture *f, const struct ledger_config *config)
{
    assert_ok(ledger_new(f->base, config, &f->ledger));
}

/* Runs the loop until the condition holds; a test that would wait for ever fails instead. */
#define run_until(f, condition)                                                                    \
    do {                                                                                           \
        const int64_t end_us_ = clock_monotonic_us() + PATIENCE_MS * US_PER_MS;                    \
        const struct timeval slice_ = {0, 5000};                                                   \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_us() > end_us_)                                                    \
                fail_msg("waited too long for: %s", #condition);                                   \
            event_base_loopexit((f)->base, &slice_);                                               \
            event_base_loop((f)->base, EVLOOP_ONCE);                                               \
        }                                                                                          \
    } while (0)

static inline void run_for_ms(struct fixture *f, int64_t ms)
{
    const int64_t end_us = clock_monotonic_us() + ms * US_PER_MS;
    run_until(f, clock_monotonic_us() >= end_us);
}

static inline void fixture_up(struct fixture *f, const struct ledger_config *config)
{
    fixture_ledger(f, config);
    run_until(f, ledger_connections_up(f->ledger) == config->connections);
}

static inline void fixture_deinit(struct fixture *f)
{
    ledger_free(&f->ledger);
    event_base_free(f->base);
    PQfinish(f->admin);
}

/* For cmocka_run_group_tests: one fixture, up, as every test's state. */
static inline int fixture_setup(void **state)
{
    static struct fixture f;
    fixture_init(&f);
    const struct ledger_config config = fixture_config(&f);
    fixture_up(&f, &config);
    *state = &f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_deinit(*state);
    return 0;
}

static inline int32_t account_id(struct fixture *f, int32_t book, const char *code)
{
    return (int32_t)sql_int(f, "SELECT account_id FROM account WHERE book_id = %d AND code = '%s'",
                            book, code);
}

static inline struct test_book book_new(struct fixture *f, int64_t float_minor)
{
    const int32_t id =
        (int32_t)sql_int(f, "SELECT open_book('t-' || (SELECT count(*) FROM book), 'Test')");
    sql_run(f, "SELECT open_currency(%d, 'USD')", id);
    if (f->policy_id == 0)
        f->policy_id = (int32_t)sql_int(
            f, "SELECT open_terms(%d, 'USD', %d, %" PRId64 ", 0, 0, 0, 1000000000, 'test')", id,
            f->terms.margin_bps, f->terms.fee.fixed_minor);
    if (float_minor > 0)
        sql_run(f, "SELECT deposit_float(%d, %d, 'USD', %" PRId64 ", 'test')", id, f->principal_id,
                float_minor);
    sql_run(
        f,
        "SELECT register_beneficiary(%d, %d, 'r' || i, ARRAY[ROW(substring(sha256(i::text::bytea), 1, 16),"
        " (SELECT bank_id FROM bank WHERE code = CASE i %% 2 WHEN 0 THEN 'MUCB' ELSE 'SCBL' END), 1, '9186',"
        " sha256('name'), sha256('iban'), NULL, sha256('cnic'), NULL, 1, 'sealed')::beneficiary_draft])"
        " FROM generate_series(1, %d) i",
        id, f->principal_id, BENEFICIARIES);
    return (struct test_book){
        .id = id,
        .accounts = {.float_src = account_id(f, id, "float.USD"),
                     .fee_income_src = account_id(f, id, "fee.USD"),
                     .position_src = account_id(f, id, "position.USD"),
                     .position_dst = account_id(f, id, "position.PKR"),
                     .margin_income_dst = account_id(f, id, "margin.PKR"),
                     .payable_bank_dst = LEDGER_ACCOUNT_PAYABLE},
    };
}

/* ---------------------------------------------------------------- payouts */

/* A ledger_post call of up to POST_MAX payouts, with what its drafts point to. */
enum { POST_MAX = 1000 };

struct post {
    unsigned n;
    unsigned called; /* how often the callback came: 1 is right */
    struct payout_draft drafts[POST_MAX];
    struct payout_posted posted[POST_MAX];
    char reference[POST_MAX][40];
    unsigned char fingerprint[POST_MAX][16];
};

static inline struct post *post_new(void)
{
    struct post *p = calloc(1, sizeof *p);
    assert_non_null(p);
    return p;
}

/* One more payout; the same reference and gross make the same fingerprint. */
static inline struct payout_draft *post_add(struct fixture *f, const struct test_book *book,
                                            struct post *p, const char *reference, int64_t gross)
{
    assert_true(p->n < POST_MAX);
    const unsigned i = p->n++;
    struct pricing pricing;
    assert_int_equal(pricing_compute((money_t){gross, CCY_USD}, &f->terms, &pricing), REASON_NONE);
    const int len = snprintf(p->reference[i], sizeof p->reference[i], "%s", reference);
    memcpy(p->fingerprint[i], &gross, sizeof gross);
    p->drafts[i] = (struct payout_draft){
        .reference = slice_of(p->reference[i], (size_t)len),
        .fingerprint = slice_of(p->fingerprint[i], 16),
        .beneficiary_id = 1 + (int64_t)(i % BENEFICIARIES),
        .gross = gross,
        .fee = pricing.fee.minor,
        .mid_rate_e10 = pricing.mid.e10,
        .mid_value = pricing.mid_value.minor,
        .margin = pricing.margin.minor,
        .net = pricing.net.minor,
        .rate_id = f->rate_id,
        .policy_id = f->policy_id,
        .margin_bps = pricing.margin_bps,
        .src_ccy = CCY_USD,
        .dst_ccy = CCY_PKR,
    };
    journal_payout(&pricing, &book->accounts, &p->drafts[i].journal);
    return &p->drafts[i];
}

/* A draft that cannot be posted now: no numbers, no lines. */
static inline struct payout_draft *post_add_refusal(struct post *p, const char *reference,
                                                    int64_t gross, reason_t refusal)
{
    assert_true(p->n < POST_MAX);
    const unsigned i = p->n++;
    const int len = snprintf(p->reference[i], sizeof p->reference[i], "%s", reference);
    memcpy(p->fingerprint[i], &gross, sizeof gross);
    p->drafts[i] = (struct payout_draft){
        .reference = slice_of(p->reference[i], (size_t)len),
        .fingerprint = slice_of(p->fingerprint[i], 16),
        .refusal = refusal,
    };
    return &p->drafts[i];
}

static inline void on_posted(void *user)
{
    struct post *p = user;
    p->called++;
}

static inline void post_send(struct fixture *f, const struct test_book *book, struct post *p,
                             int64_t within_ms)
{
    for (unsigned i = 0; i < p->n; i++)
        p->posted[i] = (struct payout_posted){0};
    p->called = 0;
    ledger_post(f->ledger, book->id, f->principal_id, p->drafts, p->posted, p->n,
                clock_monotonic_us() + within_ms * US_PER_MS, on_posted, p);
    assert_int_equal(p->called, 0); /* never from inside the call that submitted */
}

static inline void post_wait(struct fixture *f, struct post *p)
{
    run_until(f, p->called > 0);
    assert_int_equal(p->called, 1);
}

static inline void post_run(struct fixture *f, const struct test_book *book, struct post *p)
{
    post_send(f, book, p, PATIENCE_MS);
    post_wait(f, p);
}

#define assert_outcome(p, i, wanted_outcome, wanted_reason)                                        \
    do {                                                                                           \
        assert_int_equal((p)->posted[i].outcome, (wanted_outcome));                                \
        assert_string_equal(reason_name((p)->posted[i].reason), reason_name(wanted_reason));       \
    } while (0)

/* ---------------------------------------------------------------- what must always hold */

static inline int64_t payouts_stored(struct fixture *f, const struct test_book *book)
{
    return sql_int(f, "SELECT count(*) FROM payout WHERE book_id = %d", book->id);
}

/* Balanced per currency, balances equal the postings, no gap in the sequence, blocks in a row. */
static inline void assert_book_sound(struct fixture *f, const struct test_book *book)
{
    assert_int_equal(
        sql_int(f,
                "SELECT count(*) FROM (SELECT ccy FROM posting WHERE book_id = %d GROUP BY ccy"
                " HAVING sum(minor) <> 0) t",
                book->id),
        0);
    assert_int_equal(
        sql_int(f,
                "SELECT count(*) FROM account_now a WHERE a.book_id = %d AND a.balance <>"
                " (SELECT coalesce(sum(p.minor), 0) FROM posting p WHERE p.book_id = a.book_id"
                " AND p.account_id = a.account_id)",
                book->id),
        0);
    assert_int_equal(
        sql_int(f,
                "SELECT coalesce(max(seq), 0) - count(*) + (SELECT next_seq FROM book_head WHERE"
                " book_id = %d) - 1 - coalesce(max(seq), 0) FROM journal WHERE book_id = %d",
                book->id, book->id),
        0);
    assert_int_equal(
        sql_int(f,
                "SELECT count(*) FROM (SELECT first_seq, lag(last_seq) OVER (ORDER BY block_no) AS"
                " before FROM block WHERE book_id = %d) k WHERE first_seq <> before + 1",
                book->id),
        0);
}

#endif
