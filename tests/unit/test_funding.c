#include "domain/funding.h"

#include "domain/rounding.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { BOOKS_MAX = 12 };

static void the_parts_of_a_share_come_to_the_whole_and_none_is_off_by_one(void **state)
{
    (void)state;
    struct prng prng = {3};
    for (int i = 0; i < 50000; i++) {
        const size_t n = (size_t)prng_between(&prng, 1, BOOKS_MAX);
        const int64_t total =
            prng_next(&prng) % 2 == 0 ? prng_between(&prng, 0, 20) : prng_any_positive(&prng);
        int64_t weights[BOOKS_MAX], shares[BOOKS_MAX], came_to = 0;
        int128_t sum = 0;
        for (size_t k = 0; k < n; k++) {
            weights[k] = prng_next(&prng) % 4 == 0 ? 0 : prng_any_positive(&prng);
            sum += weights[k];
        }
        if (sum == 0) {
            assert_false(funding_share_out(total, weights, n, shares));
            continue;
        }
        assert_true(funding_share_out(total, weights, n, shares));
        for (size_t k = 0; k < n; k++) {
            const int64_t floor = (int64_t)((int128_t)total * weights[k] / sum);
            const bool exact = (int128_t)total * weights[k] % sum == 0;
            assert_true(shares[k] == floor || (shares[k] == floor + 1 && !exact));
            came_to += shares[k];
            /* who has a larger remainder is served before */
            for (size_t m = 0; m < n; m++)
                if (shares[k] > floor &&
                    (int128_t)total * weights[m] % sum > (int128_t)total * weights[k] % sum)
                    assert_true(shares[m] > (int64_t)((int128_t)total * weights[m] / sum));
        }
        assert_true(came_to == total);
    }
}

static void a_split_leaves_nothing_over_and_gives_no_book_half_of_it(void **state)
{
    (void)state;
    struct prng prng = {4};
    for (int i = 0; i < 20000; i++) {
        const size_t n = (size_t)prng_between(&prng, 1, BOOKS_MAX);
        struct funding_part parts[BOOKS_MAX];
        const int64_t amount = prng_any_positive(&prng) | 1;
        const int64_t cost =
            prng_next(&prng) % 2 == 0 ? prng_between(&prng, 1, 9) : prng_any_positive(&prng) | 1;
        int64_t amounts = 0, costs = 0;
        bool any = false;
        for (size_t k = 0; k < n; k++) {
            parts[k] = (struct funding_part){
                .weight = prng_next(&prng) % 3 == 0 ? 0 : prng_any_positive(&prng)};
            any = any || parts[k].weight > 0;
        }
        assert_int_equal(funding_split(amount, cost, parts, n), any);
        for (size_t k = 0; any && k < n; k++) {
            assert_true((parts[k].amount > 0) == (parts[k].cost > 0));
            assert_true(parts[k].weight > 0 || parts[k].amount == 0);
            amounts += parts[k].amount;
            costs += parts[k].cost;
        }
        assert_true(!any || (amounts == amount && costs == cost));
    }
}

static void books_share_by_what_they_owe(void **state)
{
    (void)state;
    struct funding_part parts[] = {
        {.weight = 300}, {.weight = 0}, {.weight = 100}, {.weight = 200}};
    assert_true(funding_split(1000, 4, parts, 4));
    assert_int_equal(parts[0].amount, 500);
    assert_int_equal(parts[1].amount, 0);
    assert_int_equal(parts[2].amount, 167); /* 166.67 */
    assert_int_equal(parts[3].amount, 333);
    assert_int_equal(parts[0].cost, 2);
    assert_int_equal(parts[2].cost, 1); /* 0.668 */
    assert_int_equal(parts[3].cost, 1);
    /* one cent for all: whoever owes most */
    assert_true(funding_split(1000, 1, parts, 4));
    assert_int_equal(parts[0].amount, 1000);
    assert_int_equal(parts[0].cost, 1);
    assert_int_equal(parts[3].amount, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_share_come_to_the_whole_and_none_is_off_by_one),
        cmocka_unit_test(a_split_leaves_nothing_over_and_gives_no_book_half_of_it),
        cmocka_unit_test(books_share_by_what_they_owe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
