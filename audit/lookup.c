#include "audit/lookup.h"

#include <stdlib.h>
#include <string.h>

struct number_text number_text(int64_t value)
{
    struct number_text out;

    str_format_int64(value, out.text);
    return out;
}

/* ---------------------------------------------------------------- moments */

bool moment_read(const struct args *args, const char *option, moment_t *out)
{
    const char *text = args_get(args, option);
    int64_t us;

    out->text[0] = '\0';
    if (text == NULL)
        return true;
    if (err_failed(timefmt_parse_rfc3339(slice_str(text), &us))) {
        complain("--%s: RFC 3339 is wanted, such as 2026-07-17T19:00:00Z, not '%s'", option, text);
        return false;
    }
    timefmt_rfc3339(us, out->text);
    return true;
}

bool period_read(const struct args *args, struct period *out)
{
    if (!moment_read(args, "from", &out->from) || !moment_read(args, "until", &out->until))
        return false;
    /* as text they sort as the moments do */
    if (out->from.text[0] != '\0' && out->until.text[0] != '\0' &&
        strcmp(out->from.text, out->until.text) >= 0) {
        complain("--from %s is not before --until %s", args_get(args, "from"),
                 args_get(args, "until"));
        return false;
    }
    return true;
}

bool moment_in_future(struct db *db, const moment_t *moment)
{
    const char *values[] = {moment->text};
    bool future = false;

    if (moment->text[0] != '\0') {
        PGresult *r = db_query(db, "SELECT $1::timestamptz > clock_timestamp()", 1, values);
        future = r != NULL && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
        PQclear(r);
    }
    return future;
}

bool block_before(struct db *db, int64_t book_id, const moment_t *moment, bool at, int64_t *out)
{
    struct number_text book = number_text(book_id);
    const char *values[] = {book.text, moment->text, at ? "yes" : "no"};
    /* a scan, and nothing of what the ledger's own functions believe about the order of times */
    PGresult *r = db_query(
        db,
        "SELECT coalesce(max(block_no), 0) FROM block WHERE book_id = $1::int4 AND ($2 = ''"
        " OR committed_at < nullif($2, '')::timestamptz"
        " OR ($3 = 'yes' AND committed_at = nullif($2, '')::timestamptz))",
        3, values);

    if (r == NULL)
        return false;
    *out = db_int(r, 0, 0);
    PQclear(r);
    return true;
}

/* ---------------------------------------------------------------- books */

static const char *without_prefix(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : text;
}

static bool take_book(const PGresult *r, int row, struct book *out)
{
    out->book_id = db_int(r, row, 0);
    if (err_failed(slice_copy(slice_str(PQgetvalue(r, row, 1)), out->code, sizeof out->code))) {
        complain("book %lld: a code that is too long", (long long)out->book_id);
        return false;
    }
    snprintf(out->name, sizeof out->name, "%s", PQgetvalue(r, row, 2));
    return true;
}

bool book_find(struct db *db, const char *text, struct book *out)
{
    const char *code = without_prefix(text, "books/");
    PGresult *r = db_query(db, "SELECT book_id, code, name FROM book WHERE code = $1", 1, &code);
    bool found = false;

    if (r != NULL && PQntuples(r) == 0)
        complain("there is no book '%s'", text);
    else if (r != NULL)
        found = take_book(r, 0, out);
    PQclear(r);
    return found;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct book *)a)->code, ((const struct book *)b)->code);
}

static struct book *books_named(struct db *db, const struct args *args, size_t *n)
{
    struct book *books = calloc(COMMAND_VALUES_MAX, sizeof *books);
    const char *text;
    size_t at = 0;
    size_t kept = 0;

    *n = 0;
    if (books == NULL)
        complain("out of memory");
    while (books != NULL && (text = args_next(args, "book", &at)) != NULL)
        if (!book_find(db, text, &books[(*n)++])) {
            free(books);
            return NULL;
        }
    if (books == NULL)
        return NULL;
    qsort(books, *n, sizeof *books, by_code);
    for (size_t i = 0; i < *n; i++)
        if (i == 0 || books[i].book_id != books[kept - 1].book_id)
            books[kept++] = books[i];
    *n = kept;
    return books;
}

struct book *books_read(struct db *db, const struct args *args, size_t *n)
{
    struct book *books = NULL;
    PGresult *r;

