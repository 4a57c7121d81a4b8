/*
 * tax_year.h: Pakistan's tax year, and in which of its months a moment falls. It is the twelve months that end on 30 June, and
 * is called by the year in which that day falls (Income Tax Ordinance 2001, section 74): tax year 2026 is 1 July 2025 to 30 June
 * 2026. Days are those of Asia/Karachi, UTC+5 all the year.
 *
 * Moments are microseconds since 1970-01-01T00:00:00Z.
 */
#ifndef UJRAT_DOMAIN_TAX_YEAR_H
#define UJRAT_DOMAIN_TAX_YEAR_H

#include "base/err.h"
#include "base/str.h"
#include "domain/money.h"

#include <stdbool.h>
#include <stdint.h>

enum { TAX_YEAR_MIN = 2003, TAX_YEAR_MAX = 2200, TAX_YEAR_MONTHS = 12 }; /* in force since 2002 */

#define TAX_YEAR_KARACHI_US (5LL * 3600 * 1000000)

/*
 * Up to how much a year freelancers' foreign earnings are said to be exempt: USD 12,000. The figure is one of the project's
 * requirements; no act or notification that says so was found, and the rate that section 154A withholds knows no such
 * threshold. So it is shown for orientation, and nothing else rests on it. It is what holds while the policy has no rule
 * year_exemption.
 */
static inline money_t tax_year_exemption(void)
{
    return money_of(1200000, CCY_USD);
}

/* The first moment of the year, and of the one after it. year is in range (asserted). */
int64_t tax_year_begins_us(int32_t year);
static inline int64_t tax_year_ends_us(int32_t year)
{
    return tax_year_begins_us(year + 1);
}

/* The tax year of a moment. */
int32_t tax_year_of(int64_t us);

/* 0 is July, 11 is June. */
int32_t tax_year_month_of(int64_t us);
/* The calendar's year and month (1 to 12) of a month of the tax year. */
void tax_year_month(int32_t year, int32_t month, int32_t *calendar_year, int32_t *calendar_month);

/* The day in Karachi, in days since 1970-01-01. */
int32_t tax_year_day_of(int64_t us);

#endif
