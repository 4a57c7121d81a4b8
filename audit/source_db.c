/*
 * The database as a source. Rows become records by our own encoder: what the sealer wrote is never taken for what the
 * rows say. Blocks are read in portions, so that what must be at hand with a journal (its block's time, the seal, the
 * balances) is in memory before the journals of the portion stream by.
 */
#include "audit/copy.h"
#include "audit/policy_rows.h"
#include "audit/source.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/version.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTION_BLOCKS   2048
#define PORTION_JOURNALS 100000
#define PRINCIPALS_MAX   (1 << 20)
#define BANKS_MAX        4096
#define KINDS_MAX        64
#define BOOKS_MAX        4096
#define TEXT_SIZE        256

enum phase {
    PHASE_LOG,
    PHASE_CURRENCIES,
    PHASE_SHEETS,
    PHASE_POLICIES,
    PHASE_BOOK,
    PHASE_KEYS,
    PHASE_ACCOUNTS,
    PHASE_BENEFICIARIES,
    PHASE_SKIPPED,
    PHASE_PORTION,
    PHASE_JOURNALS,
    PHASE_BALANCES,
    PHASE_BLOCK,
    PHASE_HEADS,
    PHASE_LATE_HEADS,
    PHASE_END,
    PHASE_DONE,
};

struct name { /* of a principal, a bank, a kind of journal: by number */
    int64_t number;
    char *text;
};

struct names {
    struct name *of;
    size_t n;
};

struct block_row {
    int64_t block_no, first_seq, last_seq, committed_at_us;
    bool sealed;
    unsigned char journal_root[HASH_BYTES];
    char key_id[32];
    unsigned char signature[64];
    size_t leaves_at, leaves_len, nodes_at, nodes_len; /* in bytes */
};

struct balance_row {
    int64_t block_no, account_id, prev_block_no, before, change, balance, debits, credits;
};

struct head_row {
    int64_t tree_size, signed_at_us;
    unsigned char root[HASH_BYTES];
    char key_id[32];
    unsigned char signature[64];
};

struct source_db {
    struct source base;
    struct db *db;
    struct source_db_options options;
    struct sha256 *sha;
    enum phase phase;
    struct copy copy;
    bool copying; /* the phase's query is under way */
    bool have_row;
    struct policy_rows policies;
    struct names principals, banks, kinds;
    struct names books;
    size_t book; /* the one at hand */
    int64_t book_id;
    struct slice code;
    int64_t sealed_upto;
    hash_t prev; /* hash of the block before */
    int64_t skip_upto;
    int64_t next_block; /* the next to read */
    struct block_row blocks[PORTION_BLOCKS];
    size_t n_blocks, at_block;
    struct balance_row *balances;
    size_t n_balances, balances_size, at_balance;
    struct head_row *heads;
    enum phase after_heads; /* of PHASE_LATE_HEADS */
    size_t n_heads, heads_size, at_head;
    struct buf bytes; /* leaves and nodes of the portion */
    struct record_out out, quote;
    char ccy_text[RECORD_RATES_MAX][4];
    char line_ccy[RECORD_LINES_MAX][4];
    char ccy_a[4], ccy_b[4], ccy_c[4], ccy_d[4];
    unsigned char prev_bytes[HASH_BYTES];
    struct beneficiary_entry beneficiary;
    struct source_item *item;
};

static enum source_result fail(struct source_db *s, const char *why)
{
    if (why != s->base.why)
        snprintf(s->base.why, sizeof s->base.why, "%s", why);
    return SOURCE_FAILED;
}

/* ---------------------------------------------------------------- small tables, kept */

static int by_number(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static bool load_names(struct db *db, const char *sql, size_t max, struct names *out)
{
    PGresult *rows = db_query(db, sql, 0, NULL);
    size_t n = rows == NULL ? 0 : (size_t)PQntuples(rows);

    if (rows == NULL)
        return false;
    if (n > max || (out->of = calloc(n + 1, sizeof *out->of)) == NULL) {
        complain("the database has more principals, banks or books than fit");
        PQclear(rows);
        return false;
    }
    for (; out->n < n; out->n++) {
        out->of[out->n].number = db_int(rows, (int)out->n, 0);
        out->of[out->n].text = strdup(PQgetvalue(rows, (int)out->n, 1));
        if (out->of[out->n].text == NULL)
            break;
    }
    PQclear(rows);
    qsort(out->of, out->n, sizeof *out->of, by_number);
    return out->n == n;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->of[i].text);
    free(names->of);
    *names = (struct names){NULL, 0};
}

/* A number that nothing has is told as "?", so that no sealed record is the same. */
static struct slice name_of(const struct names *names, int64_t number)
{
    struct name key = {number, NULL};
    const struct name *found = bsearch(&key, names->of, names->n, sizeof key, by_number);

    return found == NULL ? SLICE("?") : slice_str(found->text);
}

static struct slice ccy_of(const struct source_db *s, int64_t number, char out[4])
{
    uint16_t ccy = known_ccy_of_number(s->base.known, number);

    if (ccy == CCY_NONE)
        return SLICE("?");
    return slice_str(ccy_unpack(ccy, out));
}

/* ---------------------------------------------------------------- items */

static enum source_result give(struct source_db *s, enum record_kind kind, bool encoded)
{
    if (!encoded)
        return fail(s, "a row is longer than a record may be, or memory ran out");
    s->item->kind = kind;
    s->item->bytes = record_out_slice(&s->out);
    return source_register(&s->base, s->item) ? SOURCE_ITEM : fail(s, s->base.why);
}

/* Begins the phase's query, or takes its next row: 1, 0 the end (and the next phase), -1. */
static int phase_row(struct source_db *s, const char *query, enum phase next)
{
    int got;

    if (!s->copying && !copy_begin(&s->copy, s->db, query))
        return -1;
    s->copying = true;
    got = copy_next(&s->copy);
    if (got == 0) {
        s->copying = false;
        s->phase = next;
    }
    return got;
}

