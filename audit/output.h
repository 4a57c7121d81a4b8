/*
 * output.h: where a report goes: standard output, or a file that appears whole or not at all.
 *
 * Every function that fails has told the user why.
 */
#ifndef UJRAT_AUDIT_OUTPUT_H
#define UJRAT_AUDIT_OUTPUT_H

#include "audit/money.h"
#include "base/table.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct output {
    FILE *file;
    const char *path; /* NULL: standard output */
    char temporary[PATH_MAX];
};

/* path: "-" or NULL is standard output. Else a file beside it, of mode 0600, is written until output_commit()
 * gives it the name, and replaces what had it. */
bool output_open(const char *path, struct output *out);

/* Flushes, syncs and renames. False: it could not, and nothing has the name that had it not before. */
bool output_commit(struct output *out);

/* Gives it up: the file is gone. After output_commit() it does nothing. */
void output_abandon(struct output *out);

/* One JSON value, and a line feed behind it. Takes the reference. indent 0: all in one line. Standard output's errors
 * are found at its end, by main(). NULL is out of memory. */
bool output_json(FILE *file, json_t *value, unsigned indent);

/* table_add() and table_add_rule() (cells is NULL), and a word to the user if it cannot. */
bool output_row(struct table *table, const char *const *cells);

/* "1,234.50 Dr", "0.05 Cr", "0.00": a balance that says its side. */
#define SIDED_SIZE (AMOUNT_TEXT_SIZE + 4)
const char *output_sided(amount_t minor, unsigned digits, char out[SIDED_SIZE]);

/* Text from outside for a line of a terminal: what would move the cursor is '?'. Cut at out_size. */
const char *output_clean(const char *text, char *out, size_t out_size);

#endif
