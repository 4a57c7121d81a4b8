/*
 * Bytes that wait: appended at the end, taken from the front, in one contiguous block. A queue that
 * is emptied keeps a small block for its next use.
 */
#ifndef UJRAT_NET_BYTE_QUEUE_H
#define UJRAT_NET_BYTE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_queue {
    uint8_t *block;
    size_t start, end, capacity;
};

#define BYTE_QUEUE_KEEP_BYTES ((size_t)2048)

static inline size_t byte_queue_length(const struct byte_queue *queue)
{
    return queue->end - queue->start;
}
/* Never NULL, so that nothing has to be handed on as NULL. */
static inline const uint8_t *byte_queue_front(const struct byte_queue *queue)
{
    return queue->block != NULL ? queue->block + queue->start : (const uint8_t *)"";
}

/* Room for `length` more bytes, to be claimed by byte_queue_commit; NULL: out of memory. */
uint8_t *byte_queue_reserve(struct byte_queue *queue, size_t length);
static inline void byte_queue_commit(struct byte_queue *queue, size_t length)
{
    queue->end += length;
}
bool byte_queue_append(struct byte_queue *queue, const void *bytes, size_t length);
void byte_queue_take(struct byte_queue *queue, size_t length);
/* Empties; a block larger than BYTE_QUEUE_KEEP_BYTES is freed. */
void byte_queue_reset(struct byte_queue *queue);
void byte_queue_deinit(struct byte_queue *queue);

#endif
