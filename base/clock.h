/* clock.h: the two clocks, in microseconds. The domain never asks: its callers hand times in. */
#ifndef UJRAT_BASE_CLOCK_H
#define UJRAT_BASE_CLOCK_H

#include <stdint.h>

#define US_PER_MS  1000LL
#define US_PER_SEC 1000000LL
#define US_PER_DAY (86400LL * US_PER_SEC)

/* For measuring and deadlines: never steps back, means nothing across a reboot. */
int64_t clock_monotonic_us(void);

/* Since 1970-01-01T00:00:00Z, leap seconds not counted. May step. */
int64_t clock_realtime_us(void);

#endif
