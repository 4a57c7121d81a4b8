/*
 * db.h: the auditor's connection to a ledger's database. Read-only, one snapshot from its opening to its end, so that
 * whatever is read together was true together. Every function that fails has told the user why, without a password.
 */
#ifndef UJRAT_AUDIT_DB_H
#define UJRAT_AUDIT_DB_H

#include "base/command.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct db {
    PGconn *conn;
};

/* Connects as --db, --db-file or UJRAT_DB says, and begins a transaction that is REPEATABLE READ, READ ONLY.
 * The search path is the ledger's. EXIT_DONE, EXIT_USAGE if nothing says where, EXIT_REFUSED. */
enum exit_code db_open(const struct args *args, struct db *db);
void db_close(struct db *db);

/* Rows as text. values: as many as $n in sql; NULL entries are SQL's NULL. NULL: it failed. PQclear the result. */
PGresult *db_query(struct db *db, const char *sql, int n, const char *const *values);

/* Begins to stream rows in PostgreSQL's binary formats, one result a row, in bounded memory. Then db_row() until it
 * says there is none: 1 a row in *row (PQclear it), 0 the end, -1 it failed. Nothing else may be asked meanwhile. */
bool db_stream(struct db *db, const char *sql, int n, const char *const *values);
int db_row(struct db *db, PGresult **row);

/* A text cell that is a whole number; 0 if it is not one, or NULL. */
int64_t db_int(const PGresult *result, int row, int col);

#endif
