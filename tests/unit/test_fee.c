#include "domain/fee.h"

#include "tests/unit/prng.h"
#include "tests/unit/slow.h"
#include "tests/unit/unit.h"

static int64_t fee_of(int64_t gross, struct fee_schedule schedule)
{
    money_t fee = {0};
    assert_int_equal(fee_compute(money_of(gross, CCY_USD), &schedule, &fee), REASON_NONE);
    assert_int_equal(fee.ccy, CCY_USD);
    return fee.minor;
}

static void the_parts_of_a_schedule_add_up(void **state)
{
    (void)state;
    assert_int_equal(fee_of(10000, (struct fee_schedule){0, 0, 0, 0}), 0);
    assert_int_equal(fee_of(10000, (struct fee_schedule){25, 0, 0, 0}), 25);
    assert_int_equal(fee_of(10000, (struct fee_schedule){25, 50, 0, 0}), 75);
    assert_int_equal(fee_of(10199, (struct fee_schedule){0, 100, 0, 0}), 101); /* 101.99: down */
    assert_int_equal(fee_of(10000, (struct fee_schedule){25, 50, 100, 0}), 100);
    assert_int_equal(fee_of(1000000, (struct fee_schedule){25, 50, 100, 500}), 500);
    assert_int_equal(fee_of(0, (struct fee_schedule){25, 50, 0, 0}), 25);
}

static void a_schedule_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct fee_schedule bad[] = {{-1, 0, 0, 0},       {0, -1, 0, 0}, {0, 10001, 0, 0},
                                              {0, 0, -1, 0},       {0, 0, 0, -1}, {0, 0, 100, 99},
                                              {INT64_MIN, 0, 0, 0}};
    money_t fee;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(fee_compute(money_of(1, CCY_USD), &bad[i], &fee), REASON_FIELD_INVALID);
    struct fee_schedule none = {0, 0, 0, 0};
    assert_int_equal(fee_compute(money_of(-1, CCY_USD), &none, &fee), REASON_AMOUNT_NEGATIVE);
}

static void a_fee_is_what_schoolbook_digits_say(void **state)
{
    (void)state;
    struct prng prng = {15};
    int refused = 0;
    for (int i = 0; i < 50000; i++) {
        struct fee_schedule s = {prng_any_positive(&prng), (int32_t)prng_between(&prng, 0, 10000),
                                 prng_any_positive(&prng), 0};
        s.max_minor = i % 2 == 0 ? 0 : prng_any_positive(&prng);
        if (s.max_minor != 0 && s.max_minor < s.min_minor)
            s.min_minor = s.max_minor;
        int64_t gross = prng_any_positive(&prng);
        int64_t part = 0;
        assert_true(slow_mul_shift(gross, s.bps, 4, ROUND_DOWN, &part));
        int128_t want = (int128_t)s.fixed_minor + part;
        want = want < s.min_minor ? s.min_minor : want;
        want = s.max_minor != 0 && want > s.max_minor ? s.max_minor : want;
        money_t fee = {0};
        reason_t reason = fee_compute(money_of(gross, CCY_PKR), &s, &fee);
        assert_int_equal(reason, want > INT64_MAX ? REASON_AMOUNT_OVERFLOW : REASON_NONE);
        refused += reason != REASON_NONE;
        if (reason == REASON_NONE)
            assert_true(fee.minor == (int64_t)want);
    }
    assert_true(refused > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_schedule_add_up),
        cmocka_unit_test(a_schedule_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_fee_is_what_schoolbook_digits_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
