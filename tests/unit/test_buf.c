#include "base/buf.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static void what_goes_in_comes_out_in_order(void **state)
{
    (void)state;
    struct buf buf;
    struct prng prng = {2};
    unsigned char next_in = 0;
    unsigned char next_out = 0;
    buf_init(&buf, 5000);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)prng_between(&prng, 0, 300);
        unsigned char piece[300];
        for (size_t i = 0; i < n; i++)
            piece[i] = (unsigned char)(next_in + i);
        if (!err_failed(buf_append(&buf, piece, n)))
            next_in = (unsigned char)(next_in + n);
        size_t take = (size_t)prng_between(&prng, 0, (int64_t)buf_len(&buf));
        for (size_t i = 0; i < take; i++)
            assert_int_equal(buf_data(&buf)[i], (unsigned char)(next_out + i));
        buf_consume(&buf, take);
        next_out = (unsigned char)(next_out + take);
        assert_true(buf_len(&buf) <= 5000);
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
    buf_consume(&buf, 10);
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

static void numbers_are_big_endian(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_ok(buf_append_u16_be(&buf, 0x0102));
    assert_ok(buf_append_u32_be(&buf, 0x03040506));
    assert_ok(buf_append_u64_be(&buf, 0x0708090a0b0c0d0eU));
    for (size_t i = 0; i < 14; i++)
        assert_int_equal(buf_data(&buf)[i], i + 1);
    buf_release(&buf);
    assert_int_equal(buf_len(&buf), 0);
    assert_null(buf_data(&buf));
    assert_ok(buf_append_str(&buf, "again"));
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(over_the_cap_nothing_is_added),
        cmocka_unit_test(printf_fills_up_to_the_cap_exactly),
        cmocka_unit_test(numbers_are_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
