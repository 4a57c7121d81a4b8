/*
 * policies.h: the versions of the policy (docs/log-format.md): by the hash of each one's record, which of them follows
 * which, and what a platform pays by it.
 */
#ifndef UJRAT_AUDIT_POLICIES_H
#define UJRAT_AUDIT_POLICIES_H

#include "audit/merkle.h"
#include "audit/record.h"
#include "base/err.h"

struct policies;

struct policy_version {
    int64_t policy_id, effective_at_us;
    hash_t hash;    /* of its record, which names all changes up to it */
    uint32_t rules; /* how many, up to and with its own */
};

/* What a platform pays in a currency. Those of a version that lacks one are not whole. */
struct policy_terms {
    int64_t margin_bps, fee_fixed, fee_bps, fee_min, fee_max, payout_max;
    bool whole;
};

MUST_CHECK err_t policies_new(struct sha256 *sha, struct policies **out);
void policies_free(struct policies **policies);

/* The change of a version, in the order of the log. ERR_INVALID: out of order, or there twice; ERR_LIMIT, ERR_NO_MEMORY. */
MUST_CHECK err_t policies_add(struct policies *p, struct slice bytes,
                              const struct record_policy_change *c);

/* NULL: none. */
const struct policy_version *policies_of(const struct policies *p, struct slice hash);
const struct policy_version *policies_of_id(const struct policies *p, int64_t policy_id);
/* What follows it. NULL: nothing. v NULL: the first of all. */
const struct policy_version *policies_after(const struct policies *p,
                                            const struct policy_version *v);

/* When the first was approved; INT64_MAX: there is none. */
int64_t policies_begin_us(const struct policies *p);

/* Whether that rule has a value in a version. */
bool policies_has(const struct policies *p, const struct policy_version *v,
                  const struct record_rule *rule);

/* Whose scope is the book's code. */
struct policy_terms policies_terms(const struct policies *p, const struct policy_version *v,
                                   struct slice book, struct slice currency);

/* False: it is more than an amount can be. */
bool policy_terms_fee(const struct policy_terms *terms, int64_t gross, int64_t *fee);

#endif
