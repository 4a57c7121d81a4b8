#include "seal/db.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/statements.h"

/*
 * Ranges of rows by their keys are what is read, always: with a generic plan by the index, no sealing depends on
 * statistics. A seal that is lost in a crash is made again as it was, so its commit need not wait for the disk. jit
 * costs more than it gives.
 */
static const char OPTIONS[] =
    "-c search_path=ujrat -c client_min_messages=warning -c timezone=UTC -c synchronous_commit=off "
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off "
    "-c max_parallel_workers_per_gather=0";

/* libpq's words are many lines; one is enough. */
static enum seal_result say(struct seal_db *db, enum seal_result result, const char *text)
{
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(db->problem, sizeof db->problem, "%.*s", (int)(len > 300 ? 300 : len), text);
    return result;
}

enum seal_result seal_db_broken(struct seal_db *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(db->problem, sizeof db->problem, format, args);
    va_end(args);
    return SEAL_BROKEN;
}

static enum seal_result ask_types(struct seal_db *db)
{
    PGresult *r = PQexec(db->conn, "SELECT 'block_seal_draft'::regtype::oid");
    bool good = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    if (good)
        db->type_oid[LEDGER_TYPE_BLOCK_SEAL_DRAFT] =
            (uint32_t)strtoul(PQgetvalue(r, 0, 0), NULL, 10);
    else
        (void)say(db, SEAL_LOST, PQerrorMessage(db->conn));
    PQclear(r);
    return good ? SEAL_OK : SEAL_LOST;
}

enum seal_result seal_db_open(struct seal_db *db, const char *uri, int64_t timeout_ms)
{
    *db = (struct seal_db){.timeout_ms = timeout_ms};
    db->prepared = calloc((size_t)statements_count(), sizeof *db->prepared);
    db->conn =
        PQconnectdbParams((const char *const[]){"fallback_application_name", "connect_timeout",
                                                "dbname", "options", NULL},
                          (const char *const[]){"ujrat-sealer", "5", uri, OPTIONS, NULL}, 1);
    enum seal_result result = SEAL_LOST;
    if (db->prepared == NULL || db->conn == NULL)
        (void)say(db, SEAL_LOST, "out of memory");
    else if (PQstatus(db->conn) != CONNECTION_OK || PQsetnonblocking(db->conn, 0) != 0)
        (void)say(db, SEAL_LOST, PQerrorMessage(db->conn));
    else
        result = ask_types(db);
    return result;
}

void seal_db_close(struct seal_db *db)
{
    PQfinish(db->conn);
    free(db->prepared);
    db->conn = NULL;
    db->prepared = NULL;
}

/* The whole answer of one command; NULL when none came in time, or the line went. */
static PGresult *wait_for(struct seal_db *db)
{
    int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    PGresult *last = NULL;
    for (;;) {
        while (PQisBusy(db->conn)) {
            int64_t left_ms = (deadline_us - clock_monotonic_us()) / US_PER_MS;
            struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};
            int n = left_ms <= 0 ? 0 : poll(&fd, 1, (int)left_ms + 1);
            if (n == 0 || (n < 0 && errno != EINTR) || PQconsumeInput(db->conn) != 1) {
                (void)say(db, SEAL_LOST, n == 0 ? "no answer in time" : PQerrorMessage(db->conn));
                PQclear(last);
                return NULL;
            }
        }
        PGresult *r = PQgetResult(db->conn);
        if (r == NULL)
            return last;
        PQclear(last);
        last = r;
    }
}

/* SEAL_OK and *result, or what the failure is. */
static enum seal_result judge(struct seal_db *db, PGresult *r)
{
    if (r == NULL)
        return SEAL_LOST; /* wait_for() said why */
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return SEAL_OK;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(db->sqlstate, sizeof db->sqlstate, "%s", state == NULL ? "" : state);
    (void)say(db, SEAL_LOST, text == NULL ? PQresultErrorMessage(r) : text);
    PQclear(r);
    return severity != NULL && strcmp(severity, "ERROR") == 0 ? SEAL_REFUSED : SEAL_LOST;
}

static enum seal_result prepare(struct seal_db *db, int statement)
{
    if (PQsendPrepare(db->conn, statements_name(statement), statements_text(statement), 0, NULL) !=
        1)
        return say(db, SEAL_LOST, PQerrorMessage(db->conn));
    PGresult *r = wait_for(db);
    enum seal_result result = judge(db, r);
    if (result == SEAL_OK)
        PQclear(r);
    db->prepared[statement] = result == SEAL_OK;
    return result;
}

enum seal_result seal_db_ask(struct seal_db *db, const char *name, struct params *p,
                             struct rows **rows)
{
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX], format[PARAMS_MAX];
    int statement = statements_find(name);
    assert(statement >= 0);
    *rows = NULL;
    if (p->failed)
        return say(db, SEAL_LOST, "out of memory");
    if (!db->prepared[statement]) {
        enum seal_result result = prepare(db, statement);
        if (result != SEAL_OK)
            return result;
    }
    params_set_types(p, db->type_oid);
    for (int i = 0; i < p->n; i++) {
        value[i] = p->length[i] < 0 ? NULL : (const char *)p->bytes + p->offset[i];
        length[i] = p->length[i] < 0 ? 0 : p->length[i];
        format[i] = 1;
    }
    if (PQsendQueryPrepared(db->conn, statements_name(statement), p->n, value, length, format, 1) !=
        1)
        return say(db, SEAL_LOST, PQerrorMessage(db->conn));
    PGresult *r = wait_for(db);
    enum seal_result result = judge(db, r);
    if (result == SEAL_OK)
        *rows = (struct rows *)(void *)r;
    return result;
}

void seal_rows_free(struct rows **rows)
{
    PQclear((PGresult *)(void *)*rows);
    *rows = NULL;
}
