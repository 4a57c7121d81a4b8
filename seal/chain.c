#include "seal/chain.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    BLOCKS_MAX = 4096,            /* blocks of one transaction */
    PASS_JOURNALS_MAX = 32768,    /* and journals, if it has more than one block */
    BLOCK_JOURNALS_MAX = 1 << 20, /* of a block that we can seal: 32 MiB of hashes */
};

/* ---------------------------------------------------------------- memory */

err_t seal_bench_init(struct seal_bench *b)
{
    *b = (struct seal_bench){0};
    params_init(&b->params);
    params_init(&b->seals);
    seal_record_init(&b->record);
    b->blocks = calloc(BLOCKS_MAX, sizeof *b->blocks);
    b->again = calloc(SEAL_RUN_MAX, sizeof *b->again);
    err_t err = b->blocks == NULL || b->again == NULL ? err_make(ERR_NO_MEMORY, "sealer")
                                                      : seal_hasher_new(&b->h);
    if (!err_failed(err))
        err = seal_reader_new(b->h, &b->reader);
    if (err_failed(err))
        seal_bench_deinit(b);
    return err;
}

void seal_bench_deinit(struct seal_bench *b)
{
    seal_reader_free(&b->reader);
    seal_hasher_free(&b->h);
    params_deinit(&b->params);
    params_deinit(&b->seals);
    seal_record_deinit(&b->record);
    free(b->blocks);
    free(b->leaves);
    free(b->again);
    b->blocks = NULL;
    b->leaves = NULL;
    b->again = NULL;
}

void seal_chain_deinit(struct seal_chain *c)
{
    seal_book_deinit(&c->book);
    free(c->keys);
    *c = (struct seal_chain){0};
}

static bool room_for_leaves(struct seal_bench *b, size_t n)
{
    if (n <= b->leaves_size)
        return true;
    size_t size = b->leaves_size == 0 ? SEAL_RUN_MAX : b->leaves_size;
    while (size < n)
        size *= 2;
    seal_hash_t *leaves = realloc(b->leaves, size * sizeof *leaves);
    if (leaves == NULL)
        return false;
    b->leaves = leaves;
    b->leaves_size = size;
    return true;
}

/* ---------------------------------------------------------------- keys */

static enum seal_result load_keys(struct seal_chain *c, struct seal_bench *b, struct seal_db *db)
{
    struct rows *rows;
    params_reset(&b->params);
    params_add_int4(&b->params, c->book.book_id);
    enum seal_result result = seal_db_ask(db, "seal_keys", &b->params, &rows);
    if (result != SEAL_OK)
        return result;
    size_t n = (size_t)rows_count(rows);
    free(c->keys);
    c->n_keys = 0;
    c->keys = calloc(n + 1, sizeof *c->keys);
    for (size_t i = 0; c->keys != NULL && i < n; i++) {
        struct seal_key_row *k = &c->keys[i];
        struct slice public_key = rows_text(rows, (int)i, 2);
        k->from_block = rows_int(rows, (int)i, 0);
        assert(public_key.len == sizeof k->public_key); /* a CHECK of the table */
        memcpy(k->public_key, public_key.p, sizeof k->public_key);
        seal_key_id(k->public_key, k->key_id);
        c->n_keys++;
    }
    rows_free(&rows);
    if (c->keys == NULL)
        return seal_db_broken(db, "out of memory");
    return SEAL_OK;
}

/* The key in force for a block; NULL: none is. */
static const struct seal_key_row *key_of(const struct seal_chain *c, int64_t block_no)
{
    const struct seal_key_row *found = NULL;
    for (size_t i = 0; i < c->n_keys && c->keys[i].from_block <= block_no; i++)
        found = &c->keys[i];
    return found;
}

/* ---------------------------------------------------------------- where a chain stands */

struct stored {
    struct seal_chain *chain;
    struct seal_bench *bench;
    struct seal_db *db;
    enum seal_result result;
};

static bool stored_node(void *user, unsigned level, uint64_t index, seal_hash_t *out)
{
    struct stored *s = user;
    struct rows *rows;
    const int64_t block_no = (int64_t)((index + 1) << level);
    params_reset(&s->bench->params);
    params_add_int4(&s->bench->params, s->chain->book.book_id);
    params_add_int8(&s->bench->params, block_no);
    params_add_int4(&s->bench->params, (int32_t)level);
    s->result = seal_db_ask(s->db, "seal_node", &s->bench->params, &rows);
    struct slice node = {0};
    if (s->result == SEAL_OK && rows_count(rows) == 1)
        node = rows_text(rows, 0, 0);
    if (s->result == SEAL_OK && (node.p == NULL || node.len != SEAL_HASH_SIZE))
        s->result = seal_db_broken(s->db, "the seal of block %lld is missing, or has no node %u",
                                   (long long)block_no, level);
    else if (s->result == SEAL_OK)
        memcpy(out->b, node.p, SEAL_HASH_SIZE);
    rows_free(&rows);
    return s->result == SEAL_OK;
}

