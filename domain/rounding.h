/* rounding.h: whole-number division with the rounding said aloud. Symmetric about zero in every mode. */
#ifndef UJRAT_DOMAIN_ROUNDING_H
#define UJRAT_DOMAIN_ROUNDING_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 int128_t;

enum rounding {
    ROUND_HALF_EVEN, /* to the nearest, a tie to the even one */
    ROUND_HALF_UP,   /* to the nearest, a tie away from zero */
    ROUND_DOWN,      /* towards zero */
    ROUND_UP,        /* away from zero */
};

/* value / divisor; divisor > 0 (asserted). Cannot overflow. */
int128_t round_div(int128_t value, int128_t divisor, enum rounding mode);

/* The same into 64 bits; false if it does not fit. */
MUST_CHECK bool round_div_int64(int128_t value, int128_t divisor, enum rounding mode, int64_t *out);

#endif
