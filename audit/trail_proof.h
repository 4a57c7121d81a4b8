/*
 * trail_proof.h: whether a journal is in the signed log, computed again from its rows (docs/log-format.md): the journal's
 * record, its leaf, its block's root and hash, the block's signature, and the way to a signed tree head.
 */
#ifndef UJRAT_AUDIT_TRAIL_PROOF_H
#define UJRAT_AUDIT_TRAIL_PROOF_H

#include "audit/db.h"
#include "audit/keys.h"
#include "audit/lookup.h"
#include "audit/merkle.h"

#define PROOF_WHY_SIZE 256

enum proof_result {
    PROOF_HOLDS,
    PROOF_NOT_SEALED, /* yet: no seal */
    PROOF_NO_HEAD,    /* the block's seal holds, and no tree head covers it yet */
    PROOF_BROKEN,     /* why says what does not hold */
    PROOF_FAILED,     /* the user was told */
};

struct proof {
    int64_t block_no, leaf_index, leaves;
    hash_t leaf, journal_root, block_hash, root;
    char block_key[KEY_ID_SIZE], head_key[KEY_ID_SIZE], first_key[KEY_ID_SIZE];
    int64_t tree_size;
    char head_at[TIMEFMT_SIZE];
    size_t path;  /* hashes in the inclusion proof */
    bool trusted; /* the book's first key is one of those given */
    char why[PROOF_WHY_SIZE];
};

/* trusted: keys the auditor was given; none: whether to trust the first key stays open. */
enum proof_result proof_check(struct db *db, const struct book *book, int64_t seq,
                              const struct trusted_keys *trusted, struct proof *out);

#endif