/* Leaf hashes of the blocks' journals, from rows. */
static enum seal_result leaves_of_rows(struct seal_chain *c, struct seal_bench *b,
                                       struct seal_db *db, const struct seal_block_row *blocks,
                                       size_t n_blocks, seal_hash_t *out)
{
    const int64_t first = blocks[0].first_seq, last = blocks[n_blocks - 1].last_seq;
    size_t at = 0;
    for (int64_t seq = first; seq <= last; seq += SEAL_RUN_MAX) {
        unsigned n = last - seq + 1 < SEAL_RUN_MAX ? (unsigned)(last - seq + 1) : SEAL_RUN_MAX;
        while (blocks[at].last_seq < seq)
            at++;
        enum seal_result result = seal_reader_leaves(b->reader, db, &c->book, blocks + at,
                                                     n_blocks - at, seq, n, out + (seq - first));
        if (result != SEAL_OK)
            return result;
    }
    return SEAL_OK;
}

/* Whether this block, which was handed over, is to be computed from rows too. */
static bool is_sample(struct seal_chain *c, struct seal_bench *b, int64_t block_no)
{
    const struct seal_key_row *key = key_of(c, block_no);
    const int64_t key_from = key == NULL ? 0 : key->from_block;
    if (c->checked_for_key == key_from && key_from != 0 && c->until_check > 0) {
        c->until_check--;
        return false;
    }
    c->checked_for_key = key_from;
    c->until_check = seal_handed_next_check(b->handed);
    return true;
}

/* Of a block that was handed over. *differs: it is not what the rows are, and out is void. */
static enum seal_result leaves_of_handed(struct seal_chain *c, struct seal_bench *b,
                                         struct seal_db *db, const struct seal_block_row *block,
                                         struct slice message, seal_hash_t *out, bool *differs)
{
    const size_t n = (size_t)(block->last_seq - block->first_seq) + 1;
    enum seal_result result = seal_reader_handed(b->reader, db, &c->book, block, message, out);
    *differs = result == SEAL_BROKEN; /* the message is; of the rows nobody has asked yet */
    if (result == SEAL_OK && is_sample(c, b, block->block_no)) {
        result = leaves_of_rows(c, b, db, block, 1, b->again);
        *differs = result == SEAL_OK && memcmp(out, b->again, n * sizeof *out) != 0;
        b->checked++;
    }
    b->from_handed++;
    if (*differs)
        log_error(b->log, "seal.handed_over_differs", log_str("book", c->book.code),
                  log_int("block", block->block_no),
                  log_str("problem", result == SEAL_BROKEN ? db->pg.problem
                                                           : "its journals are not the rows'"),
                  log_str("hint", "all is read from rows from now on; run: ujrat-audit verify"));
    return *differs ? SEAL_OK : result;
}

/* Of the blocks' journals into bench->leaves: where a block was handed over from that, else from rows. */
static enum seal_result try_leaves(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                   const struct seal_block_row *blocks, size_t n_blocks,
                                   bool *differs)
{
    const int64_t first = blocks[0].first_seq;
    enum seal_result result = SEAL_OK;
    *differs = false;
    for (size_t i = 0, from = 0; result == SEAL_OK && i <= n_blocks && !*differs; i++) {
        struct slice message = slice_of(NULL, 0);
        if (i < n_blocks && b->handed != NULL)
            message = seal_handed_take(b->handed, c->book.book_id, &blocks[i]);
        if (i < n_blocks && message.p == NULL)
            continue;
        /* Those before it that were not handed over are a run of their own. */
        if (from < i)
            result = leaves_of_rows(c, b, db, blocks + from, i - from,
                                    b->leaves + (blocks[from].first_seq - first));
        if (result == SEAL_OK && i < n_blocks)
            result = leaves_of_handed(c, b, db, &blocks[i], message,
                                      b->leaves + (blocks[i].first_seq - first), differs);
        free((void *)(uintptr_t)message.p);
        from = i + 1;
        /* Whoever hands over waits for nobody: what comes is taken in time, also where the database is not asked. */
        if (i < n_blocks && (blocks[i].first_seq - 1) / 1024 != blocks[i].last_seq / 1024)
            (void)pgblock_wait(&db->meanwhile, -1, 0);
    }
    return result;
}

