/* What the verifier remembers in files: records by number, what was said twice, and the arithmetic it computes anew. */
#include "audit/once.h"
#include "audit/pages.h"
#include "audit/verify_book.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

/* base/command.h wants to know who complains */
const struct program program = {"test_audit_memory", "", ""};
const struct command commands[] = {{NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL}};

static void pages_are_an_array_however_small_the_cache(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct prng prng = {9};
    uint64_t *expected = calloc(N, sizeof *expected);
    struct pages *pages = NULL;

    assert_ok(pages_open(NULL, 24, 5 * 8192, &pages));
    for (int round = 0; round < 100000; round++) {
        uint64_t i = (uint64_t)prng_between(&prng, 0, N - 1);
        bool change = prng_next(&prng) % 2 == 0;
        uint64_t *record = pages_at(pages, i, change);
        assert_non_null(record);
        assert_int_equal(record[0], expected[i]);
        if (change)
            record[0] = expected[i] = prng_next(&prng);
    }
    assert_ok(pages_sync(pages));
    pages_close(&pages);
    free(expected);
}

static hash_t hash_of(uint64_t n)
{
    struct prng prng = {n};
    hash_t h;

    for (size_t i = 0; i < HASH_BYTES; i += 8) {
        uint64_t v = prng_next(&prng);
        memcpy(h.b + i, &v, 8);
    }
    return h;
}

static void one_that_comes_again_is_found_among_many(void **state)
{
    (void)state;
    enum { N = 3000000 }; /* more than are looked through at once */
    struct once *once = NULL;
    uint64_t first = 0;
    uint64_t again = 0;
    bool found = true;
    hash_t h;

    assert_ok(once_open(NULL, 0, &once));
    for (uint64_t i = 1; i <= N; i++) {
        h = hash_of(i);
        assert_ok(once_add(once, &h, i));
    }
    assert_ok(once_check(once, &found, &first, &again));
    assert_false(found);
    h = hash_of(77);
    assert_ok(once_add(once, &h, N + 5));
    h = hash_of(N - 1);
    assert_ok(once_add(once, &h, N + 1));
    assert_ok(once_check(once, &found, &first, &again));
    assert_true(found);
    assert_int_equal(first, N - 1);
    assert_int_equal(again, N + 1);
    assert_int_equal(once_count(once), N + 2);
    once_close(&once);
}

static bool holds(struct price p)
{
    const char *field = NULL;
    int64_t expected = 0;
    int64_t found = 0;

    return price_holds(&p, &field, &expected, &found);
}

static void prices_round_as_the_page_says(void **state)
{
    (void)state;
    const char *field = NULL;
    int64_t expected = 0;
    int64_t found = 0;
    /* the example of docs/accounting.md */
    struct price p = {100000, 500, 2779612000000, 27657139, 150, 414857, 27242282, 0};

    assert_true(holds(p));
    p.net++;
    assert_false(price_holds(&p, &field, &expected, &found));
    assert_string_equal(field, "net");
    assert_int_equal(expected, 27242282);
    assert_int_equal(found, 27242283);
    /* 1 × 0.5 and 3 × 0.5 go to the even one; 1 × 1.5 too */
    assert_false(holds((struct price){1, 0, 5000000000, 1, 0, 0, 1, 0}));
    assert_true(holds((struct price){3, 0, 5000000000, 2, 0, 0, 2, 0}));
    assert_true(holds((struct price){1, 0, 15000000000, 2, 0, 0, 2, 0}));
    /* digits of the target more, and less, than those of the source */
    assert_true(holds((struct price){100, 0, 18000000000, 18000, 0, 0, 18000, 2}));
    assert_true(holds((struct price){12345, 0, 9000000000000, 1111050, 0, 0, 1111050, -1}));
    /* nothing overflows: what cannot be held is wrong */
    assert_false(holds((struct price){INT64_MAX, 0, INT64_MAX, INT64_MAX, 0, 0, INT64_MAX, 4}));
    assert_false(holds((struct price){INT64_MIN, 0, 1, 1, 0, 0, 1, 0}));
    assert_false(holds((struct price){100, 0, 10000000000, 100, 0, 0, 100, 5}));
    assert_false(holds((struct price){100, 100, 10000000000, 0, 0, 0, 0, 0}));
    assert_false(holds((struct price){100, 0, 10000000000, 100, 10000, 100, 0, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_an_array_however_small_the_cache),
        cmocka_unit_test(one_that_comes_again_is_found_among_many),
        cmocka_unit_test(prices_round_as_the_page_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
