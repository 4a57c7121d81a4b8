#include "settle/db.h"

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

/* Without sequential scans, for what ledger/pgconn.c says: plans outlive what the planner believed of tables. */
static const char OPTIONS[] =
    "-c search_path=ujrat -c client_min_messages=warning -c timezone=UTC -c jit=off -c enable_seqscan=off "
    "-c idle_in_transaction_session_timeout=60000 -c tcp_user_timeout=30000";

/* libpq's words are many lines; one is enough. */
static enum settle_result say(struct settle_db *db, enum settle_result result, const char *text)
{
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(db->problem, sizeof db->problem, "%.*s", (int)(len > 300 ? 300 : len), text);
    return result;
}

static enum settle_result ask_types(struct settle_db *db)
{
    PGresult *r = PQexec(db->conn, "SELECT 'confirmation_draft'::regtype::oid");
    bool good = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    if (good)
        db->type_oid[LEDGER_TYPE_CONFIRMATION_DRAFT] =
            (uint32_t)strtoul(PQgetvalue(r, 0, 0), NULL, 10);
    else
        (void)say(db, SETTLE_LOST, PQerrorMessage(db->conn));
    PQclear(r);
    return good ? SETTLE_OK : SETTLE_LOST;
}

enum settle_result settle_db_open(struct settle_db *db, const char *uri, int64_t timeout_ms,
                                  int stop_fd)
{
    *db = (struct settle_db){.timeout_ms = timeout_ms, .stop_fd = stop_fd};
    params_init(&db->params);
    db->prepared = calloc((size_t)statements_count(), sizeof *db->prepared);
    db->conn =
        PQconnectdbParams((const char *const[]){"fallback_application_name", "connect_timeout",
                                                "dbname", "options", NULL},
                          (const char *const[]){"ujrat-settle", "5", uri, OPTIONS, NULL}, 1);
    if (db->prepared == NULL || db->conn == NULL)
        return say(db, SETTLE_LOST, "out of memory");
    if (PQstatus(db->conn) != CONNECTION_OK || PQsetnonblocking(db->conn, 0) != 0)
        return say(db, SETTLE_LOST, PQerrorMessage(db->conn));
    return ask_types(db);
}

void settle_db_close(struct settle_db *db)
{
    PQfinish(db->conn);
    free(db->prepared);
    params_deinit(&db->params);
    db->conn = NULL;
    db->prepared = NULL;
}

struct params *settle_db_params(struct settle_db *db)
{
    params_reset(&db->params);
    return &db->params;
}

bool settle_db_stop(const struct settle_db *db)
{
    struct pollfd fd = {.fd = db->stop_fd, .events = POLLIN};
    return db->stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* SETTLE_OK: there is something to read. */
static enum settle_result wait_readable(struct settle_db *db, int64_t *deadline_us, bool *stopping)
{
    int64_t left_ms = (*deadline_us - clock_monotonic_us()) / US_PER_MS;
    struct pollfd fd[2] = {{.fd = PQsocket(db->conn), .events = POLLIN},
                           {.fd = *stopping ? -1 : db->stop_fd, .events = POLLIN}};
    int n = left_ms <= 0 ? 0 : poll(fd, 2, (int)left_ms + 1);
    if (n < 0 && errno == EINTR)
        return SETTLE_OK;
    if (n > 0 && fd[1].revents != 0) {
        int64_t soon_us = clock_monotonic_us() + STOP_WAIT_MS * US_PER_MS;
        *stopping = true;
        *deadline_us = soon_us < *deadline_us ? soon_us : *deadline_us;
        return SETTLE_OK;
    }
    if (n == 0)
        return *stopping ? say(db, SETTLE_STOPPED, "asked to end")
                         : say(db, SETTLE_LOST, "no answer in time");
    return n > 0 && PQconsumeInput(db->conn) == 1 ? SETTLE_OK
                                                  : say(db, SETTLE_LOST, PQerrorMessage(db->conn));
}

/* The whole answer of one command. A result counts only once PQgetResult has returned NULL: deferred checks run at
 * commit. */
static enum settle_result wait_for(struct settle_db *db, PGresult **out)
{
    int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    bool stopping = false;
    PGresult *last = NULL;
    *out = NULL;
    for (;;) {
        while (PQisBusy(db->conn)) {
            enum settle_result result = wait_readable(db, &deadline_us, &stopping);
            if (result != SETTLE_OK) {
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
    return last == NULL ? say(db, SETTLE_LOST, PQerrorMessage(db->conn)) : SETTLE_OK;
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
static enum settle_result judge(struct settle_db *db, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return SETTLE_OK;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(db->sqlstate, sizeof db->sqlstate, "%s", state == NULL ? "" : state);
    (void)say(db, SETTLE_LOST, text == NULL ? PQresultErrorMessage(r) : text);
    bool refused = severity != NULL && strcmp(severity, "ERROR") == 0 && !is_passing(db->sqlstate);
    PQclear(r);
    return refused ? SETTLE_REFUSED : SETTLE_LOST;
}

static enum settle_result prepare(struct settle_db *db, int statement)
{
    PGresult *r;
    if (PQsendPrepare(db->conn, statements_name(statement), statements_text(statement), 0, NULL) !=
        1)
        return say(db, SETTLE_LOST, PQerrorMessage(db->conn));
    enum settle_result result = wait_for(db, &r);
    if (result != SETTLE_OK)
        return result;
    result = judge(db, r);
    if (result == SETTLE_OK)
        PQclear(r);
    db->prepared[statement] = result == SETTLE_OK;
    return result;
}

enum settle_result settle_db_ask(struct settle_db *db, const char *name, struct rows **rows)
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
        return say(db, SETTLE_LOST, "out of memory");
    enum settle_result result = db->prepared[statement] ? SETTLE_OK : prepare(db, statement);
    if (result != SETTLE_OK)
        return result;
    params_set_types(p, db->type_oid);
    for (int i = 0; i < p->n; i++) {
        value[i] = p->length[i] < 0 ? NULL : (const char *)p->bytes + p->offset[i];
        length[i] = p->length[i] < 0 ? 0 : p->length[i];
        format[i] = 1;
    }
    if (PQsendQueryPrepared(db->conn, statements_name(statement), p->n, value, length, format, 1) !=
        1)
        return say(db, SETTLE_LOST, PQerrorMessage(db->conn));
    result = wait_for(db, &r);
    if (result == SETTLE_OK)
        result = judge(db, r);
    if (result == SETTLE_OK)
        *rows = (struct rows *)(void *)r;
    return result;
}

enum settle_result settle_db_do(struct settle_db *db, const char *name)
{
    struct rows *rows;
    enum settle_result result = settle_db_ask(db, name, &rows);
    settle_rows_free(&rows);
    return result;
}

void settle_rows_free(struct rows **rows)
{
    PQclear((PGresult *)(void *)*rows);
    *rows = NULL;
}

int settle_db_reason(const struct settle_db *db)
{
    int64_t number;
    if (strncmp(db->sqlstate, "UJ", 2) != 0 ||
        err_failed(str_parse_int64(slice_str(db->sqlstate + 2), &number)))
        return 0;
    return (int)number;
}