static enum source_result next_log(struct source_db *s)
{
    struct record_log *r = &s->item->log;

    *r = (struct record_log){clock_realtime_us(), SLICE("ujrat-audit " UJRAT_VERSION)};
    s->phase = PHASE_CURRENCIES;
    return give(s, RECORD_LOG, record_write_log(&s->out, r));
}

#define PASS 100 /* not a result: the next phase has it */

static int next_currency(struct source_db *s)
{
    struct record_currency *r = &s->item->currency;
    int got = phase_row(s, "SELECT code, ccy, digits FROM currency ORDER BY ccy", PHASE_SHEETS);

    if (got <= 0)
        return got == 0 ? PASS : SOURCE_FAILED;
    *r = (struct record_currency){copy_slice(&s->copy, 0), copy_int(&s->copy, 1),
                                  copy_int(&s->copy, 2)};
    return give(s, RECORD_CURRENCY, record_write_currency(&s->out, r));
}

static int next_sheet(struct source_db *s)
{
    struct record_rate_sheet *r = &s->item->rate_sheet;
    struct copy *c = &s->copy;
    int64_t ccys[RECORD_RATES_MAX];
    int64_t rates[RECORD_RATES_MAX];
    int n;
    int got =
        phase_row(s,
                  "SELECT rate_id, source, sheet_date, as_of, imported_at, file_name, "
                  "file_sha256, author, "
                  "array(SELECT ccy FROM rate r WHERE r.rate_id = s.rate_id ORDER BY ccy), "
                  "array(SELECT pkr_e10 FROM rate r WHERE r.rate_id = s.rate_id ORDER BY ccy) "
                  "FROM rate_sheet s WHERE refused IS NULL ORDER BY rate_id",
                  PHASE_POLICIES);

    if (got <= 0)
        return got == 0 ? PASS : SOURCE_FAILED;
    *r = (struct record_rate_sheet){copy_int(c, 0),     copy_slice(c, 1),   copy_date_days(c, 2),
                                    copy_time_us(c, 3), copy_time_us(c, 4), copy_slice(c, 5),
                                    copy_slice(c, 6),   copy_slice(c, 7),   0,
                                    {{{NULL, 0}, 0}}};
    n = copy_ints(c, 8, ccys, RECORD_RATES_MAX);
    if (n < 0 || copy_ints(c, 9, rates, RECORD_RATES_MAX) != n)
        return fail(s, "a rate sheet has more rates than there are currencies");
    r->n_rates = (size_t)n;
    for (int i = 0; i < n; i++)
        r->rates[i] = (struct record_rate){ccy_of(s, ccys[i], s->ccy_text[i]), rates[i]};
    return give(s, RECORD_RATE_SHEET, record_write_rate_sheet(&s->out, r));
}

static int next_policy(struct source_db *s)
{
    struct record_policy_change *r = &s->item->policy_change;
    int got;

    if (s->policies.rows == NULL && !policy_rows_load(s->db, &s->policies))
        return fail(s, "");
    got = policy_rows_next(&s->policies, r);
    if (got < 0)
        return fail(s, "a version of the policy is longer than one may be");
    if (got == 0) {
        policy_rows_free(&s->policies);
        s->phase = PHASE_BOOK;
        return PASS;
    }
    return give(s, RECORD_POLICY_CHANGE, record_write_policy_change(&s->out, r));
}

static bool wanted(const struct source_db *s, const char *code)
{
    assert(code != NULL);
    for (size_t i = 0; i < s->options.n_books; i++)
        if (strcmp(code, s->options.books[i]) == 0)
            return true;
    return s->options.n_books == 0;
}

static int next_book(struct source_db *s)
{
    struct record_book *r = &s->item->book;
    PGresult *row;
    char sql[TEXT_SIZE];
    enum source_result result;

    while (s->book < s->books.n && !wanted(s, s->books.of[s->book].text))
        s->book++;
    if (s->book == s->books.n) {
        s->phase = PHASE_END;
        return PASS;
    }
    s->book_id = s->books.of[s->book].number;
    s->code = slice_str(s->books.of[s->book].text);
    s->book++;
    snprintf(sql, sizeof sql,
             "SELECT name, (extract(epoch FROM created_at) * 1000000)::bigint, "
             "coalesce((SELECT max(%s) FROM %s WHERE book_id = %lld), 0) "
             "FROM book WHERE book_id = %lld",
             s->options.sealed_only ? "tree_size" : "block_no",
             s->options.sealed_only ? "tree_head" : "block_seal", (long long)s->book_id,
             (long long)s->book_id);
    row = db_query(s->db, sql, 0, NULL);
    if (row == NULL || PQntuples(row) != 1) {
        PQclear(row);
        return fail(s, "");
    }
    s->sealed_upto = db_int(row, 0, 2);
    s->skip_upto =
        s->options.skip_blocks == NULL ? 0 : s->options.skip_blocks(s->options.context, s->code);
    s->next_block = 1;
    memset(s->prev.b, 0, sizeof s->prev.b);
    s->beneficiary = (struct beneficiary_entry){0}; /* numbers begin again in each book */
    *r = (struct record_book){s->code, slice_str(PQgetvalue(row, 0, 0)), db_int(row, 0, 1)};
    s->phase = PHASE_KEYS;
    result = give(s, RECORD_BOOK, record_write_book(&s->out, r));
    /* the name is in the record now, and there it stays */
    if (result == SOURCE_ITEM) {
        struct record_fault fault;
        if (!record_read_book(s->item->bytes, r, &fault))
            result = fail(s, "a book's name is not UTF-8");
    }
    PQclear(row);
    return result;
}

