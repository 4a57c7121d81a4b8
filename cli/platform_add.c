/* ujrat platform add: a platform's book, its currencies and what it pays. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/platform_profile.h"
#include "domain/fee.h"
#include "domain/pricing.h"

#include <string.h>

const char platform_add_help[] =
    "Opens the platform's book and its principal ujrat://platform/CODE, an account of each kind in\n"
    "each currency, and sets its first terms, in force at once. Running it again changes nothing; other\n"
    "terms for a currency that has some take two people: ujrat policy propose.\n"
    "Amounts are in units of the currency (0.50), rates in basis points (100 is 1%). A currency\n"
    "that has no terms yet needs --margin-bps. With --profile a file like those of deploy/platforms/\n"
    "says what the command line does not. Connect banks with: ujrat bank connect CODE.";

const struct option_row platform_add_options[] = {
    {"name", "NAME", "for people: \"Upwork Inc.\" (default: the code)", false},
    {"currency", "CCY[,CCY...]", "currencies it holds a float in; may be repeated", true},
    {"margin-bps", "N", "our margin on the mid rate, in basis points", false},
    {"fee-fixed", "AMOUNT", "fixed fee of a payout (0)", false},
    {"fee-bps", "N", "proportional fee, in basis points of the gross (0)", false},
    {"fee-min", "AMOUNT", "least fee (0)", false},
    {"fee-max", "AMOUNT", "greatest fee; 0: none (0)", false},
    {"gross-max", "AMOUNT", "largest payout (100000)", false},
    {"profile", "FILE", "name, currencies and their terms, as a file has them", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

/* What is being done, and for whom. */
struct adding {
    const struct args *args;
    struct platform_profile profile;
    struct db db;
    const char *book;
};

struct terms {
    long long margin_bps, fee_bps;
    money_t fixed, min, max, gross_max;
};

/* A term: as the command line has it, else the profile, else as usual. */
static const char *term(const struct adding *a, const char *code, const char *name,
                        const char *otherwise, char room[32])
{
    const char *text = args_get(a->args, name);

    if (text == NULL)
        text = platform_profile_tariff(&a->profile, code, name, room);
    return text == NULL ? otherwise : text;
}

static bool amount(const struct adding *a, const char *code, const char *name,
                   const char *otherwise, money_t *out)
{
    char room[32];

    return parse_money(name, term(a, code, name, otherwise, room), code, out);
}

static bool basis_points(const struct adding *a, const char *code, const char *name, long long *out)
{
    char room[32];
    const char *text = term(a, code, name, "0", room);
    int64_t value = 0;

    if (err_failed(str_parse_int64(slice_str(text), &value)) || value < 0 ||
        value > PRICING_MARGIN_BPS_MAX) {
        complain("--%s: a whole number from 0 to %d is wanted, not '%s'", name,
                 PRICING_MARGIN_BPS_MAX, text);
        return false;
    }
    *out = value;
    return true;
}

static bool read_terms(const struct adding *a, const char *code, struct terms *t)
{
    struct fee_schedule fee;

    *t = (struct terms){.fee_bps = 0};
    if (!basis_points(a, code, "margin-bps", &t->margin_bps) ||
        !basis_points(a, code, "fee-bps", &t->fee_bps) ||
        !amount(a, code, "fee-fixed", "0", &t->fixed) ||
        !amount(a, code, "fee-min", "0", &t->min) || !amount(a, code, "fee-max", "0", &t->max) ||
        !amount(a, code, "gross-max", "100000", &t->gross_max))
        return false;
    fee = (struct fee_schedule){t->fixed.minor, (int32_t)t->fee_bps, t->min.minor, t->max.minor};
    if (fee_schedule_check(&fee) != REASON_NONE || t->gross_max.minor <= 0) {
        complain("the terms make no sense: amounts are not below zero, --fee-max is 0 or not "
                 "below --fee-min, --gross-max is above zero");
        return false;
    }
    return true;
}

static bool says(const struct adding *a, const char *code, const char *name)
{
    char room[32];

    return term(a, code, name, NULL, room) != NULL;
}

