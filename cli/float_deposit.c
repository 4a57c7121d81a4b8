/* ujrat float deposit: money a platform has paid in. */
#include "cli/commands.h"
#include "cli/operator.h"

const char float_deposit_help[] =
    "AMOUNT is in units of the currency (250000 or 250000.00). The reference is that of the bank's\n"
    "credit advice: the same reference with the same amount answers with the first deposit, with\n"
    "another amount it is refused. So a deposit whose outcome is unknown (exit status 3) is simply\n"
    "made again.";

const struct option_row float_deposit_options[] = {
    {"reference", "TEXT", "of the bank's credit advice (required)", false},
    {NULL, NULL, NULL, false},
};

/* Our own programs' name among those who act; no certificate is made for it. */
static const char sql_deposit[] =
    "SELECT d.seq, d.duplicate FROM deposit_float($1, add_principal('ujrat://system/cli', 'system'), "
    "$2, $3, $4) d";

enum exit_code float_deposit_run(const struct args *args)
{
    const char *reference = args_get(args, "reference");
    const char *ccy = args->operands[2];
    char book[16];
    char minor[24];
    char shown[MONEY_TEXT_SIZE];
    money_t amount;
    struct db db;
    PGresult *r = NULL;
    int book_id;
    enum exit_code code;

    if (reference == NULL || reference[0] == '\0') {
        complain("--reference is required: it is what makes a repeat safe");
        return EXIT_USAGE;
    }
    if (!parse_money("the amount", args->operands[1], ccy, &amount))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    book_id = operator_find_book(&db, args->operands[0]);
    if (book_id == 0)
        goto out;
    snprintf(book, sizeof book, "%d", book_id);
    snprintf(minor, sizeof minor, "%lld", (long long)amount.minor);
    r = db_query(&db, sql_deposit, 4, (const char *const[]){book, ccy, minor, reference});
    if (r == NULL) {
        code = db_failure(&db);
        goto out;
    }
    if (!args_quiet(args))
        printf("%s %s into the float of %s, journal %s\n",
               PQgetvalue(r, 0, 1)[0] == 't' ? "Was there already:" : "Deposited",
               money_format(amount, MONEY_CODE_THOUSANDS, shown), args->operands[0],
               PQgetvalue(r, 0, 0));
    code = EXIT_DONE;
out:
    PQclear(r);
    db_close(&db);
    return code;
}
