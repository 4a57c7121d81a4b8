/*
 * chain.h: a book's chain of seals as far as it has come, and how it goes on: from a book's blocks and the leaf hashes of
 * their journals to signed seals and the head of the tree they end.
 */
#ifndef UJRAT_SEAL_CHAIN_H
#define UJRAT_SEAL_CHAIN_H

#include "base/log.h"
#include "seal/handed.h"
#include "seal/keyring.h"
#include "seal/reader.h"

struct seal_key_row {
    int64_t from_block;
    char key_id[SEAL_KEY_ID_SIZE];
    unsigned char public_key[SEAL_PUBLIC_KEY_SIZE];
};

struct seal_chain {
    struct seal_book book;
    bool loaded;
    struct seal_tree tree;      /* of the blocks that are sealed */
    seal_hash_t last_hash;      /* of the last of them; zero: none is */
    struct seal_block_row last; /* its row; zero: none */
    struct seal_key_row *keys;  /* by from_block */
    size_t n_keys;
    /* Of what was handed over of this book: */
    unsigned
        until_check; /* so many blocks are believed before the next is computed from rows too */
    int64_t
        checked_for_key; /* from_block of the key that was in force when one last was; 0: none was yet */
};

/* Once for all chains. */
struct seal_bench {
    struct seal_hasher *h;
    struct seal_reader *reader;
    struct params params, seals;
    struct seal_record record;
    struct seal_block_row *blocks;
    seal_hash_t *leaves, *again;
    size_t leaves_size;
    struct seal_handed *handed; /* somebody else's; NULL: nothing is ever handed over */
    struct log *log;
    uint64_t from_handed, checked; /* blocks so far */
};

MUST_CHECK err_t seal_bench_init(struct seal_bench *bench);
void seal_bench_deinit(struct seal_bench *bench);

void seal_chain_deinit(struct seal_chain *chain);

/* Reads keys, last seal and frontier. The last seal is computed again from the rows and compared: SEAL_BROKEN if the
 * chain is not one that we could go on with. */
enum seal_result seal_chain_load(struct seal_chain *chain, struct seal_bench *bench,
                                 struct seal_db *db);

/*
 * Blocks that were handed over are believed, but for the first of a book, the first under another key, and one in
 * SEAL_HANDED_CHECK_EVERY: these are computed from rows too. Should they differ, nothing that was handed over is signed
 * (seal.handed_over_differs): what there is, is dropped, and all is read from rows from then on.
 *
 * Seals blocks that follow, up to block `upto`, as many as one transaction takes; *sealed says how many. *missing: the
 * key that was not in the ring and kept us from more (NULL: none). The chain has to be loaded; after anything but SEAL_OK
 * it is not any more.
 */
enum seal_result seal_chain_advance(struct seal_chain *chain, struct seal_bench *bench,
                                    struct seal_db *db, const struct seal_keyring *ring,
                                    int64_t upto, int64_t now_us, unsigned *sealed,
                                    const struct seal_key_row **missing);

#endif
