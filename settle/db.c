#include "settle/db.h"

#include <poll.h>
#include <string.h>

#include "ledger/sqlstate.h"

/* Without sequential scans, for what ledger/pgconn.c says: plans outlive what the planner believed of tables. */
static const char OPTIONS[] =
    "-c enable_seqscan=off "
    "-c idle_in_transaction_session_timeout=60000 -c tcp_user_timeout=30000";

/* Errors that pass say nothing of what was asked. */
static enum settle_result result_of(const struct settle_db *db, enum pgblock_end end)
{
    switch (end) {
    case PGBLOCK_DONE:
        return SETTLE_OK;
    case PGBLOCK_REFUSED:
        return sqlstate_is_passing(db->pg.sqlstate) ? SETTLE_LOST : SETTLE_REFUSED;
    case PGBLOCK_STOPPED:
        return SETTLE_STOPPED;
    case PGBLOCK_LOST:
        break;
    }
    return SETTLE_LOST;
}

enum settle_result settle_db_open(struct settle_db *db, const char *uri, int64_t timeout_ms,
                                  int stop_fd)
{
    params_init(&db->params);
    return result_of(db, pgblock_open(&db->pg, &(struct pgblock_config){
                                                   .uri = uri,
                                                   .program = "ujrat-settle",
                                                   .options = OPTIONS,
                                                   .type = LEDGER_TYPE_CONFIRMATION_DRAFT,
                                                   .type_name = "confirmation_draft",
                                                   .timeout_ms = timeout_ms,
                                                   .stop_fd = stop_fd,
                                               }));
}

void settle_db_close(struct settle_db *db)
{
    pgblock_close(&db->pg);
    params_deinit(&db->params);
}

struct params *settle_db_params(struct settle_db *db)
{
    params_reset(&db->params);
    return &db->params;
}

bool settle_db_stop(const struct settle_db *db)
{
    struct pollfd fd = {.fd = db->pg.config.stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

enum settle_result settle_db_ask(struct settle_db *db, const char *name, struct rows **rows)
{
    return result_of(db, pgblock_ask(&db->pg, name, &db->params, rows));
}

enum settle_result settle_db_do(struct settle_db *db, const char *name)
{
    struct rows *rows;
    enum settle_result result = settle_db_ask(db, name, &rows);
    rows_free(&rows);
    return result;
}

int settle_db_reason(const struct settle_db *db)
{
    int64_t number;
    if (strncmp(db->pg.sqlstate, "UJ", 2) != 0 ||
        err_failed(str_parse_int64(slice_str(db->pg.sqlstate + 2), &number)))
        return 0;
    return (int)number;
}
