/* unit.h: cmocka with what it needs in front, and slices in checks. */
#ifndef UJRAT_TESTS_UNIT_UNIT_H
#define UJRAT_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_slice(s, text)                                                                      \
    do {                                                                                           \
        struct slice slice_ = (s);                                                                 \
        assert_int_equal(slice_.len, strlen(text));                                                \
        assert_memory_equal(slice_.p == NULL ? "" : slice_.p, (text), slice_.len);                 \
    } while (0)

#define assert_ok(err)       assert_int_equal((err).code, ERR_OK)
#define assert_code(err, ec) assert_int_equal((err).code, (ec))

#endif
