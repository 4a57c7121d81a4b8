#include "audit/verify_book.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/timefmt.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_CACHE_BYTES (32U << 20)
#define PATH_SIZE          4096
#define SEQ_MASK           ((1ULL << 56) - 1)

/* ---------------------------------------------------------------- findings */

void verify_add(struct verify *v, const struct finding *finding)
{
    struct book_result *r = v->book.result;

    v->n_all_findings++;
    v->book.given_up = !v->options.all;
    if (r != NULL && ++r->findings > FINDINGS_MAX)
        return;
    if (v->n_findings == v->findings_size) {
        size_t size = v->findings_size == 0 ? 64 : v->findings_size * 2;
        struct finding *store = realloc(v->findings, size * sizeof *store);
        if (store == NULL) {
            v->error = err_make(ERR_NO_MEMORY, "findings");
            return;
        }
        v->findings = store;
        v->findings_size = size;
    }
    v->findings[v->n_findings++] = *finding;
}

void verify_wrong(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                  const char *expected, const char *found, const char *format, ...)
{
    struct finding f = {.seq = seq, .block_no = block_no};
    va_list list;

    if (v->book.given_up)
        return;
    snprintf(f.book, sizeof f.book, "%s", v->book.code);
    snprintf(f.field, sizeof f.field, "%s", field);
    snprintf(f.expected, sizeof f.expected, "%s", expected);
    snprintf(f.found, sizeof f.found, "%s", found);
    va_start(list, format);
    vsnprintf(f.text, sizeof f.text, format, list);
    va_end(list);
    verify_add(v, &f);
}

void verify_wrong_int(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                      int64_t expected, int64_t found, const char *text)
{
    char want[STR_INT64_SIZE];
    char have[STR_INT64_SIZE];

    (void)str_format_int64(expected, want);
    (void)str_format_int64(found, have);
    verify_wrong(v, seq, block_no, field, want, have, "%s", text);
}

static void wrong_hash(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                       struct slice expected, struct slice found, const char *text)
{
    char want[HEX_SIZE(HASH_BYTES)] = "";
    char have[HEX_SIZE(HASH_BYTES)] = "";

    if (expected.len <= HASH_BYTES)
        (void)hex_encode(expected.p, expected.len, want);
    if (found.len <= HASH_BYTES)
        (void)hex_encode(found.p, found.len, have);
    verify_wrong(v, seq, block_no, field, want, have, "%s", text);
}

static void wrong_time(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                       int64_t expected, int64_t found, const char *text)
{
    char want[TIMEFMT_SIZE];
    char have[TIMEFMT_SIZE];

    verify_wrong(v, seq, block_no, field, timefmt_rfc3339(expected, want),
                 timefmt_rfc3339(found, have), "%s", text);
}

const struct finding *verify_findings(const struct verify *v, size_t *n)
{
    *n = v->n_findings;
    return v->findings;
}

uint64_t verify_findings_count(const struct verify *v)
{
    return v->n_all_findings;
}

const struct book_result *verify_books(const struct verify *v, size_t *n)
{
    *n = v->n_books;
    return v->books;
}

uint64_t verify_lines(const struct verify *v)
{
    return v->lines;
}

bool verify_gave_up(const struct verify *v)
{
    return v->book.open && v->book.given_up;
}

bool verify_between_blocks(const struct verify *v)
{
    return v->book.open && v->book.between && v->n_all_findings == 0;
}

/* ---------------------------------------------------------------- begin and end */

err_t verify_new(const struct verify_options *options, struct known *known, struct sha256 *sha,
                 struct verify **out)
{
    struct verify *v = calloc(1, sizeof *v);

    if (v == NULL)
        return err_make(ERR_NO_MEMORY, "verify");
    v->books = calloc(VERIFY_BOOKS_MAX, sizeof *v->books);
    if (v->books == NULL) {
        free(v);
        return err_make(ERR_NO_MEMORY, "verify");
    }
    v->options = *options;
    v->known = known;
    v->sha = sha;
    v->error = err_none();
    *out = v;
    return err_none();
}

