/*
 * bench_screen [NAMES [ENTRIES]]: names per second against a made-up list (tests/unit/screen_labelled.h), on one core. Half of the names
 * are common ones that no list has, a tenth are of the list, written otherwise, the others are made as the list's names are, and are not in it.
 * Prints JSON.
 */
#include "tests/unit/screen_labelled.h"

#include "base/clock.h"

#include <sys/resource.h>
#include <time.h>

static int64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t number(int argc, char **argv, int at, int64_t otherwise)
{
    int64_t value = otherwise;

    if (argc > at && (err_failed(str_parse_int64(slice_str(argv[at]), &value)) || value <= 0)) {
        fprintf(stderr, "bench_screen: '%s' is no number above zero\n", argv[at]);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static struct screen_hit hits[SCREEN_HITS_MAX];
    int64_t names = number(argc, argv, 1, 50000), entries = number(argc, argv, 2, 20000), begin,
            made, end, n_hits = 0;
    struct screen_list list;
    const struct screen_list *lists = &list;
    const char *list_name = "L";
    struct screen_index *index;
    struct screen_search *search;
    struct screen_index_size size;
    struct prng prng = {99};
    struct rusage usage;
    char(*asked)[LABELLED_NAME] = calloc((size_t)names, sizeof *asked);

    if (asked == NULL)
        return 1;
    labelled_list(7, (size_t)entries, &list);
    for (int64_t i = 0; i < names; i++)
        if (i % 2 == 0)
            labelled_negative(&prng, asked[i]);
        else if (i % 10 == 1)
            (void)labelled_positive(&prng, &list, asked[i]);
        else
            labelled_listed_name(&prng, i % 5 != 0, asked[i]);
    begin = cpu_us();
    if (err_failed(screen_index_new(&lists, &list_name, 1, &index)) ||
        err_failed(screen_search_new(index, &search))) {
        free(asked);
        return 1;
    }
    made = cpu_us();
    for (int64_t i = 0; i < names; i++) {
        struct screen_query q = {.name = slice_str(asked[i]), .threshold = SCREEN_THRESHOLD};
        size_t n;

        if (err_failed(screen_search_run(search, &q, hits, &n)))
            return 1;
        n_hits += (int64_t)n;
    }
    end = cpu_us();
    size = screen_index_size(index);
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "{\"entries\": %zu, \"names\": %zu, \"asked\": %lld, \"hits\": %lld, \"index_ms\": %lld, \"names_per_cpu_s\": %lld, "
        "\"index_bytes\": %zu, \"rss_kb\": %ld}\n",
        size.entries, size.names, (long long)names, (long long)n_hits,
        (long long)(made - begin) / 1000, (long long)(names * 1000000 / (end - made + 1)),
        size.bytes, usage.ru_maxrss);
    screen_search_free(&search);
    screen_index_free(&index);
    screen_list_deinit(&list);
    free(asked);
    return 0;
}
