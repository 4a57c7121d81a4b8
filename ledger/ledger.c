#include "ledger/ledger.h"

#include <assert.h>
#include <event2/event.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "ledger/batcher.h"
#include "ledger/pgconn.h"
#include "ledger/statements.h"

enum { CONNECTIONS_MAX = 16, EXPIRE_EVERY_MS = 50, ASK_AGAIN_MS = 50 };

/* One ledger_query or ledger_ask call: waiting, with a connection, or over and about to be told so. */
struct query {
    TAILQ_ENTRY(query) entry;
    const char *name;
    bool read_only;
    bool lost; /* a try was sent and never answered */
    struct params params;
    int64_t deadline_us;
    ledger_rows_cb *cb; /* NULL: the call is `ask` */
    void *user;
    struct ledger_ask ask;
    int64_t ask_at_us;           /* not to be sent before */
    enum ledger_outcome outcome; /* when over without a connection */
    reason_t reason;
};
TAILQ_HEAD(queries, query);

/* A ledger_post call that was not taken, told from the event loop. */
struct refused_post {
    STAILQ_ENTRY(refused_post) entry;
    ledger_posted_cb *cb;
    void *user;
};
STAILQ_HEAD(refused_posts, refused_post);

struct slot {
    struct ledger *ledger;
    struct pgconn *conn;
    struct query *query; /* with the connection now, or */
    struct batch *batch;
    bool had_batch; /* the last work it was given was a batch */
};

struct ledger {
    struct ledger_config config;
    struct batcher *batcher;
    struct queries waiting;
    struct queries over;
    unsigned waiting_count;
    struct refused_posts refused;
    struct event *pump; /* hands work to idle connections */
    struct event *tick; /* deadlines */
    unsigned slot_count;
    struct slot slots[CONNECTIONS_MAX];
};

static void pump_soon(struct ledger *l)
{
    event_active(l->pump, EV_TIMEOUT, 0);
}

/* ---------------------------------------------------------------- queries */

static void query_free(struct query *q)
{
    params_deinit(&q->params);
    free(q);
}

static void query_tell(struct query *q, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    if (q->cb != NULL)
        q->cb(q->user, outcome, reason, rows);
    else
        q->ask.cb(q->ask.user, outcome, reason, rows, q->lost);
    query_free(q);
}

/* Over without an answer. What may be asked twice, and was lost once, is then as unknown as it was. */
static void query_over(struct ledger *l, struct query *q, enum ledger_outcome outcome,
                       reason_t reason)
{
    const bool unknown = q->cb == NULL && q->lost;
    q->outcome = unknown ? LEDGER_UNKNOWN : outcome;
    q->reason = unknown ? REASON_OUTCOME_UNKNOWN : reason;
    TAILQ_INSERT_TAIL(&l->over, q, entry);
    pump_soon(l);
}

static void query_wait(struct ledger *l, struct query *q)
{
    if (l->waiting_count >= l->config.queue_statements_max) {
        query_over(l, q, LEDGER_NOT_SENT, REASON_QUEUE_FULL);
        return;
    }
    TAILQ_INSERT_TAIL(&l->waiting, q, entry);
    l->waiting_count++;
    pump_soon(l);
}