static void close_book(struct verify *v)
{
    if (v->book.open && v->options.state_path != NULL && !err_failed(v->error)) {
        v->error = pages_sync(v->book.memory);
        if (!err_failed(v->error))
            v->error = once_sync(v->book.once);
    }
    for (size_t i = 0; i < v->book.n_keys; i++)
        public_key_free(&v->book.keys[i].key);
    v->book.n_keys = 0;
    pages_close(&v->book.memory);
    once_close(&v->book.once);
    v->book.open = false;
}

void verify_free(struct verify **verify)
{
    struct verify *v = *verify;

    if (v == NULL)
        return;
    close_book(v);
    for (size_t i = 0; i < v->n_resume; i++)
        free(v->resume[i].accounts);
    free(v->resume);
    free(v->findings);
    free(v->books);
    free(v);
    *verify = NULL;
}

err_t verify_open_files(struct verify *v, uint64_t once_kept)
{
    char memory[PATH_SIZE];
    char once[PATH_SIZE];
    bool named = v->options.state_path != NULL;
    err_t err;

    snprintf(memory, sizeof memory, "%s.%s.journals", named ? v->options.state_path : "",
             v->book.code);
    snprintf(once, sizeof once, "%s.%s.references", named ? v->options.state_path : "",
             v->book.code);
    if (once_kept > 0 && named && access(memory, F_OK) != 0)
        return err_sys("what an earlier run remembered of the journals");
    err = pages_open(named ? memory : NULL, sizeof(struct memory), MEMORY_CACHE_BYTES,
                     &v->book.memory);
    if (!err_failed(err))
        err = once_open(named ? once : NULL, once_kept, &v->book.once);
    return err;
}

/* Takes up where an earlier run was: its numbers now, its balances when the accounts are known. */
static const struct checkpoint_book *resumed(const struct verify *v, struct slice book)
{
    for (size_t i = 0; i < v->n_resume; i++)
        if (slice_equal_str(book, v->resume[i].code))
            return &v->resume[i];
    return NULL;
}

int64_t verify_skip_blocks(void *verify, struct slice book)
{
    const struct checkpoint_book *c = resumed(verify, book);

    return c == NULL ? 0 : c->block_no;
}

static void find_witness(struct verify *v)
{
    const struct witness_heads *w = v->options.witness;

    v->book.witness_at = 0;
    while (w != NULL && v->book.witness_at < w->n &&
           strcmp(w->heads[v->book.witness_at].book, v->book.code) < 0)
        v->book.witness_at++;
}

static void open_book(struct verify *v, const struct record_book *r)
{
    struct book *b = &v->book;
    const struct checkpoint_book *c = resumed(v, r->code);
    bool sound = r->code.len > 0 && r->code.len < BOOK_SIZE;

    for (size_t i = 0; sound && i < r->code.len; i++)
        sound = char_is_lower(r->code.p[i]) || char_is_digit(r->code.p[i]) || r->code.p[i] == '-';
    memset(b, 0, sizeof *b);
    b->open = true;
    b->last_account = -1;
    if (!sound || v->n_books == VERIFY_BOOKS_MAX) {
        v->error = err_make(ERR_INVALID, "a book's code is not one, or there are too many books");
        return;
    }
    memcpy(b->code, r->code.p, r->code.len);
    for (size_t i = 0; i < v->n_books; i++)
        if (strcmp(v->books[i].book, b->code) == 0) {
            b->result = &v->books[i];
            verify_wrong(v, 0, 0, "book", "once", "twice", "the book is in the log twice");
            b->open = false;
            return;
        }
    b->result = &v->books[v->n_books++];
    if (c != NULL) {
        *b->result = c->result;
        b->skip_blocks = c->block_no;
        b->skip_root = c->root;
    }
    memcpy(b->result->book, b->code, sizeof b->result->book);
    b->result->witnessed = 0;
    find_witness(v);
    v->error = verify_open_files(v, c == NULL ? 0 : c->once_count);
}

static void end_witness(struct verify *v)
{
    const struct witness_heads *w = v->options.witness;
    struct book *b = &v->book;

    if (w == NULL || b->witness_at == w->n || strcmp(w->heads[b->witness_at].book, b->code) != 0)
        return;
    verify_wrong(v, 0, w->heads[b->witness_at].tree_size, "witness", "at least so many blocks",
                 "fewer", "the witness saw %lld blocks (line %u of its file), the log has %lld",
                 (long long)w->heads[b->witness_at].tree_size, w->heads[b->witness_at].line,
                 (long long)b->tree.size);
}

