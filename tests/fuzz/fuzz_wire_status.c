/* google.rpc.Status as a server may send it to our client: nothing it says leads outside the message. */
#include <assert.h>

#include "gateway/wire/status_messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice s, const uint8_t *data, size_t size)
{
    const char *begin = (const char *)data;
    assert(s.len == 0 || (s.p >= begin && s.p + s.len <= begin + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_status status;
    if (!wire_status_decode(slice_of(data, size), &status))
        return 0;
    check_inside(status.message, data, size);
    check_inside(status.reason, data, size);
    check_inside(status.field, data, size);
    assert(status.retry_ms >= -1);
    return 0;
}
