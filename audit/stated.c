#include "audit/stated.h"

#include "base/timefmt.h"

static const char *const names[] = {"date", "account", "currency", "balance"};

enum { DATE, ACCOUNT, CURRENCY, BALANCE, COLUMNS };

/* A line's cells. NULL: done; else what is wrong. */
static const char *split(struct slice line, struct slice cells[STATED_CELLS_MAX], size_t *n)
{
    bool more = true;

    for (*n = 0; more; (*n)++) {
        struct slice *cell = &cells[*n];

        if (*n == STATED_CELLS_MAX)
            return "too many cells";
        if (line.len > 0 && line.p[0] == '"') {
            line = slice_of(line.p + 1, line.len - 1);
            if (!slice_cut(line, '"', cell, &line))
                return "a quote that does not end";
            if (line.len > 0 && line.p[0] != ',')
                return "a quote within a cell";
            more = line.len > 0;
            line = more ? slice_of(line.p + 1, line.len - 1) : line;
        } else {
            more = slice_cut(line, ',', cell, &line);
            if (cell->len > 0 && memchr(cell->p, '"', cell->len) != NULL)
                return "a quote within a cell";
        }
        *cell = slice_trim(*cell);
    }
    return NULL;
}

static const char *read_header(struct slice line, size_t columns[COLUMNS], size_t *n)
{
    struct slice cells[STATED_CELLS_MAX];
    const char *wrong = split(line, cells, n);
    static const char *const missing[] = {
        "there is no column 'date'", "there is no column 'account'",
        "there is no column 'currency'", "there is no column 'balance'"};

    for (size_t c = 0; wrong == NULL && c < COLUMNS; c++) {
        columns[c] = SIZE_MAX;
        for (size_t i = 0; i < *n; i++)
            if (slice_equal_str(cells[i], names[c])) {
                if (columns[c] != SIZE_MAX)
                    return "a column that is there twice";
                columns[c] = i;
            }
        if (columns[c] == SIZE_MAX)
            wrong = missing[c];
    }
    return wrong;
}

static const char *read_row(struct slice line, const size_t columns[COLUMNS], size_t wanted,
                            struct stated_row *out)
{
    struct slice cells[STATED_CELLS_MAX];
    size_t n = 0;
    const char *wrong = split(line, cells, &n);

    if (wrong == NULL && n != wanted)
        wrong = "another number of cells than the first line has";
    if (wrong == NULL && err_failed(timefmt_parse_date(cells[columns[DATE]], &out->day)))
        wrong = "date: YYYY-MM-DD is wanted";
    if (wrong != NULL)
        return wrong;
    out->account = cells[columns[ACCOUNT]];
    out->currency = cells[columns[CURRENCY]];
    out->balance = cells[columns[BALANCE]];
    if (out->account.len == 0)
        return "account: it is empty";
    return out->balance.len == 0 ? "balance: it is empty" : NULL;
}

bool stated_read(struct slice file, bool (*each)(void *context, const struct stated_row *row),
                 void *context, struct stated_fault *fault)
{
    struct slice line;
    size_t columns[COLUMNS] = {0};
    size_t wanted = 0;
    unsigned rows = 0;

    *fault = (struct stated_fault){1, "it is empty"};
    if (file.len > STATED_BYTES_MAX) {
        fault->what = "it is too large";
        return false;
    }
    if (slice_starts_with(file, SLICE("\xef\xbb\xbf"))) /* what spreadsheets put in front */
        file = slice_of(file.p + 3, file.len - 3);
    if (!slice_next_line(&file, &line))
        return false;
    if ((fault->what = read_header(line, columns, &wanted)) != NULL)
        return false;
    while (slice_next_line(&file, &line)) {
        struct stated_row row = {.line = ++fault->line};

        if (slice_trim(line).len == 0)
            continue;
        if (++rows > STATED_ROWS_MAX) {
            fault->what = "too many rows";
            return false;
        }
        if ((fault->what = read_row(line, columns, wanted, &row)) != NULL)
            return false;
        if (!each(context, &row))
            return false;
    }
    return true;
}
