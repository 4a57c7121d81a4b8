/*
 * calendar.h: when banks in Pakistan work: the next cut-off after a moment, and working time.
 *
 * Asia/Karachi is UTC+5, all year (no summer time since 2009; moments before are not asked about). Banks work Monday to Friday;
 * what differs is data (docs/settlement.md, "The calendar"). A working day counts whole, from midnight to midnight there; other
 * days do not count at all.
 *
 * Moments are microseconds since 1970-01-01T00:00:00Z, in the years 2000 to 2199; days are days since 1970-01-01, in Pakistan.
 * Pure: who calls reads the rows and the clock.
 */
#ifndef UJRAT_DOMAIN_CALENDAR_H
#define UJRAT_DOMAIN_CALENDAR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALENDAR_CUTOFFS_MAX 24
/* How far ahead and back is looked. Banks that are closed for longer have no cut-off. */
#define CALENDAR_DAYS_MAX 400

enum calendar_kind {
    CALENDAR_HOLIDAY = 1,
    CALENDAR_WORKING = 2, /* though it is a weekend, or was said to be a holiday */
    CALENDAR_RAMADAN = 3, /* works as its weekday does, with other cut-offs */
};

struct calendar_day {
    int32_t day;
    enum calendar_kind kind;
};

/* The days that are not like others, as known when they were read: the newest record of each. */
struct calendar {
    const struct calendar_day *days; /* rising, each once; not owned */
    size_t n;
};

/* Seconds after midnight in Pakistan, rising, each below 86,400. */
struct cutoffs {
    int32_t at[CALENDAR_CUTOFFS_MAX];
    size_t n;
};

struct cutoff_plan {
    struct cutoffs ordinary;
    struct cutoffs ramadan;
};

/* The day in Pakistan that a moment falls in. */
int32_t calendar_day_of(int64_t us);
/* When it begins. */
int64_t calendar_day_start(int32_t day);

/* Adds a time of day, which must be later than those before. False: it is not, or there is no room. */
MUST_CHECK bool cutoffs_add(struct cutoffs *c, int32_t second_of_day);

bool calendar_is_working(const struct calendar *c, int32_t day);

/* The first cut-off after a moment (never at it). False: there is none within CALENDAR_DAYS_MAX days. */
MUST_CHECK bool calendar_next_cutoff(const struct calendar *c, const struct cutoff_plan *plan,
                                     int64_t after_us, int64_t *cutoff_us);

/* Working time from one moment to another, in microseconds; 0 if the other is not later. */
int64_t calendar_working_us(const struct calendar *c, int64_t from_us, int64_t to_us);

/* The first moment by which so much working time has passed since another (itself for none). False: not within CALENDAR_DAYS_MAX
 * days. A deadline. */
MUST_CHECK bool calendar_add_working(const struct calendar *c, int64_t from_us, int64_t working_us,
                                     int64_t *out_us);

/* The last moment since which so much working time has passed by another. Whatever is older than it is older than that, in working
 * time. False: not within CALENDAR_DAYS_MAX days. */
MUST_CHECK bool calendar_subtract_working(const struct calendar *c, int64_t to_us,
                                          int64_t working_us, int64_t *out_us);

#endif
