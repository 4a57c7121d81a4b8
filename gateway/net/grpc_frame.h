/*
 * gRPC's length-prefixed messages (one byte of flags, four of length, big-endian), taken out of
 * DATA chunks that fall as they like.
 */
#ifndef UJRAT_NET_GRPC_FRAME_H
#define UJRAT_NET_GRPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/net/byte_queue.h"

#define GRPC_FRAME_PREFIX_BYTES 5

enum grpc_frame_event {
    GRPC_FRAME_NEED_MORE,  /* everything given was taken in */
    GRPC_FRAME_MESSAGE,    /* *message is whole */
    GRPC_FRAME_COMPRESSED, /* the flag is set: not understood here */
    GRPC_FRAME_BAD_FLAG,   /* flags that no version has */
    GRPC_FRAME_TOO_LONG,   /* longer than bytes_max */
    GRPC_FRAME_NO_MEMORY,
};

struct grpc_frame_reader {
    uint8_t prefix[GRPC_FRAME_PREFIX_BYTES];
    uint8_t prefix_have;
    uint32_t length;        /* of the message under way, once the prefix is whole */
    struct byte_queue body; /* only what could not be handed on in place */
};

/*
 * Takes bytes from the front of *bytes (advancing it) until one event happens. On MESSAGE, *message
 * points into the caller's bytes or into the reader, and is valid until the next call or
 * grpc_frame_reset. After any of the four refusals the reader must be reset before more use.
 * Memory grows with what arrives, not with what a prefix promises.
 */
enum grpc_frame_event grpc_frame_next(struct grpc_frame_reader *reader, uint32_t bytes_max,
                                      const uint8_t **bytes, size_t *length,
                                      const uint8_t **message, size_t *message_length);

/* True between messages: nothing begun is unfinished. */
static inline bool grpc_frame_is_clean(const struct grpc_frame_reader *reader)
{
    return reader->prefix_have == 0;
}
/* Bytes of memory it holds. */
static inline size_t grpc_frame_held(const struct grpc_frame_reader *reader)
{
    return reader->body.capacity;
}

void grpc_frame_reset(struct grpc_frame_reader *reader);
void grpc_frame_deinit(struct grpc_frame_reader *reader);

/* Writes the prefix of an uncompressed message. */
static inline void grpc_frame_write_prefix(uint8_t out[GRPC_FRAME_PREFIX_BYTES], uint32_t length)
{
    out[0] = 0;
    out[1] = (uint8_t)(length >> 24);
    out[2] = (uint8_t)(length >> 16);
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)length;
}

#endif
