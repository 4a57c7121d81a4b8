#include "audit/stated.h"

#include "tests/unit/unit.h"

#include <stdio.h>

struct seen {
    unsigned rows;
    struct stated_row last;
    bool enough;
};

static bool each(void *context, const struct stated_row *row)
{
    struct seen *seen = context;
    seen->rows++;
    seen->last = *row;
    return !seen->enough;
}

static void refused(const char *text, unsigned line, const char *what)
{
    struct seen seen = {0};
    struct stated_fault fault;
    assert_false(stated_read(slice_str(text), each, &seen, &fault));
    assert_string_equal(fault.what, what);
    assert_int_equal(fault.line, line);
}

static void columns_may_stand_in_any_order_among_others(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct stated_fault fault;
    assert_true(stated_read(SLICE("\xef\xbb\xbfnote,balance,currency,account,date\r\n"
                                  "x,\"1,000.00\", USD ,upwork/correspondent.USD,1970-01-02\r\n\r\n"
                                  ",-5,PKR,nostro.MUCB.PKR,1970-01-03"),
                            each, &seen, &fault));
    assert_int_equal(seen.rows, 2);
    assert_int_equal(seen.last.day, 2);
    assert_int_equal(seen.last.line, 4);
    assert_slice(seen.last.account, "nostro.MUCB.PKR");
    assert_slice(seen.last.currency, "PKR");
    assert_slice(seen.last.balance, "-5");
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    refused("", 1, "it is empty");
    refused("date,account,currency\n", 1, "there is no column 'balance'");
    refused("date,account,currency,balance,date\n", 1, "a column that is there twice");
    refused("date,account,currency,balance\n2026-02-29,a,USD,1\n", 2, "date: YYYY-MM-DD is wanted");
    refused("date,account,currency,balance\n\n2026-02-28,a,USD\n", 3,
            "another number of cells than the first line has");
    refused("date,account,currency,balance\n2026-02-28,,USD,1\n", 2, "account: it is empty");
    refused("date,account,currency,balance\n2026-02-28,a,USD,\n", 2, "balance: it is empty");
    refused("date,account,currency,balance\n2026-02-28,a,USD,\"1\n", 2,
            "a quote that does not end");
    refused("date,account,currency,balance\n2026-02-28,a,USD,\"1\"2\n", 2, "a quote within a cell");
    refused("date,account,currency,balance\n2026-02-28,a\"a,USD,1\n", 2, "a quote within a cell");
    refused(",,,,,,,,,,,,,,,,,\n", 1, "too many cells");
}

static void a_reader_that_has_enough_ends_it(void **state)
{
    (void)state;
    struct seen seen = {.enough = true};
    struct stated_fault fault;
    assert_false(stated_read(SLICE("date,account,currency,balance\n2026-02-28,a,USD,1\n"
                                   "2026-02-28,a,USD,1\n"),
                             each, &seen, &fault));
    assert_int_equal(seen.rows, 1);
    assert_null(fault.what); /* it was not the file's fault */
}

static void a_file_has_a_bound(void **state)
{
    (void)state;
    static char text[64 + STATED_ROWS_MAX * 24 + 64];
    size_t n = (size_t)snprintf(text, sizeof text, "date,account,currency,balance\n");
    struct seen seen = {0};
    struct stated_fault fault;
    for (int i = 0; i < STATED_ROWS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "2026-02-28,a,USD,1\n");
    assert_true(stated_read(slice_of(text, n), each, &seen, &fault));
    assert_int_equal(seen.rows, STATED_ROWS_MAX);
    (void)snprintf(text + n, sizeof text - n, "2026-02-28,a,USD,1\n");
    refused(text, STATED_ROWS_MAX + 2, "too many rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_may_stand_in_any_order_among_others),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(a_reader_that_has_enough_ends_it),
        cmocka_unit_test(a_file_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
