/* ujrat-audit trial-balance: every account's balance as of a moment, from the accounts' versioned balances or summed
 * from the postings; in each book each currency must come to nil. */
#include "audit/commands.h"
#include "audit/lookup.h"
#include "audit/money.h"
#include "audit/output.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

const char trial_balance_help[] =
    "Answers with what had been committed by --as-of, for ever the same once that moment has passed;\n"
    "without it, with all that is committed. --recompute sums the postings of every journal rather\n"
    "than reading the running balances, and compares the two account by account. Each currency must\n"
    "come to nil in each book: exit status 1 if one does not, or if balances and postings differ.";

const struct option_row trial_balance_options[] = {
    {"as-of", "TIME", "RFC 3339, such as 2026-07-17T19:00:00Z (default: all there is)", false},
    {"book", "BOOK", "this book only; may be repeated (default: all)", true},
    {"by-book", NULL, "a line an account and book, rather than one an account", false},
    {"all", NULL, "also the accounts that are nil", false},
    {"recompute", NULL, "from the postings, and hold the running balances against them", false},
    {NULL, NULL, NULL, false},
};

/* Sums are numeric: they may be more than a balance can hold. A posting on an account that is none, or in a currency
 * that is not its account's, has a row of its own. */
static const char sql_balances[] =
    "WITH upto AS ("
    "  SELECT b.book_id, coalesce(max(k.block_no), 0) AS block_no"
    "    FROM book b LEFT JOIN block k ON k.book_id = b.book_id"
    "     AND ($1 = '' OR k.committed_at <= nullif($1, '')::timestamptz)"
    "   WHERE b.book_id = ANY ($2::int4[]) GROUP BY b.book_id"
    "), recorded AS ("
    "  SELECT a.book_id, a.account_id, a.ccy, v.balance"
    "    FROM account a JOIN upto u USING (book_id)"
    "   CROSS JOIN LATERAL (SELECT v.balance FROM account_balance v"
    "          WHERE v.book_id = a.book_id AND v.account_id = a.account_id AND v.block_no <= u.block_no"
    "          ORDER BY v.block_no DESC LIMIT 1) v"
    "), posted AS ("
    "  SELECT j.book_id, line.account_id, line.ccy, sum(line.minor) AS total"
    "    FROM journal j JOIN upto u USING (book_id)"
    "   CROSS JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) AS line (account_id, ccy, minor)"
    "   WHERE $3 = 'yes' AND j.block_no <= u.block_no GROUP BY 1, 2, 3"
    ")"
    "SELECT b.code, coalesce(a.code, 'account ' || x.account_id), coalesce(a.type::text, 'NONE'),"
    "       coalesce(array_position(enum_range(NULL::account_type), a.type), 0),"
    "       coalesce(c.code, '?'), coalesce(c.digits, 0), x.recorded::text, x.posted::text"
    "  FROM (SELECT book_id, account_id, ccy, coalesce(r.balance, 0) AS recorded, coalesce(p.total, 0) AS posted"
    "          FROM recorded r FULL JOIN posted p USING (book_id, account_id, ccy)) x"
    "  JOIN book b USING (book_id)"
    "  LEFT JOIN account a USING (book_id, account_id)"
    "  LEFT JOIN currency c ON c.ccy = x.ccy"
    " ORDER BY c.code COLLATE \"C\", b.code COLLATE \"C\", 4, a.code COLLATE \"C\", x.account_id";

static const char sql_upto[] =
    "SELECT b.code, k.block_no, k.last_seq,"
    "       to_char(k.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    "  FROM book b"
    "  LEFT JOIN block k ON k.book_id = b.book_id AND k.block_no = (SELECT max(m.block_no) FROM block m"
    "       WHERE m.book_id = b.book_id AND ($1 = '' OR m.committed_at <= nullif($1, '')::timestamptz))"
    " WHERE b.book_id = ANY ($2::int4[]) ORDER BY b.code COLLATE \"C\"";

/* One account of one book; texts are the result's. */
struct line {
    const char *book, *code, *type, *ccy;
    int64_t type_order;
    unsigned digits;
    amount_t recorded, posted;
};

