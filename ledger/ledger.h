/*
 * The ledger as one worker process sees it: a few PostgreSQL connections on the worker's event loop, a
 * bounded queue of statements, and the batcher that gathers payouts into one call a book.
 *
 * A commit has one of five outcomes. DONE, DUPLICATE and REFUSED are definite. NOT_SENT is definite too:
 * nothing reached the database. UNKNOWN is not failure: the connection was lost after the call was
 * sent and before it was answered. Payouts whose outcome is unknown are asked again by the batcher
 * itself, under the same reference, until the answer is definite or the caller's deadline passes.
 *
 * Callbacks always run from the event loop, never from inside the call that submitted.
 */
#ifndef UJRAT_LEDGER_LEDGER_H
#define UJRAT_LEDGER_LEDGER_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "domain/journal.h"
#include "domain/reason.h"
#include "ledger/params.h"
#include "ledger/pii.h"
#include "ledger/rows.h"

struct event_base;
struct ledger;

enum ledger_outcome {
    LEDGER_DONE = 1,
    LEDGER_DUPLICATE, /* the same had been done before; the first result stands */
    LEDGER_REFUSED,   /* nothing was done, and reason says why */
    LEDGER_NOT_SENT,  /* nothing was done: no connection, queue full, deadline before sending */
    LEDGER_UNKNOWN,   /* may have been done: ask again under the same reference */
};

struct ledger_block; /* below */
typedef void ledger_block_cb(void *user, const struct ledger_block *block);

struct ledger_config {
    const char *uri;      /* libpq; hostaddr or a socket path, since name look-up would block */
    unsigned connections; /* 1..16 */
    unsigned batch_payouts_max;    /* payouts in one post_payouts call */
    unsigned queue_payouts_max;    /* payouts waiting or in flight; over it: NOT_SENT, QUEUE_FULL */
    unsigned queue_statements_max; /* the same for other statements */
    unsigned
        statement_timeout_ms; /* our own deadline for one round trip; then the connection is dropped */
    struct log *log;
    ledger_block_cb *on_block; /* NULL, or told of blocks of payouts as they are committed */
    void *on_block_user;
};

MUST_CHECK err_t ledger_new(struct event_base *base, const struct ledger_config *config,
                            struct ledger **out);
/* Pending callbacks are called with NOT_SENT or UNKNOWN before it returns. */
void ledger_free(struct ledger **l);
/* Number of connections that are up and prepared. */
unsigned ledger_connections_up(const struct ledger *l);

/* ---------------------------------------------------------------- statements */

/*
 * `rows` is NULL unless the outcome is DONE, and lives until the callback returns.
 * REFUSED is an SQL error that says nothing was done; `reason` is INTERNAL then unless the error carried a
 * reason of our own (SQLSTATE UJ000 + reason number).
 */
typedef void ledger_rows_cb(void *user, enum ledger_outcome outcome, reason_t reason,
                            const struct rows *rows);

/*
 * Runs the statement ledger/sql/<name>.sql. The params are moved from (left empty). Read-only statements
 * (whose file begins with "-- read-only") whose connection is lost are simply run again, within the
 * deadline. deadline_us is on the monotonic clock.
 */
void ledger_query(struct ledger *l, const char *name, struct params *params, int64_t deadline_us,
                  ledger_rows_cb *cb, void *user);

/*
 * A statement that writes and may be asked twice, since what it does it does once (a batch is known by its names, a claim by its number).
 * One whose connection was lost is asked again until the answer is definite or the deadline passes; then UNKNOWN.
 */
struct ledger_ask {
    const char *name;
    /* Writes the params, before each try: params are empty, oids are those of the connection that they go to. */
    void (*encode)(void *user, struct params *params, const uint32_t *oids);
    /* lost: an earlier try was sent and never answered, so that "it was done before" may mean that it was done by this. */
    void (*cb)(void *user, enum ledger_outcome outcome, reason_t reason, const struct rows *rows,
               bool lost);
    void *user;
    int64_t deadline_us; /* monotonic */
};
void ledger_ask(struct ledger *l, const struct ledger_ask *ask);

