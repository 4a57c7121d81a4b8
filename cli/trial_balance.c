/* ujrat trial-balance: the balance of every account, per currency, as of any moment; read from the database with the
 * auditor's role, so it needs no gateway. */
#include "base/timefmt.h"
#include "cli/commands.h"
#include "cli/db.h"
#include "cli/operator.h"
#include "cli/report.h"
#include "domain/money.h"

#include <stdlib.h>
#include <string.h>

const char trial_balance_help[] =
    "Reads the database directly with a read-only role (UJRAT_DB). --as-of answers with what had been\n"
    "committed by that moment, for ever the same once it has passed. Exit status 1 when a currency\n"
    "does not sum to nil, which must never happen.";

const struct option_row trial_balance_options[] = {
    {"as-of", "TIME", "RFC 3339, such as 2026-07-17T19:00:00Z (default: now)", false},
    {"book", "PLATFORM", "one book only (default: all)", false},
    {"all", NULL, "also the accounts that are nil", false},
    {"by-book", NULL, "a line an account and book, rather than one an account", false},
    {NULL, NULL, NULL, false},
};

/* Sums over books in numeric: they may be more than one book can hold. */
static const char sql_balances[] =
    "SELECT CASE WHEN $3 = 'yes' THEN b.code ELSE 'all' END AS book, a.code, a.type::text, c.ccy, c.digits,"
    "       sum(greatest(v.balance, 0)), sum(greatest(-v.balance, 0)), sum(v.balance)"
    "  FROM account a JOIN book b USING (book_id) JOIN currency c USING (ccy)"
    " CROSS JOIN LATERAL (SELECT v.balance FROM account_balance v"
    "        LEFT JOIN block k ON k.book_id = v.book_id AND k.block_no = v.block_no"
    "       WHERE v.book_id = a.book_id AND v.account_id = a.account_id"
    "         AND (v.block_no = 0 OR $1 = '' OR k.committed_at <= nullif($1, '')::timestamptz)"
    "       ORDER BY v.block_no DESC LIMIT 1) v"
    " WHERE ($2 = '' OR b.code = $2)"
    " GROUP BY 1, a.code, a.type, c.ccy, c.code, c.digits"
    " HAVING $4 = 'yes' OR bool_or(v.balance <> 0)"
    " ORDER BY c.code, 1, a.type, a.code";

struct totals {
    uint16_t ccy;
    int128_t debit, credit;
};

struct trial {
    struct report *report;
    bool by_book;
    struct totals total;
    bool any, balanced;
};

/* Cells of PostgreSQL's numeric that are whole numbers; 30 digits are more than there is money. */
static bool parse_whole(const char *text, int128_t *out)
{
    bool negative = text[0] == '-';
    int128_t v = 0;

    if (negative)
        text++;
    if (text[0] == '\0' || strlen(text) > 30)
        return false;
    for (; *text != '\0'; text++) {
        if (!char_is_digit(*text))
            return false;
        v = v * 10 + (*text - '0');
    }
    *out = negative ? -v : v;
    return true;
}

/* Minor units as an amount, also beyond 64 bits; nil is empty when `blank` says so. */
static const char *shown(int128_t minor, unsigned digits, bool blank, char out[64])
{
    char reversed[64];
    size_t n = 0;
    size_t o = 0;
    bool negative = minor < 0;

    if (minor == 0 && blank) {
        out[0] = '\0';
        return out;
    }
    if (negative)
        minor = -minor;
    while (minor > 0 || n <= digits) {
        reversed[n++] = (char)('0' + (int)(minor % 10));
        minor /= 10;
        if (n == digits)
            reversed[n++] = '.';
    }
    if (n > 0 && reversed[n - 1] == '.')
        reversed[n++] = '0';
    if (negative)
        out[o++] = '-';
    while (n > 0)
        out[o++] = reversed[--n];
    out[o] = '\0';
    return out;
}

/* currency, book, account, type, debit, credit */
static void add_row(struct trial *t, const char *const cells[6])
{
    const char *without_book[] = {cells[0], cells[2], cells[3], cells[4], cells[5]};

    report_add(t->report, t->by_book ? cells : without_book);
}

