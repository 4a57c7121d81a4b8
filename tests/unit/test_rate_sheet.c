#include "domain/rate_sheet.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define HEADER "currency,ready,w1,w2,m1,m2,m3,m4,m5,m6,m9,y1\n"
#define TENORS ",1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0\n"
#define USD    "USD,277.9612" TENORS

static struct rate_sheet sheet;
static struct rate_sheet_problem problem;

static enum rate_sheet_fault parse(const char *csv)
{
    return rate_sheet_parse_sbp(slice_str(csv), 20000, NULL, &sheet, &problem);
}

static struct rate_sheet read_file(const char *path)
{
    static char text[RATE_SHEET_BYTES_MAX];
    struct rate_sheet out;
    memset(&out, 0, sizeof out);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("run from the root of the repository");
        return out;
    }
    size_t n = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_int_equal(rate_sheet_parse_sbp(slice_of(text, n), 20651, NULL, &out, &problem),
                     RATE_SHEET_OK);
    return out;
}

static void assert_pkr(const struct rate_sheet *s, const char *alpha, const char *want)
{
    rate_t rate = {0};
    char text[RATE_TEXT_SIZE];
    assert_int_equal(rate_sheet_pkr(s, ccy_by_alpha(slice_str(alpha))->number, &rate), REASON_NONE);
    assert_string_equal(rate_format(rate, text), want);
}

static void real_sheets_are_read(void **state)
{
    (void)state;
    struct rate_sheet s = read_file("data/rates/sbp_m2m_2026-07-17.csv");
    assert_int_equal(s.n, 34);        /* 35 lines, of which */
    assert_int_equal(s.n_ignored, 1); /* CNH is no ISO 4217 code */
    assert_int_equal(s.date, 20651);
    assert_pkr(&s, "USD", "277.9612");
    assert_pkr(&s, "JPY", "1.7121");
    assert_pkr(&s, "KWD", "903.9388");
    assert_pkr(&s, "BDT", "2.2548"); /* ready is there though the forwards are not */
    assert_pkr(&s, "PKR", "1.0000");
    s = read_file("data/rates/sbp_m2m_2025-08-27.csv");
    assert_pkr(&s, "USD", "281.8289");
    assert_int_equal(s.n, 33);
    for (size_t i = 1; i < s.n; i++)
        assert_true(s.entries[i - 1].ccy < s.entries[i].ccy);
}

static void mid_rates_cross_through_the_rupee(void **state)
{
    (void)state;
    struct rate_sheet s = read_file("data/rates/sbp_m2m_2026-07-17.csv");
    rate_t rate = {0};
    char text[RATE_TEXT_SIZE];
    assert_int_equal(rate_sheet_mid(&s, CCY_USD, CCY_PKR, &rate), REASON_NONE);
    assert_string_equal(rate_format(rate, text), "277.9612");
    assert_int_equal(rate_sheet_mid(&s, CCY_EUR, CCY_USD, &rate), REASON_NONE);
    assert_string_equal(rate_format(rate, text), "1.143999954");
    assert_int_equal(rate_sheet_mid(&s, CCY_PKR, CCY_PKR, &rate), REASON_NONE);
    assert_string_equal(rate_format(rate, text), "1.0000");
    assert_int_equal(rate_sheet_mid(&s, 8 /* ALL */, CCY_PKR, &rate), REASON_RATE_MISSING);
    assert_int_equal(rate_sheet_mid(&s, CCY_PKR, 999, &rate), REASON_RATE_MISSING);
}

