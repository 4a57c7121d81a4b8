/*
 * log_tree.h: where the hashes of proofs over a book's tree come from (seal/merkle.h makes the proofs).
 *
 * Every hash in a proof is made of complete subtrees, of 1, 2, 4 ... blocks, and the ledger keeps each of them with the
 * block it ends with (block_seal.nodes). A proof is therefore made twice: the first time log_nodes_get writes down which
 * subtrees it is asked for and gives nothing of worth, then the ledger is asked for all of them at once, and the second
 * time the proof is good.
 */
#ifndef UJRAT_RPC_LOG_TREE_H
#define UJRAT_RPC_LOG_TREE_H

#include "base/str.h"
#include "seal/merkle.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOG_NODES_MAX = 1024 }; /* of the few proofs of one answer */

struct log_node {
    int64_t end;    /* block_no of its last block */
    unsigned level; /* it has 2^level blocks */
    bool known;
    seal_hash_t hash;
};

struct log_nodes {
    unsigned n;
    bool complete; /* none was asked for since log_nodes_begin that is not known */
    struct log_node node[LOG_NODES_MAX];
};

/* Before the proofs are made, each of the two times. */
void log_nodes_begin(struct log_nodes *nodes);
/* A seal_node_fn; user is the struct log_nodes. */
bool log_nodes_get(void *user, unsigned level, uint64_t index, seal_hash_t *out);
/* Fills in those that end with the block, from its block_seal.nodes. */
void log_nodes_fill(struct log_nodes *nodes, int64_t block_no, struct slice hashes);

/*
 * The audit path of leaf `index` among the hashes of all leaves, and their root: for a block's journals. leaves.len is a
 * multiple of 32 and over index * 32. scratch: as much room as the leaves take.
 */
void log_leaves_inclusion(struct seal_hasher *h, struct slice leaves, int64_t index,
                          seal_hash_t *scratch, struct seal_proof *path, seal_hash_t *root);

#endif
