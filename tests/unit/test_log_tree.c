/* The two times that a proof is made, and the paths of journals: held against RFC 6962 section 2.1 written out
 * recursively, and against what a reader does with them. */
#include "gateway/rpc/log_tree.h"

#include <openssl/evp.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { BLOCKS = 40 };

struct hash {
    uint8_t b[SEAL_HASH_SIZE];
};

static struct hash sha256(uint8_t prefix, const void *a, size_t a_len, const void *b, size_t b_len)
{
    uint8_t bytes[1 + 2 * SEAL_HASH_SIZE];
    struct hash h;
    bytes[0] = prefix;
    memcpy(bytes + 1, a, a_len);
    memcpy(bytes + 1 + a_len, b, b_len);
    assert_int_equal(EVP_Digest(bytes, 1 + a_len + b_len, h.b, NULL, EVP_sha256(), NULL), 1);
    return h;
}

static struct hash leaf(int64_t i)
{
    return sha256(0, &i, sizeof(i), "", 0);
}

static struct hash join(struct hash l, struct hash r)
{
    return sha256(1, l.b, sizeof(l.b), r.b, sizeof(r.b));
}

/* MTH(D[begin:end]) word for word. */
static struct hash mth(int64_t begin, int64_t end)
{
    int64_t k = 1;
    if (end - begin == 1)
        return leaf(begin);
    while (k * 2 < end - begin)
        k *= 2;
    return join(mth(begin, begin + k), mth(begin + k, end));
}

/* block_seal.nodes of a block. */
static size_t nodes_of(int64_t block_no, uint8_t *out)
{
    size_t n = 0;
    for (int64_t size = 1; block_no % size == 0; size *= 2) {
        struct hash h = mth(block_no - size, block_no);
        memcpy(out + n, h.b, sizeof(h));
        n += sizeof(h);
    }
    return n;
}

static void fill(struct log_nodes *nodes)
{
    uint8_t bytes[SEAL_HASH_SIZE * 16];
    for (unsigned i = 0; i < nodes->n; i++)
        if (!nodes->node[i].known) {
            int64_t block_no = nodes->node[i].end;
            log_nodes_fill(nodes, block_no, slice_of(bytes, nodes_of(block_no, bytes)));
        }
}

/* Climbs as RFC 9162 section 2.1.3.2 does, which is another way than the one it was made. */
static struct hash climb(struct hash h, int64_t index, int64_t size, const struct seal_proof *path)
{
    int64_t fn = index, sn = size - 1;
    for (unsigned i = 0; i < path->n; i++) {
        struct hash p;
        memcpy(p.b, path->hash[i].b, sizeof(p));
        assert_true(sn > 0);
        if (fn % 2 == 1 || fn == sn) {
            h = join(p, h);
            while (fn % 2 == 0 && fn != 0) {
                fn /= 2;
                sn /= 2;
            }
        } else {
            h = join(h, p);
        }
        fn /= 2;
        sn /= 2;
    }
    assert_int_equal(sn, 0);
    return h;
}

static void a_proof_is_good_the_second_time_once_the_nodes_it_asked_for_are_there(void **state)
{
    struct seal_hasher *hasher;
    (void)state;
    assert_ok(seal_hasher_new(&hasher));
    for (int64_t size = 1; size <= BLOCKS; size++)
        for (int64_t index = 0; index < size; index++) {
            struct log_nodes nodes = {0};
            struct seal_proof path;
            struct hash want = mth(0, size), got;
            seal_hash_t root;
            for (int time = 0; time < 2; time++) {
                log_nodes_begin(&nodes);
                assert_true(seal_root_at(hasher, (uint64_t)size, log_nodes_get, &nodes, &root));
                assert_true(seal_prove_inclusion(hasher, (uint64_t)index, (uint64_t)size,
                                                 log_nodes_get, &nodes, &path));
                assert_int_equal(nodes.complete, time == 1);
                fill(&nodes);
            }
            got = climb(leaf(index), index, size, &path);
            assert_memory_equal(root.b, want.b, sizeof(root.b));
            assert_memory_equal(got.b, want.b, sizeof(want));
        }
    seal_hasher_free(&hasher);
}

static void a_node_the_ledger_does_not_have_is_missed(void **state)
{
    struct log_nodes nodes = {0};
    struct seal_hasher *hasher;
    struct seal_proof path;
    uint8_t bytes[SEAL_HASH_SIZE * 16];
    (void)state;
    assert_ok(seal_hasher_new(&hasher));
    assert_true(seal_prove_inclusion(hasher, 0, 8, log_nodes_get, &nodes, &path));
    assert_int_equal(nodes.n, 3); /* the subtrees that end with blocks 2, 4 and 8 */
    log_nodes_fill(&nodes, 2, slice_of(bytes, nodes_of(2, bytes)));
    log_nodes_fill(&nodes, 4, slice_of(bytes, nodes_of(4, bytes)));
    log_nodes_fill(&nodes, 8, slice_of(bytes, 2 * SEAL_HASH_SIZE)); /* cut short */
    log_nodes_begin(&nodes);
    assert_true(seal_prove_inclusion(hasher, 0, 8, log_nodes_get, &nodes, &path));
    assert_false(nodes.complete);
    seal_hasher_free(&hasher);
}

static void more_nodes_than_any_answer_needs_are_never_complete(void **state)
{
    static struct log_nodes nodes;
    seal_hash_t hash;
    (void)state;
    log_nodes_begin(&nodes);
    for (uint64_t i = 0; i <= LOG_NODES_MAX; i++)
        assert_true(log_nodes_get(&nodes, 0, i, &hash));
    assert_int_equal(nodes.n, LOG_NODES_MAX);
    for (unsigned i = 0; i < nodes.n; i++)
        nodes.node[i].known = true;
    log_nodes_begin(&nodes);
    assert_true(log_nodes_get(&nodes, 0, LOG_NODES_MAX, &hash));
    assert_false(nodes.complete);
}

static void journals_have_paths_to_their_blocks_root(void **state)
{
    uint8_t leaves[BLOCKS * SEAL_HASH_SIZE];
    struct seal_hasher *hasher;
    seal_hash_t scratch[BLOCKS], root;
    (void)state;
    assert_ok(seal_hasher_new(&hasher));
    for (int64_t i = 0; i < BLOCKS; i++) {
        struct hash h = leaf(i);
        memcpy(leaves + i * SEAL_HASH_SIZE, h.b, sizeof(h));
    }
    for (int64_t size = 1; size <= BLOCKS; size++)
        for (int64_t index = 0; index < size; index++) {
            struct seal_proof path;
            struct hash want = mth(0, size), got;
            log_leaves_inclusion(hasher, slice_of(leaves, (size_t)size * SEAL_HASH_SIZE), index,
                                 scratch, &path, &root);
            got = climb(leaf(index), index, size, &path);
            assert_memory_equal(root.b, want.b, sizeof(root.b));
            assert_memory_equal(got.b, want.b, sizeof(want));
        }
    seal_hasher_free(&hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proof_is_good_the_second_time_once_the_nodes_it_asked_for_are_there),
        cmocka_unit_test(a_node_the_ledger_does_not_have_is_missed),
        cmocka_unit_test(more_nodes_than_any_answer_needs_are_never_complete),
        cmocka_unit_test(journals_have_paths_to_their_blocks_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
