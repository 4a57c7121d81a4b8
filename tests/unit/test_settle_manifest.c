#include "settle/manifest.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const struct manifest whole = {
    .bank = "MUCB",
    .to_bank = true,
    .file = "MUCB-00000017-pacs.008.001.08.xml",
    .file_no = 17,
    .message = "pacs.008.001.08",
    .bytes = 1234,
    .sha256 = {0xab, 1, 2},
    .has_previous = true,
    .previous_sha256 = {0xcd},
    .created_us = 1760000000123000,
    .has_count = true,
    .count = 3,
    .sum = "1250.00",
    .currency = "PKR",
};

static void what_is_written_is_read_again_the_same(void **state)
{
    struct manifest again;
    struct manifest_problem problem;
    struct buf text, other;
    (void)state;
    buf_init(&text, MANIFEST_BYTES_MAX);
    buf_init(&other, MANIFEST_BYTES_MAX);
    assert_ok(manifest_write(&whole, &text));
    assert_ok(manifest_read(buf_slice(&text), &again, &problem));
    assert_string_equal(again.bank, "MUCB");
    assert_true(again.to_bank && again.has_previous && again.has_count);
    assert_string_equal(again.file, whole.file);
    assert_int_equal(again.file_no, 17);
    assert_int_equal(again.bytes, 1234);
    assert_memory_equal(again.sha256, whole.sha256, MANIFEST_SHA256_SIZE);
    assert_memory_equal(again.previous_sha256, whole.previous_sha256, MANIFEST_SHA256_SIZE);
    assert_int_equal(again.created_us, whole.created_us);
    assert_int_equal(again.count, 3);
    assert_string_equal(again.sum, "1250.00");
    assert_string_equal(again.currency, "PKR");
    assert_ok(manifest_write(&again, &other));
    assert_true(slice_equal(buf_slice(&text), buf_slice(&other)));
    buf_deinit(&text);
    buf_deinit(&other);
}

/* A manifest that is whole but for one member, which is `with`. */
static err_t read_with(const char *member, const char *with, struct manifest_problem *problem)
{
    static const char *const members[][2] = {
        {"format", "\"ujrat-file/1\""}, {"bank", "\"MUCB\""},
        {"direction", "\"from_bank\""}, {"file", "\"a.xml\""},
        {"message", "\"pacs.002.001.10\""}, {"bytes", "10"},
        {"sha256", "\"00000000000000000000000000000000000000000000000000000000000000ff\""},
    };
    char text[2048];
    struct manifest m;
    int n = snprintf(text, sizeof text, "{");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i][0], member) != 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "\"%s\": %s, ", members[i][0],
                          members[i][1]);
    n += snprintf(text + n, sizeof text - (size_t)n, "\"%s\": %s}", member, with);
    return manifest_read(slice_of(text, (size_t)n), &m, problem);
}

static void a_member_that_is_wrong_is_named(void **state)
{
    static const struct {
        const char *member, *with;
    } wrong[] = {
        {"format", "\"ujrat-file/2\""}, {"format", "1"},
        {"bank", "\"MUCBX\""}, {"bank", "null"}, {"bank", "\"MU\\u0000\""},
        {"direction", "\"in\""}, {"file", "\"../a.xml\""},
        {"file", "\".a.xml\""}, {"file", "\"a/b.xml\""},
        {"file", "\"a.txt\""}, {"file", "\"\""},
        {"message", "\"a\\nb\""}, {"bytes", "-1"},
        {"bytes", "1.5"}, {"bytes", "\"10\""},
        {"sha256", "\"00\""}, {"sha256", "\"zz\""},
        {"previous_sha256", "\"00\""}, {"file_no", "-1"},
        {"count", "\"3\""}, {"created_at", "\"yesterday\""},
        {"sum", "12"},
    };
    struct manifest_problem problem;
    (void)state;
    assert_ok(read_with("other", "{\"a\": [1, 2]}", &problem));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_t err = read_with(wrong[i].member, wrong[i].with, &problem);
        /* A NUL in a text is refused by the parser already. */
        if (err.code == ERR_PARSE && strstr(wrong[i].with, "u0000") != NULL)
            continue;
        assert_code(err, ERR_INVALID);
        assert_non_null(strstr(problem.text, wrong[i].member));
    }
}

static void what_is_no_object_is_refused_with_its_line(void **state)
{
    static const char *const texts[] = {"", "[]", "{", "{\"a\": 1, \"a\": 2}", "\n\nx", "\xff"};
    struct manifest m;
    struct manifest_problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_code(manifest_read(slice_str(texts[i]), &m, &problem), ERR_PARSE);
        assert_non_null(strstr(problem.text, "line"));
    }
}

static void stems_are_plain_names(void **state)
{
    char longest[MANIFEST_STEM_MAX + 2];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_true(manifest_stem_is_good(slice_str("MUCB-00000001-pacs.008.001.08")));
    assert_true(manifest_stem_is_good(slice_of(longest, MANIFEST_STEM_MAX)));
    assert_false(manifest_stem_is_good(slice_of(longest, MANIFEST_STEM_MAX + 1)));
    static const char *const bad[] = {"", ".", "..", ".a", "-a", "a b", "a/b", "a\n", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(manifest_stem_is_good(slice_str(bad[i])));
    assert_slice(manifest_stem_of(slice_str("a.b.manifest.json"), MANIFEST_ENDING), "a.b");
    assert_slice(manifest_stem_of(slice_str(".manifest.json"), MANIFEST_ENDING), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again_the_same),
        cmocka_unit_test(a_member_that_is_wrong_is_named),
        cmocka_unit_test(what_is_no_object_is_refused_with_its_line),
        cmocka_unit_test(stems_are_plain_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
