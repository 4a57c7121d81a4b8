/*
 * payout_draft.h: from a SubmitPayoutRequest to the draft that the ledger posts.
 *
 * There are two kinds of no. What is wrong with the request itself is said at once. What depends on things that change
 * (a rate gone stale, a limit, a bank not connected, a purpose code) goes into draft.refusal, and the draft is sent all the
 * same: had an earlier try under this reference been accepted, the ledger answers with that.
 */
#ifndef UJRAT_RPC_PAYOUT_DRAFT_H
#define UJRAT_RPC_PAYOUT_DRAFT_H

#include "gateway/rpc/beneficiary_details.h"
#include "gateway/rpc/rpc.h"
#include "gateway/wire/payout_messages.h"

/* Whatever prices payouts of one book in one currency at one moment: most items of a batch share it. */
struct payout_pricer {
    const struct registry *registry;
    int32_t book_id;
    int64_t now_us;
    int64_t rate_age_max_us;
    /* what was found out for the currency asked about last */
    char code[4];
    uint16_t ccy;
    reason_t refusal;
    struct pricing_terms terms;
    int64_t gross_max;
    int32_t rate_id;
    int32_t policy_id; /* whose terms they are */
    int16_t digit_shift;
    struct payout_accounts accounts;
};

/* A quote as stored. */
struct quote_row {
    int64_t quote_id;
    uint16_t src_ccy, dst_ccy;
    int16_t digit_shift;
    int32_t rate_id;
    int64_t gross, fee, mid_rate_e10, mid_value, margin, net;
    int32_t margin_bps;
    char rate_source[RATE_SOURCE_SIZE];
    int64_t rate_as_of_us, created_us, expires_us;
    int32_t policy_id; /* 0: from before there were versions */
};

/* Uses the registry as it is now: good until the handler returns to the loop. */
void payout_pricer_init(struct payout_pricer *pricer, const struct rpc_call *call);
/* The same for a book, where nobody calls. */
void payout_pricer_init_book(struct payout_pricer *pricer, const struct rpc_ctx *ctx,
                             int32_t book_id);

/* The terms for an amount in a currency (its three letters), into the pricer. CURRENCY_UNKNOWN. */
MUST_CHECK reason_t payout_pricer_aim(struct payout_pricer *pricer, struct slice currency_code);

/* What a payout of gross comes to: the refusal of the terms, AMOUNT_OVER_LIMIT, pricing_compute's. */
MUST_CHECK reason_t payout_pricer_price(struct payout_pricer *pricer, int64_t gross_minor,
                                        struct pricing *out);

/*
 * Checks the request and fills what of the draft does not depend on prices. An item that carries its beneficiary gets
 * `carried` (from the call's arena). field is relative to the request.
 */
MUST_CHECK struct refusal payout_draft_check(struct rpc_call *call,
                                             const struct wire_submit_payout_request *request,
                                             struct payout_draft *draft);

/* Prices the draft at the current rate. */
void payout_draft_price(struct payout_pricer *pricer, struct slice currency_code,
                        struct payout_draft *draft);
/* Prices it as quoted; quote NULL: there is none of that number. */
void payout_draft_quote(struct payout_pricer *pricer, const struct quote_row *quote,
                        struct slice currency_code, struct payout_draft *draft);

/* The field to blame when the ledger, or draft.refusal, said no for this reason. NULL: no one field. */
const char *payout_draft_field(reason_t reason, const struct wire_submit_payout_request *request);

#endif