static void end_head(struct verify *v)
{
    struct book *b = &v->book;
    struct book_result *r = b->result;

    if (b->tree.size == 0)
        return;
    if (!r->has_head || (uint64_t)r->head_size != b->tree.size)
        verify_wrong_int(v, 0, (int64_t)b->tree.size, "tree_size", (int64_t)b->tree.size,
                         r->has_head ? r->head_size : 0,
                         "the newest signed tree head does not cover the last sealed block");
    else if (v->options.keys->n > 0 && !r->key_given)
        verify_wrong(v, 0, r->head_size, "key_id", "the key that was given, or one it signed",
                     r->key_id, "the newest tree head is signed by a key that nobody vouches for");
}

static void end_once(struct verify *v)
{
    static const char *const names[] = {"reference", "quote",   "deposit",
                                        "proposal",  "funding", "unclaimed"};
    const char *what = "reference";
    uint64_t first = 0;
    uint64_t again = 0;
    bool found = false;

    v->error = once_check(v->book.once, &found, &first, &again);
    if (!found)
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i][0] == (char)(again >> 56))
            what = names[i];
    first &= SEQ_MASK;
    again &= SEQ_MASK;
    verify_wrong(v, (int64_t)again, 0, what, "used once", "used before",
                 "the same %s as that of seq %llu", what, (unsigned long long)first);
}

static void end_book(struct verify *v)
{
    struct book *b = &v->book;

    if (!b->open)
        return;
    if (b->block_no < b->skip_blocks)
        verify_wrong_int(v, 0, b->skip_blocks, "block_no", b->skip_blocks, b->block_no,
                         "the log has fewer blocks than an earlier run has checked");
    if (!b->given_up && b->first_seq != 0)
        verify_wrong(v, b->seen_seq, b->first_block_no, "block", "the block of these journals",
                     "none", "journals without a block");
    if (!b->given_up)
        end_head(v);
    if (!b->given_up)
        end_witness(v);
    if (!b->given_up && !err_failed(v->error))
        end_once(v);
    b->result->last_seq = b->last_seq;
    if (v->options.book_ended != NULL && !err_failed(v->error))
        v->options.book_ended(v->options.context, b->result);
    close_book(v);
}

/* ---------------------------------------------------------------- keys */

static const struct book_key *key_at(const struct book *b, int64_t block_no)
{
    const struct book_key *found = NULL;

    for (size_t i = 0; i < b->n_keys && b->keys[i].from_block <= block_no; i++)
        found = &b->keys[i];
    return found;
}

static const struct book_key *key_named(const struct book *b, struct slice key_id)
{
    for (size_t i = 0; i < b->n_keys; i++)
        if (slice_equal_str(key_id, public_key_id(b->keys[i].key)))
            return &b->keys[i];
    return NULL;
}

static void take_key(struct verify *v, const struct source_item *item)
{
    const struct record_key *r = &item->key;
    struct book *b = &v->book;
    struct book_key *k = &b->keys[b->n_keys];
    const struct book_key *before = b->n_keys == 0 ? k : k - 1;
    err_t err;

    if (b->n_keys == BOOK_KEYS_MAX) {
        v->error = err_make(ERR_LIMIT, "more keys than fit");
        return;
    }
    *k = (struct book_key){NULL, r->from_block, false};
    err = public_key_new(r->public_key, &k->key);
    if (err.code == ERR_NO_MEMORY) {
        v->error = err;
        return;
    }
    if (err_failed(err)) {
        verify_wrong(v, 0, r->from_block, "public_key", "an Ed25519 key", "none", "%s", err.what);
        return;
    }
    b->n_keys++;
    k->given = trusted_keys_find(v->options.keys, r->public_key) != NULL ||
               (b->n_keys > 1 && before->given);
    for (size_t i = 0; i + 1 < b->n_keys; i++)
        if (slice_equal(public_key_raw(b->keys[i].key), r->public_key))
            verify_wrong(v, 0, r->from_block, "key_id", "another key", public_key_id(k->key),
                         "a key comes into force that was there before");
    if (!slice_equal_str(r->key_id, public_key_id(k->key)))
        verify_wrong(v, 0, r->from_block, "key_id", public_key_id(k->key), "another",
                     "a key is not called what it must be");
    else if (b->n_keys == 1 ? r->from_block != 1 : r->from_block <= before->from_block)
        verify_wrong_int(v, 0, r->from_block, "from_block",
                         b->n_keys == 1 ? 1 : before->from_block + 1, r->from_block,
                         "keys come into force one after the other, the first with block 1");
    else if (!slice_equal_str(item->key_id, public_key_id(before->key)) ||
             !public_key_signed(before->key, item->bytes, item->signature))
        verify_wrong(v, 0, r->from_block, "key: signature", public_key_id(before->key), "another",
                     "the record of key %s is not signed by the key before it",
                     public_key_id(k->key));
}