static void close_currency(struct trial *t)
{
    const struct ccy *c = ccy_by_number(t->total.ccy);
    unsigned digits = c == NULL ? 0 : c->digits;
    char debit[64];
    char credit[64];
    bool nil = t->total.debit == t->total.credit;

    add_row(t, (const char *const[]){ccy_alpha(t->total.ccy), "all", "total",
                                     nil ? "in balance" : "NOT IN BALANCE",
                                     shown(t->total.debit, digits, false, debit),
                                     shown(t->total.credit, digits, false, credit)});
    t->balanced = t->balanced && nil;
}

static bool add_line(struct trial *t, const PGresult *r, int i)
{
    uint16_t ccy = (uint16_t)db_int(r, i, 3);
    unsigned digits = (unsigned)db_int(r, i, 4);
    int128_t debit = 0;
    int128_t credit = 0;
    char debit_text[64];
    char credit_text[64];

    if (!parse_whole(PQgetvalue(r, i, 5), &debit) || !parse_whole(PQgetvalue(r, i, 6), &credit)) {
        complain("a balance that is no number: %s", PQgetvalue(r, i, 7));
        return false;
    }
    if (t->any && t->total.ccy != ccy) {
        close_currency(t);
        report_add_rule(t->report);
    }
    if (!t->any || t->total.ccy != ccy)
        t->total = (struct totals){.ccy = ccy};
    t->any = true;
    t->total.debit += debit;
    t->total.credit += credit;
    add_row(t, (const char *const[]){ccy_alpha(ccy), PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                                     PQgetvalue(r, i, 2), shown(debit, digits, true, debit_text),
                                     shown(credit, digits, true, credit_text)});
    return true;
}

static enum exit_code print_trial(const struct args *args, const PGresult *r)
{
    static const struct report_column columns[] = {
        {"currency", REPORT_TEXT}, {"book", REPORT_TEXT},    {"account", REPORT_TEXT},
        {"type", REPORT_TEXT},     {"debit", REPORT_AMOUNT}, {"credit", REPORT_AMOUNT}};
    static const struct report_column without_book[] = {{"currency", REPORT_TEXT},
                                                        {"account", REPORT_TEXT},
                                                        {"type", REPORT_TEXT},
                                                        {"debit", REPORT_AMOUNT},
                                                        {"credit", REPORT_AMOUNT}};
    struct trial t = {.balanced = true, .by_book = args_has(args, "by-book")};
    enum exit_code code = EXIT_REFUSED;

    if (t.by_book)
        report_new(columns, 6, &t.report);
    else
        report_new(without_book, 5, &t.report);
    for (int i = 0; i < PQntuples(r); i++)
        if (!add_line(&t, r, i))
            goto out;
    if (t.any)
        close_currency(&t);
    report_print(t.report, args_json(args));
    if (!t.balanced)
        complain("THE BOOKS DO NOT BALANCE");
    code = t.balanced ? EXIT_DONE : EXIT_REFUSED;
out:
    report_free(&t.report);
    return code;
}

enum exit_code trial_balance_run(const struct args *args)
{
    const char *as_of = args_get(args, "as-of");
    const char *book = args_get(args, "book");
    struct db db;
    PGresult *r = NULL;
    int64_t us;
    enum exit_code code;

    if (as_of != NULL && err_failed(timefmt_parse_rfc3339(slice_str(as_of), &us))) {
        complain("--as-of: RFC 3339 is wanted, such as 2026-07-17T19:00:00Z, not '%s'", as_of);
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (book != NULL && operator_find_book(&db, book) == 0) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    r = db_query(&db, sql_balances, 4,
                 (const char *const[]){as_of == NULL ? "" : as_of, book == NULL ? "" : book,
                                       args_has(args, "by-book") ? "yes" : "no",
                                       args_has(args, "all") ? "yes" : "no"});
    code = r == NULL ? EXIT_REFUSED : print_trial(args, r);
    PQclear(r);
    db_close(&db);
    return code;
}
