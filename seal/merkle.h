/*
 * merkle.h: Merkle trees and their proofs as in RFC 6962 section 2.1, over SHA-256.
 *
 * A complete subtree is a node (level, index): it covers the 2^level leaves from index * 2^level on, leaves counted
 * from 0. A tree that grows is kept as its frontier: the complete subtrees that it is made of, largest first to its
 * left, at most one a level.
 */
#ifndef UJRAT_SEAL_MERKLE_H
#define UJRAT_SEAL_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "seal/record.h"

enum {
    SEAL_LEVELS_MAX = 63,
    SEAL_PROOF_MAX = 64, /* hashes in any proof */
};

/* A context of the crypto library, made once: making one anew costs as much as a short hash. */
struct seal_hasher;

MUST_CHECK err_t seal_hasher_new(struct seal_hasher **out);
void seal_hasher_free(struct seal_hasher **h);

void seal_hash(struct seal_hasher *h, struct slice bytes, seal_hash_t *out);
/* SHA-256(00 || record) of a record that did not fail. */
void seal_hash_leaf(struct seal_hasher *h, const struct seal_record *record, seal_hash_t *out);
void seal_hash_node(struct seal_hasher *h, const seal_hash_t *left, const seal_hash_t *right,
                    seal_hash_t *out);

struct seal_tree {
    uint64_t size;                             /* leaves */
    seal_hash_t frontier[SEAL_LEVELS_MAX + 1]; /* [level] counts where that bit of size is set */
};

/* Adds a leaf. nodes (or NULL; room for SEAL_LEVELS_MAX + 1) gets the complete subtrees that end with it, of 1, 2, 4 ...
 * leaves; their number is returned. */
unsigned seal_tree_append(struct seal_tree *tree, struct seal_hasher *h, const seal_hash_t *leaf,
                          seal_hash_t *nodes);
/* Of a tree with no leaves: SHA-256 of nothing. */
void seal_tree_root(const struct seal_tree *tree, struct seal_hasher *h, seal_hash_t *out);

/* How many complete subtrees end with leaf n (counted from 1), itself among them. */
static inline unsigned seal_nodes_ending(uint64_t n)
{
    return (unsigned)__builtin_ctzll(n) + 1;
}

/*
 * Hands out the node (level, index). In a book's tree it is found in block_seal.nodes of block (index + 1) << level, at
 * place `level`. False: it cannot.
 */
typedef bool seal_node_fn(void *user, unsigned level, uint64_t index, seal_hash_t *out);

struct seal_proof {
    unsigned n;
    seal_hash_t hash[SEAL_PROOF_MAX];
};

/* The frontier of a tree of that size, or its root, from its nodes. */
MUST_CHECK bool seal_tree_load(uint64_t size, seal_node_fn *node, void *user,
                               struct seal_tree *out);
MUST_CHECK bool seal_root_at(struct seal_hasher *h, uint64_t size, seal_node_fn *node, void *user,
                             seal_hash_t *out);

/* RFC 6962 2.1.1: of leaf `index` (from 0) in a tree of `size` leaves. Asserts index < size. */
MUST_CHECK bool seal_prove_inclusion(struct seal_hasher *h, uint64_t index, uint64_t size,
                                     seal_node_fn *node, void *user, struct seal_proof *out);
/* RFC 6962 2.1.2: that the tree of `size` leaves begins with that of `old` ones. Asserts 0 < old <= size. */
MUST_CHECK bool seal_prove_consistency(struct seal_hasher *h, uint64_t old, uint64_t size,
                                       seal_node_fn *node, void *user, struct seal_proof *out);

/* RFC 9162 2.1.3.2 and 2.1.4.2, which say how to check the same proofs. Any input is fine. */
MUST_CHECK bool seal_check_inclusion(struct seal_hasher *h, const seal_hash_t *leaf, uint64_t index,
                                     uint64_t size, const struct seal_proof *proof,
                                     const seal_hash_t *root);
MUST_CHECK bool seal_check_consistency(struct seal_hasher *h, uint64_t old, uint64_t size,
                                       const struct seal_proof *proof, const seal_hash_t *old_root,
                                       const seal_hash_t *root);

#endif
