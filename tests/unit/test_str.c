#include "base/str.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>

static void cut_splits_at_the_first_separator(void **state)
{
    (void)state;
    struct slice before;
    struct slice after;
    assert_true(slice_cut(SLICE("a=b=c"), '=', &before, &after));
    assert_slice(before, "a");
    assert_slice(after, "b=c");
    assert_false(slice_cut(SLICE("abc"), '=', &before, &after));
    assert_slice(before, "abc");
    assert_slice(after, "");
    assert_false(slice_cut(slice_str(NULL), '=', &before, &after));
}

static void lines_end_in_lf_or_crlf(void **state)
{
    (void)state;
    struct slice rest = SLICE("one\r\n\ntwo");
    struct slice line;
    assert_true(slice_next_line(&rest, &line));
    assert_slice(line, "one");
    assert_true(slice_next_line(&rest, &line));
    assert_slice(line, "");
    assert_true(slice_next_line(&rest, &line));
    assert_slice(line, "two");
    assert_false(slice_next_line(&rest, &line));
}

static void copy_refuses_what_does_not_fit_and_nul(void **state)
{
    (void)state;
    char out[4];
    assert_ok(slice_copy(SLICE("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_code(slice_copy(SLICE("abcd"), out, sizeof out), ERR_LIMIT);
    assert_code(slice_copy(SLICE("a\0b"), out, sizeof out), ERR_INVALID);
    assert_ok(slice_copy(slice_str(NULL), out, sizeof out));
    assert_string_equal(out, "");
}

static void compare_is_an_order_of_bytes(void **state)
{
    (void)state;
    assert_int_equal(slice_compare(SLICE("a"), SLICE("ab")), -1);
    assert_int_equal(slice_compare(SLICE("b"), SLICE("ab")), 1);
    assert_int_equal(slice_compare(SLICE("ab"), SLICE("ab")), 0);
    assert_int_equal(slice_compare(SLICE("\xff"), SLICE("a")), 1);
    assert_true(slice_starts_with(SLICE("abc"), SLICE("ab")));
    assert_false(slice_starts_with(SLICE("a"), SLICE("ab")));
    assert_slice(slice_trim(SLICE(" \ta b\t ")), "a b");
}

static void int64_parse_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "--1", "1-"};
    int64_t value = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_code(str_parse_int64(slice_str(bad[i]), &value), ERR_PARSE);
    assert_code(str_parse_int64(SLICE("9223372036854775808"), &value), ERR_LIMIT);
    assert_code(str_parse_int64(SLICE("-9223372036854775809"), &value), ERR_LIMIT);
    assert_code(str_parse_int64(SLICE("99999999999999999999999"), &value), ERR_LIMIT);
    assert_int_equal(value, 77);
    assert_ok(str_parse_int64(SLICE("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_ok(str_parse_int64(SLICE("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    uint64_t u = 0;
    assert_ok(str_parse_uint64(SLICE("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    assert_code(str_parse_uint64(SLICE("18446744073709551616"), &u), ERR_LIMIT);
    assert_code(str_parse_uint64(SLICE("-1"), &u), ERR_PARSE);
}

static void int64_format_is_what_printf_writes(void **state)
{
    (void)state;
    struct prng prng = {1};
    for (int i = 0; i < 20000; i++) {
        int64_t value = prng_any(&prng);
        char ours[STR_INT64_SIZE];
        char theirs[32];
        size_t n = str_format_int64(value, ours);
        (void)snprintf(theirs, sizeof theirs, "%" PRId64, value);
        assert_string_equal(ours, theirs);
        assert_int_equal(n, strlen(theirs));
        int64_t back = 0;
        assert_ok(str_parse_int64(slice_str(ours), &back));
        assert_true(back == value);
    }
}

static void utf8_refuses_what_rfc_3629_refuses(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "\x80",             /* continuation alone */
        "a\xC3",            /* cut */
        "\xC0\xAF",         /* overlong '/' */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* surrogate */
        "\xED\xBF\xBF",     /* surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xE2\x82",
        "\xE2\x28\xA1",
        "\xF0\x9F\x98",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(utf8_check(slice_str(broken[i]), NULL), UTF8_BROKEN);
}

static void utf8_tells_nul_and_control_characters(void **state)
{
    (void)state;
    assert_int_equal(utf8_check(SLICE("a\0b"), NULL), UTF8_NUL);
    assert_int_equal(utf8_check(SLICE("a\nb\0"), NULL), UTF8_NUL);
    assert_int_equal(utf8_check(SLICE("a\tb"), NULL), UTF8_CONTROL);
    assert_int_equal(utf8_check(SLICE("\x7f"), NULL), UTF8_CONTROL);
    assert_int_equal(utf8_check(SLICE("\xC2\x85"), NULL), UTF8_CONTROL); /* C1 NEL */
    assert_int_equal(utf8_check(SLICE("\xE2\x80\xAE"), NULL),
                     UTF8_CONTROL); /* right-to-left override */
    assert_int_equal(utf8_check(SLICE("\xE2\x80\xA8"), NULL), UTF8_CONTROL); /* line separator */
    assert_int_equal(utf8_check(SLICE("a\0\xFF"), NULL), UTF8_BROKEN);       /* the worst is told */
}

static void utf8_counts_code_points_of_good_text(void **state)
{
    (void)state;
    size_t n = 0;
    assert_int_equal(utf8_check(SLICE("اجرت"), &n), UTF8_OK);
    assert_int_equal(n, 4);
    assert_int_equal(utf8_check(SLICE("\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"), &n), UTF8_OK);
    assert_int_equal(n, 2);
    assert_int_equal(utf8_check(slice_str(NULL), &n), UTF8_OK);
    assert_int_equal(n, 0);
}

static void every_code_point_survives_encoding(void **state)
{
    (void)state;
    for (uint32_t code = 0xA0; code <= 0x10FFFF; code++) {
        char p[4];
        size_t n = 0;
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        if (code < 0x800) {
            p[n++] = (char)(0xC0 | (code >> 6));
        } else if (code < 0x10000) {
            p[n++] = (char)(0xE0 | (code >> 12));
            p[n++] = (char)(0x80 | ((code >> 6) & 0x3F));
        } else {
            p[n++] = (char)(0xF0 | (code >> 18));
            p[n++] = (char)(0x80 | ((code >> 12) & 0x3F));
            p[n++] = (char)(0x80 | ((code >> 6) & 0x3F));
        }
        p[n++] = (char)(0x80 | (code & 0x3F));
        struct slice s = slice_of(p, n);
        assert_int_not_equal(utf8_check(s, NULL), UTF8_BROKEN);
        assert_int_equal(utf8_next(&s), code);
        assert_int_equal(s.len, 0);
    }
}

static void width_knows_marks_and_wide_characters(void **state)
{
    (void)state;
    assert_int_equal(utf8_width(SLICE("abc")), 3);
    assert_int_equal(utf8_width(SLICE("اجرت")), 4);
    assert_int_equal(utf8_width(SLICE("e\xCC\x81")), 1); /* e and a combining acute */
    assert_int_equal(utf8_width(SLICE("漢字")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_splits_at_the_first_separator),
        cmocka_unit_test(lines_end_in_lf_or_crlf),
        cmocka_unit_test(copy_refuses_what_does_not_fit_and_nul),
        cmocka_unit_test(compare_is_an_order_of_bytes),
        cmocka_unit_test(int64_parse_is_strict),
        cmocka_unit_test(int64_format_is_what_printf_writes),
        cmocka_unit_test(utf8_refuses_what_rfc_3629_refuses),
        cmocka_unit_test(utf8_tells_nul_and_control_characters),
        cmocka_unit_test(utf8_counts_code_points_of_good_text),
        cmocka_unit_test(every_code_point_survives_encoding),
        cmocka_unit_test(width_knows_marks_and_wide_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
