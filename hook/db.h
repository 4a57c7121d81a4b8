/*
 * db.h: the connection of the notifier (ledger/pgblock.h), and what it makes of how a statement ended.
 */
#ifndef UJRAT_HOOK_DB_H
#define UJRAT_HOOK_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/pgblock.h"

/* How a step went. */
enum hook_result {
    HOOK_OK,
    HOOK_LOST, /* the connection, and with it the lead: connect anew and begin again. What was under way may be done */
    HOOK_REFUSED, /* the database said no, and nothing was done */
    HOOK_STOPPED, /* we are asked to end */
};

struct hook_db {
    struct pgblock pg;    /* pg.problem: why it is not HOOK_OK */
    struct params params; /* for whoever asks next */
};

/* HOOK_OK, HOOK_LOST or HOOK_STOPPED. stop_fd: see pgblock_config. */
enum hook_result hook_db_open(struct hook_db *db, const char *uri, int64_t timeout_ms, int stop_fd);
void hook_db_close(struct hook_db *db);

/* Empties db->params and returns it. */
struct params *hook_db_params(struct hook_db *db);

/* Runs the statement of that name with db->params. *rows on HOOK_OK only; rows_free() them. */
enum hook_result hook_db_ask(struct hook_db *db, const char *name, struct rows **rows);
/* The same, where nothing is wanted but that it is done. */
enum hook_result hook_db_do(struct hook_db *db, const char *name);

/* The program is to end. */
bool hook_db_stop(const struct hook_db *db);

#endif
