#include "domain/tax_year.h"

#include "base/timefmt.h"
#include "tests/unit/unit.h"

static int64_t at(const char *rfc3339)
{
    int64_t us = 0;

    assert_false(err_failed(timefmt_parse_rfc3339(slice_str(rfc3339), &us)));
    return us;
}

static void a_year_begins_and_ends_at_midnight_in_karachi(void **state)
{
    (void)state;
    assert_true(tax_year_begins_us(2026) == at("2025-07-01T00:00:00+05:00"));
    assert_true(tax_year_begins_us(2026) == at("2025-06-30T19:00:00Z"));
    assert_true(tax_year_ends_us(2026) == at("2026-06-30T19:00:00Z"));
    assert_int_equal(tax_year_of(at("2025-06-30T18:59:59.999999Z")), 2025);
    assert_int_equal(tax_year_of(at("2025-06-30T19:00:00Z")), 2026);
    assert_int_equal(tax_year_of(at("2026-06-30T18:59:59.999999Z")), 2026);
    assert_int_equal(tax_year_of(at("2026-06-30T19:00:00Z")), 2027);
}

/* Also leap years, 2100 which is none, and days before 1970. */
static void every_day_is_in_the_month_and_year_that_its_date_says(void **state)
{
    (void)state;
    char text[TIMEFMT_DATE_SIZE];

    for (int32_t day = -36000; day < 84000; day++) {
        int64_t year = 0, month = 0;
        int64_t noon = (int64_t)day * 86400 * 1000000 + 7 * 3600LL * 1000000;
        int32_t calendar_year = 0, calendar_month = 0;

        timefmt_date(day, text);
        assert_false(err_failed(str_parse_int64(slice_of(text, 4), &year)));
        assert_false(err_failed(str_parse_int64(slice_of(text + 5, 2), &month)));
        assert_int_equal(tax_year_day_of(noon), day);
        assert_int_equal(tax_year_of(noon), year + (month >= 7));
        assert_int_equal(tax_year_month_of(noon), (month + 5) % 12);
        tax_year_month(tax_year_of(noon), tax_year_month_of(noon), &calendar_year, &calendar_month);
        assert_int_equal(calendar_year, year);
        assert_int_equal(calendar_month, month);
    }
}

static void years_follow_one_another_without_a_gap(void **state)
{
    (void)state;
    for (int32_t year = TAX_YEAR_MIN; year <= TAX_YEAR_MAX; year++) {
        int64_t days = (tax_year_ends_us(year) - tax_year_begins_us(year)) / (86400LL * 1000000);

        assert_true(days == 365 || days == 366);
        assert_int_equal(tax_year_of(tax_year_begins_us(year)), year);
        assert_int_equal(tax_year_of(tax_year_begins_us(year) - 1), year - 1);
        assert_int_equal(tax_year_month_of(tax_year_begins_us(year)), 0);
        assert_int_equal(tax_year_month_of(tax_year_ends_us(year) - 1), 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_begins_and_ends_at_midnight_in_karachi),
        cmocka_unit_test(every_day_is_in_the_month_and_year_that_its_date_says),
        cmocka_unit_test(years_follow_one_another_without_a_gap),
    };
    return cmocka_run_group_tests_name("tax_year", tests, NULL, NULL);
}
