#include "domain/payout_state.h"

#include "tests/unit/unit.h"

#include <string.h>

/* One row a state, one character an event in the order of their numbers, from ACCEPT: where it leads, by the
 * state's number (P: 10); '.' is a conflict. Written apart from the code, to be read against the picture in the header. */
static const char *const expected[PAYOUT_STATE_COUNT] = {
    /* apHRFISJTCcEPrl */
    "18.............", /* NONE */
    "..2..3...7.....", /* ACCEPTED */
    "...19..........", /* HELD */
    "......45.......", /* INSTRUCTED */
    "........6...P..", /* SETTLED */
    "...............", /* REJECTED */
    ".............4P", /* RETURNED */
    "...............", /* CANCELLED */
    "..........16...", /* UNCLAIMED */
    "...............", /* REFUSED */
    "........6...P4P", /* PARTLY_RETURNED */
};

static void every_pair_of_state_and_event_does_what_the_table_says(void **state)
{
    (void)state;
    int allowed = 0;
    for (int s = 0; s < PAYOUT_STATE_COUNT; s++) {
        assert_int_equal(strlen(expected[s]), PAYOUT_EVENT_COUNT - 1);
        for (int e = 1; e < PAYOUT_EVENT_COUNT; e++) {
            enum payout_state out = PAYOUT_STATE_NONE;
            reason_t reason = payout_state_next((enum payout_state)s, (enum payout_event)e, &out);
            char want = expected[s][e - 1];
            assert_int_equal(reason, want == '.' ? REASON_STATE_CONFLICT : REASON_NONE);
            assert_int_equal(out, want == '.' ? 0 : want == 'P' ? 10 : want - '0');
            allowed += reason == REASON_NONE;
        }
    }
    assert_int_equal(allowed, 19);
}

static void final_states_are_the_rows_without_a_way_out(void **state)
{
    (void)state;
    for (int s = 0; s < PAYOUT_STATE_COUNT; s++)
        assert_int_equal(payout_state_is_final((enum payout_state)s),
                         strspn(expected[s], ".") == PAYOUT_EVENT_COUNT - 1);
    assert_true(payout_state_is_reversed(PAYOUT_STATE_REJECTED));
    assert_true(payout_state_is_reversed(PAYOUT_STATE_RETURNED));
    assert_true(payout_state_is_reversed(PAYOUT_STATE_CANCELLED));
    assert_true(payout_state_is_reversed(PAYOUT_STATE_REFUSED));
    assert_false(payout_state_is_reversed(PAYOUT_STATE_SETTLED));
    assert_false(payout_state_is_reversed(PAYOUT_STATE_UNCLAIMED));
    assert_false(payout_state_is_reversed(PAYOUT_STATE_PARTLY_RETURNED));
}

static void names_and_numbers_are_those_of_the_contract(void **state)
{
    (void)state;
    enum payout_state out = PAYOUT_STATE_NONE;
    assert_string_equal(payout_state_name(PAYOUT_STATE_ACCEPTED), "ACCEPTED");
    assert_string_equal(payout_state_name(PAYOUT_STATE_SETTLED), "SETTLED");
    assert_string_equal(payout_state_name(PAYOUT_STATE_REFUSED), "REFUSED");
    assert_true(payout_state_from_number(9, &out));
    assert_int_equal(out, PAYOUT_STATE_REFUSED);
    assert_string_equal(payout_state_name(PAYOUT_STATE_PARTLY_RETURNED), "PARTLY_RETURNED");
    assert_true(payout_state_from_number(10, &out));
    assert_int_equal(out, PAYOUT_STATE_PARTLY_RETURNED);
    assert_false(payout_state_from_number(11, &out));
    assert_false(payout_state_from_number(-1, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_state_and_event_does_what_the_table_says),
        cmocka_unit_test(final_states_are_the_rows_without_a_way_out),
        cmocka_unit_test(names_and_numbers_are_those_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
