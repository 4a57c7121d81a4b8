/* Values on their way to PostgreSQL and back, and the statements that carry them. */
#include "ledger/ledger.h"
#include "ledger/params.h"
#include "ledger/rows.h"
#include "ledger/statements.h"
#include "tests/pg/ledger_fixture.h"

/* Runs a query of the test's own with params as a connection would: binary both ways. */
static PGresult *echo(PGconn *pg, const char *query, struct params *p)
{
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX];
    int format[PARAMS_MAX];
    uint32_t oid[LEDGER_TYPE_COUNT];
    static const char *const name[LEDGER_TYPE_COUNT] = {"payout_draft", "beneficiary_draft",
                                                        "confirmation_draft"};
    for (int i = 0; i < LEDGER_TYPE_COUNT; i++) {
        PGresult *r = PQexecParams(pg, "SELECT $1::regtype::oid", 1, NULL, &name[i], NULL, NULL, 0);
        oid[i] = (uint32_t)strtoul(PQgetvalue(r, 0, 0), NULL, 10);
        PQclear(r);
    }
    assert_false(p->failed);
    params_set_types(p, oid);
    for (int i = 0; i < p->n; i++) {
        value[i] = p->length[i] < 0 ? NULL : (const char *)p->bytes + p->offset[i];
        length[i] = p->length[i];
        format[i] = 1;
    }
    PGresult *r = PQexecParams(pg, query, p->n, NULL, value, length, format, 1);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", query, PQresultErrorMessage(r));
    params_reset(p);
    return r;
}

static const struct rows *rows_of(const PGresult *r)
{
    return (const struct rows *)(const void *)r;
}

static void integers_of_every_width_come_back(void **state)
{
    PGconn *pg = *state;
    static const int64_t edge[] = {0,         1,         -1,        INT16_MIN, INT16_MAX,
                                   INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};
    struct params p;
    params_init(&p);
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        params_add_int2(&p, (int16_t)edge[i]);
        params_add_int4(&p, (int32_t)edge[i]);
        params_add_int8(&p, edge[i]);
        PGresult *r = echo(pg, "SELECT $1::int2, $2::int4, $3::int8, $3::int8::text", &p);
        char text[32];
        snprintf(text, sizeof text, "%" PRId64, edge[i]);
        assert_int_equal(rows_int(rows_of(r), 0, 0), (int16_t)edge[i]);
        assert_int_equal(rows_int(rows_of(r), 0, 1), (int32_t)edge[i]);
        assert_true(rows_int(rows_of(r), 0, 2) == edge[i]);
        assert_slice(rows_text(rows_of(r), 0, 3), text); /* PostgreSQL read the same number */
        PQclear(r);
    }
    params_deinit(&p);
}

static void booleans_texts_and_nulls_come_back(void **state)
{
    PGconn *pg = *state;
    struct params p;
    params_init(&p);
    params_add_bool(&p, true);
    params_add_bool(&p, false);
    params_add_text(&p, SLICE("اجرت"));
    params_add_text(&p, SLICE(""));
    params_add_text_or_null(&p, SLICE(""));
    params_add_text_or_null(&p, SLICE("x"));
    params_add_null(&p);
    params_add_text(&p, slice_of("\0\xff\x01", 3));
    PGresult *r = echo(
        pg,
        "SELECT $1::bool, $2::bool, $3::text, $4::text, $5::text, $6::text, $7::int8, $8::bytea,"
        " length($3::text)",
        &p);
    const struct rows *rows = rows_of(r);
    assert_int_equal(rows_count(rows), 1);
    assert_true(rows_bool(rows, 0, 0));
    assert_false(rows_bool(rows, 0, 1));
    assert_slice(rows_text(rows, 0, 2), "اجرت");
    assert_false(rows_is_null(rows, 0, 3));
    assert_slice(rows_text(rows, 0, 3), "");
    assert_true(rows_is_null(rows, 0, 4));
    assert_slice(rows_text(rows, 0, 4), "");
    assert_slice(rows_text(rows, 0, 5), "x");
    assert_true(rows_is_null(rows, 0, 6));
    assert_int_equal(rows_int(rows, 0, 6), 0);
    assert_false(rows_bool(rows, 0, 6));
    assert_int_equal(rows_text(rows, 0, 7).len, 3);
    assert_memory_equal(rows_text(rows, 0, 7).p, "\0\xff\x01", 3);
    assert_int_equal(rows_int(rows, 0, 8), 4);
    PQclear(r);
    params_deinit(&p);
}

