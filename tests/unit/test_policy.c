#include "domain/policy.h"

#include "domain/ccy.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct policy_rule rule_of(enum policy_kind kind, const char *scope, uint16_t ccy,
                                  int64_t value)
{
    struct policy_rule r = {.kind = (uint16_t)kind, .ccy = ccy, .value = value};

    (void)snprintf(r.scope, sizeof r.scope, "%s", scope);
    return r;
}

static int by_rule(const void *a, const void *b)
{
    return policy_rule_compare(a, b);
}

static struct policy_rules sorted(struct policy_rule *rules, size_t n)
{
    qsort(rules, n, sizeof *rules, by_rule);
    return (struct policy_rules){rules, n};
}

/* The six of a platform and currency, numbered from 1; fee_max 0. */
static size_t terms_of(struct policy_rule *out, const char *platform, uint16_t ccy)
{
    for (int i = 0; i < 6; i++)
        out[i] = rule_of((enum policy_kind)(POLICY_MARGIN_BPS + i), platform, ccy,
                         i + 1 == POLICY_FEE_MAX ? 0 : i + 1);
    return 6;
}

static void a_kind_is_found_by_number_and_by_name(void **state)
{
    const struct policy_kind_info *kind;

    (void)state;
    for (size_t i = 0; (kind = policy_kind_at(i)) != NULL; i++) {
        assert_int_equal(kind->kind, i + 1);
        assert_ptr_equal(policy_kind_info((int32_t)kind->kind), kind);
        assert_ptr_equal(policy_kind_by_name(slice_str(kind->name)), kind);
        assert_true(kind->value_min <= kind->value_max);
    }
    assert_null(policy_kind_info(0));
    assert_null(policy_kind_info(11));
    assert_null(policy_kind_by_name(SLICE("margin")));
    assert_null(policy_kind_by_name(SLICE("")));
}

static void a_rule_is_found_as_by_looking_at_each(void **state)
{
    static const char *const scopes[] = {"", "PSEB", "a", "ab", "abc", "b", "upwork"};
    static const uint16_t ccys[] = {0, 392, 840, 978};
    struct policy_rule rules[7 * 4 * 10];
    struct prng prng = {7};
    size_t n = 0;

    (void)state;
    for (int kind = 1; kind <= 10; kind++)
        for (size_t s = 0; s < 7; s++)
            for (size_t c = 0; c < 4; c++)
                if (prng_next(&prng) % 3 == 0)
                    rules[n] = rule_of((enum policy_kind)kind, scopes[s], ccys[c], (int64_t)n), n++;
    for (size_t i = n; i > 1; i--) {
        size_t k = prng_next(&prng) % i;
        struct policy_rule kept = rules[k];

        rules[k] = rules[i - 1];
        rules[i - 1] = kept;
    }
    struct policy_rules all = sorted(rules, n);
    assert_true(policy_rules_are_sorted(&all));
    for (int kind = 1; kind <= 10; kind++)
        for (size_t s = 0; s < 7; s++)
            for (size_t c = 0; c < 4; c++) {
                const struct policy_rule *found =
                    policy_find(&all, (enum policy_kind)kind, slice_str(scopes[s]), ccys[c]);
                const struct policy_rule *there = NULL;

                for (size_t i = 0; i < n; i++)
                    if (rules[i].kind == kind && rules[i].ccy == ccys[c] &&
                        strcmp(rules[i].scope, scopes[s]) == 0)
                        there = &rules[i];
                assert_ptr_equal(found, there);
                assert_int_equal(
                    policy_value(&all, (enum policy_kind)kind, slice_str(scopes[s]), ccys[c], -1),
                    there == NULL ? -1 : there->value);
            }
}

static void rules_out_of_order_or_twice_are_seen(void **state)
{
    struct policy_rule rules[] = {rule_of(POLICY_MARGIN_BPS, "b", CCY_USD, 1),
                                  rule_of(POLICY_MARGIN_BPS, "a", CCY_USD, 1)};
    struct policy_rules two = {rules, 2};

    (void)state;
    assert_false(policy_rules_are_sorted(&two));
    rules[1] = rules[0];
    assert_false(policy_rules_are_sorted(&two));
    two.n = 1;
    assert_true(policy_rules_are_sorted(&two));
    two.n = 0;
    assert_true(policy_rules_are_sorted(&two));
}

