#include "domain/rounding.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static const enum rounding modes[] = {ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_UP};

/* Looks for the answer instead of computing it. */
static int slow_div(int value, int divisor, enum rounding mode)
{
    int magnitude = value < 0 ? -value : value;
    int down = 0;
    while ((down + 1) * divisor <= magnitude)
        down++;
    int below = magnitude - down * divisor; /* distances to the two neighbours */
    int above = (down + 1) * divisor - magnitude;
    int result = down;
    if (below > 0) {
        if (mode == ROUND_UP || (mode != ROUND_DOWN && above < below))
            result = down + 1;
        else if (above == below &&
                 (mode == ROUND_HALF_UP || (mode == ROUND_HALF_EVEN && down % 2 == 1)))
            result = down + 1;
    }
    return value < 0 ? -result : result;
}

static void small_divisions_are_as_by_hand(void **state)
{
    (void)state;
    for (size_t m = 0; m < 4; m++)
        for (int divisor = 1; divisor <= 24; divisor++)
            for (int value = -300; value <= 300; value++)
                assert_int_equal((int)round_div(value, divisor, modes[m]),
                                 slow_div(value, divisor, modes[m]));
}

static void wide_divisions_keep_the_remainder_in_bounds(void **state)
{
    (void)state;
    struct prng prng = {6};
    for (int i = 0; i < 100000; i++) {
        int128_t value = (int128_t)prng_any(&prng) * prng_any(&prng);
        int128_t divisor = (int128_t)prng_any_positive(&prng) + 1;
        for (size_t m = 0; m < 4; m++) {
            int128_t q = round_div(value, divisor, modes[m]);
            int128_t rest = value - q * divisor;
            int128_t distance = rest < 0 ? -rest : rest;
            assert_true(distance < divisor);
            bool away = distance != 0 && (rest < 0) == (value > 0);
            switch (modes[m]) {
            case ROUND_HALF_EVEN:
                assert_true(2 * distance < divisor || (2 * distance == divisor && q % 2 == 0));
                break;
            case ROUND_HALF_UP:
                assert_true(2 * distance < divisor || (2 * distance == divisor && away));
                break;
            case ROUND_DOWN:
                assert_false(away);
                break;
            case ROUND_UP:
                assert_true(away || distance == 0);
                break;
            }
            assert_true(round_div(-value, divisor, modes[m]) == -q);
        }
    }
}

static void the_narrow_result_refuses_what_does_not_fit(void **state)
{
    (void)state;
    int64_t out = 5;
    assert_true(round_div_int64((int128_t)INT64_MAX * 10 + 4, 10, ROUND_HALF_UP, &out));
    assert_true(out == INT64_MAX);
    out = 5;
    assert_false(round_div_int64((int128_t)INT64_MAX * 10 + 5, 10, ROUND_HALF_UP, &out));
    assert_int_equal(out, 5);
    assert_true(round_div_int64((int128_t)INT64_MIN * 10, 10, ROUND_HALF_UP, &out));
    assert_true(out == INT64_MIN);
    assert_false(round_div_int64((int128_t)INT64_MIN * 10 - 5, 10, ROUND_HALF_UP, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_divisions_are_as_by_hand),
        cmocka_unit_test(wide_divisions_keep_the_remainder_in_bounds),
        cmocka_unit_test(the_narrow_result_refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
