#include "domain/policy.h"

#include "domain/ccy.h"
#include "domain/purpose.h"

#include <assert.h>
#include <string.h>

static const struct policy_kind_info kinds[] = {
#define POLICY_KIND_ROW(number, NAME, name, scope, has_ccy, unit, least, greatest)                 \
    {POLICY_##NAME, name, POLICY_SCOPE_##scope, has_ccy, POLICY_UNIT_##unit, least, greatest},
    POLICY_KIND_TABLE(POLICY_KIND_ROW)
#undef POLICY_KIND_ROW
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

/* The terms of a platform are the first kinds. */
#define N_TERMS 6

const struct policy_kind_info *policy_kind_at(size_t i)
{
    return i < N_KINDS ? &kinds[i] : NULL;
}

const struct policy_kind_info *policy_kind_info(int32_t number)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if ((int32_t)kinds[i].kind == number)
            return &kinds[i];
    return NULL;
}

const struct policy_kind_info *policy_kind_by_name(struct slice name)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (slice_equal_str(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

/* ---------------------------------------------------------------- finding */

static int compare(const struct policy_rule *r, enum policy_kind kind, struct slice scope,
                   uint16_t ccy)
{
    int order;

    if (r->kind != (uint16_t)kind)
        return r->kind < (uint16_t)kind ? -1 : 1;
    order = slice_compare(slice_str(r->scope), scope);
    if (order != 0)
        return order;
    return r->ccy < ccy ? -1 : r->ccy > ccy;
}

int policy_rule_compare(const struct policy_rule *a, const struct policy_rule *b)
{
    return compare(a, (enum policy_kind)b->kind, slice_str(b->scope), b->ccy);
}

bool policy_rules_are_sorted(const struct policy_rules *rules)
{
    for (size_t i = 1; i < rules->n; i++)
        if (policy_rule_compare(&rules->rules[i - 1], &rules->rules[i]) >= 0)
            return false;
    return true;
}

const struct policy_rule *policy_find(const struct policy_rules *rules, enum policy_kind kind,
                                      struct slice scope, uint16_t ccy)
{
    size_t low = 0;
    size_t high = rules->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&rules->rules[middle], kind, scope, ccy);

        if (order == 0)
            return &rules->rules[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int64_t policy_value(const struct policy_rules *rules, enum policy_kind kind, struct slice scope,
                     uint16_t ccy, int64_t otherwise)
{
    const struct policy_rule *rule = policy_find(rules, kind, scope, ccy);

    return rule == NULL ? otherwise : rule->value;
}

bool policy_terms(const struct policy_rules *rules, struct slice platform, uint16_t ccy,
                  struct policy_terms *out)
{
    const struct policy_rule *r[N_TERMS];

    for (int i = 0; i < N_TERMS; i++) {
        r[i] = policy_find(rules, (enum policy_kind)(POLICY_MARGIN_BPS + i), platform, ccy);
        if (r[i] == NULL)
            return false;
    }
    *out = (struct policy_terms){
        .margin_bps = (int32_t)r[POLICY_MARGIN_BPS - 1]->value,
        .fee = {.fixed_minor = r[POLICY_FEE_FIXED - 1]->value,
                .bps = (int32_t)r[POLICY_FEE_BPS - 1]->value,
                .min_minor = r[POLICY_FEE_MIN - 1]->value,
                .max_minor = r[POLICY_FEE_MAX - 1]->value},
        .payout_max_minor = r[POLICY_PAYOUT_MAX - 1]->value,
    };
    return true;
}

/* ---------------------------------------------------------------- checking */

static reason_t check_purpose(struct slice scope)
{
    struct slice channel;
    struct slice code;

    if (!slice_cut(scope, '/', &channel, &code))
        return REASON_FIELD_INVALID;
    if (!slice_equal_str(channel, channel_name(CHANNEL_EXPORT_OF_SERVICES)) &&
        !slice_equal_str(channel, channel_name(CHANNEL_HOME_REMITTANCE)))
        return REASON_CHANNEL_UNKNOWN;
    return purpose_code_check(code);
}

/* As books are named: lower case letters, digits, dashes, a letter first. */
static reason_t check_platform(struct slice code)
{
    if (code.len == 0)
        return REASON_FIELD_REQUIRED;
    for (size_t i = 0; i < code.len; i++)
        if (!char_is_lower(code.p[i]) &&
            (i == 0 || (!char_is_digit(code.p[i]) && code.p[i] != '-')))
            return REASON_FIELD_INVALID;
    return REASON_NONE;
}

static reason_t check_scope(enum policy_scope scope, struct slice text)
{
    switch (scope) {
    case POLICY_SCOPE_PLATFORM:
        return check_platform(text);
    case POLICY_SCOPE_NONE:
        return text.len != 0 ? REASON_FIELD_INVALID : REASON_NONE;
    case POLICY_SCOPE_REGISTRATION:
        return slice_equal_str(text, "PSEB") || slice_equal_str(text, "OTHER")
                   ? REASON_NONE
                   : REASON_FIELD_INVALID;
    case POLICY_SCOPE_PURPOSE:
        return check_purpose(text);
    }
    return REASON_FIELD_INVALID;
}

reason_t policy_rule_check(const struct policy_rule *rule)
{
    const struct policy_kind_info *kind = policy_kind_info(rule->kind);
    reason_t reason;

    if (kind == NULL)
        return REASON_FIELD_INVALID;
    reason = check_scope(kind->scope, slice_str(rule->scope));
    if (reason != REASON_NONE)
        return reason;
    if (kind->has_ccy ? ccy_by_number(rule->ccy) == NULL : rule->ccy != 0)
        return kind->has_ccy ? REASON_CURRENCY_UNKNOWN : REASON_FIELD_INVALID;
    return rule->value < kind->value_min || rule->value > kind->value_max ? REASON_FIELD_INVALID
                                                                          : REASON_NONE;
}

reason_t policy_check(const struct policy_rules *rules, const struct policy_rule **where)
{
    struct policy_terms terms;

    assert(policy_rules_are_sorted(rules));
    for (size_t i = 0; i < rules->n; i++) {
        const struct policy_rule *r = &rules->rules[i];
        reason_t reason = policy_rule_check(r);

        *where = r;
        if (reason != REASON_NONE)
            return reason;
        if (r->kind > N_TERMS)
            continue;
        if (!policy_terms(rules, slice_str(r->scope), r->ccy, &terms))
            return REASON_FIELD_REQUIRED;
        if (fee_schedule_check(&terms.fee) != REASON_NONE)
            return REASON_FIELD_CONFLICT;
    }
    *where = NULL;
    return REASON_NONE;
}

/* ---------------------------------------------------------------- for people */

static char *append(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len + 1);
    return at + len;
}

static const char *format_bps(int64_t bps, char *out)
{
    char *at = out + str_format_int64(bps / 100, out);

    *at++ = '.';
    *at++ = (char)('0' + bps % 100 / 10);
    *at++ = (char)('0' + bps % 10);
    append(at, "%");
    return out;
}

static const char *format_seconds(int64_t seconds, char *out)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}};
    size_t i = 0;

    while (seconds % units[i].seconds != 0 || seconds < units[i].seconds)
        i++;
    append(out + str_format_int64(seconds / units[i].seconds, out), units[i].name);
    return out;
}

const char *policy_value_format(enum policy_kind kind, uint16_t ccy, int64_t value,
                                char out[POLICY_TEXT_SIZE])
{
    const struct policy_kind_info *info = policy_kind_info((int32_t)kind);

    assert(info != NULL && value >= 0);
    switch (info->unit) {
    case POLICY_UNIT_BPS:
        return format_bps(value, out);
    case POLICY_UNIT_MINOR:
        return money_format(money_of(value, ccy), MONEY_CODE_THOUSANDS, out);
    case POLICY_UNIT_SECONDS:
        if (value > 0)
            return format_seconds(value, out);
        break;
    case POLICY_UNIT_IN_FORCE:
        append(out, "in force");
        return out;
    }
    append(out, "0 s");
    return out;
}
