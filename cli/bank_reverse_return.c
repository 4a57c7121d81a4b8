/* ujrat bank reverse-return: a bank takes back its last return of a payment, and two operators say so for it. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/operator_code.h"
#include "cli/show.h"
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"

const char bank_reverse_return_help[] =
    "Records that the bank takes back its last return of a payment, which it made in error. A bank says so\n"
    "itself over gRPC (ReverseReturn); ISO 20022 has no message for it, so a bank of files asks in writing,\n"
    "and two operators say it for the bank: one proposes it (--return, --reason, --reference) and is told\n"
    "the proposal's number, another approves that. PAYOUT is its instruction (UJ7-42) or its name\n"
    "(platforms/upwork/payouts/42). The platform's float is debited with what the return gave back: refused\n"
    "while it does not cover that, and nothing is done. The journals bear the name of the login that\n"
    "approved. The same again is answered as before. Without PAYOUT: lists what waits for approval.\n" HELP_OPERATOR_CODE;

const struct option_row bank_reverse_return_options[] = {
    {"return", "REFERENCE", "propose: the bank's reference of that return, its RtrId", false},
    {"reason", "CODE", "propose: external return reason, such as AM05 or NARR", false},
    {"reference", "TEXT", "propose: the bank's own of this, as in its letter and statement", false},
    {"approve", "PROPOSAL", "agree with what another proposed", false},
    {"refuse", "PROPOSAL", "end a proposal, for good; also for whoever made it", false},
    {"all", NULL, "list what was decided, too", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

/* ---------------------------------------------------------------- listing */

static const char sql_list[] =
    "SELECT instruction_id(p.book_id, p.payout_id), p.proposal_no,"
    "       CASE WHEN d.approved THEN 'APPROVED' WHEN NOT d.approved THEN 'REFUSED' ELSE 'PROPOSED' END,"
    "       p.return_reference, shown_amount(r.amount, t.dst_ccy), p.reason_code, p.reference, w.uri,"
    "       to_char(p.proposed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), x.uri"
    "  FROM return_reversal_proposal p JOIN payout t USING (book_id, payout_id)"
    "  JOIN principal w ON w.principal_id = p.proposed_by"
    "  JOIN LATERAL (SELECT * FROM payment_return r WHERE r.book_id = p.book_id AND r.payout_id = p.payout_id"
    "       AND r.bank_reference = p.return_reference AND r.reverses_step IS NULL ORDER BY r.step DESC LIMIT 1) r ON true"
    "  LEFT JOIN return_reversal_decision d ON (d.book_id, d.proposal_no) = (p.book_id, p.proposal_no)"
    "  LEFT JOIN principal x ON x.principal_id = d.decided_by"
    " WHERE $1 = 'yes' OR d.proposal_no IS NULL ORDER BY p.proposed_at";

static enum exit_code list(const struct args *args)
{
    static const struct report_column columns[] = {
        {"instruction", REPORT_TEXT}, {"proposal", REPORT_INT},     {"state", REPORT_TEXT},
        {"return", REPORT_TEXT},      {"amount", REPORT_TEXT},      {"reason", REPORT_TEXT},
        {"reference", REPORT_TEXT},   {"proposed by", REPORT_TEXT}, {"proposed at", REPORT_TEXT},
        {"decided by", REPORT_TEXT}};

    return show_query(args, sql_list, 1,
                      (const char *const[]){args_has(args, "all") ? "yes" : "no"}, columns,
                      sizeof columns / sizeof *columns);
}

/* ---------------------------------------------------------------- proposing, deciding */

/* A statement about the payout that is the first of its values; a code is the last. Its row; NULL: *code says how it ended. */
static PGresult *ask(const struct args *args, struct db *db, const char *sql, int n,
                     const char **values, enum exit_code *code)
{
    char shown[OPERATOR_CODE_SIZE];
    PGresult *r;

    if (!operator_code_read(args, shown)) {
        *code = EXIT_USAGE;
        return NULL;
    }
    values[n - 1] = shown;
    r = db_query(db, sql, n, values);
    values[n - 1] = NULL;
    *code = r == NULL ? db_failure(db) : EXIT_DONE;
    if (r != NULL && PQntuples(r) == 0) {
        complain("there is no payout '%s'", args->operands[0]);
        *code = EXIT_REFUSED;
        PQclear(r);
        return NULL;
    }
    return r;
}

