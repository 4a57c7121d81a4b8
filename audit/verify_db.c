/* What only a database can be asked: rows beside the journals, the head of a book, quotes that were never used. */
#include "audit/copy.h"
#include "audit/verify_book.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define SQL_SIZE 1024

/* Rows there are, against those that came with journals and blocks; and the first that did not. */
static const struct {
    const char *table, *where; /* more of the condition */
    size_t seen;               /* in struct book_result */
    const char *first;         /* selects a seq or a block of one too many */
    bool of_block;
} tables[] = {
    {"journal", "", offsetof(struct book_result, journals),
     "SELECT seq FROM journal j WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = j.block_no AND j.seq BETWEEN b.first_seq AND b.last_seq)",
     false},
    {"payout", "", offsetof(struct book_result, payouts),
     "SELECT payout_id FROM payout p WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = p.payout_id AND j.kind = 1)",
     false},
    {"payout_transition", "", offsetof(struct book_result, transitions),
     "SELECT seq FROM payout_transition t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind IN (3, 4, 6, 7, 11, 13))",
     false},
    {"payment_return", "", offsetof(struct book_result, returns),
     "SELECT payout_id FROM payment_return r WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM "
     "payout_transition t JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq "
     "WHERE t.book_id = $1 AND t.payout_id = r.payout_id AND t.step = r.step AND j.kind IN (6, 11, 13))",
     false},
    {"nostro_funding", "", offsetof(struct book_result, fundings),
     "SELECT seq FROM nostro_funding t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 14)",
     false},
    {"unclaimed", "", offsetof(struct book_result, unclaimed),
     "SELECT unclaimed_id FROM unclaimed t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.unclaimed_id AND j.kind = 15)",
     false},
    {"unclaimed_end", "", offsetof(struct book_result, unclaimed_ends),
     "SELECT seq FROM unclaimed_end t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind IN (16, 17))",
     false},
    {"handout", "", offsetof(struct book_result, handouts),
     "SELECT seq FROM handout t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 2)",
     false},
    {"float_deposit", "", offsetof(struct book_result, deposits),
     "SELECT seq FROM float_deposit t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 8)",
     false},
    {"adjustment_decision", " AND seq IS NOT NULL", offsetof(struct book_result, adjustments),
     "SELECT seq FROM adjustment_decision t WHERE book_id = $1 AND seq IS NOT NULL AND NOT EXISTS "
     "(SELECT 1 FROM journal j WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 9)",
     false},
    {"account_balance", " AND block_no > 0", offsetof(struct book_result, balances),
     "SELECT block_no FROM account_balance v WHERE book_id = $1 AND block_no > 0 AND (NOT EXISTS "
     "(SELECT 1 FROM block b WHERE b.book_id = $1 AND b.block_no = v.block_no) OR NOT EXISTS "
     "(SELECT 1 FROM account a WHERE a.book_id = $1 AND a.account_id = v.account_id))",
     true},
    {"block_seal", "", offsetof(struct book_result, seals),
     "SELECT block_no FROM block_seal s WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = s.block_no)",
     true},
    {"tree_head", "", offsetof(struct book_result, heads),
     "SELECT tree_size FROM tree_head s WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = s.tree_size)",
     true},
};
#define TABLES (sizeof tables / sizeof tables[0])

struct asking {
    struct verify *v;
    struct db *db;
    const struct book_result *r;
    char id[STR_INT64_SIZE]; /* of the book */
};

static PGresult *ask(const struct asking *a, const char *sql)
{
    const char *values[] = {a->id};

    return db_query(a->db, sql, 1, values);
}

