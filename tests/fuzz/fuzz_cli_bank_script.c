/* A script is a user's, a plan is read again from the bank's books: whatever is understood is written in one form that is
 * understood as the same, and a rule is always found. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the commands are a program, not a library */
#include "cli/bank_script.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(const char *text, bool recall)
{
    struct script_error error;
    struct plan plan;
    char again[PLAN_TEXT_SIZE];

    bool good = plan_read(slice_str(text), recall, &plan, &error);
    assert(good);
    assert(plan.n >= 1 && plan.n <= PLAN_STEPS_MAX);
    assert(plan_write(&plan, again));
    assert(strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct script script;
    struct script_error error;
    struct script_facts facts = {
        .number = 12, .minor = 123456, .iban = SLICE("PK7"), .id = SLICE("UJ1-1")};

    script_init(&script);
    if (!script_read(slice_of(data, size), &script, &error)) {
        assert(error.text[0] != '\0' && strlen(error.text) < sizeof error.text);
        return 0;
    }
    for (size_t i = 0; i < script.n_rules; i++)
        check_plan(script.rules[i].plan, script.rules[i].recall);
    assert(script_choose(&script, &facts) != NULL);
    facts.recall = true;
    assert(script_choose(&script, &facts) != NULL);
    return 0;
}
