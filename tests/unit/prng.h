/* prng.h: numbers for property tests: the same in every run (splitmix64). */
#ifndef UJRAT_TESTS_UNIT_PRNG_H
#define UJRAT_TESTS_UNIT_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_next(struct prng *prng)
{
    uint64_t z = (prng->state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/* first..last, both included. */
static inline int64_t prng_between(struct prng *prng, int64_t first, int64_t last)
{
    uint64_t span = (uint64_t)last - (uint64_t)first + 1;
    return span == 0 ? (int64_t)prng_next(prng)
                     : (int64_t)((uint64_t)first + prng_next(prng) % span);
}

/* Any size alike: as often below 1,000 as above 10^16; the extremes themselves now and then. */
static inline int64_t prng_any_positive(struct prng *prng)
{
    if (prng_next(prng) % 64 == 0)
        return INT64_MAX - (int64_t)(prng_next(prng) % 3);
    return (int64_t)(prng_next(prng) >> (1 + prng_next(prng) % 63));
}

static inline int64_t prng_any(struct prng *prng)
{
    if (prng_next(prng) % 64 == 0)
        return INT64_MIN + (int64_t)(prng_next(prng) % 3);
    int64_t value = prng_any_positive(prng);
    return (prng_next(prng) & 1) != 0 ? -value : value;
}

#endif
