#include "seal/db.h"

#include <assert.h>
#include <endian.h>
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
    *db = (struct seal_db){.timeout_ms = timeout_ms, .meanwhile = db->meanwhile};
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

bool seal_wait(const struct seal_meanwhile *m, int fd, int64_t until_us)
{
    struct pollfd fds[1 + SEAL_MEANWHILE_FDS_MAX] = {{.fd = fd, .events = POLLIN}};
    assert(m->n <= SEAL_MEANWHILE_FDS_MAX);
    for (;;) {
        int64_t left_us = until_us - clock_monotonic_us();
        for (unsigned i = 0; i < m->n; i++)
            fds[1 + i] = (struct pollfd){.fd = m->fds[i], .events = POLLIN};
        int n =
            poll(fds, 1 + m->n, left_us <= 0 ? 0 : (int)((left_us + US_PER_MS - 1) / US_PER_MS));
        if (n > (fds[0].revents != 0))
            m->ready(m->user);
        if (n > 0 && fds[0].revents != 0)
            return true;
        if (left_us <= 0 || (n < 0 && errno != EINTR))
            return false;
    }
}

/* More of the answer; false: none came in time, or the line went. */
static bool take_more(struct seal_db *db, int64_t deadline_us)
{
    bool came = seal_wait(&db->meanwhile, PQsocket(db->conn), deadline_us);
    if (came && PQconsumeInput(db->conn) == 1)
        return true;
    (void)say(db, SEAL_LOST, came ? PQerrorMessage(db->conn) : "no answer in time");
    return false;
}

