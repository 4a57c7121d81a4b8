#include "domain/calendar.h"

#include "base/clock.h"
#include "base/timefmt.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <string.h>

#define HOUR_US (3600 * US_PER_SEC)

static int64_t at(const char *text)
{
    int64_t us = 0;
    assert_ok(timefmt_parse_rfc3339(slice_str(text), &us));
    return us;
}

static int32_t day(const char *text)
{
    int32_t days = 0;
    assert_ok(timefmt_parse_date(slice_str(text), &days));
    return days;
}

static struct cutoff_plan plan_of(const int32_t *ordinary, size_t n, const int32_t *ramadan,
                                  size_t m)
{
    struct cutoff_plan plan = {0};
    for (size_t i = 0; i < n; i++)
        assert_true(cutoffs_add(&plan.ordinary, ordinary[i]));
    for (size_t i = 0; i < m; i++)
        assert_true(cutoffs_add(&plan.ramadan, ramadan[i]));
    return plan;
}

/* 11:00 and 15:00; in Ramadan 10:30. */
static struct cutoff_plan usual(void)
{
    return plan_of((const int32_t[]){39600, 54000}, 2, (const int32_t[]){37800}, 1);
}

static void assert_next(const struct calendar *c, const char *after, const char *expected)
{
    struct cutoff_plan plan = usual();
    int64_t got = 0;
    char text[TIMEFMT_SIZE];
    assert_true(calendar_next_cutoff(c, &plan, at(after), &got));
    assert_string_equal(timefmt_rfc3339(got, text), expected);
}

static const struct calendar plain = {NULL, 0};

static void a_cut_off_is_the_next_of_a_working_day_in_pakistan(void **state)
{
    (void)state;
    /* 2026-07-17 is a Friday; 11:00 in Karachi is 06:00 UTC. */
    assert_next(&plain, "2026-07-17T05:59:59.999999Z", "2026-07-17T06:00:00.000000Z");
    assert_next(&plain, "2026-07-17T06:00:00Z", "2026-07-17T10:00:00.000000Z");
    assert_next(&plain, "2026-07-17T10:00:00Z", "2026-07-20T06:00:00.000000Z");
    assert_next(&plain, "2026-07-18T20:00:00Z", "2026-07-20T06:00:00.000000Z");
    assert_next(&plain, "2026-07-16T19:30:00Z",
                "2026-07-17T06:00:00.000000Z"); /* Friday there already */
}

static void holidays_ramadan_and_working_saturdays_are_data(void **state)
{
    (void)state;
    const struct calendar_day days[] = {{day("2026-03-09"), CALENDAR_RAMADAN},
                                        {day("2026-03-14"), CALENDAR_RAMADAN}, /* a Saturday */
                                        {day("2026-03-20"), CALENDAR_HOLIDAY},
                                        {day("2026-03-21"), CALENDAR_WORKING},
                                        {day("2026-03-23"), CALENDAR_HOLIDAY}};
    struct calendar c = {days, 5};
    assert_next(&c, "2026-03-08T22:00:00Z", "2026-03-09T05:30:00.000000Z");
    assert_next(&c, "2026-03-09T05:30:00Z", "2026-03-10T06:00:00.000000Z");
    assert_next(&c, "2026-03-13T12:00:00Z", "2026-03-16T06:00:00.000000Z");
    assert_next(&c, "2026-03-19T12:00:00Z", "2026-03-21T06:00:00.000000Z");
    assert_next(&c, "2026-03-21T12:00:00Z", "2026-03-24T06:00:00.000000Z");
    /* Announced the evening before: the same moment has another answer from then on. */
    struct calendar before = {days, 2};
    assert_next(&before, "2026-03-19T12:00:00Z", "2026-03-20T06:00:00.000000Z");
}

