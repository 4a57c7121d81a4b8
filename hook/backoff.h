/* backoff.h: when a delivery that failed is tried again. Pure. */
#ifndef UJRAT_HOOK_BACKOFF_H
#define UJRAT_HOOK_BACKOFF_H

#include <stdint.h>

enum {
    HOOK_ATTEMPTS_MAX = 25, /* as PayPal: then it is given up */
    HOOK_RETRY_AFTER_S_MAX = 6 * 3600,
};

/*
 * The longest pause after so many attempts (1..24): first_ms doubled with each, up to 3840 times (10 s: 10 h 40 min). The
 * pause is a random part of it ("full jitter"), so that those who failed together do not come back together. With a first of 10 s
 * all of them come to 5.8 days at the most, 2.9 on average.
 */
int64_t hook_backoff_max_ms(unsigned attempts, int64_t first_ms);

/* The pause itself. random: all 64 bits of it. retry_after_s: what the endpoint asked for, 0: nothing; never shorter than that, but no
 * longer than HOOK_RETRY_AFTER_S_MAX for its sake. */
int64_t hook_backoff_ms(unsigned attempts, int64_t first_ms, uint64_t random,
                        int64_t retry_after_s);

#endif
