/* be.h: numbers as big-endian bytes, in tokens and records. */
#ifndef UJRAT_BASE_BE_H
#define UJRAT_BASE_BE_H

#include <stdint.h>

/* The lowest `bytes` bytes of value, at most 8. */
static inline void be_put(uint8_t *p, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static inline uint64_t be_get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

#endif