/* ---------------------------------------------------------------- journals */

static void begin_block(struct book *b)
{
    for (size_t i = 0; i < b->n_touched; i++) {
        struct running *a = &b->accounts[b->touched[i]];
        a->touched = a->balanced = false;
        a->change = a->new_debits = a->new_credits = 0;
    }
    b->n_touched = 0;
    b->journals.size = b->stored.size = 0;
    b->first_seq = 0;
    b->times_differ = false;
    b->leaves_wrong = b->leaves_stored = 0;
    b->leaf_wrong_seq = 0;
    b->last_account = -1;
}

static void take_journal(struct verify *v, const struct source_item *item)
{
    const struct record_journal *j = &item->journal;
    struct book *b = &v->book;
    int64_t next = (b->seen_seq > b->last_seq ? b->seen_seq : b->last_seq) + 1;
    hash_t leaf;

    if (b->block_no < b->skip_blocks) /* seen by an earlier run; its block comes */
        return;
    b->between = false;
    if (j->seq != next)
        verify_wrong_int(v, next, j->block_no, "seq", next, j->seq,
                         "the sequence of the book has a hole, or goes back");
    if (!slice_equal_str(j->book, b->code))
        verify_wrong(v, j->seq, j->block_no, "book", b->code, "another",
                     "a journal of another book");
    if (b->given_up || j->seq < 1)
        return;
    if (b->first_seq == 0) {
        b->first_seq = j->seq;
        b->first_block_no = j->block_no;
        b->first_at_us = j->committed_at_us;
    }
    if (j->block_no != b->block_no + 1)
        verify_wrong_int(v, j->seq, b->block_no + 1, "block_no", b->block_no + 1, j->block_no,
                         "the journal is not of the block it is in");
    if (j->committed_at_us != b->first_at_us)
        wrong_time(v, j->seq, j->block_no, "committed_at", b->first_at_us, j->committed_at_us,
                   "journals of one block have one time");
    b->seen_seq = j->seq;
    leaf = merkle_leaf(v->sha, item->bytes);
    (void)merkle_append(&b->journals, v->sha, &leaf, NULL);
    if (item->leaf.len == HASH_BYTES) {
        hash_t stored;
        memcpy(stored.b, item->leaf.p, HASH_BYTES);
        (void)merkle_append(&b->stored, v->sha, &stored, NULL);
        b->leaves_stored++;
        if (!hash_equal(&stored, &leaf) && b->leaves_wrong++ == 0)
            b->leaf_wrong_seq = j->seq;
    }
    b->result->journals++;
    verify_journal_rules(v, j);
}

/* ---------------------------------------------------------------- balances */

static bool balance_holds(struct verify *v, const struct record_balance *r, const char *field,
                          int64_t expected, int64_t found)
{
    char text[FINDING_TEXT];

    if (expected == found)
        return true;
    snprintf(text, sizeof text, "balance of %.*s: not what its lines come to",
             SLICE_ARG(r->account));
    verify_wrong_int(v, 0, v->book.block_no + 1, field, expected, found, text);
    return false;
}

