/*
 * rate.h: an exchange rate as a whole number: units of the quote currency for 1 unit of the base currency
 * (major units both), times 10^10. PKR per USD 277.9612 is 2779612000000. The largest is about 922 million.
 *
 * A rate is always above zero; "not available" is the absence of a rate.
 */
#ifndef UJRAT_DOMAIN_RATE_H
#define UJRAT_DOMAIN_RATE_H

#include "base/str.h"
#include "domain/decimal.h"
#include "domain/reason.h"
#include "domain/rounding.h"

#include <stdint.h>

#define RATE_DIGITS 10
#define RATE_ONE    10000000000LL

typedef struct {
    int64_t e10;
} rate_t;

/* At most 10 decimals. RATE_INVALID if it is not a decimal number above zero, or too large. */
MUST_CHECK reason_t rate_parse(struct slice text, rate_t *out);

#define RATE_TEXT_SIZE DECIMAL_SIZE

/* At least four decimals, further ones as needed: "277.9612", "0.00345". Reads back the same. Returns out. */
const char *rate_format(rate_t rate, char out[RATE_TEXT_SIZE]);

/* Both in the same third currency (PKR or USD): units of b for 1 unit of a = a / b, rounded half even to 10
 * decimals. RATE_INVALID if that is zero or too large, or if one of the two is not above zero. */
MUST_CHECK reason_t rate_cross(rate_t a, rate_t b, rate_t *out);

#endif
