#include "base/timefmt.h"

#include "base/clock.h"

#include <stdbool.h>

#define DAYS_MIN (-719162) /* 0001-01-01 */
#define DAYS_MAX 2932896   /* 9999-12-31 */

struct civil {
    int year, month, day;
};

/* Days and dates by counting from 1 March 0000, so that the leap day ends a year; eras are 400 years. */
static int32_t days_from_civil(struct civil c)
{
    int y = c.month <= 2 ? c.year - 1 : c.year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (c.month > 2 ? c.month - 3 : c.month + 9) + 2) / 5 + c.day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(int32_t days)
{
    int z = days + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int day_of_era = z - era * 146097;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int mp = (5 * day_of_year + 2) / 153;
    int month = mp < 10 ? mp + 3 : mp - 9;
    int year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    return (struct civil){year, month, day_of_year - (153 * mp + 2) / 5 + 1};
}

int32_t timefmt_day_of(int64_t us)
{
    int64_t day = us / US_PER_DAY;
    return (int32_t)(us % US_PER_DAY < 0 ? day - 1 : day);
}

static char *put_digits(char *at, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
    return at + width;
}

static char *put_date(char *at, int32_t days)
{
    struct civil c = civil_from_days(days);
    at = put_digits(at, c.year, 4);
    *at++ = '-';
    at = put_digits(at, c.month, 2);
    *at++ = '-';
    return put_digits(at, c.day, 2);
}

const char *timefmt_date(int32_t days, char out[TIMEFMT_DATE_SIZE])
{
    *put_date(out, days < DAYS_MIN ? DAYS_MIN : (days > DAYS_MAX ? DAYS_MAX : days)) = '\0';
    return out;
}

const char *timefmt_rfc3339(int64_t us, char out[TIMEFMT_SIZE])
{
    us = us < TIMEFMT_US_MIN ? TIMEFMT_US_MIN : (us > TIMEFMT_US_MAX ? TIMEFMT_US_MAX : us);
    int32_t day = timefmt_day_of(us);
    int64_t in_day = us - day * US_PER_DAY;
    int64_t seconds = in_day / US_PER_SEC;
    char *at = put_date(out, day);
    *at++ = 'T';
    at = put_digits(at, seconds / 3600, 2);
    *at++ = ':';
    at = put_digits(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, seconds % 60, 2);
    *at++ = '.';
    at = put_digits(at, in_day % US_PER_SEC, 6);
    *at++ = 'Z';
    *at = '\0';
    return out;
}

/* Takes exactly `width` digits off *s. */
static bool take_number(struct slice *s, size_t width, int *out)
{
    if (s->len < width)
        return false;
    int value = 0;
    for (size_t i = 0; i < width; i++) {
        if (!char_is_digit(s->p[i]))
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    s->p += width;
    s->len -= width;
    *out = value;
    return true;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->len--;
    return true;
}

static bool take_date(struct slice *s, int32_t *days)
{
    struct civil c = {0, 0, 0};
    if (!take_number(s, 4, &c.year) || !take_char(s, '-') || !take_number(s, 2, &c.month) ||
        !take_char(s, '-') || !take_number(s, 2, &c.day))
        return false;
    if (c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31)
        return false;
    int32_t n = days_from_civil(c);
    if (civil_from_days(n).month != c.month) /* 30 February is some day in March */
        return false;
    *days = n;
    return true;
}

/* "09:00:00" with optional decimals, to microseconds of the day. */
static bool take_time(struct slice *s, int64_t *us)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take_number(s, 2, &hour) || !take_char(s, ':') || !take_number(s, 2, &minute) ||
        !take_char(s, ':') || !take_number(s, 2, &second) || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    int64_t fraction = 0;
    if (take_char(s, '.')) {
        int n = 0;
        for (int digit = 0; n < 9 && take_number(s, 1, &digit); n++)
            fraction = n < 6 ? fraction * 10 + digit : fraction;
        if (n == 0)
            return false;
        for (; n < 6; n++)
            fraction *= 10;
    }
    *us = ((hour * 60LL + minute) * 60 + second) * US_PER_SEC + fraction;
    return true;
}

/* 'Z' or "+05:00". */
static bool take_offset(struct slice *s, int64_t *us)
{
    *us = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    int sign = take_char(s, '+') ? 1 : (take_char(s, '-') ? -1 : 0);
    int hour = 0;
    int minute = 0;
    if (sign == 0 || !take_number(s, 2, &hour) || !take_char(s, ':') ||
        !take_number(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *us = sign * (hour * 60LL + minute) * 60 * US_PER_SEC;
    return true;
}

err_t timefmt_parse_date(struct slice s, int32_t *days)
{
    int32_t value = 0;
    if (!take_date(&s, &value) || s.len != 0)
        return err_make(ERR_PARSE, "not a date (YYYY-MM-DD)");
    *days = value;
    return err_none();
}

err_t timefmt_parse_rfc3339(struct slice s, int64_t *us)
{
    int32_t day = 0;
    int64_t in_day = 0;
    int64_t offset = 0;
    if (!take_date(&s, &day) || !(take_char(&s, 'T') || take_char(&s, 't')) ||
        !take_time(&s, &in_day) || !take_offset(&s, &offset) || s.len != 0)
        return err_make(ERR_PARSE, "not a time (RFC 3339)");
    int64_t value = day * US_PER_DAY + in_day - offset;
    if (value < TIMEFMT_US_MIN || value > TIMEFMT_US_MAX)
        return err_make(ERR_LIMIT, "time out of range");
    *us = value;
    return err_none();
}