static enum seal_result make_room(struct seal_bench *b, struct seal_db *db,
                                  const struct seal_block_row *blocks, size_t n_blocks)
{
    int64_t first = blocks[0].first_seq, last = blocks[n_blocks - 1].last_seq;
    if (last < first || last - first >= BLOCK_JOURNALS_MAX + PASS_JOURNALS_MAX)
        return seal_db_broken(db, "block %lld has more journals than can be sealed",
                              (long long)blocks[n_blocks - 1].block_no);
    if (!room_for_leaves(b, (size_t)(last - first + 1)))
        return seal_db_broken(db, "out of memory");
    return SEAL_OK;
}

static enum seal_result read_leaves(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                    const struct seal_block_row *blocks, size_t n_blocks)
{
    bool differs = false;
    enum seal_result result = make_room(b, db, blocks, n_blocks);
    if (result == SEAL_OK)
        result = try_leaves(c, b, db, blocks, n_blocks, &differs);
    if (result == SEAL_OK && differs) {
        /* Nor are those believed that agreed, or were not looked at, on the way here. */
        seal_handed_distrust(b->handed);
        result = leaves_of_rows(c, b, db, blocks, n_blocks, b->leaves);
    }
    return result;
}

/* The block's record into bench->record, its hash, and the root of its journals' leaves. */
static bool make_block(struct seal_chain *c, struct seal_bench *b, const struct seal_block_row *row,
                       const seal_hash_t *leaves, const seal_hash_t *prev,
                       seal_hash_t *journal_root, seal_hash_t *hash)
{
    struct seal_tree journals = {0};
    for (int64_t i = 0; i <= row->last_seq - row->first_seq; i++)
        (void)seal_tree_append(&journals, b->h, &leaves[i], NULL);
    seal_tree_root(&journals, b->h, journal_root);
    seal_record_block(&b->record, &(struct seal_block){
                                      .book = slice_str(c->book.code),
                                      .block_no = row->block_no,
                                      .first_seq = row->first_seq,
                                      .last_seq = row->last_seq,
                                      .committed_at = row->committed_at,
                                      .journal_root = *journal_root,
                                      .prev = *prev,
                                  });
    if (b->record.failed)
        return false;
    seal_hash_leaf(b->h, &b->record, hash);
    return true;
}

static bool same(struct slice stored, const void *computed, size_t len)
{
    return stored.len == len && memcmp(stored.p, computed, len) == 0;
}

enum last_column { L_BLOCK, L_FIRST, L_LAST, L_AT, L_ROOT, L_NODES, L_LEAVES, L_KEY, L_SIGNATURE };

/* The last seal against what its rows come to now. */
static enum seal_result check_last(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                   const struct rows *rows)
{
    struct seal_block_row *last = &c->last;
    struct stored stored = {c, b, db, SEAL_OK};
    seal_hash_t prev = {{0}}, root, nodes[SEAL_LEVELS_MAX + 1];
    *last = (struct seal_block_row){rows_int(rows, 0, L_BLOCK), rows_int(rows, 0, L_FIRST),
                                    rows_int(rows, 0, L_LAST), rows_time_us(rows, 0, L_AT)};
    const long long no = last->block_no;
    if (rows_is_null(rows, 0, L_FIRST))
        return seal_db_broken(db, "block %lld is sealed and not there", no);
    if (!seal_tree_load((uint64_t)no - 1, stored_node, &stored, &c->tree) ||
        (no > 1 && !stored_node(&stored, 0, (uint64_t)no - 2, &prev)))
        return stored.result;
    enum seal_result result = make_room(b, db, last, 1);
    if (result == SEAL_OK)
        result = leaves_of_rows(c, b, db, last, 1, b->leaves);
    if (result != SEAL_OK)
        return result;
    size_t n = (size_t)(last->last_seq - last->first_seq + 1);
    if (!same(rows_text(rows, 0, L_LEAVES), b->leaves, n * SEAL_HASH_SIZE))
        return seal_db_broken(db, "block %lld is not what was sealed: its journals have changed",
                              no);
    if (!make_block(c, b, last, b->leaves, &prev, &root, &c->last_hash))
        return seal_db_broken(db, "out of memory");
    if (!same(rows_text(rows, 0, L_ROOT), root.b, sizeof root.b))
        return seal_db_broken(db, "the seal of block %lld has another journal root", no);
    unsigned n_nodes = seal_tree_append(&c->tree, b->h, &c->last_hash, nodes);
    if (!same(rows_text(rows, 0, L_NODES), nodes, n_nodes * sizeof nodes[0]))
        return seal_db_broken(db, "the seal of block %lld does not follow the seals before it", no);
    const struct seal_key_row *key = key_of(c, no);
    if (key == NULL || !slice_equal_str(rows_text(rows, 0, L_KEY), key->key_id) ||
        !seal_key_verify(slice_of(key->public_key, sizeof key->public_key),
                         seal_record_bytes(&b->record), rows_text(rows, 0, L_SIGNATURE)))
        return seal_db_broken(db, "the signature of block %lld is not one of the key in force", no);
    return SEAL_OK;
}