static int next_key(struct source_db *s)
{
    struct record_key *r = &s->item->key;
    struct copy *c = &s->copy;
    char sql[TEXT_SIZE];
    int got;

    snprintf(sql, sizeof sql,
             "SELECT key_id, public_key, from_block, created_at, signed_by, signature "
             "FROM log_key WHERE book_id = %lld ORDER BY from_block",
             (long long)s->book_id);
    got = phase_row(s, sql, PHASE_ACCOUNTS);
    if (got <= 0)
        return got == 0 ? PASS : SOURCE_FAILED;
    *r = (struct record_key){s->code, copy_slice(c, 0), copy_slice(c, 1), copy_int(c, 2),
                             copy_time_us(c, 3)};
    s->item->key_id = copy_slice(c, 4);
    s->item->signature = copy_slice(c, 5);
    return give(s, RECORD_KEY, record_write_key(&s->out, r));
}

static int next_account(struct source_db *s)
{
    struct record_account *r = &s->item->account;
    struct copy *c = &s->copy;
    char sql[TEXT_SIZE];
    int got;

    snprintf(sql, sizeof sql,
             "SELECT account_id, code, role, type::text, normal_side, ccy, bank_id, floor_zero, "
             "created_at FROM account WHERE book_id = %lld ORDER BY account_id",
             (long long)s->book_id);
    got = phase_row(s, sql, PHASE_BENEFICIARIES);
    if (got <= 0)
        return got == 0 ? PASS : SOURCE_FAILED;
    *r = (struct record_account){s->code,
                                 copy_int(c, 0),
                                 copy_slice(c, 1),
                                 copy_slice(c, 2),
                                 copy_slice(c, 3),
                                 copy_slice(c, 4),
                                 ccy_of(s, copy_int(c, 5), s->ccy_a),
                                 c->fields[6].p == NULL ? slice_of(NULL, 0)
                                                        : name_of(&s->banks, copy_int(c, 6)),
                                 copy_int(c, 7),
                                 copy_time_us(c, 8)};
    return give(s, RECORD_ACCOUNT, record_write_account(&s->out, r));
}

static int next_beneficiary(struct source_db *s)
{
    struct record_beneficiary *r = &s->item->beneficiary;
    struct copy *c = &s->copy;
    char sql[2 * TEXT_SIZE];
    int got;

    snprintf(sql, sizeof sql,
             "SELECT beneficiary_id, version, bank_id, channel, purpose_code, name_commitment, "
             "iban_commitment, mobile_commitment, cnic_commitment, pseb_commitment, principal_id, "
             "created_at FROM beneficiary_version WHERE book_id = %lld "
             "ORDER BY beneficiary_id, version",
             (long long)s->book_id);
    got = phase_row(s, sql, PHASE_SKIPPED);
    if (got <= 0)
        return got == 0 ? PASS : SOURCE_FAILED;
    *r = (struct record_beneficiary){
        s->code,
        copy_int(c, 0),
        copy_int(c, 1),
        name_of(&s->banks, copy_int(c, 2)),
        copy_int(c, 3),
        copy_slice(c, 4),
        {copy_slice(c, 5), copy_slice(c, 6), copy_slice(c, 7), copy_slice(c, 8), copy_slice(c, 9)},
        name_of(&s->principals, copy_int(c, 10)),
        copy_time_us(c, 11)};
    return give(s, RECORD_BENEFICIARY, record_write_beneficiary(&s->out, r));
}

/* ---------------------------------------------------------------- a portion of blocks */

static bool keep_bytes(struct source_db *s, struct slice from, size_t *at, size_t *len)
{
    *at = buf_len(&s->bytes);
    *len = from.len;
    return !err_failed(buf_append(&s->bytes, from.p, from.len));
}

static bool read_blocks(struct source_db *s)
{
    struct copy c;
    char sql[TEXT_SIZE];
    int64_t journals = 0;
    int64_t n = 0;
    bool full = false;
    int got;

    s->n_blocks = 0;
    snprintf(sql, sizeof sql,
             "SELECT block_no, first_seq, last_seq, committed_at FROM block "
             "WHERE book_id = %lld AND block_no >= %lld ORDER BY block_no LIMIT %d",
             (long long)s->book_id, (long long)s->next_block, PORTION_BLOCKS);
    if (!copy_begin(&c, s->db, sql))
        return false;
    while ((got = copy_next(&c)) == 1) {
        struct block_row *b = &s->blocks[s->n_blocks];
        *b = (struct block_row){.block_no = copy_int(&c, 0),
                                .first_seq = copy_int(&c, 1),
                                .last_seq = copy_int(&c, 2),
                                .committed_at_us = copy_time_us(&c, 3)};
        if (!__builtin_sub_overflow(b->last_seq, b->first_seq, &n) && n >= 0 && n < INT32_MAX)
            journals += n + 1;
        if (full || (s->options.sealed_only && b->block_no > s->sealed_upto))
            continue;
        full = journals >= PORTION_JOURNALS;
        s->n_blocks++;
    }
    return got == 0;
}

static bool read_seals(struct source_db *s, int64_t first, int64_t last)
{
    struct copy c;
    char sql[2 * TEXT_SIZE];
    size_t at = 0;
    int got;

    buf_reset(&s->bytes);
    snprintf(sql, sizeof sql,
             "SELECT block_no, journal_root, key_id, signature, nodes, leaves FROM block_seal "
             "WHERE book_id = %lld AND block_no BETWEEN %lld AND %lld ORDER BY block_no",
             (long long)s->book_id, (long long)first, (long long)last);
    if (!copy_begin(&c, s->db, sql))
        return false;
    while ((got = copy_next(&c)) == 1) {
        int64_t block_no = copy_int(&c, 0);
        struct block_row *b;

        while (at < s->n_blocks && s->blocks[at].block_no < block_no)
            at++;
        if (at == s->n_blocks || s->blocks[at].block_no != block_no)
            continue; /* counted at the end of the book: a seal of no block */
        b = &s->blocks[at];
        b->sealed = c.fields[1].len == HASH_BYTES && c.fields[3].len == 64;
        if (b->sealed) {
            memcpy(b->journal_root, c.fields[1].p, HASH_BYTES);
            memcpy(b->signature, c.fields[3].p, 64);
        }
        snprintf(b->key_id, sizeof b->key_id, "%.*s", SLICE_ARG(c.fields[2]));
        if (!keep_bytes(s, c.fields[4], &b->nodes_at, &b->nodes_len) ||
            !keep_bytes(s, c.fields[5], &b->leaves_at, &b->leaves_len)) {
            complain("the seals of block %lld are larger than they can be", (long long)block_no);
            (void)copy_drop(&c);
            return false;
        }
    }
    return got == 0;
}

