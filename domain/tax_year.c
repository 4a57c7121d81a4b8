#include "domain/tax_year.h"

#include <assert.h>

#define US_PER_DAY (86400LL * 1000000)

/* Days since 1970-01-01 of the first of a month, counted in years that begin in March, so that a leap day is a year's last. */
static int64_t days_of(int64_t year, int64_t month)
{
    int64_t from_march = (month + 9) % 12;
    int64_t y = year - (month <= 2);

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 - 719468;
}

int64_t tax_year_begins_us(int32_t year)
{
    assert(year >= TAX_YEAR_MIN && year <= TAX_YEAR_MAX + 1);
    return days_of(year - 1, 7) * US_PER_DAY - TAX_YEAR_KARACHI_US;
}

int32_t tax_year_day_of(int64_t us)
{
    int64_t wall = us + TAX_YEAR_KARACHI_US;

    return (int32_t)(wall / US_PER_DAY - (wall % US_PER_DAY < 0));
}

/* The months since January of year 0 that had begun by a day; years 1 to 9999. */
static int64_t month_number(int32_t day)
{
    int64_t year = 1970 + (day < 0 ? day / 365 - 2 : day / 366 - 1); /* no later than its own */
    int64_t n;

    while (days_of(year + 1, 1) <= day)
        year++;
    n = year * 12;
    while (days_of((n + 1) / 12, (n + 1) % 12 + 1) <= day)
        n++;
    return n;
}

int32_t tax_year_of(int64_t us)
{
    return (int32_t)((month_number(tax_year_day_of(us)) + 6) / 12);
}

int32_t tax_year_month_of(int64_t us)
{
    return (int32_t)((month_number(tax_year_day_of(us)) + 6) % 12);
}

void tax_year_month(int32_t year, int32_t month, int32_t *calendar_year, int32_t *calendar_month)
{
    assert(month >= 0 && month < TAX_YEAR_MONTHS);
    *calendar_year = month < 6 ? year - 1 : year;
    *calendar_month = (month + 6) % 12 + 1;
}