static void times_come_back_to_the_microsecond(void **state)
{
    PGconn *pg = *state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01 00:00:00+00"},
        {-1, "1969-12-31 23:59:59.999999+00"},
        {946684800LL * US_PER_SEC, "2000-01-01 00:00:00+00"},
        {1784289600123456, "2026-07-17 12:00:00.123456+00"},
        {INT64_MAX, "infinity"},
        {INT64_MIN, "-infinity"},
    };
    struct params p;
    params_init(&p);
    PQclear(PQexec(pg, "SET timezone = 'UTC'"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        params_add_time_us(&p, cases[i].us);
        PGresult *r = echo(pg, "SELECT $1::timestamptz, $1::timestamptz::text", &p);
        assert_slice(rows_text(rows_of(r), 0, 1), cases[i].text);
        assert_true(rows_time_us(rows_of(r), 0, 0) == cases[i].us);
        PQclear(r);
    }
    PGresult *r = echo(pg, "SELECT NULL::timestamptz", &p);
    assert_true(rows_time_us(rows_of(r), 0, 0) == INT64_MIN);
    PQclear(r);
    params_deinit(&p);
}

static void arrays_are_read_with_their_nulls_and_no_further_than_asked(void **state)
{
    PGconn *pg = *state;
    struct params p;
    params_init(&p);
    int64_t v[4] = {7, 7, 7, 7};
    PGresult *r =
        echo(pg,
             "SELECT ARRAY[1, -2, 3]::int2[], ARRAY[2147483647, NULL]::int4[],"
             " ARRAY[-9223372036854775808, 1, 2, 3, 4]::int8[], '{}'::int8[], NULL::int8[]",
             &p);
    const struct rows *rows = rows_of(r);
    assert_int_equal(rows_int_array(rows, 0, 0, v, 4), 3);
    assert_true(v[0] == 1 && v[1] == -2 && v[2] == 3 && v[3] == 7);
    assert_int_equal(rows_int_array(rows, 0, 1, v, 4), 2);
    assert_true(v[0] == INT32_MAX && v[1] == 0);
    v[3] = 7;
    assert_int_equal(rows_int_array(rows, 0, 2, v, 3), 5);
    assert_true(v[0] == INT64_MIN && v[1] == 1 && v[2] == 2 && v[3] == 7);
    assert_int_equal(rows_int_array(rows, 0, 3, v, 4), 0);
    assert_int_equal(rows_int_array(rows, 0, 4, v, 4), 0);
    PQclear(r);
    params_deinit(&p);
}

static void confirmation(struct params *p, int64_t payout, const char *reference)
{
    params_row_begin(p, 8);
    params_row_int8(p, payout);
    params_row_int2(p, 4);
    params_row_int2(p, CCY_PKR);
    params_row_int8_or_null(p, payout * 100);
    params_row_text_or_null(p, slice_str(reference));
    params_row_int8_or_null(p, 0);
    params_row_text(p, SLICE(""));
    params_row_text_or_null(p, SLICE(""));
    params_row_end(p);
}

static void an_array_of_rows_between_scalars_comes_back(void **state)
{
    PGconn *pg = *state;
    struct params p;
    params_init(&p);
    for (int round = 0; round < 2; round++) { /* the second time in memory that was used before */
        params_add_int4(&p, 5);
        params_array_begin(&p, LEDGER_TYPE_CONFIRMATION_DRAFT);
        confirmation(&p, 1, "BANK-1");
        confirmation(&p, INT64_MAX / 100, "");
        params_array_end(&p);
        params_add_text(&p, SLICE("after"));
        PGresult *r = echo(
            pg,
            "SELECT d.payout_id, d.state, d.amount, d.bank_reference, d.tax_withheld, d.eprc_number,"
            " d.reason_code, $1::int4, $3::text FROM unnest($2::confirmation_draft[]) d",
            &p);
        const struct rows *rows = rows_of(r);
        assert_int_equal(rows_count(rows), 2);
        assert_int_equal(rows_int(rows, 0, 0), 1);
        assert_int_equal(rows_int(rows, 0, 1), 4);
        assert_int_equal(rows_int(rows, 0, 2), 100);
        assert_slice(rows_text(rows, 0, 3), "BANK-1");
        assert_true(rows_is_null(rows, 0, 4));
        assert_false(rows_is_null(rows, 0, 5));
        assert_true(rows_is_null(rows, 0, 6));
        assert_int_equal(rows_int(rows, 1, 0), INT64_MAX / 100);
        assert_true(rows_is_null(rows, 1, 3));
        assert_int_equal(rows_int(rows, 1, 7), 5);
        assert_slice(rows_text(rows, 1, 8), "after");
        PQclear(r);
    }
    params_deinit(&p);
}

