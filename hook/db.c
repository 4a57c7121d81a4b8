#include "hook/db.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/statements.h"

/* How long an answer is still waited for when the program is to end: most steps are over by then. */
enum { STOP_WAIT_MS = 600 };

/* Queues by their indexes, always: a table that has just grown has no statistics yet. What became of a delivery may be lost in a crash: it is then made again. Events are waited for (make_webhook_events). */
static const char OPTIONS[] =
    "-c synchronous_commit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off "
    "-c enable_hashjoin=off -c enable_mergejoin=off -c search_path=ujrat -c client_min_messages=warning -c timezone=UTC -c jit=off "
    "-c idle_in_transaction_session_timeout=60000 -c tcp_user_timeout=30000";

/* libpq's words are many lines; one is enough. */
static enum hook_result say(struct hook_db *db, enum hook_result result, const char *text)
{
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(db->problem, sizeof db->problem, "%.*s", (int)(len > 300 ? 300 : len), text);
    return result;
}

enum hook_result hook_db_open(struct hook_db *db, const char *uri, int64_t timeout_ms, int stop_fd)
{
    *db = (struct hook_db){.timeout_ms = timeout_ms, .stop_fd = stop_fd};
    params_init(&db->params);
    db->prepared = calloc((size_t)statements_count(), sizeof *db->prepared);
    db->conn =
        PQconnectdbParams((const char *const[]){"fallback_application_name", "connect_timeout",
                                                "dbname", "options", NULL},
                          (const char *const[]){"ujrat-notifier", "5", uri, OPTIONS, NULL}, 1);
    if (db->prepared == NULL || db->conn == NULL)
        return say(db, HOOK_LOST, "out of memory");
    if (PQstatus(db->conn) != CONNECTION_OK || PQsetnonblocking(db->conn, 0) != 0)
        return say(db, HOOK_LOST, PQerrorMessage(db->conn));
    return HOOK_OK;
}

void hook_db_close(struct hook_db *db)
{
    PQfinish(db->conn);
    free(db->prepared);
    params_deinit(&db->params);
    db->conn = NULL;
    db->prepared = NULL;
}

struct params *hook_db_params(struct hook_db *db)
{
    params_reset(&db->params);
    return &db->params;
}

bool hook_db_stop(const struct hook_db *db)
{
    struct pollfd fd = {.fd = db->stop_fd, .events = POLLIN};
    return db->stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* HOOK_OK: there is something to read. */
static enum hook_result wait_readable(struct hook_db *db, int64_t *deadline_us, bool *stopping)
{
    int64_t left_ms = (*deadline_us - clock_monotonic_us()) / US_PER_MS;
    struct pollfd fd[2] = {{.fd = PQsocket(db->conn), .events = POLLIN},
                           {.fd = *stopping ? -1 : db->stop_fd, .events = POLLIN}};
    int n = left_ms <= 0 ? 0 : poll(fd, 2, (int)left_ms + 1);
    if (n < 0 && errno == EINTR)
        return HOOK_OK;
    if (n > 0 && fd[1].revents != 0) {
        int64_t soon_us = clock_monotonic_us() + STOP_WAIT_MS * US_PER_MS;
        *stopping = true;
        *deadline_us = soon_us < *deadline_us ? soon_us : *deadline_us;
        return HOOK_OK;
    }
    if (n == 0)
        return *stopping ? say(db, HOOK_STOPPED, "asked to end")
                         : say(db, HOOK_LOST, "no answer in time");
    return n > 0 && PQconsumeInput(db->conn) == 1 ? HOOK_OK
                                                  : say(db, HOOK_LOST, PQerrorMessage(db->conn));
}

/* The whole answer of one command. A result counts only once PQgetResult has returned NULL: deferred checks run at
 * commit. */
static enum hook_result wait_for(struct hook_db *db, PGresult **out)
{
    int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    bool stopping = false;
    PGresult *last = NULL;
    *out = NULL;
    for (;;) {
        while (PQisBusy(db->conn)) {
            enum hook_result result = wait_readable(db, &deadline_us, &stopping);
            if (result != HOOK_OK) {
                PQclear(last);
                return result;
            }
        }
        PGresult *r = PQgetResult(db->conn);
        if (r == NULL)
            break;
        PQclear(last);
        last = r;
    }
    *out = last;
    return last == NULL ? say(db, HOOK_LOST, PQerrorMessage(db->conn)) : HOOK_OK;
}

/* Errors that say nothing of what was asked, and pass: conflicts, lack of something, an operator's stop. */
static bool is_passing(const char *state)
{
    static const char *const classes[] = {"25", "40", "53", "57", "58"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strncmp(state, classes[i], 2) == 0)
            return true;
    return false;
}

/* Takes over r unless all is well. ERROR means rolled back; FATAL, or libpq's own words, that nobody knows. */
static enum hook_result judge(struct hook_db *db, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return HOOK_OK;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(db->sqlstate, sizeof db->sqlstate, "%s", state == NULL ? "" : state);
    (void)say(db, HOOK_LOST, text == NULL ? PQresultErrorMessage(r) : text);
    bool refused = severity != NULL && strcmp(severity, "ERROR") == 0 && !is_passing(db->sqlstate);
    PQclear(r);
    return refused ? HOOK_REFUSED : HOOK_LOST;
}

static enum hook_result prepare(struct hook_db *db, int statement)
{
    PGresult *r;
    if (PQsendPrepare(db->conn, statements_name(statement), statements_text(statement), 0, NULL) !=
        1)
        return say(db, HOOK_LOST, PQerrorMessage(db->conn));
    enum hook_result result = wait_for(db, &r);
    if (result != HOOK_OK)
        return result;
    result = judge(db, r);
    if (result == HOOK_OK)
        PQclear(r);
    db->prepared[statement] = result == HOOK_OK;
    return result;
}

enum hook_result hook_db_ask(struct hook_db *db, const char *name, struct rows **rows)
{
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX], format[PARAMS_MAX];
    struct params *p = &db->params;
    PGresult *r;
    int statement = statements_find(name);
    assert(statement >= 0);
    *rows = NULL;
    db->sqlstate[0] = '\0';
    if (p->failed)
        return say(db, HOOK_LOST, "out of memory");
    enum hook_result result = db->prepared[statement] ? HOOK_OK : prepare(db, statement);
    if (result != HOOK_OK)
        return result;
    for (int i = 0; i < p->n; i++) {
        value[i] = p->length[i] < 0 ? NULL : (const char *)p->bytes + p->offset[i];
        length[i] = p->length[i] < 0 ? 0 : p->length[i];
        format[i] = 1;
    }
    if (PQsendQueryPrepared(db->conn, statements_name(statement), p->n, value, length, format, 1) !=
        1)
        return say(db, HOOK_LOST, PQerrorMessage(db->conn));
    result = wait_for(db, &r);
    if (result == HOOK_OK)
        result = judge(db, r);
    if (result == HOOK_OK)
        *rows = (struct rows *)(void *)r;
    return result;
}

enum hook_result hook_db_do(struct hook_db *db, const char *name)
{
    struct rows *rows;
    enum hook_result result = hook_db_ask(db, name, &rows);
    hook_rows_free(&rows);
    return result;
}

void hook_rows_free(struct rows **rows)
{
    PQclear((PGresult *)(void *)*rows);
    *rows = NULL;
}
