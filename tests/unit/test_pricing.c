#include "domain/pricing.h"

#include "tests/unit/prng.h"
#include "tests/unit/slow.h"
#include "tests/unit/unit.h"

static const struct pricing_terms usd_pkr = {
    .ccy_dst = CCY_PKR,
    .mid = {2779612000000},
    .margin_bps = 50,
    .fee = {.fixed_minor = 25, .bps = 20, .min_minor = 50, .max_minor = 500},
};

static void a_payout_of_a_hundred_dollars(void **state)
{
    (void)state;
    struct pricing p;
    assert_int_equal(pricing_compute(money_of(10000, CCY_USD), &usd_pkr, &p), REASON_NONE);
    assert_true(money_equal(p.gross, money_of(10000, CCY_USD)));
    assert_true(money_equal(p.fee, money_of(50, CCY_USD)));
    assert_true(money_equal(p.converted_source, money_of(9950, CCY_USD)));
    assert_true(
        money_equal(p.mid_value, money_of(2765714, CCY_PKR))); /* 99.50 × 277.9612 = 27657.1394 */
    assert_true(money_equal(p.margin, money_of(13828, CCY_PKR))); /* 138.2857: down */
    assert_true(money_equal(p.net, money_of(2751886, CCY_PKR)));
    assert_true(p.our_rate.e10 == 2765713940000);
    assert_true(pricing_is_consistent(&p));
}

static void what_cannot_be_priced_is_refused(void **state)
{
    (void)state;
    struct pricing p = {.margin_bps = 77};
    struct pricing_terms t = usd_pkr;
    assert_int_equal(pricing_compute(money_of(0, CCY_USD), &t, &p), REASON_AMOUNT_ZERO);
    assert_int_equal(pricing_compute(money_of(-1, CCY_USD), &t, &p), REASON_AMOUNT_NEGATIVE);
    assert_int_equal(pricing_compute(money_of(INT64_MIN, CCY_USD), &t, &p), REASON_AMOUNT_NEGATIVE);
    assert_int_equal(pricing_compute(money_of(1, 999), &t, &p), REASON_CURRENCY_UNKNOWN);
    assert_int_equal(pricing_compute(money_of(50, CCY_USD), &t, &p), REASON_AMOUNT_BELOW_FEE);
    assert_int_equal(pricing_compute(money_of(51, CCY_USD), &t, &p), REASON_NONE);
    p.margin_bps = 77;
    assert_int_equal(pricing_compute(money_of(INT64_MAX, CCY_USD), &t, &p), REASON_AMOUNT_OVERFLOW);
    t.ccy_dst = 999;
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_CURRENCY_UNKNOWN);
    t = usd_pkr;
    t.mid.e10 = 0;
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_RATE_MISSING);
    t.mid.e10 = 1; /* worth less than half a paisa */
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_AMOUNT_BELOW_FEE);
    t = usd_pkr;
    t.margin_bps = 10000;
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_FIELD_INVALID);
    t.margin_bps = -1;
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_FIELD_INVALID);
    t = usd_pkr;
    t.fee.bps = -1;
    assert_int_equal(pricing_compute(money_of(100, CCY_USD), &t, &p), REASON_FIELD_INVALID);
    assert_int_equal(p.margin_bps, 77);
}

static void without_exchange_there_is_no_margin(void **state)
{
    (void)state;
    struct pricing_terms t = usd_pkr;
    struct pricing p;
    t.mid.e10 = 0;
    assert_int_equal(pricing_compute(money_of(100000, CCY_PKR), &t, &p), REASON_NONE);
    assert_true(p.mid.e10 == RATE_ONE && p.our_rate.e10 == RATE_ONE && p.margin_bps == 0);
    assert_true(money_equal(p.net, money_of(100000 - 225, CCY_PKR)));
    assert_int_equal(p.margin.minor, 0);
    assert_true(pricing_is_consistent(&p));
}

