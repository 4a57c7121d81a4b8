/*
 * ccy.h: currencies of ISO 4217 with a minor unit (funds codes, metals and withdrawn ones are not here).
 *
 * The key is the numeric code, as in money_t and in the database. domain/ccy_table.h holds the rows of
 * data/currencies.csv; a test compares the two.
 */
#ifndef UJRAT_DOMAIN_CCY_H
#define UJRAT_DOMAIN_CCY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define CCY_PKR ((uint16_t)586)
#define CCY_USD ((uint16_t)840)
#define CCY_EUR ((uint16_t)978)
#define CCY_GBP ((uint16_t)826)

#define CCY_DIGITS_MAX 4
#define CCY_COUNT_MAX  192

struct ccy {
    uint16_t number; /* ISO 4217 numeric */
    char alpha[4];   /* "PKR" and a NUL */
    uint8_t digits;  /* of the minor unit: JPY 0, PKR 2, KWD 3 */
    const char *name;
};

/* NULL if unknown. Upper case only. */
const struct ccy *ccy_by_number(uint16_t number);
const struct ccy *ccy_by_alpha(struct slice alpha);

/* All, by alphabetic code; NULL past the end. */
const struct ccy *ccy_at(unsigned i);

/* "PKR"; "???" if unknown. */
const char *ccy_alpha(uint16_t number);

#endif
