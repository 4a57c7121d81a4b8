#include "gateway/rpc/log_tree.h"

#include <assert.h>
#include <string.h>

void log_nodes_begin(struct log_nodes *nodes)
{
    nodes->complete = true;
}

bool log_nodes_get(void *user, unsigned level, uint64_t index, seal_hash_t *out)
{
    struct log_nodes *nodes = user;
    int64_t end = (int64_t)((index + 1) << level);
    for (unsigned i = 0; i < nodes->n; i++) {
        const struct log_node *node = &nodes->node[i];
        if (node->end != end || node->level != level)
            continue;
        nodes->complete = nodes->complete && node->known;
        *out = node->hash;
        return true;
    }
    nodes->complete = false;
    if (nodes->n < LOG_NODES_MAX) /* over it nothing is ever complete, and the caller says so */
        nodes->node[nodes->n++] = (struct log_node){.end = end, .level = level};
    *out = (seal_hash_t){{0}};
    return true;
}

void log_nodes_fill(struct log_nodes *nodes, int64_t block_no, struct slice hashes)
{
    for (unsigned i = 0; i < nodes->n; i++) {
        struct log_node *node = &nodes->node[i];
        if (node->end != block_no || hashes.len < ((size_t)node->level + 1) * SEAL_HASH_SIZE)
            continue;
        memcpy(node->hash.b, hashes.p + (size_t)node->level * SEAL_HASH_SIZE, SEAL_HASH_SIZE);
        node->known = true;
    }
}

void log_leaves_inclusion(struct seal_hasher *h, struct slice leaves, int64_t index,
                          seal_hash_t *scratch, struct seal_proof *path, seal_hash_t *root)
{
    size_t n = leaves.len / SEAL_HASH_SIZE;
    size_t at = (size_t)index;
    assert(leaves.len % SEAL_HASH_SIZE == 0 && index >= 0 && at < n);
    path->n = 0;
    memcpy(scratch, leaves.p, leaves.len);
    /* Level by level: a hash without a neighbour goes up as it is, which makes the tree of RFC 6962. */
    for (; n > 1; n = (n + 1) / 2, at /= 2) {
        if ((at ^ 1) < n)
            path->hash[path->n++] = scratch[at ^ 1];
        for (size_t i = 0; i + 1 < n; i += 2)
            seal_hash_node(h, &scratch[i], &scratch[i + 1], &scratch[i / 2]);
        if (n % 2 != 0)
            scratch[n / 2] = scratch[n - 1];
    }
    *root = scratch[0];
}
