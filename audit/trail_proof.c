#include "audit/trail_proof.h"

#include "audit/record.h"
#include "audit/trail_record.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 4096

/* A book's key, and from which block on it signs. */
struct log_key {
    int64_t from_block;
    struct public_key *key;
};

struct prover {
    struct db *db;
    const struct book *book;
    struct number_text book_id;
    struct sha256 *sha;
    struct log_key keys[KEYS_MAX];
    size_t n_keys;
    struct proof *out;
    bool failed; /* the user was told */
};

static enum proof_result broken(struct prover *p, const char *why)
{
    snprintf(p->out->why, sizeof p->out->why, "%s", why);
    return why[0] == '\0' ? PROOF_FAILED : PROOF_BROKEN;
}

/* ---------------------------------------------------------------- keys */

/* The record a key came into force with, signed by the one before; the first by itself. */
static const char *take_key(struct prover *p, const PGresult *r, int i)
{
    unsigned char raw[RECORD_KEY_BYTES];
    unsigned char signature[RECORD_SIGNATURE_BYTES];
    struct record_key k = {.book = slice_str(p->book->code),
                           .key_id = slice_str(PQgetvalue(r, i, 1)),
                           .from_block = db_int(r, i, 0),
                           .created_at_us = db_int(r, i, 3)};
    struct slice signed_by;
    struct record_out out = {0};
    const struct public_key *by;
    bool fine;

    if (!trail_bytes(r, i, 2, raw, sizeof raw, &k.public_key) ||
        !trail_bytes(r, i, 4, signature, sizeof signature, &signed_by))
        return "a key of the log is none";
    if (p->n_keys == KEYS_MAX || err_failed(public_key_new(k.public_key, &p->keys[p->n_keys].key)))
        return "a key of the log is none, or there are too many";
    p->keys[p->n_keys].from_block = k.from_block;
    by = p->keys[p->n_keys == 0 ? 0 : p->n_keys - 1].key;
    p->n_keys++;
    fine = slice_equal_str(k.key_id, public_key_id(p->keys[p->n_keys - 1].key)) &&
           record_write_key(&out, &k) && public_key_signed(by, record_out_slice(&out), signed_by);
    record_out_free(&out);
    return fine ? NULL : "a key of the log is not signed by the one before it";
}

static const char *read_keys(struct prover *p, const struct trusted_keys *trusted)
{
    const char *values[] = {p->book_id.text};
    PGresult *r = db_query(p->db,
                           "SELECT from_block, key_id, public_key, " SQL_US(
                               "created_at") ", signature FROM log_key"
                                             " WHERE book_id = $1::int4 ORDER BY from_block",
                           1, values);
    const char *wrong = r == NULL ? "" : NULL;

    for (int i = 0; wrong == NULL && i < PQntuples(r); i++)
        wrong = take_key(p, r, i);
    if (wrong == NULL && p->n_keys > 0) {
        snprintf(p->out->first_key, KEY_ID_SIZE, "%s", public_key_id(p->keys[0].key));
        p->out->trusted =
            trusted != NULL && trusted_keys_find(trusted, public_key_raw(p->keys[0].key)) != NULL;
        if (trusted != NULL && trusted->n > 0 && !p->out->trusted)
            wrong = "the book's first key is none of those given with --key";
    }
    PQclear(r);
    return wrong;
}

/* Its place, if it is in force for the block, or (head) for a later one; -1. */
static int find_key(const struct prover *p, const char *key_id, int64_t block_no, bool head)
{
    for (size_t i = 0; i < p->n_keys; i++) {
        bool begun = p->keys[i].from_block <= block_no;
        bool over = i + 1 < p->n_keys && p->keys[i + 1].from_block <= block_no;

        if (strcmp(public_key_id(p->keys[i].key), key_id) == 0 && !over && (begun || head))
            return (int)i;
    }
    return -1;
}

/* ---------------------------------------------------------------- the block */

/* Hashes of the complete subtrees that end with a block, one after the other. */
static bool node_of(void *context, unsigned level, uint64_t last, hash_t *out)
{
    struct prover *p = context;
    struct number_text numbers[] = {number_text((int64_t)last), number_text((int64_t)level)};
    const char *values[] = {p->book_id.text, numbers[0].text, numbers[1].text};
    struct slice bytes;
    PGresult *r = db_query(p->db,
                           "SELECT substring(nodes, $3::int4 * 32 + 1, 32) FROM block_seal"
                           " WHERE book_id = $1::int4 AND block_no = $2::int8",
                           3, values);
    bool found = r != NULL && PQntuples(r) == 1 &&
                 trail_bytes(r, 0, 0, out->b, HASH_BYTES, &bytes) && bytes.len == HASH_BYTES;

    p->failed = p->failed || r == NULL;
    PQclear(r);
    return found;
}

