/* reconcile_ours.c: our side, from the database: the account, the postings on our nostro at the bank, its balances. */
#include "audit/reconcile.h"
#include "base/clock.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define PAKISTAN_US  (5 * 3600 * US_PER_SEC)
#define LOOK_UPS_MAX 1000 /* payments that only the bank has and are looked up one by one */

/* ---------------------------------------------------------------- which account */

/* Without the blanks that people write into an IBAN. */
static bool clean_account(const char *text, char out[CAMT_TEXT35_SIZE])
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        if (n + 1 == CAMT_TEXT35_SIZE)
            return false;
        out[n++] = *text;
    }
    out[n] = '\0';
    return n > 0;
}

/* The line "BANK,ACCOUNT" of the bank. */
static bool account_from_file(const char *path, const char *bank, char out[CAMT_TEXT35_SIZE])
{
    char line[512];
    FILE *file = fopen(path, "re");
    bool found = false;

    if (file == NULL) {
        complain("%s: %m", path);
        return false;
    }
    while (!found && fgets(line, sizeof line, file) != NULL) {
        struct slice code;
        struct slice account;
        char text[512];

        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '#' && slice_cut(slice_str(line), ',', &code, &account) &&
            slice_equal_str(slice_trim(code), bank) &&
            !err_failed(slice_copy(slice_trim(account), text, sizeof text)))
            found = clean_account(text, out);
    }
    fclose(file);
    if (!found)
        complain("%s: it has no line for bank %s, such as %s,ACCOUNT", path, bank, bank);
    return found;
}

static enum exit_code read_options(struct recon *r, const struct args *args)
{
    const char *account = args_get(args, "account");
    const char *accounts = args_get(args, "accounts");
    const char *bank = args_get(args, "bank");
    struct slice number;

