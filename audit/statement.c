/* ujrat-audit statement: an account's postings in a period, with the balance after each. Every journal of the period is
 * read, not only those of blocks that the account's versioned balances name, and each of those balances is held
 * against the postings: neither is believed alone. */
#include "audit/cell.h"
#include "audit/commands.h"
#include "audit/lookup.h"
#include "audit/money.h"
#include "audit/output.h"

#include <string.h>

const char statement_help[] =
    "The account is BOOK/ACCOUNT, such as upwork/float.USD, or its long name,\n"
    "books/upwork/accounts/float.USD. Debits are positive in JSON; the table says Dr and Cr. The\n"
    "balance after each block is held against the running balance that is stored: exit status 1 if\n"
    "they differ. Lines are printed as they are read, however many there are.";

const struct option_row statement_options[] = {
    {"from", "TIME", "what was committed at this moment or later (default: all)", false},
    {"until", "TIME", "what was committed before this moment (default: all)", false},
    {NULL, NULL, NULL, false},
};

static const char sql_opening[] =
    "SELECT balance FROM account_balance WHERE book_id = $1::int4 AND account_id = $2::int4"
    " AND block_no <= $3::int8 ORDER BY block_no DESC LIMIT 1";

/* What is stored for the account beside each posting's block; a stored balance in whose block is no posting has a row
 * without one. */
static const char sql_lines[] =
    "SELECT x.seq, x.block_no, k.committed_at, kind.name, x.payout_id, coalesce(p.reference, d.reference),"
    "       x.reverses_seq, x.minor, v.balance"
    "  FROM (SELECT j.book_id, j.seq, j.block_no, j.kind, j.payout_id, j.reverses_seq, line.minor, line.ord"
    "          FROM journal j CROSS JOIN LATERAL unnest(j.line_account, j.line_minor) WITH ORDINALITY"
    "               AS line (account_id, minor, ord)"
    "         WHERE j.book_id = $1::int4 AND j.block_no > $3::int8 AND j.block_no <= $4::int8"
    "           AND $2::int4 = ANY (j.line_account) AND line.account_id = $2::int4) x"
    "  FULL JOIN (SELECT block_no, balance FROM account_balance"
    "              WHERE book_id = $1::int4 AND account_id = $2::int4 AND block_no > $3::int8 AND block_no <= $4::int8) v"
    "       USING (block_no)"
    "  LEFT JOIN block k ON k.book_id = $1::int4 AND k.block_no = x.block_no"
    "  LEFT JOIN journal_kind kind ON kind.kind = x.kind"
    "  LEFT JOIN payout p ON p.book_id = $1::int4 AND p.payout_id = x.payout_id"
    "  LEFT JOIN float_deposit d ON d.book_id = $1::int4 AND d.seq = x.seq"
    " ORDER BY block_no, x.seq, x.ord";

enum { SEQ, BLOCK_NO, COMMITTED_AT, KIND, PAYOUT_ID, REFERENCE, REVERSES, MINOR, STORED };

struct statement {
    const struct account *account;
    struct period period;
    bool json;
    amount_t opening, balance, debit, credit;
    int64_t lines;
    int64_t block_no; /* of the line before */
    bool has_stored;
    amount_t stored; /* what is stored for that block */
    bool wrong;
};

/* ---------------------------------------------------------------- what must hold */

/* Once a block's lines are all there. The first difference is told; the others follow from it. */
static void close_block(struct statement *s)
{
    char ours[AMOUNT_TEXT_SIZE];
    char theirs[AMOUNT_TEXT_SIZE];

    if (s->block_no == 0 || s->wrong || (s->has_stored && s->stored == s->balance))
        return;
    s->wrong = true;
    if (s->has_stored)
        complain("BALANCE AND POSTINGS DIFFER: %s/%s after block %lld: the balance says %s, its "
                 "postings come to %s",
                 s->account->book, s->account->code, (long long)s->block_no,
                 amount_shown(s->stored, s->account->digits, theirs),
                 amount_shown(s->balance, s->account->digits, ours));
    else
        complain("A BALANCE IS MISSING: %s/%s has postings in block %lld, and no balance after it",
                 s->account->book, s->account->code, (long long)s->block_no);
}

