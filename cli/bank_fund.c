/* ujrat bank fund: a bank is made good (docs/settlement.md, "Positions and funding"). */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"
#include "domain/ccy.h"
#include "domain/funding.h"

#include <stdlib.h>
#include <string.h>

const char bank_fund_help[] =
    "Books rupees that have reached our account at the bank, and what was sold for them. They go to the books\n"
    "that owe the bank and have a float in the currency sold, in proportion to what they owe; if none owes\n"
    "anything, in proportion to what is still to be paid there; else evenly. How it is split is written down\n"
    "under the reference before the first book is funded: a command that was cut off (exit status 3) is\n"
    "given again, and does the rest as it was planned. The same reference with another amount, cost or bank\n"
    "is refused. No float changes. --cost PKR:AMOUNT, of a float in rupees, must be the amount itself.";

const struct option_row bank_fund_options[] = {
    {"amount", "PKR", "what reached the bank, in rupees (required)", false},
    {"cost", "CCY:AMOUNT", "what was sold for it, such as USD:980.08 (required)", false},
    {"reference", "TEXT", "of the transfer, 1 to 35 characters (required)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

enum { REFERENCE_CHARS_MAX = 35, NUMBER_SIZE = 24 };

struct asked {
    const char *bank, *reference;
    char bank_id[NUMBER_SIZE], amount_minor[NUMBER_SIZE], cost_minor[NUMBER_SIZE];
    money_t amount, cost;
    char author[64];
};

static bool required(const struct args *args, const char *name, const char **out)
{
    *out = args_get(args, name);
    if (*out != NULL && (*out)[0] != '\0')
        return true;
    complain("--%s is required", name);
    return false;
}

static bool read_options(const struct args *args, struct asked *a)
{
    const char *amount, *cost;
    struct slice ccy, sum;
    char code[4], text[64];

    a->bank = args->operands[0];
    if (!required(args, "amount", &amount) || !required(args, "cost", &cost) ||
        !required(args, "reference", &a->reference) ||
        !parse_money("--amount", amount, "PKR", &a->amount))
        return false;
    if (!slice_cut(slice_str(cost), ':', &ccy, &sum) ||
        err_failed(slice_copy(ccy, code, sizeof code)) ||
        err_failed(slice_copy(sum, text, sizeof text))) {
        complain("--cost: CCY:AMOUNT is wanted, such as USD:980.08, not '%s'", cost);
        return false;
    }
    if (!parse_money("--cost", text, code, &a->cost))
        return false;
    if (a->amount.minor <= 0 || a->cost.minor <= 0) {
        complain("--amount and --cost must be more than zero");
        return false;
    }
    if (strlen(a->reference) > REFERENCE_CHARS_MAX) {
        complain("--reference has 1 to %d characters", REFERENCE_CHARS_MAX);
        return false;
    }
    if (a->cost.ccy == a->amount.ccy && a->cost.minor != a->amount.minor) {
        complain("--cost: nothing is exchanged within rupees, so it must be the amount itself");
        return false;
    }
    snprintf(a->amount_minor, sizeof a->amount_minor, "%lld", (long long)a->amount.minor);
    snprintf(a->cost_minor, sizeof a->cost_minor, "%lld", (long long)a->cost.minor);
    author_of(args, a->author, sizeof a->author);
    return true;
}

static bool find_bank(struct db *db, struct asked *a)
{
    PGresult *r =
        db_query(db, "SELECT bank_id FROM bank WHERE code = $1", 1, (const char *const[]){a->bank});
    bool found = r != NULL && PQntuples(r) == 1;

    if (found)
        snprintf(a->bank_id, sizeof a->bank_id, "%s", PQgetvalue(r, 0, 0));
    else if (r != NULL)
        complain("there is no bank '%s'", a->bank);
    PQclear(r);
    return found;
}

/* ---------------------------------------------------------------- the split */

/* Books that can be funded: with an account at the bank, and a float to sell from. */
static const char sql_books[] =
    "SELECT n.book_id, greatest(-n.balance, 0), greatest(-p.balance, 0)"
    "  FROM account_now n JOIN account_now p ON p.book_id = n.book_id AND p.role = 'payable'"
    "       AND p.bank_id = n.bank_id AND p.ccy = n.ccy"
    "  JOIN account c ON c.book_id = n.book_id AND c.role = 'correspondent'"
    "  JOIN currency k ON k.ccy = c.ccy AND k.code = $2"
    " WHERE n.role = 'nostro' AND n.ccy = 586 AND n.bank_id = $1::int2 ORDER BY n.book_id";

enum { COL_BOOK, COL_OWED, COL_PENDING };

/* By what is owed, else by what is pending, else evenly. */
static bool split(const struct asked *a, const PGresult *r, struct funding_part *parts)
{
    const size_t n = (size_t)PQntuples(r);

    for (int col = COL_OWED; col <= COL_PENDING; col++) {
        for (size_t i = 0; i < n; i++)
            parts[i] = (struct funding_part){.weight = db_int(r, (int)i, col)};
        if (funding_split(a->amount.minor, a->cost.minor, parts, n))
            return true;
    }
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct funding_part){.weight = 1};
    return funding_split(a->amount.minor, a->cost.minor, parts, n);
}

/* "{1,2,3}" of one number of each part that is not nothing. */
static char *array_of(const PGresult *r, const struct funding_part *parts, int which)
{
    const int n = PQntuples(r);
    const size_t size = (size_t)n * NUMBER_SIZE + 3;
    char *text = malloc(size);
    size_t len = 1;

    if (text == NULL)
        return NULL;
    text[0] = '{';
    for (int i = 0; i < n; i++)
        if (parts[i].amount > 0)
            len += (size_t)snprintf(text + len, size - len, "%s%lld", len == 1 ? "" : ",",
                                    (long long)(which == 0   ? db_int(r, i, COL_BOOK)
                                                : which == 1 ? parts[i].amount
                                                             : parts[i].cost));
    snprintf(text + len, size - len, "}");
    return text;
}

/* What was planned under the reference before stays. */
static enum exit_code plan(struct db *db, const struct asked *a)
{
    char *arrays[3] = {NULL, NULL, NULL};
    PGresult *r =
        db_query(db, sql_books, 2, (const char *const[]){a->bank_id, ccy_alpha(a->cost.ccy)});
    PGresult *planned = NULL;
    struct funding_part *parts = NULL;
    enum exit_code code = EXIT_REFUSED;

    if (r == NULL)
        return db_failure(db);
    if (PQntuples(r) > FUNDING_BOOKS_MAX) {
        complain("there are more books than a funding can be split over");
        goto out;
    }
    parts = calloc((size_t)PQntuples(r) + 1, sizeof *parts);
    if (parts == NULL)
        goto out;
    if (!split(a, r, parts)) {
        complain("no book has an account at %s and a float in %s", a->bank, ccy_alpha(a->cost.ccy));
        goto out;
    }
    for (int i = 0; i < 3; i++)
        arrays[i] = array_of(r, parts, i);
    planned = db_query(db,
                       "SELECT plan_funding($1, $2::int2, 'PKR', $3::int8, $4, $5::int8, $6, "
                       "$7::int4[], $8::int8[], $9::int8[])",
                       9,
                       (const char *const[]){a->reference, a->bank_id, a->amount_minor,
                                             ccy_alpha(a->cost.ccy), a->cost_minor, a->author,
                                             arrays[0], arrays[1], arrays[2]});
    code = planned == NULL ? db_failure(db) : EXIT_DONE;
out:
    for (int i = 0; i < 3; i++)
        free(arrays[i]);
    free(parts);
    PQclear(planned);
    PQclear(r);
    return code;
}

/* ---------------------------------------------------------------- book by book */

static enum exit_code fund_book(struct db *db, const struct asked *a, const PGresult *parts, int i,
                                bool quiet)
{
    char amount[MONEY_TEXT_SIZE], cost[MONEY_TEXT_SIZE];
    PGresult *r = db_query(
        db,
        "SELECT f.seq, f.duplicate FROM fund_nostro($1::int4, add_principal("
        "'ujrat://system/cli', 'system'), $2::int2, 'PKR', $3::int8, $4, $5::int8, $6) f",
        6,
        (const char *const[]){PQgetvalue(parts, i, 0), a->bank_id, PQgetvalue(parts, i, 2),
                              ccy_alpha(a->cost.ccy), PQgetvalue(parts, i, 3), a->reference});

    if (r == NULL)
        return db_failure(db);
    if (!quiet)
        printf("%-16s %20s for %s, %sjournal %s\n", PQgetvalue(parts, i, 1),
               money_format(money_of(db_int(parts, i, 2), a->amount.ccy), MONEY_CODE_THOUSANDS,
                            amount),
               money_format(money_of(db_int(parts, i, 3), a->cost.ccy), MONEY_CODE_THOUSANDS, cost),
               PQgetvalue(r, 0, 1)[0] == 't' ? "was there already: " : "", PQgetvalue(r, 0, 0));
    PQclear(r);
    return EXIT_DONE;
}

enum exit_code bank_fund_run(const struct args *args)
{
    struct asked a = {0};
    struct db db;
    PGresult *parts = NULL;
    enum exit_code code;

    if (!read_options(args, &a))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    code = find_bank(&db, &a) ? plan(&db, &a) : EXIT_REFUSED;
    if (code == EXIT_DONE) {
        parts =
            db_query(&db,
                     "SELECT b.book_id, b.code, p.amount, p.src_amount FROM funding_plan_part p "
                     "JOIN book b USING (book_id) WHERE p.reference = $1 ORDER BY b.book_id",
                     1, (const char *const[]){a.reference});
        code = parts == NULL ? db_failure(&db) : EXIT_DONE;
    }
    for (int i = 0; code == EXIT_DONE && i < PQntuples(parts); i++)
        code = fund_book(&db, &a, parts, i, args_quiet(args));
    PQclear(parts);
    db_close(&db);
    return code;
}