/* ---------------------------------------------------------------- payouts */

/* A beneficiary, such as one carried by a payout, already validated and normalised. */
struct beneficiary_draft {
    struct slice fingerprint; /* 16 bytes */
    int16_t bank_id;
    int16_t channel;
    struct slice purpose_code;
    struct pii_row pii; /* what a person is called and paid by, committed to and encrypted */
};

/* The columns of the type beneficiary_draft (ledger/schema), for a row that has been begun. */
enum { BENEFICIARY_DRAFT_COLUMNS = 11 };
void beneficiary_draft_columns(struct params *params, const struct beneficiary_draft *draft);

/*
 * One payout as it is posted: validated, priced, with its journal lines. The line whose account is
 * LEDGER_ACCOUNT_PAYABLE goes to the payable account of the beneficiary's bank, found by the ledger.
 * Where `refusal` is set the payout is not posted; a reference that exists is still answered with its
 * first result, which is why such drafts are sent at all (a retry after the rate went stale must find
 * what the first try did).
 */
enum { LEDGER_ACCOUNT_PAYABLE = INT32_MAX };

struct payout_draft {
    struct slice reference;
    struct slice fingerprint;                /* 16 bytes over the request's body */
    struct slice info;                       /* remittance information, or empty */
    int64_t beneficiary_id;                  /* 0: carried */
    const struct beneficiary_draft *carried; /* NULL: registered */
    int64_t quote_id;                        /* 0: none */
    int64_t gross, fee, mid_rate_e10, mid_value, margin,
        net; /* minor units of src, src, -, dst, dst, dst */
    int32_t rate_id;
    int32_t policy_id; /* the version of the policy that priced it; 0: none */
    int32_t margin_bps;
    int16_t src_ccy, dst_ccy;
    int16_t digit_shift;    /* digits(dst) - digits(src) */
    reason_t refusal;       /* REASON_NONE, or why it cannot be posted now */
    struct journal journal; /* at most 8 lines */
};

struct payout_posted {
    enum ledger_outcome outcome;
    reason_t reason;      /* REFUSED or NOT_SENT: why */
    int64_t payout_id;    /* DONE, DUPLICATE */
    int64_t committed_us; /* DONE: Unix time of the commit */
    /* DONE and DUPLICATE: what the payout comes to, as stored */
    int64_t fee, net;
    int64_t beneficiary_id; /* one that was carried has a number by now */
    int16_t bank_id, dst_ccy;
};

/* The columns of the type payout_draft (ledger/schema), as one row of an array: for post_payouts and whatever else posts payouts. */
void payout_draft_row(struct params *params, const struct payout_draft *draft,
                      const uint32_t *oids);

/*
 * A block that was committed just now, and is payouts only, each of them accepted as it was sent (registered
 * beneficiary, no quote, no duplicate): payout i has the number and seq first_seq + i, and its line on
 * LEDGER_ACCOUNT_PAYABLE went to the payable account of bank_id[i] in the draft's dst_ccy. Not every such block is
 * told: one that had to be asked for twice is not. Everything lives until the call returns, which comes before those
 * of ledger_post() and has to be short.
 */
struct ledger_block {
    int32_t book_id, principal_id;
    int64_t block_no, first_seq, committed_us;
    unsigned n;
    const struct payout_draft *const *drafts;
    const int64_t *bank_id, *beneficiary_version;
};

typedef void ledger_posted_cb(void *user);

/*
 * Posts n payouts of one book, in order. `drafts`, what they point to, and `posted` stay the caller's
 * and must live until the callback, which comes exactly once, also after the deadline.
 */
void ledger_post(struct ledger *l, int32_t book_id, int32_t principal_id,
                 const struct payout_draft *drafts, struct payout_posted *posted, unsigned n,
                 int64_t deadline_us, ledger_posted_cb *cb, void *user);

struct ledger_stats {
    uint64_t batches, payouts, resent_singly, reconnects;
    uint64_t
        unknown_resolved; /* payouts answered after the connection of an earlier try was lost */
    unsigned payouts_queued, statements_queued;
};
void ledger_stats(const struct ledger *l, struct ledger_stats *out);

#endif