static void deadlines_count_working_time_only(void **state)
{
    (void)state;
    int64_t out = 0;
    int64_t friday = at("2026-07-17T15:00:00Z"); /* 20:00 there */
    assert_true(calendar_add_working(&plain, friday, 4 * HOUR_US, &out));
    assert_int_equal(out, at("2026-07-17T19:00:00Z")); /* midnight */
    assert_true(calendar_add_working(&plain, friday, 4 * HOUR_US + 1, &out));
    assert_int_equal(out, at("2026-07-19T19:00:00Z") + 1); /* Monday's */
    assert_true(calendar_add_working(&plain, friday, 28 * HOUR_US, &out));
    assert_int_equal(out, at("2026-07-20T19:00:00Z"));
    const struct calendar_day monday = {day("2026-07-20"), CALENDAR_HOLIDAY};
    struct calendar c = {&monday, 1};
    assert_true(calendar_add_working(&c, friday, 28 * HOUR_US, &out));
    assert_int_equal(out, at("2026-07-21T19:00:00Z"));
    assert_int_equal(calendar_working_us(&c, friday, at("2026-07-21T15:00:00Z")), 24 * HOUR_US);
    assert_true(calendar_subtract_working(&c, at("2026-07-21T15:00:00Z"), 24 * HOUR_US, &out));
    assert_int_equal(out, friday);
}

static void when_banks_are_closed_for_ever_there_is_no_cut_off(void **state)
{
    (void)state;
    static struct calendar_day days[2 * CALENDAR_DAYS_MAX + 3];
    struct calendar c = {days, sizeof days / sizeof days[0]};
    struct cutoff_plan plan = usual(), none = {0};
    int32_t today = day("2026-07-17");
    int64_t now = calendar_day_start(today) + HOUR_US, out = 42;
    for (size_t i = 0; i < c.n; i++)
        days[i] =
            (struct calendar_day){today - CALENDAR_DAYS_MAX - 1 + (int32_t)i, CALENDAR_HOLIDAY};
    assert_false(calendar_next_cutoff(&c, &plan, now, &out));
    assert_false(calendar_next_cutoff(&plain, &none, now, &out));
    assert_false(calendar_add_working(&c, now, 1, &out));
    assert_false(calendar_subtract_working(&c, now, 1, &out));
    assert_int_equal(out, 42);
}

static void cut_offs_rise(void **state)
{
    (void)state;
    struct cutoffs c = {0};
    assert_false(cutoffs_add(&c, -1));
    assert_false(cutoffs_add(&c, 86400));
    assert_true(cutoffs_add(&c, 0));
    assert_false(cutoffs_add(&c, 0));
    for (int32_t i = 1; i < CALENDAR_CUTOFFS_MAX; i++)
        assert_true(cutoffs_add(&c, i));
    assert_false(cutoffs_add(&c, 80000));
}

/* ---------------------------------------------------------------- properties */

struct any {
    struct calendar_day days[60];
    struct calendar calendar;
    struct cutoff_plan plan;
};

static void any_cutoffs(struct prng *p, struct cutoffs *c)
{
    int32_t second = (int32_t)prng_between(p, 0, 40000);
    do {
        assert_true(cutoffs_add(c, second));
        second += (int32_t)prng_between(p, 1, 20000);
    } while (second < 86400 && prng_next(p) % 3 != 0);
}

static void any_calendar(struct prng *p, struct any *a)
{
    *a = (struct any){.calendar = {a->days, 0}};
    int32_t d = day("2026-01-01");
    a->calendar.days = a->days;
    for (size_t i = 0; i < sizeof a->days / sizeof a->days[0]; i++) {
        d += (int32_t)prng_between(p, 1, 8);
        a->days[a->calendar.n++] =
            (struct calendar_day){d, (enum calendar_kind)prng_between(p, 1, 3)};
    }
    any_cutoffs(p, &a->plan.ordinary);
    any_cutoffs(p, &a->plan.ramadan);
}

static int64_t any_moment(struct prng *p)
{
    int64_t us = calendar_day_start((int32_t)prng_between(p, 20454, 20800)) +
                 prng_between(p, 0, US_PER_DAY - 1);
    return prng_next(p) % 4 == 0 ? us / (HOUR_US)*HOUR_US : us;
}

/* Every cut-off of every day, one after the other: what the next one is by looking at all. */
static bool first_after(const struct any *a, int64_t after, int64_t *out)
{
    for (int32_t d = 20440; d < 20900; d++) {
        enum calendar_kind kind = 0;
        for (size_t i = 0; i < a->calendar.n; i++)
            if (a->days[i].day == d)
                kind = a->days[i].kind;
        bool weekend = (d + 3) % 7 >= 5;
        if (kind == CALENDAR_HOLIDAY || (weekend && kind != CALENDAR_WORKING))
            continue;
        const struct cutoffs *c = kind == CALENDAR_RAMADAN ? &a->plan.ramadan : &a->plan.ordinary;
        for (size_t i = 0; i < c->n; i++) {
            *out = d * US_PER_DAY + c->at[i] * US_PER_SEC - 5 * HOUR_US;
            if (*out > after)
                return true;
        }
    }
    return false;
}

