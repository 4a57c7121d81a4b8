#include "hook/backoff.h"

#include <assert.h>

enum { LONGEST = 3840, DOUBLED_MAX = 12 };

int64_t hook_backoff_max_ms(unsigned attempts, int64_t first_ms)
{
    assert(attempts >= 1 && first_ms > 0);
    int64_t times = attempts > DOUBLED_MAX ? LONGEST : (int64_t)1 << (attempts - 1);
    return first_ms * (times > LONGEST ? LONGEST : times);
}

int64_t hook_backoff_ms(unsigned attempts, int64_t first_ms, uint64_t random, int64_t retry_after_s)
{
    /* A fraction of 2^64, multiplied out: each whole millisecond up to the longest is as likely. */
    uint64_t span = (uint64_t)hook_backoff_max_ms(attempts, first_ms) + 1;
    int64_t pause_ms = (int64_t)(((unsigned __int128)random * span) >> 64);
    int64_t asked_ms =
        (retry_after_s > HOOK_RETRY_AFTER_S_MAX ? HOOK_RETRY_AFTER_S_MAX : retry_after_s) * 1000;
    return pause_ms > asked_ms ? pause_ms : asked_ms;
}