static void what_is_not_the_sheet_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        enum rate_sheet_fault fault;
        unsigned line;
    } cases[] = {
        {"", RATE_SHEET_EMPTY, 0},
        {" \n\r\n", RATE_SHEET_EMPTY, 0},
        {"<!DOCTYPE html><html>", RATE_SHEET_HTML, 0},
        {"\n  <html>", RATE_SHEET_HTML, 0},
        {"%PDF-1.4\n\x80\x81", RATE_SHEET_NOT_TEXT, 0},
        {"currency,buying,selling\nUSD,277.0,278.0\n", RATE_SHEET_CUSTOMER_SHEET, 1},
        {"USD,277.9612\n", RATE_SHEET_HEADER, 1},
        {"Currency,Ready\n", RATE_SHEET_HEADER, 1},
        {HEADER, RATE_SHEET_TRUNCATED, 1},
        {HEADER "USD,277.96", RATE_SHEET_TRUNCATED, 2},
        {HEADER "USD,277.9612,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0", RATE_SHEET_TRUNCATED, 2},
        {HEADER "USD,277.9612\n", RATE_SHEET_COLUMNS, 2},
        {HEADER "USD,277.9612,1.0" TENORS, RATE_SHEET_COLUMNS, 2},
        {HEADER "\n" USD, RATE_SHEET_COLUMNS, 2},
        {HEADER "usd,277.9612" TENORS, RATE_SHEET_CURRENCY, 2},
        {HEADER "US$,277.9612" TENORS, RATE_SHEET_CURRENCY, 2},
        {HEADER USD "EUR,1.0" TENORS USD, RATE_SHEET_DUPLICATE, 4},
        {HEADER USD "CNH,41.0" TENORS "CNH,41.0" TENORS, RATE_SHEET_DUPLICATE, 4},
        {HEADER "USD,abc" TENORS, RATE_SHEET_NUMBER, 2},
        {HEADER "USD," TENORS, RATE_SHEET_NUMBER, 2},
        {HEADER "USD,2.7e2" TENORS, RATE_SHEET_NUMBER, 2},
        {HEADER USD "EUR,1.0,x,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0\n", RATE_SHEET_NUMBER, 3},
        {HEADER USD "EUR,-1.0" TENORS, RATE_SHEET_NEGATIVE, 3},
        {HEADER USD "EUR,-99999999999999999999" TENORS, RATE_SHEET_NEGATIVE, 3},
        {HEADER USD "EUR,1000000.0001" TENORS, RATE_SHEET_ABSURD, 3},
        {HEADER USD "EUR,99999999999999999999" TENORS, RATE_SHEET_ABSURD, 3},
        {HEADER "USD,0.0036" TENORS, RATE_SHEET_ABSURD, 2}, /* upside down */
        {HEADER "USD,0.0000" TENORS "EUR,317.9876" TENORS, RATE_SHEET_NO_USD, 0},
        {HEADER "EUR,317.9876" TENORS, RATE_SHEET_NO_USD, 0},
        {HEADER USD "PKR,1.0000" TENORS, RATE_SHEET_PKR_IN_SHEET, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&sheet, 0x55, sizeof sheet);
        size_t marked = sheet.n;
        assert_int_equal(parse(cases[i].csv), cases[i].fault);
        assert_int_equal(problem.fault, cases[i].fault);
        assert_int_equal(problem.line, cases[i].line);
        assert_int_equal(sheet.n, marked); /* untouched */
    }
    assert_string_equal(rate_sheet_fault_text(RATE_SHEET_HTML), "HTML, not a rate sheet");
    assert_string_equal(rate_sheet_fault_name(RATE_SHEET_CUSTOMER_SHEET), "CUSTOMER_SHEET");
}

static void a_rate_of_zero_is_left_out(void **state)
{
    (void)state;
    rate_t rate = {0};
    assert_int_equal(parse(HEADER USD "EUR,0.0000" TENORS), RATE_SHEET_OK);
    assert_int_equal(sheet.n, 1);
    assert_int_equal(sheet.n_unavailable, 1);
    assert_int_equal(rate_sheet_pkr(&sheet, CCY_EUR, &rate), REASON_RATE_MISSING);
    assert_int_equal(parse("currency,ready,w1,w2,m1,m2,m3,m4,m5,m6,m9,y1\r\n"
                           "USD,277.9612,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0\r\n"),
                     RATE_SHEET_OK);
}

