/* What a year adds up to: dollars by each sheet's own rates, the threshold to the cent, sums that do not fit. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the commands are a program, not a library */
#include "cli/statement_sum.c"
#include "tests/unit/unit.h"

const struct command commands[] = {{NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL}};
const struct program program = {"test", "a test", ""};

static struct statement s;
static struct statement_payout rows[8];

static void begin(void)
{
    memset(&s, 0, sizeof s);
    memset(rows, 0, sizeof rows);
    s.year = 2026;
    s.exemption = tax_year_exemption();
    s.n_to = 2;
    s.payouts = rows;
    (void)snprintf(s.to[0].platform, sizeof s.to[0].platform, "upwork");
    (void)snprintf(s.to[1].platform, sizeof s.to[1].platform, "fiverr");
}

static struct statement_payout *pay(unsigned to, int64_t gross, uint16_t ccy, int64_t mid_e10,
                                    int64_t usd_pkr_e10, int64_t at_us)
{
    static const struct fee_schedule no_fee = {0, 0, 0, 0};
    struct pricing_terms terms = {
        .ccy_dst = CCY_PKR, .mid = {mid_e10}, .margin_bps = 100, .fee = no_fee};
    struct statement_payout *p = &rows[s.n_payouts++];

    p->to = &s.to[to];
    p->payout_id = (int64_t)s.n_payouts;
    p->reference = "INV-1";
    p->settled_us = at_us;
    p->returned = money_of(0, CCY_PKR);
    assert_int_equal(pricing_compute(money_of(gross, ccy), &terms, &p->price), REASON_NONE);
    assert_int_equal(statement_complete(p, usd_pkr_e10), REASON_NONE);
    return p;
}

enum { JPY = 392 };
#define USD_RATE 2779612000000
#define EUR_RATE 3179876000000

