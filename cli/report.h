/*
 * report.h: what a command shows: rows under named columns, as a table for people or as JSON for programs.
 *
 * Cells are plain text ("1234.50"); a table puts thousands separators into amounts, JSON leaves them alone. On a
 * terminal the names of states are coloured (not with NO_COLOR set).
 */
#ifndef UJRAT_CLI_REPORT_H
#define UJRAT_CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum report_kind {
    REPORT_TEXT,
    REPORT_INT,    /* to the right; a number in JSON */
    REPORT_AMOUNT, /* to the right, with thousands separators; a string in JSON */
};

struct report_column {
    const char *title; /* "our rate"; in JSON "our_rate" */
    enum report_kind kind;
};

struct report;

/* columns must outlive it. Out of memory ends the program, here and below: there is nothing half done by then. */
void report_new(const struct report_column *columns, size_t n_columns, struct report **out);
void report_free(struct report **r);
/* As many cells as columns; NULL is nothing (null in JSON). */
void report_add(struct report *r, const char *const *cells);
/* A rule in the table. */
void report_add_rule(struct report *r);
size_t report_rows(const struct report *r);
/* To standard output. JSON: a list of objects. */
void report_print(const struct report *r, bool json);

#endif
