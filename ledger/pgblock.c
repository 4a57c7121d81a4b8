#include "ledger/pgblock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/statements.h"

/* How long an answer is still waited for when the program is to end: most are there by then. */
enum { STOP_WAIT_MS = 600 };

/* Of every session. jit costs more than it gives. */
static const char OPTIONS[] =
    "-c search_path=ujrat -c client_min_messages=warning -c timezone=UTC -c jit=off";

/* libpq's words are many lines; one is enough. */
enum pgblock_end pgblock_say(struct pgblock *c, enum pgblock_end end, const char *text)
{
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(c->problem, sizeof c->problem, "%.*s", (int)(len > 300 ? 300 : len), text);
    return end;
}

/* ---------------------------------------------------------------- waiting */

enum { CAN_READ = 1, CAN_STOP = 2 };

/* Which of the two can be read. 0: neither, and it is past until_us. */
static unsigned wait_any(const struct pgblock_meanwhile *m, int fd, int stop_fd, int64_t until_us)
{
    enum { OURS = 2 };
    struct pollfd fds[OURS + PGBLOCK_MEANWHILE_FDS_MAX] = {{.fd = fd, .events = POLLIN},
                                                           {.fd = stop_fd, .events = POLLIN}};
    assert(m->n <= PGBLOCK_MEANWHILE_FDS_MAX);
    for (;;) {
        int64_t left_us = until_us - clock_monotonic_us();
        for (unsigned i = 0; i < m->n; i++)
            fds[OURS + i] = (struct pollfd){.fd = m->fds[i], .events = POLLIN};
        int n =
            poll(fds, OURS + m->n, left_us <= 0 ? 0 : (int)((left_us + US_PER_MS - 1) / US_PER_MS));
        bool can_read = n > 0 && fds[0].revents != 0, can_stop = n > 0 && fds[1].revents != 0;
        if (n > can_read + can_stop)
            m->ready(m->user);
        if (can_read || can_stop)
            return (can_read ? CAN_READ : 0) | (can_stop ? CAN_STOP : 0);
        if (left_us <= 0 || (n < 0 && errno != EINTR))
            return 0;
    }
}

bool pgblock_wait(const struct pgblock_meanwhile *meanwhile, int fd, int64_t until_us)
{
    return wait_any(meanwhile, fd, -1, until_us) != 0;
}

/* Of one answer. */
struct patience {
    int64_t until_us;
    bool stopping;
};

static struct patience begin_to_wait(const struct pgblock *c)
{
    return (struct patience){clock_monotonic_us() + c->config.timeout_ms * US_PER_MS, false};
}

/* More of the answer, or less time for it. */
static enum pgblock_end take_more(struct pgblock *c, struct patience *p)
{
    unsigned can = wait_any(&c->config.meanwhile, PQsocket(c->conn),
                            p->stopping ? -1 : c->config.stop_fd, p->until_us);
    if ((can & CAN_STOP) != 0) {
        int64_t soon_us = clock_monotonic_us() + STOP_WAIT_MS * US_PER_MS;
        p->stopping = true;
        p->until_us = soon_us < p->until_us ? soon_us : p->until_us;
    }
    if ((can & CAN_READ) != 0 && PQconsumeInput(c->conn) != 1)
        return pgblock_say(c, PGBLOCK_LOST, PQerrorMessage(c->conn));
    if (can != 0)
        return PGBLOCK_DONE;
    return p->stopping ? pgblock_say(c, PGBLOCK_STOPPED, "asked to end")
                       : pgblock_say(c, PGBLOCK_LOST, "no answer in time");
}

static enum pgblock_end wait_for_result(struct pgblock *c, struct patience *p)
{
    enum pgblock_end end = PGBLOCK_DONE;
    while (end == PGBLOCK_DONE && PQisBusy(c->conn))
        end = take_more(c, p);
    return end;
}

/* Takes over r unless all is well. ERROR means rolled back; FATAL, or libpq's own words, that nobody knows. */
static enum pgblock_end judge(struct pgblock *c, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return PGBLOCK_DONE;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    bool rolled_back = severity != NULL && strcmp(severity, "ERROR") == 0;
    (void)snprintf(c->sqlstate, sizeof c->sqlstate, "%s", state == NULL ? "" : state);
    (void)pgblock_say(c, PGBLOCK_LOST, text == NULL ? PQresultErrorMessage(r) : text);
    PQclear(r);
    return rolled_back ? PGBLOCK_REFUSED : PGBLOCK_LOST;
}

/* The whole answer of one command. A result counts only once PQgetResult has returned NULL: deferred checks run at
 * commit. *out on PGBLOCK_DONE only. */
static enum pgblock_end finish(struct pgblock *c, PGresult **out)
{
    struct patience patience = begin_to_wait(c);
    PGresult *last = NULL;
    *out = NULL;
    for (;;) {
        enum pgblock_end end = wait_for_result(c, &patience);
        if (end != PGBLOCK_DONE) {
            PQclear(last);
            return end;
        }
        PGresult *r = PQgetResult(c->conn);
        if (r == NULL)
            break;
        PQclear(last);
        last = r;
    }
    if (last == NULL)
        return pgblock_say(c, PGBLOCK_LOST, PQerrorMessage(c->conn));
    enum pgblock_end end = judge(c, last);
    if (end == PGBLOCK_DONE)
        *out = last;
    return end;
}

/* The same of a command whose sending libpq said this of. */
static enum pgblock_end finish_sent(struct pgblock *c, int sent, PGresult **out)
{
    *out = NULL;
    return sent == 1 ? finish(c, out) : pgblock_say(c, PGBLOCK_LOST, PQerrorMessage(c->conn));
}

