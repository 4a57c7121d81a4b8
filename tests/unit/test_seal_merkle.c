/* The trees of seal/merkle.h against the definitions of RFC 6962 section 2.1, word for word and slowly. */
#include "seal/merkle.h"

#include <string.h>

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

enum { LEAVES = 70 };

static struct seal_hasher *h;
static seal_hash_t leaf[LEAVES];
static seal_hash_t nodes[LEAVES][SEAL_LEVELS_MAX + 1]; /* as block_seal.nodes has them */

static int setup(void **state)
{
    (void)state;
    assert_ok(seal_hasher_new(&h));
    struct seal_tree tree = {0};
    for (unsigned i = 0; i < LEAVES; i++) {
        unsigned char byte[2] = {0, (unsigned char)i};
        seal_hash(h, slice_of(byte, sizeof byte), &leaf[i]);
        assert_int_equal(seal_tree_append(&tree, h, &leaf[i], nodes[i]), seal_nodes_ending(i + 1));
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    seal_hasher_free(&h);
    return 0;
}

/* ---------------------------------------------------------------- the definitions */

static unsigned below(unsigned n)
{
    unsigned k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static seal_hash_t naive_root(unsigned from, unsigned n)
{
    seal_hash_t left, right, out;
    if (n == 1)
        return leaf[from];
    left = naive_root(from, below(n));
    right = naive_root(from + below(n), n - below(n));
    seal_hash_node(h, &left, &right, &out);
    return out;
}

static void naive_path(unsigned m, unsigned from, unsigned n, struct seal_proof *p)
{
    if (n == 1)
        return;
    unsigned k = below(n);
    if (m < k) {
        naive_path(m, from, k, p);
        p->hash[p->n++] = naive_root(from + k, n - k);
    } else {
        naive_path(m - k, from + k, n - k, p);
        p->hash[p->n++] = naive_root(from, k);
    }
}

static void naive_subproof(unsigned m, unsigned from, unsigned n, bool b, struct seal_proof *p)
{
    if (m == n) {
        if (!b)
            p->hash[p->n++] = naive_root(from, n);
        return;
    }
    unsigned k = below(n);
    if (m <= k) {
        naive_subproof(m, from, k, b, p);
        p->hash[p->n++] = naive_root(from + k, n - k);
    } else {
        naive_subproof(m - k, from + k, n - k, false, p);
        p->hash[p->n++] = naive_root(from, k);
    }
}

/* ---------------------------------------------------------------- */

static bool node_of(void *user, unsigned level, uint64_t index, seal_hash_t *out)
{
    uint64_t block = (index + 1) << level;
    assert_true(block <= *(uint64_t *)user); /* no node beyond the tree is asked for */
    assert_true(level < seal_nodes_ending(block));
    *out = nodes[block - 1][level];
    return true;
}

static bool no_node(void *user, unsigned level, uint64_t index, seal_hash_t *out)
{
    (void)user, (void)level, (void)index, (void)out;
    return false;
}

static void same_proof(const struct seal_proof *a, const struct seal_proof *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->hash, b->hash, a->n * sizeof a->hash[0]);
}

static void roots_are_those_of_the_definition(void **state)
{
    (void)state;
    struct seal_tree tree = {0};
    seal_hash_t root, expected;
    seal_tree_root(&tree, h, &root);
    seal_hash(h, slice_of("", 0), &expected);
    assert_memory_equal(&root, &expected, sizeof root);
    for (unsigned n = 1; n <= LEAVES; n++) {
        uint64_t size = n;
        (void)seal_tree_append(&tree, h, &leaf[n - 1], NULL);
        seal_tree_root(&tree, h, &root);
        expected = naive_root(0, n);
        assert_memory_equal(&root, &expected, sizeof root);
        assert_true(seal_root_at(h, n, node_of, &size, &root));
        assert_memory_equal(&root, &expected, sizeof root);
    }
    assert_false(seal_root_at(h, 5, no_node, NULL, &root));
}

static void a_tree_goes_on_from_its_stored_nodes(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < LEAVES; n++) {
        struct seal_tree tree;
        seal_hash_t out[SEAL_LEVELS_MAX + 1];
        assert_true(seal_tree_load(n, node_of, &n, &tree));
        unsigned count = seal_tree_append(&tree, h, &leaf[n], out);
        assert_int_equal(count, seal_nodes_ending(n + 1));
        assert_memory_equal(out, nodes[n], count * sizeof out[0]);
    }
}