static void terms_are_all_six_or_none(void **state)
{
    struct policy_rule rules[12];
    size_t n = terms_of(rules, "upwork", CCY_USD);
    struct policy_terms t;
    const struct policy_rule *where;

    (void)state;
    n += terms_of(rules + n, "upwork", CCY_EUR);
    struct policy_rules all = sorted(rules, n);
    assert_int_equal(policy_check(&all, &where), REASON_NONE);
    assert_null(where);
    assert_true(policy_terms(&all, SLICE("upwork"), CCY_USD, &t));
    assert_int_equal(t.margin_bps, 1);
    assert_int_equal(t.fee.fixed_minor, 2);
    assert_int_equal(t.fee.bps, 3);
    assert_int_equal(t.fee.min_minor, 4);
    assert_int_equal(t.fee.max_minor, 0);
    assert_int_equal(t.payout_max_minor, 6);
    assert_false(policy_terms(&all, SLICE("upwork"), CCY_GBP, &t));
    assert_false(policy_terms(&all, SLICE("upwor"), CCY_USD, &t));
    for (size_t left = 0; left < n; left++) {
        struct policy_rule fewer[12];
        size_t m = 0;

        for (size_t i = 0; i < n; i++)
            if (i != left)
                fewer[m++] = rules[i];
        struct policy_rules some = {fewer, m};
        assert_int_equal(policy_check(&some, &where), REASON_FIELD_REQUIRED);
        assert_int_equal(where->ccy, rules[left].ccy);
    }
}

static void a_greatest_fee_is_not_below_the_least(void **state)
{
    struct policy_rule rules[6];
    const struct policy_rule *where;

    (void)state;
    (void)terms_of(rules, "upwork", CCY_USD);
    struct policy_rules all = sorted(rules, 6);
    rules[POLICY_FEE_MAX - 1].value = 3;
    assert_int_equal(policy_check(&all, &where), REASON_FIELD_CONFLICT);
    rules[POLICY_FEE_MAX - 1].value = 4;
    assert_int_equal(policy_check(&all, &where), REASON_NONE);
}

