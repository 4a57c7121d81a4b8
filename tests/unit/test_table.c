#include "base/table.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

static const struct table_column columns[] = {
    {"bank", TABLE_LEFT}, {"net", TABLE_RIGHT}, {"state", TABLE_LEFT}};

/* What table_print() writes, to be freed. */
static char *printed(const struct table *table)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    table_print(table, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void add(struct table *table, const char *a, const char *b, const char *c)
{
    assert_ok(table_add(table, (const char *const[]){a, b, c}));
}

static void numbers_stand_right_and_lines_end_without_blanks(void **state)
{
    (void)state;
    struct table *table = NULL;
    assert_ok(table_new(columns, 3, &table));
    add(table, "MEZN", "1,234.50", "SETTLED");
    add(table, "HABB", "9.00", NULL);
    assert_ok(table_add_rule(table));
    add(table, "", "1,243.50", "");
    char *text = printed(table);
    assert_string_equal(text, "bank       net  state\n"
                              "----  --------  -------\n"
                              "MEZN  1,234.50  SETTLED\n"
                              "HABB      9.00\n"
                              "----  --------  -------\n"
                              "      1,243.50\n");
    free(text);
    table_free(&table);
    assert_null(table);
}

static void urdu_takes_as_many_columns_as_it_shows(void **state)
{
    (void)state;
    struct table *table = NULL;
    assert_ok(table_new(columns, 2, &table));
    assert_ok(table_add(table, (const char *const[]){"اجرت", "1"}));
    assert_ok(table_add(table, (const char *const[]){"wage", "2"}));
    char *text = printed(table);
    assert_string_equal(text, "bank  net\n----  ---\nاجرت    1\nwage    2\n");
    free(text);
    table_free(&table);
}

static void data_cannot_drive_the_terminal(void **state)
{
    (void)state;
    struct table *table = NULL;
    assert_ok(table_new(columns, 1, &table));
    assert_ok(table_add(table, (const char *const[]){"a\x1b[2Jb\n\xff"}));
    char *text = printed(table);
    assert_string_equal(text, "bank\n--------\na?[2Jb??\n");
    free(text);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_right_and_lines_end_without_blanks),
        cmocka_unit_test(urdu_takes_as_many_columns_as_it_shows),
        cmocka_unit_test(data_cannot_drive_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
