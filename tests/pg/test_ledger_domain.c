/*
 * The rules are written down twice: domain/ says which states follow which events and which lines each writes, and the
 * functions of the schema act on them. Here every event is tried in every state, and the two must agree.
 */
#include "domain/payout_state.h"
#include "tests/pg/ledger_fixture.h"

enum { FLOAT_MINOR = 1000000, GROSS_MINOR = 10000, PART_MINOR = 12345 };

/* A book with one payout to the bank SCBL. */
struct world {
    struct fixture *f;
    struct test_book book;
    int64_t payout_id;
    int64_t net;
    int32_t bank_id, payable, nostro;
    struct journal accepted;
};

static int64_t last_seq(const struct world *w)
{
    return sql_int(w->f, "SELECT max(seq) FROM journal WHERE book_id = %d", w->book.id);
}

/* The lines that journal `seq` of the book wrote. */
static struct journal journal_read(const struct world *w, int64_t seq)
{
    struct journal j = {0};
    PGresult *r = sql(w->f,
                      "SELECT account_id, ccy, minor FROM posting WHERE book_id = %d AND seq = "
                      "%" PRId64 " ORDER BY line_no",
                      w->book.id, seq);
    assert_in_range(PQntuples(r), 0, JOURNAL_LINES_MAX);
    for (int i = 0; i < PQntuples(r); i++)
        j.lines[j.n++] = (struct journal_line){(int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10),
                                               (uint16_t)strtoul(PQgetvalue(r, i, 1), NULL, 10),
                                               strtoll(PQgetvalue(r, i, 2), NULL, 10)};
    PQclear(r);
    return j;
}

/* The same lines; their order says nothing. */
static void assert_journal(const struct journal *wrote, const struct journal *wanted)
{
    assert_int_equal(wrote->n, wanted->n);
    for (size_t i = 0; i < wanted->n; i++) {
        size_t found = 0;
        for (size_t k = 0; k < wrote->n; k++)
            found += wrote->lines[k].account == wanted->lines[i].account &&
                     wrote->lines[k].ccy == wanted->lines[i].ccy &&
                     wrote->lines[k].minor == wanted->lines[i].minor;
        assert_int_equal(found, 1);
    }
}

static struct world world_new(struct fixture *f)
{
    struct world w = {.f = f, .book = book_new(f, FLOAT_MINOR)};
    struct post *p = post_new();
    post_add(f, &w.book, p, "one", GROSS_MINOR);
    post_run(f, &w.book, p);
    assert_outcome(p, 0, LEDGER_DONE, REASON_NONE);
    w.payout_id = p->posted[0].payout_id;
    w.net = p->posted[0].net;
    w.bank_id = p->posted[0].bank_id;
    w.payable = account_id(f, w.book.id, "payable.SCBL.PKR");
    w.nostro = account_id(f, w.book.id, "nostro.SCBL.PKR");
    w.accepted = p->drafts[0].journal;
    for (size_t i = 0; i < w.accepted.n; i++)
        if (w.accepted.lines[i].account == LEDGER_ACCOUNT_PAYABLE)
            w.accepted.lines[i].account = w.payable;
    free(p);
    return w;
}

static enum payout_state state_of(const struct world *w)
{
    enum payout_state state = PAYOUT_STATE_NONE;
    const int64_t number = sql_int(w->f, "SELECT payout_state(%d, %" PRId64 ", %d::int2)",
                                   w->book.id, w->payout_id, w->bank_id);
    assert_true(payout_state_from_number((int32_t)number, &state));
    return state;
}

/* As the API would; a refusal with a reason of ours is an answer too. */
__attribute__((format(printf, 2, 3))) static void attempt(const struct world *w, const char *format,
                                                          ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PGresult *r = PQexec(w->f->admin, text);
    const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (sqlstate != NULL && strncmp(sqlstate, "UJ", 2) != 0)
        fail_msg("%s: %s", text, PQresultErrorMessage(r));
    PQclear(r);
}

