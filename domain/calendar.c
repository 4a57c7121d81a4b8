#include "domain/calendar.h"

#include <assert.h>

#define SECOND_US   INT64_C(1000000)
#define DAY_US      (SECONDS_PER_DAY * SECOND_US)
#define PAKISTAN_US (5 * 3600 * SECOND_US) /* ahead of UTC */

enum { SECONDS_PER_DAY = 86400 };

int32_t calendar_day_of(int64_t us)
{
    int64_t there = us + PAKISTAN_US;
    int64_t day = there / DAY_US;
    return (int32_t)(there % DAY_US < 0 ? day - 1 : day);
}

int64_t calendar_day_start(int32_t day)
{
    return day * DAY_US - PAKISTAN_US;
}

bool cutoffs_add(struct cutoffs *c, int32_t second_of_day)
{
    if (c->n == CALENDAR_CUTOFFS_MAX || second_of_day < 0 || second_of_day >= SECONDS_PER_DAY ||
        (c->n > 0 && second_of_day <= c->at[c->n - 1]))
        return false;
    c->at[c->n++] = second_of_day;
    return true;
}

/* 0: like others. */
static enum calendar_kind kind_of(const struct calendar *c, int32_t day)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->days[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n && c->days[low].day == day ? c->days[low].kind : 0;
}

static bool is_weekend(int32_t day)
{
    int32_t weekday = ((day % 7) + 7 + 3) % 7; /* 1970-01-01 was a Thursday; 0: Monday */
    return weekday >= 5;
}

static bool works(enum calendar_kind kind, int32_t day)
{
    return kind == CALENDAR_WORKING || (kind != CALENDAR_HOLIDAY && !is_weekend(day));
}

bool calendar_is_working(const struct calendar *c, int32_t day)
{
    return works(kind_of(c, day), day);
}

bool calendar_next_cutoff(const struct calendar *c, const struct cutoff_plan *plan,
                          int64_t after_us, int64_t *cutoff_us)
{
    int32_t first = calendar_day_of(after_us);
    for (int32_t day = first; day <= first + CALENDAR_DAYS_MAX; day++) {
        enum calendar_kind kind = kind_of(c, day);
        if (!works(kind, day))
            continue;
        const struct cutoffs *of_day = kind == CALENDAR_RAMADAN ? &plan->ramadan : &plan->ordinary;
        for (size_t i = 0; i < of_day->n; i++) {
            int64_t at = calendar_day_start(day) + of_day->at[i] * SECOND_US;
            if (at > after_us) {
                *cutoff_us = at;
                return true;
            }
        }
    }
    return false;
}

int64_t calendar_working_us(const struct calendar *c, int64_t from_us, int64_t to_us)
{
    int64_t total = 0;
    if (to_us <= from_us)
        return 0;
    for (int32_t day = calendar_day_of(from_us); day <= calendar_day_of(to_us); day++) {
        if (!calendar_is_working(c, day))
            continue;
        int64_t start = calendar_day_start(day), end = calendar_day_start(day + 1);
        total += (to_us < end ? to_us : end) - (from_us > start ? from_us : start);
    }
    return total;
}

bool calendar_add_working(const struct calendar *c, int64_t from_us, int64_t working_us,
                          int64_t *out_us)
{
    int32_t first = calendar_day_of(from_us);
    assert(working_us >= 0);
    if (working_us == 0) {
        *out_us = from_us;
        return true;
    }
    for (int32_t day = first; day <= first + CALENDAR_DAYS_MAX; day++) {
        int64_t start = day == first ? from_us : calendar_day_start(day);
        int64_t length = calendar_day_start(day + 1) - start;
        if (!calendar_is_working(c, day))
            continue;
        if (working_us <= length) {
            *out_us = start + working_us;
            return true;
        }
        working_us -= length;
    }
    return false;
}

bool calendar_subtract_working(const struct calendar *c, int64_t to_us, int64_t working_us,
                               int64_t *out_us)
{
    int32_t last = calendar_day_of(to_us);
    assert(working_us >= 0);
    if (working_us == 0) {
        *out_us = to_us;
        return true;
    }
    for (int32_t day = last; day >= last - CALENDAR_DAYS_MAX; day--) {
        int64_t end = day == last ? to_us : calendar_day_start(day + 1);
        int64_t length = end - calendar_day_start(day);
        if (!calendar_is_working(c, day))
            continue;
        if (working_us <= length) {
            *out_us = end - working_us;
            return true;
        }
        working_us -= length;
    }
    return false;
}
