#include "gateway/rpc/book_heads.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/clock.h"

struct book_heads {
    struct rpc_ctx *ctx;
    struct event *timer;
    bool asking;
    bool looked;
    struct book_heads_waiter *waiters;
    struct book_head *all;
    unsigned n;
    int64_t settlement; /* BOOK_HEADS_SETTLEMENT */
};

static void look(struct book_heads *heads);

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct book_heads *heads = user;
    if (heads->waiters != NULL && !heads->asking)
        look(heads);
}

static void look_after(struct book_heads *heads, int64_t ms)
{
    struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};
    event_add(heads->timer, &tv);
}

struct book_heads *book_heads_of(struct rpc_ctx *ctx)
{
    if (ctx->heads != NULL)
        return ctx->heads;
    struct book_heads *heads = calloc(1, sizeof(*heads));
    if (heads == NULL)
        return NULL;
    heads->ctx = ctx;
    heads->timer = evtimer_new(ctx->base, on_timer, heads);
    if (heads->timer == NULL) {
        free(heads);
        return NULL;
    }
    ctx->heads = heads;
    return heads;
}

void book_heads_free(struct book_heads **heads)
{
    struct book_heads *h = *heads;
    if (h == NULL)
        return;
    assert(h->waiters == NULL && !h->asking);
    event_free(h->timer);
    free(h->all);
    free(h);
    *heads = NULL;
}

int64_t book_heads_position(const struct book_heads *heads, int32_t book_id)
{
    if (!heads->looked)
        return -1;
    int64_t position = book_id == 0 || book_id == BOOK_HEADS_SETTLEMENT ? heads->settlement : 0;
    for (unsigned i = 0; i < heads->n; i++) {
        if (book_id == 0)
            position += heads->all[i].next_seq; /* none ever falls, so the sum says it too */
        else if (heads->all[i].book_id == book_id)
            position = heads->all[i].next_seq;
    }
    return position;
}

unsigned book_heads_all(const struct book_heads *heads, const struct book_head **all)
{
    *all = heads->all;
    return heads->n;
}

static void unlink_waiter(struct book_heads_waiter *w)
{
    assert(w->heads != NULL);
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        w->heads->waiters = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    w->prev = NULL;
    w->next = NULL;
    w->heads = NULL;
}

/* A waiter that is called may wait again (it is then put in front), or cancel others: begin again after each. */
static void wake(struct book_heads *heads)
{
    for (struct book_heads_waiter *w = heads->waiters; w != NULL;) {
        if (book_heads_position(heads, w->book_id) == w->seen) {
            w = w->next;
            continue;
        }
        unlink_waiter(w);
        w->on_moved(w->user);
        w = heads->waiters;
    }
}

static bool take(struct book_heads *heads, const struct rows *rows)
{
    unsigned n = (unsigned)rows_count(rows);
    if (n > heads->n) {
        struct book_head *all = realloc(heads->all, n * sizeof(*all));
        if (all == NULL)
            return false;
        heads->all = all;
    }
    heads->n = 0;
    for (unsigned i = 0; i < n; i++) {
        int32_t book_id = (int32_t)rows_int(rows, (int)i, 0);
        int64_t position = rows_int(rows, (int)i, 1);
        if (book_id == 0)
            heads->settlement = position;
        else
            heads->all[heads->n++] = (struct book_head){book_id, position};
    }
    heads->looked = true;
    return true;
}

static void on_rows(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    (void)reason; /* whatever it was, the next look is soon */
    struct book_heads *heads = user;
    heads->asking = false;
    if (outcome == LEDGER_DONE && take(heads, rows))
        wake(heads);
    if (heads->waiters != NULL && !heads->asking)
        look_after(heads, heads->ctx->config->watch_poll_ms);
}

static void look(struct book_heads *heads)
{
    struct params params;
    params_init(&params);
    heads->asking = true;
    ledger_query(heads->ctx->ledger, "book_heads", &params,
                 clock_monotonic_us() + heads->ctx->config->call_deadline_ms * US_PER_MS, on_rows,
                 heads);
}

void book_heads_wait(struct book_heads *heads, struct book_heads_waiter *waiter, int32_t book_id,
                     int64_t seen)
{
    assert(waiter->heads == NULL);
    bool first = heads->waiters == NULL;
    waiter->heads = heads;
    waiter->book_id = book_id;
    waiter->seen = seen;
    waiter->prev = NULL;
    waiter->next = heads->waiters;
    if (heads->waiters != NULL)
        heads->waiters->prev = waiter;
    heads->waiters = waiter;
    bool moved = book_heads_position(heads, book_id) != seen; /* others looked meanwhile */
    if (heads->asking || (!first && !moved))
        return; /* a look, or the timer for one, is under way */
    look_after(heads, moved || !heads->looked ? 0 : heads->ctx->config->watch_poll_ms);
}

void book_heads_cancel(struct book_heads_waiter *waiter)
{
    if (waiter->heads != NULL)
        unlink_waiter(waiter);
}
