/*
 * Gathers payouts into one post_payouts call a book: whatever arrives while the last call of the book is under
 * way goes into the next. Group commit that adapts to the load, and adds no wait when idle.
 *
 * A book has at most one batch at a time, sent or waiting to be asked again after a lost connection; another
 * would only wait for the book's lock. Order of arrival is kept within a book.
 */
#ifndef UJRAT_LEDGER_BATCHER_H
#define UJRAT_LEDGER_BATCHER_H

#include "ledger/ledger.h"
#include "ledger/pgconn.h"

struct batcher;

MUST_CHECK err_t batcher_new(const struct ledger_config *config, struct batcher **out);
/* Nothing may be in flight. Everything waiting is completed. */
void batcher_free(struct batcher **b);

/* False: the queue is full, and nothing was taken. */
MUST_CHECK bool batcher_add(struct batcher *b, int32_t book_id, int32_t principal_id,
                            const struct payout_draft *drafts, struct payout_posted *posted,
                            unsigned n, int64_t deadline_us, ledger_posted_cb *cb, void *user);

struct batch;
/* The next batch to send, NULL if there is none. From here to batcher_ended it is the connection's. */
struct batch *batcher_take(struct batcher *b, const uint32_t *type_oids);
struct params *batch_params(struct batch *batch);

/* How the batch's statement ended. Calls back those whose every payout now has its outcome. */
void batcher_ended(struct batcher *b, struct batch *batch, enum pgconn_end end,
                   const PGresult *result);

/* Completes what has waited past its deadline. `up`: there is a connection. */
void batcher_expire(struct batcher *b, int64_t now_us);

void batcher_stats(const struct batcher *b, struct ledger_stats *out);

#endif
