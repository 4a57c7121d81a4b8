/* Payouts as CSV: the first line names the columns. */
#include "base/command.h"
#include "cli/csv.h"
#include "cli/payout_file_reader.h"

#include <stdlib.h>

struct csv_reader {
    struct csv csv;
    int column[COL_COUNT]; /* -1: the file does not have it */
};

static bool take_header(struct payout_reader *r, struct csv_reader *c)
{
    const char *why = NULL;

    if (csv_next(&c->csv, &why) != CSV_RECORD) {
        complain("%s: %s", r->path, why == NULL ? "it is empty" : why);
        return false;
    }
    for (int i = 0; i < COL_COUNT; i++)
        c->column[i] = csv_column(&c->csv, payout_column_names[i]);
    for (int i = COL_REFERENCE; i <= COL_CURRENCY; i++)
        if (c->column[i] < 0) {
            complain("%s: the first line must name the columns, and there is no '%s'", r->path,
                     payout_column_names[i]);
            return false;
        }
    for (size_t i = 0; i < c->csv.n; i++) {
        bool known = false;

        for (int k = 0; k < COL_COUNT; k++)
            known = known || c->column[k] == (int)i;
        if (!known) {
            complain("%s: column '%s' is not known or there twice", r->path, c->csv.values[i]);
            return false;
        }
    }
    return true;
}

static void take_row(struct payout_reader *r, const struct csv_reader *c)
{
    struct payout_line line = {.number = c->csv.line};

    if (c->csv.n > COL_COUNT || (size_t)c->column[COL_CURRENCY] >= c->csv.n)
        payout_reader_complain(r, line.number,
                               "the line does not have the columns of the first one", "");
    for (int i = 0; i < COL_COUNT; i++)
        if (c->column[i] >= 0 && (size_t)c->column[i] < c->csv.n)
            line.at[i] = slice_str(c->csv.values[c->column[i]]);
    payout_reader_add(r, &line);
}

static void take_rows(struct payout_reader *r, struct csv_reader *c)
{
    const char *why = NULL;
    enum csv_result result;

    while ((result = csv_next(&c->csv, &why)) != CSV_END) {
        if (result == CSV_BROKEN)
            payout_reader_complain(r, c->csv.line, why, "");
        else
            take_row(r, c);
    }
}

bool payout_file_read_csv(struct payout_reader *r, struct slice text)
{
    struct csv_reader *c = calloc(1, sizeof *c);
    bool ok;

    if (c == NULL)
        abort();
    csv_init(&c->csv, text);
    ok = take_header(r, c);
    if (ok)
        take_rows(r, c);
    free(c);
    return ok;
}
