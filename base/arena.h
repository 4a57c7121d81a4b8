/*
 * arena.h: a bump arena. Memory of one request, one message, one batch: taken piecemeal, given back at once.
 *
 * Bounded: an arena never holds more than total_bytes_max; over it, arena_alloc() returns NULL, and the
 * caller answers "too large" (ERR_LIMIT). Not for use by two threads at once.
 */
#ifndef UJRAT_BASE_ARENA_H
#define UJRAT_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t chunk_bytes;         /* size of an ordinary chunk */
    size_t total_bytes_max;     /* cap on the sum of all chunks */
    size_t total_bytes;         /* sum of all chunks now */
    size_t used_bytes;          /* handed out since the last reset, padding included */
};

/* Takes no memory before the first arena_alloc(). */
void arena_init(struct arena *arena, size_t chunk_bytes, size_t total_bytes_max);
void arena_deinit(struct arena *arena);

/* Everything taken becomes invalid. One ordinary chunk is kept for the next user, the rest is freed. */
void arena_reset(struct arena *arena);

/* Aligned for any type, not zeroed. NULL if the cap is reached or malloc fails. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc));

/* count × size, zeroed; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc));

/* A copy with a NUL behind; a NUL inside is copied as it is. */
char *arena_strndup(struct arena *arena, const char *p, size_t len) __attribute__((malloc));

/* A copy of s (NUL behind). False if there is no room. */
MUST_CHECK bool arena_slice_dup(struct arena *arena, struct slice s, struct slice *out);

#endif