/* The whole answer of one command; NULL when none came in time, or the line went. */
static PGresult *wait_for(struct seal_db *db)
{
    int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    PGresult *last = NULL;
    for (;;) {
        while (PQisBusy(db->conn))
            if (!take_more(db, deadline_us)) {
                PQclear(last);
                return NULL;
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

/* ---------------------------------------------------------------- COPY */

enum { STATEMENT_BYTES_MAX = 2048, COPY_HEADER_BYTES = 19, COPY_BYTES_MAX = 1 << 30 };

void seal_copy_deinit(struct seal_copy *c)
{
    free(c->bytes);
    free(c->row);
    *c = (struct seal_copy){0};
}

/* The statement with the values in the place of $1, $2 and $3. False: it does not fit. */
static bool complete(const char *text, int32_t book_id, int64_t first, int64_t last, char *out)
{
    const int64_t values[] = {book_id, first, last};
    int n = snprintf(out, STATEMENT_BYTES_MAX, "COPY (");
    for (const char *at = text; *at != '\0' && n < STATEMENT_BYTES_MAX; at++) {
        if (at[0] == '$' && at[1] >= '1' && at[1] <= '3')
            n += snprintf(out + n, (size_t)(STATEMENT_BYTES_MAX - n), "%lld",
                          (long long)values[*++at - '1']);
        else
            out[n++] = *at;
    }
    if (n < STATEMENT_BYTES_MAX)
        n += snprintf(out + n, (size_t)(STATEMENT_BYTES_MAX - n), ") TO STDOUT (FORMAT binary)");
    return n < STATEMENT_BYTES_MAX;
}

static bool keep(struct seal_copy *c, const char *bytes, size_t len)
{
    if (c->size - c->len < len) {
        size_t size = c->size == 0 ? 1 << 16 : c->size;
        while (size - c->len < len)
            size *= 2;
        unsigned char *more = size > COPY_BYTES_MAX ? NULL : realloc(c->bytes, size);
        if (more == NULL)
            return false;
        c->bytes = more;
        c->size = size;
    }
    memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
    return true;
}

/* All data of the COPY that has begun. */
static enum seal_result receive(struct seal_db *db, struct seal_copy *c)
{
    int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    for (;;) {
        char *bytes = NULL;
        int len = PQgetCopyData(db->conn, &bytes, 1);
        if (len > 0) {
            bool kept = keep(c, bytes, (size_t)len);
            PQfreemem(bytes);
            if (!kept)
                return say(db, SEAL_LOST, "out of memory");
            continue;
        }
        if (len < 0) /* the end, or an error: the result that follows says which */
            return SEAL_OK;
        if (!take_more(db, deadline_us))
            return SEAL_LOST;
    }
}

static inline uint32_t load32(const unsigned char *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return be32toh(be);
}

static bool note_row(struct seal_copy *c, size_t at)
{
    if ((size_t)c->n == c->row_size) {
        size_t size = c->row_size == 0 ? 1024 : 2 * c->row_size;
        size_t *row = realloc(c->row, size * sizeof *row);
        if (row == NULL)
            return false;
        c->row = row;
        c->row_size = size;
    }
    c->row[c->n++] = at;
    return true;
}

/* Finds the rows: a signature, flags and an extension's length; then for each row how many cells it has, and each cell
 * behind its length; -1 in the place of the number ends them (COPY, "Binary Format"). */
static bool index_rows(struct seal_copy *c)
{
    static const char signature[11] = "PGCOPY\n\377\r\n";
    size_t at = COPY_HEADER_BYTES;
    if (c->len < COPY_HEADER_BYTES || memcmp(c->bytes, signature, sizeof signature) != 0)
        return false;
    at += load32(c->bytes + 15);
    for (;;) {
        if (at > c->len || c->len - at < 2)
            return false;
        int columns = (int16_t)(c->bytes[at] << 8 | c->bytes[at + 1]);
        at += 2;
        if (columns == -1)
            return at == c->len;
        if ((c->n > 0 && columns != c->columns) || !note_row(c, at))
            return false;
        c->columns = columns;
        for (int i = 0; i < columns; i++) {
            if (c->len - at < 4)
                return false;
            int32_t len = (int32_t)load32(c->bytes + at);
            at += 4;
            if (len < -1 || (len > 0 && c->len - at < (size_t)len))
                return false;
            at += len < 0 ? 0 : (size_t)len;
        }
    }
}

enum seal_result seal_db_copy(struct seal_db *db, const char *name, int32_t book_id, int64_t first,
                              int64_t last, struct seal_copy *out)
{
    char sql[STATEMENT_BYTES_MAX];
    int statement = statements_find(name);
    assert(statement >= 0);
    bool fits = complete(statements_text(statement), book_id, first, last, sql);
    assert(fits);
    out->len = 0;
    out->n = 0;
    if (PQsendQuery(db->conn, sql) != 1)
        return say(db, SEAL_LOST, PQerrorMessage(db->conn));
    const int64_t deadline_us = clock_monotonic_us() + db->timeout_ms * US_PER_MS;
    while (PQisBusy(db->conn))
        if (!take_more(db, deadline_us))
            return SEAL_LOST;
    PGresult *r = PQgetResult(db->conn);
    if (PQresultStatus(r) != PGRES_COPY_OUT) {
        PGresult *rest = wait_for(db);
        PQclear(rest);
        enum seal_result result = judge(db, r); /* which lets r go unless it is well */
        return result == SEAL_OK ? say(db, SEAL_LOST, "no COPY was begun") : result;
    }
    PQclear(r);
    enum seal_result result = receive(db, out);
    if (result != SEAL_OK)
        return result;
    r = wait_for(db);
    result = judge(db, r);
    if (result == SEAL_OK)
        PQclear(r);
    if (result == SEAL_OK && !index_rows(out))
        return say(db, SEAL_LOST, "a COPY that is not as it should be, or no memory for it");
    return result;
}

void seal_copy_row(const struct seal_copy *c, int row, struct seal_cell *cells)
{
    assert(row >= 0 && row < c->n);
    const unsigned char *at = c->bytes + c->row[row];
    for (int i = 0; i < c->columns; i++) {
        int32_t len = (int32_t)load32(at);
        at += 4;
        cells[i] = (struct seal_cell){at, len};
        at += len < 0 ? 0 : len;
    }
}
