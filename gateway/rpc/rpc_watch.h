/*
 * rpc_watch.h: a stream that reads the ledger on from where the client is, page by page, and waits where there is nothing
 * more.
 *
 * The client pulls: a page is read when the one before has left our buffer. Where all is sent, the stream waits for a book to
 * move (book_heads.h). What is its own is to ask for the next page and to send what came. In a file of this folder:
 *
 *     struct watch { struct rpc_watch base; ... };           (base is first)
 *     static const struct rpc_watch_kind kind = {sizeof(struct watch), ask, take};
 *
 *     handle:  struct watch *w = rpc_watch_new(call, &kind);  fill in;  rpc_watch_start(&w->base);
 *     and in the method's row  .on_writable = rpc_watch_on_writable, .on_gone = rpc_watch_on_gone
 */
#ifndef UJRAT_RPC_RPC_WATCH_H
#define UJRAT_RPC_RPC_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/rpc/book_heads.h"

struct rpc_watch;

enum rpc_watch_next {
    RPC_WATCH_GO_ON, /* from ask: it is asked; from take: ask for more */
    RPC_WATCH_WAIT, /* there is nothing more until the book has moved from where it was when asked last */
    RPC_WATCH_OVER, /* the stream is over, and w is no more */
};

struct rpc_watch_kind {
    size_t size; /* of the struct that begins with a struct rpc_watch */
    /* Asks for the next page: one rpc_watch_query(). */
    enum rpc_watch_next (*ask)(struct rpc_watch *w);
    /* What came. It sends with rpc_watch_send(). */
    enum rpc_watch_next (*take)(struct rpc_watch *w, const struct rows *rows);
    /* Or NULL. What it waited for has come, and it is about to ask. */
    void (*moved)(struct rpc_watch *w);
    /* Or NULL. Frees what the struct holds. */
    void (*deinit)(struct rpc_watch *w);
};

struct rpc_watch {
    struct rpc_call *call;
    struct book_heads *heads;
    int32_t book_id; /* which one to wait for, as book_heads_wait() has it; 0 at first: any */

    /* rpc_watch.c's own */
    const struct rpc_watch_kind *kind;
    struct book_heads_waiter waiter;
    int64_t position; /* of that book, before it was asked last */
    bool asking;
    bool paused;
};

/* Zeroed, but for base. It is call->state, and freed by itself. NULL: no memory; the call has been refused and is over. */
void *rpc_watch_new(struct rpc_call *call, const struct rpc_watch_kind *kind);
/* Answers with headers and begins to ask. The last thing that handle does. */
void rpc_watch_start(struct rpc_watch *w);

/* rpc_query() for `ask`. */
void rpc_watch_query(struct rpc_watch *w, const char *statement, struct params *params);
/* rpc_send() for `take`. False: return RPC_WATCH_OVER. */
MUST_CHECK bool rpc_watch_send(struct rpc_watch *w, const struct wire_message *type,
                               const void *message);
/* Ends the stream with a refusal: return RPC_WATCH_OVER, or from handle. */
void rpc_watch_refuse(struct rpc_watch *w, reason_t reason, const char *field);

void rpc_watch_on_writable(struct rpc_call *call);
void rpc_watch_on_gone(struct rpc_call *call);

#endif