/* Room for one more. */
static bool more(void **store, size_t n, size_t *size, size_t each)
{
    size_t wanted_size = *size == 0 ? 1024 : *size * 2;
    void *p;

    if (n < *size)
        return true;
    p = wanted_size > (1U << 22) ? NULL : realloc(*store, wanted_size * each);
    if (p == NULL) {
        complain("more balances or tree heads of a few blocks than fit");
        return false;
    }
    *store = p;
    *size = wanted_size;
    return true;
}

/* Through the key of each account in turn: there is none by block. */
static bool read_balances(struct source_db *s, int64_t first, int64_t last)
{
    struct copy c;
    struct buf sql;
    bool ok;
    int got = -1;

    buf_init(&sql, 1U << 18);
    ok = !err_failed(
        buf_printf(&sql,
                   "SELECT block_no, account_id, prev_block_no, balance_before, change, balance, "
                   "debit_count, credit_count FROM account_balance WHERE book_id = %lld AND "
                   "account_id = ANY (ARRAY[0",
                   (long long)s->book_id));
    for (int i = 0; ok && i < known_accounts(s->base.known); i++)
        ok = !err_failed(buf_printf(&sql, ",%d", known_account_at(s->base.known, i)->account_id));
    ok = ok && !err_failed(buf_printf(&sql,
                                      "]) AND block_no BETWEEN %lld AND %lld ORDER BY block_no, "
                                      "account_id, balance",
                                      (long long)first, (long long)last));
    ok = ok && !err_failed(buf_append_char(&sql, '\0')) &&
         copy_begin(&c, s->db, (const char *)buf_data(&sql));
    buf_deinit(&sql);
    s->n_balances = s->at_balance = 0;
    while (ok && (got = copy_next(&c)) == 1) {
        void *store = s->balances;
        ok = more(&store, s->n_balances, &s->balances_size, sizeof *s->balances);
        if (!ok) {
            (void)copy_drop(&c);
            break;
        }
        s->balances = store;
        s->balances[s->n_balances++] = (struct balance_row){
            copy_int(&c, 0), copy_int(&c, 1), copy_int(&c, 2), copy_int(&c, 3),
            copy_int(&c, 4), copy_int(&c, 5), copy_int(&c, 6), copy_int(&c, 7)};
    }
    return ok && got == 0;
}

/* An export has the newest head alone; to check, all are wanted. */
static bool read_heads(struct source_db *s, int64_t first, int64_t last)
{
    struct copy c;
    char sql[2 * TEXT_SIZE];
    int got;

    s->n_heads = s->at_head = 0;
    snprintf(sql, sizeof sql,
             "SELECT tree_size, root, signed_at, key_id, signature FROM tree_head "
             "WHERE book_id = %lld AND tree_size BETWEEN %lld AND %lld%s ORDER BY tree_size",
             (long long)s->book_id, (long long)first, (long long)last,
             s->options.sealed_only ? " AND tree_size = (SELECT max(h.tree_size) FROM tree_head h "
                                      "WHERE h.book_id = tree_head.book_id)"
                                    : "");
    if (!copy_begin(&c, s->db, sql))
        return false;
    while ((got = copy_next(&c)) == 1) {
        void *store = s->heads;
        struct head_row *h;
        if (!more(&store, s->n_heads, &s->heads_size, sizeof *s->heads)) {
            (void)copy_drop(&c);
            return false;
        }
        s->heads = store;
        h = &s->heads[s->n_heads++];
        *h = (struct head_row){.tree_size = copy_int(&c, 0), .signed_at_us = copy_time_us(&c, 2)};
        if (c.fields[1].len == HASH_BYTES)
            memcpy(h->root, c.fields[1].p, HASH_BYTES);
        snprintf(h->key_id, sizeof h->key_id, "%.*s", SLICE_ARG(c.fields[3]));
        if (c.fields[4].len == 64)
            memcpy(h->signature, c.fields[4].p, 64);
    }
    return got == 0;
}

/* Blocks that an earlier run has been through: their hashes alone, as they are stored. */
static int next_skipped(struct source_db *s)
{
    char sql[TEXT_SIZE];
    int got;

    if (s->skip_upto <= 0) {
        s->phase = PHASE_PORTION;
        return PASS;
    }
    snprintf(sql, sizeof sql,
             "SELECT b.block_no, substring(s.nodes, 1, 32), b.first_seq, b.last_seq, "
             "b.committed_at FROM block b JOIN block_seal s USING (book_id, block_no) "
             "WHERE book_id = %lld AND block_no <= %lld ORDER BY block_no",
             (long long)s->book_id, (long long)s->skip_upto);
    got = phase_row(s, sql, PHASE_LATE_HEADS);
    if (got == 0) { /* its head may be the newest still */
        s->after_heads = PHASE_PORTION;
        return read_heads(s, s->next_block - 1, s->next_block - 1) ? PASS : fail(s, "");
    }
    if (got < 0)
        return SOURCE_FAILED;
    s->item->kind = RECORD_BLOCK;
    s->item->skipped = true;
    s->item->block = (struct record_block){.book = s->code,
                                           .block_no = copy_int(&s->copy, 0),
                                           .first_seq = copy_int(&s->copy, 2),
                                           .last_seq = copy_int(&s->copy, 3),
                                           .committed_at_us = copy_time_us(&s->copy, 4)};
    s->item->bytes = copy_slice(&s->copy, 1);
    if (s->item->bytes.len != HASH_BYTES)
        return fail(s, "a seal has no hash in it");
    memcpy(s->prev.b, s->item->bytes.p, HASH_BYTES);
    s->next_block = s->item->block.block_no + 1;
    s->base.done = (uint64_t)s->item->block.last_seq;
    return SOURCE_ITEM;
}