static bool wants_terms(const struct adding *a, const char *code)
{
    static const char *const names[] = {"margin-bps", "fee-fixed", "fee-bps",
                                        "fee-min",    "fee-max",   "gross-max"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (says(a, code, names[i]))
            return true;
    return false;
}

static void tell_terms(const char *code, const struct terms *t, bool changed)
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

static bool open_terms(struct adding *a, const char *code)
{
    struct terms t;
    char n[6][24];
    char author[64];
    PGresult *r;
    bool changed;

    if (!read_terms(a, code, &t))
        return false;
    snprintf(n[0], sizeof n[0], "%lld", t.margin_bps);
    snprintf(n[1], sizeof n[1], "%lld", (long long)t.fixed.minor);
    snprintf(n[2], sizeof n[2], "%lld", t.fee_bps);
    snprintf(n[3], sizeof n[3], "%lld", (long long)t.min.minor);
    snprintf(n[4], sizeof n[4], "%lld", (long long)t.max.minor);
    snprintf(n[5], sizeof n[5], "%lld", (long long)t.gross_max.minor);
    r = db_query(&a->db, "SELECT open_terms($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9,
                 (const char *const[]){a->book, code, n[0], n[1], n[2], n[3], n[4], n[5],
                                       author_of(a->args, author, sizeof author)});
    if (r == NULL)
        return false;
    changed = !PQgetisnull(r, 0, 0);
    PQclear(r);
    if (!args_quiet(a->args))
        tell_terms(code, &t, changed);
    return true;
}

static bool has_terms(struct adding *a, const char *code)
{
    PGresult *r = db_query(&a->db,
                           "SELECT 1 FROM policy_version JOIN policy_change c USING (proposal_id)"
                           "  JOIN currency k USING (ccy) JOIN book b ON b.code = c.scope"
                           " WHERE c.kind = 1 AND b.book_id = $1 AND k.code = $2 LIMIT 1",
                           2, (const char *const[]){a->book, code});
    bool found = r != NULL && PQntuples(r) > 0;

    PQclear(r);
    return found;
}

static bool add_currency(struct adding *a, const char *code)
{
    PGresult *r =
        db_query(&a->db, "SELECT open_currency($1, $2)", 2, (const char *const[]){a->book, code});

    PQclear(r);
    if (r == NULL)
        return false;
    if (!says(a, code, "margin-bps") && !has_terms(a, code)) {
        complain("%s has no terms yet: say at least --margin-bps N", code);
        return false;
    }
    return !wants_terms(a, code) || open_terms(a, code);
}

static bool add_listed(struct adding *a, const char *list)
{
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
        if (!add_currency(a, code))
            return false;
    } while (more);
    return true;
}

/* Those of the command line; without any, all of the profile. */
static bool add_currencies(struct adding *a)
{
    const char *list;
    size_t at = 0;

    if (args_get(a->args, "currency") == NULL) {
        while ((list = platform_profile_currency(&a->profile, &at)) != NULL)
            if (!add_currency(a, list))
                return false;
        return true;
    }
    while ((list = args_next(a->args, "currency", &at)) != NULL)
        if (!add_listed(a, list))
            return false;
    return true;
}

static enum exit_code add(struct adding *a, const char *code, const char *name)
{
    PGresult *r;
    enum exit_code done = EXIT_REFUSED;

    if (!db_do(&a->db, "BEGIN"))
        return EXIT_REFUSED;
    r = db_query(&a->db, "SELECT open_book($1, $2)", 2, (const char *const[]){code, name});
    if (r == NULL)
        return EXIT_REFUSED;
    a->book = PQgetvalue(r, 0, 0);
    if (!args_quiet(a->args))
        printf("Platform %s has book %s\n", code, a->book);
    /* All of this says the same when it is said again, so an unknown outcome is told as such. */
    if (add_currencies(a))
        done = db_do(&a->db, "COMMIT") ? EXIT_DONE : db_failure(&a->db);
    PQclear(r);
    return done;
}

enum exit_code platform_add_run(const struct args *args)
{
    const char *code = args->operands[0];
    const char *name = args_get(args, "name");
    struct adding a = {.args = args};
    enum exit_code done;

    if (!platform_profile_read(args_get(args, "profile"), &a.profile))
        return EXIT_USAGE;
    if (name == NULL)
        name = platform_profile_text(&a.profile, "name");
    done = db_open(args, DB_AS_OPERATOR, &a.db);
    if (done == EXIT_DONE) {
        done = add(&a, code, name == NULL ? code : name);
        if (done == EXIT_REFUSED)
            complain("nothing was changed");
        db_close(&a.db);
    }
    platform_profile_free(&a.profile);
    return done;
}