/* ---------------------------------------------------------------- what is shown */

static void show_head(const struct statement *s)
{
    const struct account *a = s->account;
    char opening[SIDED_SIZE];

    if (s->json) {
        printf(
            "{\"account\": \"books/%s/accounts/%s\", \"type\": \"%s\", \"currency\": \"%s\", \"from\": "
            "%s%s%s, \"until\": %s%s%s,\n \"opening\": \"%s\", \"lines\": [",
            a->book, a->code, a->type, a->ccy, s->period.from.text[0] ? "\"" : "",
            s->period.from.text[0] ? s->period.from.text : "null",
            s->period.from.text[0] ? "\"" : "", s->period.until.text[0] ? "\"" : "",
            s->period.until.text[0] ? s->period.until.text : "null",
            s->period.until.text[0] ? "\"" : "", amount_plain(s->opening, a->digits, opening));
        return;
    }
    printf("Statement of %s/%s (%s, %s)\n", a->book, a->code, a->type, a->ccy);
    printf("  %s%s, %s%s\n\n", s->period.from.text[0] ? "from " : "from the beginning",
           s->period.from.text, s->period.until.text[0] ? "until " : "all that is committed",
           s->period.until.text);
    printf("%8s  %-20s  %-19s  %16s  %18s  %s\n", "journal", "committed", "kind", "amount",
           "balance", "about");
    printf("--------  --------------------  -------------------  ----------------  "
           "------------------  -----\n");
    printf("%8s  %-20s  %-19s  %16s  %18s\n", "", "", "opening balance", "",
           output_sided(s->opening, a->digits, opening));
}

static bool show_json(struct statement *s, const PGresult *r, const char *time)
{
    char amount[AMOUNT_TEXT_SIZE];
    char balance[AMOUNT_TEXT_SIZE];
    json_t *row = json_pack("{sI sI ss ss ss ss}", "seq", (json_int_t)cell_int(r, SEQ), "block_no",
                            (json_int_t)cell_int(r, BLOCK_NO), "committed_at", time, "kind",
                            cell_text(r, KIND), "amount",
                            amount_plain(cell_int(r, MINOR), s->account->digits, amount), "balance",
                            amount_plain(s->balance, s->account->digits, balance));

    if (!cell_null(r, PAYOUT_ID))
        json_object_set_new(row, "payout", json_integer(cell_int(r, PAYOUT_ID)));
    if (!cell_null(r, REFERENCE))
        json_object_set_new(row, "reference", json_string(cell_text(r, REFERENCE)));
    if (!cell_null(r, REVERSES))
        json_object_set_new(row, "reverses", json_integer(cell_int(r, REVERSES)));
    (void)fputs(s->lines > 1 ? ",\n  " : "\n  ", stdout);
    if (row == NULL || json_dumpf(row, stdout, 0) != 0) {
        complain("line %lld cannot be written", (long long)s->lines);
        json_decref(row);
        return false;
    }
    json_decref(row);
    return true;
}

static void show_line(struct statement *s, const PGresult *r, const char *time)
{
    char amount[SIDED_SIZE];
    char balance[SIDED_SIZE];
    char reference[512];
    char about[600] = "";

    if (!cell_null(r, PAYOUT_ID))
        snprintf(about, sizeof about, "payout %lld ", (long long)cell_int(r, PAYOUT_ID));
    size_t n = strlen(about);
    snprintf(about + n, sizeof about - n, "%s",
             output_clean(cell_text(r, REFERENCE), reference, sizeof reference));
    for (n = strlen(about); n > 0 && about[n - 1] == ' '; n--)
        about[n - 1] = '\0';
    printf("%8lld  %.19sZ  %-19s  %16s  %18s%s%s\n", (long long)cell_int(r, SEQ), time,
           cell_text(r, KIND), output_sided(cell_int(r, MINOR), s->account->digits, amount),
           output_sided(s->balance, s->account->digits, balance), about[0] ? "  " : "", about);
}