static void take_balance(struct verify *v, const struct record_balance *r)
{
    struct book *b = &v->book;
    int index = known_account_of(v->known, r->account);
    struct running *a;
    int64_t balance = 0;
    bool right;

    if (b->block_no < b->skip_blocks)
        return;
    b->result->balances++;
    if (index < 0 || r->block_no != b->block_no + 1 || !slice_equal_str(r->book, b->code)) {
        verify_wrong_int(v, 0, r->block_no, "balance: block_no", b->block_no + 1, r->block_no,
                         "a balance of no block, book or account that there is");
        return;
    }
    a = &b->accounts[index];
    if (!a->touched || a->balanced || index <= b->last_account) {
        verify_wrong(v, 0, r->block_no, "balance", "one for each account touched", "another",
                     "balance of %.*s: no line of the block is on it, or it is there twice",
                     SLICE_ARG(r->account));
        return;
    }
    b->last_account = index;
    a->balanced = true;
    right = !__builtin_add_overflow(a->balance, a->change, &balance);
    right = right && balance_holds(v, r, "prev_block_no", a->last_block, r->prev_block_no) &&
            balance_holds(v, r, "balance_before", a->balance, r->balance_before) &&
            balance_holds(v, r, "change", a->change, r->change) &&
            balance_holds(v, r, "balance", balance, r->balance) &&
            balance_holds(v, r, "debit_count", a->debits + a->new_debits, r->debit_count) &&
            balance_holds(v, r, "credit_count", a->credits + a->new_credits, r->credit_count);
    if (right && known_account_at(v->known, index)->floor_zero && balance > 0)
        verify_wrong_int(v, 0, r->block_no, "balance", 0, balance, "the float is below zero");
    /* with --all, what is stored is what the next one follows */
    a->balance = right ? balance : r->balance;
    a->debits = right ? a->debits + a->new_debits : r->debit_count;
    a->credits = right ? a->credits + a->new_credits : r->credit_count;
    a->last_block = r->block_no;
}

static void check_balances(struct verify *v)
{
    struct book *b = &v->book;

    for (size_t i = 0; i < b->n_touched; i++)
        if (!b->accounts[b->touched[i]].balanced) {
            verify_wrong(v, 0, b->block_no + 1, "balance", "one for each account touched",
                         "missing", "balance of %s is missing",
                         known_account_at(v->known, b->touched[i])->code);
            return;
        }
}

/* ---------------------------------------------------------------- blocks */

/* Its numbers: what they must be by the block before and the journals in it. */
static void check_block_numbers(struct verify *v, const struct record_block *r)
{
    struct book *b = &v->book;
    int64_t no = b->block_no + 1;

    if (r->block_no != no)
        verify_wrong_int(v, 0, no, "block_no", no, r->block_no, "block numbers have a hole");
    else if (!slice_equal_str(r->book, b->code))
        verify_wrong(v, 0, no, "book", b->code, "another", "a block of another book");
    else if (r->first_seq != b->last_seq + 1)
        verify_wrong_int(v, 0, no, "first_seq", b->last_seq + 1, r->first_seq,
                         "a block begins after the last journal of the one before");
    else if (r->last_seq < r->first_seq)
        verify_wrong_int(v, 0, no, "last_seq", r->first_seq, r->last_seq,
                         "a block has a journal at least");
    else if (b->seen_seq < r->last_seq)
        verify_wrong_int(v, b->seen_seq + 1, no, "last_seq", r->last_seq, b->seen_seq,
                         "the block's last journals are missing");
    else if (b->seen_seq > r->last_seq)
        verify_wrong_int(v, 0, no, "last_seq", b->seen_seq, r->last_seq,
                         "the block has more journals than it says");
    else if (b->block_no > 0 && r->committed_at_us <= b->committed_at_us)
        wrong_time(v, 0, no, "committed_at", b->committed_at_us + 1, r->committed_at_us,
                   "times must rise from block to block");
    else if (r->committed_at_us != b->first_at_us)
        wrong_time(v, 0, no, "committed_at", b->first_at_us, r->committed_at_us,
                   "the block's time is not that of its journals");
    else if (b->half.seq != 0)
        verify_wrong(
            v, b->half.seq, no, "kind", journal_kind_name(b->half.after), "none",
            "the second journal of a return, or of what takes one back, is not in the block");
    else if (b->claims.n != 0)
        verify_wrong(v, b->claims.first + b->claims.done, no, "kind", "PAYOUT_ACCEPTED", "none",
                     "the payout of a claim is not in its block");
}