static bool check_table(const struct asking *a, size_t i)
{
    char sql[SQL_SIZE];
    char field[64];
    int64_t seen = 0;
    int64_t there;
    int64_t first = 0;
    PGresult *row;

    memcpy(&seen, (const char *)a->r + tables[i].seen, sizeof seen);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE book_id = $1%s", tables[i].table,
             tables[i].where);
    row = ask(a, sql);
    if (row == NULL)
        return false;
    there = db_int(row, 0, 0);
    PQclear(row);
    if (there == seen)
        return true;
    snprintf(sql, sizeof sql, "%s ORDER BY 1 LIMIT 1", tables[i].first);
    row = ask(a, sql);
    if (row == NULL)
        return false;
    if (PQntuples(row) > 0)
        first = db_int(row, 0, 0);
    PQclear(row);
    snprintf(field, sizeof field, "%s: rows", tables[i].table);
    verify_wrong_int(a->v, tables[i].of_block ? 0 : first, tables[i].of_block ? first : 0, field,
                     seen, there, "rows that no journal and no block of the book stands for");
    return true;
}

static bool check_head(const struct asking *a)
{
    const struct book *b = &a->v->book;
    PGresult *row = ask(a, "SELECT next_seq, next_block, CASE WHEN isfinite(last_commit_at) THEN "
                           "(extract(epoch FROM last_commit_at) * 1000000)::bigint ELSE 0 END "
                           "FROM book_head WHERE book_id = $1");

    if (row == NULL)
        return false;
    if (PQntuples(row) != 1)
        verify_wrong(a->v, 0, 0, "book_head", "one row", "none", "the book has no head");
    else if (db_int(row, 0, 0) != b->last_seq + 1)
        verify_wrong_int(a->v, b->last_seq, 0, "book_head: next_seq", b->last_seq + 1,
                         db_int(row, 0, 0), "journals of the end are missing, or are too many");
    else if (db_int(row, 0, 1) != b->block_no + 1)
        verify_wrong_int(a->v, 0, b->block_no, "book_head: next_block", b->block_no + 1,
                         db_int(row, 0, 1), "blocks of the end are missing, or are too many");
    else if (db_int(row, 0, 2) != b->committed_at_us)
        verify_wrong_int(a->v, 0, b->block_no, "book_head: last_commit_at", b->committed_at_us,
                         db_int(row, 0, 2), "is not the time of the last block");
    PQclear(row);
    return true;
}

/* What has not ended is open, and the other way around; and items that name something unclaimed are what it names. */
static bool check_open(const struct asking *a)
{
    PGresult *row = ask(
        a,
        "SELECT coalesce(u.unclaimed_id, o.unclaimed_id) FROM (SELECT unclaimed_id, expires_at FROM unclaimed u "
        "WHERE book_id = $1 AND NOT EXISTS (SELECT FROM unclaimed_end e WHERE e.book_id = $1 AND "
        "e.unclaimed_id = u.unclaimed_id)) u FULL JOIN (SELECT unclaimed_id, expires_at FROM "
        "unclaimed_open WHERE book_id = $1) o ON o.unclaimed_id = u.unclaimed_id AND "
        "o.expires_at = u.expires_at WHERE u.unclaimed_id IS NULL OR o.unclaimed_id IS NULL "
        "ORDER BY 1 LIMIT 1");
    bool ok = row != NULL;

    if (ok && PQntuples(row) > 0)
        verify_wrong(a->v, db_int(row, 0, 0), 0, "unclaimed_open", "what has not ended",
                     "something else", "what is unclaimed and open is not what has not ended");
    PQclear(row);
    row = ok ? ask(a, "SELECT u.unclaimed_id FROM unclaimed u LEFT JOIN payout_batch_item i ON "
                      "i.book_id = u.book_id AND i.batch_id = u.batch_id AND i.item_no = u.item_no "
                      "WHERE u.book_id = $1 AND (i.unclaimed_id, i.gross) IS DISTINCT FROM "
                      "(u.unclaimed_id, u.gross) ORDER BY 1 LIMIT 1")
             : NULL;
    if (row == NULL)
        return false;
    if (PQntuples(row) > 0)
        verify_wrong(a->v, db_int(row, 0, 0), 0, "payout_batch_item", "the item it is of",
                     "another", "what is unclaimed is not what its item says");
    PQclear(row);
    return true;
}

