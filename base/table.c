#include "base/table.h"

#include "base/str.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table {
    size_t n_columns;
    size_t n_rows;
    size_t rows_size;
    char **cells; /* n_columns a row; a rule is a row of NULLs */
    size_t widths[TABLE_COLUMNS_MAX];
    struct table_column columns[TABLE_COLUMNS_MAX];
};

#define GAP "  "

err_t table_new(const struct table_column *columns, size_t n_columns, struct table **out)
{
    assert(n_columns >= 1 && n_columns <= TABLE_COLUMNS_MAX);
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return err_make(ERR_NO_MEMORY, "table");
    table->n_columns = n_columns;
    for (size_t i = 0; i < n_columns; i++) {
        table->columns[i] = columns[i];
        table->widths[i] = utf8_width(slice_str(columns[i].title));
    }
    *out = table;
    return err_none();
}

void table_free(struct table **table)
{
    struct table *t = *table;
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
    *table = NULL;
}

/* A copy that is safe to show: what would move the cursor or is not UTF-8 becomes '?'. */
static char *clean_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return NULL;
    char *to = copy;
    struct slice rest = slice_str(text);
    while (rest.len > 0) {
        struct slice one = rest;
        (void)utf8_next(&rest);
        one.len -= rest.len;
        if (utf8_check(one, NULL) == UTF8_OK) {
            memcpy(to, one.p, one.len);
            to += one.len;
        } else {
            *to++ = '?';
        }
    }
    *to = '\0';
    return copy;
}

static err_t new_row(struct table *table, char ***row)
{
    if (table->n_rows == TABLE_ROWS_MAX)
        return err_make(ERR_LIMIT, "table full");
    if (table->n_rows == table->rows_size) {
        size_t size = table->rows_size == 0 ? 16 : table->rows_size * 2;
        char **cells = realloc(table->cells, size * table->n_columns * sizeof *cells);
        if (cells == NULL)
            return err_make(ERR_NO_MEMORY, "table");
        table->cells = cells;
        table->rows_size = size;
    }
    *row = table->cells + table->n_rows * table->n_columns;
    memset(*row, 0, table->n_columns * sizeof **row);
    table->n_rows++;
    return err_none();
}

err_t table_add(struct table *table, const char *const *cells)
{
    char **row = NULL;
    err_t err = new_row(table, &row);
    if (err_failed(err))
        return err;
    for (size_t i = 0; i < table->n_columns; i++) {
        row[i] = clean_copy(cells[i] == NULL ? "" : cells[i]);
        if (row[i] == NULL)
            return err_make(ERR_NO_MEMORY, "table");
        size_t width = utf8_width(slice_str(row[i]));
        if (width > table->widths[i])
            table->widths[i] = width;
    }
    return err_none();
}

err_t table_add_rule(struct table *table)
{
    char **row = NULL;
    return new_row(table, &row);
}

static void pad(FILE *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)fputc(' ', out);
}

/* Blanks are owed, and paid only when something follows: no line ends in one. */
static void print_cells(const struct table *table, const char *const *cells, FILE *out)
{
    size_t owed = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *cell = cells[i] == NULL ? "" : cells[i];
        size_t fill = table->widths[i] - utf8_width(slice_str(cell));
        bool right = table->columns[i].align == TABLE_RIGHT;
        owed += i > 0 ? sizeof GAP - 1 : 0;
        if (cell[0] != '\0') {
            pad(out, owed + (right ? fill : 0));
            (void)fputs(cell, out);
            owed = right ? 0 : fill;
        } else {
            owed += fill;
        }
    }
    (void)fputc('\n', out);
}

static void print_rule(const struct table *table, FILE *out)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        (void)fputs(i > 0 ? GAP : "", out);
        for (size_t n = 0; n < table->widths[i]; n++)
            (void)fputc('-', out);
    }
    (void)fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
    const char *titles[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->n_columns; i++)
        titles[i] = table->columns[i].title;
    print_cells(table, titles, out);
    print_rule(table, out);
    for (size_t r = 0; r < table->n_rows; r++) {
        const char *cells[TABLE_COLUMNS_MAX];
        bool rule = true;
        for (size_t i = 0; i < table->n_columns; i++) {
            cells[i] = table->cells[r * table->n_columns + i];
            rule = rule && cells[i] == NULL;
        }
        if (rule)
            print_rule(table, out);
        else
            print_cells(table, cells, out);
    }
}
