#include "audit/merkle.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *sha = calloc(1, sizeof *sha);

    if (sha == NULL)
        return NULL;
    sha->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha->ctx = EVP_MD_CTX_new();
    if (sha->md == NULL || sha->ctx == NULL || EVP_DigestInit_ex2(sha->ctx, sha->md, NULL) != 1)
        sha256_free(&sha);
    return sha;
}

void sha256_free(struct sha256 **sha)
{
    if (*sha == NULL)
        return;
    EVP_MD_CTX_free((*sha)->ctx);
    EVP_MD_free((*sha)->md);
    free(*sha);
    *sha = NULL;
}

/* Nothing of SHA-256 over memory can fail once the context is there: that it does is a bug. */
void sha256_begin(struct sha256 *sha)
{
    int ok = EVP_DigestInit_ex2(sha->ctx, NULL, NULL);

    assert(ok == 1);
}

void sha256_add(struct sha256 *sha, const void *p, size_t len)
{
    int ok = EVP_DigestUpdate(sha->ctx, p, len);

    assert(ok == 1);
}

void sha256_end(struct sha256 *sha, hash_t *out)
{
    int ok = EVP_DigestFinal_ex(sha->ctx, out->b, NULL);

    assert(ok == 1);
}

hash_t sha256_of(struct sha256 *sha, struct slice data)
{
    hash_t out;

    sha256_begin(sha);
    sha256_add(sha, data.p, data.len);
    sha256_end(sha, &out);
    return out;
}

hash_t merkle_leaf(struct sha256 *sha, struct slice data)
{
    hash_t out;

    sha256_begin(sha);
    sha256_add(sha, "\0", 1);
    sha256_add(sha, data.p, data.len);
    sha256_end(sha, &out);
    return out;
}

hash_t merkle_node(struct sha256 *sha, const hash_t *left, const hash_t *right)
{
    unsigned char both[1 + 2 * HASH_BYTES];
    hash_t out;

    both[0] = 1;
    memcpy(both + 1, left->b, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right->b, HASH_BYTES);
    sha256_begin(sha);
    sha256_add(sha, both, sizeof both);
    sha256_end(sha, &out);
    return out;
}

size_t merkle_append(struct merkle *tree, struct sha256 *sha, const hash_t *leaf, hash_t *completed)
{
    size_t n = merkle_nodes(tree->size);
    hash_t node = *leaf;
    size_t done = 0;

    assert(tree->size < UINT64_MAX / 2);
    if (completed != NULL)
        completed[done] = node;
    done++;
    for (uint64_t size = tree->size; size & 1; size >>= 1) {
        node = merkle_node(sha, &tree->nodes[--n], &node);
        if (completed != NULL)
            completed[done] = node;
        done++;
    }
    tree->nodes[n] = node;
    tree->size++;
    return done;
}

hash_t merkle_root(const struct merkle *tree, struct sha256 *sha)
{
    size_t n = merkle_nodes(tree->size);
    hash_t root;

    if (n == 0)
        return sha256_of(sha, slice_of("", 0));
    root = tree->nodes[n - 1];
    for (size_t i = n - 1; i > 0; i--)
        root = merkle_node(sha, &tree->nodes[i - 1], &root);
    return root;
}

/* ---------------------------------------------------------------- checking proofs (RFC 9162, 2.1.3.2 and 2.1.4.2) */