static const char journal_sql[] =
    "SELECT j.seq, j.block_no, j.kind, j.principal_id, j.payout_id, j.reverses_seq, j.detail, "
    "j.line_account, j.line_ccy, j.line_minor, " /* 9 */
    "p.payout_id, p.reference, p.info, p.bank_id, p.src_ccy, p.dst_ccy, p.gross, p.fee, "
    "p.mid_rate_e10, p.mid_value, p.margin_bps, p.margin, p.net, p.digit_shift, p.fingerprint, "
    "p.beneficiary_id, p.beneficiary_version, p.rate_id, " /* 27 */
    "CASE WHEN p.quote_id IS NOT NULL THEN (SELECT ROW(q.quote_id, q.request_id, q.fingerprint, "
    "q.src_ccy, q.dst_ccy, q.digit_shift, q.rate_id, q.gross, q.fee, q.mid_rate_e10, q.mid_value, "
    "q.margin_bps, q.margin, q.net, q.principal_id, q.created_at, q.expires_at, q.policy_id) FROM quote q "
    "WHERE q.book_id = %1$lld AND q.quote_id = p.quote_id) END, " /* 28 */
    "t.step, t.state, t.reason_code, t.bank_reference, t.tax_withheld, t.eprc_number, "
    "t.payout_id, " /* 35 */
    "CASE WHEN j.kind = 2 THEN (SELECT ROW(h.bank_id, h.prev_payout_id, h.last_payout_id) "
    "FROM handout h WHERE h.book_id = %1$lld AND h.seq = j.seq) END, "
    "CASE WHEN j.kind = 8 THEN (SELECT ROW(d.reference, d.ccy, d.amount) FROM float_deposit d "
    "WHERE d.book_id = %1$lld AND d.seq = j.seq) END, "
    "CASE WHEN j.kind = 9 THEN (SELECT ROW(a.proposal_id, a.reason, a.evidence_sha256, "
    "a.proposed_by, a.proposed_at) FROM adjustment_decision e JOIN adjustment_proposal a "
    "USING (book_id, proposal_id) WHERE e.book_id = %1$lld AND e.seq = j.seq) END, " /* 38 */
    "CASE WHEN j.kind = 15 THEN (SELECT ROW(u.reference, u.info, u.ccy, u.gross, u.batch_id, "
    "u.item_no, u.expires_at) FROM unclaimed u WHERE u.book_id = %1$lld AND u.unclaimed_id = "
    "j.seq) END, "
    "CASE WHEN j.kind IN (16, 17) THEN (SELECT ROW(e.outcome, e.payout_id) FROM unclaimed_end e "
    "WHERE e.book_id = %1$lld AND e.seq = j.seq) END, " /* 40 */
    "p.policy_id, "
    "CASE WHEN j.kind = 18 THEN (SELECT ROW(h.hold_no, h.reason, h.detail_sha256, "
    "h.evidence_sha256, h.deadline) FROM payout_hold h WHERE h.book_id = %1$lld AND h.seq = j.seq) "
    "END, "
    "CASE WHEN j.kind IN (19, 20) THEN (SELECT ROW(e.hold_no, e.outcome, a.principal_id, "
    "b.principal_id, a.note_sha256, b.note_sha256) FROM payout_hold_end e JOIN "
    "payout_hold_decision a ON (a.book_id, a.payout_id, a.hold_no, a.decision_no) = (e.book_id, "
    "e.payout_id, e.hold_no, e.first_decision) JOIN payout_hold_decision b ON (b.book_id, "
    "b.payout_id, b.hold_no, b.decision_no) = (e.book_id, e.payout_id, e.hold_no, "
    "e.second_decision) WHERE e.book_id = %1$lld AND e.seq = j.seq) END " /* 43 */
    "FROM journal j "
    /* in subqueries, where the planner sees that their indexes' order is that of the join: nothing is sorted */
    "LEFT JOIN (SELECT * FROM payout WHERE book_id = %1$lld AND payout_id BETWEEN %2$lld AND %3$lld "
    "ORDER BY payout_id) p ON p.payout_id = j.seq "
    "LEFT JOIN (SELECT * FROM payout_transition WHERE book_id = %1$lld AND seq BETWEEN %2$lld AND "
    "%3$lld AND seq > 0 ORDER BY seq) t ON t.seq = j.seq "
    "WHERE j.book_id = %1$lld AND j.seq BETWEEN %2$lld AND %3$lld ORDER BY j.seq";

static int next_portion(struct source_db *s)
{
    char sql[8192];
    int64_t first;
    int64_t last;

    if (!read_blocks(s))
        return fail(s, "");
    if (s->n_blocks == 0) {
        s->phase = PHASE_LATE_HEADS;
        s->after_heads = PHASE_BOOK;
        return read_heads(s, s->next_block, INT64_MAX) ? PASS : fail(s, "");
    }
    first = s->blocks[0].block_no;
    last = s->blocks[s->n_blocks - 1].block_no;
    if (!read_seals(s, first, last) || !read_balances(s, first, last) ||
        !read_heads(s, first, last))
        return fail(s, "");
    snprintf(sql, sizeof sql, journal_sql, (long long)s->book_id, (long long)s->blocks[0].first_seq,
             (long long)s->blocks[s->n_blocks - 1].last_seq);
    if (!copy_begin(&s->copy, s->db, sql))
        return fail(s, "");
    s->next_block = last + 1;
    s->at_block = 0;
    s->have_row = false;
    s->phase = PHASE_JOURNALS;
    return PASS;
}

/* ---------------------------------------------------------------- journals */