static void the_place_of_a_fault_is_told_in_plain_characters(void **state)
{
    (void)state;
    assert_int_equal(parse(HEADER USD "A B,1.0" TENORS), RATE_SHEET_CURRENCY);
    assert_string_equal(problem.currency, "A?B");
    assert_int_equal(problem.line, 3);
    assert_int_equal(parse(HEADER "EUROPEUROP,1.0" TENORS), RATE_SHEET_CURRENCY);
    assert_string_equal(problem.currency, "EUROPEU");
}

static void too_many_or_too_much_is_refused(void **state)
{
    (void)state;
    static char csv[RATE_SHEET_BYTES_MAX + 100];
    size_t n = (size_t)snprintf(csv, sizeof csv, "%s%s", HEADER, USD);
    for (int a = 'A'; a <= 'Z'; a++)
        for (int b = 'A'; b <= 'J'; b++)
            n += (size_t)snprintf(csv + n, sizeof csv - n, "%c%cQ,1.0%s", a, b, TENORS);
    assert_int_equal(rate_sheet_parse_sbp(slice_of(csv, n), 0, NULL, &sheet, &problem),
                     RATE_SHEET_TOO_MANY);
    memset(csv, 'A', sizeof csv);
    assert_int_equal(rate_sheet_parse_sbp(slice_of(csv, sizeof csv), 0, NULL, &sheet, &problem),
                     RATE_SHEET_TOO_LARGE);
}

