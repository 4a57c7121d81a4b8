/*
 * db.h: the connection of ujrat-settle (ledger/pgblock.h), and what it makes of how a statement ended.
 */
#ifndef UJRAT_SETTLE_DB_H
#define UJRAT_SETTLE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/pgblock.h"

/* How a step went. */
enum settle_result {
    SETTLE_OK,
    SETTLE_LOST, /* the connection, and with it the lead: connect anew and begin again. What was under way may be done */
    SETTLE_REFUSED, /* the database said no, and nothing was done: see pg.sqlstate */
    SETTLE_FAILED, /* something on our side (a disk, a key): said in the log; the next round tries again */
    SETTLE_STOPPED, /* we are asked to end */
};

struct settle_db {
    struct pgblock pg;    /* pg.problem: why it is not SETTLE_OK */
    struct params params; /* for whoever asks next */
};

/* SETTLE_OK, SETTLE_LOST or SETTLE_STOPPED. stop_fd: see pgblock_config. */
enum settle_result settle_db_open(struct settle_db *db, const char *uri, int64_t timeout_ms,
                                  int stop_fd);
void settle_db_close(struct settle_db *db);

/* Empties db->params and returns it. */
struct params *settle_db_params(struct settle_db *db);

/* Runs the statement of that name with db->params. *rows on SETTLE_OK only; rows_free() them. */
enum settle_result settle_db_ask(struct settle_db *db, const char *name, struct rows **rows);
/* The same, where nothing is wanted but that it is done. */
enum settle_result settle_db_do(struct settle_db *db, const char *name);

/* The program is to end. */
bool settle_db_stop(const struct settle_db *db);

/* The reason (domain/reason.h) of a SETTLE_REFUSED of our own; 0: it is PostgreSQL's. */
int settle_db_reason(const struct settle_db *db);

#endif
