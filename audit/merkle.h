/*
 * merkle.h: SHA-256 and the Merkle trees of RFC 6962 section 2.1: hashes, a growing tree, proofs.
 *
 * A leaf's hash is SHA-256(00 ‖ data), a node's SHA-256(01 ‖ left ‖ right). What can
 * fail is the library's memory at the beginning (sha256_new), and a proof, which is right or not.
 */
#ifndef UJRAT_AUDIT_MERKLE_H
#define UJRAT_AUDIT_MERKLE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES        32
#define MERKLE_LEVELS_MAX 64 /* more than any tree has */
#define MERKLE_PROOF_MAX  (2 * MERKLE_LEVELS_MAX)

typedef struct {
    unsigned char b[HASH_BYTES];
} hash_t;

static inline bool hash_equal(const hash_t *a, const hash_t *b)
{
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}

/* A hasher that is used again and again. NULL: no memory. */
struct sha256;
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 **sha);

/* For data that comes in parts: begin, add …, end. One at a time. */
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *p, size_t len);
void sha256_end(struct sha256 *sha, hash_t *out);

hash_t sha256_of(struct sha256 *sha, struct slice data);
hash_t merkle_leaf(struct sha256 *sha, struct slice data);
hash_t merkle_node(struct sha256 *sha, const hash_t *left, const hash_t *right);

/* A tree that leaves are appended to: its complete subtrees, the largest first. Zeroed is the empty tree. */
struct merkle {
    uint64_t size;
    hash_t nodes[MERKLE_LEVELS_MAX]; /* one for each bit that is set in size, the highest first */
};

/* How many of merkle.nodes there are. */
static inline size_t merkle_nodes(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

/* Appends a leaf by its hash. completed (or NULL): the hashes of the complete subtrees that it ends, of 1, 2, 4 … leaves;
 * room for MERKLE_LEVELS_MAX. Returns how many those are. */
size_t merkle_append(struct merkle *tree, struct sha256 *sha, const hash_t *leaf,
                     hash_t *completed);

/* The hash of an empty tree is SHA-256 of nothing. */
hash_t merkle_root(const struct merkle *tree, struct sha256 *sha);

/* RFC 6962 sections 2.1.1 and 2.1.2 (as RFC 9162 spells out how to check them). */
bool merkle_inclusion_holds(struct sha256 *sha, const hash_t *leaf, uint64_t index, uint64_t size,
                            const hash_t *proof, size_t n, const hash_t *root);
bool merkle_consistency_holds(struct sha256 *sha, uint64_t old_size, const hash_t *old_root,
                              uint64_t new_size, const hash_t *new_root, const hash_t *proof,
                              size_t n);

/* Makes proofs out of nodes that are kept somewhere. node: the hash of the complete subtree of 2^level leaves that ends
 * with leaf number `last` (from 1); false if there is none. *n: at most MERKLE_PROOF_MAX. */
typedef bool merkle_node_fn(void *context, unsigned level, uint64_t last, hash_t *out);
bool merkle_root_of(struct sha256 *sha, uint64_t size, merkle_node_fn *node, void *context,
                    hash_t *out);
bool merkle_inclusion_proof(struct sha256 *sha, uint64_t index, uint64_t size, merkle_node_fn *node,
                            void *context, hash_t proof[MERKLE_PROOF_MAX], size_t *n);
bool merkle_consistency_proof(struct sha256 *sha, uint64_t old_size, uint64_t new_size,
                              merkle_node_fn *node, void *context, hash_t proof[MERKLE_PROOF_MAX],
                              size_t *n);

#endif
