/*
 * db.h: the sealer's connection: one at a time, synchronous, with a deadline for every answer. Statements are those of
 * ledger/sql, prepared when first asked; what they answer is read with ledger/rows.h.
 */
#ifndef UJRAT_SEAL_DB_H
#define UJRAT_SEAL_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/params.h"
#include "ledger/rows.h"

/* How a step of sealing went. */
enum seal_result {
    SEAL_OK,
    SEAL_LOST,    /* the connection, or the server's goodwill: connect anew and begin again */
    SEAL_REFUSED, /* the database said no: see sqlstate */
    SEAL_BROKEN,  /* what is stored contradicts itself, or is more than we can take */
};

enum { SEAL_PROBLEM_SIZE = 320 };

struct seal_db {
    PGconn *conn;
    bool *prepared; /* by the statement's number */
    uint32_t type_oid[LEDGER_TYPE_COUNT];
    int64_t timeout_ms;
    char sqlstate[6];
    char problem[SEAL_PROBLEM_SIZE]; /* why it is not SEAL_OK, one line, without the URI */
};

/* SEAL_OK or SEAL_LOST. The session's search path is the ledger's. */
enum seal_result seal_db_open(struct seal_db *db, const char *uri, int64_t timeout_ms);
void seal_db_close(struct seal_db *db);

/* Runs the statement of that name. *rows on SEAL_OK only; seal_rows_free() them. */
enum seal_result seal_db_ask(struct seal_db *db, const char *name, struct params *params,
                             struct rows **rows);
void seal_rows_free(struct rows **rows);

/* What contradicts itself, into db->problem. Returns SEAL_BROKEN. */
enum seal_result seal_db_broken(struct seal_db *db, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