static void the_next_cut_off_is_the_first_of_all_and_never_on_a_holiday(void **state)
{
    (void)state;
    struct prng p = {1};
    struct any a;
    for (int round = 0; round < 300; round++) {
        any_calendar(&p, &a);
        for (int i = 0; i < 10; i++) {
            int64_t t = any_moment(&p), u = any_moment(&p), next = 0, other = 0, expected = 0;
            assert_true(calendar_next_cutoff(&a.calendar, &a.plan, t, &next));
            assert_true(first_after(&a, t, &expected));
            assert_int_equal(next, expected);
            assert_true(next > t);
            assert_true(calendar_is_working(&a.calendar, calendar_day_of(next)));
            /* Monotone: a later moment has no earlier cut-off. */
            assert_true(calendar_next_cutoff(&a.calendar, &a.plan, u, &other));
            assert_true(t <= u ? next <= other : next >= other);
            /* Nothing lies between. */
            assert_true(calendar_next_cutoff(&a.calendar, &a.plan, next - 1, &other));
            assert_int_equal(other, next);
        }
    }
}

static void working_time_adds_up_and_deadlines_are_its_inverse(void **state)
{
    (void)state;
    struct prng p = {2};
    struct any a;
    for (int round = 0; round < 300; round++) {
        any_calendar(&p, &a);
        const struct calendar *c = &a.calendar;
        for (int i = 0; i < 10; i++) {
            int64_t t = any_moment(&p), u = any_moment(&p), v = any_moment(&p), out = 0;
            int64_t x = t < u ? t : u, y = t < u ? u : t;
            int64_t middle = v < x ? x : v > y ? y : v;
            int64_t worked = calendar_working_us(c, x, y);
            assert_true(worked >= 0 && worked <= y - x);
            assert_int_equal(worked,
                             calendar_working_us(c, x, middle) + calendar_working_us(c, middle, y));
            assert_int_equal(calendar_working_us(c, y, x), 0);
            assert_true(calendar_add_working(c, x, worked, &out));
            assert_true(out <= y);
            assert_int_equal(calendar_working_us(c, x, out), worked);
            assert_true(calendar_subtract_working(c, y, worked, &out));
            assert_true(out >= x);
            assert_int_equal(calendar_working_us(c, out, y), worked);
        }
    }
}

static void a_holiday_that_is_announced_only_moves_deadlines_back(void **state)
{
    (void)state;
    struct prng p = {3};
    struct any a;
    for (int round = 0; round < 2000; round++) {
        any_calendar(&p, &a);
        int64_t t = any_moment(&p), work = prng_between(&p, 0, 20 * US_PER_DAY), before, after;
        int64_t cut_before, cut_after;
        assert_true(calendar_add_working(&a.calendar, t, work, &before));
        assert_true(calendar_next_cutoff(&a.calendar, &a.plan, t, &cut_before));
        a.days[prng_between(&p, 0, 59)].kind = CALENDAR_HOLIDAY;
        assert_true(calendar_add_working(&a.calendar, t, work, &after));
        assert_true(calendar_next_cutoff(&a.calendar, &a.plan, t, &cut_after));
        assert_true(after >= before);
        assert_true(cut_after >= cut_before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_off_is_the_next_of_a_working_day_in_pakistan),
        cmocka_unit_test(holidays_ramadan_and_working_saturdays_are_data),
        cmocka_unit_test(deadlines_count_working_time_only),
        cmocka_unit_test(when_banks_are_closed_for_ever_there_is_no_cut_off),
        cmocka_unit_test(cut_offs_rise),
        cmocka_unit_test(the_next_cut_off_is_the_first_of_all_and_never_on_a_holiday),
        cmocka_unit_test(working_time_adds_up_and_deadlines_are_its_inverse),
        cmocka_unit_test(a_holiday_that_is_announced_only_moves_deadlines_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
