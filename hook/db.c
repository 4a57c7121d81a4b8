#include "hook/db.h"

#include <poll.h>

#include "ledger/sqlstate.h"

/* Queues by their indexes, always: a table that has just grown has no statistics yet. What became of a delivery may be lost
 * in a crash: it is then made again. Events are waited for (make_webhook_events). */
static const char OPTIONS[] =
    "-c synchronous_commit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off "
    "-c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
    "-c idle_in_transaction_session_timeout=60000 -c tcp_user_timeout=30000";

/* Errors that pass say nothing of what was asked. */
static enum hook_result result_of(const struct hook_db *db, enum pgblock_end end)
{
    switch (end) {
    case PGBLOCK_DONE:
        return HOOK_OK;
    case PGBLOCK_REFUSED:
        return sqlstate_is_passing(db->pg.sqlstate) ? HOOK_LOST : HOOK_REFUSED;
    case PGBLOCK_STOPPED:
        return HOOK_STOPPED;
    case PGBLOCK_LOST:
        break;
    }
    return HOOK_LOST;
}

enum hook_result hook_db_open(struct hook_db *db, const char *uri, int64_t timeout_ms, int stop_fd)
{
    params_init(&db->params);
    return result_of(db, pgblock_open(&db->pg, &(struct pgblock_config){
                                                   .uri = uri,
                                                   .program = "ujratd-hooks",
                                                   .options = OPTIONS,
                                                   .timeout_ms = timeout_ms,
                                                   .stop_fd = stop_fd,
                                               }));
}

void hook_db_close(struct hook_db *db)
{
    pgblock_close(&db->pg);
    params_deinit(&db->params);
}

struct params *hook_db_params(struct hook_db *db)
{
    params_reset(&db->params);
    return &db->params;
}

bool hook_db_stop(const struct hook_db *db)
{
    struct pollfd fd = {.fd = db->pg.config.stop_fd, .events = POLLIN};
    return db->pg.config.stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

enum hook_result hook_db_ask(struct hook_db *db, const char *name, struct rows **rows)
{
    return result_of(db, pgblock_ask(&db->pg, name, &db->params, rows));
}

enum hook_result hook_db_do(struct hook_db *db, const char *name)
{
    struct rows *rows;
    enum hook_result result = hook_db_ask(db, name, &rows);
    rows_free(&rows);
    return result;
}