static void inclusion_proofs_are_those_of_the_definition_and_hold(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        seal_hash_t root = naive_root(0, (unsigned)n);
        for (unsigned m = 0; m < n; m++) {
            struct seal_proof proof, expected = {.n = 0};
            naive_path(m, 0, (unsigned)n, &expected);
            assert_true(seal_prove_inclusion(h, m, n, node_of, &n, &proof));
            same_proof(&proof, &expected);
            assert_true(seal_check_inclusion(h, &leaf[m], m, n, &proof, &root));
            if (n > 1) {
                assert_false(seal_check_inclusion(h, &leaf[m], (m + 1) % n, n, &proof, &root));
                assert_false(seal_check_inclusion(h, &leaf[(m + 1) % n], m, n, &proof, &root));
                assert_false(seal_prove_inclusion(h, m, n, no_node, NULL, &proof));
            }
        }
    }
}

static void consistency_proofs_are_those_of_the_definition_and_hold(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        seal_hash_t root = naive_root(0, (unsigned)n);
        for (unsigned m = 1; m <= n; m++) {
            seal_hash_t old = naive_root(0, m);
            struct seal_proof proof, expected = {.n = 0};
            naive_subproof(m, 0, (unsigned)n, true, &expected);
            assert_true(seal_prove_consistency(h, m, n, node_of, &n, &proof));
            same_proof(&proof, &expected);
            assert_true(seal_check_consistency(h, m, n, &proof, &old, &root));
            if (m < n) {
                assert_false(seal_check_consistency(h, m, n, &proof, &root, &root));
                assert_false(seal_check_consistency(h, m, n, &proof, &old, &old));
            }
        }
    }
}

static void a_proof_with_any_bit_turned_or_a_hash_more_or_less_is_refused(void **state)
{
    (void)state;
    struct prng prng = {1};
    for (int round = 0; round < 3000; round++) {
        uint64_t n = (uint64_t)prng_between(&prng, 2, LEAVES);
        uint64_t m = (uint64_t)prng_between(&prng, 1, (int64_t)n - 1);
        seal_hash_t root = naive_root(0, (unsigned)n), old = naive_root(0, (unsigned)m);
        struct seal_proof path, proof;
        assert_true(seal_prove_inclusion(h, m, n, node_of, &n, &path));
        assert_true(seal_prove_consistency(h, m, n, node_of, &n, &proof));
        switch (prng_between(&prng, 0, 2)) {
        case 0:
            path.hash[prng_between(&prng, 0, path.n - 1)].b[prng_between(&prng, 0, 31)] ^= 4;
            proof.hash[prng_between(&prng, 0, proof.n - 1)].b[prng_between(&prng, 0, 31)] ^= 4;
            break;
        case 1:
            path.n--;
            proof.n--;
            break;
        default:
            path.hash[path.n++] = root;
            proof.hash[proof.n++] = root;
            break;
        }
        assert_false(seal_check_inclusion(h, &leaf[m], m, n, &path, &root));
        assert_false(seal_check_consistency(h, m, n, &proof, &old, &root));
    }
}

static void nonsense_is_refused_and_not_followed(void **state)
{
    (void)state;
    struct seal_proof proof = {.n = SEAL_PROOF_MAX};
    assert_false(seal_check_inclusion(h, &leaf[0], 5, 5, &proof, &leaf[1]));
    assert_false(seal_check_inclusion(h, &leaf[0], UINT64_MAX - 1, UINT64_MAX, &proof, &leaf[1]));
    assert_false(seal_check_consistency(h, 0, 5, &proof, &leaf[0], &leaf[1]));
    assert_false(seal_check_consistency(h, 6, 5, &proof, &leaf[0], &leaf[1]));
    assert_false(seal_check_consistency(h, UINT64_MAX - 1, UINT64_MAX, &proof, &leaf[0], &leaf[1]));
    proof.n = SEAL_PROOF_MAX + 1;
    assert_false(seal_check_inclusion(h, &leaf[0], 0, 1, &proof, &leaf[0]));
    proof.n = 0;
    assert_false(seal_check_consistency(h, 3, 5, &proof, &leaf[0], &leaf[0]));
    assert_true(seal_check_inclusion(h, &leaf[0], 0, 1, &proof, &leaf[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_definition),
        cmocka_unit_test(a_tree_goes_on_from_its_stored_nodes),
        cmocka_unit_test(inclusion_proofs_are_those_of_the_definition_and_hold),
        cmocka_unit_test(consistency_proofs_are_those_of_the_definition_and_hold),
        cmocka_unit_test(a_proof_with_any_bit_turned_or_a_hash_more_or_less_is_refused),
        cmocka_unit_test(nonsense_is_refused_and_not_followed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
