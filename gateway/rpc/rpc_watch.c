#include "gateway/rpc/rpc_watch.h"

#include <stdlib.h>

/* Touches no call: it may be over. */
static void watch_free(struct rpc_watch *w)
{
    book_heads_cancel(&w->waiter);
    if (w->kind->deinit != NULL)
        w->kind->deinit(w);
    free(w);
}

static void wait_for_more(struct rpc_watch *w)
{
    book_heads_wait(w->heads, &w->waiter, w->book_id, w->position);
}

/* Asks, unless it is asked, or the client has enough for now, or there was nothing and nothing has moved since. */
static void go_on(struct rpc_watch *w)
{
    if (w->asking || w->paused || w->waiter.heads != NULL)
        return;
    /* Before it is asked: what is committed meanwhile moves the book from here. */
    w->position = book_heads_position(w->heads, w->book_id);
    switch (w->kind->ask(w)) {
    case RPC_WATCH_GO_ON:
    case RPC_WATCH_OVER:
        break;
    case RPC_WATCH_WAIT:
        wait_for_more(w);
        break;
    }
}

static void on_moved(void *user)
{
    struct rpc_watch *w = user;
    if (w->kind->moved != NULL)
        w->kind->moved(w);
    go_on(w);
}

static void on_rows(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct rpc_watch *w = call->state;
    w->asking = false;
    if (outcome != LEDGER_DONE) {
        watch_free(w);
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    switch (w->kind->take(w, rows)) {
    case RPC_WATCH_GO_ON:
        go_on(w);
        break;
    case RPC_WATCH_WAIT:
        if (!w->paused) /* else it asks again when the client has taken what it has */
            wait_for_more(w);
        break;
    case RPC_WATCH_OVER:
        break;
    }
}

void *rpc_watch_new(struct rpc_call *call, const struct rpc_watch_kind *kind)
{
    struct book_heads *heads = book_heads_of(call->ctx);
    struct rpc_watch *w = heads == NULL ? NULL : calloc(1, kind->size);
    if (w == NULL) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return NULL;
    }
    w->call = call;
    w->heads = heads;
    w->kind = kind;
    w->waiter.user = w;
    w->waiter.on_moved = on_moved;
    call->state = w;
    return w;
}

void rpc_watch_start(struct rpc_watch *w)
{
    rpc_send_headers(w->call);
    go_on(w);
}

void rpc_watch_query(struct rpc_watch *w, const char *statement, struct params *params)
{
    w->asking = true;
    rpc_query(w->call, statement, params, on_rows);
}

bool rpc_watch_send(struct rpc_watch *w, const struct wire_message *type, const void *message)
{
    enum rpc_send_result sent = rpc_send(w->call, type, message);
    if (sent == RPC_SEND_FAILED) /* the call is over */
        watch_free(w);
    else
        w->paused = sent == RPC_SEND_PAUSE;
    return sent != RPC_SEND_FAILED;
}

void rpc_watch_refuse(struct rpc_watch *w, reason_t reason, const char *field)
{
    struct rpc_call *call = w->call;
    watch_free(w);
    rpc_refuse(call, reason, field);
}

void rpc_watch_on_writable(struct rpc_call *call)
{
    struct rpc_watch *w = call->state;
    w->paused = false;
    go_on(w);
}

void rpc_watch_on_gone(struct rpc_call *call)
{
    watch_free(call->state);
    call->state = NULL;
}
