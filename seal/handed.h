/*
 * handed.h: the blocks that were handed over (seal/handover.h) and are not sealed yet, and how far they are believed.
 *
 * Bounded in bytes and in number; the oldest goes first. What goes is read from rows.
 */
#ifndef UJRAT_SEAL_HANDED_H
#define UJRAT_SEAL_HANDED_H

#include "base/err.h"
#include "seal/handover.h"
#include "seal/reader.h"

enum {
    SEAL_HANDED_BYTES_MAX = 64 << 20,
    SEAL_HANDED_BLOCKS_MAX = 1 << 16,
    SEAL_HANDED_CHECK_EVERY = 64, /* of so many blocks one is computed from rows too, on average */
};

struct seal_handed;

MUST_CHECK err_t seal_handed_new(size_t bytes_max, struct seal_handed **out);
void seal_handed_free(struct seal_handed **handed);

/* Keeps a copy. A block that is there already stays as it is; what is no message is passed over. */
void seal_handed_put(struct seal_handed *handed, struct slice message);

/* The message of exactly that block, taken out; p NULL: there is none. free() it. */
struct slice seal_handed_take(struct seal_handed *handed, int32_t book_id,
                              const struct seal_block_row *block);

bool seal_handed_has(struct seal_handed *handed, int32_t book_id, int64_t block_no);

/* Drops the blocks of which the function says so. */
typedef bool seal_handed_useless(void *user, int32_t book_id, int64_t block_no);
void seal_handed_sweep(struct seal_handed *handed, seal_handed_useless *useless, void *user);

/* Something was not as the rows have it: nothing is believed, or kept, for the rest of its life. */
void seal_handed_distrust(struct seal_handed *handed);
bool seal_handed_is_trusted(const struct seal_handed *handed);

/* After how many more blocks to look next: 0 or more, and nobody outside can tell. */
unsigned seal_handed_next_check(struct seal_handed *handed);

size_t seal_handed_blocks(const struct seal_handed *handed);
size_t seal_handed_bytes(const struct seal_handed *handed);

#endif