static void an_empty_array_of_rows_is_an_empty_array(void **state)
{
    PGconn *pg = *state;
    struct params p;
    params_init(&p);
    params_array_begin(&p, LEDGER_TYPE_CONFIRMATION_DRAFT);
    params_array_end(&p);
    PGresult *r = echo(pg, "SELECT cardinality($1::confirmation_draft[])", &p);
    assert_int_equal(rows_int(rows_of(r), 0, 0), 0);
    PQclear(r);
    params_deinit(&p);
}

static void beneficiary(struct params *p, size_t pii_len)
{
    char pii[20000];
    memset(pii, 'n', sizeof pii);
    params_row_bytea(p, SLICE("0123456789abcdef"));
    params_row_int2(p, 7);
    params_row_int2(p, 1);
    params_row_text(p, SLICE("9186"));
    for (unsigned i = 0; i < PII_FIELDS; i++)
        params_row_bytea_or_null(p, i == PII_MOBILE ? SLICE("") : SLICE("commitment"));
    params_row_int2(p, 3);
    params_row_bytea(p, slice_of(pii, pii_len));
}

/* A row inside a row, and arrays inside a row, long enough that the buffer moves while it is written. */
static void rows_and_arrays_inside_rows_come_back(void **state)
{
    PGconn *pg = *state;
    PGresult *r = PQexec(pg, "SELECT 'beneficiary_draft'::regtype::oid");
    const uint32_t oid = (uint32_t)strtoul(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    struct params p;
    params_init(&p);
    params_array_begin(&p, LEDGER_TYPE_PAYOUT_DRAFT);
    for (int i = 0; i < 3; i++) {
        params_row_begin(&p, 22);
        params_row_text(&p, SLICE("ref"));
        params_row_bytea(&p, SLICE("0123456789abcdef"));
        params_row_text_or_null(&p, SLICE(""));
        params_row_int8_or_null(&p, i);
        if (i == 0) {
            params_row_null(&p, oid);
        } else {
            const size_t start = params_row_nested_begin(&p, oid, BENEFICIARY_DRAFT_COLUMNS);
            beneficiary(&p, (size_t)i * 10000);
            params_row_nested_end(&p, start);
        }
        for (int k = 0; k < 7; k++)
            params_row_int8(&p, k);
        params_row_int4(&p, 1);
        params_row_int4(&p, -50);
        for (int k = 0; k < 4; k++)
            params_row_int2(&p, (int16_t)(k - 1));
        params_row_int4_array(&p, (const int32_t[]){INT32_MAX, 2, 3}, i == 2 ? 0 : 3);
        params_row_int2_array(&p, (const int16_t[]){840, 586, -1}, 3);
        params_row_int8_array(&p, (const int64_t[]){INT64_MIN, 0, INT64_MAX}, 3);
        params_row_int4_or_null(&p, i);
        params_row_end(&p);
    }
    params_array_end(&p);
    r = echo(
        pg,
        "SELECT d.beneficiary_id, d.carried IS NULL, (d.carried).bank_id, length((d.carried).pii),"
        " (d.carried).mobile_commitment, (d.carried).purpose_code, d.line_account, d.line_ccy, d.line_minor,"
        " d.refusal, d.margin_bps, d.policy_id FROM unnest($1::payout_draft[]) d",
        &p);
    const struct rows *rows = rows_of(r);
    assert_int_equal(rows_count(rows), 3);
    assert_true(rows_is_null(rows, 0, 0));
    assert_true(rows_bool(rows, 0, 1));
    assert_true(rows_is_null(rows, 0, 11));
    for (int i = 1; i < 3; i++) {
        int64_t v[3];
        assert_int_equal(rows_int(rows, i, 0), i);
        assert_int_equal(rows_int(rows, i, 2), 7);
        assert_int_equal(rows_int(rows, i, 3), i * 10000);
        assert_true(rows_is_null(rows, i, 4));
        assert_slice(rows_text(rows, i, 5), "9186");
        assert_int_equal(rows_int_array(rows, i, 6, v, 3), i == 2 ? 0 : 3);
        assert_int_equal(rows_int_array(rows, i, 7, v, 3), 3);
        assert_true(v[0] == 840 && v[1] == 586 && v[2] == -1);
        assert_int_equal(rows_int_array(rows, i, 8, v, 3), 3);
        assert_true(v[0] == INT64_MIN && v[1] == 0 && v[2] == INT64_MAX);
        assert_int_equal(rows_int(rows, i, 9), 2);
        assert_int_equal(rows_int(rows, i, 10), -50);
        assert_int_equal(rows_int(rows, i, 11), i);
    }
    PQclear(r);
    params_deinit(&p);
}

/* ---------------------------------------------------------------- statements */

static void every_statement_prepares_and_is_allowed_to_the_gateway(void **state)
{
    PGconn *pg = *state;
    PQclear(PQexec(pg, "SET ROLE ujrat_app"));
    assert_true(statements_count() > 10);
    for (int i = 0; i < statements_count(); i++) {
        const char *name = statements_name(i);
        PGresult *r = PQprepare(pg, name, statements_text(i), 0, NULL);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", name, PQresultErrorMessage(r));
        PQclear(r);
        assert_int_equal(statements_find(name), -1); /* a file's name has an ending */
    }
    assert_int_equal(statements_find("no_such_statement"), -1);
    assert_true(statements_find("post_payouts") >= 0);
    PQclear(PQexec(pg, "RESET ROLE"));
}

/* What only the sealer asks, the notifier, or ujrat-settle, begins with its name. */
static const char *role_of(const char *statement)
{
    if (strncmp(statement, "seal_", 5) == 0)
        return "SET ROLE ujrat_sealer";
    if (strncmp(statement, "hook_", 5) == 0)
        return "SET ROLE ujrat_hooks";
    return strncmp(statement, "settle_", 7) == 0 ? "SET ROLE ujrat_settle" : "SET ROLE ujrat_app";
}

/* With NULL for everything most answer nothing and some refuse; none may lack a right. */
static void statements_said_to_be_read_only_write_nothing(void **state)
{
    PGconn *pg = *state;
    for (int i = 0; i < statements_count(); i++) {
        static const char *const nothing[PARAMS_MAX];
        PQclear(PQexec(pg, role_of(statements_name(i))));
        PGresult *d = PQdescribePrepared(pg, statements_name(i));
        assert_int_equal(PQresultStatus(d), PGRES_COMMAND_OK);
        const bool locks = strncmp(statements_name(i), "audit_moment.", 13) == 0;
        PQclear(PQexec(pg, statements_is_read_only(i) && !locks ? "BEGIN READ ONLY" : "BEGIN"));
        PGresult *r = PQexecPrepared(pg, statements_name(i), PQnparams(d), nothing, NULL, NULL, 1);
        const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        if (sqlstate != NULL && (strcmp(sqlstate, "25006") == 0 || strcmp(sqlstate, "42501") == 0))
            fail_msg("%s: %s", statements_name(i), PQresultErrorMessage(r));
        if (statements_is_read_only(i) && PQresultStatus(r) != PGRES_TUPLES_OK)
            fail_msg("%s: %s", statements_name(i), PQresultErrorMessage(r));
        PQclear(r);
        PQclear(d);
        PQclear(PQexec(pg, "ROLLBACK"));
    }
    PQclear(PQexec(pg, "RESET ROLE"));
}

static int setup(void **state)
{
    *state = connect_admin();
    return 0;
}

static int teardown(void **state)
{
    PQfinish(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_width_come_back),
        cmocka_unit_test(booleans_texts_and_nulls_come_back),
        cmocka_unit_test(times_come_back_to_the_microsecond),
        cmocka_unit_test(arrays_are_read_with_their_nulls_and_no_further_than_asked),
        cmocka_unit_test(an_array_of_rows_between_scalars_comes_back),
        cmocka_unit_test(an_empty_array_of_rows_is_an_empty_array),
        cmocka_unit_test(rows_and_arrays_inside_rows_come_back),
        cmocka_unit_test(every_statement_prepares_and_is_allowed_to_the_gateway),
        cmocka_unit_test(statements_said_to_be_read_only_write_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
