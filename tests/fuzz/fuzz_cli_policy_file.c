/* A proposal of policy is read whole or refused with where and why; what was read is sorted, sound, and within its bounds. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the commands are a program, not a library */
#include "cli/policy_file.c"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policy_file file;
    struct policy_fault fault = {.path = ""};

    if (!policy_file_parse(slice_of(data, size), &file, &fault)) {
        assert(fault.text[0] != '\0');
        return 0;
    }
    assert(file.n_changes >= 1 && file.n_changes <= POLICY_CHANGES_MAX);
    assert(file.reason[0] != '\0' && file.source[0] != '\0');
    for (size_t i = 0; i < file.n_changes; i++) {
        struct policy_rule rule = file.changes[i].rule;

        assert(i == 0 || policy_rule_compare(&file.changes[i - 1].rule, &rule) < 0);
        if (file.changes[i].remove)
            rule.value = policy_kind_info(rule.kind)->value_min;
        assert(policy_rule_check(&rule) == REASON_NONE);
    }
    return 0;
}
