#include "seal/merkle.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct seal_hasher {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

err_t seal_hasher_new(struct seal_hasher **out)
{
    struct seal_hasher *h = calloc(1, sizeof *h);
    *out = NULL;
    if (h == NULL)
        return err_make(ERR_NO_MEMORY, "sha256");
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->ctx = EVP_MD_CTX_new();
    if (h->md == NULL || h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1) {
        seal_hasher_free(&h);
        return err_make(ERR_TLS, "sha256");
    }
    *out = h;
    return err_none();
}

void seal_hasher_free(struct seal_hasher **hasher)
{
    struct seal_hasher *h = *hasher;
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
    *hasher = NULL;
}

void seal_hash(struct seal_hasher *h, struct slice bytes, seal_hash_t *out)
{
    /* The digest was fetched and its context made: nothing is left that can fail. */
    int ok = EVP_DigestInit_ex2(h->ctx, NULL, NULL) == 1 &&
             EVP_DigestUpdate(h->ctx, bytes.p, bytes.len) == 1 &&
             EVP_DigestFinal_ex(h->ctx, out->b, NULL) == 1;
    assert(ok);
}

void seal_hash_leaf(struct seal_hasher *h, const struct seal_record *record, seal_hash_t *out)
{
    assert(!record->failed && record->len > 1);
    seal_hash(h, seal_record_leaf(record), out);
}

void seal_hash_node(struct seal_hasher *h, const seal_hash_t *left, const seal_hash_t *right,
                    seal_hash_t *out)
{
    unsigned char bytes[1 + 2 * SEAL_HASH_SIZE];
    bytes[0] = 1;
    memcpy(bytes + 1, left->b, SEAL_HASH_SIZE);
    memcpy(bytes + 1 + SEAL_HASH_SIZE, right->b, SEAL_HASH_SIZE);
    seal_hash(h, slice_of(bytes, sizeof bytes), out);
}

/* ---------------------------------------------------------------- a tree that grows */

unsigned seal_tree_append(struct seal_tree *tree, struct seal_hasher *h, const seal_hash_t *leaf,
                          seal_hash_t *nodes)
{
    seal_hash_t node = *leaf;
    unsigned level = 0;
    if (nodes != NULL)
        nodes[0] = node;
    for (; (tree->size >> level & 1) != 0; level++) {
        seal_hash_node(h, &tree->frontier[level], &node, &node);
        if (nodes != NULL)
            nodes[level + 1] = node;
    }
    assert(level <= SEAL_LEVELS_MAX);
    tree->frontier[level] = node;
    tree->size++;
    return level + 1;
}

void seal_tree_root(const struct seal_tree *tree, struct seal_hasher *h, seal_hash_t *out)
{
    bool any = false;
    if (tree->size == 0) {
        seal_hash(h, slice_of("", 0), out);
        return;
    }
    for (unsigned level = 0; level <= SEAL_LEVELS_MAX; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (any)
            seal_hash_node(h, &tree->frontier[level], out, out);
        else
            *out = tree->frontier[level];
        any = true;
    }
}

bool seal_tree_load(uint64_t size, seal_node_fn *node, void *user, struct seal_tree *out)
{
    *out = (struct seal_tree){.size = size};
    for (unsigned level = 0; level <= SEAL_LEVELS_MAX; level++)
        if ((size >> level & 1) != 0 &&
            !node(user, level, (size >> level) - 1, &out->frontier[level]))
            return false;
    return true;
}

bool seal_root_at(struct seal_hasher *h, uint64_t size, seal_node_fn *node, void *user,
                  seal_hash_t *out)
{
    struct seal_tree tree;
    if (!seal_tree_load(size, node, user, &tree))
        return false;
    seal_tree_root(&tree, h, out);
    return true;
}

/* ---------------------------------------------------------------- proofs */

struct prover {
    struct seal_hasher *h;
    seal_node_fn *node;
    void *user;
    struct seal_proof *proof;
    bool failed;
};

/* The largest power of two that is smaller than n, n > 1. */
static uint64_t split(uint64_t n)
{
    return 1ULL << (63 - __builtin_clzll(n - 1));
}

/* The tree hash of the leaves from..from + n, where from is a multiple of a power of two that is at least n: so every
 * subtree of a split is. */
