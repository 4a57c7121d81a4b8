/* ujrat platform add: a platform's book, its currencies and what it pays. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "domain/fee.h"
#include "domain/pricing.h"

#include <string.h>

const char platform_add_help[] =
    "Opens the platform's book and its principal ujrat://platform/CODE, an account of each kind in\n"
    "each currency, and sets the tariff from now on. Running it again changes only what differs.\n"
    "Amounts are in units of the currency (0.50), rates in basis points (100 is 1%). A currency\n"
    "that has no tariff yet needs --margin-bps. Connect banks with: ujrat bank connect CODE.";

const struct option_row platform_add_options[] = {
    {"name", "NAME", "for people: \"Upwork Inc.\" (default: the code)", false},
    {"currency", "CCY[,CCY...]", "currencies it holds a float in; may be repeated", true},
    {"margin-bps", "N", "our margin on the mid rate, in basis points", false},
    {"fee-fixed", "AMOUNT", "fixed fee of a payout (0)", false},
    {"fee-bps", "N", "proportional fee, in basis points of the gross (0)", false},
    {"fee-min", "AMOUNT", "least fee (0)", false},
    {"fee-max", "AMOUNT", "greatest fee; 0: none (0)", false},
    {"gross-max", "AMOUNT", "largest payout (100000)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

struct tariff {
    long long margin_bps, fee_bps;
    money_t fixed, min, max, gross_max;
};

static bool amount(const struct args *args, const char *name, const char *otherwise,
                   const char *code, money_t *out)
{
    const char *text = args_get(args, name);

    return parse_money(name, text == NULL ? otherwise : text, code, out);
}

static bool read_tariff(const struct args *args, const char *code, struct tariff *t)
{
    struct fee_schedule fee;

    *t = (struct tariff){.fee_bps = 0};
    if (!args_int(args, "margin-bps", 0, PRICING_MARGIN_BPS_MAX, &t->margin_bps) ||
        !args_int(args, "fee-bps", 0, PRICING_MARGIN_BPS_MAX, &t->fee_bps) ||
        !amount(args, "fee-fixed", "0", code, &t->fixed) ||
        !amount(args, "fee-min", "0", code, &t->min) ||
        !amount(args, "fee-max", "0", code, &t->max) ||
        !amount(args, "gross-max", "100000", code, &t->gross_max))
        return false;
    fee = (struct fee_schedule){t->fixed.minor, (int32_t)t->fee_bps, t->min.minor, t->max.minor};
    if (fee_schedule_check(&fee) != REASON_NONE || t->gross_max.minor <= 0) {
        complain("the tariff makes no sense: amounts are not below zero, --fee-max is 0 or not "
                 "below --fee-min, --gross-max is above zero");
        return false;
    }
    return true;
}

static bool wants_tariff(const struct args *args)
{
    static const char *const names[] = {"margin-bps", "fee-fixed", "fee-bps",
                                        "fee-min",    "fee-max",   "gross-max"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (args_has(args, names[i]))
            return true;
    return false;
}

/* A row only when it differs from the one in force: a tariff's history is of changes. */
static const char sql_tariff[] =
    "SELECT set_tariff($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    " WHERE NOT EXISTS (SELECT FROM (SELECT t.* FROM tariff t JOIN currency c USING (ccy)"
    "       WHERE t.book_id = $1 AND c.code = $2 ORDER BY t.valid_from DESC LIMIT 1) t"
    "   WHERE (t.margin_bps, t.fee_fixed, t.fee_bps, t.fee_min, t.fee_max, t.gross_max)"
    "       = ($3, $4, $5, $6, $7, $8))";

static void tell_tariff(const char *code, const struct tariff *t, bool changed)
{
    char text[4][MONEY_TEXT_SIZE];

    printf("  %s: margin %lld.%02lld%%, fee %s + %lld.%02lld%%, ", code, t->margin_bps / 100,
           t->margin_bps % 100, money_format(t->fixed, MONEY_THOUSANDS, text[0]), t->fee_bps / 100,
           t->fee_bps % 100);
    if (t->min.minor > 0)
        printf("at least %s, ", money_format(t->min, MONEY_THOUSANDS, text[1]));
    if (t->max.minor > 0)
        printf("at most %s, ", money_format(t->max, MONEY_THOUSANDS, text[2]));
    printf("payouts up to %s%s\n", money_format(t->gross_max, MONEY_THOUSANDS, text[3]),
           changed ? "" : " (as before)");
}

static bool set_tariff(const struct args *args, struct db *db, const char *book, const char *code)
{
    struct tariff t;
    char n[6][24];
    char author[64];
    PGresult *r;
    bool changed;

    if (!read_tariff(args, code, &t))
        return false;
    snprintf(n[0], sizeof n[0], "%lld", t.margin_bps);
    snprintf(n[1], sizeof n[1], "%lld", (long long)t.fixed.minor);
    snprintf(n[2], sizeof n[2], "%lld", t.fee_bps);
    snprintf(n[3], sizeof n[3], "%lld", (long long)t.min.minor);
    snprintf(n[4], sizeof n[4], "%lld", (long long)t.max.minor);
    snprintf(n[5], sizeof n[5], "%lld", (long long)t.gross_max.minor);
    r = db_query(db, sql_tariff, 9,
                 (const char *const[]){book, code, n[0], n[1], n[2], n[3], n[4], n[5],
                                       author_of(args, author, sizeof author)});
    if (r == NULL)
        return false;
    changed = PQntuples(r) > 0;
    PQclear(r);
    if (!args_quiet(args))
        tell_tariff(code, &t, changed);
    return true;
}

static bool has_tariff(struct db *db, const char *book, const char *code)
{
    PGresult *r = db_query(db,
                           "SELECT 1 FROM tariff JOIN currency USING (ccy) "
                           "WHERE book_id = $1 AND code = $2 LIMIT 1",
                           2, (const char *const[]){book, code});
    bool found = r != NULL && PQntuples(r) > 0;

    PQclear(r);
    return found;
}

static bool add_currency(const struct args *args, struct db *db, const char *book, const char *code)
{
    PGresult *r =
        db_query(db, "SELECT open_currency($1, $2)", 2, (const char *const[]){book, code});

    PQclear(r);
    if (r == NULL)
        return false;
    if (!args_has(args, "margin-bps") && !has_tariff(db, book, code)) {
        complain("%s has no tariff yet: say at least --margin-bps N", code);
        return false;
    }
    return !wants_tariff(args) || set_tariff(args, db, book, code);
}

static bool add_currencies(const struct args *args, struct db *db, const char *book)
{
    const char *list;
    size_t at = 0;

    while ((list = args_next(args, "currency", &at)) != NULL) {
        struct slice rest = slice_str(list);
        struct slice one;
        char code[8];
        bool more;

        do {
            more = slice_cut(rest, ',', &one, &rest);
            if (err_failed(slice_copy(slice_trim(one), code, sizeof code))) {
                complain("--currency: '%.*s' is no currency", SLICE_ARG(one));
                return false;
            }
            if (!add_currency(args, db, book, code))
                return false;
        } while (more);
    }
    return true;
}

enum exit_code platform_add_run(const struct args *args)
{
    const char *code = args->operands[0];
    const char *name = args_get(args, "name");
    struct db db;
    PGresult *r = NULL;
    enum exit_code done = db_open(args, DB_AS_OPERATOR, &db);

    if (done != EXIT_DONE)
        return done;
    done = EXIT_REFUSED;
    if (!db_do(&db, "BEGIN"))
        goto out;
    r = db_query(&db, "SELECT open_book($1, $2)", 2,
                 (const char *const[]){code, name == NULL ? code : name});
    if (r == NULL)
        goto out;
    if (!args_quiet(args))
        printf("Platform %s has book %s\n", code, PQgetvalue(r, 0, 0));
    if (!add_currencies(args, &db, PQgetvalue(r, 0, 0)))
        goto out;
    /* All of this says the same when it is said again, so an unknown outcome is told as such. */
    done = db_do(&db, "COMMIT") ? EXIT_DONE : db_failure(&db);
out:
    if (done == EXIT_REFUSED)
        complain("nothing was changed");
    PQclear(r);
    db_close(&db);
    return done;
}
