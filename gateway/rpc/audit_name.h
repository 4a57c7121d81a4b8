/* audit_name.h: names as auditors write them, and as we answer: of any book. */
#ifndef UJRAT_RPC_AUDIT_NAME_H
#define UJRAT_RPC_AUDIT_NAME_H

#include "gateway/rpc/rpc.h"

/* "books/upwork". FIELD_REQUIRED, FIELD_INVALID, BOOK_NOT_FOUND. */
MUST_CHECK reason_t audit_book_id(const struct rpc_call *call, struct slice name, int32_t *book_id);
/* "books/upwork/accounts/float.USD", taken apart. FIELD_REQUIRED, FIELD_INVALID. */
MUST_CHECK reason_t audit_account_codes(struct slice name, struct slice *book,
                                        struct slice *account);
/* "platforms/upwork/payouts/42". FIELD_REQUIRED, FIELD_INVALID, PAYOUT_NOT_FOUND (no such book). */
MUST_CHECK reason_t audit_payout_id(const struct rpc_call *call, struct slice name,
                                    int32_t *book_id, int64_t *payout_id);

/* In the call's arena. */
struct slice audit_book_name(struct rpc_call *call, struct slice book);
struct slice audit_account_name(struct rpc_call *call, struct slice book, struct slice account);
struct slice audit_journal_name(struct rpc_call *call, struct slice book, int64_t seq);
struct slice audit_payout_name(struct rpc_call *call, struct slice book, int64_t payout_id);

/*
 * A span of commit times [from, until) as the statements take it: committed after *after_us, up to *upto_us.
 * TIME_RANGE_INVALID, with the field in *field.
 */
MUST_CHECK reason_t audit_span(struct wire_time from, struct wire_time until, int64_t *after_us,
                               int64_t *upto_us, const char **field);

#endif
