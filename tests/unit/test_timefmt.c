#include "base/timefmt.h"

#include "base/clock.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <time.h>

static void a_known_moment_is_written_with_six_decimals(void **state)
{
    (void)state;
    char out[TIMEFMT_SIZE];
    assert_string_equal(timefmt_rfc3339(0, out), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(timefmt_rfc3339(-1, out), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(timefmt_rfc3339(1784278800123456, out), "2026-07-17T09:00:00.123456Z");
    assert_string_equal(timefmt_rfc3339(INT64_MAX, out), "9999-12-31T23:59:59.999999Z");
    assert_string_equal(timefmt_rfc3339(INT64_MIN, out), "0001-01-01T00:00:00.000000Z");
}

static void every_day_is_what_the_c_library_says(void **state)
{
    (void)state;
    for (int32_t day = -40000; day < 100000; day++) {
        time_t t = (time_t)day * 86400;
        struct tm tm;
        char ours[TIMEFMT_DATE_SIZE];
        char theirs[64];
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_not_equal(strftime(theirs, sizeof theirs, "%Y-%m-%d", &tm), 0);
        assert_string_equal(timefmt_date(day, ours), theirs);
        int32_t back = 0;
        assert_ok(timefmt_parse_date(slice_str(ours), &back));
        assert_int_equal(back, day);
        assert_int_equal(timefmt_day_of(day * US_PER_DAY), day);
        assert_int_equal(timefmt_day_of(day * US_PER_DAY - 1), day - 1);
    }
}

static void parse_undoes_format(void **state)
{
    (void)state;
    struct prng prng = {3};
    for (int i = 0; i < 50000; i++) {
        int64_t us = prng_between(&prng, TIMEFMT_US_MIN, TIMEFMT_US_MAX);
        int64_t back = 0;
        char text[TIMEFMT_SIZE];
        assert_ok(timefmt_parse_rfc3339(slice_str(timefmt_rfc3339(us, text)), &back));
        assert_true(us == back);
    }
}

static void offsets_and_short_decimals_are_understood(void **state)
{
    (void)state;
    static const char *const same[] = {
        "2026-07-17T09:00:00.5Z",         "2026-07-17t09:00:00.500z",
        "2026-07-17T14:00:00.5+05:00",    "2026-07-17T05:30:00.5-03:30",
        "2026-07-17T09:00:00.500000999Z", "2026-07-18T00:00:00.5+15:00",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        int64_t us = 0;
        assert_ok(timefmt_parse_rfc3339(slice_str(same[i]), &us));
        assert_true(us == 1784278800500000);
    }
}

static void what_is_not_a_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-07-17",
        "2026-07-17T09:00:00",
        "2026-07-17 09:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-07-17T24:00:00Z",
        "2026-07-17T09:60:00Z",
        "2026-07-17T23:59:60Z",
        "2026-07-17T09:00:00.Z",
        "2026-07-17T09:00:00.1234567890Z",
        "2026-07-17T09:00:00+5:00",
        "2026-07-17T09:00:00+05:60",
        "2026-07-17T09:00:00Zx",
        "+026-07-17T09:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 0;
        assert_code(timefmt_parse_rfc3339(slice_str(bad[i]), &us), ERR_PARSE);
    }
    int64_t us = 0;
    assert_code(timefmt_parse_rfc3339(SLICE("0001-01-01T00:00:00+01:00"), &us), ERR_LIMIT);
    assert_code(timefmt_parse_rfc3339(SLICE("9999-12-31T23:59:59-01:00"), &us), ERR_LIMIT);
    int32_t day = 0;
    assert_ok(timefmt_parse_date(SLICE("2024-02-29"), &day));
    assert_code(timefmt_parse_date(SLICE("2100-02-29"), &day), ERR_PARSE);
    assert_code(timefmt_parse_date(SLICE("2026-07-17Z"), &day), ERR_PARSE);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_realtime_us() > 1700000000LL * US_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_moment_is_written_with_six_decimals),
        cmocka_unit_test(every_day_is_what_the_c_library_says),
        cmocka_unit_test(parse_undoes_format),
        cmocka_unit_test(offsets_and_short_decimals_are_understood),
        cmocka_unit_test(what_is_not_a_time_is_refused),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