static void a_cent_decides_whether_the_threshold_is_reached(void **state)
{
    (void)state;
    begin();
    pay(0, 1199999, CCY_USD, USD_RATE, USD_RATE, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    assert_int_equal(statement_exemption(&s), EXEMPTION_NOT_REACHED);
    pay(1, 1, CCY_USD, USD_RATE, USD_RATE, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    assert_int_equal(s.all.usd.minor, 1200000);
    assert_int_equal(statement_exemption(&s), EXEMPTION_REACHED);
}

static void other_currencies_are_worth_dollars_at_their_own_sheets_rates(void **state)
{
    (void)state;
    begin();
    /* 100.00 × 317.9876 / 277.9612 = 114.4000..., 10,000 × 1.7121 / 277.9612 = 61.5949... */
    assert_int_equal(pay(0, 10000, CCY_EUR, EUR_RATE, USD_RATE, 0)->usd.minor, 11440);
    assert_int_equal(pay(0, 10000, JPY, 17121000000, USD_RATE, 0)->usd.minor, 6159);
    assert_false(pay(0, 10000, CCY_PKR, 0, USD_RATE, 0)->has_usd);
}

static void without_a_rate_of_the_dollar_nobody_can_tell_unless_the_rest_is_enough(void **state)
{
    (void)state;
    begin();
    pay(0, 10000, CCY_EUR, EUR_RATE, 0, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    assert_int_equal(s.without_usd, 1);
    assert_int_equal(statement_exemption(&s), EXEMPTION_UNKNOWN);
    pay(0, 1200000, CCY_USD, USD_RATE, 0, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    assert_int_equal(statement_exemption(&s), EXEMPTION_REACHED);
}

/* Rupees from a platform of this country are not foreign earnings. */
static void what_was_earned_in_rupees_is_not_counted_in_dollars(void **state)
{
    (void)state;
    begin();
    pay(0, 10000, CCY_PKR, 0, 0, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    assert_int_equal(s.without_usd, 0);
    assert_int_equal(s.all.net.minor, 10000);
    assert_int_equal(statement_exemption(&s), EXEMPTION_NOT_REACHED);
}

static void payouts_are_in_order_and_platforms_and_currencies_by_the_alphabet(void **state)
{
    (void)state;
    const int64_t july = tax_year_begins_us(2026);

    begin();
    pay(0, 300, CCY_USD, USD_RATE, USD_RATE, july + 5);
    pay(0, 200, CCY_EUR, EUR_RATE, USD_RATE, july + 4);
    pay(1, 100, CCY_USD, USD_RATE, USD_RATE, july + 4);
    pay(0, 400, CCY_USD, USD_RATE, USD_RATE, tax_year_ends_us(2026) - 1);
    assert_true(statement_add_up(&s));
    assert_string_equal(s.payouts[0].to->platform, "fiverr");
    assert_int_equal(s.payouts[1].price.gross.minor, 200);
    assert_int_equal(s.payouts[2].price.gross.minor, 300);
    assert_int_equal(s.n_platforms, 2);
    assert_string_equal(s.platform[0].label, "fiverr");
    assert_int_equal(s.n_ccys, 2);
    assert_string_equal(s.ccy[0].label, "EUR");
    assert_int_equal(s.ccy[1].gross.minor, 800);
    assert_int_equal(s.month[0].payouts, 3);
    assert_int_equal(s.month[11].payouts, 1);
}

static void what_came_back_is_taken_off_and_its_tax_is_told_apart(void **state)
{
    (void)state;
    begin();
    struct statement_payout *p =
        pay(0, 100000, CCY_USD, USD_RATE, USD_RATE, tax_year_begins_us(2026));

    p->has_withheld = true;
    p->withheld = money_of(777, CCY_PKR);
    p->returned = p->price.net;
    assert_int_equal(statement_complete(p, USD_RATE), REASON_NONE);
    assert_true(statement_add_up(&s));
    assert_int_equal(s.all.payouts, 1);
    assert_int_equal(s.all.came_back, 1);
    assert_int_equal(s.all.net.minor, 0);
    assert_int_equal(s.all.usd.minor, 0);
    assert_int_equal(s.all.withheld.minor, 777);
    assert_int_equal(s.all.withheld_came_back.minor, 777);
}

/* A database that somebody has been at. */
static void numbers_that_do_not_follow_from_each_other_are_refused(void **state)
{
    (void)state;
    begin();
    struct statement_payout *p = pay(0, 1000, CCY_USD, USD_RATE, USD_RATE, 0);

    p->returned.minor = p->price.net.minor + 1;
    assert_int_equal(statement_complete(p, USD_RATE), REASON_INTERNAL);
    p->returned.minor = -1;
    assert_int_equal(statement_complete(p, USD_RATE), REASON_INTERNAL);
    p->returned.minor = 0;
    p->price.margin.minor++;
    assert_int_equal(statement_complete(p, USD_RATE), REASON_INTERNAL);
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    begin();
    pay(0, INT64_MAX, CCY_PKR, 0, 0, tax_year_begins_us(2026));
    assert_true(statement_add_up(&s));
    pay(0, 1, CCY_PKR, 0, 0, tax_year_begins_us(2026));
    assert_false(statement_add_up(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cent_decides_whether_the_threshold_is_reached),
        cmocka_unit_test(other_currencies_are_worth_dollars_at_their_own_sheets_rates),
        cmocka_unit_test(without_a_rate_of_the_dollar_nobody_can_tell_unless_the_rest_is_enough),
        cmocka_unit_test(what_was_earned_in_rupees_is_not_counted_in_dollars),
        cmocka_unit_test(payouts_are_in_order_and_platforms_and_currencies_by_the_alphabet),
        cmocka_unit_test(what_came_back_is_taken_off_and_its_tax_is_told_apart),
        cmocka_unit_test(numbers_that_do_not_follow_from_each_other_are_refused),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests_name("cli_statement_sum", tests, NULL, NULL);
}
