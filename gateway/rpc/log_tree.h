/*
 * log_tree.h: proofs over the tree of a book's blocks (RFC 6962 section 2.1, docs/log-format.md).
 *
 * Every hash a proof has comes of complete subtrees, of 1, 2, 4 ... blocks, and the ledger keeps each of them with the
 * block it ends with (block_seal.nodes). The functions below are therefore called twice: the first time they write down
 * which of them they want, in `nodes`, and return false; once those are filled in they return true with the answer.
 * Blocks are counted from 0 here, so that the tree of n blocks is [0, n).
 */
#ifndef UJRAT_RPC_LOG_TREE_H
#define UJRAT_RPC_LOG_TREE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define LOG_HASH_SIZE 32

enum {
    LOG_LEVELS_MAX = 62, /* a tree has at most 2^62 blocks */
    LOG_NODES_MAX = 512, /* of a few proofs at once */
    LOG_PATH_MAX = 2 * LOG_LEVELS_MAX
};

struct log_node {
    int64_t end; /* block_no of its last block */
    int level;   /* it has 2^level blocks */
    bool known;
    uint8_t hash[LOG_HASH_SIZE];
};

struct log_nodes {
    unsigned n;
    struct log_node node[LOG_NODES_MAX];
};

struct log_path {
    unsigned n;
    uint8_t hash[LOG_PATH_MAX][LOG_HASH_SIZE];
};

/* Fills in those that end with the block, from its block_seal.nodes. */
void log_nodes_fill(struct log_nodes *nodes, int64_t block_no, struct slice hashes);
/* Whether one is still not known: it is not in the ledger, though it should be. */
bool log_nodes_complete(const struct log_nodes *nodes);

/* The root of [0, size), size > 0. */
MUST_CHECK bool log_tree_root(struct log_nodes *nodes, int64_t size, uint8_t root[LOG_HASH_SIZE]);
/* The audit path of block `index` in [0, size), index < size. */
MUST_CHECK bool log_tree_inclusion(struct log_nodes *nodes, int64_t index, int64_t size,
                                   struct log_path *path);
/* 0 < old_size <= size. */
MUST_CHECK bool log_tree_consistency(struct log_nodes *nodes, int64_t old_size, int64_t size,
                                     struct log_path *path);

/*
 * The audit path of leaf `index` among the hashes of all leaves (32 bytes each), and their root. For a block's journals.
 * leaves.len is a multiple of 32 and over index * 32. scratch: as much room as the leaves take.
 */
void log_leaves_inclusion(struct slice leaves, int64_t index, uint8_t *scratch,
                          struct log_path *path, uint8_t root[LOG_HASH_SIZE]);

/* SHA-256 of 00 and the record; of 01 and both. */
void log_leaf_hash(struct slice record, uint8_t out[LOG_HASH_SIZE]);
void log_node_hash(const uint8_t left[LOG_HASH_SIZE], const uint8_t right[LOG_HASH_SIZE],
                   uint8_t out[LOG_HASH_SIZE]);

#endif