    if (args_has(args, "book"))
        return books_named(db, args, n);
    r = db_query(db, "SELECT book_id, code, name FROM book ORDER BY code COLLATE \"C\"", 0, NULL);
    if (r == NULL)
        return NULL;
    *n = (size_t)PQntuples(r);
    if (*n > BOOKS_MAX)
        complain("%zu books: more than %d at once; say --book", *n, BOOKS_MAX);
    else if ((books = calloc(*n + 1, sizeof *books)) == NULL)
        complain("out of memory");
    for (size_t i = 0; books != NULL && i < *n; i++)
        if (!take_book(r, (int)i, &books[i])) {
            free(books);
            books = NULL;
        }
    PQclear(r);
    return books;
}

/* ---------------------------------------------------------------- accounts */

#define SELECT_ACCOUNT                                                                             \
    "SELECT a.book_id, a.account_id, b.code, a.code, a.type, a.role, c.code, c.ccy, c.digits,"     \
    "       (extract(epoch FROM a.created_at) * 1000000)::int8"                                    \
    "  FROM account a JOIN book b USING (book_id) JOIN currency c USING (ccy)"

static bool take_account(const PGresult *r, int row, struct account *out)
{
    out->book_id = db_int(r, row, 0);
    out->account_id = db_int(r, row, 1);
    out->ccy_number = db_int(r, row, 7);
    out->digits = (unsigned)db_int(r, row, 8);
    out->created_at = db_int(r, row, 9);
    if (err_failed(slice_copy(slice_str(PQgetvalue(r, row, 2)), out->book, sizeof out->book)) ||
        err_failed(slice_copy(slice_str(PQgetvalue(r, row, 3)), out->code, sizeof out->code)) ||
        err_failed(slice_copy(slice_str(PQgetvalue(r, row, 4)), out->type, sizeof out->type)) ||
        err_failed(slice_copy(slice_str(PQgetvalue(r, row, 5)), out->role, sizeof out->role)) ||
        err_failed(slice_copy(slice_str(PQgetvalue(r, row, 6)), out->ccy, sizeof out->ccy))) {
        complain("account %s/%s: a name that is too long", PQgetvalue(r, row, 2),
                 PQgetvalue(r, row, 3));
        return false;
    }
    return true;
}

bool account_find(struct db *db, const char *text, struct account *out)
{
    struct slice book;
    struct slice code;
    char name[BOOK_CODE_SIZE];
    struct book found_book;
    struct slice rest = slice_str(without_prefix(text, "books/"));
    bool found = false;

    if (!slice_cut(rest, '/', &book, &code) || code.len == 0 ||
        err_failed(slice_copy(book, name, sizeof name))) {
        complain("'%s': an account is named BOOK/ACCOUNT, such as upwork/float.USD", text);
        return false;
    }
    if (!book_find(db, name, &found_book))
        return false;
    struct number_text id = number_text(found_book.book_id);
    const char *values[] = {id.text, without_prefix(code.p, "accounts/")};
    PGresult *r =
        db_query(db, SELECT_ACCOUNT " WHERE a.book_id = $1::int4 AND a.code = $2", 2, values);
    if (r != NULL && PQntuples(r) == 0)
        complain("book '%s' has no account '%s'; trial-balance --all --by-book shows those it has",
                 name, values[1]);
    else if (r != NULL)
        found = take_account(r, 0, out);
    PQclear(r);
    return found;
}

struct account *accounts_read(struct db *db, int64_t book_id, size_t *n)
{
    struct account *accounts = NULL;
    struct number_text id = number_text(book_id);
    const char *values[] = {id.text};
    PGresult *r = db_query(db,
                           SELECT_ACCOUNT " WHERE $1::int4 IN (0, a.book_id)"
                                          " ORDER BY b.code COLLATE \"C\", a.account_id",
                           1, values);

    if (r == NULL)
        return NULL;
    *n = (size_t)PQntuples(r);
    if (*n > ACCOUNTS_MAX)
        complain("%zu accounts: more than %d at once", *n, ACCOUNTS_MAX);
    else if ((accounts = calloc(*n + 1, sizeof *accounts)) == NULL)
        complain("out of memory");
    for (size_t i = 0; accounts != NULL && i < *n; i++)
        if (!take_account(r, (int)i, &accounts[i])) {
            free(accounts);
            accounts = NULL;
        }
    PQclear(r);
    return accounts;
}
