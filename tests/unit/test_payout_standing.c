#include "domain/payout_standing.h"

#include "domain/journal.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static const struct pricing_terms usd_pkr = {
    .ccy_dst = CCY_PKR,
    .mid = {2779612000000},
    .margin_bps = 150,
    .fee = {.fixed_minor = 25, .bps = 20, .min_minor = 50, .max_minor = 500},
};

static void what_never_came_back_stands_as_it_was_priced(void **state)
{
    (void)state;
    struct pricing p;
    struct payout_standing s;

    assert_int_equal(pricing_compute(money_of(100000, CCY_USD), &usd_pkr, &p), REASON_NONE);
    payout_standing(&p, 0, &s);
    assert_true(money_equal(s.gross, p.gross) && money_equal(s.fee, p.fee));
    assert_true(money_equal(s.converted, p.converted_source));
    assert_true(money_equal(s.mid_value, p.mid_value) && money_equal(s.margin, p.margin));
    assert_true(money_equal(s.net, p.net));
}

/* The numbers of journals 14 and 15 of docs/accounting.md: USD 1,000.00, of which PKR 100,000.00 came back. */
static void a_part_is_the_one_that_the_accounting_page_has(void **state)
{
    (void)state;
    struct pricing_terms t = usd_pkr;
    struct pricing p;
    struct payout_standing s;

    t.fee = (struct fee_schedule){0, 50, 50, 0};
    assert_int_equal(pricing_compute(money_of(100000, CCY_USD), &t, &p), REASON_NONE);
    payout_standing(&p, 10000000, &s);
    assert_int_equal(s.gross.minor, 100000 - 36707);
    assert_int_equal(s.fee.minor, 500 - 183);
    assert_int_equal(s.converted.minor, 99500 - 36524);
    assert_int_equal(s.mid_value.minor, 27657139 - 10152284);
    assert_int_equal(s.margin.minor, 414857 - 152284);
    assert_int_equal(s.net.minor, 27242282 - 10000000);
}

static void what_stands_adds_up_and_nothing_of_it_is_below_zero(void **state)
{
    (void)state;
    static const uint16_t ccys[] = {CCY_PKR, CCY_USD, 392, 414};
    struct prng prng = {77};

    for (int i = 0; i < 200000; i++) {
        struct pricing_terms t = usd_pkr;
        struct pricing p;
        struct payout_standing s;
        uint16_t ccy = ccys[prng_next(&prng) % 4];

        t.margin_bps = (int32_t)(prng_next(&prng) % 3 == 0 ? 0 : prng_next(&prng) % 10000);
        if (prng_next(&prng) % 4 == 0)
            t.fee = (struct fee_schedule){0, 0, 0, 0};
        if (pricing_compute(money_of((int64_t)(prng_next(&prng) % 1000000) + 1, ccy), &t, &p) !=
            REASON_NONE)
            continue;
        payout_standing(&p, (int64_t)(prng_next(&prng) % ((uint64_t)p.net.minor + 1)), &s);
        assert_int_equal(s.gross.minor, s.fee.minor + s.converted.minor);
        assert_int_equal(s.mid_value.minor, s.margin.minor + s.net.minor);
        assert_true(s.gross.minor >= 0 && s.fee.minor >= 0 && s.converted.minor >= 0);
        assert_true(s.mid_value.minor >= 0 && s.margin.minor >= 0 && s.net.minor >= 0);
        assert_true(s.gross.minor <= p.gross.minor && s.fee.minor <= p.fee.minor);
        payout_standing(&p, p.net.minor, &s);
        assert_true(s.gross.minor == 0 && s.fee.minor == 0 && s.converted.minor == 0);
        assert_true(s.mid_value.minor == 0 && s.margin.minor == 0 && s.net.minor == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_came_back_stands_as_it_was_priced),
        cmocka_unit_test(a_part_is_the_one_that_the_accounting_page_has),
        cmocka_unit_test(what_stands_adds_up_and_nothing_of_it_is_below_zero),
    };
    return cmocka_run_group_tests_name("payout_standing", tests, NULL, NULL);
}
