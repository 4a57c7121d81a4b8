/*
 * table.h: a table for a terminal: columns as wide as their widest cell, numbers to the right.
 *
 * Cells are UTF-8; control characters in a cell are shown as '?', so that data cannot drive the terminal.
 */
#ifndef UJRAT_BASE_TABLE_H
#define UJRAT_BASE_TABLE_H

#include "base/err.h"

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 32
#define TABLE_ROWS_MAX    100000

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title;      /* must outlive the table */
    enum table_align align; /* TABLE_RIGHT for numbers */
};

struct table;

/* n_columns in 1..TABLE_COLUMNS_MAX. */
MUST_CHECK err_t table_new(const struct table_column *columns, size_t n_columns,
                           struct table **out);
void table_free(struct table **table);

/* n_columns cells, copied; NULL is shown as empty. ERR_LIMIT over TABLE_ROWS_MAX. */
MUST_CHECK err_t table_add(struct table *table, const char *const *cells);

/* A line between the rows so far and those to come (totals). */
MUST_CHECK err_t table_add_rule(struct table *table);

/* Titles, a rule, the rows; two spaces between columns, no blanks at line ends. */
void table_print(const struct table *table, FILE *out);

#endif