static enum seal_result check_head(struct seal_chain *c, struct seal_bench *b, struct seal_db *db)
{
    struct rows *rows;
    seal_hash_t root;
    params_reset(&b->params);
    params_add_int4(&b->params, c->book.book_id);
    params_add_int8(&b->params, (int64_t)c->tree.size);
    enum seal_result result = seal_db_ask(db, "seal_head_at", &b->params, &rows);
    seal_tree_root(&c->tree, b->h, &root);
    if (result == SEAL_OK && rows_count(rows) == 1 &&
        !same(rows_text(rows, 0, 0), root.b, sizeof root.b))
        result = seal_db_broken(db, "the tree of %llu blocks has another root than its head says",
                                (unsigned long long)c->tree.size);
    rows_free(&rows);
    return result;
}

enum seal_result seal_chain_load(struct seal_chain *c, struct seal_bench *b, struct seal_db *db)
{
    struct rows *rows;
    c->loaded = false;
    c->tree = (struct seal_tree){0};
    c->last = (struct seal_block_row){0};
    c->last_hash = (seal_hash_t){{0}};
    c->checked_for_key = 0;
    enum seal_result result = load_keys(c, b, db);
    if (result != SEAL_OK)
        return result;
    params_reset(&b->params);
    params_add_int4(&b->params, c->book.book_id);
    result = seal_db_ask(db, "seal_last", &b->params, &rows);
    if (result == SEAL_OK && rows_count(rows) == 1) {
        result = check_last(c, b, db, rows);
        if (result == SEAL_OK)
            result = check_head(c, b, db);
    }
    rows_free(&rows);
    c->loaded = result == SEAL_OK;
    return result;
}

/* ---------------------------------------------------------------- on */

/* Blocks that follow, as many as a pass takes, into bench->blocks. */
static enum seal_result read_blocks(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                    int64_t upto, size_t *n)
{
    struct rows *rows;
    const struct seal_block_row *before = &c->last;
    *n = 0;
    params_reset(&b->params);
    params_add_int4(&b->params, c->book.book_id);
    params_add_int8(&b->params, c->last.block_no);
    params_add_int8(&b->params, upto);
    params_add_int8(&b->params, BLOCKS_MAX);
    enum seal_result result = seal_db_ask(db, "seal_blocks_after", &b->params, &rows);
    for (int i = 0; result == SEAL_OK && i < rows_count(rows); i++) {
        struct seal_block_row *row = &b->blocks[*n];
        *row = (struct seal_block_row){rows_int(rows, i, 0), rows_int(rows, i, 1),
                                       rows_int(rows, i, 2), rows_time_us(rows, i, 3)};
        if (row->block_no != before->block_no + 1 || row->first_seq != before->last_seq + 1 ||
            row->last_seq < row->first_seq ||
            (before->block_no > 0 && row->committed_at <= before->committed_at))
            result = seal_db_broken(db, "block %lld does not follow block %lld",
                                    (long long)row->block_no, (long long)before->block_no);
        else if (*n > 0 && row->last_seq - b->blocks[0].first_seq >= PASS_JOURNALS_MAX)
            break;
        before = row;
        (*n)++;
    }
    if (result == SEAL_OK && *n == 0)
        result = seal_db_broken(db, "block %lld is missing", (long long)c->last.block_no + 1);
    rows_free(&rows);
    return result;
}

/* How many of the blocks there is a private key for; *missing: the key there is none for, of the next. */
static size_t signable(const struct seal_chain *c, const struct seal_keyring *ring,
                       const struct seal_block_row *blocks, size_t n,
                       const struct seal_key_row **missing)
{
    static const struct seal_key_row no_key = {.key_id = ""};
    *missing = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct seal_key_row *key = key_of(c, blocks[i].block_no);
        if (key == NULL || seal_keyring_find(ring, key->key_id) == NULL) {
            *missing = key == NULL ? &no_key : key;
            return i;
        }
    }
    return n;
}

