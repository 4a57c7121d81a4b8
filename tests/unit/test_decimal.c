#include "domain/decimal.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static void parse_undoes_format_at_every_scale(void **state)
{
    (void)state;
    struct prng prng = {7};
    for (int i = 0; i < 50000; i++) {
        int64_t value = prng_any(&prng);
        unsigned digits = (unsigned)prng_between(&prng, 0, DECIMAL_DIGITS_MAX);
        char text[DECIMAL_SIZE];
        int64_t back = 0;
        size_t n = decimal_format(value, digits, 0, text);
        assert_int_equal(n, strlen(text));
        assert_int_equal(decimal_parse(slice_str(text), digits, &back), REASON_NONE);
        assert_true(back == value);
        n = decimal_format_short(value, digits, 0, text);
        assert_int_equal(n, strlen(text));
        assert_int_equal(decimal_parse(slice_str(text), digits, &back), REASON_NONE);
        assert_true(back == value);
    }
}

static void the_grammar_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "-",    ".",
        "1.",    ".5",   "+1",
        "1,000", "1e3",  " 1",
        "1 ",    "1..2", "1.2.",
        "--1",   "-.5",  "0x1",
        "nan",   "inf",  "1_000",
        "1.-5",  "٣",    "00000000000000000000000000000000000000000000000000000000000000000"};
    int64_t out = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(decimal_parse(slice_str(bad[i]), 2, &out), REASON_AMOUNT_INVALID);
        assert_int_equal(decimal_parse_round(slice_str(bad[i]), 2, ROUND_DOWN, &out),
                         REASON_AMOUNT_INVALID);
    }
    assert_int_equal(decimal_parse(SLICE("1\0"), 2, &out), REASON_AMOUNT_INVALID);
    assert_int_equal(out, 77);
}

static void decimals_past_the_digits_are_refused_or_rounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t half_even, half_up, down, up;
    } cases[] = {
        {"1.005", 100, 101, 100, 101},      {"1.015", 102, 102, 101, 102},
        {"1.0150001", 102, 102, 101, 102},  {"1.0050001", 101, 101, 100, 101},
        {"-1.005", -100, -101, -100, -101}, {"1.000", 100, 100, 100, 100},
        {"1.0000001", 100, 100, 100, 101},  {"0.999", 100, 100, 99, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice s = slice_str(cases[i].text);
        int64_t out = 0;
        assert_int_equal(decimal_parse(s, 2, &out), REASON_AMOUNT_INVALID);
        assert_int_equal(decimal_parse_round(s, 2, ROUND_HALF_EVEN, &out), REASON_NONE);
        assert_int_equal(out, cases[i].half_even);
        assert_int_equal(decimal_parse_round(s, 2, ROUND_HALF_UP, &out), REASON_NONE);
        assert_int_equal(out, cases[i].half_up);
        assert_int_equal(decimal_parse_round(s, 2, ROUND_DOWN, &out), REASON_NONE);
        assert_int_equal(out, cases[i].down);
        assert_int_equal(decimal_parse_round(s, 2, ROUND_UP, &out), REASON_NONE);
        assert_int_equal(out, cases[i].up);
    }
}

static void the_extremes_fit_and_one_more_does_not(void **state)
{
    (void)state;
    int64_t out = 0;
    assert_int_equal(decimal_parse(SLICE("92233720368547758.07"), 2, &out), REASON_NONE);
    assert_true(out == INT64_MAX);
    assert_int_equal(decimal_parse(SLICE("-92233720368547758.08"), 2, &out), REASON_NONE);
    assert_true(out == INT64_MIN);
    out = 77;
    assert_int_equal(decimal_parse(SLICE("92233720368547758.08"), 2, &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(decimal_parse(SLICE("-92233720368547758.09"), 2, &out),
                     REASON_AMOUNT_OVERFLOW);
    assert_int_equal(decimal_parse(SLICE("10"), 18, &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(decimal_parse(SLICE("184467440737095516.16"), 2, &out),
                     REASON_AMOUNT_OVERFLOW);
    assert_int_equal(decimal_parse_round(SLICE("92233720368547758.075"), 2, ROUND_HALF_UP, &out),
                     REASON_AMOUNT_OVERFLOW);
    assert_int_equal(out, 77);
}

static void thousands_are_set_apart(void **state)
{
    (void)state;
    char out[DECIMAL_SIZE];
    (void)decimal_format(123456789, 2, ',', out);
    assert_string_equal(out, "1,234,567.89");
    (void)decimal_format(-100000, 0, ',', out);
    assert_string_equal(out, "-100,000");
    (void)decimal_format(INT64_MIN, 0, ',', out);
    assert_string_equal(out, "-9,223,372,036,854,775,808");
    (void)decimal_format(-5, 3, ',', out);
    assert_string_equal(out, "-0.005");
    (void)decimal_format_short(2779612000000, 10, 4, out);
    assert_string_equal(out, "277.9612");
    (void)decimal_format_short(10000000000, 10, 4, out);
    assert_string_equal(out, "1.0000");
    (void)decimal_format_short(10000000001, 10, 4, out);
    assert_string_equal(out, "1.0000000001");
    (void)decimal_format_short(10000000000, 10, 0, out);
    assert_string_equal(out, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_undoes_format_at_every_scale),
        cmocka_unit_test(the_grammar_is_strict),
        cmocka_unit_test(decimals_past_the_digits_are_refused_or_rounded),
        cmocka_unit_test(the_extremes_fit_and_one_more_does_not),
        cmocka_unit_test(thousands_are_set_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
