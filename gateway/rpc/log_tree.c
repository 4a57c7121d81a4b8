#include "gateway/rpc/log_tree.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* SHA-256 over a few bytes cannot fail but for want of memory. */
static void sha256(uint8_t prefix, const void *a, size_t a_len, const void *b, size_t b_len,
                   uint8_t out[LOG_HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned len = 0;
    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, &prefix, 1) != 1 || EVP_DigestUpdate(ctx, a, a_len) != 1 ||
        EVP_DigestUpdate(ctx, b, b_len) != 1 || EVP_DigestFinal_ex(ctx, out, &len) != 1 ||
        len != LOG_HASH_SIZE)
        abort();
    EVP_MD_CTX_free(ctx);
}

void log_leaf_hash(struct slice record, uint8_t out[LOG_HASH_SIZE])
{
    sha256(0, record.p, record.len, "", 0, out);
}

void log_node_hash(const uint8_t left[LOG_HASH_SIZE], const uint8_t right[LOG_HASH_SIZE],
                   uint8_t out[LOG_HASH_SIZE])
{
    sha256(1, left, LOG_HASH_SIZE, right, LOG_HASH_SIZE, out);
}

/* ---------------------------------------------------------------- nodes */

void log_nodes_fill(struct log_nodes *nodes, int64_t block_no, struct slice hashes)
{
    for (unsigned i = 0; i < nodes->n; i++) {
        struct log_node *node = &nodes->node[i];
        if (node->end != block_no || hashes.len < ((size_t)node->level + 1) * LOG_HASH_SIZE)
            continue;
        memcpy(node->hash, hashes.p + (size_t)node->level * LOG_HASH_SIZE, LOG_HASH_SIZE);
        node->known = true;
    }
}

bool log_nodes_complete(const struct log_nodes *nodes)
{
    for (unsigned i = 0; i < nodes->n; i++)
        if (!nodes->node[i].known)
            return false;
    return true;
}

/* NULL: not known yet; it is then on the list. */
static const uint8_t *node_of(struct log_nodes *nodes, int level, int64_t end)
{
    for (unsigned i = 0; i < nodes->n; i++)
        if (nodes->node[i].end == end && nodes->node[i].level == level)
            return nodes->node[i].known ? nodes->node[i].hash : NULL;
    if (nodes->n < LOG_NODES_MAX) /* over it nothing is ever complete, and the caller says so */
        nodes->node[nodes->n++] = (struct log_node){.end = end, .level = level};
    return NULL;
}

static int level_of(int64_t size)
{
    return 63 - __builtin_clzll((unsigned long long)size);
}

/* Where RFC 6962 splits a tree of n > 1 leaves: the largest power of two below n. */
static int64_t split_of(int64_t n)
{
    return (int64_t)1 << level_of(n - 1);
}

/* The hash of [begin, end), whose begin is one at which a subtree of its size may stand. */
static bool range_hash(struct log_nodes *nodes, int64_t begin, int64_t end,
                       uint8_t out[LOG_HASH_SIZE])
{
    const uint8_t *part[LOG_LEVELS_MAX];
    unsigned n = 0;
    bool known = true;
    /* Complete subtrees, larger ones first, which is how RFC 6962 splits it. */
    while (begin < end) {
        int64_t size = (int64_t)1 << level_of(end - begin);
        assert(n < LOG_LEVELS_MAX);
        part[n] = node_of(nodes, level_of(size), begin + size);
        known = part[n] != NULL && known;
        begin += size;
        n++;
    }
    if (!known)
        return false;
    memcpy(out, part[n - 1], LOG_HASH_SIZE);
    for (unsigned i = n - 1; i-- > 0;)
        log_node_hash(part[i], out, out);
    return true;
}

bool log_tree_root(struct log_nodes *nodes, int64_t size, uint8_t root[LOG_HASH_SIZE])
{
    assert(size > 0);
    return range_hash(nodes, 0, size, root);
}

/* ---------------------------------------------------------------- paths */

/* The way down to a leaf comes from the root, the path begins at the leaf. */
static void turn_round(struct log_path *path)
{
    uint8_t hash[LOG_HASH_SIZE];
    for (unsigned i = 0; i < path->n / 2; i++) {
        memcpy(hash, path->hash[i], LOG_HASH_SIZE);
        memcpy(path->hash[i], path->hash[path->n - 1 - i], LOG_HASH_SIZE);
        memcpy(path->hash[path->n - 1 - i], hash, LOG_HASH_SIZE);
    }
}

static bool add_range(struct log_nodes *nodes, int64_t begin, int64_t end, struct log_path *path)
{
    assert(path->n < LOG_PATH_MAX);
    return range_hash(nodes, begin, end, path->hash[path->n++]);
}

bool log_tree_inclusion(struct log_nodes *nodes, int64_t index, int64_t size, struct log_path *path)
{
    int64_t begin = 0, end = size;
    bool known = true;
    assert(index >= 0 && index < size);
    path->n = 0;
    while (end - begin > 1) {
        int64_t middle = begin + split_of(end - begin);
        if (index < middle) {
            known = add_range(nodes, middle, end, path) && known;
            end = middle;
        } else {
            known = add_range(nodes, begin, middle, path) && known;
            begin = middle;
        }
    }
    turn_round(path);
    return known;
}

bool log_tree_consistency(struct log_nodes *nodes, int64_t old_size, int64_t size,
                          struct log_path *path)
{
    int64_t begin = 0, end = size;
    bool known = true;
    assert(old_size > 0 && old_size <= size);
    path->n = 0;
    while (old_size != end) {
        int64_t middle = begin + split_of(end - begin);
        if (old_size <= middle) {
            known = add_range(nodes, middle, end, path) && known;
            end = middle;
        } else {
            known = add_range(nodes, begin, middle, path) && known;
            begin = middle;
        }
    }
    if (begin > 0) /* else it is the old root itself, which whoever asks has */
        known = add_range(nodes, begin, end, path) && known;
    turn_round(path);
    return known;
}

void log_leaves_inclusion(struct slice leaves, int64_t index, uint8_t *scratch,
                          struct log_path *path, uint8_t root[LOG_HASH_SIZE])
{
    size_t n = leaves.len / LOG_HASH_SIZE;
    size_t at = (size_t)index;
    assert(leaves.len % LOG_HASH_SIZE == 0 && index >= 0 && at < n);
    path->n = 0;
    memcpy(scratch, leaves.p, leaves.len);
    /* Level by level: a hash without a neighbour goes up as it is, which makes the same tree. */
    while (n > 1) {
        size_t neighbour = at ^ 1;
        if (neighbour < n)
            memcpy(path->hash[path->n++], scratch + neighbour * LOG_HASH_SIZE, LOG_HASH_SIZE);
        for (size_t i = 0; i + 1 < n; i += 2)
            log_node_hash(scratch + i * LOG_HASH_SIZE, scratch + (i + 1) * LOG_HASH_SIZE,
                          scratch + i / 2 * LOG_HASH_SIZE);
        if (n % 2 != 0)
            memmove(scratch + n / 2 * LOG_HASH_SIZE, scratch + (n - 1) * LOG_HASH_SIZE,
                    LOG_HASH_SIZE);
        at /= 2;
        n = (n + 1) / 2;
    }
    memcpy(root, scratch, LOG_HASH_SIZE);
}
