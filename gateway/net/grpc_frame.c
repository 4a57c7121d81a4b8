#include "gateway/net/grpc_frame.h"

#include <string.h>

/* The buffer of a message handed out by the call before: its bytes are done with now. */
static void drop_delivered(struct grpc_frame_reader *reader)
{
    if (reader->prefix_have == 0 && byte_queue_length(&reader->body) > 0)
        byte_queue_reset(&reader->body);
}

static void take(const uint8_t **bytes, size_t *length, size_t count)
{
    *bytes += count;
    *length -= count;
}

static enum grpc_frame_event read_prefix(struct grpc_frame_reader *reader, uint32_t bytes_max,
                                         const uint8_t **bytes, size_t *length)
{
    size_t want = GRPC_FRAME_PREFIX_BYTES - (size_t)reader->prefix_have;
    size_t n = *length < want ? *length : want;
    memcpy(reader->prefix + reader->prefix_have, *bytes, n);
    reader->prefix_have = (uint8_t)(reader->prefix_have + n);
    take(bytes, length, n);
    if (reader->prefix_have < GRPC_FRAME_PREFIX_BYTES)
        return GRPC_FRAME_NEED_MORE;
    const uint8_t *p = reader->prefix;
    if (p[0] > 1)
        return GRPC_FRAME_BAD_FLAG;
    if (p[0] == 1)
        return GRPC_FRAME_COMPRESSED;
    reader->length =
        (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | (uint32_t)p[4];
    return reader->length > bytes_max ? GRPC_FRAME_TOO_LONG : GRPC_FRAME_MESSAGE;
}

enum grpc_frame_event grpc_frame_next(struct grpc_frame_reader *reader, uint32_t bytes_max,
                                      const uint8_t **bytes, size_t *length,
                                      const uint8_t **message, size_t *message_length)
{
    drop_delivered(reader);
    if (reader->prefix_have < GRPC_FRAME_PREFIX_BYTES) {
        enum grpc_frame_event event = read_prefix(reader, bytes_max, bytes, length);
        if (event != GRPC_FRAME_MESSAGE)
            return event;
    }
    size_t have = byte_queue_length(&reader->body);
    size_t want = reader->length - have;
    if (have == 0 && *length >= want) { /* the usual case: whole, and where it lies */
        *message = *bytes;
        *message_length = want;
        take(bytes, length, want);
        reader->prefix_have = 0;
        return GRPC_FRAME_MESSAGE;
    }
    size_t n = *length < want ? *length : want;
    if (!byte_queue_append(&reader->body, *bytes, n))
        return GRPC_FRAME_NO_MEMORY;
    take(bytes, length, n);
    if (n < want)
        return GRPC_FRAME_NEED_MORE;
    *message = byte_queue_front(&reader->body);
    *message_length = reader->length;
    reader->prefix_have = 0;
    return GRPC_FRAME_MESSAGE;
}

void grpc_frame_reset(struct grpc_frame_reader *reader)
{
    reader->prefix_have = 0;
    reader->length = 0;
    byte_queue_reset(&reader->body);
}

void grpc_frame_deinit(struct grpc_frame_reader *reader)
{
    reader->prefix_have = 0;
    byte_queue_deinit(&reader->body);
}