/* The seal does not fit: says what was changed as well as can be told. */
static void explain_signature(struct verify *v, const struct record_block *r)
{
    struct book *b = &v->book;
    hash_t root = merkle_root(&b->stored, v->sha);
    char at[TIMEFMT_SIZE];

    /* The hashes kept with the seal are those that were signed, and none of our own is among them: what all journals of
     * the block hold has changed. Its number and sequence were found right, so it is the time. */
    if (b->leaves_stored > 0 && b->leaves_stored == b->journals.size &&
        b->leaves_wrong == b->leaves_stored &&
        slice_equal(r->journal_root, slice_of(root.b, HASH_BYTES)))
        verify_wrong(v, r->first_seq, r->block_no, "committed_at", "the time that was signed",
                     timefmt_rfc3339(r->committed_at_us, at),
                     "neither the block nor any journal in it is what was signed");
    else
        verify_wrong(v, 0, r->block_no, "block: signature", "of this block's record", "another",
                     "the block's record is not what was signed");
}

static void explain_root(struct verify *v, const struct record_block *r, const hash_t *root)
{
    struct book *b = &v->book;

    if (b->leaves_wrong > 0)
        verify_wrong(v, b->leaf_wrong_seq, r->block_no, "journal record", "as it was sealed",
                     "changed",
                     "what the journal says (its lines' order, texts, payout, beneficiary, rates) "
                     "is not what was sealed");
    else
        wrong_hash(v, 0, r->block_no, "journal_root", slice_of(root->b, HASH_BYTES),
                   r->journal_root, "the journals of the block are not what was sealed");
}

static void check_seal(struct verify *v, const struct source_item *item)
{
    const struct record_block *r = &item->block;
    struct book *b = &v->book;
    const struct book_key *key = key_at(b, r->block_no);
    hash_t root = merkle_root(&b->journals, v->sha);

    if (!slice_equal(r->prev, slice_of(b->prev.b, HASH_BYTES))) {
        wrong_hash(v, 0, r->block_no, "prev", slice_of(b->prev.b, HASH_BYTES), r->prev,
                   "the block does not follow the one before");
    } else if (key == NULL || !slice_equal_str(item->key_id, public_key_id(key->key))) {
        char found[KEY_ID_SIZE];
        snprintf(found, sizeof found, "%.*s", SLICE_ARG(item->key_id));
        verify_wrong(v, 0, r->block_no, "key_id", key == NULL ? "a key" : public_key_id(key->key),
                     found, "the block is not sealed with the key in force");
    } else if (!public_key_signed(key->key, item->bytes, item->signature)) {
        explain_signature(v, r);
    } else if (!slice_equal(r->journal_root, slice_of(root.b, HASH_BYTES))) {
        explain_root(v, r, &root);
    } else if (b->leaves_wrong > 0) {
        verify_wrong(v, b->leaf_wrong_seq, r->block_no, "leaves", "the hash of the journal",
                     "another", "a hash kept with the seal is not that of its journal");
    }
}

static void append_block(struct verify *v, const struct source_item *item, const hash_t *leaf)
{
    struct book *b = &v->book;
    const struct witness_heads *w = v->options.witness;
    hash_t completed[MERKLE_LEVELS_MAX];
    size_t n = merkle_append(&b->tree, v->sha, leaf, completed);

    if (item->nodes.p != NULL &&
        !slice_equal(item->nodes, slice_of(completed, n * sizeof *completed)))
        verify_wrong(v, 0, item->block.block_no, "nodes", "the hashes of the tree", "others",
                     "the hashes kept for proofs are not those of the tree");
    while (w != NULL && b->witness_at < w->n &&
           strcmp(w->heads[b->witness_at].book, b->code) == 0 &&
           (uint64_t)w->heads[b->witness_at].tree_size <= b->tree.size) {
        const struct witness_head *h = &w->heads[b->witness_at];
        hash_t root = merkle_root(&b->tree, v->sha);
        if ((uint64_t)h->tree_size == b->tree.size && hash_equal(&root, &h->root)) {
            b->result->witnessed++;
            b->witness_at++;
            continue;
        }
        wrong_hash(v, 0, h->tree_size, "witness", slice_of(h->root.b, HASH_BYTES),
                   slice_of(root.b, HASH_BYTES),
                   "the witness saw another history: this log was rewritten");
        b->witness_at++;
    }
}

