#include "cli/report.h"

#include "base/command.h"
#include "base/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct report {
    const struct report_column *columns;
    size_t n_columns;
    struct table *table;
    json_t *rows;
};

static void must(bool ok)
{
    if (ok)
        return;
    complain("out of memory");
    exit(EXIT_REFUSED);
}

void report_new(const struct report_column *columns, size_t n_columns, struct report **out)
{
    struct table_column table_columns[TABLE_COLUMNS_MAX];
    struct report *r = calloc(1, sizeof *r);

    must(r != NULL);
    for (size_t i = 0; i < n_columns; i++) {
        table_columns[i].title = columns[i].title;
        table_columns[i].align = columns[i].kind == REPORT_TEXT ? TABLE_LEFT : TABLE_RIGHT;
    }
    r->columns = columns;
    r->n_columns = n_columns;
    r->rows = json_array();
    must(!err_failed(table_new(table_columns, n_columns, &r->table)) && r->rows != NULL);
    *out = r;
}

void report_free(struct report **r)
{
    if (*r == NULL)
        return;
    table_free(&(*r)->table);
    json_decref((*r)->rows);
    free(*r);
    *r = NULL;
}

/* "1234.5" to "1,234.5"; what is not a decimal number stays as it is. Returns out. */
static const char *with_thousands(const char *amount, char *out, size_t out_size)
{
    size_t sign = amount[0] == '-';
    size_t digits = strspn(amount + sign, "0123456789");
    size_t o = 0;

    if (digits == 0 || digits + digits / 3 + strlen(amount) >= out_size) {
        snprintf(out, out_size, "%s", amount);
        return out;
    }
    if (sign)
        out[o++] = '-';
    for (size_t i = 0; i < digits; i++) {
        if (i > 0 && (digits - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = amount[sign + i];
    }
    snprintf(out + o, out_size - o, "%s", amount + sign + digits);
    return out;
}

static json_t *cell_json(enum report_kind kind, const char *cell)
{
    if (cell == NULL)
        return json_null();
    if (kind == REPORT_INT && cell[0] != '\0')
        return json_integer(strtoll(cell, NULL, 10));
    return json_string(cell);
}

void report_add(struct report *r, const char *const *cells)
{
    char shown[TABLE_COLUMNS_MAX][64];
    const char *table_cells[TABLE_COLUMNS_MAX];
    json_t *row = json_object();

    for (size_t i = 0; i < r->n_columns; i++) {
        const struct report_column *c = &r->columns[i];
        char key[64];

        snprintf(key, sizeof key, "%s", c->title);
        for (char *p = key; *p != '\0'; p++)
            if (*p == ' ')
                *p = '_';
        must(json_object_set_new(row, key, cell_json(c->kind, cells[i])) == 0);
        table_cells[i] = cells[i] == NULL || c->kind == REPORT_TEXT
                             ? cells[i]
                             : with_thousands(cells[i], shown[i], sizeof shown[i]);
    }
    must(json_array_append_new(r->rows, row) == 0);
    must(!err_failed(table_add(r->table, table_cells)));
}

void report_add_rule(struct report *r)
{
    must(!err_failed(table_add_rule(r->table)));
}

size_t report_rows(const struct report *r)
{
    return json_array_size(r->rows);
}

/* ---------------------------------------------------------------- printing */

static bool output_is_coloured(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* Which colour a word has, or NULL. */
static const char *colour_of(const char *word, size_t len)
{
    static const struct {
        const char *word;
        const char *colour;
    } coloured[] = {
        {"SETTLED", "32"},   {"ACCEPTED", "36"},  {"INSTRUCTED", "36"},      {"DUPLICATE", "2"},
        {"REJECTED", "31"},  {"RETURNED", "33"},  {"PARTLY_RETURNED", "33"}, {"CANCELLED", "33"},
        {"REFUSED", "31"},   {"UNKNOWN", "35"},   {"NOT_DONE", "35"},        {"HELD", "33"},
        {"UNCLAIMED", "33"}, {"DIFFERENT", "31"}, {"outdated", "33"},        {"missing", "33"},
        {"refused", "31"},
    };

    for (size_t i = 0; i < sizeof coloured / sizeof *coloured; i++)
        if (strlen(coloured[i].word) == len && memcmp(coloured[i].word, word, len) == 0)
            return coloured[i].colour;
    return NULL;
}

/* The table goes through with escape sequences around whole words: their widths are settled by then. */
static void print_coloured(const char *text)
{
    while (*text != '\0') {
        size_t blanks = strspn(text, " \n");
        size_t word = strcspn(text + blanks, " \n");
        const char *colour = colour_of(text + blanks, word);

        fwrite(text, 1, blanks, stdout);
        if (colour != NULL)
            printf("\033[%sm", colour);
        fwrite(text + blanks, 1, word, stdout);
        if (colour != NULL)
            fputs("\033[0m", stdout);
        text += blanks + word;
    }
}

void report_print(const struct report *r, bool json)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory;

    if (json) {
        json_dumpf(r->rows, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    if (!output_is_coloured()) {
        table_print(r->table, stdout);
        return;
    }
    memory = open_memstream(&text, &len);
    must(memory != NULL);
    table_print(r->table, memory);
    must(fclose(memory) == 0);
    print_coloured(text);
    free(text);
}
