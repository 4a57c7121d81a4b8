#include "audit/money.h"

#include "tests/unit/unit.h"

static amount_t parsed(const char *text, unsigned digits)
{
    amount_t out = 0;
    assert_ok(amount_parse(slice_str(text), digits, &out));
    return out;
}

static void refused(const char *text, unsigned digits)
{
    amount_t out = 77;
    assert_true(err_failed(amount_parse(slice_str(text), digits, &out)));
    assert_true(out == 77);
}

static void amounts_have_their_currencys_digits(void **state)
{
    (void)state;
    char out[AMOUNT_TEXT_SIZE];
    assert_string_equal(amount_plain(123450, 2, out), "1234.50");
    assert_string_equal(amount_shown(123450, 2, out), "1,234.50");
    assert_string_equal(amount_shown(-5, 2, out), "-0.05");
    assert_string_equal(amount_shown(0, 2, out), "0.00");
    assert_string_equal(amount_shown(0, 0, out), "0");
    assert_string_equal(amount_shown(1234567, 0, out), "1,234,567");
    assert_string_equal(amount_shown(-999, 0, out), "-999");
    assert_string_equal(amount_shown(1234567, 3, out), "1,234.567");
    assert_string_equal(amount_plain(-1, 4, out), "-0.0001");
}

static void the_largest_and_the_least_are_shown_whole(void **state)
{
    (void)state;
    char out[AMOUNT_TEXT_SIZE];
    amount_t most = (amount_t)(((unsigned __int128)1 << 127) - 1);
    assert_string_equal(amount_plain(INT64_MIN, 2, out), "-92233720368547758.08");
    assert_string_equal(amount_shown(most, 0, out),
                        "170,141,183,460,469,231,731,687,303,715,884,105,727");
    assert_string_equal(amount_shown(-most - 1, 4, out),
                        "-17,014,118,346,046,923,173,168,730,371,588,410.5728");
}

static void text_becomes_minor_units(void **state)
{
    (void)state;
    assert_true(parsed("1234.5", 2) == 123450);
    assert_true(parsed("1,234.50", 2) == 123450);
    assert_true(parsed("-0.05", 2) == -5);
    assert_true(parsed("7", 3) == 7000);
    assert_true(parsed("7.000", 0) == 7);
    assert_true(parsed("12.3400", 2) == 1234);
    assert_true(parsed("0", 0) == 0);
}

static void what_is_no_amount_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",   "-",  ".",  "1.",  ".5",  "1.234", "1,23", "1,,234", ",123", "1234,567",
        "+1", " 1", "1 ", "1e3", "--1", "1.2.3", "12a",  "1,234,", "0x10", "1.2,3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i], 2);
    refused("0.1", 0);
    refused("1234567890123456789012345678901", 0);
    assert_int_equal(amount_parse(SLICE("1234567890123456789012345678901"), 0, &(amount_t){0}).code,
                     ERR_LIMIT);
}

static void text_and_back_is_the_same(void **state)
{
    (void)state;
    char out[AMOUNT_TEXT_SIZE];
    amount_t value = 1;
    for (unsigned i = 0; i < 80; i++) {
        for (unsigned digits = 0; digits <= AMOUNT_DIGITS_MAX; digits++) {
            assert_true(parsed(amount_plain(value, digits, out), digits) == value);
            assert_true(parsed(amount_shown(-value, digits, out), digits) == -value);
        }
        value = value * 3 % 1000000000000000000LL + i;
    }
}

static void whole_numbers_are_read_as_postgresql_prints_them(void **state)
{
    (void)state;
    amount_t out = 0;
    char text[AMOUNT_TEXT_SIZE];
    assert_ok(amount_parse_whole(SLICE("-92233720368547758089"), &out));
    assert_string_equal(amount_plain(out, 0, text), "-92233720368547758089");
    assert_true(err_failed(amount_parse_whole(SLICE(""), &out)));
    assert_true(err_failed(amount_parse_whole(SLICE("-"), &out)));
    assert_true(err_failed(amount_parse_whole(SLICE("1.0"), &out)));
    assert_true(err_failed(amount_parse_whole(SLICE("NaN"), &out)));
}

static void a_sum_says_when_it_does_not_fit(void **state)
{
    (void)state;
    amount_t most = (amount_t)(((unsigned __int128)1 << 127) - 1);
    amount_t sum = most - 1;
    assert_true(amount_add(&sum, 1));
    assert_true(sum == most);
    assert_false(amount_add(&sum, 1));
    assert_true(sum == most);
    assert_true(amount_add(&sum, -most));
    assert_true(sum == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_their_currencys_digits),
        cmocka_unit_test(the_largest_and_the_least_are_shown_whole),
        cmocka_unit_test(text_becomes_minor_units),
        cmocka_unit_test(what_is_no_amount_is_refused),
        cmocka_unit_test(text_and_back_is_the_same),
        cmocka_unit_test(whole_numbers_are_read_as_postgresql_prints_them),
        cmocka_unit_test(a_sum_says_when_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