struct trial {
    const struct args *args;
    bool by_book, all, recompute, json;
    moment_t as_of;
    struct line *lines;
    size_t n;
    struct table *table;
    json_t *json_lines, *json_totals, *json_wrong;
    amount_t debit, credit; /* of the currency */
    bool balanced;
};

static amount_t shown_of(const struct trial *t, const struct line *line)
{
    return t->recompute ? line->posted : line->recorded;
}

static bool read_lines(struct trial *t, const PGresult *r)
{
    t->n = (size_t)PQntuples(r);
    t->lines = calloc(t->n + 1, sizeof *t->lines);
    if (t->lines == NULL) {
        complain("out of memory");
        return false;
    }
    for (int i = 0; i < (int)t->n; i++) {
        struct line *line = &t->lines[i];

        *line = (struct line){.book = PQgetvalue(r, i, 0),
                              .code = PQgetvalue(r, i, 1),
                              .type = PQgetvalue(r, i, 2),
                              .type_order = db_int(r, i, 3),
                              .ccy = PQgetvalue(r, i, 4),
                              .digits = (unsigned)db_int(r, i, 5)};
        if (line->digits > AMOUNT_DIGITS_MAX ||
            err_failed(amount_parse_whole(slice_str(PQgetvalue(r, i, 6)), &line->recorded)) ||
            err_failed(amount_parse_whole(slice_str(PQgetvalue(r, i, 7)), &line->posted))) {
            complain("%s/%s: a balance that is no amount: %s", line->book, line->code,
                     PQgetvalue(r, i, 6));
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- what must hold */

static void wrong(struct trial *t, const struct line *line, const char *what, amount_t a,
                  amount_t b)
{
    char left[AMOUNT_TEXT_SIZE];
    char right[AMOUNT_TEXT_SIZE];

    t->balanced = false;
    amount_shown(a, line->digits, left);
    amount_shown(b, line->digits, right);
    if (what == NULL)
        complain("THE BOOKS DO NOT BALANCE: book %s, %s: debits are %s, credits are %s", line->book,
                 line->ccy, left, right);
    else
        complain("BALANCE AND POSTINGS DIFFER: %s/%s %s: the balance says %s, its postings come to "
                 "%s",
                 line->book, what, line->ccy, left, right);
    json_array_append_new(t->json_wrong,
                          json_pack("{ss ss so ss ss}", "book", line->book, "currency", line->ccy,
                                    "account", what == NULL ? json_null() : json_string(what),
                                    what == NULL ? "debit" : "balance", left,
                                    what == NULL ? "credit" : "posted", right));
}

/* Lines are by currency and book here. Over all books one could make up for another. */
static void check(struct trial *t)
{
    amount_t debit = 0;
    amount_t credit = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct line *line = &t->lines[i];
        bool last = i + 1 == t->n || strcmp(line[1].ccy, line->ccy) != 0 ||
                    strcmp(line[1].book, line->book) != 0;
        amount_t minor = shown_of(t, line);

        *(minor > 0 ? &debit : &credit) += minor > 0 ? minor : -minor;
        if (t->recompute && line->recorded != line->posted)
            wrong(t, line, line->code, line->recorded, line->posted);
        if (strcmp(line->type, "NONE") == 0) {
            complain("NO SUCH ACCOUNT: book %s has postings on %s", line->book, line->code);
            t->balanced = false;
        }
        if (last && debit != credit)
            wrong(t, line, NULL, debit, credit);
        if (last)
            debit = credit = 0;
    }
}

/* ---------------------------------------------------------------- what is shown */

static int by_account(const void *pa, const void *pb)
{
    const struct line *a = pa;
    const struct line *b = pb;
    int order = strcmp(a->ccy, b->ccy);

    if (order == 0)
        order = a->type_order < b->type_order ? -1 : a->type_order > b->type_order;
    if (order == 0)
        order = strcmp(a->code, b->code);
    return order != 0 ? order : strcmp(a->book, b->book);
}

/* currency, book, account, type, debit, credit */
static bool add_row(struct trial *t, const char *const cells[6])
{
    const char *without_book[] = {cells[0], cells[2], cells[3], cells[4], cells[5]};

    return output_row(t->table, t->by_book ? cells : without_book);
}

static bool show_line(struct trial *t, const struct line *line, amount_t debit, amount_t credit)
{
    char left[AMOUNT_TEXT_SIZE];
    char right[AMOUNT_TEXT_SIZE];
    json_t *row;

    if (t->json) {
        row = json_pack("{ss ss ss ss ss}", "currency", line->ccy, "account", line->code, "type",
                        line->type, "debit", amount_plain(debit, line->digits, left), "credit",
                        amount_plain(credit, line->digits, right));
        if (t->by_book)
            json_object_set_new(row, "book", json_string(line->book));
        return json_array_append_new(t->json_lines, row) == 0;
    }
    return add_row(
        t, (const char *const[]){line->ccy, line->book, line->code, line->type,
                                 debit == 0 ? "" : amount_shown(debit, line->digits, left),
                                 credit == 0 ? "" : amount_shown(credit, line->digits, right)});
}

static bool close_currency(struct trial *t, const struct line *line, bool rule)
{
    char debit[AMOUNT_TEXT_SIZE];
    char credit[AMOUNT_TEXT_SIZE];
    bool nil = t->debit == t->credit;
    bool done;

    if (t->json) {
        done = json_array_append_new(
                   t->json_totals, json_pack("{ss ss ss sb}", "currency", line->ccy, "debit",
                                             amount_plain(t->debit, line->digits, debit), "credit",
                                             amount_plain(t->credit, line->digits, credit),
                                             "in_balance", nil)) == 0;
    } else {
        done = add_row(t, (const char *const[]){line->ccy, "", "total",
                                                nil ? "in balance" : "NOT IN BALANCE",
                                                amount_shown(t->debit, line->digits, debit),
                                                amount_shown(t->credit, line->digits, credit)}) &&
               (!rule || output_row(t->table, NULL));
    }
    t->debit = t->credit = 0;
    return done;
}

/* Lines of one account over the books are one line, its debits and its credits apart, unless --by-book. */
static bool show_lines(struct trial *t)
{
    amount_t debit = 0;
    amount_t credit = 0;
    bool any = false;

    if (!t->by_book)
        qsort(t->lines, t->n, sizeof *t->lines, by_account);
    for (size_t i = 0; i < t->n; i++) {
        const struct line *line = &t->lines[i];
        bool last = i + 1 == t->n;
        bool same_ccy = !last && strcmp(line[1].ccy, line->ccy) == 0;
        amount_t minor = shown_of(t, line);

        *(minor > 0 ? &debit : &credit) += minor > 0 ? minor : -minor;
        if (t->by_book || !same_ccy || strcmp(line[1].code, line->code) != 0) {
            if ((debit != 0 || credit != 0 || t->all) && !show_line(t, line, debit, credit))
                return false;
            any = any || debit != 0 || credit != 0 || t->all;
            t->debit += debit;
            t->credit += credit;
            debit = credit = 0;
        }
        if (!same_ccy && any && !close_currency(t, line, !last))
            return false;
        any = any && same_ccy;
    }
    return true;
}

#define BOOKS_SHOWN 8

static void show_head(const struct trial *t, const PGresult *books)
{
    int n = PQntuples(books);

    printf("Trial balance, %s%s%s\n", t->as_of.text[0] == '\0' ? "all that is committed" : "as of ",
           t->as_of.text, t->recompute ? ", summed from the postings" : "");
    for (int i = 0; i < n && i < BOOKS_SHOWN; i++) {
        if (PQgetisnull(books, i, 1))
            printf("  %s: nothing by then\n", PQgetvalue(books, i, 0));
        else
            printf("  %s: to block %s, journal %s, of %s\n", PQgetvalue(books, i, 0),
                   PQgetvalue(books, i, 1), PQgetvalue(books, i, 2), PQgetvalue(books, i, 3));
    }
    if (n > BOOKS_SHOWN)
        printf("  and %d more books\n", n - BOOKS_SHOWN);
    putchar('\n');
}

static json_t *books_json(const PGresult *books)
{
    json_t *list = json_array();

    for (int i = 0; i < PQntuples(books); i++)
        json_array_append_new(list,
                              json_pack("{ss sI sI ss*}", "book", PQgetvalue(books, i, 0),
                                        "block_no", (json_int_t)db_int(books, i, 1), "last_seq",
                                        (json_int_t)db_int(books, i, 2), "committed_at",
                                        PQgetisnull(books, i, 3) ? NULL : PQgetvalue(books, i, 3)));
    return list;
}

static bool print(struct trial *t, const PGresult *books)
{
    static const struct table_column columns[] = {
        {"currency", TABLE_LEFT}, {"book", TABLE_LEFT},   {"account", TABLE_LEFT},
        {"type", TABLE_LEFT},     {"debit", TABLE_RIGHT}, {"credit", TABLE_RIGHT}};
    static const struct table_column without_book[] = {{"currency", TABLE_LEFT},
                                                       {"account", TABLE_LEFT},
                                                       {"type", TABLE_LEFT},
                                                       {"debit", TABLE_RIGHT},
                                                       {"credit", TABLE_RIGHT}};
    bool done =
        !err_failed(table_new(t->by_book ? columns : without_book, t->by_book ? 6 : 5, &t->table));

    if (!done)
        complain("out of memory");
    done = done && show_lines(t);
    if (done && t->json) {
        done = output_json(stdout,
                           json_pack("{ss* so sb sb sO sO sO}", "as_of",
                                     t->as_of.text[0] == '\0' ? NULL : t->as_of.text, "books",
                                     books_json(books), "recomputed", t->recompute, "in_balance",
                                     t->balanced, "lines", t->json_lines, "totals", t->json_totals,
                                     "wrong", t->json_wrong),
                           2);
    } else if (done) {
        show_head(t, books);
        table_print(t->table, stdout);
    }
    table_free(&t->table);
    return done;
}

/* {1,2,3} */
static char *book_ids(const struct book *books, size_t n)
{
    struct buf text;
    err_t err;

    buf_init(&text, BOOKS_MAX * STR_INT64_SIZE);
    err = buf_append_char(&text, '{');
    for (size_t i = 0; i < n && !err_failed(err); i++)
        err = buf_printf(&text, "%s%lld", i == 0 ? "" : ",", (long long)books[i].book_id);
    if (!err_failed(err))
        err = buf_append(&text, "}", 2);
    if (err_failed(err)) {
        complain("out of memory");
        buf_deinit(&text);
        return NULL;
    }
    return (char *)text.store;
}

static enum exit_code run(struct trial *t, struct db *db)
{
    enum exit_code code = EXIT_REFUSED;
    size_t n = 0;
    struct book *books = books_read(db, t->args, &n);
    char *ids = books == NULL ? NULL : book_ids(books, n);
    const char *values[] = {t->as_of.text, ids, t->recompute ? "yes" : "no"};
    PGresult *upto = ids == NULL ? NULL : db_query(db, sql_upto, 2, values);
    PGresult *r = upto == NULL ? NULL : db_query(db, sql_balances, 3, values);

    t->json_lines = json_array();
    t->json_totals = json_array();
    t->json_wrong = json_array();
    if (r != NULL && read_lines(t, r)) {
        if (moment_in_future(db, &t->as_of))
            complain("note: %s has not come yet; what is committed until then will be in it too",
                     t->as_of.text);
        check(t);
        code = print(t, upto) && t->balanced ? EXIT_DONE : EXIT_REFUSED;
    }
    json_decref(t->json_lines);
    json_decref(t->json_totals);
    json_decref(t->json_wrong);
    free(t->lines);
    PQclear(r);
    PQclear(upto);
    free(ids);
    free(books);
    return code;
}

enum exit_code trial_balance_run(const struct args *args)
{
    struct trial t = {.args = args,
                      .by_book = args_has(args, "by-book"),
                      .all = args_has(args, "all"),
                      .recompute = args_has(args, "recompute"),
                      .json = args_json(args),
                      .balanced = true};
    struct db db;
    enum exit_code code;

    if (!moment_read(args, "as-of", &t.as_of))
        return EXIT_USAGE;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        return code;
    code = run(&t, &db);
    db_close(&db);
    return code;
}