static void a_jump_from_the_last_good_sheet_is_refused(void **state)
{
    (void)state;
    struct rate_sheet previous;
    assert_int_equal(rate_sheet_parse_sbp(SLICE(HEADER "USD,200.0" TENORS "EUR,100.0" TENORS), 1,
                                          NULL, &previous, &problem),
                     RATE_SHEET_OK);
    struct rate_sheet_guard guard = {&previous, 500};
    static const struct {
        const char *csv;
        enum rate_sheet_fault fault;
    } cases[] = {
        {HEADER "USD,210.0" TENORS "EUR,95.0" TENORS, RATE_SHEET_OK}, /* 5% is still allowed */
        {HEADER "USD,210.0001" TENORS "EUR,95.0" TENORS, RATE_SHEET_JUMP},
        {HEADER "USD,200.0" TENORS "EUR,94.9999" TENORS, RATE_SHEET_JUMP},
        {HEADER "USD,200.0" TENORS "GBP,94.9999" TENORS, RATE_SHEET_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(rate_sheet_parse_sbp(slice_str(cases[i].csv), 2, &guard, &sheet, &problem),
                         cases[i].fault);
    guard.jump_bps_max = 0;
    assert_int_equal(rate_sheet_parse_sbp(slice_str(cases[1].csv), 2, &guard, &sheet, &problem),
                     RATE_SHEET_OK);
}

static void a_sheet_that_lost_most_of_its_currencies_is_refused(void **state)
{
    (void)state;
    struct rate_sheet previous = read_file("data/rates/sbp_m2m_2026-07-17.csv");
    struct rate_sheet_guard guard = {&previous, 500};
    assert_int_equal(rate_sheet_parse_sbp(SLICE(HEADER USD), 2, &guard, &sheet, &problem),
                     RATE_SHEET_SHRUNK);
}

#define RATE(code, per_usd)                                                                        \
    {                                                                                              \
        {code, sizeof(code) - 1},                                                                  \
        {                                                                                          \
            per_usd, sizeof(per_usd) - 1                                                           \
        }                                                                                          \
    }
#define FROM(rates)                                                                                \
    rate_sheet_from_usd_rates(rates, sizeof(rates) / sizeof((rates)[0]), 20000, NULL, &sheet,      \
                              &problem)

static void units_per_usd_become_rupees_per_unit(void **state)
{
    (void)state;
    static const struct usd_rate rates[] = {
        RATE("1inch", "14.75501195"),
        RATE("btc", "x"),
        RATE("eur", "0.87489210"),
        RATE("JPY", "162.35"),
        RATE("pkr", "278.01234567"),
        RATE("usd", "1"),
        RATE("kwd", "0"),
        RATE("xau", "0.000248"),
        RATE("aed", "3.6725"),
        RATE("vnd", "26345.12345678901234"),
    };
    assert_int_equal(FROM(rates), RATE_SHEET_OK);
    assert_pkr(&sheet, "USD", "278.01234567");
    assert_pkr(&sheet, "AED", "75.7011152267"); /* 278.01234567 / 3.6725 */
    assert_pkr(&sheet, "JPY", "1.712425905");
    assert_pkr(&sheet, "VND", "0.0105527061");
    assert_int_equal(sheet.n, 5);
    assert_int_equal(sheet.n_ignored, 3);
    assert_int_equal(sheet.n_unavailable, 1);
    assert_int_equal(sheet.date, 20000);
}

static void a_day_file_without_a_sane_rupee_is_refused(void **state)
{
    (void)state;
    static const struct usd_rate none[] = {RATE("eur", "0.87")};
    static const struct usd_rate zero[] = {RATE("pkr", "0"), RATE("eur", "0.87")};
    static const struct usd_rate negative[] = {RATE("pkr", "-278.0")};
    static const struct usd_rate twice[] = {RATE("pkr", "278.0"), RATE("PKR", "278.0")};
    static const struct usd_rate eur_twice[] = {RATE("pkr", "278.0"), RATE("EUR", "0.87"),
                                                RATE("eur", "0.87")};
    static const struct usd_rate upside[] = {RATE("pkr", "0.0036")};
    static const struct usd_rate base[] = {RATE("pkr", "278.0"), RATE("usd", "1.1")};
    static const struct usd_rate tiny[] = {RATE("pkr", "278.0"), RATE("eur", "0.0000001")};
    static const struct usd_rate garbage[] = {RATE("pkr", "278.0"), RATE("eur", "null")};
    static const struct usd_rate alone[] = {RATE("pkr", "278.0")};
    assert_int_equal(FROM(none), RATE_SHEET_NO_PKR);
    assert_int_equal(FROM(zero), RATE_SHEET_NO_PKR);
    assert_int_equal(FROM(negative), RATE_SHEET_NEGATIVE);
    assert_int_equal(FROM(twice), RATE_SHEET_DUPLICATE);
    assert_int_equal(FROM(eur_twice), RATE_SHEET_DUPLICATE);
    assert_int_equal(problem.line, 3);
    assert_int_equal(FROM(upside), RATE_SHEET_ABSURD);
    assert_int_equal(FROM(base), RATE_SHEET_ABSURD);
    assert_int_equal(FROM(tiny), RATE_SHEET_ABSURD);
    assert_int_equal(FROM(garbage), RATE_SHEET_NUMBER);
    assert_string_equal(problem.currency, "eur");
    assert_int_equal(rate_sheet_from_usd_rates(NULL, 0, 0, NULL, &sheet, &problem),
                     RATE_SHEET_EMPTY);
    assert_int_equal(FROM(alone), RATE_SHEET_OK);
    assert_pkr(&sheet, "USD", "278.0000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_sheets_are_read),
        cmocka_unit_test(mid_rates_cross_through_the_rupee),
        cmocka_unit_test(what_is_not_the_sheet_is_named),
        cmocka_unit_test(a_rate_of_zero_is_left_out),
        cmocka_unit_test(the_place_of_a_fault_is_told_in_plain_characters),
        cmocka_unit_test(too_many_or_too_much_is_refused),
        cmocka_unit_test(a_jump_from_the_last_good_sheet_is_refused),
        cmocka_unit_test(a_sheet_that_lost_most_of_its_currencies_is_refused),
        cmocka_unit_test(units_per_usd_become_rupees_per_unit),
        cmocka_unit_test(a_day_file_without_a_sane_rupee_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
