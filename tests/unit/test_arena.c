#include "base/arena.h"

#include "tests/unit/unit.h"

#include <stdalign.h>

static void pointers_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 4096);
    unsigned char *before = NULL;
    for (size_t size = 0; size < 40; size++) {
        unsigned char *p = arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        memset(p, (int)size, size);
        if (before != NULL && size > 1)
            assert_int_equal(before[0], size - 1);
        before = p;
    }
    arena_deinit(&arena);
}

static void the_cap_is_never_passed(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 1024);
    size_t n = 0;
    while (arena_alloc(&arena, 100) != NULL)
        n++;
    assert_in_range(n, 7, 10);
    assert_true(arena.total_bytes <= 1024);
    assert_null(arena_alloc(&arena, 5000));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(&arena, "x", SIZE_MAX));
    arena_deinit(&arena);
    assert_int_equal(arena.total_bytes, 0);
}

static void a_large_piece_gets_a_chunk_of_its_own(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 4096);
    assert_non_null(arena_alloc(&arena, 3000));
    assert_null(arena_alloc(&arena, 3000));
    assert_non_null(arena_alloc(&arena, 900));
    arena_deinit(&arena);
}

static void reset_keeps_one_ordinary_chunk(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 4096);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++)
            assert_non_null(arena_alloc(&arena, 200));
        assert_non_null(arena_alloc(&arena, 1000));
        arena_reset(&arena);
        assert_int_equal(arena.total_bytes, 256);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_deinit(&arena);
}

static void copies_have_a_nul_behind(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64, 4096);
    assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(&arena, NULL, 0), "");
    struct slice copy;
    assert_true(arena_slice_dup(&arena, SLICE("x\0y"), &copy));
    assert_int_equal(copy.len, 3);
    assert_int_equal(copy.p[3], 0);
    const int *zeros = arena_array(&arena, 10, sizeof *zeros);
    for (int i = 0; i < 10; i++)
        assert_int_equal(zeros[i], 0);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_are_aligned_and_apart),
        cmocka_unit_test(the_cap_is_never_passed),
        cmocka_unit_test(a_large_piece_gets_a_chunk_of_its_own),
        cmocka_unit_test(reset_keeps_one_ordinary_chunk),
        cmocka_unit_test(copies_have_a_nul_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