static void take_unsealed(struct verify *v, const struct source_item *item)
{
    const struct record_block *r = &item->block;
    struct book *b = &v->book;
    char at[TIMEFMT_SIZE];

    b->result->unsealed++;
    if (item->due)
        verify_wrong(v, 0, r->block_no, "seal", "a seal", "none",
                     "the block has no seal, and blocks behind it have");
    else if (r->committed_at_us < v->options.now_us - v->options.seal_grace_us)
        verify_wrong(v, 0, r->block_no, "seal", "a seal", "none",
                     "the block of %s is not sealed yet", timefmt_rfc3339(r->committed_at_us, at));
}

/* What an earlier run has been through: only that it is the same. */
static void take_skipped(struct verify *v, const struct source_item *item)
{
    struct book *b = &v->book;
    hash_t leaf;
    hash_t root;
    const struct checkpoint_book *c;

    if (item->skipped)
        memcpy(leaf.b, item->bytes.p, HASH_BYTES);
    else
        leaf = merkle_leaf(v->sha, item->bytes);
    if (item->block.block_no != b->block_no + 1)
        verify_wrong_int(v, 0, b->block_no + 1, "block_no", b->block_no + 1, item->block.block_no,
                         "block numbers have a hole");
    append_block(v, item, &leaf);
    b->block_no = item->block.block_no;
    b->prev = leaf;
    if (b->block_no < b->skip_blocks)
        return;
    root = merkle_root(&b->tree, v->sha);
    if (!hash_equal(&root, &b->skip_root)) {
        wrong_hash(v, 0, b->block_no, "checkpoint", slice_of(b->skip_root.b, HASH_BYTES),
                   slice_of(root.b, HASH_BYTES),
                   "these are not the blocks that an earlier run has checked");
        return;
    }
    c = resumed(v, slice_str(b->code));
    b->last_seq = b->seen_seq = c->last_seq;
    b->committed_at_us = c->committed_at_us;
    memcpy(b->banks, c->banks, sizeof b->banks);
    b->n_banks = c->n_banks;
    for (size_t i = 0; i < c->n_accounts; i++) {
        int a = known_account_of(v->known, slice_str(c->accounts[i].code));
        if (a < 0)
            verify_wrong(v, 0, b->block_no, "account", c->accounts[i].code, "none",
                         "an account that there was is there no more");
        else
            b->accounts[a] = (struct running){.balance = c->accounts[i].balance,
                                              .last_block = c->accounts[i].last_block,
                                              .debits = c->accounts[i].debits,
                                              .credits = c->accounts[i].credits};
    }
    b->between = false;
}

static void take_block(struct verify *v, const struct source_item *item)
{
    const struct record_block *r = &item->block;
    struct book *b = &v->book;

    if (b->block_no < b->skip_blocks) {
        take_skipped(v, item);
        return;
    }
    check_block_numbers(v, r);
    check_balances(v);
    if (item->sealed && b->result->unsealed > 0)
        verify_wrong(v, 0, r->block_no, "seal", "a seal on the block before", "none",
                     "a sealed block follows one that is not");
    if (b->given_up)
        return;
    if (item->sealed) {
        hash_t leaf = merkle_leaf(v->sha, item->bytes);
        check_seal(v, item);
        append_block(v, item, &leaf);
        b->prev = leaf;
        b->result->seals++;
    } else {
        take_unsealed(v, item);
    }
    b->block_no = r->block_no;
    b->last_seq = r->last_seq;
    b->committed_at_us = r->committed_at_us;
    if (b->result->blocks++ == 0)
        b->result->first_at_us = r->committed_at_us;
    b->result->last_at_us = r->committed_at_us;
    begin_block(b);
    b->between = item->sealed && !b->given_up;
    if (b->between && v->options.state_path != NULL)
        checkpoint_note(v);
}

