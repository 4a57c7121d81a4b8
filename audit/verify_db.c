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
    const char *missing; /* NULL, or selects a journal that should have a row and has none */
} tables[] = {
    {"journal", "", offsetof(struct book_result, journals),
     "SELECT seq FROM journal j WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = j.block_no AND j.seq BETWEEN b.first_seq AND b.last_seq)",
     false, NULL},
    {"payout", "", offsetof(struct book_result, payouts),
     "SELECT payout_id FROM payout p WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = p.payout_id AND j.kind = 1)",
     false, NULL},
    {"payout_transition", "", offsetof(struct book_result, transitions),
     "SELECT seq FROM payout_transition t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind IN (3, 4, 6, 7, 11, 13, 21))",
     false, NULL},
    {"payment_return", "", offsetof(struct book_result, returns),
     "SELECT payout_id FROM payment_return r WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM "
     "payout_transition t JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq "
     "WHERE t.book_id = $1 AND t.payout_id = r.payout_id AND t.step = r.step AND j.kind IN (6, 11, 13))",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind IN (6, 11, 13) AND NOT EXISTS (SELECT 1 FROM "
     "payout_transition t JOIN payment_return r USING (book_id, payout_id, step) "
     "WHERE t.book_id = $1 AND t.payout_id = j.payout_id AND t.seq = j.seq)"},
    {"nostro_funding", "", offsetof(struct book_result, fundings),
     "SELECT seq FROM nostro_funding t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 14)",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind = 14 AND NOT EXISTS (SELECT 1 FROM "
     "nostro_funding f WHERE f.book_id = $1 AND f.seq = j.seq)"},
    {"unclaimed", "", offsetof(struct book_result, unclaimed),
     "SELECT unclaimed_id FROM unclaimed t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.unclaimed_id AND j.kind = 15)",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind = 15 AND NOT EXISTS (SELECT 1 FROM "
     "unclaimed u WHERE u.book_id = $1 AND u.unclaimed_id = j.seq)"},
    {"unclaimed_end", "", offsetof(struct book_result, unclaimed_ends),
     "SELECT seq FROM unclaimed_end t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind IN (16, 17))",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind IN (16, 17) AND NOT EXISTS (SELECT 1 "
     "FROM unclaimed_end e WHERE e.book_id = $1 AND e.unclaimed_id = j.reverses_seq AND e.seq = j.seq)"},
    {"payout_hold", "", offsetof(struct book_result, holds),
     "SELECT seq FROM payout_hold t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 18)",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind = 18 AND NOT EXISTS (SELECT 1 FROM "
     "payout_hold h WHERE h.book_id = $1 AND h.payout_id = j.payout_id AND h.seq = j.seq)"},
    {"payout_hold_end", "", offsetof(struct book_result, hold_ends),
     "SELECT seq FROM payout_hold_end t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind IN (19, 20))",
     false,
     "SELECT seq FROM journal j WHERE book_id = $1 AND kind IN (19, 20) AND NOT EXISTS (SELECT 1 "
     "FROM payout_hold_end e WHERE e.book_id = $1 AND e.payout_id = j.payout_id AND e.seq = j.seq)"},
    {"handout", "", offsetof(struct book_result, handouts),
     "SELECT seq FROM handout t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 2)",
     false, NULL},
    {"float_deposit", "", offsetof(struct book_result, deposits),
     "SELECT seq FROM float_deposit t WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM journal j "
     "WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 8)",
     false, NULL},
    {"adjustment_decision", " AND seq IS NOT NULL", offsetof(struct book_result, adjustments),
     "SELECT seq FROM adjustment_decision t WHERE book_id = $1 AND seq IS NOT NULL AND NOT EXISTS "
     "(SELECT 1 FROM journal j WHERE j.book_id = $1 AND j.seq = t.seq AND j.kind = 9)",
     false, NULL},
    {"account_balance", " AND block_no > 0", offsetof(struct book_result, balances),
     "SELECT block_no FROM account_balance v WHERE book_id = $1 AND block_no > 0 AND (NOT EXISTS "
     "(SELECT 1 FROM block b WHERE b.book_id = $1 AND b.block_no = v.block_no) OR NOT EXISTS "
     "(SELECT 1 FROM account a WHERE a.book_id = $1 AND a.account_id = v.account_id))",
     true, NULL},
    {"block_seal", "", offsetof(struct book_result, seals),
     "SELECT block_no FROM block_seal s WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = s.block_no)",
     true, NULL},
    {"tree_head", "", offsetof(struct book_result, heads),
     "SELECT tree_size FROM tree_head s WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM block b "
     "WHERE b.book_id = $1 AND b.block_no = s.tree_size)",
     true, NULL},
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
    const char *which = tables[i].first;
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
    if (there < seen && tables[i].missing != NULL)
        which = tables[i].missing;
    snprintf(sql, sizeof sql, "%s ORDER BY 1 LIMIT 1", which);
    row = ask(a, sql);
    if (row == NULL)
        return false;
    if (PQntuples(row) > 0)
        first = db_int(row, 0, 0);
    PQclear(row);
    snprintf(field, sizeof field, "%s: rows", tables[i].table);
    verify_wrong_int(a->v, tables[i].of_block ? 0 : first, tables[i].of_block ? first : 0, field,
                     seen, there,
                     there < seen ? "journals of the book, or blocks, that have no row"
                                  : "rows that no journal and no block of the book stands for");
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

/* The query finds no seq that is wrong; the first that it does is told. False: it could not be asked. */
static bool check_none(const struct asking *a, const char *sql, const char *field,
                       const char *expected, const char *found, const char *why)
{
    PGresult *row = ask(a, sql);

    if (row == NULL)
        return false;
    if (PQntuples(row) > 0)
        verify_wrong(a->v, db_int(row, 0, 0), 0, field, expected, found, "%s", why);
    PQclear(row);
    return true;
}

/* What has not ended is open, and the other way around; and items that name something unclaimed are what it names. */
static bool check_open(const struct asking *a)
{
    return check_none(
               a,
               "SELECT coalesce(u.unclaimed_id, o.unclaimed_id) FROM (SELECT unclaimed_id, expires_at FROM unclaimed u "
               "WHERE book_id = $1 AND NOT EXISTS (SELECT FROM unclaimed_end e WHERE e.book_id = $1 AND "
               "e.unclaimed_id = u.unclaimed_id)) u FULL JOIN (SELECT unclaimed_id, expires_at FROM "
               "unclaimed_open WHERE book_id = $1) o ON o.unclaimed_id = u.unclaimed_id AND "
               "o.expires_at = u.expires_at WHERE u.unclaimed_id IS NULL OR o.unclaimed_id IS NULL "
               "ORDER BY 1 LIMIT 1",
               "unclaimed_open", "what has not ended", "something else",
               "what is unclaimed and open is not what has not ended") &&
           check_none(a,
                      "SELECT u.unclaimed_id FROM unclaimed u LEFT JOIN payout_batch_item i ON "
                      "i.book_id = u.book_id AND i.batch_id = u.batch_id AND i.item_no = u.item_no "
                      "WHERE u.book_id = $1 AND (i.unclaimed_id, i.gross) IS DISTINCT FROM "
                      "(u.unclaimed_id, u.gross) ORDER BY 1 LIMIT 1",
                      "payout_batch_item", "the item it is of", "another",
                      "what is unclaimed is not what its item says");
}

/* Of holds: which are open, and what the log has not: whose each row is, and which bank's. */
static bool check_holds(const struct asking *a)
{
    return check_none(
               a,
               "SELECT coalesce(h.seq, o.payout_id) FROM (SELECT payout_id, hold_no, seq, queue, deadline "
               "FROM payout_hold h WHERE book_id = $1 AND NOT EXISTS (SELECT FROM payout_hold_end e WHERE "
               "e.book_id = $1 AND e.payout_id = h.payout_id AND e.hold_no = h.hold_no)) h FULL JOIN "
               "(SELECT * FROM payout_hold_open WHERE book_id = $1) o ON (o.payout_id, o.hold_no, "
               "o.queue, o.deadline) = (h.payout_id, h.hold_no, h.queue, h.deadline) "
               "WHERE h.payout_id IS NULL OR o.payout_id IS NULL ORDER BY 1 LIMIT 1",
               "payout_hold_open", "what has not ended", "something else",
               "the holds that are open are not those that have not ended") &&
           check_none(
               a,
               "SELECT x.seq FROM (SELECT h.seq, h.payout_id, h.principal_id, p.bank_id FROM "
               "payout_hold h JOIN payout p USING (book_id, payout_id) WHERE h.book_id = $1 "
               "UNION ALL SELECT e.seq, e.payout_id, d.principal_id, e.bank_id FROM "
               "payout_hold_end e JOIN payout_hold_decision d ON (d.book_id, d.payout_id, "
               "d.hold_no, d.decision_no) = (e.book_id, e.payout_id, e.hold_no, "
               "e.second_decision) WHERE e.book_id = $1) x LEFT JOIN journal j ON j.book_id = "
               "$1 AND j.seq = x.seq LEFT JOIN payout p ON p.book_id = $1 AND p.payout_id = "
               "x.payout_id WHERE (j.payout_id, j.principal_id, p.bank_id) IS DISTINCT FROM "
               "(x.payout_id, x.principal_id, x.bank_id) ORDER BY 1 LIMIT 1",
               "payout_hold", "what its journal says", "another",
               "the row of a hold, or of its end, is of another payout, person or bank");
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

/* ---------------------------------------------------------------- rows beside journals */

/* What a row says beside what its journal says, in this order, two columns each: the row's, the journal's. */
struct said {
    const char *field;
    bool text;
};

/* Of a bank's return the log holds the lines and the transition, by which all of the row is known: which payment of which
 * bank, what came back of it (on the payable), what the bank kept, and, of one that takes back, which step. The lines of a
 * return are those of the first of its two journals; those of what takes it back are the opposite ones of the second. */
static const struct said return_says[] = {
    {"amount", false},  {"charge", false},        {"reverses_step", false},
    {"bank_id", false}, {"bank_reference", true},
};
static const char sql_returns[] =
    "SELECT coalesce(j.seq, r.payout_id), coalesce(j.block_no, 0), coalesce(j.kind, 0), 'payout ' || r.payout_id || ', step ' || r.step,"
    " r.amount, a.amount, r.charge, a.charge, coalesce(r.reverses_step, 0)::bigint, coalesce(o.step, 0)::bigint,"
    " r.bank_id::bigint, coalesce(p.bank_id, 0)::bigint, r.bank_reference, coalesce(t.bank_reference, '')"
    "  FROM payment_return r"
    "  LEFT JOIN payout_transition t ON t.book_id = r.book_id AND t.payout_id = r.payout_id AND t.step = r.step"
    "  LEFT JOIN journal j ON j.book_id = r.book_id AND j.seq = t.seq AND j.kind IN (6, 11, 13)"
    "  LEFT JOIN payout p ON p.book_id = r.book_id AND p.payout_id = r.payout_id"
    "  LEFT JOIN journal f ON f.book_id = r.book_id AND f.seq = j.seq - 1"
    "  LEFT JOIN payout_transition o ON j.kind = 13 AND o.book_id = r.book_id AND o.payout_id = r.payout_id"
    "        AND o.seq = f.reverses_seq"
    " CROSS JOIN LATERAL (SELECT coalesce(sum(CASE n.role WHEN 'payable' THEN -m END), 0)::bigint AS amount,"
    "                           coalesce(sum(CASE n.role WHEN 'charge' THEN m END), 0)::bigint AS charge"
    "        FROM (SELECT u.account, CASE j.kind WHEN 13 THEN -u.minor ELSE u.minor END AS m FROM unnest("
    "                CASE j.kind WHEN 13 THEN j.line_account ELSE f.line_account END,"
    "                CASE j.kind WHEN 13 THEN j.line_minor ELSE f.line_minor END) u (account, minor)) l"
    "        JOIN account n ON n.book_id = r.book_id AND n.account_id = l.account) a"
    " WHERE r.book_id = ";

static const struct said funding_says[] = {
    {"reference", true}, {"bank_id", false}, {"ccy", false},
    {"amount", false},   {"src_ccy", false}, {"src_amount", false},
};
static const char sql_fundings[] =
    "SELECT f.seq, coalesce(j.block_no, 0), coalesce(j.kind, 0), 'funding ' || f.reference,"
    " f.reference, coalesce(j.detail, ''), f.bank_id::bigint, coalesce(a.bank_id, 0), f.ccy::bigint, coalesce(a.ccy, 0),"
    " f.amount, coalesce(a.amount, 0), f.src_ccy::bigint, coalesce(a.src_ccy, 0), f.src_amount, coalesce(a.src_amount, 0)"
    "  FROM nostro_funding f"
    "  LEFT JOIN journal j ON j.book_id = f.book_id AND j.seq = f.seq AND j.kind = 14"
    " CROSS JOIN LATERAL (SELECT max(CASE n.role WHEN 'nostro' THEN n.bank_id END)::bigint AS bank_id,"
    "        max(CASE n.role WHEN 'nostro' THEN l.ccy END)::bigint AS ccy,"
    "        sum(CASE n.role WHEN 'nostro' THEN l.minor END)::bigint AS amount,"
    "        max(CASE n.role WHEN 'correspondent' THEN l.ccy END)::bigint AS src_ccy,"
    "        sum(CASE n.role WHEN 'correspondent' THEN -l.minor END)::bigint AS src_amount"
    "        FROM unnest(j.line_account, j.line_ccy, j.line_minor) l (account, ccy, minor)"
    "        JOIN account n ON n.book_id = f.book_id AND n.account_id = l.account) a"
    " WHERE f.book_id = ";

enum { ROW_SEQ, ROW_BLOCK, ROW_KIND, ROW_NAME, ROW_SAYS };

/* One row; the first field that differs is told. */
static void check_said(const struct asking *a, struct copy *c, const char *table,
                       const struct said *says, size_t n)
{
    int64_t seq = copy_int(c, ROW_SEQ);
    struct slice name = copy_slice(c, ROW_NAME);
    char field[64], text[FINDING_TEXT], ours[64], theirs[64];

    if (copy_int(c, ROW_KIND) == 0) {
        snprintf(field, sizeof field, "%s: rows", table);
        snprintf(text, sizeof text, "%.*s: no journal of the book stands for it", (int)name.len,
                 name.p);
        verify_wrong(a->v, seq, 0, field, "a journal", "none", "%s", text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int row = ROW_SAYS + 2 * (int)i, journal = row + 1;
        struct slice found = copy_slice(c, row), expected = copy_slice(c, journal);

        if (says[i].text ? slice_equal(found, expected) : copy_int(c, row) == copy_int(c, journal))
            continue;
        snprintf(field, sizeof field, "%s: %s", table, says[i].field);
        snprintf(text, sizeof text, "%.*s: the row is not what its journal says", (int)name.len,
                 name.p);
        if (!says[i].text) {
            verify_wrong_int(a->v, seq, copy_int(c, ROW_BLOCK), field, copy_int(c, journal),
                             copy_int(c, row), text);
            return;
        }
        snprintf(ours, sizeof ours, "%.*s", (int)expected.len, expected.p);
        snprintf(theirs, sizeof theirs, "%.*s", (int)found.len, found.p);
        verify_wrong(a->v, seq, copy_int(c, ROW_BLOCK), field, ours, theirs, "%s", text);
        return;
    }
}

/* Row after row, as they come; query ends where the book's number goes. */
static bool check_beside(const struct asking *a, const char *table, const char *query,
                         const char *order, const struct said *says, size_t n)
{
    struct copy c;
    char sql[4096];
    int got;

    snprintf(sql, sizeof sql, "%s%s ORDER BY %s", query, a->id, order);
    if (!copy_begin(&c, a->db, sql))
        return false;
    while ((got = copy_next(&c)) == 1) {
        check_said(a, &c, table, says, n);
        if (a->v->book.given_up)
            return copy_drop(&c);
    }
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
    ok = check_head(&a) && check_openings(&a) && check_quotes(&a) && check_open(&a) &&
         check_holds(&a);
    for (size_t i = 0; ok && !v->book.given_up && i < TABLES; i++)
        ok = check_table(&a, i);
    if (ok && !v->book.given_up)
        ok = check_beside(&a, "payment_return", sql_returns, "r.payout_id, r.step", return_says,
                          sizeof return_says / sizeof *return_says);
    if (ok && !v->book.given_up)
        ok = check_beside(&a, "nostro_funding", sql_fundings, "f.seq", funding_says,
                          sizeof funding_says / sizeof *funding_says);
    PQclear(db_query(db, "SET LOCAL enable_seqscan = off", 0, NULL));
    PQclear(db_query(db, "SET LOCAL enable_hashjoin = off", 0, NULL));
    return ok;
}
