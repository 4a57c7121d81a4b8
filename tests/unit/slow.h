/*
 * slow.h: a × b / 10^shift by schoolbook arithmetic on decimal digits, to check fast arithmetic against. Shares
 * nothing with the code under test: no binary division, no 128-bit numbers.
 */
#ifndef UJRAT_TESTS_UNIT_SLOW_H
#define UJRAT_TESTS_UNIT_SLOW_H

#include "domain/rounding.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SLOW_DIGITS 64

/* Digits of |value|, lowest first; the rest zero. */
static inline void slow_digits(int64_t value, unsigned char out[SLOW_DIGITS])
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    size_t sign = text[0] == '-' ? 1 : 0;
    size_t n = strlen(text);
    memset(out, 0, SLOW_DIGITS);
    for (size_t i = sign; i < n; i++)
        out[n - 1 - i] = (unsigned char)(text[i] - '0');
}

/* Whether the digits cut off (the lowest `shift`) call for one more. */
static inline bool slow_rounds_up(const unsigned char *digits, unsigned shift, enum rounding mode)
{
    bool rest = false;
    unsigned first = shift == 0 ? 0 : digits[shift - 1];
    for (unsigned i = 0; i + 1 < shift; i++)
        rest = rest || digits[i] != 0;
    switch (mode) {
    case ROUND_HALF_EVEN:
        return first > 5 || (first == 5 && (rest || digits[shift] % 2 == 1));
    case ROUND_HALF_UP:
        return first >= 5;
    case ROUND_DOWN:
        return false;
    case ROUND_UP:
        return first > 0 || rest;
    }
    return false;
}

/* False if the result does not fit 64 bits. */
static inline bool slow_mul_shift(int64_t a, int64_t b, unsigned shift, enum rounding mode,
                                  int64_t *out)
{
    unsigned char x[SLOW_DIGITS];
    unsigned char y[SLOW_DIGITS];
    unsigned char product[SLOW_DIGITS] = {0};
    slow_digits(a, x);
    slow_digits(b, y);
    for (unsigned i = 0; i < 20; i++) {
        unsigned carry = 0;
        for (unsigned k = 0; k + i < SLOW_DIGITS; k++) {
            unsigned sum = product[i + k] + (unsigned)x[i] * y[k] + carry;
            product[i + k] = (unsigned char)(sum % 10);
            carry = sum / 10;
        }
    }
    unsigned carry = slow_rounds_up(product, shift, mode) ? 1 : 0;
    bool negative = (a < 0) != (b < 0);
    bool fits = true;
    int64_t value = 0;
    for (unsigned i = shift; i < SLOW_DIGITS && carry > 0; i++) {
        unsigned sum = product[i] + carry;
        product[i] = (unsigned char)(sum % 10);
        carry = sum / 10;
    }
    for (unsigned i = SLOW_DIGITS; i > shift; i--)
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, negative ? -product[i - 1] : product[i - 1], &value);
    *out = value;
    return fits;
}

#endif
