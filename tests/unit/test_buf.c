#include "base/buf.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static void what_goes_in_comes_out_in_order(void **state)
{
    (void)state;
    struct buf buf;
    struct prng prng = {2};
    buf_init(&buf, 5000);
    for (int round = 0; round < 200; round++) {
        size_t expected = 0;
        for (int i = 0; i < 40; i++) {
            size_t n = (size_t)prng_between(&prng, 0, 300);
            unsigned char piece[300];
            for (size_t k = 0; k < n; k++)
                piece[k] = (unsigned char)(expected + k);
            if (!err_failed(buf_append(&buf, piece, n)))
                expected += n;
            assert_int_equal(buf_len(&buf), expected);
            assert_true(expected <= 5000);
        }
        for (size_t i = 0; i < expected; i++)
            assert_int_equal(buf_data(&buf)[i], (unsigned char)i);
        buf_reset(&buf);
    }
    buf_deinit(&buf);
}

static void over_the_cap_nothing_is_added(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_ok(buf_append(&buf, "0123456", 7));
    assert_code(buf_append(&buf, "789a", 4), ERR_LIMIT);
    assert_slice(buf_slice(&buf), "0123456");
    assert_ok(buf_append(&buf, "789", 3));
    assert_code(buf_append_char(&buf, 'x'), ERR_LIMIT);
    unsigned char *room = NULL;
    assert_code(buf_reserve(&buf, SIZE_MAX, &room), ERR_LIMIT);
    buf_reset(&buf);
    assert_ok(buf_append_char(&buf, 'x'));
    assert_slice(buf_slice(&buf), "x");
    buf_deinit(&buf);
}

static void printf_fills_up_to_the_cap_exactly(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 6);
    assert_ok(buf_printf(&buf, "%d-%s", 12, "abc"));
    assert_slice(buf_slice(&buf), "12-abc");
    assert_code(buf_printf(&buf, "%s", "x"), ERR_LIMIT);
    assert_int_equal(buf.bytes_max, 6);
    buf_reset(&buf);
    assert_code(buf_printf(&buf, "%s", "1234567"), ERR_LIMIT);
    assert_int_equal(buf_len(&buf), 0);
    buf_deinit(&buf);
}

static void released_it_can_be_used_again(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_ok(buf_append_char(&buf, 'x'));
    buf_release(&buf);
    assert_int_equal(buf_len(&buf), 0);
    assert_null(buf_data(&buf));
    assert_ok(buf_append(&buf, "again", 5));
    assert_slice(buf_slice(&buf), "again");
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(over_the_cap_nothing_is_added),
        cmocka_unit_test(printf_fills_up_to_the_cap_exactly),
        cmocka_unit_test(released_it_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
