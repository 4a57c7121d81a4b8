/* show.h: a query's rows as a report: what most of the operator's commands that list something do. */
#ifndef UJRAT_CLI_SHOW_H
#define UJRAT_CLI_SHOW_H

#include "cli/db.h"
#include "cli/report.h"

/* Asks as a reader and prints: a column of the query a column of the report, NULL is nothing. */
enum exit_code show_query(const struct args *args, const char *sql, int n,
                          const char *const *values, const struct report_column *columns,
                          size_t n_columns);

/* The same of a connection that is open. */
bool show_rows(const struct args *args, struct db *db, const char *sql, int n,
               const char *const *values, const struct report_column *columns, size_t n_columns);

/* The number of a bank, as text; false: there is none, and the user was told. */
bool find_bank(struct db *db, const char *code, char out[16]);

/* A whole number above zero on the command line. Complains, naming what, and returns false. */
bool is_number(const char *what, const char *text);

#endif