/* Adds a seal to bench->seals: ledger/schema/0002_log.sql, block_seal_draft. */
static enum seal_result seal_block(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                   const struct seal_keyring *ring,
                                   const struct seal_block_row *row, const seal_hash_t *leaves)
{
    seal_hash_t root, hash, nodes[SEAL_LEVELS_MAX + 1];
    unsigned char signature[SEAL_SIGNATURE_SIZE];
    const struct seal_key *key = seal_keyring_find(ring, key_of(c, row->block_no)->key_id);
    if (!make_block(c, b, row, leaves, &c->last_hash, &root, &hash) ||
        err_failed(seal_key_sign(key, seal_record_bytes(&b->record), signature)))
        return seal_db_broken(db, "out of memory");
    unsigned n_nodes = seal_tree_append(&c->tree, b->h, &hash, nodes);
    assert(c->tree.size == (uint64_t)row->block_no);
    params_row_begin(&b->seals, 6);
    params_row_int8(&b->seals, row->block_no);
    params_row_bytea(&b->seals, slice_of(root.b, sizeof root.b));
    params_row_bytea(&b->seals, slice_of(nodes, n_nodes * sizeof nodes[0]));
    params_row_bytea(
        &b->seals, slice_of(leaves, (size_t)(row->last_seq - row->first_seq + 1) * sizeof *leaves));
    params_row_text(&b->seals, slice_str(seal_key_name(key)));
    params_row_bytea(&b->seals, slice_of(signature, sizeof signature));
    params_row_end(&b->seals);
    c->last_hash = hash;
    c->last = *row;
    return SEAL_OK;
}

/* The head of the tree as it now is, behind the seals; then all is written in one call. */
static enum seal_result write_seals(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                    const struct seal_keyring *ring, int64_t now_us)
{
    struct rows *rows;
    struct seal_tree_head head = {
        .book = slice_str(c->book.code), .tree_size = (int64_t)c->tree.size, .signed_at = now_us};
    unsigned char signature[SEAL_SIGNATURE_SIZE];
    const struct seal_key *key = seal_keyring_find(ring, key_of(c, c->last.block_no)->key_id);
    seal_tree_root(&c->tree, b->h, &head.root);
    seal_record_tree_head(&b->record, &head);
    if (b->record.failed ||
        err_failed(seal_key_sign(key, seal_record_bytes(&b->record), signature)))
        return seal_db_broken(db, "out of memory");
    params_add_text(&b->seals, slice_of(head.root.b, sizeof head.root.b));
    params_add_time_us(&b->seals, now_us);
    params_add_text(&b->seals, slice_str(seal_key_name(key)));
    params_add_text(&b->seals, slice_of(signature, sizeof signature));
    enum seal_result result = seal_db_ask(db, "seal_write", &b->seals, &rows);
    rows_free(&rows);
    return result;
}

static enum seal_result advance(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                const struct seal_keyring *ring, int64_t upto, int64_t now_us,
                                unsigned *sealed, const struct seal_key_row **missing)
{
    size_t n = 0;
    enum seal_result result = read_blocks(c, b, db, upto, &n);
    if (result != SEAL_OK)
        return result;
    n = signable(c, ring, b->blocks, n, missing);
    if (n == 0)
        return SEAL_OK;
    result = read_leaves(c, b, db, b->blocks, n);
    if (result != SEAL_OK)
        return result;
    params_reset(&b->seals);
    params_add_int4(&b->seals, c->book.book_id);
    params_array_begin(&b->seals, LEDGER_TYPE_BLOCK_SEAL_DRAFT);
    for (size_t i = 0; result == SEAL_OK && i < n; i++)
        result = seal_block(c, b, db, ring, &b->blocks[i],
                            b->leaves + (b->blocks[i].first_seq - b->blocks[0].first_seq));
    if (result != SEAL_OK)
        return result;
    params_array_end(&b->seals);
    result = write_seals(c, b, db, ring, now_us);
    if (result == SEAL_OK)
        *sealed = (unsigned)n;
    return result;
}

enum seal_result seal_chain_advance(struct seal_chain *c, struct seal_bench *b, struct seal_db *db,
                                    const struct seal_keyring *ring, int64_t upto, int64_t now_us,
                                    unsigned *sealed, const struct seal_key_row **missing)
{
    assert(c->loaded);
    *sealed = 0;
    *missing = NULL;
    if (upto <= c->last.block_no)
        return SEAL_OK;
    enum seal_result result = advance(c, b, db, ring, upto, now_us, sealed, missing);
    c->loaded = result == SEAL_OK;
    return result;
}
