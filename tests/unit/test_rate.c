#include "domain/rate.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static rate_t rate(const char *text)
{
    rate_t out = {0};
    assert_int_equal(rate_parse(slice_str(text), &out), REASON_NONE);
    return out;
}

static void a_rate_is_a_positive_decimal(void **state)
{
    (void)state;
    rate_t out = {77};
    assert_true(rate("277.9612").e10 == 2779612000000);
    assert_true(rate("0.0000000001").e10 == 1);
    static const char *const bad[] = {
        "0", "0.0000", "-1", "", "1e3", "abc", "0.00000000001", "922337203.6854775808"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(rate_parse(slice_str(bad[i]), &out), REASON_RATE_INVALID);
    assert_int_equal(out.e10, 77);
}

static void parse_undoes_format(void **state)
{
    (void)state;
    struct prng prng = {10};
    for (int i = 0; i < 50000; i++) {
        rate_t a = {prng_any_positive(&prng) | 1};
        char text[RATE_TEXT_SIZE];
        assert_true(rate(rate_format(a, text)).e10 == a.e10);
    }
    char text[RATE_TEXT_SIZE];
    assert_string_equal(rate_format((rate_t){2779612000000}, text), "277.9612");
    assert_string_equal(rate_format((rate_t){RATE_ONE}, text), "1.0000");
    assert_string_equal(rate_format((rate_t){34500000}, text), "0.00345");
}

static void crossing_gives_units_of_b_for_one_a(void **state)
{
    (void)state;
    rate_t out = {0};
    char text[RATE_TEXT_SIZE];
    assert_int_equal(rate_cross(rate("317.9876"), rate("277.9612"), &out),
                     REASON_NONE); /* EUR to USD */
    assert_string_equal(rate_format(out, text), "1.143999954");
    assert_int_equal(rate_cross(rate("1"), rate("3"), &out), REASON_NONE);
    assert_string_equal(rate_format(out, text), "0.3333333333");
    assert_int_equal(rate_cross(rate("2"), rate("3"), &out), REASON_NONE);
    assert_string_equal(rate_format(out, text), "0.6666666667");
    /* ties to even: 1 / 2^11 has eleven decimals, the last a 5 */
    assert_int_equal(rate_cross(rate("1"), rate("2048"), &out), REASON_NONE);
    assert_true(out.e10 == 4882812); /* 4882812.5 */
    assert_int_equal(rate_cross(rate("3"), rate("2048"), &out), REASON_NONE);
    assert_true(out.e10 == 14648438); /* 14648437.5 */
}

static void a_cross_rate_is_the_nearest_or_refused(void **state)
{
    (void)state;
    struct prng prng = {11};
    int refused = 0;
    for (int i = 0; i < 100000; i++) {
        rate_t a = {prng_any_positive(&prng) | 1};
        rate_t b = {prng_any_positive(&prng) | 1};
        rate_t q = {0};
        int128_t scaled = (int128_t)a.e10 * RATE_ONE;
        if (rate_cross(a, b, &q) == REASON_NONE) {
            int128_t rest = scaled - (int128_t)q.e10 * b.e10;
            rest = rest < 0 ? -rest : rest;
            assert_true(2 * rest < b.e10 || (2 * rest == b.e10 && q.e10 % 2 == 0));
            assert_true(q.e10 > 0);
        } else {
            refused++;
            bool too_small = 2 * scaled <= b.e10;
            bool too_large = (scaled + b.e10 / 2) / b.e10 > INT64_MAX;
            assert_true(too_small || too_large);
        }
    }
    assert_true(refused > 100);
    rate_t q = {0};
    assert_int_equal(rate_cross((rate_t){0}, (rate_t){1}, &q), REASON_RATE_INVALID);
    assert_int_equal(rate_cross((rate_t){1}, (rate_t){0}, &q), REASON_RATE_INVALID);
    assert_int_equal(rate_cross((rate_t){-1}, (rate_t){1}, &q), REASON_RATE_INVALID);
    assert_int_equal(rate_cross((rate_t){INT64_MAX}, (rate_t){1}, &q), REASON_RATE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_a_positive_decimal),
        cmocka_unit_test(parse_undoes_format),
        cmocka_unit_test(crossing_gives_units_of_b_for_one_a),
        cmocka_unit_test(a_cross_rate_is_the_nearest_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