/* The hash of the version that column i names; absent if it names none. */
static struct slice policy_of(const struct source_db *s, struct copy *c, int i)
{
    const struct policy_version *v;

    if (c->fields[i].p == NULL)
        return slice_of(NULL, 0);
    v = policies_of_id(known_policies(s->base.known), copy_int(c, i));
    return v == NULL ? SLICE("") : slice_of(v->hash.b, HASH_BYTES);
}

static bool quote_bytes(struct source_db *s, struct slice *out)
{
    struct copy q;
    const struct sheet *sheet;
    struct record_quote r;

    if (!copy_composite(&s->copy, 28, &q))
        return false;
    sheet = known_sheet_of_id(s->base.known, copy_int(&q, 6));
    r = (struct record_quote){s->code,
                              copy_int(&q, 0),
                              copy_slice(&q, 1),
                              copy_slice(&q, 2),
                              ccy_of(s, copy_int(&q, 3), s->ccy_c),
                              ccy_of(s, copy_int(&q, 4), s->ccy_d),
                              copy_int(&q, 5),
                              sheet == NULL ? SLICE("") : slice_of(sheet->hash.b, HASH_BYTES),
                              copy_int(&q, 7),
                              copy_int(&q, 8),
                              copy_int(&q, 9),
                              copy_int(&q, 10),
                              copy_int(&q, 11),
                              copy_int(&q, 12),
                              copy_int(&q, 13),
                              name_of(&s->principals, copy_int(&q, 14)),
                              copy_time_us(&q, 15),
                              copy_time_us(&q, 16),
                              policy_of(s, &q, 17)};
    if (!record_write_quote(&s->quote, &r))
        return false;
    *out = record_out_slice(&s->quote);
    return true;
}

static bool fill_payout(struct source_db *s, struct record_payout *r)
{
    struct copy *c = &s->copy;
    const struct sheet *sheet = known_sheet_of_id(s->base.known, copy_int(c, 27));
    err_t err;

    *r = (struct record_payout){
        .reference = copy_slice(c, 11),
        .info = copy_slice(c, 12),
        .bank = name_of(&s->banks, copy_int(c, 13)),
        .src_ccy = ccy_of(s, copy_int(c, 14), s->ccy_a),
        .dst_ccy = ccy_of(s, copy_int(c, 15), s->ccy_b),
        .gross = copy_int(c, 16),
        .fee = copy_int(c, 17),
        .mid_rate_e10 = copy_int(c, 18),
        .mid_value = copy_int(c, 19),
        .margin_bps = copy_int(c, 20),
        .margin = copy_int(c, 21),
        .net = copy_int(c, 22),
        .digit_shift = copy_int(c, 23),
        .fingerprint = copy_slice(c, 24),
        .beneficiary_id = copy_int(c, 25),
        .beneficiary_version = copy_int(c, 26),
        .rate_sheet = sheet == NULL ? SLICE("") : slice_of(sheet->hash.b, HASH_BYTES),
        .policy = policy_of(s, c, 41),
    };
    if (r->beneficiary_id != s->beneficiary.id ||
        r->beneficiary_version != s->beneficiary.version) {
        err = known_beneficiary_of(s->base.known, r->beneficiary_id, r->beneficiary_version,
                                   &s->beneficiary);
        if (err.code == ERR_INVALID)
            s->beneficiary = (struct beneficiary_entry){0};
        else if (err_failed(err))
            return false;
    }
    r->beneficiary =
        s->beneficiary.id == 0 ? SLICE("") : slice_of(s->beneficiary.hash.b, HASH_BYTES);
    return c->fields[28].p == NULL || quote_bytes(s, &r->quote);
}

static void fill_hold(struct source_db *s, struct record_journal *r)
{
    struct copy in;

    if (copy_composite(&s->copy, 42, &in)) {
        r->subject = SUBJECT_HOLD;
        r->hold = (struct record_hold){copy_int(&in, 0), copy_slice(&in, 1), copy_slice(&in, 2),
                                       copy_slice(&in, 3), copy_time_us(&in, 4)};
    } else if (copy_composite(&s->copy, 43, &in)) {
        r->subject = SUBJECT_HOLD_END;
        r->hold_end = (struct record_hold_end){copy_int(&in, 0),
                                               copy_int(&in, 1),
                                               name_of(&s->principals, copy_int(&in, 2)),
                                               name_of(&s->principals, copy_int(&in, 3)),
                                               copy_slice(&in, 4),
                                               copy_slice(&in, 5)};
    }
}

static bool fill_subject(struct source_db *s, struct record_journal *r)
{
    struct copy *c = &s->copy;
    struct copy in;

    r->subject = SUBJECT_NONE;
    if (c->fields[10].p != NULL) {
        r->subject = SUBJECT_PAYOUT;
        return fill_payout(s, &r->payout);
    }
    if (c->fields[29].p != NULL) {
        r->subject = SUBJECT_TRANSITION;
        r->transition =
            (struct record_transition){copy_int(c, 29),   copy_int(c, 30),     copy_slice(c, 31),
                                       copy_slice(c, 32), copy_opt_int(c, 33), copy_slice(c, 34)};
    } else if (copy_composite(c, 36, &in)) {
        r->subject = SUBJECT_HANDOUT;
        r->handout = (struct record_handout){name_of(&s->banks, copy_int(&in, 0)), copy_int(&in, 1),
                                             copy_int(&in, 2)};
    } else if (copy_composite(c, 37, &in)) {
        r->subject = SUBJECT_DEPOSIT;
        r->deposit = (struct record_deposit){
            copy_slice(&in, 0), ccy_of(s, copy_int(&in, 1), s->ccy_a), copy_int(&in, 2)};
    } else if (copy_composite(c, 38, &in)) {
        r->subject = SUBJECT_ADJUSTMENT;
        r->adjustment = (struct record_adjustment){
            copy_int(&in, 0), copy_slice(&in, 1), copy_slice(&in, 2),
            name_of(&s->principals, copy_int(&in, 3)), copy_time_us(&in, 4)};
    } else if (copy_composite(c, 39, &in)) {
        r->subject = SUBJECT_UNCLAIMED;
        r->unclaimed = (struct record_unclaimed){
            copy_slice(&in, 0),  copy_slice(&in, 1), ccy_of(s, copy_int(&in, 2), s->ccy_a),
            copy_int(&in, 3),    copy_int(&in, 4),   copy_int(&in, 5),
            copy_time_us(&in, 6)};
    } else if (copy_composite(c, 40, &in)) {
        r->subject = SUBJECT_UNCLAIMED_END;
        r->unclaimed_end = (struct record_unclaimed_end){copy_int(&in, 0), copy_opt_int(&in, 1)};
    } else {
        fill_hold(s, r);
    }
    return true;
}

