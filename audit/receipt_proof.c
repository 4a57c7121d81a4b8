/* The proofs of a receipt: hashes, paths, signatures, and whose key it all ends with. */
#include "audit/receipt.h"

#include <stdio.h>
#include <string.h>

static struct slice bytes(const struct receipt_bytes *b)
{
    return slice_of(b->p, b->len);
}

const struct receipt_key *receipt_key_for(const struct receipt *r, int64_t block_no)
{
    const struct receipt_key *found = NULL;

    for (size_t i = 0; i < r->n_keys; i++)
        if (r->keys[i].said.from_block <= block_no &&
            (found == NULL || r->keys[i].said.from_block > found->said.from_block))
            found = &r->keys[i];
    return found;
}

/* Each key is signed by the one before, the first by itself. */
static void check_keys(const struct receipt *r, const struct trusted_keys *trusted,
                       struct receipt_findings *findings)
{
    bool given = false;
    char where[RECEIPT_WHERE_SIZE];

    for (size_t i = 0; i < r->n_keys; i++) {
        const struct receipt_key *k = &r->keys[i];
        const struct receipt_key *by = i == 0 ? k : k - 1;

        (void)snprintf(where, sizeof where, "keys[%zu].signature", i);
        if (!public_key_signed(by->key, bytes(&k->record), bytes(&k->signature)))
            receipt_find(findings, where, "it is not by key %s of the record", by->key_id);
        (void)snprintf(where, sizeof where, "keys[%zu].record", i);
        if (!slice_equal_str(k->said.key_id, k->key_id))
            receipt_find(findings, where, "the name of its key is not what its bytes give, %s",
                         k->key_id);
        if (!slice_equal(k->said.book, r->head.book))
            receipt_find(findings, where, "a key of another book");
        if (i == 0 ? k->said.from_block != 1 : k->said.from_block <= by->said.from_block)
            receipt_find(findings, where, "it is in force from block %lld, out of order",
                         (long long)k->said.from_block);
        given = given || trusted_keys_find(trusted, k->said.public_key) != NULL;
    }
    if (!given)
        receipt_find(findings, "keys",
                     "none of them is a key that you gave: it proves nothing to you");
}

/* The key that signed the head is one of the list's, in force for the last block or later, and the auditor's or after. */
static void check_head(const struct receipt *r, const struct trusted_keys *trusted,
                       struct receipt_findings *findings)
{
    const json_t *head = json_object_get(r->json, "tree_head");
    const char *key_id = json_string_value(json_object_get(head, "key_id"));
    const struct receipt_key *in_force = receipt_key_for(r, r->head.tree_size);
    bool trusted_by_now = false;

    for (size_t i = 0; i < r->n_keys; i++) {
        const struct receipt_key *k = &r->keys[i];

        trusted_by_now = trusted_by_now || trusted_keys_find(trusted, k->said.public_key) != NULL;
        if (key_id == NULL || !slice_equal_str(slice_str(key_id), k->key_id))
            continue;
        if (in_force == NULL || k->said.from_block < in_force->said.from_block)
            receipt_find(findings, "tree_head.key_id", "that key was not in force any more");
        if (!trusted_by_now)
            receipt_find(findings, "tree_head.key_id",
                         "a key from before the one that you gave, which does not vouch for it");
        if (!public_key_signed(k->key, bytes(&r->head_record), bytes(&r->head_signature)))
            receipt_find(findings, "tree_head.signature", "it is not by key %s of the record",
                         k->key_id);
        return;
    }
    receipt_find(findings, "tree_head.key_id", "there is no such key among the keys");
}

static void check_block(struct receipt *r, size_t i, struct sha256 *sha,
                        struct receipt_findings *findings)
{
    struct receipt_block *b = &r->blocks[i];
    const struct receipt_key *k = receipt_key_for(r, b->said.block_no);
    hash_t root;
    char where[RECEIPT_WHERE_SIZE];

    b->hash = merkle_leaf(sha, bytes(&b->record));
    memcpy(root.b, r->head.root.p, HASH_BYTES);
    (void)snprintf(where, sizeof where, "blocks[%zu]", i);
    if (!slice_equal(b->said.book, r->head.book))
        receipt_find(findings, where, "its record is of another book than the tree head's");
    if (b->said.block_no < 1 || b->said.block_no > r->head.tree_size)
        receipt_find(findings, where, "block %lld is not among the %lld of the tree head",
                     (long long)b->said.block_no, (long long)r->head.tree_size);
    else if (!merkle_inclusion_holds(sha, &b->hash, (uint64_t)b->said.block_no - 1,
                                     (uint64_t)r->head.tree_size, b->path, b->n_path, &root))
        receipt_find(findings, where, "its record and path do not lead to the tree head's root");
    if (k == NULL || !public_key_signed(k->key, bytes(&b->record), bytes(&b->signature)))
        receipt_find(findings, where, "its signature is not by the key in force, %s",
                     k == NULL ? "which is missing" : k->key_id);
}

static void check_journal(struct receipt *r, size_t i, struct sha256 *sha,
                          struct receipt_findings *findings)
{
    struct receipt_journal *j = &r->journals[i];
    const struct receipt_block *b = NULL;
    hash_t root;
    char where[RECEIPT_WHERE_SIZE];

    j->leaf = merkle_leaf(sha, bytes(&j->record));
    j->block = -1;
    (void)snprintf(where, sizeof where, "journals[%zu]", i);
    for (size_t at = 0; at < r->n_blocks && b == NULL; at++)
        if (r->blocks[at].said.block_no == j->said.block_no) {
            b = &r->blocks[at];
            j->block = (int)at;
        }
    if (b == NULL) {
        receipt_find(findings, where, "its block %lld is not among the blocks",
                     (long long)j->said.block_no);
        return;
    }
    if (!slice_equal(j->said.book, b->said.book))
        receipt_find(findings, where, "its record is of another book than its block's");
    if (j->said.committed_at_us != b->said.committed_at_us)
        receipt_find(findings, where, "its record has another time than its block's");
    memcpy(root.b, b->said.journal_root.p, HASH_BYTES);
    if (j->said.seq < b->said.first_seq || j->said.seq > b->said.last_seq || b->said.first_seq < 1)
        receipt_find(findings, where, "journal %lld is not one of block %lld",
                     (long long)j->said.seq, (long long)b->said.block_no);
    else if (!merkle_inclusion_holds(sha, &j->leaf, (uint64_t)(j->said.seq - b->said.first_seq),
                                     (uint64_t)(b->said.last_seq - b->said.first_seq) + 1, j->path,
                                     j->n_path, &root))
        receipt_find(findings, where,
                     "its record and path do not lead to the journal root of block %lld",
                     (long long)b->said.block_no);
}

void receipt_check_proofs(struct receipt *r, const struct trusted_keys *trusted, struct sha256 *sha,
                          struct receipt_findings *findings)
{
    check_keys(r, trusted, findings);
    check_head(r, trusted, findings);
    for (size_t i = 0; i < r->n_blocks; i++)
        check_block(r, i, sha, findings);
    for (size_t i = 0; i < r->n_journals; i++)
        check_journal(r, i, sha, findings);
    for (size_t i = 1; i < r->n_blocks; i++)
        if (r->blocks[i].said.block_no <= r->blocks[i - 1].said.block_no)
            receipt_find(findings, "blocks", "they are out of order");
}
