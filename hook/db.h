/*
 * db.h: the notifier's connection: one, synchronous, with a deadline for every answer, and given up soon when the
 * program is asked to end. Statements are those of ledger/sql, prepared when first asked.
 */
#ifndef UJRAT_HOOK_DB_H
#define UJRAT_HOOK_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/params.h"
#include "ledger/rows.h"

/* How a step went. */
enum hook_result {
    HOOK_OK,
    HOOK_LOST, /* the connection, and with it the lead: connect anew and begin again. What was under way may be done */
    HOOK_REFUSED, /* the database said no, and nothing was done: see sqlstate */
    HOOK_STOPPED, /* we are asked to end */
};

enum { HOOK_PROBLEM_SIZE = 320 };

struct hook_db {
    PGconn *conn;
    bool *prepared; /* by the statement's number */
    int64_t timeout_ms;
    int stop_fd;          /* becomes readable when the program is to end; -1: none */
    struct params params; /* for whoever asks next */
    char sqlstate[6];
    char problem[HOOK_PROBLEM_SIZE]; /* why it is not HOOK_OK, one line, without the URI */
};

/* HOOK_OK or HOOK_LOST. The session's search path is the ledger's. */
enum hook_result hook_db_open(struct hook_db *db, const char *uri, int64_t timeout_ms, int stop_fd);
void hook_db_close(struct hook_db *db);

/* Empties db->params and returns it. */
struct params *hook_db_params(struct hook_db *db);

/* Runs the statement of that name with db->params. *rows on HOOK_OK only; hook_rows_free() them. */
enum hook_result hook_db_ask(struct hook_db *db, const char *name, struct rows **rows);
/* The same, where nothing is wanted but that it is done. */
enum hook_result hook_db_do(struct hook_db *db, const char *name);
void hook_rows_free(struct rows **rows);

/* The program is to end. */
bool hook_db_stop(const struct hook_db *db);

#endif
