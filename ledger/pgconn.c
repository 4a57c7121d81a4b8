#include "ledger/pgconn.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/sqlstate.h"
#include "ledger/statements.h"

enum pgconn_state {
    PGCONN_DOWN, /* waits to connect again */
    PGCONN_CONNECTING,
    PGCONN_SETTING_UP, /* session settings and type OIDs */
    PGCONN_IDLE,
    PGCONN_PREPARING,
    PGCONN_RUNNING,
};

enum {
    RECONNECT_MS_MIN = 20,
    RECONNECT_MS_MAX = 2000,
    CONNECT_TIMEOUT_MS = 5000,
};

struct pgconn {
    struct event_base *base;
    struct pgconn_config config;
    struct pgconn_owner owner;
    enum pgconn_state state;
    PGconn *pg;
    struct event *readable; /* persistent; made anew for every socket */
    struct event *writable;
    struct event *timer; /* connect, statement or reconnect, by state */
    unsigned reconnect_ms;
    uint64_t connects;
    uint32_t type_oid[LEDGER_TYPE_COUNT];
    bool *prepared;        /* by statement index */
    int statement;         /* being prepared or run */
    struct params *params; /* the owner's, while PREPARING or RUNNING */
    PGresult *result;      /* of what is running: the first error, or else the last result */
};

bool pgconn_error_is_passing(const PGresult *result)
{
    return sqlstate_is_passing(PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

static void connect_begin(struct pgconn *c);

static void timer_set(struct pgconn *c, unsigned ms)
{
    const struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};
    evtimer_add(c->timer, &tv);
}

static void socket_forget(struct pgconn *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    c->readable = c->writable = NULL;
}

/* The connection is of no use any more. Whatever was running ends; then a pause, and again. */
static void drop(struct pgconn *c, const char *why)
{
    const enum pgconn_state was = c->state;
    const bool reached_peer = was == PGCONN_RUNNING;
    log_warn(c->config.log, "ledger.connection_lost", log_str("why", why),
             log_str("libpq", c->pg == NULL ? "" : PQerrorMessage(c->pg)));
    socket_forget(c);
    PQfinish(c->pg);
    c->pg = NULL;
    PQclear(c->result);
    c->result = NULL;
    c->state = PGCONN_DOWN;
    timer_set(c, c->reconnect_ms);
    c->reconnect_ms =
        c->reconnect_ms * 2 > RECONNECT_MS_MAX ? RECONNECT_MS_MAX : c->reconnect_ms * 2;
    if (was == PGCONN_PREPARING || was == PGCONN_RUNNING) {
        c->params = NULL;
        c->owner.ended(c->owner.user, c, reached_peer ? PGCONN_LOST : PGCONN_UNSENT, NULL);
    }
}

/* Sends what libpq still holds; asks to be called again if the socket is full. */
static bool flush(struct pgconn *c)
{
    const int left = PQflush(c->pg);
    if (left < 0)
        return false;
    if (left > 0)
        event_add(c->writable, NULL);
    return true;
}

static void become_idle(struct pgconn *c)
{
    c->state = PGCONN_IDLE;
    c->params = NULL;
    evtimer_del(c->timer);
    c->owner.idle(c->owner.user, c);
}

static void run_prepared(struct pgconn *c)
{
    struct params *p = c->params;
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX];
    int format[PARAMS_MAX];
    params_set_types(p, c->type_oid);
    for (int i = 0; i < p->n; i++) {
        value[i] = p->length[i] < 0 ? NULL : (const char *)p->bytes + p->offset[i];
        length[i] = p->length[i] < 0 ? 0 : p->length[i];
        format[i] = 1;
    }
    c->state = PGCONN_RUNNING;
    if (!PQsendQueryPrepared(c->pg, statements_name(c->statement), p->n, value, length, format,
                             1) ||
        !flush(c))
        drop(c, "cannot send a statement");
}

void pgconn_run(struct pgconn *c, const char *name, struct params *params)
{
    assert(c->state == PGCONN_IDLE);
    c->statement = statements_find(name);
    assert(c->statement >= 0);
    c->params = params;
    timer_set(c, c->config.statement_timeout_ms);
    if (c->prepared[c->statement]) {
        run_prepared(c);
        return;
    }
    c->state = PGCONN_PREPARING;
    if (!PQsendPrepare(c->pg, statements_name(c->statement), statements_text(c->statement), 0,
                       NULL) ||
        !flush(c))
        drop(c, "cannot send a statement to prepare");
}

