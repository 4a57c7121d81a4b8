/*
 * money.h: an amount: 64-bit minor units and a currency. Only money_* does arithmetic with it.
 *
 * Nothing overflows or mixes currencies in silence: the result is a reason, and *out is untouched on refusal.
 */
#ifndef UJRAT_DOMAIN_MONEY_H
#define UJRAT_DOMAIN_MONEY_H

#include "base/str.h"
#include "domain/ccy.h"
#include "domain/decimal.h"
#include "domain/reason.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t minor; /* minor units: paisa, cents, yen */
    uint16_t ccy;  /* ISO 4217 numeric */
} money_t;

static inline money_t money_of(int64_t minor, uint16_t ccy)
{
    return (money_t){minor, ccy};
}

static inline bool money_equal(money_t a, money_t b)
{
    return a.minor == b.minor && a.ccy == b.ccy;
}

/* CURRENCY_MISMATCH, AMOUNT_OVERFLOW. */
MUST_CHECK reason_t money_add(money_t a, money_t b, money_t *out);
MUST_CHECK reason_t money_sub(money_t a, money_t b, money_t *out);
MUST_CHECK reason_t money_neg(money_t a, money_t *out);

/* *order is -1, 0 or 1. CURRENCY_MISMATCH. */
MUST_CHECK reason_t money_compare(money_t a, money_t b, int *order);

/* AMOUNT_ZERO or AMOUNT_NEGATIVE; CURRENCY_UNKNOWN. */
MUST_CHECK reason_t money_check_positive(money_t a);

/* Major units with at most the currency's own digits: "12.5" PKR is 1250 paisa. AMOUNT_INVALID,
 * AMOUNT_OVERFLOW, CURRENCY_UNKNOWN. */
MUST_CHECK reason_t money_parse(struct slice text, uint16_t ccy, money_t *out);

/* Room for any money_format() result. */
#define MONEY_TEXT_SIZE 56

enum money_style {
    MONEY_PLAIN = 0,         /* 1234567.89: what money_parse() reads */
    MONEY_THOUSANDS = 1,     /* 1,234,567.89 */
    MONEY_CODE = 2,          /* PKR 1234567.89 */
    MONEY_CODE_THOUSANDS = 3 /* PKR 1,234,567.89 */
};

/* Always with all of the currency's digits. Of an unknown currency: minor units. Returns out. */
const char *money_format(money_t a, enum money_style style, char out[MONEY_TEXT_SIZE]);

#endif
