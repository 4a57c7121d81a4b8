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

/* What has come back of each line so far: within the line, never beyond it. */
static void add_part(const struct journal *accepted, const struct journal *part,
                     int64_t so_far[JOURNAL_LINES_MAX])
{
    for (size_t i = 0; i < part->n; i++) {
        size_t k = 0;
        while (accepted->lines[k].account != part->lines[i].account)
            k++;
        assert_true(k < accepted->n && accepted->lines[k].ccy == part->lines[i].ccy);
        so_far[k] -= part->lines[i].minor;
    }
    for (size_t k = 0; k < accepted->n; k++) {
        const int64_t line = accepted->lines[k].minor;
        assert_true(line > 0 ? 0 <= so_far[k] && so_far[k] <= line
                             : line <= so_far[k] && so_far[k] <= 0);
    }
}

static void a_payout_that_comes_back_in_parts_is_exactly_undone(void **state)
{
    (void)state;
    static const uint16_t ccys[] = {CCY_USD, 392, 414, CCY_PKR, CCY_EUR};
    struct prng prng = {7};
    int returned_whole = 0, parts = 0;
    for (int i = 0; i < 20000; i++) {
        struct pricing_terms t = {
            .ccy_dst = CCY_PKR,
            .mid = {prng_between(&prng, 1, 1000000000000000LL)},
            .margin_bps = (int32_t)prng_between(&prng, 0, PRICING_MARGIN_BPS_MAX),
            .fee = {prng_between(&prng, 0, 3), (int32_t)prng_between(&prng, 0, 9000), 0, 0},
        };
        struct pricing p;
        struct journal accepted, part;
        int64_t so_far[JOURNAL_LINES_MAX] = {0}, back = 0;
        /* small ones often: there every unit is rounded */
        const int64_t gross = i % 2 == 0 ? prng_between(&prng, 1, 60) : prng_any_positive(&prng);
        if (pricing_compute(money_of(gross | 1, ccys[prng_next(&prng) % 5]), &t, &p) != REASON_NONE)
            continue;
        journal_payout(&p, &accounts, &accepted);
        while (back < p.net.minor) {
            const int64_t left = p.net.minor - back;
            const int64_t amount =
                prng_next(&prng) % 8 == 0 ? left : prng_between(&prng, 1, left / 3 + 1);
            journal_return_part(accepted.lines, accepted.n, accounts.payable_bank_dst, back,
                                back + amount, &part);
            assert_true(journal_is_balanced(part.lines, part.n));
            assert_line(&part, part.n - 1, accounts.payable_bank_dst, CCY_PKR, amount);
            add_part(&accepted, &part, so_far);
            back += amount;
            parts++;
            /* Nobody has the whole of his money back while some of it is not. */
            assert_true(back == p.net.minor || so_far[0] < accepted.lines[0].minor);
        }
        for (size_t k = 0; k < accepted.n; k++)
            assert_true(so_far[k] == accepted.lines[k].minor);
        returned_whole++;
    }
    assert_true(returned_whole > 5000 && parts > 5 * returned_whole);
}

static void a_part_is_rounded_towards_zero_and_the_last_line_takes_the_rest(void **state)
{
    (void)state;
    /* Half of it: 5 / 2 is 2 and 3 / 2 is 1; what is left of the currency is 1. */
    const struct journal_line lines[] = {{1, CCY_USD, 5},   {2, CCY_USD, -3}, {3, CCY_USD, -2},
                                         {4, CCY_PKR, 103}, {5, CCY_PKR, -3}, {6, CCY_PKR, -100}};
    struct journal j;
    journal_return_part(lines, 6, 6, 0, 50, &j);
    assert_int_equal(j.n, 6);
    assert_line(&j, 0, 1, CCY_USD, -2);
    assert_line(&j, 1, 2, CCY_USD, 1);
    assert_line(&j, 2, 3, CCY_USD, 1);
    assert_line(&j, 3, 4, CCY_PKR, -51); /* 51.5 */
    assert_line(&j, 4, 5, CCY_PKR, 1);
    assert_line(&j, 5, 6, CCY_PKR, 50);
    journal_return_part(lines, 6, 6, 50, 100, &j);
    assert_line(&j, 0, 1, CCY_USD, -3);
    assert_line(&j, 1, 2, CCY_USD, 2);
    assert_line(&j, 2, 3, CCY_USD, 1);
    assert_line(&j, 3, 4, CCY_PKR, -52);
    assert_line(&j, 4, 5, CCY_PKR, 2);
    assert_line(&j, 5, 6, CCY_PKR, 50);
}