static bool fill_lines(struct source_db *s, struct record_journal *r)
{
    int64_t accounts[RECORD_LINES_MAX];
    int64_t ccys[RECORD_LINES_MAX];
    int64_t minors[RECORD_LINES_MAX];
    int n = copy_ints(&s->copy, 7, accounts, RECORD_LINES_MAX);

    if (n < 0 || copy_ints(&s->copy, 8, ccys, RECORD_LINES_MAX) != n ||
        copy_ints(&s->copy, 9, minors, RECORD_LINES_MAX) != n)
        return false;
    r->n_lines = (size_t)n;
    for (int i = 0; i < n; i++) {
        int a = known_account_of_id(s->base.known, accounts[i]);
        const struct account *account = a < 0 ? NULL : known_account_at(s->base.known, a);
        r->lines[i].account =
            account == NULL ? SLICE("?") : slice_of(account->code, account->code_len);
        r->lines[i].currency = ccy_of(s, ccys[i], s->line_ccy[i]);
        r->lines[i].amount = minors[i];
    }
    return true;
}

static int next_journal(struct source_db *s)
{
    struct block_row *b = &s->blocks[s->at_block];
    struct record_journal *r = &s->item->journal;
    struct copy *c = &s->copy;
    int64_t seq;
    char why[TEXT_SIZE];

    if (!s->have_row) {
        int got = copy_next(c);
        if (got < 0)
            return fail(s, "");
        s->have_row = got == 1;
    }
    seq = s->have_row ? copy_int(c, 0) : 0;
    if (!s->have_row || seq > b->last_seq) {
        s->phase = PHASE_BALANCES;
        return PASS;
    }
    s->have_row = false;
    r->book = s->code;
    r->seq = seq;
    r->block_no = copy_int(c, 1);
    r->committed_at_us = b->committed_at_us;
    r->kind = name_of(&s->kinds, copy_int(c, 2));
    r->actor = name_of(&s->principals, copy_int(c, 3));
    r->payout_id = copy_opt_int(c, 4);
    r->reverses_seq = copy_opt_int(c, 5);
    r->detail = copy_slice(c, 6);
    if (!fill_lines(s, r) || !fill_subject(s, r)) {
        snprintf(why, sizeof why, "book %.*s, seq %lld: its row cannot be read as a journal",
                 SLICE_ARG(s->code), (long long)seq);
        snprintf(s->base.why, sizeof s->base.why, "%s", why);
        return SOURCE_BROKEN;
    }
    s->base.done++;
    if (b->sealed && seq >= b->first_seq &&
        (size_t)(seq - b->first_seq) < b->leaves_len / HASH_BYTES)
        s->item->leaf =
            slice_of(buf_data(&s->bytes) + b->leaves_at + (size_t)(seq - b->first_seq) * HASH_BYTES,
                     HASH_BYTES);
    return give(s, RECORD_JOURNAL, record_write_journal(&s->out, r));
}

static int next_balance(struct source_db *s)
{
    const struct block_row *b = &s->blocks[s->at_block];
    struct record_balance *r = &s->item->balance;
    const struct balance_row *row;
    const struct account *a;

    if (s->at_balance == s->n_balances || s->balances[s->at_balance].block_no > b->block_no) {
        s->phase = PHASE_BLOCK;
        return PASS;
    }
    row = &s->balances[s->at_balance++];
    a = known_account_at(s->base.known, known_account_of_id(s->base.known, row->account_id));
    *r = (struct record_balance){s->code,       slice_of(a->code, a->code_len),
                                 row->block_no, row->prev_block_no,
                                 row->before,   row->change,
                                 row->balance,  row->debits,
                                 row->credits};
    return give(s, RECORD_BALANCE, record_write_balance(&s->out, r));
}

static int next_block_row(struct source_db *s)
{
    const struct block_row *b = &s->blocks[s->at_block];
    struct record_block *r = &s->item->block;
    enum source_result result;

    s->phase = PHASE_HEADS;
    *r =
        (struct record_block){s->code,
                              b->block_no,
                              b->first_seq,
                              b->last_seq,
                              b->committed_at_us,
                              b->sealed ? slice_of(b->journal_root, HASH_BYTES) : slice_of(NULL, 0),
                              slice_of(s->prev_bytes, HASH_BYTES)};
    memcpy(s->prev_bytes, s->prev.b, HASH_BYTES);
    s->item->sealed = b->sealed;
    s->item->due = !b->sealed && b->block_no <= s->sealed_upto;
    if (!b->sealed) {
        s->item->kind = RECORD_BLOCK;
        s->item->bytes = slice_of(NULL, 0);
        return SOURCE_ITEM;
    }
    s->item->key_id = slice_str(b->key_id);
    s->item->signature = slice_of(b->signature, 64);
    s->item->nodes = slice_of(buf_data(&s->bytes) + b->nodes_at, b->nodes_len);
    result = give(s, RECORD_BLOCK, record_write_block(&s->out, r));
    s->prev = merkle_leaf(s->sha, s->item->bytes);
    return result;
}

