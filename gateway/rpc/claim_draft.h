/*
 * claim_draft.h: from what is set aside for somebody who is known by now to the claim that the ledger is asked for. The
 * sweeper and the claim page both make claims of it, so that an item is paid the same whoever comes first.
 */
#ifndef UJRAT_RPC_CLAIM_DRAFT_H
#define UJRAT_RPC_CLAIM_DRAFT_H

#include "gateway/rpc/payout_draft.h"
#include "ledger/batch.h"

/* Columns of unclaimed_due and unclaimed_for. */
enum claim_column {
    CLAIM_BOOK_ID,
    CLAIM_UNCLAIMED_ID,
    CLAIM_BATCH_ID,
    CLAIM_ITEM_NO,
    CLAIM_REFERENCE,
    CLAIM_INFO,
    CLAIM_CCY,
    CLAIM_GROSS,
    CLAIM_BENEFICIARY_ID,
    CLAIM_EXPIRES_AT,
};

/*
 * One row as a claim, priced as any payout is at this moment. out->payout.refusal says why it cannot be priced now
 * (RATE_STALE, AMOUNT_OVER_LIMIT ...). All it points to is in the arena. False: no room there.
 */
MUST_CHECK bool claim_draft(struct rpc_ctx *ctx, struct payout_pricer *pricer, struct arena *arena,
                            const struct rows *rows, int row, struct claim *out);

#endif
