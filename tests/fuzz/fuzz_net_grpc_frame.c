/*
 * gRPC message de-framing: however the bytes are cut into chunks, the same messages come out, no
 * memory beyond the bound is held, and what is refused stays refused.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_frame.h"

#define MESSAGE_BYTES_MAX 300U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t messages, bytes;
    uint32_t sum;
    enum grpc_frame_event end;
};

static void note(struct seen *seen, const uint8_t *message, size_t length)
{
    assert(length <= MESSAGE_BYTES_MAX);
    seen->messages++;
    seen->bytes += length;
    for (size_t i = 0; i < length; i++)
        seen->sum = seen->sum * 31 + message[i];
}

static struct seen read_in_chunks(const uint8_t *data, size_t size, size_t chunk_max)
{
    struct grpc_frame_reader reader = {0};
    struct seen seen = {.end = GRPC_FRAME_NEED_MORE};
    for (size_t at = 0; at < size && seen.end == GRPC_FRAME_NEED_MORE;) {
        size_t left = size - at < chunk_max ? size - at : chunk_max;
        /* a copy, so that a byte too far is seen */
        uint8_t *copy = malloc(left);
        assert(copy != NULL);
        memcpy(copy, data + at, left);
        at += left;
        const uint8_t *chunk = copy;
        while (left > 0) {
            const uint8_t *message;
            size_t length;
            enum grpc_frame_event event =
                grpc_frame_next(&reader, MESSAGE_BYTES_MAX, &chunk, &left, &message, &length);
            if (event == GRPC_FRAME_MESSAGE) {
                note(&seen, message, length);
                continue;
            }
            seen.end = event;
            assert(event != GRPC_FRAME_NEED_MORE || left == 0);
            if (event != GRPC_FRAME_NEED_MORE)
                break;
        }
        assert(grpc_frame_held(&reader) <= 4 * (size_t)MESSAGE_BYTES_MAX);
        free(copy);
    }
    grpc_frame_deinit(&reader);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2048)
        return 0;
    size_t chunk_max = (size_t)data[0] + 1;
    struct seen whole = read_in_chunks(data + 1, size - 1, SIZE_MAX);
    struct seen cut = read_in_chunks(data + 1, size - 1, chunk_max);
    struct seen bytes = read_in_chunks(data + 1, size - 1, 1);
    assert(whole.messages == cut.messages && whole.bytes == cut.bytes && whole.sum == cut.sum);
    assert(whole.messages == bytes.messages && whole.sum == bytes.sum && whole.end == bytes.end);
    return 0;
}
