#include "domain/reason.h"

#include "tests/unit/unit.h"

#include <string.h>

static void every_reason_has_its_own_number_and_name(void **state)
{
    (void)state;
    reason_t a = REASON_NONE;
    reason_t b = REASON_NONE;
    for (unsigned i = 0; reason_at(i, &a); i++) {
        for (unsigned k = 0; k < i && reason_at(k, &b); k++) {
            assert_int_not_equal(a, b);
            assert_string_not_equal(reason_name(a), reason_name(b));
        }
        assert_in_range(a, 1, INT16_MAX); /* smallint in SQL */
    }
}

static void names_are_what_error_info_allows(void **state)
{
    (void)state;
    /* google.rpc.ErrorInfo: [A-Z][A-Z0-9_]+[A-Z0-9], at most 63 characters. */
    reason_t reason = REASON_NONE;
    for (unsigned i = 0; reason_at(i, &reason); i++) {
        const char *name = reason_name(reason);
        assert_in_range(strlen(name), 3, 63);
        assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(name));
        assert_in_range(name[0], 'A', 'Z');
        assert_int_not_equal(name[strlen(name) - 1], '_');
        const char *text = reason_text(reason);
        assert_int_equal(text[strlen(text) - 1], '.');
        assert_in_range(reason_grpc_status(reason), 1, 16);
    }
}

static void numbers_lead_back(void **state)
{
    (void)state;
    reason_t reason = REASON_NONE;
    reason_t back = REASON_NONE;
    for (unsigned i = 0; reason_at(i, &reason); i++) {
        assert_true(reason_from_number((int32_t)reason, &back));
        assert_int_equal(back, reason);
    }
    assert_true(reason_from_number(0, &back));
    assert_int_equal(back, REASON_NONE);
    assert_false(reason_from_number(1, &back));
    assert_false(reason_from_number(-1, &back));
    assert_false(reason_from_number(INT32_MAX, &back));
}

/* Clients have these by heart: a change here breaks them. */
static void published_numbers_stay(void **state)
{
    (void)state;
    assert_int_equal(REASON_AMOUNT_ZERO, 100);
    assert_int_equal(REASON_INSUFFICIENT_FLOAT, 109);
    assert_int_equal(REASON_IBAN_CHECKSUM, 203);
    assert_int_equal(REASON_REFERENCE_REUSED, 400);
    assert_int_equal(REASON_QUOTE_USED, 403);
    assert_int_equal(REASON_STATE_CONFLICT, 409);
    assert_int_equal(REASON_OUTCOME_UNKNOWN, 602);
    assert_int_equal(reason_grpc_status(REASON_REFERENCE_REUSED), 6);
    assert_int_equal(reason_grpc_status(REASON_STATE_CONFLICT), 9);
    assert_int_equal(reason_grpc_status(REASON_QUEUE_FULL), 8);
    assert_int_equal(reason_grpc_status(REASON_LEDGER_UNAVAILABLE), 14);
    assert_int_equal(reason_grpc_status(REASON_OUTCOME_UNKNOWN), 14);
    assert_int_equal(reason_grpc_status(REASON_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_own_number_and_name),
        cmocka_unit_test(names_are_what_error_info_allows),
        cmocka_unit_test(numbers_lead_back),
        cmocka_unit_test(published_numbers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