    if ((account == NULL) == (accounts == NULL)) {
        complain("which account is ours at the bank? Say --account ACCOUNT, or --accounts FILE");
        return EXIT_USAGE;
    }
    if (account != NULL && !clean_account(account, r->account)) {
        complain("--account: '%s' is no account number", account);
        return EXIT_USAGE;
    }
    if (bank == NULL &&
        (account == NULL || strlen(r->account) != 24 || strncmp(r->account, "PK", 2) != 0)) {
        complain("which bank is it at? Say --bank CODE (an IBAN of Pakistan says it itself)");
        return EXIT_USAGE;
    }
    if (bank != NULL && strlen(bank) != 4) {
        complain("--bank: '%s' is not the four letters of a bank", bank);
        return EXIT_USAGE;
    }
    snprintf(r->bank, sizeof r->bank, "%.4s", bank != NULL ? bank : r->account + 4);
    if (accounts != NULL && !account_from_file(accounts, r->bank, r->account))
        return EXIT_REFUSED;
    number = slice_str(r->account);
    if (bank != NULL && number.len == 24 && slice_starts_with(number, SLICE("PK")) &&
        !slice_equal_str(slice_of(number.p + 4, 4), bank)) {
        complain("account %s is not one of bank %s", r->account, bank);
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static bool find_bank(struct recon *r)
{
    PGresult *result = db_query(&r->db, "SELECT name, coalesce(bic, '') FROM bank WHERE code = $1",
                                1, (const char *const[]){r->bank});
    bool found = result != NULL && PQntuples(result) == 1;

    if (found) {
        snprintf(r->bank_name, sizeof r->bank_name, "%s", PQgetvalue(result, 0, 0));
        snprintf(r->bic, sizeof r->bic, "%s", PQgetvalue(result, 0, 1));
    } else if (result != NULL) {
        complain("there is no bank %s", r->bank);
    }
    PQclear(result);
    return found;
}

static bool find_currency(struct recon *r)
{
    PGresult *result =
        db_query(&r->db,
                 "SELECT DISTINCT c.code, c.digits FROM account a JOIN currency c USING (ccy)"
                 "  JOIN bank b USING (bank_id) JOIN book k USING (book_id)"
                 " WHERE a.role = 'nostro' AND b.code = $1 AND ($2 = '' OR k.code = $2) ORDER BY 1",
                 2, (const char *const[]){r->bank, r->book == NULL ? "" : r->book});
    bool found = result != NULL && PQntuples(result) == 1;

    if (found) {
        snprintf(r->ccy, sizeof r->ccy, "%s", PQgetvalue(result, 0, 0));
        r->digits = (unsigned)db_int(result, 0, 1);
    } else if (result != NULL && PQntuples(result) == 0) {
        complain("we have no nostro account at bank %s%s%s", r->bank,
                 r->book == NULL ? "" : " in book ", r->book == NULL ? "" : r->book);
    } else if (result != NULL) {
        complain("our nostro accounts at bank %s are in several currencies", r->bank);
    }
    PQclear(result);
    return found;
}

static bool find_moment(struct recon *r, const char *as_of)
{
    PGresult *result;
    int64_t us = 0;

    if (as_of == NULL) {
        result = db_query(
            &r->db, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", 0, NULL);
        if (result == NULL)
            return false;
        us = db_int(result, 0, 0);
        PQclear(result);
    } else if (err_failed(timefmt_parse_rfc3339(slice_str(as_of), &us))) {
        return false; /* looked at before */
    }
    timefmt_rfc3339(us, r->as_of);
    r->as_of_day = timefmt_day_of(us + PAKISTAN_US);
    return true;
}

enum exit_code recon_find_account(struct recon *r, const struct args *args)
{
    const char *as_of = args_get(args, "as-of");
    int64_t us;
    enum exit_code code = read_options(r, args);

    if (code != EXIT_DONE)
        return code;
    if (as_of != NULL && err_failed(timefmt_parse_rfc3339(slice_str(as_of), &us))) {
        complain("--as-of: RFC 3339 is wanted, such as 2026-07-17T19:00:00Z, not '%s'", as_of);
        return EXIT_USAGE;
    }
    r->book = args_get(args, "book");
    code = db_open(args, &r->db);
    if (code != EXIT_DONE)
        return code;
    return find_bank(r) && find_currency(r) && find_moment(r, as_of) ? EXIT_DONE : EXIT_REFUSED;
}

/* ---------------------------------------------------------------- postings */

/* What the bank was given for a settlement and what it gave for a return are of the payout's own transitions; a return's
 * is that of its second journal. Each
 * look-up is a lateral of one row, so that it goes by its key whatever the planner believes of tables that it has no
 * statistics of yet. */
static const char sql_postings[] =
    "SELECT k.code, k.book_id::text, j.seq::text,"
    "       (extract(epoch FROM b.committed_at) * 1000000)::bigint::text, n.name,"
    "       coalesce(j.payout_id, 0)::text, line.minor::text, coalesce(p.reference, ''),"
    "       coalesce(t.bank_reference, CASE n.name WHEN 'NOSTRO_FUNDED' THEN j.detail END, ''),"
    "       coalesce(s.tax_withheld, 0)::text,"
    "       coalesce(a.reason, j.detail, '')"
    "  FROM account n0 JOIN bank USING (bank_id) JOIN currency c ON c.ccy = n0.ccy"
    "  JOIN book k ON k.book_id = n0.book_id"
    "  JOIN account_balance v ON v.book_id = n0.book_id AND v.account_id = n0.account_id"
    " CROSS JOIN LATERAL (SELECT * FROM block b WHERE b.book_id = v.book_id AND b.block_no = v.block_no LIMIT 1) b"
    " CROSS JOIN LATERAL (SELECT * FROM journal j WHERE j.book_id = b.book_id"
    "        AND j.seq BETWEEN b.first_seq AND b.last_seq OFFSET 0) j"
    " CROSS JOIN LATERAL unnest(j.line_account, j.line_minor) AS line (account_id, minor)"
    "  JOIN journal_kind n USING (kind)"
    "  LEFT JOIN LATERAL (SELECT p.reference FROM payout p WHERE p.book_id = j.book_id"
    "        AND p.payout_id = j.payout_id LIMIT 1) p ON true"
    "  LEFT JOIN LATERAL (SELECT s.tax_withheld FROM payout_transition s WHERE s.book_id = j.book_id"
    "        AND s.payout_id = j.payout_id AND s.step = 1 AND s.state = 4 LIMIT 1) s ON true"
    "  LEFT JOIN LATERAL (SELECT t.bank_reference FROM payout_transition t WHERE t.book_id = j.book_id"
    "        AND t.seq = j.seq + CASE WHEN n.name IN ('SETTLEMENT_REVERSED', 'SETTLEMENT_PARTLY_REVERSED')"
    "                                 THEN 1 ELSE 0 END AND t.seq > 0 LIMIT 1) t ON j.payout_id IS NOT NULL"
    "  LEFT JOIN LATERAL (SELECT a.reason FROM adjustment_decision d JOIN adjustment_proposal a"
    "        ON a.book_id = d.book_id AND a.proposal_id = d.proposal_id"
    "        WHERE d.book_id = j.book_id AND d.seq = j.seq LIMIT 1) a ON n.name = 'ADJUSTMENT'"
    " WHERE n0.role = 'nostro' AND bank.code = $1 AND c.code = $2 AND ($3 = '' OR k.code = $3)"
    "   AND line.account_id = n0.account_id"
    "   AND b.committed_at >= $4::timestamptz AND b.committed_at <= $5::timestamptz"
    " ORDER BY k.book_id, j.seq";

enum {
    COL_BOOK,
    COL_BOOK_ID,
    COL_SEQ,
    COL_AT,
    COL_KIND,
    COL_PAYOUT,
    COL_MINOR,
    COL_REFERENCE,
    COL_BANK_REFERENCE,
    COL_TAX,
    COL_REASON
};

static bool add_item(struct recon *r, const PGresult *row, int64_t begin_us)
{
    struct item *item;
    int64_t at = db_int(row, 0, COL_AT);

    if (r->n_items == r->items_size) {
        void *more = recon_grow(r->items, r->n_items, &r->items_size, sizeof *r->items);
        if (more == NULL)
            return false;
        r->items = more;
    }
    item = &r->items[r->n_items++];
    *item = (struct item){.minor = db_int(row, 0, COL_MINOR),
                          .seq = db_int(row, 0, COL_SEQ),
                          .payout_id = db_int(row, 0, COL_PAYOUT),
                          .tax = db_int(row, 0, COL_TAX),
                          .book_id = (int32_t)db_int(row, 0, COL_BOOK_ID),
                          .book = recon_dup(r, PQgetvalue(row, 0, COL_BOOK)),
                          .kind = recon_dup(r, PQgetvalue(row, 0, COL_KIND)),
                          .reference = recon_dup(r, PQgetvalue(row, 0, COL_REFERENCE)),
                          .bank_reference = recon_dup(r, PQgetvalue(row, 0, COL_BANK_REFERENCE)),
                          .reason = recon_dup(r, PQgetvalue(row, 0, COL_REASON)),
                          .date = timefmt_day_of(at + PAKISTAN_US),
                          .prior = at < begin_us};
    if (item->book == NULL || item->kind == NULL || item->reference == NULL ||
        item->bank_reference == NULL || item->reason == NULL)
        return false;
    item->adjustment = strcmp(item->kind, "ADJUSTMENT") == 0;
    /* docs of proto/ujrat/settlement/v1: the instruction's id, which is the EndToEndId too */
    if (item->payout_id > 0)
        snprintf(item->end_to_end_id, sizeof item->end_to_end_id, "UJ%d-%lld", item->book_id,
                 (long long)item->payout_id);
    return true;
}

static bool load_items(struct recon *r, int64_t begin_us)
{
    char since[TIMEFMT_SIZE];
    PGresult *row = NULL;
    bool good;
    int more;

    timefmt_rfc3339(begin_us - RECON_LOOKBACK_DAYS * US_PER_DAY, since);
    good = db_stream(
        &r->db, sql_postings, 5,
        (const char *const[]){r->bank, r->ccy, r->book == NULL ? "" : r->book, since, r->as_of});
    if (!good)
        return false;
    while ((more = db_row(&r->db, &row)) == 1) {
        if (good && !add_item(r, row, begin_us)) {
            complain("there are more postings than we have memory for; reconcile a shorter time");
            good = false;
        }
        PQclear(row);
    }
    return good && more == 0;
}

/* The books' own balances, not the sum of the postings that were read: the two must agree. */
static const char sql_balance[] =
    "SELECT coalesce(sum(last.balance), 0)"
    "  FROM account a JOIN bank USING (bank_id) JOIN currency c USING (ccy) JOIN book k USING (book_id)"
    " CROSS JOIN LATERAL (SELECT v.balance FROM account_balance v"
    "        LEFT JOIN block b ON b.book_id = v.book_id AND b.block_no = v.block_no"
    "       WHERE v.book_id = a.book_id AND v.account_id = a.account_id"
    "         AND (v.block_no = 0 OR CASE WHEN $5 = 'before' THEN b.committed_at < $4::timestamptz"
    "                                     ELSE b.committed_at <= $4::timestamptz END)"
    "       ORDER BY v.block_no DESC LIMIT 1) last"
    " WHERE a.role = 'nostro' AND bank.code = $1 AND c.code = $2 AND ($3 = '' OR k.code = $3)";

static bool load_balance(struct recon *r, const char *at, const char *how, int64_t *out)
{
    PGresult *result =
        db_query(&r->db, sql_balance, 5,
                 (const char *const[]){r->bank, r->ccy, r->book == NULL ? "" : r->book, at, how});
    bool good =
        result != NULL && !err_failed(str_parse_int64(slice_str(PQgetvalue(result, 0, 0)), out));

    if (result != NULL && !good)
        complain("the balance per books is too large");
    PQclear(result);
    return good;
}

bool recon_load(struct recon *r)
{
    int64_t begin_us = r->statements[0].from_us;
    char begin[TIMEFMT_SIZE];
    int64_t as_of_us = 0;

    if (err_failed(timefmt_parse_rfc3339(slice_str(r->as_of), &as_of_us)))
        return false;
    if (as_of_us < begin_us) {
        complain("--as-of is before the first statement begins");
        return false;
    }
    timefmt_rfc3339(begin_us, begin);
    return load_items(r, begin_us) && load_balance(r, begin, "before", &r->books_opening) &&
           load_balance(r, r->as_of, "by", &r->books_balance);
}

/* ---------------------------------------------------------------- what only the bank has */

static const char sql_payout[] =
    "SELECT k.code, p.payout_id, p.reference, p.net, c.code,"
    "       CASE coalesce((SELECT t.state FROM payout_transition t WHERE t.book_id = p.book_id"
    "                       AND t.payout_id = p.payout_id ORDER BY t.step DESC LIMIT 1),"
    "                     payout_state(p.book_id, p.payout_id, p.bank_id))"
    "       WHEN 1 THEN 'ACCEPTED' WHEN 2 THEN 'HELD' WHEN 3 THEN 'INSTRUCTED' WHEN 4 THEN 'SETTLED' WHEN 5 THEN 'REJECTED'"
    "       WHEN 6 THEN 'RETURNED' WHEN 9 THEN 'REFUSED' WHEN 10 THEN 'PARTLY_RETURNED' ELSE 'CANCELLED' END, b.code"
    "  FROM payout p JOIN book k USING (book_id) JOIN currency c ON c.ccy = p.dst_ccy"
    "  JOIN bank b USING (bank_id)"
    " WHERE 'UJ' || p.book_id || '-' || p.payout_id = $1 AND p.book_id = $2::int AND p.payout_id = $3::bigint"
    " LIMIT 1";

/* Of "UJ7-42", "7" and "42". */
static bool split_id(const char *id, char book[16], char payout[24])
{
    struct slice rest = slice_str(id);
    struct slice before;
    struct slice behind;
    int64_t value;

    if (!slice_starts_with(rest, SLICE("UJ")) ||
        !slice_cut(slice_of(rest.p + 2, rest.len - 2), '-', &before, &behind))
        return false;
    return !err_failed(str_parse_int64(before, &value)) && value > 0 && value <= INT32_MAX &&
           !err_failed(str_parse_int64(behind, &value)) && value > 0 &&
           !err_failed(slice_copy(before, book, 16)) && !err_failed(slice_copy(behind, payout, 24));
}

static bool look_up(struct recon *r, struct line *line)
{
    char book[16];
    char payout[24];
    PGresult *result;

    if (line->item != NULL || line->note != NULL || !split_id(line->end_to_end_id, book, payout))
        return true;
    result =
        db_query(&r->db, sql_payout, 3, (const char *const[]){line->end_to_end_id, book, payout});
    if (result == NULL)
        return false;
    if (PQntuples(result) == 0)
        line->note = recon_printf(r, "the books have no payout %s", line->end_to_end_id);
    else
        line->note = recon_printf(
            r, "payout %s of %s (%s) is %s in the books%s%s", PQgetvalue(result, 0, 1),
            PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 5),
            strcmp(PQgetvalue(result, 0, 6), r->bank) == 0 ? "" : ", and is to bank ",
            strcmp(PQgetvalue(result, 0, 6), r->bank) == 0 ? "" : PQgetvalue(result, 0, 6));
    line->instructed =
        PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 5), "INSTRUCTED") == 0;
    PQclear(result);
    return true;
}

bool recon_look_up(struct recon *r)
{
    size_t done = 0;

    for (size_t i = 0; i < r->n_lines && done < LOOK_UPS_MAX; i++) {
        struct line *line = &r->lines[i];

        if (line->pending || line->item != NULL || line->delta == 0)
            continue;
        done++;
        if (!look_up(r, line))
            return false;
    }
    return true;
}
