/*
 * money.h: minor units as text and back, and sums that do not overflow. The auditor's own: it shares nothing with
 * what posts. An amount here is a whole number of minor units, debit positive; its currency says how many digits.
 */
#ifndef UJRAT_AUDIT_MONEY_H
#define UJRAT_AUDIT_MONEY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/* Sums of int64_t, as many as there can be rows, and products of two of them. */
__extension__ typedef __int128 amount_t;

#define AMOUNT_DIGITS_MAX 4
#define AMOUNT_TEXT_SIZE  64 /* any amount_t with separators, sign and decimals, and a NUL */

/* "-1234.50": for programs. digits is at most AMOUNT_DIGITS_MAX. */
const char *amount_plain(amount_t minor, unsigned digits, char out[AMOUNT_TEXT_SIZE]);

/* "-1,234.50": for people. */
const char *amount_shown(amount_t minor, unsigned digits, char out[AMOUNT_TEXT_SIZE]);

/* "1234.5", "-0.05", "1,234.50": separators only where amount_shown() puts them, decimals no more than the currency
 * has (more are welcome if they are zeros). ERR_PARSE, or ERR_LIMIT over 30 digits. */
MUST_CHECK err_t amount_parse(struct slice s, unsigned digits, amount_t *out);

/* A whole number in decimal, as PostgreSQL prints a numeric that is one. ERR_PARSE, ERR_LIMIT over 30 digits. */
MUST_CHECK err_t amount_parse_whole(struct slice s, amount_t *out);

/* *sum += minor; false if it does not fit, and then *sum is as it was. */
MUST_CHECK bool amount_add(amount_t *sum, amount_t minor);

#endif