static const char sql_propose[] = SQL_WITH_KNOWN_PAYOUT
    "SELECT instruction_id(k.book_id, k.payout_id), p.proposal_no, p.duplicate"
    "  FROM known k CROSS JOIN LATERAL propose_return_reversal(k.book_id, k.payout_id, $2, $3, $4, $5) p";

static enum exit_code propose(const struct args *args, struct db *db)
{
    const char *values[5] = {args->operands[0], args_get(args, "return"), args_get(args, "reason"),
                             args_get(args, "reference")};
    enum exit_code code;
    PGresult *r = ask(args, db, sql_propose, 5, values, &code);

    if (r != NULL && !args_quiet(args))
        printf("%s: %s proposal %s, to take back return %s; a second person must approve it\n",
               PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 2)[0] == 't' ? "it is already" : "this is",
               PQgetvalue(r, 0, 1), values[1]);
    PQclear(r);
    return code;
}

static const char sql_decide[] = SQL_WITH_KNOWN_PAYOUT
    "SELECT instruction_id(k.book_id, k.payout_id), r.state, r.returned, r.dst_ccy,"
    "       to_char(r.reversed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), r.return_reference"
    "  FROM known k CROSS JOIN LATERAL decide_return_reversal(k.book_id, k.payout_id, $2, $3, $4) r";

static void tell_reversed(PGresult *r)
{
    char left[MONEY_TEXT_SIZE];
    money_t returned = money_of(db_int(r, 0, 2), (uint16_t)db_int(r, 0, 3));

    printf("%s: return %s was taken back at %s; it is %s", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 5),
           PQgetvalue(r, 0, 4), payout_state_name((enum payout_state)db_int(r, 0, 1)));
    if (returned.minor > 0)
        printf(", with %s returned yet", money_format(returned, MONEY_CODE_THOUSANDS, left));
    printf("\n");
}

static enum exit_code decide(const struct args *args, struct db *db)
{
    const char *approve = args_get(args, "approve");
    const char *values[4] = {args->operands[0],
                             approve == NULL ? args_get(args, "refuse") : approve,
                             approve == NULL ? "false" : "true"};
    enum exit_code code;
    PGresult *r = ask(args, db, sql_decide, 4, values, &code);

    if (r != NULL && !args_quiet(args) && approve != NULL)
        tell_reversed(r);
    else if (r != NULL && !args_quiet(args))
        printf("%s: proposal %s is refused\n", PQgetvalue(r, 0, 0), values[1]);
    PQclear(r);
    return code;
}

static bool usage_is_good(const struct args *args, bool *decides)
{
    static const char *const said[] = {"return", "reason", "reference"};
    const char *approve = args_get(args, "approve"), *refuse = args_get(args, "refuse");

    *decides = approve != NULL || refuse != NULL;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const char *value = args_get(args, said[i]);

        if (!*decides && (value == NULL || value[0] == '\0')) {
            complain("--%s is required (or --approve or --refuse PROPOSAL)", said[i]);
            return false;
        }
        if (*decides && value != NULL) {
            complain("--%s is for whoever proposes", said[i]);
            return false;
        }
    }
    if (*decides) {
        if (approve != NULL && refuse != NULL)
            complain("--approve or --refuse, not both");
        return (approve == NULL) != (refuse == NULL) &&
               is_number("the proposal", approve != NULL ? approve : refuse);
    }
    if (iso20022_reason_check_return(slice_str(args_get(args, "reason"))) == REASON_NONE)
        return true;
    complain("--reason: '%.20s' is no external return reason of ISO 20022",
             args_get(args, "reason"));
    return false;
}

enum exit_code bank_reverse_return_run(const struct args *args)
{
    struct db db;
    bool decides;
    enum exit_code code;

    if (args->n_operands == 0)
        return list(args);
    if (!usage_is_good(args, &decides))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    code = decides ? decide(args, &db) : propose(args, &db);
    db_close(&db);
    return code;
}
