#include "base/secret_file.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of so many bytes and this mode. */
static void make(char *path, size_t bytes, mode_t mode)
{
    int fd;

    snprintf(path, 64, "%s", "/tmp/ujrat-secret-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_file_that_fits_is_read_whole_with_a_nul_behind(void **state)
{
    char path[64], out[11];
    struct stat seen;
    size_t len;

    (void)state;
    make(path, 10, 0400);
    assert_false(err_failed(secret_file_read(path, out, sizeof out, &len, &seen)));
    assert_int_equal(len, 10);
    assert_string_equal(out, "xxxxxxxxxx");
    assert_int_equal(seen.st_size, 10);
    unlink(path);
}

static void a_file_without_room_for_the_nul_is_refused_and_leaves_nothing(void **state)
{
    static const char zeros[10] = {0};
    char path[64], out[10];
    size_t len;
    err_t err;

    (void)state;
    make(path, 10, 0600);
    err = secret_file_read(path, out, sizeof out, &len, NULL);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(secret_file_fault(err), "it is too long");
    assert_int_equal(len, 0);
    assert_memory_equal(out, zeros, sizeof out);
    unlink(path);
}

static void what_others_may_read_is_refused_whoever_they_are(void **state)
{
    static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0777};
    char path[64], out[64];
    size_t len;
    err_t err;

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        make(path, 3, modes[i]);
        err = secret_file_read(path, out, sizeof out, &len, NULL);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(secret_file_fault(err), "mode 0600"));
        unlink(path);
    }
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    char path[64] = "/tmp/ujrat-secret-XXXXXX", fifo[80], out[64];
    size_t len;
    err_t err;

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(secret_file_read(path, out, sizeof out, &len, NULL).code, ERR_INVALID);
    snprintf(fifo, sizeof fifo, "%s/pipe", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(secret_file_read(fifo, out, sizeof out, &len, NULL).code, ERR_INVALID);
    unlink(fifo);
    rmdir(path);
    err = secret_file_read(path, out, sizeof out, &len, NULL);
    assert_int_equal(err.code, ERR_SYS);
    assert_string_equal(secret_file_fault(err), "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_fits_is_read_whole_with_a_nul_behind),
        cmocka_unit_test(a_file_without_room_for_the_nul_is_refused_and_leaves_nothing),
        cmocka_unit_test(what_others_may_read_is_refused_whoever_they_are),
        cmocka_unit_test(what_is_no_file_is_refused_without_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