static void take_head(struct verify *v, const struct source_item *item)
{
    const struct record_tree_head *r = &item->tree_head;
    struct book *b = &v->book;
    const struct book_key *key = key_named(b, item->key_id);
    hash_t root = merkle_root(&b->tree, v->sha);

    b->result->heads++;
    if (!slice_equal_str(r->book, b->code) || r->tree_size < 1 ||
        (uint64_t)r->tree_size != b->tree.size)
        verify_wrong_int(v, 0, r->tree_size, "tree_size", (int64_t)b->tree.size, r->tree_size,
                         "a tree head of more blocks than there are, or of another book");
    else if (!slice_equal(r->root, slice_of(root.b, HASH_BYTES)))
        wrong_hash(v, 0, r->tree_size, "tree head: root", slice_of(root.b, HASH_BYTES), r->root,
                   "the tree head is not of these blocks");
    else if (key == NULL || (key + 1 < b->keys + b->n_keys && key[1].from_block <= r->tree_size))
        verify_wrong(v, 0, r->tree_size, "tree head: key_id",
                     "the key in force for its last block, or a later one",
                     key == NULL ? "none of the book's" : public_key_id(key->key),
                     "the tree head is signed with another key");
    else if (!public_key_signed(key->key, item->bytes, item->signature))
        verify_wrong(v, 0, r->tree_size, "tree head: signature", public_key_id(key->key), "another",
                     "the tree head is not what was signed");
    if (b->given_up || key == NULL)
        return;
    b->result->has_head = true;
    b->result->head_size = r->tree_size;
    b->result->head_at_us = r->signed_at_us;
    b->result->head_root = root;
    b->result->key_given = key->given;
    snprintf(b->result->key_id, sizeof b->result->key_id, "%s", public_key_id(key->key));
}

/* ---------------------------------------------------------------- all of it */

static void take_of_book(struct verify *v, const struct source_item *item)
{
    struct book *b = &v->book;

    if (!b->open || b->given_up)
        return;
    if (item->broken.p != NULL) {
        verify_wrong(v, 0, 0, record_name(item->kind), "", "", "%.*s", SLICE_ARG(item->broken));
        return;
    }
    switch (item->kind) {
    case RECORD_KEY:
        take_key(v, item);
        break;
    case RECORD_ACCOUNT:
        if (!slice_equal_str(item->account.book, b->code))
            verify_wrong(v, 0, 0, "account: book", b->code, "another", "of another book");
        break;
    case RECORD_BENEFICIARY:
        if (!slice_equal_str(item->beneficiary.book, b->code))
            verify_wrong(v, 0, 0, "beneficiary: book", b->code, "another", "of another book");
        break;
    case RECORD_JOURNAL:
        take_journal(v, item);
        break;
    case RECORD_BALANCE:
        take_balance(v, &item->balance);
        break;
    case RECORD_BLOCK:
        take_block(v, item);
        break;
    case RECORD_TREE_HEAD:
        take_head(v, item);
        break;
    case RECORD_NONE:
    case RECORD_LOG:
    case RECORD_CURRENCY:
    case RECORD_RATE_SHEET:
    case RECORD_POLICY_CHANGE:
    case RECORD_BOOK:
    case RECORD_END:
    case RECORD_SIGNED:
    case RECORD_QUOTE:
    case RECORD_POLICY:
    case RECORD_PII:
    case RECORD_PII_OPEN:
        break;
    }
}

err_t verify_take(struct verify *v, const struct source_item *item)
{
    if (item->kind == RECORD_BOOK) {
        end_book(v);
        if (!err_failed(v->error))
            open_book(v, &item->book);
    } else if (item->kind == RECORD_END) {
        end_book(v);
    } else if (item->broken.p != NULL && !v->book.open) {
        verify_wrong(v, 0, 0, record_name(item->kind), "", "", "%.*s", SLICE_ARG(item->broken));
        v->book.given_up = false;
    } else if (item->kind == RECORD_POLICY_CHANGE) {
        verify_policy_change(v, &item->policy_change);
        v->book.given_up = false; /* it is of no book */
    } else {
        take_of_book(v, item);
    }
    return v->error;
}
