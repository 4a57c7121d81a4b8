/*
 * policy.h: the record of a version of the policy (docs/log-format.md), from the rows of the statement seal_policy: for whoever
 * seals a payout that it priced, and whoever proves one.
 */
#ifndef UJRAT_SEAL_POLICY_H
#define UJRAT_SEAL_POLICY_H

#include "ledger/rows.h"
#include "seal/merkle.h"
#include "seal/record.h"

/*
 * The record into out (out->failed: out of memory, or a field too long). aside is overwritten. False: the rows are not those of a
 * version of that number.
 */
MUST_CHECK bool seal_policy_record(struct seal_hasher *h, int64_t policy_id,
                                   const struct rows *rows, struct seal_record *aside,
                                   struct seal_record *out);

#endif
