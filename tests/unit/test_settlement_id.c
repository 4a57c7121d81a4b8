#include "gateway/rpc/settlement_id.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static bool reads(const char *text)
{
    int32_t book;
    int64_t payout;
    return instruction_id_read(slice_str(text), &book, &payout);
}

static void id_reads_back(void **state)
{
    (void)state;
    const struct {
        int32_t book;
        int64_t payout;
    } ids[] = {{1, 1}, {7, 42}, {INT32_MAX, INT64_MAX}};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[INSTRUCTION_ID_SIZE];
        int32_t book;
        int64_t payout;
        size_t len = instruction_id_write(ids[i].book, ids[i].payout, text);
        assert_true(len <= 35 && text[len] == '\0');
        assert_true(instruction_id_read(slice_of(text, len), &book, &payout));
        assert_int_equal(book, ids[i].book);
        assert_true(payout == ids[i].payout);
    }
}

static void id_has_one_text(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "U",
                               "UJ",
                               "UJ1",
                               "UJ1-",
                               "UJ-1",
                               "UJ1-0",
                               "UJ0-1",
                               "UJ01-1",
                               "UJ1-01",
                               "UJ1--1",
                               "UJ-1-1",
                               "uj1-1",
                               "UJ1-1 ",
                               " UJ1-1",
                               "UJ+1-1",
                               "UJ1-1-1",
                               "UJ1-1x",
                               "UJ1-9223372036854775808",
                               "UJ2147483648-1",
                               "XX1-1",
                               "UJ1-1\n"};
    assert_true(reads("UJ1-1"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(reads(bad[i]));
    assert_false(instruction_id_read(slice_of("UJ1-1\0", 6), &(int32_t){0}, &(int64_t){0}));
}

static void inquiry_id_reads_back_and_has_one_text(void **state)
{
    (void)state;
    const struct inquiry_id ids[] = {
        {1, 1, 1, 1}, {2, 7, 42, 3}, {2, INT32_MAX, INT64_MAX, INT16_MAX}};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[INQUIRY_ID_SIZE];
        struct inquiry_id read;
        size_t len = inquiry_id_write(&ids[i], text);
        assert_true(len < INQUIRY_ID_SIZE && text[len] == '\0');
        assert_true(inquiry_id_read(slice_of(text, len), &read));
        assert_int_equal(read.kind, ids[i].kind);
        assert_int_equal(read.book_id, ids[i].book_id);
        assert_true(read.payout_id == ids[i].payout_id);
        assert_int_equal(read.number, ids[i].number);
    }
    const char *const bad[] = {
        "",          "S1",         "-S1",          "UJ1-1",     "UJ1-1-",    "UJ1-1-S",
        "UJ1-1-S0",  "UJ1-1-S01",  "UJ1-1-S-1",    "UJ1-1-s1",  "UJ1-1-T1",  "UJ1-1-S1 ",
        "UJ01-1-S1", "UJ1-1-S1-1", "UJ1-1-1",      "UJ1-0-S1",  "UJ1-1-S+1", "UJ1-1--S1",
        "UJ1-1-SS1", "S1-UJ1-1",   "UJ1-1-S32768", "UJ1-1-S1\n"};
    struct inquiry_id untouched = {9, 9, 9, 9};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(inquiry_id_read(slice_str(bad[i]), &untouched));
    assert_int_equal(untouched.kind, 9);
}

static void token_reads_back_without_books_nothing_was_read_of(void **state)
{
    (void)state;
    const struct instruction_cursor in[] = {
        {1, 5}, {2, 0}, {3, INT64_MAX}, {300, 1}, {INT32_MAX, 129}};
    char text[INSTRUCTION_TOKEN_SIZE(5)];
    struct instruction_cursor out[INSTRUCTION_CURSORS_MAX];
    size_t n;
    size_t len = instruction_token_write(-3, in, 5, text);
    assert_true(len < sizeof(text));
    assert_true(instruction_token_read(slice_of(text, len), -3, out, &n));
    assert_int_equal(n, 4);
    assert_int_equal(out[1].book_id, 3);
    assert_true(out[1].order_no == INT64_MAX);
    assert_int_equal(out[3].book_id, INT32_MAX);
    assert_false(instruction_token_read(slice_of(text, len), 3, out, &n));
}

static void token_fits_the_room_it_is_said_to_need(void **state)
{
    (void)state;
    struct instruction_cursor *in = calloc(INSTRUCTION_CURSORS_MAX, sizeof(*in));
    struct instruction_cursor *out = calloc(INSTRUCTION_CURSORS_MAX, sizeof(*out));
    char *text = malloc(INSTRUCTION_TOKEN_SIZE(INSTRUCTION_CURSORS_MAX));
    size_t n;
    assert_true(in != NULL && out != NULL && text != NULL);
    for (int32_t i = 0; i < INSTRUCTION_CURSORS_MAX; i++)
        in[i] = (struct instruction_cursor){(i + 1) * (INT32_MAX / INSTRUCTION_CURSORS_MAX),
                                            INT64_MAX - i};
    size_t len = instruction_token_write(1, in, INSTRUCTION_CURSORS_MAX, text);
    assert_true(instruction_token_read(slice_of(text, len), 1, out, &n));
    assert_int_equal(n, INSTRUCTION_CURSORS_MAX);
    assert_memory_equal(in, out, n * sizeof(*in));
    free(in);
    free(out);
    free(text);
}

static void token_with_any_character_changed_is_refused(void **state)
{
    (void)state;
    const struct instruction_cursor in[] = {{1, 77}, {9, 123456}};
    char text[INSTRUCTION_TOKEN_SIZE(2)];
    struct instruction_cursor out[INSTRUCTION_CURSORS_MAX];
    size_t n;
    size_t len = instruction_token_write(2, in, 2, text);
    for (size_t at = 0; at < len; at++) {
        char was = text[at];
        for (const char *c = "ABYZabyz0189-_=+ \n"; *c != '\0'; c++) {
            text[at] = *c;
            assert_int_equal(instruction_token_read(slice_of(text, len), 2, out, &n), *c == was);
        }
        text[at] = was;
    }
    for (size_t shorter = 1; shorter < len; shorter++)
        assert_false(instruction_token_read(slice_of(text, shorter), 2, out, &n));
    assert_true(instruction_token_read(slice_of(text, 0), 2, out, &n));
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_reads_back),
        cmocka_unit_test(id_has_one_text),
        cmocka_unit_test(inquiry_id_reads_back_and_has_one_text),
        cmocka_unit_test(token_reads_back_without_books_nothing_was_read_of),
        cmocka_unit_test(token_fits_the_room_it_is_said_to_need),
        cmocka_unit_test(token_with_any_character_changed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
