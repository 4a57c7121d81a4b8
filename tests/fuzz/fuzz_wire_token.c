/* Page and resume tokens: what is taken is, written again, the same text. */
#include <assert.h>

#include "gateway/rpc/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_call call = {.ctx = NULL};
    struct slice text = slice_of(data, size);
    struct rpc_token token = {.kind = 'b', .scope = 1};
    if (!rpc_token_decode(text, &token) || size == 0)
        return 0;
    arena_init(&call.arena, 256, 4096);
    assert(slice_compare(rpc_token_encode(&call, &token), text) == 0);
    arena_deinit(&call.arena);
    return 0;
}
