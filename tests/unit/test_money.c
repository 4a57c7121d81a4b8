#include "domain/money.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#define USD(minor) money_of((minor), CCY_USD)
#define PKR(minor) money_of((minor), CCY_PKR)

static void add_refuses_overflow(void **state)
{
    (void)state;
    money_t out = USD(77);
    assert_int_equal(money_add(USD(INT64_MAX), USD(1), &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(money_add(USD(INT64_MIN), USD(-1), &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(money_sub(USD(INT64_MIN), USD(1), &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(money_sub(USD(0), USD(INT64_MIN), &out), REASON_AMOUNT_OVERFLOW);
    assert_int_equal(money_neg(USD(INT64_MIN), &out), REASON_AMOUNT_OVERFLOW);
    assert_true(money_equal(out, USD(77)));
}

static void currencies_do_not_mix(void **state)
{
    (void)state;
    money_t out = USD(77);
    int order = 7;
    assert_int_equal(money_add(USD(1), PKR(1), &out), REASON_CURRENCY_MISMATCH);
    assert_int_equal(money_sub(USD(1), PKR(1), &out), REASON_CURRENCY_MISMATCH);
    assert_int_equal(money_compare(USD(1), PKR(1), &order), REASON_CURRENCY_MISMATCH);
    assert_true(money_equal(out, USD(77)));
    assert_int_equal(order, 7);
    assert_false(money_equal(USD(1), PKR(1)));
}

static void subtraction_undoes_addition(void **state)
{
    (void)state;
    struct prng prng = {8};
    int refused = 0;
    for (int i = 0; i < 100000; i++) {
        money_t a = USD(prng_any(&prng));
        money_t b = USD(prng_any(&prng));
        money_t sum;
        money_t back;
        int128_t wide = (int128_t)a.minor + b.minor;
        reason_t reason = money_add(a, b, &sum);
        assert_int_equal(reason, wide == (int64_t)wide ? REASON_NONE : REASON_AMOUNT_OVERFLOW);
        refused += reason != REASON_NONE;
        if (reason == REASON_NONE) {
            assert_true(sum.minor == (int64_t)wide);
            assert_int_equal(money_sub(sum, b, &back), REASON_NONE);
            assert_true(money_equal(back, a));
        }
    }
    assert_true(refused > 100);
}

static void positive_means_above_zero_in_a_known_currency(void **state)
{
    (void)state;
    assert_int_equal(money_check_positive(USD(1)), REASON_NONE);
    assert_int_equal(money_check_positive(USD(0)), REASON_AMOUNT_ZERO);
    assert_int_equal(money_check_positive(USD(-1)), REASON_AMOUNT_NEGATIVE);
    assert_int_equal(money_check_positive(money_of(1, 999)), REASON_CURRENCY_UNKNOWN);
    int order = 0;
    assert_int_equal(money_compare(USD(INT64_MIN), USD(INT64_MAX), &order), REASON_NONE);
    assert_int_equal(order, -1);
    assert_int_equal(money_compare(USD(2), USD(1), &order), REASON_NONE);
    assert_int_equal(order, 1);
}

static void each_currency_has_its_own_digits(void **state)
{
    (void)state;
    money_t out;
    char text[MONEY_TEXT_SIZE];
    uint16_t jpy = ccy_by_alpha(SLICE("JPY"))->number;
    uint16_t kwd = ccy_by_alpha(SLICE("KWD"))->number;
    assert_int_equal(money_parse(SLICE("12.5"), CCY_PKR, &out), REASON_NONE);
    assert_int_equal(out.minor, 1250);
    assert_int_equal(money_parse(SLICE("12"), jpy, &out), REASON_NONE);
    assert_int_equal(out.minor, 12);
    assert_int_equal(money_parse(SLICE("12.5"), jpy, &out), REASON_AMOUNT_INVALID);
    assert_int_equal(money_parse(SLICE("0.125"), kwd, &out), REASON_NONE);
    assert_int_equal(out.minor, 125);
    assert_int_equal(money_parse(SLICE("0.125"), CCY_USD, &out), REASON_AMOUNT_INVALID);
    assert_int_equal(money_parse(SLICE("1"), 999, &out), REASON_CURRENCY_UNKNOWN);
    assert_string_equal(money_format(PKR(123456789), MONEY_CODE_THOUSANDS, text),
                        "PKR 1,234,567.89");
    assert_string_equal(money_format(PKR(-5), MONEY_PLAIN, text), "-0.05");
    assert_string_equal(money_format(money_of(1234, jpy), MONEY_THOUSANDS, text), "1,234");
    assert_string_equal(money_format(money_of(1234, kwd), MONEY_CODE, text), "KWD 1.234");
    assert_string_equal(money_format(money_of(INT64_MIN, kwd), MONEY_CODE_THOUSANDS, text),
                        "KWD -9,223,372,036,854,775.808");
    assert_string_equal(money_format(money_of(7, 999), MONEY_CODE, text), "??? 7");
}

static void parse_undoes_format_in_every_currency(void **state)
{
    (void)state;
    struct prng prng = {9};
    const struct ccy *ccy = NULL;
    for (unsigned c = 0; (ccy = ccy_at(c)) != NULL; c++) {
        for (int i = 0; i < 500; i++) {
            money_t a = money_of(prng_any(&prng), ccy->number);
            money_t back;
            char text[MONEY_TEXT_SIZE];
            assert_int_equal(
                money_parse(slice_str(money_format(a, MONEY_PLAIN, text)), a.ccy, &back),
                REASON_NONE);
            assert_true(money_equal(a, back));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_refuses_overflow),
        cmocka_unit_test(currencies_do_not_mix),
        cmocka_unit_test(subtraction_undoes_addition),
        cmocka_unit_test(positive_means_above_zero_in_a_known_currency),
        cmocka_unit_test(each_currency_has_its_own_digits),
        cmocka_unit_test(parse_undoes_format_in_every_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