static void a_rule_by_itself_is_checked(void **state)
{
    const struct {
        struct policy_rule rule;
        reason_t reason;
    } rows[] = {
        {rule_of(POLICY_MARGIN_BPS, "upwork", CCY_USD, 0), REASON_NONE},
        {rule_of(POLICY_MARGIN_BPS, "upwork", CCY_USD, 9999), REASON_NONE},
        {rule_of(POLICY_MARGIN_BPS, "upwork", CCY_USD, 10000), REASON_FIELD_INVALID},
        {rule_of(POLICY_MARGIN_BPS, "upwork", CCY_USD, -1), REASON_FIELD_INVALID},
        {rule_of(POLICY_MARGIN_BPS, "", CCY_USD, 1), REASON_FIELD_REQUIRED},
        {rule_of(POLICY_MARGIN_BPS, "a-1", CCY_USD, 1), REASON_NONE},
        {rule_of(POLICY_MARGIN_BPS, "1a", CCY_USD, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_MARGIN_BPS, "Upwork", CCY_USD, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_MARGIN_BPS, "a\"b", CCY_USD, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_MARGIN_BPS, "upwork", 0, 1), REASON_CURRENCY_UNKNOWN},
        {rule_of(POLICY_FEE_FIXED, "upwork", CCY_USD, INT64_MAX), REASON_NONE},
        {rule_of(POLICY_PAYOUT_MAX, "upwork", CCY_USD, 0), REASON_FIELD_INVALID},
        {rule_of(POLICY_RATE_AGE_MAX, "", 0, 31536000), REASON_NONE},
        {rule_of(POLICY_RATE_AGE_MAX, "", 0, 31536001), REASON_FIELD_INVALID},
        {rule_of(POLICY_RATE_AGE_MAX, "", CCY_USD, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_RATE_AGE_MAX, "upwork", 0, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_WITHHOLDING_BPS, "PSEB", 0, 10000), REASON_NONE},
        {rule_of(POLICY_WITHHOLDING_BPS, "OTHER", 0, 10001), REASON_FIELD_INVALID},
        {rule_of(POLICY_WITHHOLDING_BPS, "other", 0, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_YEAR_EXEMPTION, "", CCY_USD, 1200000), REASON_NONE},
        {rule_of(POLICY_PURPOSE_CODE, "HOME_REMITTANCE/9471", 0, 1), REASON_NONE},
        {rule_of(POLICY_PURPOSE_CODE, "HOME_REMITTANCE/9471", 0, 2), REASON_FIELD_INVALID},
        {rule_of(POLICY_PURPOSE_CODE, "HOME_REMITTANCE", 0, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_PURPOSE_CODE, "HOME/9471", 0, 1), REASON_CHANNEL_UNKNOWN},
        {rule_of(POLICY_PURPOSE_CODE, "EXPORT_OF_SERVICES/947", 0, 1), REASON_PURPOSE_CODE_UNKNOWN},
        {rule_of((enum policy_kind)11, "", 0, 1), REASON_FIELD_INVALID},
        {rule_of(POLICY_NONE, "", 0, 1), REASON_FIELD_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(policy_rule_check(&rows[i].rule), rows[i].reason);
}

static void values_are_shown_as_people_read_them(void **state)
{
    static const struct {
        enum policy_kind kind;
        uint16_t ccy;
        int64_t value;
        const char *text;
    } rows[] = {
        {POLICY_MARGIN_BPS, CCY_USD, 75, "0.75%"},
        {POLICY_MARGIN_BPS, CCY_USD, 9999, "99.99%"},
        {POLICY_WITHHOLDING_BPS, 0, 10000, "100.00%"},
        {POLICY_FEE_BPS, CCY_USD, 0, "0.00%"},
        {POLICY_FEE_BPS, CCY_USD, 105, "1.05%"},
        {POLICY_PAYOUT_MAX, CCY_USD, 2500000, "USD 25,000.00"},
        {POLICY_PAYOUT_MAX, CCY_GBP, 2500000, "GBP 25,000.00"},
        {POLICY_PAYOUT_MAX, CCY_USD, INT64_MAX, "USD 92,233,720,368,547,758.07"},
        {POLICY_RATE_AGE_MAX, 0, 129600, "36 h"},
        {POLICY_RATE_AGE_MAX, 0, 86400, "1 d"},
        {POLICY_RATE_AGE_MAX, 0, 90, "90 s"},
        {POLICY_RATE_AGE_MAX, 0, 5400, "90 min"},
        {POLICY_RATE_AGE_MAX, 0, 0, "0 s"},
        {POLICY_PURPOSE_CODE, 0, 1, "in force"},
    };
    char out[POLICY_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(policy_value_format(rows[i].kind, rows[i].ccy, rows[i].value, out),
                            rows[i].text);
}

/* All six terms of a platform are looked up a payout: 0.35 us of 50 platforms with two currencies each, six binary searches. */
static void terms_are_found_among_many(void **state)
{
    enum { PLATFORMS = 50, ROUNDS = 2000 };
    static struct policy_rule rules[PLATFORMS * 12];
    struct policy_terms t;
    struct timespec began;
    struct timespec ended;
    char name[16];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < PLATFORMS; i++) {
        (void)snprintf(name, sizeof name, "platform-%02d", i);
        n += terms_of(rules + n, name, CCY_USD);
        n += terms_of(rules + n, name, CCY_EUR);
    }
    struct policy_rules all = sorted(rules, n);
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(name, sizeof name, "platform-%02d", i % PLATFORMS);
        assert_true(policy_terms(&all, slice_str(name), i % 2 == 0 ? CCY_USD : CCY_EUR, &t));
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    print_message(
        "%d look-ups of terms among %zu rules: %.3f us each\n", ROUNDS, n,
        ((double)(ended.tv_sec - began.tv_sec) * 1e9 + (double)(ended.tv_nsec - began.tv_nsec)) /
            1000 / ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_is_found_by_number_and_by_name),
        cmocka_unit_test(a_rule_is_found_as_by_looking_at_each),
        cmocka_unit_test(rules_out_of_order_or_twice_are_seen),
        cmocka_unit_test(terms_are_all_six_or_none),
        cmocka_unit_test(a_greatest_fee_is_not_below_the_least),
        cmocka_unit_test(a_rule_by_itself_is_checked),
        cmocka_unit_test(values_are_shown_as_people_read_them),
        cmocka_unit_test(terms_are_found_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
