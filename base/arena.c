#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

#define ALIGNMENT alignof(max_align_t)

void arena_init(struct arena *arena, size_t chunk_bytes, size_t total_bytes_max)
{
    assert(chunk_bytes >= ALIGNMENT && chunk_bytes <= SIZE_MAX / 2 &&
           total_bytes_max <= SIZE_MAX / 2);
    *arena = (struct arena){.chunk_bytes = chunk_bytes, .total_bytes_max = total_bytes_max};
}

void arena_deinit(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->total_bytes = 0;
    arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *keep = NULL;
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        if (keep == NULL && chunk->size <= arena->chunk_bytes)
            keep = chunk;
        else
            free(chunk);
    }
    if (keep != NULL) {
        keep->next = NULL;
        keep->used = 0;
    }
    arena->chunks = keep;
    arena->total_bytes = keep == NULL ? 0 : keep->size;
    arena->used_bytes = 0;
}

/* A chunk with room for `size`: an ordinary one, cut down to what the cap leaves, or one just for it. */
static struct arena_chunk *add_chunk(struct arena *arena, size_t size)
{
    size_t left = arena->total_bytes_max - arena->total_bytes;
    size_t chunk_size = size > arena->chunk_bytes ? size : arena->chunk_bytes;
    if (chunk_size > left)
        chunk_size = left;
    if (chunk_size < size)
        return NULL;
    struct arena_chunk *chunk = malloc(sizeof *chunk + chunk_size);
    if (chunk == NULL)
        return NULL;
    chunk->size = chunk_size;
    chunk->used = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->total_bytes += chunk_size;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->total_bytes_max)
        return NULL;
    size_t padded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < padded)
        chunk = add_chunk(arena, padded == 0 ? ALIGNMENT : padded);
    if (chunk == NULL)
        return NULL;
    void *p = chunk->data + chunk->used;
    chunk->used += padded;
    arena->used_bytes += padded;
    return p;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *p = arena_alloc(arena, total);
    if (p != NULL && total > 0)
        memset(p, 0, total);
    return p;
}

char *arena_strndup(struct arena *arena, const char *p, size_t len)
{
    char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}

bool arena_slice_dup(struct arena *arena, struct slice s, struct slice *out)
{
    const char *copy = arena_strndup(arena, s.p, s.len);
    if (copy == NULL)
        return false;
    *out = slice_of(copy, s.len);
    return true;
}