static void show_end(const struct statement *s)
{
    unsigned digits = s->account->digits;
    char closing[SIDED_SIZE];
    char debit[AMOUNT_TEXT_SIZE];
    char credit[AMOUNT_TEXT_SIZE];

    if (s->json) {
        printf(
            "%s],\n \"lines_count\": %lld, \"debits\": \"%s\", \"credits\": \"%s\", \"closing\": \"%s\", "
            "\"agrees\": %s}\n",
            s->lines > 0 ? "\n " : "", (long long)s->lines, amount_plain(s->debit, digits, debit),
            amount_plain(s->credit, digits, credit), amount_plain(s->balance, digits, closing),
            s->wrong ? "false" : "true");
        return;
    }
    printf("%8s  %-20s  %-19s  %16s  %18s\n\n", "", "", "closing balance", "",
           output_sided(s->balance, digits, closing));
    printf("%lld posting%s, debits %s, credits %s %s.%s\n", (long long)s->lines,
           s->lines == 1 ? "" : "s", amount_shown(s->debit, digits, debit),
           amount_shown(s->credit, digits, credit), s->account->ccy,
           s->wrong ? "" : " Each stored balance is the one its postings make.");
}

/* ---------------------------------------------------------------- reading */

static bool take_row(struct statement *s, const PGresult *r)
{
    char time[TIMEFMT_SIZE];
    int64_t minor = cell_int(r, MINOR);

    if (cell_int(r, BLOCK_NO) ==
        0) { /* a stored balance and no posting: the outer side of the join */
        complain(
            "A BALANCE WITHOUT POSTINGS: %s/%s has a balance in a block that does not touch it",
            s->account->book, s->account->code);
        s->wrong = true;
        return true;
    }
    if (cell_int(r, BLOCK_NO) != s->block_no)
        close_block(s);
    s->block_no = cell_int(r, BLOCK_NO);
    s->has_stored = !cell_null(r, STORED);
    s->stored = cell_int(r, STORED);
    s->balance += minor;
    *(minor > 0 ? &s->debit : &s->credit) += minor > 0 ? minor : -(amount_t)minor;
    s->lines++;
    timefmt_rfc3339(cell_time(r, COMMITTED_AT), time);
    if (s->json)
        return show_json(s, r, time);
    show_line(s, r, time);
    return true;
}

static enum exit_code run(struct statement *s, struct db *db)
{
    int64_t after = 0;
    int64_t upto = 0;
    int more = 1;
    PGresult *r;
    bool fine = (s->period.from.text[0] == '\0' ||
                 block_before(db, s->account->book_id, &s->period.from, false, &after)) &&
                block_before(db, s->account->book_id, &s->period.until, false, &upto);
    struct number_text numbers[] = {number_text(s->account->book_id),
                                    number_text(s->account->account_id), number_text(after),
                                    number_text(upto)};
    const char *values[] = {numbers[0].text, numbers[1].text, numbers[2].text, numbers[3].text};

    if (!fine || (r = db_query(db, sql_opening, 3, values)) == NULL)
        return EXIT_REFUSED;
    s->opening = s->balance = PQntuples(r) == 0 ? 0 : db_int(r, 0, 0);
    PQclear(r);
    if (moment_in_future(db, &s->period.until))
        complain("note: %s has not come yet; what is committed until then will be in it too",
                 s->period.until.text);
    if (!db_stream(db, sql_lines, 4, values))
        return EXIT_REFUSED;
    show_head(s);
    while (fine && more == 1 && (more = db_row(db, &r)) == 1) {
        fine = take_row(s, r);
        PQclear(r);
    }
    if (!fine || more < 0)
        return EXIT_REFUSED;
    close_block(s);
    show_end(s);
    return s->wrong ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_code statement_run(const struct args *args)
{
    struct account account = {0};
    struct statement s = {.account = &account, .json = args_json(args)};
    struct db db;
    enum exit_code code;

    if (!period_read(args, &s.period))
        return EXIT_USAGE;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        return code;
    code = account_find(&db, args->operands[0], &account) ? run(&s, &db) : EXIT_REFUSED;
    db_close(&db);
    return code;
}
