/* The UN's list comes from outside: reading ends, a refusal has its reason, and what was read has ids and names in bounds. */
#include "screen/list.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct screen_list list;
    struct screen_fault fault = {0};

    screen_list_init(&list);
    if (!screen_list_read_un(&list, slice_of(data, size), &fault) ||
        !screen_list_end(&list, &fault))
        assert(fault.reason[0] != '\0');
    else
        for (size_t i = 0; i < list.n; i++) {
            assert(list.entries[i].id.len > 0 && list.entries[i].id.len <= SCREEN_ID_MAX);
            assert(list.entries[i].names.n > 0 && list.entries[i].names.n <= SCREEN_VALUES_MAX);
        }
    screen_list_deinit(&list);
    return 0;
}
