/* The script of a sandbox bank: what is understood, what is refused and why, which rule counts. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the commands are a program, not a library */
#include "cli/bank_script.c"
#include "tests/unit/unit.h"

static struct script script;

static void read_good(const char *text)
{
    struct script_error error;

    script_init(&script);
    if (!script_read(slice_str(text), &script, &error))
        fail_msg("line %u: %s", error.line, error.text);
}

static void refused(const char *text, unsigned line, const char *words)
{
    struct script_error error;

    script_init(&script);
    assert_false(script_read(slice_str(text), &script, &error));
    assert_int_equal(error.line, line);
    if (strstr(error.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", error.text, words);
}

static const char *chosen(int64_t number, int64_t minor, const char *iban, const char *id)
{
    struct script_facts facts = {false, number, minor, slice_str(iban), slice_str(id)};

    return script_choose(&script, &facts);
}

static void without_a_script_everything_is_accepted(void **state)
{
    (void)state;
    read_good("");
    assert_string_equal(chosen(1, 5, "", "a"), "accept");
    read_good("# nothing\n\n   \t\n# more");
    assert_string_equal(chosen(1, 5, "", "a"), "accept");
    assert_string_equal(script_choose(&script, &(struct script_facts){.recall = true}),
                        "refuse CUST");
}

static void the_first_rule_that_holds_counts(void **state)
{
    (void)state;
    read_good("number 8: reject AC01\nevery 4: reject AC04\namount 100..200.50: wait 1s, accept\n"
              "iban 77: silent\n any : accept, again # the rest\n");
    assert_string_equal(chosen(8, 1, "", "a"), "reject AC01");
    assert_string_equal(chosen(4, 1, "", "a"), "reject AC04");
    assert_string_equal(chosen(1, 9999, "", "a"), "accept, again");
    assert_string_equal(chosen(1, 10000, "", "a"), "wait 1000ms, accept");
    assert_string_equal(chosen(1, 20050, "PK77", "a"), "wait 1000ms, accept");
    assert_string_equal(chosen(1, 20051, "PK0077", "a"), "silent 1");
    assert_string_equal(chosen(1, 20051, "7", "a"), "accept, again");
}

static void conditions_together_must_all_hold(void **state)
{
    (void)state;
    read_good("every 2 amount 1000.. iban 9: reject\nrecall every 2: looking, cancel");
    assert_string_equal(chosen(2, 100000, "PK9", "a"), "reject");
    assert_string_equal(chosen(2, 99999, "PK9", "a"), "accept");
    assert_string_equal(chosen(3, 100000, "PK9", "a"), "accept");
    assert_string_equal(chosen(2, 100000, "PK8", "a"), "accept");
    assert_string_equal(script_choose(&script, &(struct script_facts){.recall = true, .number = 2}),
                        "looking, cancel");
    assert_string_equal(script_choose(&script, &(struct script_facts){.recall = true, .number = 1}),
                        "refuse CUST");
}

static void weights_are_drawn_by_seed_and_id_alone(void **state)
{
    char id[24];
    int rejected = 0, differ = 0;

    (void)state;
    read_good("seed 5\nweight 90: accept\nweight 10: reject");
    for (int i = 0; i < 2000; i++) {
        const char *first;

        snprintf(id, sizeof id, "UJ1-%d", i);
        first = chosen(i + 1, 100, "", id);
        rejected += strcmp(first, "reject") == 0;
        assert_ptr_equal(first, chosen(7, 100, "", id));
        script.seed = 6;
        differ += first != chosen(i + 1, 100, "", id);
        script.seed = 5;
    }
    assert_in_range(rejected, 140, 260);
    assert_in_range(differ, 200, 520);
    read_good("weight 90: accept\nevery 1: reject"); /* a rule without a weight comes first */
    assert_string_equal(chosen(1, 100, "", "a"), "reject");
}

static void every_step_is_read_and_written_in_one_form(void **state)
{
    static const char *const plans[] = {
        "accept",
        "reject AC04, again, contradict",
        "reject, contradict AC01",
        "wait 500ms, wait 3, accept, return 40% AC06 charge 50.00, return 1000.50, return-again, return",
        "accept, return 33.33%, reverse FOCR, return-more",
        "wrong-amount, wrong-currency, unknown, silent 2, pending ACSP, silent 1, accept",
        "crash received, crash decided, crash booked, crash sent, crash answered, crash noted, accept",
    };
    char out[PLAN_TEXT_SIZE], again[PLAN_TEXT_SIZE];
    struct script_error error;
    struct plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        assert_true(plan_read(slice_str(plans[i]), false, &plan, &error));
        assert_true(plan_write(&plan, out));
        assert_true(plan_read(slice_str(out), false, &plan, &error));
        assert_true(plan_write(&plan, again));
        assert_string_equal(out, again);
    }
    assert_true(plan_read(SLICE("  wait 2s ,accept,  return   40%  "), false, &plan, &error));
    assert_true(plan_write(&plan, out));
    assert_string_equal(out, "wait 2000ms, accept, return 40.00%");
    assert_int_equal(plan.steps[2].share_bps, 4000);
    assert_true(plan_read(SLICE("return 12.50 charge 0.05"), true, &plan, &error));
    assert_int_equal(plan.steps[0].minor, 1250);
    assert_int_equal(plan.steps[0].charge_minor, 5);
}

static void what_cannot_be_is_refused_with_its_reason(void **state)
{
    (void)state;
    refused("any: accept\nany accept", 2, "no colon");
    refused(": accept", 1, "condition is missing");
    refused("always: accept", 1, "no condition 'always'");
    refused("every: accept", 1, "no number");
    refused("every 0: accept", 1, "no number");
    refused("every 99999999999999999999: accept", 1, "no number");
    refused("amount 5: accept", 1, "LOW..HIGH");
    refused("amount 5..4: accept", 1, "ends before it begins");
    refused("amount 1.005..: accept", 1, "no amount");
    refused("iban pk: accept", 1, "no end of an IBAN");
    refused("weight 0: accept", 1, "no weight");
    refused("seed", 1, "one whole number");
    refused("seed 1 2", 1, "one whole number");
    refused("any:", 1, "a step is missing");
    refused("any: accept,", 1, "a step is missing");
    refused("any: pay", 1, "no step 'pay'");
    refused("any: accept AC04", 1, "does not belong after accept");
    refused("any: reject ac04", 1, "does not belong after reject");
    refused("any: wait", 1, "no number");
    refused("any: wait 3601s", 1, "no number");
    refused("any: accept, return 101%", 1, "no share");
    refused("any: accept, return 0", 1, "return of nothing");
    refused("any: accept, return charge x", 1, "no amount");
    refused("any: crash soon", 1, "no point 'soon'");
    refused("any: pending", 1, "needs a code");
    refused("any: \x01\xff\x1b[2J", 1, "no step ''");
}

static void a_plan_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    refused("any: return", 1, "nothing was accepted");
    refused("any: reject, return", 1, "nothing was accepted");
    refused("any: accept, reject", 1, "answered already");
    refused("any: again", 1, "nothing was answered");
    refused("any: contradict, accept", 1, "nothing was answered");
    refused("any: accept, return 60%, return 41%", 1, "nothing is left");
    refused("any: accept, return, return", 1, "nothing is left");
    refused("any: accept, return-again", 1, "nothing was returned");
    refused("any: accept, reverse", 1, "no return is left");
    refused("any: accept, return, reverse, reverse", 1, "no return is left");
    refused("any: accept, crash decided, return", 1, "only before any other step");
    refused("any: accept, cancel", 1, "only of a recall");
    refused(
        "any: accept, wait 1, wait 1, wait 1, wait 1, wait 1, wait 1, wait 1, wait 1, wait 1, wait "
        "1, wait 1, wait 1, wait 1, wait 1, wait 1, wait 1",
        1, "at most 16 steps");
    read_good("recall: cancel, return 50%, reverse, again"); /* it goes on from another plan */
}

static void too_much_of_it_is_refused(void **state)
{
    static char text[SCRIPT_BYTES_MAX + 2];

    (void)state;
    memset(text, '#', SCRIPT_BYTES_MAX);
    read_good(text);
    text[SCRIPT_BYTES_MAX] = '#';
    refused(text, 0, "longer than");
    text[0] = '\0';
    for (int i = 0; i <= SCRIPT_RULES_MAX; i++)
        memcpy(text + i * 12, "any: accept\n", 13);
    refused(text, SCRIPT_RULES_MAX + 1, "at most 100 rules");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_script_everything_is_accepted),
        cmocka_unit_test(the_first_rule_that_holds_counts),
        cmocka_unit_test(conditions_together_must_all_hold),
        cmocka_unit_test(weights_are_drawn_by_seed_and_id_alone),
        cmocka_unit_test(every_step_is_read_and_written_in_one_form),
        cmocka_unit_test(what_cannot_be_is_refused_with_its_reason),
        cmocka_unit_test(a_plan_that_makes_no_sense_is_refused),
        cmocka_unit_test(too_much_of_it_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
