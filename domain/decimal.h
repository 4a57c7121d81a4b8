/*
 * decimal.h: decimal text to a scaled integer and back, exactly. No floats, no locale.
 *
 * Grammar: -?[0-9]+(\.[0-9]+)?  No '+', no blanks, no exponent, no thousands separators, no bare '.'.
 */
#ifndef UJRAT_DOMAIN_DECIMAL_H
#define UJRAT_DOMAIN_DECIMAL_H

#include "base/str.h"
#include "domain/reason.h"
#include "domain/rounding.h"

#include <stdint.h>

#define DECIMAL_DIGITS_MAX 18

/* Room for any decimal_format() result. */
#define DECIMAL_SIZE 48

/* "12.5" with 2 digits gives 1250. AMOUNT_INVALID if not in the grammar or if it has more decimals than
 * digits (trailing zeros count), AMOUNT_OVERFLOW if it does not fit. Text over 64 bytes is AMOUNT_INVALID. */
MUST_CHECK reason_t decimal_parse(struct slice s, unsigned digits, int64_t *out);

/* The same, but decimals past the digits are rounded rather than refused. */
MUST_CHECK reason_t decimal_parse_round(struct slice s, unsigned digits, enum rounding mode,
                                        int64_t *out);

/* Returns the length. thousands 0: none; else put between groups of three (','). */
size_t decimal_format(int64_t value, unsigned digits, char thousands, char out[DECIMAL_SIZE]);

/* Without zeros at the end of the decimals, at least decimals_min of them. For rates. */
size_t decimal_format_short(int64_t value, unsigned digits, unsigned decimals_min,
                            char out[DECIMAL_SIZE]);

#endif