static void confirm(const struct world *w, enum payout_state state, const char *reason_code)
{
    attempt(w,
            "SELECT confirm_instructions(%d, %d::int2, %d, ARRAY[ROW(%" PRId64 ", %d, 586, %" PRId64
            ", 'bank-1', NULL, NULL, %s)::confirmation_draft])",
            w->book.id, w->bank_id, w->f->principal_id, w->payout_id, (int)state, w->net,
            reason_code);
}

static int64_t returned(const struct world *w)
{
    return sql_int(w->f, "SELECT returned_amount(%d, %" PRId64 ")", w->book.id, w->payout_id);
}

/* Under a reference of its own, each time. */
static void give_back(const struct world *w, int64_t amount)
{
    attempt(w,
            "SELECT return_payment(%d, %d::int2, %d, %" PRId64 ", 586::int2, %" PRId64
            ", 0, 'AC04', 'back-%" PRId64 "')",
            w->book.id, w->bank_id, w->f->principal_id, w->payout_id, amount, last_seq(w));
}

/* The last that came back, whatever it is called. */
static void take_back(const struct world *w)
{
    attempt(
        w,
        "SELECT reverse_return(%d, %d::int2, %d, %" PRId64
        ", coalesce((SELECT bank_reference FROM payment_return r WHERE book_id = %d AND payout_id = %" PRId64
        " AND reverses_step IS NULL AND NOT EXISTS (SELECT FROM payment_return v WHERE v.book_id = r.book_id"
        " AND v.payout_id = r.payout_id AND v.reverses_step = r.step) ORDER BY step DESC LIMIT 1), 'none'),"
        " 'AM09', 'taken-%" PRId64 "')",
        w->book.id, w->bank_id, w->f->principal_id, w->payout_id, w->book.id, w->payout_id,
        last_seq(w));
}

/* The first two operators decide of the last hold as one: the schema takes two logins, so the test is each in turn. */
static void decide(const struct world *w, const char *decision)
{
    static const char *const operators[] = {"domain_first", "domain_second"};
    for (size_t i = 0; i < 2; i++) {
        PQclear(sql(w->f, "SET SESSION AUTHORIZATION %s", operators[i]));
        attempt(w,
                "SELECT decide_hold(%d, %" PRId64 ", (SELECT coalesce(max(hold_no), 1::int2)"
                " FROM payout_hold WHERE book_id = %d AND payout_id = %" PRId64
                "), '%s', 'seen', NULL)",
                w->book.id, w->payout_id, w->book.id, w->payout_id, decision);
        PQclear(sql(w->f, "RESET SESSION AUTHORIZATION"));
    }
}

static void happen(const struct world *w, enum payout_event event)
{
    switch (event) {
    case PAYOUT_EVENT_INSTRUCT:
        attempt(w, "SELECT hand_out(%d, %d::int2, %d, 100)", w->book.id, w->bank_id,
                w->f->principal_id);
        return;
    case PAYOUT_EVENT_SETTLE:
        confirm(w, PAYOUT_STATE_SETTLED, "NULL");
        return;
    case PAYOUT_EVENT_REJECT:
        confirm(w, PAYOUT_STATE_REJECTED, "'AC01'");
        return;
    case PAYOUT_EVENT_RETURN:
        give_back(w, w->net - returned(w));
        return;
    case PAYOUT_EVENT_RETURN_PART:
        give_back(w, PART_MINOR);
        return;
    case PAYOUT_EVENT_REVERSE_RETURN:
    case PAYOUT_EVENT_REVERSE_LAST_RETURN:
        take_back(w);
        return;
    case PAYOUT_EVENT_CANCEL:
        attempt(w, "SELECT cancel_payout(%d, %d, %" PRId64 ")", w->book.id, w->f->principal_id,
                w->payout_id);
        return;
    case PAYOUT_EVENT_HOLD:
        attempt(w,
                "SELECT hold_payout(%d, %" PRId64 ", %d, 'SCREENING', 'a name', NULL, 'names',"
                " clock_timestamp() + interval '1 day')",
                w->book.id, w->payout_id, w->f->principal_id);
        return;
    case PAYOUT_EVENT_RELEASE:
        decide(w, "release");
        return;
    case PAYOUT_EVENT_REFUSE:
        decide(w, "refuse");
        return;
    case PAYOUT_EVENT_ACCEPT:
    case PAYOUT_EVENT_PARK:
    case PAYOUT_EVENT_CLAIM:
    case PAYOUT_EVENT_EXPIRE:
        break;
    }
    fail_msg("the schema knows no event %d", (int)event);
}

