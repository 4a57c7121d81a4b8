#include "base/clock.h"

#include <assert.h>
#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    int rc = clock_gettime(id, &now);
    assert(rc == 0); /* both clocks exist on every Linux */
    (void)rc;
    return (int64_t)now.tv_sec * US_PER_SEC + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_realtime_us(void)
{
    return clock_us(CLOCK_REALTIME);
}
