/* audit_journals.h: journals as messages, from rows of one line each. */
#ifndef UJRAT_RPC_AUDIT_JOURNALS_H
#define UJRAT_RPC_AUDIT_JOURNALS_H

#include "gateway/rpc/rpc.h"
#include "gateway/wire/audit_messages.h"

/*
 * The journal whose first line is in row `row`, where column `col` is the first of: seq, kind, block_no,
 * committed_at, actor, payout_id, reverses_seq, description, account, ccy, minor. Returns the row after its last
 * one; -1: the call was refused for want of memory and is over.
 */
MUST_CHECK int audit_journal_from_rows(struct rpc_call *call, struct slice book,
                                       const struct rows *rows, int row, int col,
                                       struct wire_journal *out);

#endif
