/* A file of 15,000 payments is written and read in memory that does not grow with it. Time is printed, not judged. */
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PAYMENTS      15000
#define MEMORY_KB_MAX (64 * 1024) /* of the whole process */

static struct maker made;

static bool to_file(void *user, const char *p, size_t len)
{
    int fd = *(const int *)user;
    return write(fd, p, len) == (ssize_t)len;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_all(int fd, bool bare)
{
    struct iso_writer_options options = {.write = to_file, .user = &fd, .bare = bare};
    struct iso_writer *w = NULL;
    struct iso_refusal refusal;
    struct iso_group group;
    union iso_item item;

    make_plain(&made, ISO_PACS_008);
    group = made.group;
    item = made.items[0];
    group.count = PAYMENTS;
    group.total.minor *= PAYMENTS;
    assert_ok(iso_writer_new(&options, &w));
    assert_true(iso_writer_begin(w, &group, &refusal));
    for (int i = 1; i <= PAYMENTS; i++) {
        char id[36];
        char uetr[ISO_UETR_SIZE];
        (void)snprintf(id, sizeof id, "UJ7-%d", i);
        assert_ok(iso_uetr_make(US_BR, slice_str(id), uetr));
        item.transfer.ids = (struct iso_ids){
            slice_str(id), slice_str(id), slice_str(id), slice_str(uetr), {NULL, 0}};
        assert_true(iso_writer_add(w, &item, &refusal));
    }
    assert_true(iso_writer_end(w, &refusal));
    iso_writer_free(&w);
}

static bool count_item(void *user, const struct iso_group *group, const union iso_item *item,
                       struct iso_refusal *why)
{
    int *n = user;
    char id[36];
    (void)group;
    (void)why;
    (void)snprintf(id, sizeof id, "UJ7-%d", ++*n);
    return slice_equal_str(item->transfer.ids.end_to_end_id, id);
}

static void read_all(int fd, struct iso_schemas *schemas)
{
    int n = 0;
    struct iso_sink sink = {&n, NULL, count_item};
    struct iso_reader_options options = {.schemas = schemas};
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    if (!iso_read(&options, iso_read_fd, &fd, &sink, &refusal))
        fail_msg("%s", iso_refusal_text(&refusal, text));
    assert_int_equal(n, PAYMENTS);
}

static long memory_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void fifteen_thousand_payments_take_bounded_memory(void **state)
{
    const char *folder = xsd_folder();
    struct iso_schemas *schemas = NULL;
    char path[] = "/tmp/ujrat-iso20022-XXXXXX";
    int fd = mkstemp(path);
    double start = seconds();
    double wrote = 0;
    double has_read = 0;
    (void)state;
    assert_true(fd >= 0);
    (void)unlink(path);
    write_all(fd, false);
    wrote = seconds();
    read_all(fd, NULL);
    has_read = seconds();
    if (folder != NULL) {
        assert_ok(iso_schemas_new(folder, &schemas));
        read_all(fd, schemas);
        iso_schemas_free(&schemas);
    }
    printf(
        "# %d payments, %.1f MB: written in %.2f s, read in %.2f s, with the XSD in %.2f s, %ld kB at most\n",
        PAYMENTS, (double)lseek(fd, 0, SEEK_END) / 1e6, wrote - start, has_read - wrote,
        seconds() - has_read, memory_kb());
    (void)close(fd);
#ifndef __SANITIZE_ADDRESS__
    assert_true(memory_kb() < MEMORY_KB_MAX);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifteen_thousand_payments_take_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
