#include "audit/merkle.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include "base/hex.h"

#include <stdlib.h>

/* The definition of RFC 6962 section 2.1, recursively and without a thought for speed. */
static hash_t naive(struct sha256 *sha, const hash_t *leaves, size_t n)
{
    size_t k = 1;

    if (n == 0)
        return sha256_of(sha, slice_of("", 0));
    if (n == 1)
        return leaves[0];
    while (k * 2 < n)
        k *= 2;
    hash_t left = naive(sha, leaves, k);
    hash_t right = naive(sha, leaves + k, n - k);
    return merkle_node(sha, &left, &right);
}

enum { LEAVES = 130 };

struct kept {
    struct sha256 *sha;
    hash_t leaves[LEAVES];
    hash_t nodes[LEAVES][9];
    size_t n_nodes[LEAVES];
};

static bool node_of(void *context, unsigned level, uint64_t last, hash_t *out)
{
    struct kept *k = context;

    if (last == 0 || last > LEAVES || level >= k->n_nodes[last - 1])
        return false;
    *out = k->nodes[last - 1][level];
    return true;
}

static struct kept *grow(void)
{
    struct kept *k = calloc(1, sizeof *k);
    struct merkle tree = {0};

    assert_non_null(k);
    k->sha = sha256_new();
    assert_non_null(k->sha);
    for (size_t i = 0; i < LEAVES; i++) {
        unsigned char data = (unsigned char)i;
        hash_t all[MERKLE_LEVELS_MAX];
        k->leaves[i] = merkle_leaf(k->sha, slice_of(&data, 1));
        k->n_nodes[i] = merkle_append(&tree, k->sha, &k->leaves[i], all);
        memcpy(k->nodes[i], all, k->n_nodes[i] * sizeof *all);
        hash_t root = merkle_root(&tree, k->sha);
        hash_t expected = naive(k->sha, k->leaves, i + 1);
        assert_true(hash_equal(&root, &expected));
    }
    return k;
}

static void shrink(struct kept *k)
{
    sha256_free(&k->sha);
    free(k);
}

/* The reference values of the Certificate Transparency project's own tests for RFC 6962. */
static void published_roots_hold(void **state)
{
    (void)state;
    static const struct {
        const char *leaf, *root;
    } steps[] = {
        {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"606162636465666768696a6b6c6d6e6f",
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct sha256 *sha = sha256_new();
    struct merkle tree = {0};
    hash_t root = merkle_root(&tree, sha);
    char text[HEX_SIZE(HASH_BYTES)];

    (void)hex_encode(root.b, HASH_BYTES, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        unsigned char data[16];
        size_t n = 0;
        assert_ok(hex_decode(slice_str(steps[i].leaf), data, sizeof data, &n));
        hash_t leaf = merkle_leaf(sha, slice_of(data, n));
        (void)merkle_append(&tree, sha, &leaf, NULL);
        root = merkle_root(&tree, sha);
        (void)hex_encode(root.b, HASH_BYTES, text);
        assert_string_equal(text, steps[i].root);
    }
    sha256_free(&sha);
}

static void every_inclusion_proof_holds_for_its_leaf_alone(void **state)
{
    (void)state;
    struct kept *k = grow();
    hash_t proof[MERKLE_PROOF_MAX];
    size_t n = 0;

    for (uint64_t size = 1; size <= LEAVES; size += size < 20 ? 1 : 37) {
        hash_t root = naive(k->sha, k->leaves, size);
        for (uint64_t i = 0; i < size; i++) {
            const hash_t *leaf = &k->leaves[i];
            assert_true(merkle_inclusion_proof(k->sha, i, size, node_of, k, proof, &n));
            assert_true(merkle_inclusion_holds(k->sha, leaf, i, size, proof, n, &root));
            assert_false(merkle_inclusion_holds(k->sha, leaf, i + 1, size, proof, n, &root));
            assert_false(merkle_inclusion_holds(k->sha, leaf, i, 0, proof, n, &root));
            assert_false(merkle_inclusion_holds(k->sha, leaf, i, size, proof, n + 1, &root));
            if (n > 0) {
                assert_false(merkle_inclusion_holds(k->sha, leaf, i, size, proof, n - 1, &root));
                proof[n / 2].b[3] ^= 1;
                assert_false(merkle_inclusion_holds(k->sha, leaf, i, size, proof, n, &root));
            }
        }
    }
    shrink(k);
}

static void every_consistency_proof_holds_for_its_trees_alone(void **state)
{
    (void)state;
    struct kept *k = grow();
    hash_t proof[MERKLE_PROOF_MAX];
    size_t n = 0;

    for (uint64_t size = 1; size <= LEAVES; size += size < 20 ? 1 : 37) {
        hash_t new_root = naive(k->sha, k->leaves, size);
        for (uint64_t old = 1; old <= size; old++) {
            hash_t old_root = naive(k->sha, k->leaves, old);
            hash_t other = old_root;
            other.b[0] ^= 1;
            assert_true(merkle_consistency_proof(k->sha, old, size, node_of, k, proof, &n));
            assert_true(
                merkle_consistency_holds(k->sha, old, &old_root, size, &new_root, proof, n));
            assert_false(merkle_consistency_holds(k->sha, old, &other, size, &new_root, proof, n));
            assert_false(
                merkle_consistency_holds(k->sha, size + 1, &old_root, size, &new_root, proof, n));
            if (n > 0) {
                proof[n - 1].b[9] ^= 4;
                assert_false(
                    merkle_consistency_holds(k->sha, old, &old_root, size, &new_root, proof, n));
                assert_false(merkle_consistency_holds(k->sha, old, &old_root, size, &new_root,
                                                      proof, n - 1));
            }
            hash_t root;
            assert_true(merkle_root_of(k->sha, old, node_of, k, &root));
            assert_true(hash_equal(&root, &old_root));
        }
    }
    assert_false(merkle_consistency_proof(k->sha, 0, 3, node_of, k, proof, &n));
    shrink(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_roots_hold),
        cmocka_unit_test(every_inclusion_proof_holds_for_its_leaf_alone),
        cmocka_unit_test(every_consistency_proof_holds_for_its_trees_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
