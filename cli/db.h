/*
 * db.h: a synchronous connection to the ledger's database, for commands. Every function that fails has told the user
 * why, on standard error, without a password in it.
 */
#ifndef UJRAT_CLI_DB_H
#define UJRAT_CLI_DB_H

#include "base/command.h"
#include "domain/reason.h"

#include <libpq-fe.h>
#include <stdint.h>

enum db_as {
    DB_AS_ADMIN,    /* UJRAT_ADMIN_DB: may make roles and schemas */
    DB_AS_OPERATOR, /* UJRAT_OPERATOR_DB */
    DB_AS_READER,   /* UJRAT_DB, the auditor's, or UJRAT_OPERATOR_DB */
};

struct db {
    PGconn *conn;
    char sqlstate[6]; /* of the last statement that failed; empty if the server did not say */
    bool will_retry;  /* say nothing of failures that another try may mend */
};

/* Whether the last failure came from meeting another transaction. */
bool db_may_retry(const struct db *db);

/* Connects as --db, --db-file or the environment says. EXIT_DONE, EXIT_USAGE if nothing says where, EXIT_REFUSED.
 * The search path is the ledger's. */
enum exit_code db_open(const struct args *args, enum db_as as, struct db *db);
void db_close(struct db *db);

/* Runs SQL (db_run: several statements; the last one's result). NULL: it failed. PQclear the result. */
PGresult *db_run(struct db *db, const char *sql);
PGresult *db_query(struct db *db, const char *sql, int n, const char *const *values);
/* The same where no rows are wanted. */
bool db_do(struct db *db, const char *sql);

/* A cell that is a whole number; 0 if it is not one, or NULL. */
int64_t db_int(const PGresult *result, int row, int col);

/* What a failed command that writes ends with: EXIT_UNKNOWN when the connection was lost under it. */
enum exit_code db_failure(const struct db *db);

/* Reads a small file that others must not be able to read; the first line without its end, in out. */
bool read_secret_file(const char *path, char *out, size_t out_size);

#endif
