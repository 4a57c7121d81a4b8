#include "base/log.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "ts=2026-07-17T09:00:00.000000Z level=info pid=7 event=x "

static char line[LOG_LINE_BYTES_MAX];

#define FORMAT(...)                                                                                \
    log_format(line, sizeof line, 1784278800000000, 7, NULL, LOG_LEVEL_INFO, "x",                  \
               (const struct log_field[]){__VA_ARGS__, {.key = NULL}})

static void a_line_is_logfmt(void **state)
{
    (void)state;
    (void)FORMAT(log_conn(12), log_payout(SLICE("po_1")), log_int("n", -3), log_bool("ok", true),
                 log_str("text", "two words"), log_str("none", NULL));
    assert_string_equal(line, HEAD "conn=12 payout=po_1 n=-3 ok=true text=\"two words\" none=\"\"");
    (void)FORMAT(log_err((err_t){ERR_SYS, 2, "open"}));
    assert_string_equal(line, HEAD "err=\"open: No such file or directory\"");
}

static void input_cannot_forge_a_line_or_a_field(void **state)
{
    (void)state;
    (void)FORMAT(log_str("v", "a\nlevel=error \"b\"\\\r\t\x1b[31m"));
    assert_string_equal(line, HEAD "v=\"a\\nlevel=error \\\"b\\\"\\\\\\r\\t\\x1b[31m\"");
    (void)FORMAT(log_str("v", "k=v"));
    assert_string_equal(line, HEAD "v=\"k=v\"");
    (void)FORMAT(log_slice("v", SLICE("a\0\xff\xE2\x80\xAE")));
    assert_string_equal(line, HEAD "v=\"a\\x00\\xff\\xe2\\x80\\xae\"");
    (void)FORMAT(log_str("v", "اجرت"));
    assert_string_equal(line, HEAD "v=\"اجرت\"");
}

static void iban_cnic_and_mobile_are_masked(void **state)
{
    (void)state;
    (void)FORMAT(log_iban("iban", SLICE("PK36SCBL0000001123456702")),
                 log_cnic("cnic", SLICE("3520212345671")),
                 log_mobile("mobile", SLICE("+923001234567")));
    assert_string_equal(line, HEAD
                        "iban=PK36****************6702 cnic=***********71 mobile=***********67");
    (void)FORMAT(log_iban("iban", SLICE("PK36SCBL1234567")), log_cnic("cnic", SLICE("1234567")));
    assert_string_equal(line, HEAD "iban=*************** cnic=*******");
    char out[8];
    assert_string_equal(mask_iban(SLICE("PK36SCBL0000001123456702"), out, sizeof out), "PK36***");
}

static void an_over_long_line_is_cut_and_says_so(void **state)
{
    (void)state;
    struct prng prng = {5};
    static char value[3 * LOG_LINE_BYTES_MAX];
    for (int round = 0; round < 3000; round++) {
        size_t len = (size_t)prng_between(&prng, 0, sizeof value);
        for (size_t i = 0; i < len; i++)
            value[i] = round % 2 == 0 ? 'a' : (char)prng_next(&prng);
        size_t n = FORMAT(log_slice("v", slice_of(value, len)), log_int("last", 1));
        assert_true(n < sizeof line && strlen(line) == n);
        assert_null(strpbrk(line, "\n\r"));
        assert_true(strstr(line, " last=1") != NULL || strcmp(line + n - 9, " cut=true") == 0);
        if (len > LOG_LINE_BYTES_MAX)
            assert_string_equal(line + n - 9, " cut=true");
    }
}

static void levels_below_the_set_one_are_not_written(void **state)
{
    (void)state;
    char path[] = "/tmp/ujrat_log_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct log *log = NULL;
    assert_ok(log_new(path, LOG_LEVEL_WARN, &log));
    log_info(log, "not.this");
    log_warn(log, "this");
    log_set_level(log, LOG_LEVEL_DEBUG);
    log_after_fork(log, "worker");
    log_debug(log, "and.this", log_int("n", 1));
    assert_ok(log_reopen(log));
    log_error(log, "and.that");
    char text[1024] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n > 0);
    assert_null(strstr(text, "not.this"));
    assert_non_null(strstr(text, "level=warn"));
    assert_non_null(strstr(text, "role=worker event=and.this n=1\n"));
    assert_non_null(strstr(text, "level=error"));
    assert_int_equal(log_lines_lost(log), 0);
    log_free(&log);
    assert_null(log);
    (void)close(fd);
    (void)unlink(path);
}

static void a_full_disk_loses_lines_and_counts_them(void **state)
{
    (void)state;
    struct log *log = NULL;
    assert_ok(log_new("/dev/full", LOG_LEVEL_INFO, &log));
    errno = 11;
    log_info(log, "lost");
    assert_int_equal(errno, 11);
    assert_int_equal(log_lines_lost(log), 1);
    log_free(&log);
}

static void no_log_takes_nothing(void **state)
{
    (void)state;
    struct log *log = NULL;
    log_error(log, "nothing");
    assert_code(log_new("/nonexistent/folder/log", LOG_LEVEL_INFO, &log), ERR_SYS);
    assert_null(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_logfmt),
        cmocka_unit_test(input_cannot_forge_a_line_or_a_field),
        cmocka_unit_test(iban_cnic_and_mobile_are_masked),
        cmocka_unit_test(an_over_long_line_is_cut_and_says_so),
        cmocka_unit_test(levels_below_the_set_one_are_not_written),
        cmocka_unit_test(a_full_disk_loses_lines_and_counts_them),
        cmocka_unit_test(no_log_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
