/*
 * csv.h: lines of comma-separated values, as RFC 4180 has them: a value may be in double quotes, with "" for a quote
 * inside. A line is a record (no line breaks inside quotes). Empty lines and those that begin with '#' are skipped.
 */
#ifndef UJRAT_CLI_CSV_H
#define UJRAT_CLI_CSV_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_COLUMNS_MAX 64
#define CSV_LINE_MAX    4096

struct csv {
    struct slice rest;
    unsigned line; /* of the record last read, from 1 */
    size_t n;      /* its values */
    const char *values
        [CSV_COLUMNS_MAX]; /* NUL-terminated, blanks at both ends gone; valid until the next record */
    char store[CSV_LINE_MAX];
};

enum csv_result { CSV_RECORD, CSV_END, CSV_BROKEN };

/* text must outlive it. A byte-order mark at the beginning is skipped. */
void csv_init(struct csv *csv, struct slice text);

/* CSV_BROKEN: an open quote, text after a closing one, a NUL, too long or too many values; *why says which. */
enum csv_result csv_next(struct csv *csv, const char **why);

/* Which column of the record last read (the header) has that name, ignoring case, and blanks or '-' for '_'; -1 if
 * none. */
int csv_column(const struct csv *csv, const char *name);

#endif
