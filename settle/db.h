/*
 * db.h: the connection of ujrat-settle: one, synchronous, with a deadline for every answer, and given up soon when the
 * program is asked to end. Statements are those of ledger/sql, prepared when first asked.
 */
#ifndef UJRAT_SETTLE_DB_H
#define UJRAT_SETTLE_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/params.h"
#include "ledger/rows.h"

/* How a step went. */
enum settle_result {
    SETTLE_OK,
    SETTLE_LOST,    /* the connection, and with it the lead: connect anew and begin again. What was under way may be done */
    SETTLE_REFUSED, /* the database said no, and nothing was done: see sqlstate */
    SETTLE_FAILED,  /* something on our side (a disk, a key): said in the log; the next round tries again */
    SETTLE_STOPPED, /* we are asked to end */
};

enum { SETTLE_PROBLEM_SIZE = 320 };

struct settle_db {
    PGconn *conn;
    bool *prepared; /* by the statement's number */
    uint32_t type_oid[LEDGER_TYPE_COUNT];
    int64_t timeout_ms;
    int stop_fd; /* becomes readable when the program is to end; -1: none */
    struct params params; /* for whoever asks next */
    char sqlstate[6];
    char problem[SETTLE_PROBLEM_SIZE]; /* why it is not SETTLE_OK, one line, without the URI */
};

/* SETTLE_OK or SETTLE_LOST. The session's search path is the ledger's. */
enum settle_result settle_db_open(struct settle_db *db, const char *uri, int64_t timeout_ms,
                                  int stop_fd);
void settle_db_close(struct settle_db *db);

/* Empties db->params and returns it. */
struct params *settle_db_params(struct settle_db *db);

/* Runs the statement of that name with db->params. *rows on SETTLE_OK only; settle_rows_free() them. */
enum settle_result settle_db_ask(struct settle_db *db, const char *name, struct rows **rows);
/* The same, where nothing is wanted but that it is done. */
enum settle_result settle_db_do(struct settle_db *db, const char *name);
void settle_rows_free(struct rows **rows);

/* The program is to end. */
bool settle_db_stop(const struct settle_db *db);

/* The reason (domain/reason.h) of a SETTLE_REFUSED of our own; 0: it is PostgreSQL's. */
int settle_db_reason(const struct settle_db *db);

#endif
