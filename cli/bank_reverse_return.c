/* ujrat bank reverse-return: a bank takes back its last return of a payment, and an operator says so for it. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"

const char bank_reverse_return_help[] =
    "Records that the bank takes back its last return of a payment, which it made in error. A bank says so\n"
    "itself over gRPC (ReverseReturn); ISO 20022 has no message for it, so a bank of files asks in writing,\n"
    "and this says it for the bank. PAYOUT is its instruction (UJ7-42) or its name\n"
    "(platforms/upwork/payouts/42). The platform's float is debited with what the return gave back: refused\n"
    "while it does not cover that, and nothing is done. The journals bear the name of your login. The same\n"
    "again is answered as before.";

const struct option_row bank_reverse_return_options[] = {
    {"return", "REFERENCE", "the bank's reference of that return: its RtrId (required)", false},
    {"reason", "CODE", "external return reason, such as AM05 or NARR (required)", false},
    {"reference", "TEXT", "the bank's own of this, as in its letter and statement (required)",
     false},
    {NULL, NULL, NULL, false},
};

static const char sql_reverse[] = SQL_WITH_KNOWN_PAYOUT
    "SELECT instruction_id(k.book_id, k.payout_id), r.state, r.returned, r.dst_ccy,"
    "       to_char(r.reversed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM known k CROSS JOIN LATERAL reverse_return_for_bank(k.book_id, k.payout_id, $2, $3, $4) r";

static bool required(const struct args *args, const char *name, const char **out)
{
    *out = args_get(args, name);
    if (*out != NULL && (*out)[0] != '\0')
        return true;
    complain("--%s is required", name);
    return false;
}

static void tell(PGresult *r, const char *reference)
{
    char left[MONEY_TEXT_SIZE];
    money_t returned = money_of(db_int(r, 0, 2), (uint16_t)db_int(r, 0, 3));

    printf("%s: return %s was taken back at %s; it is %s", PQgetvalue(r, 0, 0), reference,
           PQgetvalue(r, 0, 4), payout_state_name((enum payout_state)db_int(r, 0, 1)));
    if (returned.minor > 0)
        printf(", with %s returned yet", money_format(returned, MONEY_CODE_THOUSANDS, left));
    printf("\n");
}

enum exit_code bank_reverse_return_run(const struct args *args)
{
    const char *of, *reason, *reference;
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (!required(args, "return", &of) || !required(args, "reason", &reason) ||
        !required(args, "reference", &reference))
        return EXIT_USAGE;
    if (iso20022_reason_check_return(slice_str(reason)) != REASON_NONE) {
        complain("--reason: '%.20s' is no external return reason of ISO 20022", reason);
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql_reverse, 4,
                 (const char *const[]){args->operands[0], of, reason, reference});
    if (r == NULL) {
        code = db_failure(&db);
    } else if (PQntuples(r) == 0) {
        complain("there is no payout '%s'", args->operands[0]);
        code = EXIT_REFUSED;
    } else if (!args_quiet(args)) {
        tell(r, of);
    }
    PQclear(r);
    db_close(&db);
    return code;
}
