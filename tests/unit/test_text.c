#include "domain/text.h"

#include "tests/unit/unit.h"

static void text_is_counted_in_characters(void **state)
{
    (void)state;
    char long_name[4 * TEXT_NAME_CHARS_MAX + 1];
    size_t n = 0;
    for (int i = 0; i < TEXT_NAME_CHARS_MAX; i++) { /* 140 times U+0627, two bytes each */
        long_name[n++] = (char)0xD8;
        long_name[n++] = (char)0xA7;
    }
    assert_int_equal(text_check_name(slice_of(long_name, n)), REASON_NONE);
    long_name[n++] = 'x';
    assert_int_equal(text_check_name(slice_of(long_name, n)), REASON_NAME_TOO_LONG);
    assert_int_equal(text_check(slice_of(long_name, n), 141), REASON_NONE);
    assert_int_equal(text_check(slice_of(long_name, n), 140), REASON_TEXT_TOO_LONG);
}

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    assert_int_equal(text_check(SLICE(""), 10), REASON_NONE);
    assert_int_equal(text_check(SLICE("a\0b"), 10), REASON_TEXT_HAS_NUL);
    assert_int_equal(text_check(SLICE("a\nb"), 10), REASON_TEXT_HAS_NUL);
    assert_int_equal(text_check(SLICE("\xC3("), 10), REASON_TEXT_NOT_UTF8);
    assert_int_equal(text_check(SLICE(" a"), 10), REASON_FIELD_INVALID);
    assert_int_equal(text_check(SLICE("a "), 10), REASON_FIELD_INVALID);
    assert_int_equal(text_check_ascii(SLICE("Invoice 7/2026"), 35), REASON_NONE);
    assert_int_equal(text_check_ascii(SLICE("é"), 35), REASON_TEXT_NOT_UTF8);
    assert_int_equal(text_check_ascii(SLICE("abcd"), 3), REASON_TEXT_TOO_LONG);
}

static void a_name_that_shows_nothing_is_empty(void **state)
{
    (void)state;
    assert_int_equal(text_check_name(SLICE("")), REASON_NAME_EMPTY);
    assert_int_equal(text_check_name(SLICE("   ")), REASON_NAME_EMPTY);
    assert_int_equal(text_check_name(SLICE("\xC2\xA0\xE2\x80\x8B")),
                     REASON_NAME_EMPTY); /* no-break, zero-width */
    assert_int_equal(text_check_name(SLICE(" Ayesha")), REASON_FIELD_INVALID);
    assert_int_equal(text_check_name(SLICE("Ayesha Khan")), REASON_NONE);
    assert_int_equal(text_check_name(SLICE("عائشہ خان")), REASON_NONE);
    assert_int_equal(text_check_name(SLICE("Ayesha\0")), REASON_TEXT_HAS_NUL);
    assert_int_equal(text_check_name(SLICE("Ayesha\xFF")), REASON_TEXT_NOT_UTF8);
}

static void a_reference_is_visible_ascii(void **state)
{
    (void)state;
    static const char sixty_four[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    assert_int_equal(text_check_reference(SLICE("")), REASON_REFERENCE_EMPTY);
    assert_int_equal(text_check_reference(SLICE("UPW-2026/07:1+a_b.c~")), REASON_NONE);
    assert_int_equal(text_check_reference(slice_of(sixty_four, 63)), REASON_NONE);
    assert_int_equal(text_check_reference(slice_of(sixty_four, 64)), REASON_REFERENCE_SHAPE);
    assert_int_equal(text_check_reference(SLICE("a b")), REASON_REFERENCE_SHAPE);
    assert_int_equal(text_check_reference(SLICE("a\0")), REASON_REFERENCE_SHAPE);
    assert_int_equal(text_check_reference(SLICE("a\x7f")), REASON_REFERENCE_SHAPE);
    assert_int_equal(text_check_reference(SLICE("é")), REASON_REFERENCE_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_counted_in_characters),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(a_name_that_shows_nothing_is_empty),
        cmocka_unit_test(a_reference_is_visible_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
