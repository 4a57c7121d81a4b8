/*
 * book_heads.h: how far each book has come, looked at once every watch_poll_ms for all streams of a worker
 * that wait for something to happen; while none waits nothing is asked.
 */
#ifndef UJRAT_RPC_BOOK_HEADS_H
#define UJRAT_RPC_BOOK_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/rpc/rpc.h"

struct book_heads;

struct book_head {
    int32_t book_id;
    int64_t next_seq; /* the number of the book's next journal */
};

/* One that waits. Zero it, set user and on_moved; it must stay where it is while it waits. */
struct book_heads_waiter {
    void *user;
    void (*on_moved)(void *user); /* once, from the loop */

    /* book_heads.c's own */
    struct book_heads *heads; /* NULL: does not wait */
    int32_t book_id;
    int64_t seen;
    struct book_heads_waiter *prev, *next;
};

/* In ctx->heads; made with the first use. NULL: no memory. */
struct book_heads *book_heads_of(struct rpc_ctx *ctx);
/* After the ledger, whose answers it takes. Nobody may wait any more. */
void book_heads_free(struct book_heads **heads);

/* Not a book: what banks are asked, and their windows, which are in none. */
enum { BOOK_HEADS_SETTLEMENT = -1 };

/*
 * Something that grows with every commit in the book (0: in any book, or of settlement; BOOK_HEADS_SETTLEMENT: of that alone), as
 * last looked at; -1 before the first look. What was committed before the look was taken can be read by then.
 */
int64_t book_heads_position(const struct book_heads *heads, int32_t book_id);
/* All books, by id. Valid until the next return to the loop. */
unsigned book_heads_all(const struct book_heads *heads, const struct book_head **all);

/* Calls on_moved when the book (0: any) is no longer at `seen`. */
void book_heads_wait(struct book_heads *heads, struct book_heads_waiter *waiter, int32_t book_id,
                     int64_t seen);
/* Nothing if it does not wait. */
void book_heads_cancel(struct book_heads_waiter *waiter);

#endif
