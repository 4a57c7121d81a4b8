/*
 * batch.h: a batch of payouts as one commit: all of it is in the ledger, or none (ledger/schema/functions/batches.sql).
 *
 * Unlike ledger_post() a batch has a name of its own, is refused as a whole while the float does not cover all of it,
 * and may have items for people that nobody knows yet: their money is set aside (the table unclaimed).
 */
#ifndef UJRAT_LEDGER_BATCH_H
#define UJRAT_LEDGER_BATCH_H

#include <stdint.h>

#include "ledger/ledger.h"

/* As in the columns recipient_type and receiver_kind. */
enum recipient_type {
    RECIPIENT_EMAIL = 1,
    RECIPIENT_PHONE,
    RECIPIENT_PAYPAL_ID,
    RECIPIENT_USER_HANDLE
};
enum receiver_kind { RECEIVER_NONE = 0, RECEIVER_EMAIL = 1, RECEIVER_PHONE = 2 };

struct batch_draft {
    struct slice sender_batch_id; /* empty: none; then there is a request_id */
    struct slice request_id;      /* empty: none */
    struct slice fingerprint;     /* 16 bytes, of the whole body */
    int32_t credential_id;
    struct slice email_subject, email_message; /* may be empty; at most 255 and 1,000 characters */
    int16_t ccy;                               /* of all items */
    int64_t amount;                            /* of all items together, minor units */
    int64_t unclaimed_ttl_s;
};

struct batch_item_draft {
    /*
     * What would be posted. For an item without a known beneficiary (receiver_kind given, beneficiary_id 0 and nothing carried) it has
     * reference, info, gross and src_ccy alone, and becomes unclaimed. A refusal in it becomes the item's reason.
     */
    struct payout_draft payout;
    struct slice sender_item_id; /* may be empty */
    enum recipient_type recipient_type;
    enum receiver_kind receiver_kind;
    const uint8_t *receiver_lookup; /* 32 bytes; NULL when the kind is NONE */
    int16_t key_id;                 /* of sealed */
    struct slice sealed;            /* receiver and note, encrypted */
};

enum batch_verdict {
    BATCH_TAKEN = 1,
    BATCH_SAME, /* this request_id with this fingerprint was taken before: batch_id is that one */
    BATCH_SENDER_REUSED,  /* the sender_batch_id was used: batch_id is that one's */
    BATCH_REQUEST_REUSED, /* the request_id was used with another body */
    BATCH_NOT_COVERED,    /* the float does not cover it: nothing was done */
};

struct batch_posted {
    enum ledger_outcome outcome; /* DONE: see verdict; else nothing was done, or UNKNOWN */
    reason_t reason;             /* REFUSED or NOT_SENT: why */
    enum batch_verdict verdict;
    int64_t batch_id;
    int64_t committed_us; /* Unix time; of SAME and SENDER_REUSED: of the first */
    bool same_body;       /* SAME, SENDER_REUSED: the body is the same as the first one's */
};

/*
 * One call, one commit. Everything pointed to stays the caller's and must live until the callback, which comes from the
 * loop, exactly once. A call whose connection was lost is asked again until the deadline (monotonic): it is safe to repeat. What it
 * then finds under all its names, with the same body, is what it took itself: TAKEN.
 */
void ledger_submit_batch(struct ledger *l, int32_t book_id, int32_t principal_id,
                         const struct batch_draft *batch, const struct batch_item_draft *items,
                         unsigned n, int64_t deadline_us, struct batch_posted *posted,
                         ledger_posted_cb *cb, void *user);

/* ---------------------------------------------------------------- what is unclaimed */

/*
 * What an item is now: the column state of the statements batch_items, batch_item_get and batch_totals. Else a payout's state
 * (domain/payout_state.h): 8, UNCLAIMED, is one that is still set aside.
 */
enum batch_item_state {
    BATCH_ITEM_EXPIRED = 101,   /* nobody claimed it in time: the float has it back */
    BATCH_ITEM_CANCELLED = 102, /* it was cancelled while nobody had claimed it */
    BATCH_ITEM_REFUSED = 103, /* when the batch was taken, for the item's reason: no money moved */
};

struct claim {
    int64_t unclaimed_id;
    /* What is posted: the reference, info, gross and src_ccy that were set aside, no quote, and a registered beneficiary who has the
     * receiver by now. */
    struct payout_draft payout;
    struct claimed {
        enum ledger_outcome
            outcome; /* DONE, DUPLICATE (claimed before), REFUSED: nothing was done of it */
        reason_t
            reason; /* PAYOUT_NOT_FOUND; STATE_CONFLICT: it ended otherwise, or its time is over; BENEFICIARY_NOT_FOUND: not who has
                            the receiver; or whatever a payout is refused for */
        int64_t payout_id;
    } claimed;
};

/* Claims n of one book in one commit, each by itself: some may be refused. principal_id 0: the sweeper's. All else as above. */
void ledger_claim(struct ledger *l, int32_t book_id, int32_t principal_id, struct claim *claims,
                  unsigned n, int64_t deadline_us, ledger_posted_cb *cb, void *user);

#endif
