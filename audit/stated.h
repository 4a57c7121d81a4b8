/*
 * stated.h: what banks say they hold: a CSV file with the columns date, account, currency, balance, in any order, named
 * in its first line. Balances are the holder's: positive is money at the bank. Pure, and bounded.
 */
#ifndef UJRAT_AUDIT_STATED_H
#define UJRAT_AUDIT_STATED_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define STATED_ROWS_MAX  10000
#define STATED_BYTES_MAX (4U << 20)
#define STATED_CELLS_MAX 16

/* Cells point into the file, without their quotes; a quote within one is refused. */
struct stated_row {
    unsigned line; /* of the file, from 1 */
    int32_t day;
    struct slice account; /* "nostro.MUCB.PKR", or "upwork/nostro.MUCB.PKR" */
    struct slice currency;
    struct slice balance; /* as written */
};

struct stated_fault {
    unsigned line;
    const char *what;
};

/* Calls each for every row until it says false. False: *fault says which line is wrong, or each said so. */
bool stated_read(struct slice file, bool (*each)(void *context, const struct stated_row *row),
                 void *context, struct stated_fault *fault);

#endif
