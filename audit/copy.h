/*
 * copy.h: rows of a query as PostgreSQL's COPY … TO STDOUT (FORMAT binary) sends them: the cheapest way to read many.
 *
 * Rows' fields point into the row, which is valid until the next one. Whoever asks knows the types of its columns; that
 * a value is as long as its type is checked, and a row that is not as expected reads as a failure.
 */
#ifndef UJRAT_AUDIT_COPY_H
#define UJRAT_AUDIT_COPY_H

#include "audit/db.h"
#include "audit/record.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define COPY_FIELDS_MAX 64
#define COPY_ARRAY_MAX  RECORD_RATES_MAX

struct copy {
    struct db *db;
    char *row;                            /* libpq's */
    bool open;                            /* more rows may come */
    bool began;                           /* its header was read */
    bool bad;                             /* a value was not of its type */
    int n;                                /* fields */
    struct slice fields[COPY_FIELDS_MAX]; /* p NULL: SQL's NULL */
};

/* query: a SELECT without parameters. False: it has told the user. */
bool copy_begin(struct copy *copy, struct db *db, const char *query);

/* 1 a row, 0 the end, -1 it failed and the user was told. */
int copy_next(struct copy *copy);

/* Reads what is left and drops it; for when no more is wanted. False: the connection is of no more use. */
bool copy_drop(struct copy *copy);

/* Values of field i. NULL is 0, or absent. A number may have 2, 4 or 8 bytes. */
int64_t copy_int(struct copy *copy, int i);
struct opt_int copy_opt_int(struct copy *copy, int i);
int64_t copy_time_us(struct copy *copy,
                     int i); /* timestamptz, since 1970; the infinities are the ends of int64_t */
int64_t copy_date_days(struct copy *copy, int i);
static inline struct slice copy_slice(const struct copy *copy, int i)
{
    return copy->fields[i];
}

/* Elements of a plain list of numbers; -1 if it is none, has a NULL in it or has more than max. */
int copy_ints(struct copy *copy, int i, int64_t *out, int max);

/* The fields of a composite value, in place of the row's own (those stay valid). False: it is none, or NULL. */
bool copy_composite(struct copy *copy, int i, struct copy *out);

#endif