static bool has_failed(const PGresult *r)
{
    const ExecStatusType status = PQresultStatus(r);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

/* ERROR: the server has rolled back. Anything else (FATAL, PANIC, or libpq's own words, which have no
 * severity) says that the backend or the line died, perhaps after the commit. */
static bool is_rolled_back(const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity != NULL && strcmp(severity, "ERROR") == 0;
}

static void log_sql_error(struct pgconn *c, const PGresult *r, const char *statement)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const bool ours = state != NULL && strncmp(state, "UJ", 2) == 0;
    LOG_WRITE(c->config.log, ours ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "ledger.sql_error",
              log_str("statement", statement), log_str("sqlstate", state),
              log_str("message", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
}

static void setup_done(struct pgconn *c, PGresult *r)
{
    for (int i = 0; i < LEDGER_TYPE_COUNT; i++)
        c->type_oid[i] = (uint32_t)strtoul(PQgetvalue(r, 0, i), NULL, 10);
    PQclear(r);
    memset(c->prepared, 0, (size_t)statements_count() * sizeof *c->prepared);
    c->reconnect_ms = RECONNECT_MS_MIN;
    c->connects++;
    log_info(c->config.log, "ledger.connected", log_int("backend", PQbackendPID(c->pg)));
    become_idle(c);
}

/* PQgetResult has returned NULL: the command is over, and c->result says how. */
static void command_over(struct pgconn *c)
{
    PGresult *r = c->result;
    c->result = NULL;
    if (r == NULL || (has_failed(r) && !is_rolled_back(r))) {
        PQclear(r);
        drop(c, "the backend ended");
        return;
    }
    if (has_failed(r))
        log_sql_error(c, r,
                      c->state == PGCONN_SETTING_UP ? "setup" : statements_name(c->statement));
    switch (c->state) {
    case PGCONN_SETTING_UP:
        if (has_failed(r) || PQntuples(r) != 1) {
            PQclear(r);
            drop(c, "cannot set the session up");
        } else {
            setup_done(c, r);
        }
        return;
    case PGCONN_PREPARING:
        if (!has_failed(r)) {
            PQclear(r);
            c->prepared[c->statement] = true;
            run_prepared(c);
            return;
        }
        break;
    case PGCONN_RUNNING:
        break;
    case PGCONN_DOWN:
    case PGCONN_CONNECTING:
    case PGCONN_IDLE:
        PQclear(r);
        return;
    }
    c->state = PGCONN_IDLE;
    c->params = NULL;
    evtimer_del(c->timer);
    c->owner.ended(c->owner.user, c, has_failed(r) ? PGCONN_ERROR : PGCONN_DONE, r);
    PQclear(r);
    if (c->state == PGCONN_IDLE)
        c->owner.idle(c->owner.user, c);
}

static void take_results(struct pgconn *c)
{
    while (c->state != PGCONN_DOWN && c->state != PGCONN_IDLE && !PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        if (r == NULL) {
            command_over(c);
        } else if (c->result != NULL && has_failed(c->result)) {
            PQclear(r); /* the first error is the one that counts */
        } else {
            PQclear(c->result);
            c->result = r;
        }
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg);

/* libpq may use another socket after every PQconnectPoll. */
static void socket_watch(struct pgconn *c, short what)
{
    socket_forget(c);
    c->readable = event_new(c->base, PQsocket(c->pg), EV_READ | EV_PERSIST, on_socket, c);
    c->writable = event_new(c->base, PQsocket(c->pg), EV_WRITE, on_socket, c);
    if (c->readable == NULL || c->writable == NULL) {
        drop(c, "no memory for events");
        return;
    }
    event_add((what & EV_READ) != 0 ? c->readable : c->writable, NULL);
}

/* Everything is looked up by keys. A session lives for weeks, with plans that it made while tables may have been all but empty:
 * without enable_seqscan they would go on to read whole tables until those are analysed again. */
static void setup_begin(struct pgconn *c)
{
    char sql[512];
    const int n = snprintf(
        sql, sizeof sql,
        "SET search_path = ujrat; SET jit = off; SET enable_seqscan = off; SET synchronous_commit = on;"
        "SET statement_timeout = %u; SET idle_in_transaction_session_timeout = %u;"
        "SELECT 'payout_draft'::regtype::oid, 'beneficiary_draft'::regtype::oid,"
        " 'confirmation_draft'::regtype::oid, 'block_seal_draft'::regtype::oid,"
        " 'question_answer'::regtype::oid, 'batch_item_draft'::regtype::oid",
        c->config.statement_timeout_ms * 4 / 5, c->config.statement_timeout_ms);
    assert(n > 0 && (size_t)n < sizeof sql);
    c->state = PGCONN_SETTING_UP;
    socket_watch(c, EV_READ);
    if (c->state != PGCONN_SETTING_UP)
        return;
    if (PQsetnonblocking(c->pg, 1) != 0 || !PQsendQuery(c->pg, sql) || !flush(c))
        drop(c, "cannot set the session up");
}

static void connect_poll(struct pgconn *c)
{
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING:
        socket_watch(c, EV_READ);
        return;
    case PGRES_POLLING_WRITING:
        socket_watch(c, EV_WRITE);
        return;
    case PGRES_POLLING_OK:
        setup_begin(c);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        drop(c, "cannot connect");
        return;
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct pgconn *c = arg;
    (void)fd;
    if (c->state == PGCONN_CONNECTING) {
        connect_poll(c);
        return;
    }
    if ((what & EV_WRITE) != 0 && !flush(c)) {
        drop(c, "cannot write");
        return;
    }
    if ((what & EV_READ) == 0)
        return;
    /* What arrived before the line broke is still read: it may say how the statement ended. */
    const bool alive = PQconsumeInput(c->pg) == 1 && flush(c);
    take_results(c);
    if (!alive && c->state != PGCONN_DOWN)
        drop(c, "the line broke");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct pgconn *c = arg;
    (void)fd;
    (void)what;
    if (c->state == PGCONN_DOWN)
        connect_begin(c);
    else if (c->state != PGCONN_IDLE)
        drop(c, "took too long");
}

/* Otherwise libpq writes them to stderr. */
static void on_notice(void *user, const PGresult *r)
{
    const struct pgconn *c = user;
    log_info(c->config.log, "ledger.notice",
             log_str("severity", PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED)),
             log_str("message", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
}

static void connect_begin(struct pgconn *c)
{
    const char *const keys[] = {"dbname", "client_encoding", "fallback_application_name",
                                "tcp_user_timeout", NULL};
    const char *const values[] = {c->config.uri, "UTF8", "ujratd", "10000", NULL};
    c->state = PGCONN_CONNECTING;
    timer_set(c, CONNECT_TIMEOUT_MS);
    c->pg = PQconnectStartParams(keys, values, 1);
    if (c->pg == NULL || PQstatus(c->pg) == CONNECTION_BAD) {
        drop(c, "cannot begin to connect");
        return;
    }
    PQsetNoticeReceiver(c->pg, on_notice, c);
    socket_watch(c, EV_WRITE);
}

err_t pgconn_new(struct event_base *base, const struct pgconn_config *config,
                 const struct pgconn_owner *owner, struct pgconn **out)
{
    struct pgconn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_make(ERR_NO_MEMORY, "ledger connection");
    c->base = base;
    c->config = *config;
    c->owner = *owner;
    c->reconnect_ms = RECONNECT_MS_MIN;
    c->timer = evtimer_new(base, on_timer, c);
    c->prepared = calloc((size_t)statements_count() + 1, sizeof *c->prepared);
    if (c->timer == NULL || c->prepared == NULL) {
        pgconn_free(&c);
        return err_make(ERR_NO_MEMORY, "ledger connection");
    }
    timer_set(c,
              0); /* connects from the event loop: the owner is told nothing before new returns */
    *out = c;
    return err_none();
}

void pgconn_free(struct pgconn **cp)
{
    struct pgconn *c = *cp;
    if (c == NULL)
        return;
    *cp = NULL;
    socket_forget(c);
    if (c->timer != NULL)
        event_free(c->timer);
    PQfinish(c->pg);
    PQclear(c->result);
    free(c->prepared);
    free(c);
}

bool pgconn_is_idle(const struct pgconn *c)
{
    return c->state == PGCONN_IDLE;
}

bool pgconn_is_up(const struct pgconn *c)
{
    return c->state >= PGCONN_IDLE;
}

uint64_t pgconn_connects(const struct pgconn *c)
{
    return c->connects;
}

const uint32_t *pgconn_type_oids(const struct pgconn *c)
{
    return c->type_oid;
}