static bool check_openings(const struct asking *a)
{
    PGresult *row = ask(
        a, "SELECT a.code FROM account a LEFT JOIN account_balance v ON v.book_id = a.book_id AND "
           "v.account_id = a.account_id AND v.block_no = 0 WHERE a.book_id = $1 AND "
           "(v.change, v.balance, v.debit_count, v.credit_count) IS DISTINCT FROM "
           "(0::bigint, 0::bigint, 0::bigint, 0::bigint) LIMIT 1");

    if (row == NULL)
        return false;
    if (PQntuples(row) > 0)
        verify_wrong(a->v, 0, 0, "account_balance", "nil, of block 0", "another",
                     "the opening of %s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return true;
}

static void check_quote(const struct asking *a, struct copy *c)
{
    const struct price p = {copy_int(c, 1), copy_int(c, 2), copy_int(c, 3), copy_int(c, 4),
                            copy_int(c, 5), copy_int(c, 6), copy_int(c, 7), copy_int(c, 8)};
    const struct sheet *sheet = known_sheet_of_id(a->v->known, copy_int(c, 9));
    uint16_t src = known_ccy_of_number(a->v->known, copy_int(c, 10));
    uint16_t dst = known_ccy_of_number(a->v->known, copy_int(c, 11));
    int shift = known_digits(a->v->known, dst) - known_digits(a->v->known, src);
    const char *field = NULL;
    char name[48];
    char text[FINDING_TEXT];
    int64_t expected = 0;
    int64_t found = 0;

    if (p.digit_shift != shift) {
        field = "digit_shift";
        expected = shift;
        found = p.digit_shift;
    } else if (price_holds(&p, &field, &expected, &found) &&
               (sheet == NULL || (src != dst && dst == ccy_pack(SLICE("PKR")) &&
                                  known_rate(a->v->known, sheet, src) != p.mid_rate_e10))) {
        field = "mid_rate_e10";
        expected = sheet == NULL ? 0 : known_rate(a->v->known, sheet, src);
        found = p.mid_rate_e10;
    }
    if (field == NULL)
        return;
    snprintf(name, sizeof name, "quote: %s", field);
    snprintf(text, sizeof text, "quote %lld: its numbers do not follow from each other",
             (long long)copy_int(c, 0));
    verify_wrong_int(a->v, 0, 0, name, expected, found, text);
}

static bool check_quotes(const struct asking *a)
{
    struct copy c;
    char sql[SQL_SIZE];
    int got;

    snprintf(
        sql, sizeof sql,
        "SELECT quote_id, gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net, "
        "digit_shift, rate_id, src_ccy, dst_ccy FROM quote WHERE book_id = %s ORDER BY quote_id",
        a->id);
    if (!copy_begin(&c, a->db, sql))
        return false;
    while ((got = copy_next(&c)) == 1)
        check_quote(a, &c);
    return got == 0;
}

bool verify_rows(struct verify *v, struct db *db, const struct book_result *r)
{
    struct asking a = {.v = v, .db = db, .r = r};
    const char *code[] = {r->book};
    PGresult *row;
    bool ok;

    if (v->book.given_up)
        return true;
    row = db_query(db, "SELECT book_id FROM book WHERE code = $1", 1, code);
    if (row == NULL || PQntuples(row) != 1) {
        PQclear(row);
        return false;
    }
    (void)str_format_int64(db_int(row, 0, 0), a.id);
    PQclear(row);
    /* counting goes through whole tables, which the order of journals has no use for */
    PQclear(db_query(db, "SET LOCAL enable_seqscan = on", 0, NULL));
    PQclear(db_query(db, "SET LOCAL enable_hashjoin = on", 0, NULL));
    ok = check_head(&a) && check_openings(&a) && check_quotes(&a) && check_open(&a);
    for (size_t i = 0; ok && !v->book.given_up && i < TABLES; i++)
        ok = check_table(&a, i);
    PQclear(db_query(db, "SET LOCAL enable_seqscan = off", 0, NULL));
    PQclear(db_query(db, "SET LOCAL enable_hashjoin = off", 0, NULL));
    return ok;
}