static void put_range(struct prover *p, uint64_t from, uint64_t n)
{
    seal_hash_t hash, part;
    bool any = false;
    assert(p->proof->n < SEAL_PROOF_MAX);
    for (unsigned level = 0; level <= SEAL_LEVELS_MAX && !p->failed; level++) {
        if ((n >> level & 1) == 0)
            continue;
        /* those above this one come before it */
        uint64_t begin = from + (n >> level >> 1 << 1 << level);
        p->failed = !p->node(p->user, level, begin >> level, &part);
        if (any)
            seal_hash_node(p->h, &part, &hash, &hash);
        else
            hash = part;
        any = true;
    }
    if (!p->failed)
        p->proof->hash[p->proof->n++] = hash;
}

bool seal_prove_inclusion(struct seal_hasher *h, uint64_t index, uint64_t size, seal_node_fn *node,
                          void *user, struct seal_proof *out)
{
    struct {
        uint64_t from, n;
    } other[SEAL_PROOF_MAX];
    unsigned depth = 0;
    uint64_t from = 0;
    assert(index < size);
    /* PATH(m, D[n]), from the root down; the list has the leaf's neighbour first. */
    while (size > 1) {
        uint64_t k = split(size);
        bool left = index - from < k;
        other[depth].from = left ? from + k : from;
        other[depth++].n = left ? size - k : k;
        from += left ? 0 : k;
        size = left ? k : size - k;
    }
    out->n = 0;
    struct prover p = {h, node, user, out, false};
    while (depth-- > 0)
        put_range(&p, other[depth].from, other[depth].n);
    return !p.failed;
}

bool seal_prove_consistency(struct seal_hasher *h, uint64_t old, uint64_t size, seal_node_fn *node,
                            void *user, struct seal_proof *out)
{
    struct {
        uint64_t from, n;
    } other[SEAL_PROOF_MAX];
    unsigned depth = 0;
    uint64_t from = 0;
    bool known = true; /* b of SUBPROOF(m, D[n], b): the verifier has the hash of the old tree */
    assert(old > 0 && old <= size);
    while (old != size) {
        uint64_t k = split(size);
        if (old <= k) {
            other[depth].from = from + k;
            other[depth++].n = size - k;
            size = k;
        } else {
            other[depth].from = from;
            other[depth++].n = k;
            from += k;
            old -= k;
            size -= k;
            known = false;
        }
    }
    out->n = 0;
    struct prover p = {h, node, user, out, false};
    if (!known)
        put_range(&p, from, size);
    while (depth-- > 0)
        put_range(&p, other[depth].from, other[depth].n);
    return !p.failed;
}

static bool equal(const seal_hash_t *a, const seal_hash_t *b)
{
    return memcmp(a->b, b->b, SEAL_HASH_SIZE) == 0;
}

bool seal_check_inclusion(struct seal_hasher *h, const seal_hash_t *leaf, uint64_t index,
                          uint64_t size, const struct seal_proof *proof, const seal_hash_t *root)
{
    if (index >= size || proof->n > SEAL_PROOF_MAX)
        return false;
    uint64_t fn = index, sn = size - 1;
    seal_hash_t r = *leaf;
    for (unsigned i = 0; i < proof->n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            seal_hash_node(h, &proof->hash[i], &r, &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            seal_hash_node(h, &r, &proof->hash[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && equal(&r, root);
}

bool seal_check_consistency(struct seal_hasher *h, uint64_t old, uint64_t size,
                            const struct seal_proof *proof, const seal_hash_t *old_root,
                            const seal_hash_t *root)
{
    if (old == 0 || old > size || proof->n > SEAL_PROOF_MAX)
        return false;
    if (old == size)
        return proof->n == 0 && equal(old_root, root);
    bool whole =
        (old & (old - 1)) == 0; /* then the old root is itself a node, and is not in the proof */
    if (!whole && proof->n == 0)
        return false;
    uint64_t fn = old - 1, sn = size - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    seal_hash_t fr = whole ? *old_root : proof->hash[0], sr = fr;
    for (unsigned i = whole ? 0 : 1; i < proof->n; i++) {
        const seal_hash_t *c = &proof->hash[i];
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            seal_hash_node(h, c, &fr, &fr);
            seal_hash_node(h, c, &sr, &sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            seal_hash_node(h, &sr, c, &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && equal(&fr, old_root) && equal(&sr, root);
}
