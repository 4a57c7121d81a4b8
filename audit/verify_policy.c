/* Which version of the policy a payout was priced by, and whether it was (docs/log-format.md, "Policy"). */
#include "audit/policies.h"
#include "audit/verify_book.h"
#include "base/timefmt.h"

#include <stdio.h>

/* How long a version is used on when the next one has begun: whoever prices may not know yet. */
#define GRACE_US INT64_C(600000000)

static void wrong_text(struct verify *v, const struct record_policy_change *c, const char *field,
                       const char *expected, struct slice found, const char *text)
{
    char have[65];

    snprintf(have, sizeof have, "%.*s", SLICE_ARG(found));
    verify_wrong(v, 0, 0, field, expected, have, "version %lld of the policy: %s",
                 (long long)c->policy_id, text);
}

/* One person's: the first terms of a platform in a currency, or from before there were versions. */
static void check_opening(struct verify *v, const struct record_policy_change *c)
{
    const struct policies *p = known_policies(v->known);
    const struct policy_version *own = policies_of_id(p, c->policy_id), *at = NULL, *next;

    if (slice_equal_str(c->proposed_by, "ujrat://system/migration"))
        return;
    while ((next = policies_after(p, at)) != NULL && next != own)
        at = next;
    for (size_t i = 0; at != NULL && i < c->n_changes; i++)
        if (policies_has(p, at, &c->changes[i])) {
            wrong_text(v, c, "opening", "0", SLICE("1"),
                       "changes a rule that there was, and no second person approved it");
            return;
        }
}

void verify_policy_change(struct verify *v, const struct record_policy_change *c)
{
    char want[TIMEFMT_SIZE], have[TIMEFMT_SIZE];

    if (c->opening != 0 && c->opening != 1) {
        verify_wrong_int(v, 0, 0, "opening", 0, c->opening,
                         "a version of the policy is one, or not");
    } else if (c->opening == 1) {
        check_opening(v, c);
    } else if (slice_equal(c->approved_by, c->proposed_by)) {
        wrong_text(v, c, "approved_by", "somebody else than who proposed it", c->approved_by,
                   "one person has proposed and approved it");
    } else if (c->effective_at_us <= c->approved_at_us) {
        verify_wrong(v, 0, 0, "effective_at", timefmt_rfc3339(c->approved_at_us, want),
                     timefmt_rfc3339(c->effective_at_us, have),
                     "version %lld of the policy began before it was approved",
                     (long long)c->policy_id);
    }
}

static void wrong(struct verify *v, const struct record_journal *j, const char *expected,
                  const char *found, const char *text)
{
    verify_wrong(v, j->seq, j->block_no, "policy", expected, found, "%s", text);
}

static void wrong_moment(struct verify *v, const struct record_journal *j, int64_t policy_id,
                         int64_t expected_us, int64_t found_us, const char *text)
{
    char want[TIMEFMT_SIZE], have[TIMEFMT_SIZE];

    verify_wrong(v, j->seq, j->block_no, "policy", timefmt_rfc3339(expected_us, want),
                 timefmt_rfc3339(found_us, have), "version %lld %s", (long long)policy_id, text);
}

static bool was_in_force(struct verify *v, const struct record_journal *j,
                         const struct policy_version *version, int64_t at_us)
{
    const struct policy_version *next = policies_after(known_policies(v->known), version);

    if (version->effective_at_us > at_us) {
        wrong_moment(v, j, version->policy_id, version->effective_at_us, at_us,
                     "was not in force yet when it priced the payout");
        return false;
    }
    if (next != NULL && at_us - GRACE_US > next->effective_at_us) {
        wrong_moment(v, j, version->policy_id, next->effective_at_us, at_us,
                     "was over when it priced the payout: another one had begun");
        return false;
    }
    return true;
}

/* What is looked up for one payout is that of most others. */
static const struct policy_terms *terms_of(struct verify *v, const struct policy_version *version,
                                           struct slice book, struct slice currency)
{
    const uint16_t ccy = ccy_pack(currency);
    struct seen_terms *seen = &v->book.terms[((uint64_t)version->policy_id + ccy) % BOOK_TERMS_MAX];

    if (seen->version != version || seen->ccy != ccy)
        *seen = (struct seen_terms){
            version, ccy, policies_terms(known_policies(v->known), version, book, currency)};
    return &seen->terms;
}

static void check_terms(struct verify *v, const struct record_journal *j,
                        const struct policy_version *version)
{
    const struct record_payout *p = &j->payout;
    const struct policy_terms *terms = terms_of(v, version, j->book, p->src_ccy);
    int64_t fee = 0;

    if (!terms->whole)
        wrong(v, j, "one with terms of the platform in its currency", "another",
              "the version has no terms for this payout");
    else if (!policy_terms_fee(terms, p->gross, &fee) || fee != p->fee)
        verify_wrong_int(v, j->seq, j->block_no, "fee", fee, p->fee,
                         "the fee is not that of the payout's version of the policy");
    else if (!slice_equal(p->src_ccy, p->dst_ccy) && p->margin_bps != terms->margin_bps)
        verify_wrong_int(v, j->seq, j->block_no, "margin_bps", terms->margin_bps, p->margin_bps,
                         "the margin is not that of the payout's version of the policy");
    else if (p->gross > terms->payout_max)
        verify_wrong_int(v, j->seq, j->block_no, "gross", terms->payout_max, p->gross,
                         "more than the payout's version of the policy lets pass");
}

void verify_policy(struct verify *v, const struct record_journal *j, const struct record_quote *q)
{
    const struct policies *policies = known_policies(v->known);
    const struct record_payout *p = &j->payout;
    const int64_t at_us = q == NULL ? j->committed_at_us : q->created_at_us;
    const struct policy_version *version;

    if (v->book.given_up)
        return;
    if (q != NULL && ((q->policy.p == NULL) != (p->policy.p == NULL) ||
                      (p->policy.p != NULL && !slice_equal(q->policy, p->policy)))) {
        verify_wrong(v, j->seq, j->block_no, "quote: policy", "the payout's", "another",
                     "the payout is not what was quoted");
        return;
    }
    if (p->policy.p == NULL) {
        if (at_us - GRACE_US > policies_begin_us(policies))
            wrong(v, j, "a version", "none", "the payout does not say which version priced it");
        return;
    }
    version = policies_of(policies, p->policy);
    if (version == NULL)
        wrong(v, j, "a version of the log", "another",
              "no version of the policy has that hash, with those before it");
    else if (was_in_force(v, j, version, at_us))
        check_terms(v, j, version);
}
