/*
 * fx.h: conversion.
 *
 *     minor_out = round(minor_in × rate.e10 × 10^(digits_out − digits_in) / 10^10)
 *
 * in 128 bits, where nothing can overflow: |minor_in × rate.e10| < 2^126, and the power of ten goes into the
 * divisor, which stays between 10^6 and 10^14. Only the result is checked.
 */
#ifndef UJRAT_DOMAIN_FX_H
#define UJRAT_DOMAIN_FX_H

#include "domain/money.h"
#include "domain/rate.h"
#include "domain/reason.h"
#include "domain/rounding.h"

/* rate: units of ccy_out per unit of in.ccy. Signs are kept: converting −x gives −(converting x).
 * CURRENCY_UNKNOWN, RATE_INVALID (not above zero), AMOUNT_OVERFLOW. */
MUST_CHECK reason_t fx_convert(money_t in, rate_t rate, uint16_t ccy_out, enum rounding mode,
                               money_t *out);

#endif
