/*
 * timefmt.h: times as text. RFC 3339 in UTC with microseconds, and plain dates. Proleptic Gregorian.
 *
 * Times are int64_t microseconds, dates int32_t days, both since 1970-01-01. Years 0001 to 9999.
 */
#ifndef UJRAT_BASE_TIMEFMT_H
#define UJRAT_BASE_TIMEFMT_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define TIMEFMT_US_MIN (-62135596800000000LL) /* 0001-01-01T00:00:00Z */
#define TIMEFMT_US_MAX 253402300799999999LL   /* 9999-12-31T23:59:59.999999Z */

#define TIMEFMT_SIZE      28 /* "2026-07-17T09:00:00.123456Z" and a NUL */
#define TIMEFMT_DATE_SIZE 11 /* "2026-07-17" and a NUL */

/* Always with six decimals, so that text sorts as time does. Out of range is shown as the nearest end. */
const char *timefmt_rfc3339(int64_t us, char out[TIMEFMT_SIZE]);
const char *timefmt_date(int32_t days, char out[TIMEFMT_DATE_SIZE]);

/* RFC 3339: offset or Z, 'T' upper or lower case, up to nine decimals (those past the sixth are cut).
 * A leap second (:60) is refused. ERR_PARSE, ERR_LIMIT. */
MUST_CHECK err_t timefmt_parse_rfc3339(struct slice s, int64_t *us);
MUST_CHECK err_t timefmt_parse_date(struct slice s, int32_t *days);

/* The UTC day a time falls in (floor, also before 1970). */
int32_t timefmt_day_of(int64_t us);

#endif