/* What came back and stands, before an event and after it; and of the last that stood before, what there was without it. */
struct back {
    int64_t before, after, without_last;
};

static void part_journals(const struct world *w, int64_t before, int64_t after,
                          struct journal wanted[2])
{
    journal_unsettle_part(money_of(after - before, CCY_PKR), money_of(0, CCY_PKR), w->payable,
                          w->nostro, 0, &wanted[0]);
    journal_return_part(w->accepted.lines, w->accepted.n, w->payable, before, after, &wanted[1]);
}

/* The journals after `before` are those that domain/ says the event writes. A return's are the same, whether it reverses what it
 * undoes or is in parts; what takes it back has the opposite ones, the last first. */
static void assert_wrote(const struct world *w, enum payout_event event, int64_t before,
                         const struct back *back)
{
    struct journal wanted[2] = {0}, made[2];
    int64_t n = 0;
    if (event == PAYOUT_EVENT_INSTRUCT)
        n = 1; /* a journal without lines: money has not moved */
    if (event == PAYOUT_EVENT_SETTLE)
        journal_settle(money_of(w->net, CCY_PKR), w->payable, w->nostro, &wanted[n++]);
    if (event == PAYOUT_EVENT_REJECT || event == PAYOUT_EVENT_CANCEL)
        assert_int_equal(journal_reverse(w->accepted.lines, w->accepted.n, &wanted[n++]),
                         REASON_NONE);
    if (event == PAYOUT_EVENT_HOLD || event == PAYOUT_EVENT_RELEASE ||
        event == PAYOUT_EVENT_REFUSE) {
        const int32_t held = account_id(w->f, w->book.id, "held.PKR");
        journal_settle(money_of(w->net, CCY_PKR), w->payable, held, &made[0]);
        if (event == PAYOUT_EVENT_HOLD)
            wanted[n++] = made[0];
        else
            assert_int_equal(journal_reverse(made[0].lines, made[0].n, &wanted[n++]), REASON_NONE);
        if (event == PAYOUT_EVENT_REFUSE)
            assert_int_equal(journal_reverse(w->accepted.lines, w->accepted.n, &wanted[n++]),
                             REASON_NONE);
    }
    if (back->after > back->before) {
        n = 2;
        part_journals(w, back->before, back->after, wanted);
    } else if (back->after < back->before) {
        n = 2;
        part_journals(w, back->without_last, back->before, made);
        for (int i = 0; i < 2; i++)
            assert_int_equal(journal_reverse(made[1 - i].lines, made[1 - i].n, &wanted[i]),
                             REASON_NONE);
    }
    assert_int_equal(last_seq(w) - before, n);
    for (int64_t i = 0; i < n; i++) {
        const struct journal wrote = journal_read(w, before + 1 + i);
        assert_journal(&wrote, &wanted[i]);
    }
}

static void a_deposit_and_a_payout_write_the_lines_of_the_domain(void **state)
{
    struct fixture *f = *state;
    const struct world w = world_new(f);
    struct journal wanted;
    struct journal wrote = journal_read(&w, 1);
    journal_deposit(money_of(FLOAT_MINOR, CCY_USD), account_id(f, w.book.id, "correspondent.USD"),
                    w.book.accounts.float_src, &wanted);
    assert_journal(&wrote, &wanted);
    wrote = journal_read(&w, w.payout_id);
    assert_journal(&wrote, &w.accepted);
}

