/*
 * policy.h: rules that are data (docs/policy.md): what a platform pays, limits, the withholding that we expect, purpose codes. A rule
 * is a kind, a scope and perhaps a currency, with one whole number. Which are in force at a moment is computed from the ledger's
 * rows; here is what they may be, and how one is found among them.
 */
#ifndef UJRAT_DOMAIN_POLICY_H
#define UJRAT_DOMAIN_POLICY_H

#include "base/str.h"
#include "domain/fee.h"
#include "domain/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose a rule is. */
enum policy_scope {
    POLICY_SCOPE_PLATFORM,     /* a platform's: its code */
    POLICY_SCOPE_NONE,         /* nobody's: "" */
    POLICY_SCOPE_REGISTRATION, /* freelancers': "PSEB", those registered with it; "OTHER" */
    POLICY_SCOPE_PURPOSE,      /* a channel's code: "HOME_REMITTANCE/9471" */
};

enum policy_unit {
    POLICY_UNIT_BPS,   /* hundredths of a percent */
    POLICY_UNIT_MINOR, /* minor units of the rule's currency */
    POLICY_UNIT_SECONDS,
    POLICY_UNIT_IN_FORCE /* 1 */
};

/* X(number, NAME, name, scope, has a currency, unit, least, greatest). The same rows as in the table policy_kind. */
#define POLICY_KIND_TABLE(X)                                                                       \
    X(1, MARGIN_BPS, "margin_bps", PLATFORM, true, BPS, 0, 9999)                                   \
    X(2, FEE_FIXED, "fee_fixed", PLATFORM, true, MINOR, 0, INT64_MAX)                              \
    X(3, FEE_BPS, "fee_bps", PLATFORM, true, BPS, 0, 9999)                                         \
    X(4, FEE_MIN, "fee_min", PLATFORM, true, MINOR, 0, INT64_MAX)                                  \
    X(5, FEE_MAX, "fee_max", PLATFORM, true, MINOR, 0, INT64_MAX)                                  \
    X(6, PAYOUT_MAX, "payout_max", PLATFORM, true, MINOR, 1, INT64_MAX)                            \
    X(7, RATE_AGE_MAX, "rate_age_max", NONE, false, SECONDS, 1, 31536000)                          \
    X(8, WITHHOLDING_BPS, "withholding_bps", REGISTRATION, false, BPS, 0, 10000)                   \
    X(9, YEAR_EXEMPTION, "year_exemption", NONE, true, MINOR, 0, INT64_MAX)                        \
    X(10, PURPOSE_CODE, "purpose_code", PURPOSE, false, IN_FORCE, 1, 1)

enum policy_kind {
    POLICY_NONE = 0,
#define POLICY_KIND_ENUM(number, NAME, ...) POLICY_##NAME = (number),
    POLICY_KIND_TABLE(POLICY_KIND_ENUM)
#undef POLICY_KIND_ENUM
};

struct policy_kind_info {
    enum policy_kind kind;
    const char *name;
    enum policy_scope scope;
    bool has_ccy;
    enum policy_unit unit;
    int64_t value_min, value_max;
};

/* NULL: there is no such kind. */
const struct policy_kind_info *policy_kind_info(int32_t number);
const struct policy_kind_info *policy_kind_by_name(struct slice name);
/* The i-th of the table; NULL past the end. */
const struct policy_kind_info *policy_kind_at(size_t i);

#define POLICY_SCOPE_SIZE 33

struct policy_rule {
    int64_t value;
    int32_t policy_id; /* the version that set it */
    uint16_t kind;     /* enum policy_kind */
    uint16_t ccy;      /* 0: none */
    char scope[POLICY_SCOPE_SIZE];
};

/* Rules in force, by kind, scope (bytes) and currency, no two of the same three. */
struct policy_rules {
    const struct policy_rule *rules;
    size_t n;
};

/* Below, at or above zero, as strcmp. Not of values. */
int policy_rule_compare(const struct policy_rule *a, const struct policy_rule *b);
bool policy_rules_are_sorted(const struct policy_rules *rules);

/* NULL: there is none. Good for as long as the rules are. */
const struct policy_rule *policy_find(const struct policy_rules *rules, enum policy_kind kind,
                                      struct slice scope, uint16_t ccy);
/* Its value, or otherwise. */
int64_t policy_value(const struct policy_rules *rules, enum policy_kind kind, struct slice scope,
                     uint16_t ccy, int64_t otherwise);

/* What a platform pays and may pay out in one source currency. */
struct policy_terms {
    int32_t margin_bps;
    struct fee_schedule fee;
    int64_t payout_max_minor; /* the largest gross amount of one payout */
};

/* False: it has none (or not all six, which policy_check refuses). */
bool policy_terms(const struct policy_rules *rules, struct slice platform, uint16_t ccy,
                  struct policy_terms *out);

/* A rule by itself. FIELD_INVALID (kind, value, a scope that is none), FIELD_REQUIRED (no platform), CURRENCY_UNKNOWN,
 * CHANNEL_UNKNOWN, PURPOSE_CODE_UNKNOWN. Whether there is such a platform is not known here. */
MUST_CHECK reason_t policy_rule_check(const struct policy_rule *rule);

/* All of them, and together: a platform that has some of its terms in a currency has all six (FIELD_REQUIRED), a fee's maximum is
 * not below its minimum (FIELD_CONFLICT). *where: a rule that it is about. */
MUST_CHECK reason_t policy_check(const struct policy_rules *rules,
                                 const struct policy_rule **where);

#define POLICY_TEXT_SIZE 64
/* For people: "0.75%", "USD 25,000.00", "36 h", "in force". */
const char *policy_value_format(enum policy_kind kind, uint16_t ccy, int64_t value,
                                char out[POLICY_TEXT_SIZE]);

#endif