static const uint16_t *some_currencies(size_t *n)
{
    static const uint16_t numbers[] = {CCY_PKR, CCY_USD, 392 /* JPY */, 414 /* KWD */,
                                       990 /* CLF */};
    *n = sizeof numbers / sizeof numbers[0];
    return numbers;
}

/* Every part again from the formula in pricing.h, in decimal digits. */
static void check_formula(const struct pricing *p)
{
    int64_t value = 0;
    unsigned shift = (unsigned)(RATE_DIGITS - ccy_by_number(p->net.ccy)->digits +
                                ccy_by_number(p->gross.ccy)->digits);
    assert_true(p->gross.minor == p->fee.minor + p->converted_source.minor);
    assert_true(
        slow_mul_shift(p->converted_source.minor, p->mid.e10, shift, ROUND_HALF_EVEN, &value));
    assert_true(value == p->mid_value.minor);
    assert_true(slow_mul_shift(p->mid_value.minor, p->margin_bps, 4, ROUND_DOWN, &value));
    assert_true(value == p->margin.minor);
    assert_true(p->mid_value.minor == p->margin.minor + p->net.minor);
    assert_true(slow_mul_shift(p->mid.e10, 10000 - p->margin_bps, 4, ROUND_HALF_EVEN, &value));
    assert_true(value == p->our_rate.e10);
    assert_true(p->net.minor > 0 && p->margin.minor >= 0 && p->fee.minor >= 0 &&
                p->converted_source.minor > 0);
    assert_true(pricing_is_consistent(p));
}

static void nothing_is_lost_or_made_at_any_extreme(void **state)
{
    (void)state;
    struct prng prng = {16};
    size_t n_ccy = 0;
    const uint16_t *ccys = some_currencies(&n_ccy);
    int priced = 0;
    int overflowed = 0;
    for (int i = 0; i < 60000; i++) {
        struct pricing_terms t = {
            .ccy_dst = ccys[prng_next(&prng) % n_ccy],
            .mid = {prng_any_positive(&prng) | 1},
            .margin_bps = (int32_t)prng_between(&prng, 0, PRICING_MARGIN_BPS_MAX),
            .fee = {prng_between(&prng, 0, 100), (int32_t)prng_between(&prng, 0, 300),
                    prng_between(&prng, 0, 50), 0},
        };
        struct pricing p;
        reason_t reason = pricing_compute(
            money_of(prng_any_positive(&prng) | 1, ccys[prng_next(&prng) % n_ccy]), &t, &p);
        priced += reason == REASON_NONE;
        overflowed += reason == REASON_AMOUNT_OVERFLOW;
        if (reason == REASON_NONE)
            check_formula(&p);
        else
            assert_true(reason == REASON_AMOUNT_OVERFLOW || reason == REASON_AMOUNT_BELOW_FEE);
    }
    assert_true(priced > 10000 && overflowed > 1000);
}

static void a_changed_number_is_noticed(void **state)
{
    (void)state;
    struct pricing good;
    assert_int_equal(pricing_compute(money_of(123456, CCY_USD), &usd_pkr, &good), REASON_NONE);
    int64_t *numbers[] = {&good.gross.minor,     &good.fee.minor,    &good.converted_source.minor,
                          &good.mid_value.minor, &good.margin.minor, &good.net.minor,
                          &good.mid.e10,         &good.our_rate.e10};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *numbers[i] += 1000000; /* a small change of mid may round to the same paisa */
        assert_false(pricing_is_consistent(&good));
        *numbers[i] -= 1000000;
        assert_true(pricing_is_consistent(&good));
    }
    good.margin_bps++;
    assert_false(pricing_is_consistent(&good));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payout_of_a_hundred_dollars),
        cmocka_unit_test(what_cannot_be_priced_is_refused),
        cmocka_unit_test(without_exchange_there_is_no_margin),
        cmocka_unit_test(nothing_is_lost_or_made_at_any_extreme),
        cmocka_unit_test(a_changed_number_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
