#include "audit/policies.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide_t;

#define VERSIONS_MAX 100000
#define RULES_MAX    (16U << 20)
#define NAME_SIZE    33
#define SCOPE_SIZE   65
#define BPS_ONE      10000

struct rule {
    char name[NAME_SIZE], scope[SCOPE_SIZE], currency[4]; /* as they are; empty: none */
    struct opt_int value;
};

struct policies {
    struct sha256 *sha;
    struct policy_version *versions; /* in their order */
    hash_t *changes;                 /* of each */
    size_t n, size;
    struct rule *rules; /* of all versions, one behind the other */
    size_t n_rules, rules_size;
    int64_t begin_us;
    struct record_out record;
};

err_t policies_new(struct sha256 *sha, struct policies **out)
{
    struct policies *p = calloc(1, sizeof *p);

    *out = p;
    if (p == NULL)
        return err_make(ERR_NO_MEMORY, "policies");
    p->sha = sha;
    p->begin_us = INT64_MAX;
    return err_none();
}

void policies_free(struct policies **policies)
{
    struct policies *p = *policies;

    if (p == NULL)
        return;
    free(p->versions);
    free(p->changes);
    free(p->rules);
    record_out_free(&p->record);
    free(p);
    *policies = NULL;
}

/* ---------------------------------------------------------------- filling */

static bool make_room(struct policies *p, size_t rules)
{
    if (p->n == p->size) {
        size_t size = p->size == 0 ? 64 : 2 * p->size;
        struct policy_version *versions = realloc(p->versions, size * sizeof *versions);
        if (versions == NULL)
            return false;
        p->versions = versions;
        hash_t *changes = realloc(p->changes, size * sizeof *changes);
        if (changes == NULL)
            return false;
        p->changes = changes;
        p->size = size;
    }
    if (p->n_rules + rules > p->rules_size) {
        size_t size = 2 * (p->n_rules + rules);
        struct rule *more = realloc(p->rules, size * sizeof *more);
        if (more == NULL)
            return false;
        p->rules = more;
        p->rules_size = size;
    }
    return true;
}

static bool take_rule(const struct record_rule *from, struct rule *to)
{
    *to = (struct rule){.value = from->value};
    return !err_failed(slice_copy(from->rule, to->name, sizeof to->name)) &&
           !err_failed(slice_copy(from->scope, to->scope, sizeof to->scope)) &&
           (from->currency.p == NULL ||
            !err_failed(slice_copy(from->currency, to->currency, sizeof to->currency)));
}

static err_t check_order(const struct policies *p, const struct record_policy_change *c)
{
    const struct policy_version *last = p->n == 0 ? NULL : &p->versions[p->n - 1];

    if (policies_of_id(p, c->policy_id) != NULL)
        return err_make(ERR_INVALID, "a version of the policy is there twice");
    if (last != NULL &&
        (c->effective_at_us < last->effective_at_us ||
         (c->effective_at_us == last->effective_at_us && c->policy_id < last->policy_id)))
        return err_make(ERR_INVALID, "versions of the policy are not in their order");
    return err_none();
}

err_t policies_add(struct policies *p, struct slice bytes, const struct record_policy_change *c)
{
    struct policy_version *v;
    err_t err = check_order(p, c);

    if (err_failed(err))
        return err;
    if (p->n == VERSIONS_MAX || p->n_rules + c->n_changes > RULES_MAX)
        return err_make(ERR_LIMIT, "more versions of the policy than fit");
    if (!make_room(p, c->n_changes))
        return err_make(ERR_NO_MEMORY, "policies");
    for (size_t i = 0; i < c->n_changes; i++)
        if (!take_rule(&c->changes[i], &p->rules[p->n_rules + i]))
            return err_make(ERR_INVALID,
                            "a rule's name, scope or currency is longer than it can be");
    p->n_rules += c->n_changes;
    p->changes[p->n] = sha256_of(p->sha, bytes);
    v = &p->versions[p->n++];
    *v = (struct policy_version){.policy_id = c->policy_id,
                                 .effective_at_us = c->effective_at_us,
                                 .rules = (uint32_t)p->n_rules};
    if (!record_write_policy(&p->record, &(struct record_policy){c->policy_id, c->effective_at_us,
                                                                 p->changes[0].b, p->n}))
        return err_make(ERR_NO_MEMORY, "policies");
    v->hash = sha256_of(p->sha, record_out_slice(&p->record));
    if (c->approved_at_us < p->begin_us)
        p->begin_us = c->approved_at_us;
    return err_none();
}

/* ---------------------------------------------------------------- looking up */

/* From the newest on: that is what is asked for. */
const struct policy_version *policies_of(const struct policies *p, struct slice hash)
{
    for (size_t i = p->n; i > 0; i--)
        if (slice_equal(hash, slice_of(p->versions[i - 1].hash.b, HASH_BYTES)))
            return &p->versions[i - 1];
    return NULL;
}

const struct policy_version *policies_of_id(const struct policies *p, int64_t policy_id)
{
    for (size_t i = p->n; i > 0; i--)
        if (p->versions[i - 1].policy_id == policy_id)
            return &p->versions[i - 1];
    return NULL;
}

const struct policy_version *policies_after(const struct policies *p,
                                            const struct policy_version *v)
{
    size_t next = v == NULL ? 0 : (size_t)(v - p->versions) + 1;

    return next < p->n ? &p->versions[next] : NULL;
}

int64_t policies_begin_us(const struct policies *p)
{
    return p->begin_us;
}

/* NULL: no version up to v speaks of it. */
static const struct rule *last_of(const struct policies *p, const struct policy_version *v,
                                  struct slice name, struct slice scope, struct slice currency)
{
    for (uint32_t i = v->rules; i > 0; i--) {
        const struct rule *r = &p->rules[i - 1];
        if (slice_equal_str(currency, r->currency) && slice_equal_str(scope, r->scope) &&
            slice_equal_str(name, r->name))
            return r;
    }
    return NULL;
}

bool policies_has(const struct policies *p, const struct policy_version *v,
                  const struct record_rule *rule)
{
    const struct rule *r = last_of(p, v, rule->rule, rule->scope, rule->currency);

    return r != NULL && r->value.has;
}

struct policy_terms policies_terms(const struct policies *p, const struct policy_version *v,
                                   struct slice book, struct slice currency)
{
    struct policy_terms terms = {.whole = true};
    const struct {
        const char *name;
        int64_t *value;
    } rules[] = {
        {"margin_bps", &terms.margin_bps}, {"fee_fixed", &terms.fee_fixed},
        {"fee_bps", &terms.fee_bps},       {"fee_min", &terms.fee_min},
        {"fee_max", &terms.fee_max},       {"payout_max", &terms.payout_max},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = last_of(p, v, slice_str(rules[i].name), book, currency);
        terms.whole = terms.whole && r != NULL && r->value.has;
        *rules[i].value = r == NULL ? 0 : r->value.value;
    }
    return terms;
}

bool policy_terms_fee(const struct policy_terms *t, int64_t gross, int64_t *fee)
{
    wide_t value = (wide_t)t->fee_fixed + (wide_t)gross * t->fee_bps / BPS_ONE;

    if (value < t->fee_min)
        value = t->fee_min;
    if (t->fee_max != 0 && value > t->fee_max)
        value = t->fee_max;
    *fee = (int64_t)value;
    return value >= 0 && value <= INT64_MAX;
}