/* ---------------------------------------------------------------- the connection */

static enum pgblock_end ask_type(struct pgblock *c)
{
    char sql[128];
    PGresult *r;
    int n = snprintf(sql, sizeof sql, "SELECT '%s'::regtype::oid", c->config.type_name);
    assert(n > 0 && (size_t)n < sizeof sql);
    enum pgblock_end end = finish_sent(c, PQsendQuery(c->conn, sql), &r);
    if (end == PGBLOCK_DONE)
        c->type_oid[c->config.type] = (uint32_t)strtoul(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return end == PGBLOCK_REFUSED ? PGBLOCK_LOST : end;
}

enum pgblock_end pgblock_open(struct pgblock *c, const struct pgblock_config *config)
{
    char options[512];
    int n = snprintf(options, sizeof options, "%s %s", OPTIONS, config->options);
    assert(n > 0 && (size_t)n < sizeof options);
    *c = (struct pgblock){.config = *config};
    c->prepared = calloc((size_t)statements_count(), sizeof *c->prepared);
    c->conn = PQconnectdbParams(
        (const char *const[]){"fallback_application_name", "connect_timeout", "dbname", "options",
                              NULL},
        (const char *const[]){config->program, "5", config->uri, options, NULL}, 1);
    c->config.uri = c->config.program = c->config.options = NULL;
    if (c->prepared == NULL || c->conn == NULL)
        return pgblock_say(c, PGBLOCK_LOST, "out of memory");
    if (PQstatus(c->conn) != CONNECTION_OK || PQsetnonblocking(c->conn, 0) != 0)
        return pgblock_say(c, PGBLOCK_LOST, PQerrorMessage(c->conn));
    enum pgblock_end end = c->config.type_name == NULL ? PGBLOCK_DONE : ask_type(c);
    c->config.type_name = NULL;
    return end;
}

void pgblock_close(struct pgblock *c)
{
    PQfinish(c->conn);
    free(c->prepared);
    c->conn = NULL;
    c->prepared = NULL;
}

/* ---------------------------------------------------------------- statements */

static enum pgblock_end prepare(struct pgblock *c, int statement)
{
    PGresult *r;
    enum pgblock_end end = finish_sent(
        c, PQsendPrepare(c->conn, statements_name(statement), statements_text(statement), 0, NULL),
        &r);
    PQclear(r);
    c->prepared[statement] = end == PGBLOCK_DONE;
    return end;
}

enum pgblock_end pgblock_ask(struct pgblock *c, const char *name, struct params *params,
                             struct rows **rows)
{
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX], format[PARAMS_MAX];
    PGresult *r;
    int statement = statements_find(name);
    assert(statement >= 0);
    *rows = NULL;
    c->sqlstate[0] = '\0';
    if (params->failed)
        return pgblock_say(c, PGBLOCK_LOST, "out of memory");
    enum pgblock_end end = c->prepared[statement] ? PGBLOCK_DONE : prepare(c, statement);
    if (end != PGBLOCK_DONE)
        return end;
    params_set_types(params, c->type_oid);
    for (int i = 0; i < params->n; i++) {
        bool null = params->length[i] < 0;
        value[i] = null ? NULL : (const char *)params->bytes + params->offset[i];
        length[i] = null ? 0 : params->length[i];
        format[i] = 1;
    }
    end = finish_sent(c,
                      PQsendQueryPrepared(c->conn, statements_name(statement), params->n, value,
                                          length, format, 1),
                      &r);
    *rows = (struct rows *)(void *)r;
    return end;
}

/* All data of the COPY that has begun. */
static enum pgblock_end receive(struct pgblock *c,
                                bool (*keep)(void *user, const char *bytes, size_t len), void *user)
{
    struct patience patience = begin_to_wait(c);
    for (;;) {
        char *bytes = NULL;
        int len = PQgetCopyData(c->conn, &bytes, 1);
        if (len < 0) /* the end, or an error: the result that follows says which */
            return PGBLOCK_DONE;
        if (len > 0) {
            bool kept = keep(user, bytes, (size_t)len);
            PQfreemem(bytes);
            if (!kept)
                return pgblock_say(c, PGBLOCK_LOST, "out of memory");
            continue;
        }
        enum pgblock_end end = take_more(c, &patience);
        if (end != PGBLOCK_DONE)
            return end;
    }
}

enum pgblock_end pgblock_copy(struct pgblock *c, const char *sql,
                              bool (*keep)(void *user, const char *bytes, size_t len), void *user)
{
    struct patience patience = begin_to_wait(c);
    PGresult *r;
    c->sqlstate[0] = '\0';
    if (PQsendQuery(c->conn, sql) != 1)
        return pgblock_say(c, PGBLOCK_LOST, PQerrorMessage(c->conn));
    enum pgblock_end end = wait_for_result(c, &patience);
    if (end != PGBLOCK_DONE)
        return end;
    r = PQgetResult(c->conn);
    if (PQresultStatus(r) != PGRES_COPY_OUT) {
        PGresult *rest;
        (void)finish(c, &rest); /* there is none: what counts is r */
        PQclear(rest);
        end = judge(c, r);
        if (end != PGBLOCK_DONE)
            return end;
        PQclear(r);
        return pgblock_say(c, PGBLOCK_LOST, "no COPY was begun");
    }
    PQclear(r);
    end = receive(c, keep, user);
    if (end == PGBLOCK_DONE)
        end = finish(c, &r);
    if (end == PGBLOCK_DONE)
        PQclear(r);
    return end;
}