bool merkle_inclusion_holds(struct sha256 *sha, const hash_t *leaf, uint64_t index, uint64_t size,
                            const hash_t *proof, size_t n, const hash_t *root)
{
    uint64_t fn = index;
    uint64_t sn = size - 1;
    hash_t r = *leaf;

    if (size == 0 || index >= size)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            r = merkle_node(sha, &proof[i], &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = merkle_node(sha, &r, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_equal(&r, root);
}

bool merkle_consistency_holds(struct sha256 *sha, uint64_t old_size, const hash_t *old_root,
                              uint64_t new_size, const hash_t *new_root, const hash_t *proof,
                              size_t n)
{
    uint64_t fn = old_size - 1;
    uint64_t sn = new_size - 1;
    size_t i = 0;
    hash_t fr;
    hash_t sr;

    if (old_size == 0 || old_size > new_size)
        return false;
    if (old_size == new_size)
        return n == 0 && hash_equal(old_root, new_root);
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    if (fn == 0) { /* the old tree is a complete subtree of the new one: it is not in the proof */
        fr = sr = *old_root;
    } else {
        if (n == 0)
            return false;
        fr = sr = proof[i++];
    }
    for (; i < n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            fr = merkle_node(sha, &proof[i], &fr);
            sr = merkle_node(sha, &proof[i], &sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = merkle_node(sha, &sr, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_equal(&fr, old_root) && hash_equal(&sr, new_root);
}

/* ---------------------------------------------------------------- making them */

struct maker {
    struct sha256 *sha;
    merkle_node_fn *node;
    void *context;
    hash_t *proof;
    size_t n;
};

static unsigned log2_below(uint64_t n) /* of the largest power of two smaller than n > 1 */
{
    return 63U - (unsigned)__builtin_clzll(n - 1);
}

/* The hash of leaves from..from + n - 1, where the split of the whole tree makes this a subtree. */
static bool subtree(struct maker *m, uint64_t from, uint64_t n, hash_t *out)
{
    hash_t left;
    hash_t right;
    uint64_t k;

    if ((n & (n - 1)) == 0)
        return m->node(m->context, (unsigned)__builtin_ctzll(n), from + n, out);
    k = 1ULL << log2_below(n);
    if (!subtree(m, from, k, &left) || !subtree(m, from + k, n - k, &right))
        return false;
    *out = merkle_node(m->sha, &left, &right);
    return true;
}

bool merkle_root_of(struct sha256 *sha, uint64_t size, merkle_node_fn *node, void *context,
                    hash_t *out)
{
    struct maker m = {sha, node, context, NULL, 0};

    if (size == 0) {
        *out = sha256_of(sha, slice_of("", 0));
        return true;
    }
    return subtree(&m, 0, size, out);
}

static bool add_subtree(struct maker *m, uint64_t from, uint64_t n)
{
    if (m->n == MERKLE_PROOF_MAX || !subtree(m, from, n, &m->proof[m->n]))
        return false;
    m->n++;
    return true;
}

/* PATH(index, D[from..from+n]) */
static bool path(struct maker *m, uint64_t index, uint64_t from, uint64_t n)
{
    uint64_t k;

    if (n == 1)
        return true;
    k = 1ULL << log2_below(n);
    if (index < k)
        return path(m, index, from, k) && add_subtree(m, from + k, n - k);
    return path(m, index - k, from + k, n - k) && add_subtree(m, from, k);
}

bool merkle_inclusion_proof(struct sha256 *sha, uint64_t index, uint64_t size, merkle_node_fn *node,
                            void *context, hash_t proof[MERKLE_PROOF_MAX], size_t *n)
{
    struct maker m = {sha, node, context, proof, 0};
    bool ok = index < size && path(&m, index, 0, size);

    *n = m.n;
    return ok;
}

/* SUBPROOF(old, D[from..from+n], whole) */
static bool subproof(struct maker *m, uint64_t old, uint64_t from, uint64_t n, bool whole)
{
    uint64_t k;

    if (old == n)
        return whole || add_subtree(m, from, n);
    k = 1ULL << log2_below(n);
    if (old <= k)
        return subproof(m, old, from, k, whole) && add_subtree(m, from + k, n - k);
    return subproof(m, old - k, from + k, n - k, false) && add_subtree(m, from, k);
}

bool merkle_consistency_proof(struct sha256 *sha, uint64_t old_size, uint64_t new_size,
                              merkle_node_fn *node, void *context, hash_t proof[MERKLE_PROOF_MAX],
                              size_t *n)
{
    struct maker m = {sha, node, context, proof, 0};
    bool ok = old_size > 0 && old_size <= new_size && subproof(&m, old_size, 0, new_size, true);

    *n = m.n;
    return ok;
}
