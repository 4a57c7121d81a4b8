#include "domain/fx.h"

#include "tests/unit/prng.h"
#include "tests/unit/slow.h"
#include "tests/unit/unit.h"

static const enum rounding modes[] = {ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_UP};

static const struct ccy *any_ccy(struct prng *prng)
{
    /* One of each number of digits is enough. */
    static const char *const codes[] = {"JPY", "PKR", "USD", "KWD", "CLF"};
    return ccy_by_alpha(slice_str(codes[prng_next(prng) % 5]));
}

static void a_known_conversion_is_right(void **state)
{
    (void)state;
    money_t out;
    rate_t usd_pkr = {2779612000000};
    assert_int_equal(fx_convert(money_of(10000, CCY_USD), usd_pkr, CCY_PKR, ROUND_HALF_EVEN, &out),
                     REASON_NONE);
    assert_true(money_equal(out, money_of(2779612, CCY_PKR)));
    uint16_t jpy = ccy_by_alpha(SLICE("JPY"))->number;
    uint16_t kwd = ccy_by_alpha(SLICE("KWD"))->number;
    rate_t jpy_kwd = {20000000}; /* 0.002 */
    assert_int_equal(fx_convert(money_of(1000, jpy), jpy_kwd, kwd, ROUND_HALF_EVEN, &out),
                     REASON_NONE);
    assert_true(money_equal(out, money_of(2000, kwd))); /* 2.000 */
    rate_t kwd_jpy = {5000000000000};                   /* 500 */
    assert_int_equal(fx_convert(money_of(2001, kwd), kwd_jpy, jpy, ROUND_HALF_EVEN, &out),
                     REASON_NONE);
    assert_true(money_equal(out, money_of(1000, jpy))); /* 1000.5: to even */
    assert_int_equal(fx_convert(money_of(2001, kwd), kwd_jpy, jpy, ROUND_UP, &out), REASON_NONE);
    assert_true(money_equal(out, money_of(1001, jpy)));
}

static void every_conversion_is_what_schoolbook_digits_say(void **state)
{
    (void)state;
    struct prng prng = {12};
    int refused = 0;
    for (int i = 0; i < 60000; i++) {
        const struct ccy *from = any_ccy(&prng);
        const struct ccy *to = any_ccy(&prng);
        enum rounding mode = modes[prng_next(&prng) % 4];
        money_t in = money_of(prng_any(&prng), from->number);
        rate_t rate = {prng_any_positive(&prng) | 1};
        money_t out = money_of(77, 1);
        int64_t slow = 0;
        bool fits = slow_mul_shift(
            in.minor, rate.e10, (unsigned)(RATE_DIGITS - to->digits + from->digits), mode, &slow);
        reason_t reason = fx_convert(in, rate, to->number, mode, &out);
        assert_int_equal(reason, fits ? REASON_NONE : REASON_AMOUNT_OVERFLOW);
        refused += !fits;
        if (fits)
            assert_true(money_equal(out, money_of(slow, to->number)));
        else
            assert_true(money_equal(out, money_of(77, 1)));
    }
    assert_true(refused > 1000);
}

static void a_conversion_keeps_its_sign_and_its_size(void **state)
{
    (void)state;
    struct prng prng = {13};
    for (int i = 0; i < 20000; i++) {
        enum rounding mode = modes[i % 4];
        money_t in = money_of(prng_any_positive(&prng), CCY_USD);
        rate_t rate = {prng_any_positive(&prng) | 1};
        money_t there;
        money_t opposite;
        if (fx_convert(in, rate, CCY_PKR, mode, &there) != REASON_NONE)
            continue;
        assert_true(there.minor >= 0);
        assert_int_equal(fx_convert(money_of(-in.minor, CCY_USD), rate, CCY_PKR, mode, &opposite),
                         REASON_NONE);
        assert_true(opposite.minor == -there.minor);
        assert_int_equal(fx_convert(in, (rate_t){RATE_ONE}, CCY_PKR, mode, &there), REASON_NONE);
        assert_true(there.minor == in.minor);
    }
}

static void splitting_an_amount_loses_less_than_one_unit_a_part(void **state)
{
    (void)state;
    struct prng prng = {14};
    for (int i = 0; i < 20000; i++) {
        int64_t whole = prng_between(&prng, 2, 1000000000000);
        int64_t part = prng_between(&prng, 1, whole - 1);
        rate_t rate = {prng_between(&prng, 1, 10000000000000)};
        money_t a;
        money_t b;
        money_t c;
        assert_int_equal(fx_convert(money_of(whole, CCY_USD), rate, CCY_PKR, ROUND_DOWN, &c),
                         REASON_NONE);
        assert_int_equal(fx_convert(money_of(part, CCY_USD), rate, CCY_PKR, ROUND_DOWN, &a),
                         REASON_NONE);
        assert_int_equal(fx_convert(money_of(whole - part, CCY_USD), rate, CCY_PKR, ROUND_DOWN, &b),
                         REASON_NONE);
        assert_in_range(c.minor - a.minor - b.minor, 0, 1); /* never money out of nothing */
    }
}

static void what_cannot_be_converted_is_refused(void **state)
{
    (void)state;
    money_t out;
    assert_int_equal(fx_convert(money_of(1, 999), (rate_t){1}, CCY_PKR, ROUND_DOWN, &out),
                     REASON_CURRENCY_UNKNOWN);
    assert_int_equal(fx_convert(money_of(1, CCY_USD), (rate_t){1}, 999, ROUND_DOWN, &out),
                     REASON_CURRENCY_UNKNOWN);
    assert_int_equal(fx_convert(money_of(1, CCY_USD), (rate_t){0}, CCY_PKR, ROUND_DOWN, &out),
                     REASON_RATE_INVALID);
    assert_int_equal(fx_convert(money_of(1, CCY_USD), (rate_t){-1}, CCY_PKR, ROUND_DOWN, &out),
                     REASON_RATE_INVALID);
    assert_int_equal(
        fx_convert(money_of(INT64_MIN, CCY_USD), (rate_t){INT64_MAX}, CCY_PKR, ROUND_DOWN, &out),
        REASON_AMOUNT_OVERFLOW);
    assert_int_equal(
        fx_convert(money_of(INT64_MIN, CCY_USD), (rate_t){RATE_ONE}, CCY_PKR, ROUND_DOWN, &out),
        REASON_NONE);
    assert_true(out.minor == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_conversion_is_right),
        cmocka_unit_test(every_conversion_is_what_schoolbook_digits_say),
        cmocka_unit_test(a_conversion_keeps_its_sign_and_its_size),
        cmocka_unit_test(splitting_an_amount_loses_less_than_one_unit_a_part),
        cmocka_unit_test(what_cannot_be_converted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
