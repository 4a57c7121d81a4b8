/*
 * Lists in CSV come from outside: the first byte says whether it is read as OFAC's or as a national one. Reading ends, a refusal has its
 * reason, and whatever was read can be indexed and its first name found again.
 */
#include "screen/index.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find_again(const struct screen_list *list)
{
    static struct screen_hit hits[SCREEN_HITS_MAX];
    const char *name = "L";
    struct screen_query q = {.name = list->entries[0].names.p[0], .threshold = 1};
    struct screen_index *index = NULL;
    struct screen_search *search = NULL;
    size_t n = 0;

    if (!err_failed(screen_index_new(&list, &name, 1, &index)) &&
        !err_failed(screen_search_new(index, &search)) &&
        !err_failed(screen_search_run(search, &q, hits, &n)))
        for (size_t i = 0; i < n; i++) {
            char why[SCREEN_EXPLAIN_SIZE];

            assert(hits[i].score >= 1 && hits[i].score <= SCREEN_SCORE_MAX);
            assert(i == 0 || hits[i].score <= hits[i - 1].score);
            assert(strlen(screen_explain(search, &hits[i], why)) < sizeof why);
        }
    screen_search_free(&search);
    screen_index_free(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct screen_list list;
    struct screen_fault fault = {0};
    struct slice text = slice_of(data + (size > 0), size - (size > 0));
    bool good;

    screen_list_init(&list);
    good = size > 0 && data[0] == 'o' ? screen_list_read_ofac(&list, text, &fault)
                                      : screen_list_read_csv(&list, text, &fault);
    if (!good || !screen_list_end(&list, &fault))
        assert(fault.reason[0] != '\0');
    else
        find_again(&list);
    screen_list_deinit(&list);
    return 0;
}