static void what_a_bank_keeps_of_a_return_is_a_charge(void **state)
{
    (void)state;
    struct journal j;
    journal_unsettle_part(money_of(100, CCY_PKR), money_of(15, CCY_PKR), 6, 8, 9, &j);
    assert_int_equal(j.n, 3);
    assert_line(&j, 0, 6, CCY_PKR, -100);
    assert_line(&j, 1, 8, CCY_PKR, 85);
    assert_line(&j, 2, 9, CCY_PKR, 15);
    journal_unsettle_part(money_of(100, CCY_PKR), money_of(0, CCY_PKR), 6, 8, 0, &j);
    assert_int_equal(j.n, 2);
    journal_unsettle_part(money_of(100, CCY_PKR), money_of(100, CCY_PKR), 6, 8, 9, &j);
    assert_int_equal(j.n, 2);
    assert_line(&j, 1, 9, CCY_PKR, 100);
}

static void what_is_set_aside_is_undone_by_its_reversal(void **state)
{
    struct journal j, back;
    (void)state;
    journal_set_aside(money_of(5000, CCY_USD), 1, 11, &j);
    assert_int_equal(j.n, 2);
    assert_line(&j, 0, 1, CCY_USD, 5000);
    assert_line(&j, 1, 11, CCY_USD, -5000);
    assert_int_equal(journal_reverse(j.lines, j.n, &back), REASON_NONE);
    assert_line(&back, 0, 1, CCY_USD, -5000);
    assert_line(&back, 1, 11, CCY_USD, 5000);
}

static void funding_moves_the_positions_and_no_float(void **state)
{
    (void)state;
    struct journal j;
    journal_fund(money_of(277961, CCY_PKR), money_of(1000, CCY_USD), 8, 4, 3, 10, &j);
    assert_int_equal(j.n, 4);
    assert_line(&j, 0, 8, CCY_PKR, 277961);
    assert_line(&j, 1, 4, CCY_PKR, -277961);
    assert_line(&j, 2, 3, CCY_USD, 1000);
    assert_line(&j, 3, 10, CCY_USD, -1000);
    journal_fund(money_of(50, CCY_PKR), money_of(50, CCY_PKR), 8, 4, 4, 10, &j);
    assert_int_equal(j.n, 2);
    assert_line(&j, 1, 10, CCY_PKR, -50);
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
        cmocka_unit_test(what_is_set_aside_is_undone_by_its_reversal),
        cmocka_unit_test(a_payout_has_six_lines),
        cmocka_unit_test(lines_of_zero_are_left_out),
        cmocka_unit_test(deposit_and_settlement_move_one_amount),
        cmocka_unit_test(every_payout_journal_is_zero_and_undone_by_its_reversal),
        cmocka_unit_test(a_payout_that_comes_back_in_parts_is_exactly_undone),
        cmocka_unit_test(a_part_is_rounded_towards_zero_and_the_last_line_takes_the_rest),
        cmocka_unit_test(what_a_bank_keeps_of_a_return_is_a_charge),
        cmocka_unit_test(funding_moves_the_positions_and_no_float),
        cmocka_unit_test(balance_is_by_currency_and_in_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
