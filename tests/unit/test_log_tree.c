/* The proofs that the gateway makes, held against RFC 6962 section 2.1 written out recursively, and against what
 * section 2.1.1 and 2.1.2 say a reader does with them. */
#include "gateway/rpc/log_tree.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { BLOCKS = 40 };

struct hash {
    uint8_t b[LOG_HASH_SIZE];
};

static struct hash leaf(int64_t i)
{
    struct hash h;
    log_leaf_hash(slice_of(&i, sizeof(i)), h.b);
    return h;
}

static struct hash join(struct hash l, struct hash r)
{
    struct hash h;
    log_node_hash(l.b, r.b, h.b);
    return h;
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
    uint8_t bytes[LOG_HASH_SIZE * 16];
    for (unsigned i = 0; i < nodes->n; i++)
        if (!nodes->node[i].known) {
            int64_t block_no = nodes->node[i].end;
            log_nodes_fill(nodes, block_no, slice_of(bytes, nodes_of(block_no, bytes)));
        }
    assert_true(log_nodes_complete(nodes));
}

static void the_root_is_that_of_the_rfc(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= BLOCKS; size++) {
        struct log_nodes nodes = {0};
        uint8_t root[LOG_HASH_SIZE];
        assert_false(log_tree_root(&nodes, size, root));
        fill(&nodes);
        assert_true(log_tree_root(&nodes, size, root));
        struct hash h = mth(0, size);
        assert_memory_equal(root, h.b, sizeof(root));
    }
}

/* Climbs as RFC 9162 section 2.1.3.2 does, which is another way than the one it was made. */
static struct hash climb(struct hash h, int64_t index, int64_t size, const struct log_path *path)
{
    int64_t fn = index, sn = size - 1;
    for (unsigned i = 0; i < path->n; i++) {
        struct hash p;
        memcpy(p.b, path->hash[i], sizeof(p));
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

static void every_block_has_a_path_to_every_root_that_covers_it(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= BLOCKS; size++)
        for (int64_t index = 0; index < size; index++) {
            struct log_nodes nodes = {0};
            struct log_path path;
            if (!log_tree_inclusion(&nodes, index, size, &path)) {
                fill(&nodes);
                assert_true(log_tree_inclusion(&nodes, index, size, &path));
            }
            struct hash root = mth(0, size), got = climb(leaf(index), index, size, &path);
            assert_memory_equal(got.b, root.b, sizeof(root));
        }
}

/* RFC 9162 section 2.1.4.2. */
static bool consistent(int64_t first, int64_t second, struct hash first_hash,
                       struct hash second_hash, const struct log_path *path)
{
    struct hash fr, sr, p;
    unsigned i = 0;
    int64_t fn = first - 1, sn = second - 1;
    if (first == second)
        return path->n == 0;
    if ((first & (first - 1)) == 0)
        fr = sr = first_hash;
    else
        memcpy(fr.b, path->hash[i++], sizeof(fr)), sr = fr;
    for (; fn % 2 == 1; fn /= 2)
        sn /= 2;
    for (; i < path->n; i++) {
        memcpy(p.b, path->hash[i], sizeof(p));
        if (sn == 0)
            return false;
        if (fn % 2 == 1 || fn == sn) {
            fr = join(p, fr);
            sr = join(p, sr);
            for (; fn % 2 == 0 && fn != 0; fn /= 2)
                sn /= 2;
        } else {
            sr = join(sr, p);
        }
        fn /= 2;
        sn /= 2;
    }
    return sn == 0 && memcmp(fr.b, first_hash.b, sizeof(fr)) == 0 &&
           memcmp(sr.b, second_hash.b, sizeof(sr)) == 0;
}

static void every_size_is_proved_consistent_with_every_later_one(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= BLOCKS; size++)
        for (int64_t old = 1; old <= size; old++) {
            struct log_nodes nodes = {0};
            struct log_path path;
            if (!log_tree_consistency(&nodes, old, size, &path)) {
                fill(&nodes);
                assert_true(log_tree_consistency(&nodes, old, size, &path));
            }
            assert_true(consistent(old, size, mth(0, old), mth(0, size), &path));
            if (path.n > 0) {
                path.hash[0][5] ^= 1;
                assert_false(consistent(old, size, mth(0, old), mth(0, size), &path));
            }
        }
}

static void a_node_the_ledger_does_not_have_is_missed(void **state)
{
    struct log_nodes nodes = {0};
    struct log_path path;
    uint8_t bytes[LOG_HASH_SIZE * 16];
    (void)state;
    assert_false(log_tree_inclusion(&nodes, 0, 8, &path));
    /* it wants the subtrees that end with blocks 2, 4 and 8 */
    assert_int_equal(nodes.n, 3);
    log_nodes_fill(&nodes, 2, slice_of(bytes, nodes_of(2, bytes)));
    log_nodes_fill(&nodes, 4, slice_of(bytes, nodes_of(4, bytes)));
    log_nodes_fill(&nodes, 8, slice_of(bytes, LOG_HASH_SIZE)); /* cut short */
    assert_false(log_nodes_complete(&nodes));
    assert_false(log_tree_inclusion(&nodes, 0, 8, &path));
}

static void journals_have_paths_to_their_blocks_root(void **state)
{
    uint8_t leaves[BLOCKS * LOG_HASH_SIZE], scratch[sizeof(leaves)], root[LOG_HASH_SIZE];
    (void)state;
    for (int64_t i = 0; i < BLOCKS; i++) {
        struct hash h = leaf(i);
        memcpy(leaves + i * LOG_HASH_SIZE, h.b, sizeof(h));
    }
    for (int64_t size = 1; size <= BLOCKS; size++)
        for (int64_t index = 0; index < size; index++) {
            struct log_path path;
            log_leaves_inclusion(slice_of(leaves, (size_t)size * LOG_HASH_SIZE), index, scratch,
                                 &path, root);
            struct hash want = mth(0, size), got = climb(leaf(index), index, size, &path);
            assert_memory_equal(root, want.b, sizeof(root));
            assert_memory_equal(got.b, want.b, sizeof(want));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_that_of_the_rfc),
        cmocka_unit_test(every_block_has_a_path_to_every_root_that_covers_it),
        cmocka_unit_test(every_size_is_proved_consistent_with_every_later_one),
        cmocka_unit_test(a_node_the_ledger_does_not_have_is_missed),
        cmocka_unit_test(journals_have_paths_to_their_blocks_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
