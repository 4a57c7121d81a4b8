/*
 * rate_sheet.h: a day's rates against the rupee, read from a feed that cannot be trusted to be what it says.
 *
 * State Bank of Pakistan, mark to market: `currency,ready,w1,w2,m1,m2,m3,m4,m5,m6,m9,y1`, PKR for one unit;
 * we take `ready`. 0.0000 means that the tenor is not available: such a currency is left out. A sheet without
 * USD is refused, as is everything that has gone wrong before: another sheet under this one's name, HTML with
 * status 200, a cut file, a jump no market makes. The caller then keeps its last good sheet.
 */
#ifndef UJRAT_DOMAIN_RATE_SHEET_H
#define UJRAT_DOMAIN_RATE_SHEET_H

#include "base/str.h"
#include "domain/ccy.h"
#include "domain/rate.h"
#include "domain/reason.h"

#include <stddef.h>
#include <stdint.h>

#define RATE_SHEET_ENTRIES_MAX 192
#define RATE_SHEET_BYTES_MAX   65536

/* No unit of any currency is worth more rupees than this (the dearest is about 12,000). */
#define RATE_SHEET_PKR_PER_UNIT_MAX 1000000

/* X(name, sentence) */
#define RATE_SHEET_FAULT_TABLE(X)                                                                  \
    X(EMPTY, "the sheet is empty")                                                                 \
    X(TOO_LARGE, "the sheet is larger than any rate sheet")                                        \
    X(HTML, "HTML, not a rate sheet")                                                              \
    X(NOT_TEXT, "not a text file")                                                                 \
    X(CUSTOMER_SHEET,                                                                              \
      "a customer-rate sheet (currency,buying,selling), not a mark-to-market sheet")               \
    X(HEADER, "the first line is not the header of a mark-to-market sheet")                        \
    X(COLUMNS, "a line does not have 12 columns")                                                  \
    X(CURRENCY, "not a currency code")                                                             \
    X(DUPLICATE, "a currency is there twice")                                                      \
    X(NUMBER, "not a decimal number")                                                              \
    X(NEGATIVE, "a rate is negative")                                                              \
    X(ABSURD, "a rate is beyond anything possible")                                                \
    X(TRUNCATED, "the sheet is cut off")                                                           \
    X(TOO_MANY, "more currencies than there are")                                                  \
    X(NO_USD, "there is no rate for USD")                                                          \
    X(NO_PKR, "there is no rate for PKR")                                                          \
    X(JUMP, "a rate is too far from the last good one")                                            \
    X(SHRUNK, "more than half of the currencies of the last good sheet are missing")               \
    X(PKR_IN_SHEET, "the rupee has a rate against itself")

enum rate_sheet_fault {
    RATE_SHEET_OK = 0,
#define RATE_SHEET_ENUM(name, text) RATE_SHEET_##name,
    RATE_SHEET_FAULT_TABLE(RATE_SHEET_ENUM)
#undef RATE_SHEET_ENUM
};

struct rate_sheet_entry {
    uint16_t ccy;
    rate_t pkr_per_unit;
};

struct rate_sheet {
    int32_t date; /* days since 1970-01-01, as the caller said: sheets do not name their day */
    size_t n;
    size_t n_ignored;     /* lines of codes that are not in ISO 4217 (CNH) */
    size_t n_unavailable; /* lines whose `ready` was 0.0000 */
    struct rate_sheet_entry
        entries[RATE_SHEET_ENTRIES_MAX]; /* by currency number; PKR itself is not in it */
};

/* Where the fault is. */
struct rate_sheet_problem {
    enum rate_sheet_fault fault;
    unsigned line;    /* from 1; 0 if it is not about one line */
    char currency[8]; /* as printed in the sheet (cut); empty if it is not about one */
};

/* previous: the last good sheet, or NULL. jump_bps_max: how far a rate may be from its previous one, in
 * hundredths of a percent of that (500 is 5%); 0: not checked. */
struct rate_sheet_guard {
    const struct rate_sheet *previous;
    int32_t jump_bps_max;
};

/* Reads the CSV. guard may be NULL. *out is written only on RATE_SHEET_OK; *problem always. */
MUST_CHECK enum rate_sheet_fault rate_sheet_parse_sbp(struct slice csv, int32_t date,
                                                      const struct rate_sheet_guard *guard,
                                                      struct rate_sheet *out,
                                                      struct rate_sheet_problem *problem);

/* "units of code for one USD", as day files in JSON have them. Decimals past the tenth are rounded. */
struct usd_rate {
    struct slice code;    /* any case; those not in ISO 4217 are ignored */
    struct slice per_usd; /* decimal number */
};

/* PKR per unit of x = (PKR per USD) / (x per USD), half even. PKR must be there, and USD gets PKR's own
 * number (an entry for USD other than 1 is ABSURD). Zero and negative are refused for PKR; for others zero
 * means not available. RATE_SHEET_NUMBER etc. name the entry by line = index + 1. */
MUST_CHECK enum rate_sheet_fault rate_sheet_from_usd_rates(const struct usd_rate *rates, size_t n,
                                                           int32_t date,
                                                           const struct rate_sheet_guard *guard,
                                                           struct rate_sheet *out,
                                                           struct rate_sheet_problem *problem);

/* "HTML, not a rate sheet". Never NULL. */
const char *rate_sheet_fault_text(enum rate_sheet_fault fault);

/* "JUMP": stable, for logs and tests. */
const char *rate_sheet_fault_name(enum rate_sheet_fault fault);

/* PKR for one unit. 1 for PKR. RATE_MISSING if it is not in the sheet. */
MUST_CHECK reason_t rate_sheet_pkr(const struct rate_sheet *sheet, uint16_t ccy, rate_t *out);

/* Units of dst for one src, crossed through the rupee. RATE_MISSING, RATE_INVALID. */
MUST_CHECK reason_t rate_sheet_mid(const struct rate_sheet *sheet, uint16_t src, uint16_t dst,
                                   rate_t *out);

#endif
