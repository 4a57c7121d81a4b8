#include "gateway/net/byte_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint8_t *byte_queue_reserve(struct byte_queue *queue, size_t length)
{
    size_t waiting = byte_queue_length(queue);
    assert(queue->block != NULL || waiting == 0);
    if (queue->capacity - queue->end >= length && queue->block != NULL)
        return queue->block + queue->end;
    if (queue->capacity - waiting >= length && queue->start >= waiting && queue->block != NULL) {
        /* Moving is cheaper than growing, and not quadratic: less moves than was taken. */
        memcpy(queue->block, queue->block + queue->start, waiting);
    } else {
        size_t capacity = queue->capacity < 256 ? 256 : queue->capacity;
        while (capacity - waiting < length) {
            if (capacity > SIZE_MAX / 4)
                return NULL;
            capacity *= 2;
        }
        uint8_t *block = malloc(capacity);
        if (block == NULL)
            return NULL;
        if (queue->block != NULL)
            memcpy(block, queue->block + queue->start, waiting);
        free(queue->block);
        queue->block = block;
        queue->capacity = capacity;
    }
    queue->start = 0;
    queue->end = waiting;
    return queue->block + waiting;
}

bool byte_queue_append(struct byte_queue *queue, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    uint8_t *room = byte_queue_reserve(queue, length);
    if (room == NULL)
        return false;
    memcpy(room, bytes, length);
    byte_queue_commit(queue, length);
    return true;
}

void byte_queue_take(struct byte_queue *queue, size_t length)
{
    assert(length <= byte_queue_length(queue));
    queue->start += length;
    if (queue->start == queue->end) {
        queue->start = 0;
        queue->end = 0;
    }
}

void byte_queue_reset(struct byte_queue *queue)
{
    queue->start = 0;
    queue->end = 0;
    if (queue->capacity > BYTE_QUEUE_KEEP_BYTES)
        byte_queue_deinit(queue);
}

void byte_queue_deinit(struct byte_queue *queue)
{
    free(queue->block);
    memset(queue, 0, sizeof *queue);
}