void ledger_query(struct ledger *l, const char *name, struct params *params, int64_t deadline_us,
                  ledger_rows_cb *cb, void *user)
{
    const int i = statements_find(name);
    assert(i >= 0);
    struct query *q = malloc(sizeof *q);
    assert(q != NULL); /* a page of memory: with none left the process cannot answer anybody */
    *q = (struct query){
        .name = name,
        .read_only = statements_is_read_only(i),
        .params = *params,
        .deadline_us = deadline_us,
        .cb = cb,
        .user = user,
    };
    params_init(params);
    if (q->params.failed)
        query_over(l, q, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    else
        query_wait(l, q);
}

void ledger_ask(struct ledger *l, const struct ledger_ask *ask)
{
    assert(statements_find(ask->name) >= 0);
    struct query *q = calloc(1, sizeof *q);
    assert(q != NULL);
    q->name = ask->name;
    q->ask = *ask;
    q->deadline_us = ask->deadline_us;
    query_wait(l, q);
}

/* "UJ" and the number of a reason of ours, raised by a function of the schema. */
static reason_t reason_of(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int64_t number = 0;
    reason_t reason = REASON_NONE;
    if (sqlstate == NULL || strncmp(sqlstate, "UJ", 2) != 0 ||
        err_failed(str_parse_int64(slice_str(sqlstate + 2), &number)) ||
        !reason_from_number((int32_t)number, &reason) || reason == REASON_NONE)
        return REASON_INTERNAL;
    return reason;
}

/* First in the queue again. */
static void query_again(struct ledger *l, struct query *q)
{
    TAILQ_INSERT_HEAD(&l->waiting, q, entry);
    l->waiting_count++;
}

/* An error says that this try did nothing. If an earlier one was lost, it says nothing of that. */
static void query_failed(struct ledger *l, struct query *q, const PGresult *result)
{
    const bool passing = pgconn_error_is_passing(result);
    const bool unknown = q->cb == NULL && q->lost;
    if (unknown && passing) {
        q->ask_at_us = clock_monotonic_us() + ASK_AGAIN_MS * US_PER_MS;
        query_again(l, q);
    } else if (unknown) {
        query_tell(q, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN, NULL);
    } else if (passing) {
        query_tell(q, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE, NULL);
    } else {
        query_tell(q, LEDGER_REFUSED, reason_of(result), NULL);
    }
}

static void query_ended(struct ledger *l, struct query *q, enum pgconn_end end,
                        const PGresult *result)
{
    switch (end) {
    case PGCONN_DONE:
        query_tell(q, LEDGER_DONE, REASON_NONE, (const struct rows *)(const void *)result);
        return;
    case PGCONN_ERROR:
        query_failed(l, q, result);
        return;
    case PGCONN_LOST:
        q->lost = true;
        if (!q->read_only && q->cb != NULL) {
            query_tell(q, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN, NULL);
            return;
        }
        break;
    case PGCONN_UNSENT:
        break;
    }
    /* Nothing was done, or nothing that matters, or what is done once. */
    query_again(l, q);
}

/* ---------------------------------------------------------------- payouts */

void ledger_post(struct ledger *l, int32_t book_id, int32_t principal_id,
                 const struct payout_draft *drafts, struct payout_posted *posted, unsigned n,
                 int64_t deadline_us, ledger_posted_cb *cb, void *user)
{
    if (!batcher_add(l->batcher, book_id, principal_id, drafts, posted, n, deadline_us, cb, user)) {
        for (unsigned i = 0; i < n; i++)
            posted[i] =
                (struct payout_posted){.outcome = LEDGER_NOT_SENT, .reason = REASON_QUEUE_FULL};
        struct refused_post *r = malloc(sizeof *r);
        assert(r != NULL);
        r->cb = cb;
        r->user = user;
        STAILQ_INSERT_TAIL(&l->refused, r, entry);
    }
    pump_soon(l);
}

/* ---------------------------------------------------------------- handing out work */

static bool give_batch(struct ledger *l, struct slot *s)
{
    s->batch = batcher_take(l->batcher, pgconn_type_oids(s->conn));
    if (s->batch == NULL)
        return false;
    s->had_batch = true;
    pgconn_run(s->conn, "post_payouts", batch_params(s->batch));
    return true;
}

static bool give_query(struct ledger *l, struct slot *s)
{
    struct query *q = TAILQ_FIRST(&l->waiting);
    while (q != NULL && q->ask_at_us > 0 && q->ask_at_us > clock_monotonic_us())
        q = TAILQ_NEXT(q, entry);
    if (q == NULL)
        return false;
    TAILQ_REMOVE(&l->waiting, q, entry);
    l->waiting_count--;
    if (q->cb == NULL) {
        params_reset(&q->params);
        q->ask.encode(q->ask.user, &q->params, pgconn_type_oids(s->conn));
    }
    if (q->params.failed) { /* no memory to ask in */
        query_over(l, q, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
        return true;
    }
    s->query = q;
    s->had_batch = false;
    pgconn_run(s->conn, q->name, &q->params);
    return true;
}

/* The first connection looks for payouts first, the others for statements; one that is alone takes turns. Neither
 * starves the other. */
static void give_work(struct ledger *l, struct slot *s)
{
    if (!pgconn_is_idle(s->conn) || s->query != NULL || s->batch != NULL)
        return;
    const bool alone = l->slot_count == 1;
    if (s == &l->slots[0] && !(alone && s->had_batch))
        (void)(give_batch(l, s) || give_query(l, s));
    else
        (void)(give_query(l, s) || give_batch(l, s));
}

static void on_idle(void *user, struct pgconn *c)
{
    struct slot *s = user;
    (void)c;
    pump_soon(s->ledger);
}

static void on_ended(void *user, struct pgconn *c, enum pgconn_end end, const PGresult *result)
{
    struct slot *s = user;
    (void)c;
    struct query *query = s->query;
    struct batch *batch = s->batch;
    s->query = NULL;
    s->batch = NULL;
    if (query != NULL)
        query_ended(s->ledger, query, end, result);
    if (batch != NULL)
        batcher_ended(s->ledger->batcher, batch, end, result);
    pump_soon(s->ledger);
}

static void tell_over(struct ledger *l)
{
    struct query *q;
    struct refused_post *r;
    while ((q = TAILQ_FIRST(&l->over)) != NULL) {
        TAILQ_REMOVE(&l->over, q, entry);
        query_tell(q, q->outcome, q->reason, NULL);
    }
    while ((r = STAILQ_FIRST(&l->refused)) != NULL) {
        STAILQ_REMOVE_HEAD(&l->refused, entry);
        ledger_posted_cb *cb = r->cb;
        void *user = r->user;
        free(r);
        cb(user);
    }
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct ledger *l = arg;
    (void)fd;
    (void)what;
    tell_over(l);
    for (unsigned i = 0; i < l->slot_count; i++)
        give_work(l, &l->slots[i]);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct ledger *l = arg;
    (void)fd;
    (void)what;
    const int64_t now_us = clock_monotonic_us();
    struct query *q = TAILQ_FIRST(&l->waiting);
    while (q != NULL) {
        struct query *next = TAILQ_NEXT(q, entry);
        if (q->deadline_us <= now_us) {
            TAILQ_REMOVE(&l->waiting, q, entry);
            l->waiting_count--;
            query_over(l, q, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
        }
        q = next;
    }
    batcher_expire(l->batcher, now_us);
    pump_soon(l); /* a batch may be due to be asked again */
}

/* ---------------------------------------------------------------- life */

err_t ledger_new(struct event_base *base, const struct ledger_config *config, struct ledger **out)
{
    assert(config->connections >= 1 && config->connections <= CONNECTIONS_MAX);
    struct ledger *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_make(ERR_NO_MEMORY, "ledger");
    l->config = *config;
    TAILQ_INIT(&l->waiting);
    TAILQ_INIT(&l->over);
    STAILQ_INIT(&l->refused);
    err_t err = batcher_new(config, &l->batcher);
    if (err_failed(err))
        goto out;
    l->pump = event_new(base, -1, 0, on_pump, l);
    l->tick = event_new(base, -1, EV_PERSIST, on_tick, l);
    const struct timeval every = {0, EXPIRE_EVERY_MS * 1000};
    if (l->pump == NULL || l->tick == NULL || event_add(l->tick, &every) != 0) {
        err = err_make(ERR_NO_MEMORY, "ledger events");
        goto out;
    }
    const struct pgconn_config conn_config = {config->uri, config->statement_timeout_ms,
                                              config->log};
    for (; l->slot_count < config->connections; l->slot_count++) {
        struct slot *s = &l->slots[l->slot_count];
        s->ledger = l;
        const struct pgconn_owner owner = {s, on_idle, on_ended};
        err = pgconn_new(base, &conn_config, &owner, &s->conn);
        if (err_failed(err))
            goto out;
    }
out:
    if (err_failed(err))
        ledger_free(&l);
    *out = l;
    return err;
}

void ledger_free(struct ledger **lp)
{
    struct ledger *l = *lp;
    if (l == NULL)
        return;
    *lp = NULL;
    for (unsigned i = 0; i < l->slot_count; i++) {
        struct slot *s = &l->slots[i];
        pgconn_free(&s->conn);
        if (s->query != NULL || s->batch != NULL)
            on_ended(s, NULL, PGCONN_LOST, NULL);
    }
    struct query *q;
    while ((q = TAILQ_FIRST(&l->waiting)) != NULL) {
        TAILQ_REMOVE(&l->waiting, q, entry);
        query_over(l, q, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
    }
    batcher_free(&l->batcher);
    tell_over(l);
    if (l->pump != NULL)
        event_free(l->pump);
    if (l->tick != NULL)
        event_free(l->tick);
    free(l);
}

unsigned ledger_connections_up(const struct ledger *l)
{
    unsigned up = 0;
    for (unsigned i = 0; i < l->slot_count; i++)
        up += pgconn_is_up(l->slots[i].conn);
    return up;
}

void ledger_stats(const struct ledger *l, struct ledger_stats *out)
{
    batcher_stats(l->batcher, out);
    out->statements_queued = l->waiting_count;
    for (unsigned i = 0; i < l->slot_count; i++) {
        const uint64_t connects = pgconn_connects(l->slots[i].conn);
        out->reconnects += connects > 0 ? connects - 1 : 0;
    }
}