static int next_head(struct source_db *s, bool late)
{
    const struct head_row *h = &s->heads[s->at_head];
    struct record_tree_head *r = &s->item->tree_head;

    if (s->at_head == s->n_heads || (!late && h->tree_size > s->blocks[s->at_block].block_no)) {
        if (late) {
            s->phase = s->after_heads;
        } else if (++s->at_block < s->n_blocks) {
            s->phase = PHASE_JOURNALS;
        } else {
            s->phase = PHASE_PORTION;
            if (!copy_drop(&s->copy))
                return fail(s, "");
        }
        return PASS;
    }
    s->at_head++;
    *r = (struct record_tree_head){s->code, h->tree_size, slice_of(h->root, HASH_BYTES),
                                   h->signed_at_us};
    s->item->sealed = true;
    s->item->key_id = slice_str(h->key_id);
    s->item->signature = slice_of(h->signature, 64);
    return give(s, RECORD_TREE_HEAD, record_write_tree_head(&s->out, r));
}

/* ---------------------------------------------------------------- all of it */

static int step(struct source_db *s)
{
    switch (s->phase) {
    case PHASE_LOG:
        return (int)next_log(s);
    case PHASE_CURRENCIES:
        return next_currency(s);
    case PHASE_SHEETS:
        return next_sheet(s);
    case PHASE_POLICIES:
        return next_policy(s);
    case PHASE_BOOK:
        return next_book(s);
    case PHASE_KEYS:
        return next_key(s);
    case PHASE_ACCOUNTS:
        return next_account(s);
    case PHASE_BENEFICIARIES:
        return next_beneficiary(s);
    case PHASE_SKIPPED:
        return next_skipped(s);
    case PHASE_PORTION:
        return next_portion(s);
    case PHASE_JOURNALS:
        return next_journal(s);
    case PHASE_BALANCES:
        return next_balance(s);
    case PHASE_BLOCK:
        return next_block_row(s);
    case PHASE_HEADS:
        return next_head(s, false);
    case PHASE_LATE_HEADS:
        return next_head(s, true);
    case PHASE_END:
        /* as at the end of a file, which is for whoever writes one to make */
        s->phase = PHASE_DONE;
        s->item->kind = RECORD_END;
        s->item->bytes = slice_of(NULL, 0);
        return SOURCE_ITEM;
    case PHASE_DONE:
        break;
    }
    return SOURCE_END;
}

static enum source_result db_next(struct source *source, struct source_item *item)
{
    struct source_db *s = (struct source_db *)source;
    int result;

    item->key_id = item->signature = item->leaf = item->nodes = item->broken = slice_of(NULL, 0);
    item->sealed = item->due = item->skipped = false;
    item->at = 0;
    s->item = item;
    if (source->pass_book && s->phase > PHASE_BOOK && s->phase < PHASE_END) {
        if (!copy_drop(&s->copy))
            return fail(s, "");
        s->copying = false;
        s->phase = PHASE_BOOK;
    }
    source->pass_book = false;
    do
        result = step(s);
    while (result == PASS);
    return (enum source_result)result;
}

static void db_free(struct source **source)
{
    struct source_db *s = (struct source_db *)*source;

    (void)copy_drop(&s->copy);
    policy_rows_free(&s->policies);
    free_names(&s->principals);
    free_names(&s->banks);
    free_names(&s->kinds);
    free_names(&s->books);
    free(s->balances);
    free(s->heads);
    buf_deinit(&s->bytes);
    record_out_free(&s->out);
    record_out_free(&s->quote);
    sha256_free(&s->sha);
    free(s);
    *source = NULL;
}

/* Journals are joined with their payouts in the order of their keys, which needs no memory and no sorting, whatever the
 * planner believes of tables that it has no statistics of (a dump that was just restored). */
static bool settle_planner(struct db *db)
{
    PGresult *r =
        PQexec(db->conn, "SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; "
                         "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
                         "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off; "
                         "SET LOCAL cursor_tuple_fraction = 1");
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

    if (!ok)
        complain("the database says: %s", PQresultErrorMessage(r));
    PQclear(r);
    return ok;
}

static bool check_books(const struct source_db *s)
{
    for (size_t i = 0; i < s->options.n_books; i++) {
        bool found = false;
        for (size_t k = 0; k < s->books.n; k++)
            found = found || strcmp(s->books.of[k].text, s->options.books[i]) == 0;
        if (!found) {
            complain("there is no book '%s'", s->options.books[i]);
            return false;
        }
    }
    return true;
}

static void count_journals(struct source_db *s)
{
    PGresult *r = db_query(s->db, "SELECT book_id, next_seq - 1 FROM book_head", 0, NULL);

    for (int i = 0; r != NULL && i < PQntuples(r); i++)
        if (wanted(s, name_of(&s->books, db_int(r, i, 0)).p))
            s->base.total += (uint64_t)db_int(r, i, 1);
    PQclear(r);
}

bool source_db_new(struct db *db, const struct source_db_options *options, struct known *known,
                   struct source **out)
{
    struct source_db *s = calloc(1, sizeof *s);

    if (s == NULL || (s->sha = sha256_new()) == NULL) {
        complain("out of memory");
        free(s);
        return false;
    }
    s->base.next = db_next;
    s->base.free = db_free;
    s->base.known = known;
    s->db = db;
    s->options = *options;
    buf_init(&s->bytes, 1U << 30);
    if (!settle_planner(db) ||
        !load_names(db, "SELECT principal_id, uri FROM principal", PRINCIPALS_MAX,
                    &s->principals) ||
        !load_names(db, "SELECT bank_id, code FROM bank", BANKS_MAX, &s->banks) ||
        !load_names(db, "SELECT kind, name FROM journal_kind", KINDS_MAX, &s->kinds) ||
        !load_names(db, "SELECT book_id, code FROM book", BOOKS_MAX, &s->books) ||
        !check_books(s)) {
        db_free((struct source **)&s);
        return false;
    }
    count_journals(s);
    *out = &s->base;
    return true;
}
