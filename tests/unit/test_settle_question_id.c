#include "settle/question_id.h"

#include "tests/unit/unit.h"

#include <string.h>

static void what_is_written_is_read_again(void **state)
{
    static const int64_t numbers[] = {1, 17, INT64_MAX};
    char text[QUESTION_ID_SIZE];
    int64_t no;
    (void)state;
    question_id_write("MUCB", 17, text);
    assert_string_equal(text, "UJQ-MUCB-17");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        question_id_write("MUCB", numbers[i], text);
        assert_true(question_id_read(slice_str(text), "MUCB", &no));
        assert_int_equal(no, numbers[i]);
        assert_true(strlen(text) <= 35); /* Max35Text */
    }
}

/* Whatever could be taken for another question, or another bank's, is none. */
static void nothing_else_is_one(void **state)
{
    static const char *const others[] = {
        "",
        "UJQ",
        "UJQ-MUCB",
        "UJQ-MUCB-",
        "UJQ-MUCB-0",
        "UJQ-MUCB--1",
        "UJQ-MUCB-+1",
        "UJQ-MUCB-01",
        "UJQ-MUCB-1 ",
        " UJQ-MUCB-1",
        "UJQ-MUCB-1-1",
        "UJQ-SCBL-1",
        "UJQ-MUCBX-1",
        "ujq-MUCB-1",
        "UJ7-1",
        "UJQ-MUCB-9223372036854775808",
        "CASE-2026-0001",
    };
    int64_t no;
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (question_id_read(slice_str(others[i]), "MUCB", &no))
            fail_msg("'%s' was taken for a question", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(nothing_else_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