static const enum payout_event events[] = {
    PAYOUT_EVENT_INSTRUCT,       PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_REJECT,
    PAYOUT_EVENT_RETURN,         PAYOUT_EVENT_CANCEL, PAYOUT_EVENT_RETURN_PART,
    PAYOUT_EVENT_REVERSE_RETURN, PAYOUT_EVENT_HOLD,   PAYOUT_EVENT_RELEASE,
    PAYOUT_EVENT_REFUSE,
};
/* The events that lead to each state that there is a way to. */
static const enum payout_event ways[][5] = {
    {0},
    {PAYOUT_EVENT_INSTRUCT},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_REJECT},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_RETURN},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_RETURN_PART},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_RETURN_PART,
     PAYOUT_EVENT_RETURN_PART},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_RETURN_PART, PAYOUT_EVENT_RETURN},
    {PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE, PAYOUT_EVENT_RETURN, PAYOUT_EVENT_REVERSE_RETURN},
    {PAYOUT_EVENT_CANCEL},
    {PAYOUT_EVENT_HOLD},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_RELEASE},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_RELEASE, PAYOUT_EVENT_INSTRUCT},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_RELEASE, PAYOUT_EVENT_HOLD},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_RELEASE, PAYOUT_EVENT_CANCEL},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_REFUSE},
    {PAYOUT_EVENT_HOLD, PAYOUT_EVENT_RELEASE, PAYOUT_EVENT_INSTRUCT, PAYOUT_EVENT_SETTLE},
};

static void every_event_in_every_state_does_what_the_domain_says(void **state)
{
    struct fixture *f = *state;
    /* Who is logged in is believed: codes are test_operator_codes.py's. */
    PQclear(sql(f,
                "CREATE ROLE domain_first LOGIN IN ROLE ujrat_operator;"
                "CREATE ROLE domain_second LOGIN IN ROLE ujrat_operator;"
                "CREATE OR REPLACE FUNCTION prove_operator(p_code text, p_what text DEFAULT NULL)"
                " RETURNS integer LANGUAGE sql SET search_path = ujrat, pg_temp AS"
                " 'SELECT operator_principal()'"));
    unsigned happened = 0;
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        for (size_t e = 0; e < sizeof events / sizeof events[0]; e++) {
            const struct world w = world_new(f);
            struct back back = {0};
            for (size_t i = 0; i < 5 && ways[way][i] != 0; i++) {
                back.without_last = returned(&w);
                happen(&w, ways[way][i]);
            }
            const enum payout_state from = state_of(&w);
            const int64_t before = last_seq(&w);
            enum payout_state to = from;
            /* taking a return back leads on by whether another stands */
            const enum payout_event event =
                events[e] == PAYOUT_EVENT_REVERSE_RETURN && back.without_last > 0
                    ? PAYOUT_EVENT_REVERSE_LAST_RETURN
                    : events[e];
            back.before = returned(&w);
            const bool may = payout_state_next(from, event, &to) == REASON_NONE;
            happen(&w, event);
            back.after = returned(&w);
            assert_string_equal(payout_state_name(state_of(&w)), payout_state_name(to));
            if (may)
                assert_wrote(&w, event, before, &back);
            else
                assert_int_equal(
                    sql_int(f, "SELECT count(*) FROM posting WHERE book_id = %d AND seq > %" PRId64,
                            w.book.id, before),
                    0);
            /* Given back or not: the float says so. */
            const int64_t float_now = -sql_int(
                f, "SELECT balance FROM account_now WHERE book_id = %d AND account_id = %d",
                w.book.id, w.book.accounts.float_src);
            if (to != PAYOUT_STATE_PARTLY_RETURNED)
                assert_int_equal(float_now,
                                 FLOAT_MINOR - (payout_state_is_reversed(to) ? 0 : GROSS_MINOR));
            assert_book_sound(f, &w.book);
            happened += may;
        }
    }
    assert_int_equal(happened, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deposit_and_a_payout_write_the_lines_of_the_domain),
        cmocka_unit_test(every_event_in_every_state_does_what_the_domain_says),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
