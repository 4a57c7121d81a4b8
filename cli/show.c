#include "cli/show.h"

#include "base/str.h"

enum { COLUMNS_MAX = 20 };

bool show_rows(const struct args *args, struct db *db, const char *sql, int n,
               const char *const *values, const struct report_column *columns, size_t n_columns)
{
    const char *cells[COLUMNS_MAX];
    struct report *report = NULL;
    PGresult *r = db_query(db, sql, n, values);

    if (r == NULL)
        return false;
    report_new(columns, n_columns, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        for (size_t c = 0; c < n_columns && c < COLUMNS_MAX; c++)
            cells[c] = PQgetisnull(r, i, (int)c) ? NULL : PQgetvalue(r, i, (int)c);
        report_add(report, cells);
    }
    report_print(report, args_json(args));
    report_free(&report);
    PQclear(r);
    return true;
}

enum exit_code show_query(const struct args *args, const char *sql, int n,
                          const char *const *values, const struct report_column *columns,
                          size_t n_columns)
{
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    code = show_rows(args, &db, sql, n, values, columns, n_columns) ? EXIT_DONE : EXIT_REFUSED;
    db_close(&db);
    return code;
}

bool find_bank(struct db *db, const char *code, char out[16])
{
    PGresult *r =
        db_query(db, "SELECT bank_id FROM bank WHERE code = $1", 1, (const char *const[]){code});
    bool found = r != NULL && PQntuples(r) == 1;

    if (r != NULL && !found)
        complain("there is no bank '%s'", code);
    if (found)
        snprintf(out, 16, "%lld", (long long)db_int(r, 0, 0));
    PQclear(r);
    return found;
}

bool is_number(const char *what, const char *text)
{
    int64_t value;

    if (!err_failed(str_parse_int64(slice_str(text), &value)) && value > 0)
        return true;
    complain("%s '%s' is not a whole number above zero", what, text);
    return false;
}
