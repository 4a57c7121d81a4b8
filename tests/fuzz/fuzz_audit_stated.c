/* What banks state, from a file: the decoder reads within what it was given, and says where it is wrong. */
#include "audit/stated.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool each(void *context, const struct stated_row *row)
{
    const struct slice *file = context;
    const struct slice cells[] = {row->account, row->currency, row->balance};

    for (size_t i = 0; i < 3; i++)
        assert(cells[i].len == 0 ||
               (cells[i].p >= file->p && cells[i].p + cells[i].len <= file->p + file->len));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice file = slice_of(data, size);
    struct stated_fault fault;

    if (!stated_read(file, each, &file, &fault))
        assert(fault.what != NULL && fault.line >= 1);
    return 0;
}