/* The tree over the stored leaves, with the journal's own in its place. */
static const char *check_leaves(struct prover *p, const PGresult *r, int64_t seq, hash_t *root)
{
    const char *hex = PQgetvalue(r, 0, 4);
    size_t n = strlen(hex) < 2 ? 0 : (strlen(hex) - 2) / (2 * HASH_BYTES);
    size_t count = (size_t)(db_int(r, 0, 1) - db_int(r, 0, 0) + 1);
    unsigned char *leaves = malloc(n * HASH_BYTES + 1);
    struct merkle tree = {0};
    struct slice bytes;
    const char *wrong = NULL;

    if (leaves == NULL)
        return "out of memory";
    p->out->leaf_index = seq - db_int(r, 0, 0);
    p->out->leaves = (int64_t)n;
    if (!trail_bytes(r, 0, 4, leaves, n * HASH_BYTES, &bytes) || n != count ||
        p->out->leaf_index < 0 || (size_t)p->out->leaf_index >= n)
        wrong = "the block's seal has another number of leaves than the block has journals";
    else if (memcmp(leaves + p->out->leaf_index * HASH_BYTES, p->out->leaf.b, HASH_BYTES) != 0)
        wrong = "the journal's record has another hash than its leaf: it is not what was sealed";
    for (size_t i = 0; wrong == NULL && i < n; i++) {
        hash_t leaf;

        memcpy(leaf.b, leaves + i * HASH_BYTES, HASH_BYTES);
        (void)merkle_append(&tree, p->sha, &leaf, NULL);
    }
    if (wrong == NULL)
        *root = merkle_root(&tree, p->sha);
    free(leaves);
    return wrong;
}

static const char *check_block(struct prover *p, const PGresult *r, int64_t seq)
{
    unsigned char stored_root[HASH_BYTES];
    unsigned char signature[RECORD_SIGNATURE_BYTES];
    struct slice root;
    struct slice signed_by;
    hash_t prev = {{0}};
    hash_t own;
    struct record_out out = {0};
    struct record_block block = {.book = slice_str(p->book->code),
                                 .block_no = p->out->block_no,
                                 .first_seq = db_int(r, 0, 0),
                                 .last_seq = db_int(r, 0, 1),
                                 .committed_at_us = db_int(r, 0, 2)};
    const char *wrong = check_leaves(p, r, seq, &p->out->journal_root);
    int key = find_key(p, PQgetvalue(r, 0, 5), p->out->block_no, false);

    if (wrong != NULL)
        return wrong;
    if (!trail_bytes(r, 0, 3, stored_root, HASH_BYTES, &root) ||
        !slice_equal(root, slice_of(p->out->journal_root.b, HASH_BYTES)))
        return "the leaves do not come to the block's journal root";
    if (block.block_no > 1 && !node_of(p, 0, (uint64_t)block.block_no - 1, &prev))
        return p->failed ? "" : "the block before it has no seal";
    block.journal_root = root;
    block.prev = slice_of(prev.b, HASH_BYTES);
    if (!record_write_block(&out, &block) ||
        !trail_bytes(r, 0, 6, signature, sizeof signature, &signed_by))
        wrong = "the block makes no record";
    if (wrong == NULL)
        p->out->block_hash = merkle_leaf(p->sha, record_out_slice(&out));
    if (wrong == NULL &&
        (!node_of(p, 0, (uint64_t)block.block_no, &own) || !hash_equal(&own, &p->out->block_hash)))
        wrong = p->failed ? "" : "the block's record has another hash than its seal";
    if (wrong == NULL && key < 0)
        wrong = "the block is sealed with a key that is not in force for it";
    if (wrong == NULL && !public_key_signed(p->keys[key].key, record_out_slice(&out), signed_by))
        wrong = "the block's signature is not by its key";
    if (wrong == NULL)
        snprintf(p->out->block_key, KEY_ID_SIZE, "%s", public_key_id(p->keys[key].key));
    record_out_free(&out);
    return wrong;
}

/* ---------------------------------------------------------------- the tree head */

