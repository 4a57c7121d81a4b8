#include "domain/journal.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct payout_accounts accounts = {1, 2, 3, 4, 5, 6};

static const struct pricing_terms usd_pkr = {
    .ccy_dst = CCY_PKR,
    .mid = {2779612000000},
    .margin_bps = 50,
    .fee = {.fixed_minor = 25, .bps = 20, .min_minor = 50, .max_minor = 500},
};

static void assert_line(const struct journal *j, size_t i, int32_t account, uint16_t ccy,
                        int64_t minor)
{
    assert_true(i < j->n);
    assert_int_equal(j->lines[i].account, account);
    assert_int_equal(j->lines[i].ccy, ccy);
    assert_true(j->lines[i].minor == minor);
}

static void a_payout_has_six_lines(void **state)
{
    (void)state;
    struct pricing p;
    struct journal j;
    assert_int_equal(pricing_compute(money_of(10000, CCY_USD), &usd_pkr, &p), REASON_NONE);
    journal_payout(&p, &accounts, &j);
    assert_int_equal(j.n, 6);
    assert_line(&j, 0, 1, CCY_USD, 10000);
    assert_line(&j, 1, 2, CCY_USD, -50);
    assert_line(&j, 2, 3, CCY_USD, -9950);
    assert_line(&j, 3, 4, CCY_PKR, 2765714);
    assert_line(&j, 4, 5, CCY_PKR, -13828);
    assert_line(&j, 5, 6, CCY_PKR, -2751886);
}

static void lines_of_zero_are_left_out(void **state)
{
    (void)state;
    struct pricing_terms t = usd_pkr;
    struct pricing p;
    struct journal j;
    t.fee = (struct fee_schedule){0, 0, 0, 0};
    t.margin_bps = 0;
    assert_int_equal(pricing_compute(money_of(10000, CCY_USD), &t, &p), REASON_NONE);
    journal_payout(&p,
                   &(struct payout_accounts){
                       .float_src = 1, .position_src = 3, .position_dst = 4, .payable_bank_dst = 6},
                   &j);
    assert_int_equal(j.n, 4);
    assert_int_equal(pricing_compute(money_of(10000, CCY_PKR), &t, &p), REASON_NONE);
    journal_payout(&p, &(struct payout_accounts){.float_src = 1, .payable_bank_dst = 6}, &j);
    assert_int_equal(j.n, 2);
    assert_line(&j, 0, 1, CCY_PKR, 10000);
    assert_line(&j, 1, 6, CCY_PKR, -10000);
}

static void deposit_and_settlement_move_one_amount(void **state)
{
    (void)state;
    struct journal j;
    journal_deposit(money_of(500, CCY_USD), 9, 1, &j);
    assert_int_equal(j.n, 2);
    assert_line(&j, 0, 9, CCY_USD, 500);
    assert_line(&j, 1, 1, CCY_USD, -500);
    journal_settle(money_of(INT64_MAX, CCY_PKR), 6, 8, &j);
    assert_line(&j, 0, 6, CCY_PKR, INT64_MAX);
    assert_line(&j, 1, 8, CCY_PKR, -INT64_MAX);
}

static void every_payout_journal_is_zero_and_undone_by_its_reversal(void **state)
{
    (void)state;
    struct prng prng = {19};
    static const uint16_t ccys[] = {CCY_PKR, CCY_USD, 392, 414, 990};
    int posted = 0;
    for (int i = 0; i < 50000; i++) {
        struct pricing_terms t = {
            .ccy_dst = ccys[prng_next(&prng) % 5],
            .mid = {prng_any_positive(&prng) | 1},
            .margin_bps = (int32_t)prng_between(&prng, 0, PRICING_MARGIN_BPS_MAX),
            .fee = {prng_between(&prng, 0, 3), (int32_t)prng_between(&prng, 0, 300), 0, 0},
        };
        struct pricing p;
        struct journal j;
        struct journal back;
        if (pricing_compute(money_of(prng_any_positive(&prng) | 1, ccys[prng_next(&prng) % 5]), &t,
                            &p) != REASON_NONE)
            continue;
        posted++;
        journal_payout(&p, &accounts, &j);
        assert_true(journal_is_balanced(j.lines, j.n));
        assert_int_equal(journal_reverse(j.lines, j.n, &back), REASON_NONE);
        assert_true(journal_is_balanced(back.lines, back.n));
        assert_int_equal(back.n, j.n);
        for (size_t k = 0; k < j.n; k++) {
            assert_int_equal(back.lines[k].account, j.lines[k].account);
            assert_int_equal(back.lines[k].ccy, j.lines[k].ccy);
            assert_true(back.lines[k].minor == -j.lines[k].minor && j.lines[k].minor != 0);
        }
        assert_true(j.n >= 2);
        size_t one = prng_next(&prng) % (j.n > 0 ? j.n : 1);
        j.lines[one].minor += j.lines[one].minor > 0 ? -1 : 1;
        assert_false(journal_is_balanced(j.lines, j.n));
        assert_int_equal(journal_reverse(j.lines, j.n, &back), REASON_JOURNAL_UNBALANCED);
    }
    assert_true(posted > 10000);
}

static void balance_is_by_currency_and_in_128_bits(void **state)
{
    (void)state;
    struct journal_line mixed[] = {{1, CCY_USD, 100}, {2, CCY_PKR, -100}};
    assert_false(journal_is_balanced(mixed, 2));
    /* In 64 bits these two would wrap around to zero. */
    struct journal_line wrapping[] = {{1, CCY_USD, INT64_MIN}, {2, CCY_USD, INT64_MIN}};
    assert_false(journal_is_balanced(wrapping, 2));
    struct journal_line extreme[] = {
        {1, CCY_USD, INT64_MIN}, {2, CCY_USD, INT64_MAX}, {3, CCY_USD, 1}};
    assert_true(journal_is_balanced(extreme, 3));
    struct journal back;
    assert_int_equal(journal_reverse(extreme, 3, &back), REASON_AMOUNT_OVERFLOW);
    assert_false(journal_is_balanced(NULL, 0));
    struct journal_line many[JOURNAL_LINES_MAX + 1];
    memset(many, 0, sizeof many);
    assert_false(journal_is_balanced(many, JOURNAL_LINES_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payout_has_six_lines),
        cmocka_unit_test(lines_of_zero_are_left_out),
        cmocka_unit_test(deposit_and_settlement_move_one_amount),
        cmocka_unit_test(every_payout_journal_is_zero_and_undone_by_its_reversal),
        cmocka_unit_test(balance_is_by_currency_and_in_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