static const char *check_head(struct prover *p, const PGresult *r)
{
    unsigned char root[HASH_BYTES];
    unsigned char signature[RECORD_SIGNATURE_BYTES];
    struct slice signed_by;
    struct record_out out = {0};
    hash_t path[MERKLE_PROOF_MAX];
    struct record_tree_head head = {.book = slice_str(p->book->code),
                                    .tree_size = db_int(r, 0, 0),
                                    .signed_at_us = db_int(r, 0, 2)};
    int key = find_key(p, PQgetvalue(r, 0, 3), head.tree_size, true);
    const char *wrong = NULL;

    if (key < 0)
        return "the tree head is signed with a key that is not in force for it";
    p->out->tree_size = head.tree_size;
    timefmt_rfc3339(head.signed_at_us, p->out->head_at);
    if (!trail_bytes(r, 0, 1, root, sizeof root, &head.root) || head.root.len != HASH_BYTES ||
        !trail_bytes(r, 0, 4, signature, sizeof signature, &signed_by) ||
        !record_write_tree_head(&out, &head))
        wrong = "the tree head makes no record";
    else if (!public_key_signed(p->keys[key].key, record_out_slice(&out), signed_by))
        wrong = "the tree head's signature is not by its key";
    record_out_free(&out);
    if (wrong != NULL)
        return wrong;
    memcpy(p->out->root.b, root, HASH_BYTES);
    snprintf(p->out->head_key, KEY_ID_SIZE, "%s", public_key_id(p->keys[key].key));
    if (!merkle_inclusion_proof(p->sha, (uint64_t)p->out->block_no - 1, (uint64_t)head.tree_size,
                                node_of, p, path, &p->out->path))
        return p->failed ? "" : "a node of the tree is missing";
    if (!merkle_inclusion_holds(p->sha, &p->out->block_hash, (uint64_t)p->out->block_no - 1,
                                (uint64_t)head.tree_size, path, p->out->path, &p->out->root))
        return "the way from the block does not come to the tree head's root";
    return NULL;
}

/* ---------------------------------------------------------------- all of it */

static enum proof_result check(struct prover *p, int64_t seq, const struct trusted_keys *trusted)
{
    struct number_text number = number_text(seq);
    const char *values[] = {p->book_id.text, number.text};
    struct record_out record = {0};
    PGresult *head = NULL;
    enum proof_result result = PROOF_HOLDS;
    const char *wrong;
    PGresult *r = db_query(
        p->db,
        "SELECT k.first_seq, k.last_seq, " SQL_US(
            "k.committed_at") ", s.journal_root, s.leaves, s.key_id, s.signature, k.block_no,"
                              "       s.block_no IS NOT NULL FROM journal j JOIN block k USING (book_id, block_no)"
                              "  LEFT JOIN block_seal s USING (book_id, block_no) WHERE j.book_id = $1::int4 AND j.seq = $2::int8",
        2, values);

    if (r == NULL)
        return PROOF_FAILED;
    if (PQntuples(r) != 1) {
        PQclear(r);
        return broken(p, "its block is missing");
    }
    p->out->block_no = db_int(r, 0, 7);
    if (strcmp(PQgetvalue(r, 0, 8), "t") != 0) {
        PQclear(r);
        return PROOF_NOT_SEALED;
    }
    wrong = read_keys(p, trusted);
    if (wrong == NULL)
        wrong = trail_record(p->db, p->book, seq, p->sha, &record);
    if (wrong == NULL) {
        p->out->leaf = merkle_leaf(p->sha, record_out_slice(&record));
        wrong = check_block(p, r, seq);
    }
    if (wrong == NULL) {
        head =
            db_query(p->db,
                     "SELECT tree_size, root, " SQL_US(
                         "signed_at") ", key_id, signature FROM tree_head"
                                      " WHERE book_id = $1::int4 ORDER BY tree_size DESC LIMIT 1",
                     1, values);
        if (head == NULL)
            wrong = "";
        else if (PQntuples(head) == 0 || db_int(head, 0, 0) < p->out->block_no)
            result = PROOF_NO_HEAD;
        else
            wrong = check_head(p, head);
    }
    PQclear(head);
    PQclear(r);
    record_out_free(&record);
    return wrong == NULL ? result : broken(p, wrong);
}

enum proof_result proof_check(struct db *db, const struct book *book, int64_t seq,
                              const struct trusted_keys *trusted, struct proof *out)
{
    struct prover *p = calloc(1, sizeof *p);
    enum proof_result result = PROOF_FAILED;

    *out = (struct proof){0};
    if (p != NULL && (p->sha = sha256_new()) != NULL) {
        p->db = db;
        p->book = book;
        p->book_id = number_text(book->book_id);
        p->out = out;
        result = check(p, seq, trusted);
    } else {
        complain("out of memory");
    }
    for (size_t i = 0; p != NULL && i < p->n_keys; i++)
        public_key_free(&p->keys[i].key);
    if (p != NULL)
        sha256_free(&p->sha);
    free(p);
    return result;
}
