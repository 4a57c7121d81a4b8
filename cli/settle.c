/* ujrat recall, settle alerts and its end, float low: what operators ask of banks, and what they should look at. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/show.h"

const char recall_help[] =
    "Asks the bank of a payment that should not have been made to send it back, or not to pay it (camt.056).\n"
    "PAYOUT is its instruction (UJ7-42) or its name (platforms/upwork/payouts/42). No money moves: the\n"
    "bank answers that it will (CNCL), that it will not (RJCR) or that it is looking (PDCR), and what\n"
    "moves money is the rejection or the return that follows. The same again answers with the first.\n"
    "A payout that no bank knows of yet is cancelled instead. Without PAYOUT: lists recalls.";

const struct option_row recall_options[] = {
    {"reason", "CODE", "external cancellation reason: CUST, DUPL, FRAD, TECH, AC03, AM09", false},
    {"all", NULL, "list those that are over, too", false},
    {NULL, NULL, NULL, false},
};

static enum exit_code list_recalls(const struct args *args)
{
    static const struct report_column columns[] = {
        {"bank", REPORT_TEXT},       {"instruction", REPORT_TEXT}, {"recall", REPORT_INT},
        {"reason", REPORT_TEXT},     {"amount", REPORT_AMOUNT},    {"asked at", REPORT_TEXT},
        {"asked by", REPORT_TEXT},   {"answer", REPORT_TEXT},      {"answer reason", REPORT_TEXT},
        {"answered at", REPORT_TEXT}};

    return show_query(
        args,
        "SELECT b.code, instruction_id(r.book_id, r.payout_id), r.recall_no, r.reason_code,"
        " (p.net / 100.0)::numeric(30, 2),"
        " to_char(r.asked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), w.uri, a.status, a.reason_code,"
        " to_char(a.answered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        "  FROM recall r JOIN bank b USING (bank_id) JOIN principal w USING (principal_id)"
        "  JOIN payout p ON p.book_id = r.book_id AND p.payout_id = r.payout_id"
        "  LEFT JOIN LATERAL (SELECT * FROM recall_answer a WHERE a.book_id = r.book_id"
        "       AND a.payout_id = r.payout_id AND a.recall_no = r.recall_no ORDER BY a.answer_no DESC LIMIT 1) a ON true"
        " WHERE $1 = 'yes' OR a.status IS NULL OR a.status = 'PDCR' ORDER BY r.asked_at",
        1, (const char *const[]){args_has(args, "all") ? "yes" : "no"}, columns,
        sizeof columns / sizeof *columns);
}

static const char sql_recall[] = SQL_WITH_KNOWN_PAYOUT
    "SELECT r.recall_no, r.duplicate, instruction_id(k.book_id, k.payout_id)"
    "  FROM known k CROSS JOIN LATERAL request_recall(k.book_id, k.payout_id, $2, NULL) r";

enum exit_code recall_run(const struct args *args)
{
    const char *reason = args_get(args, "reason");
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (args->n_operands == 0)
        return list_recalls(args);
    if (reason == NULL) {
        complain("--reason is required: an external cancellation reason, such as CUST");
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql_recall, 2, (const char *const[]){args->operands[0], reason});
    if (r == NULL) {
        code = db_failure(&db);
    } else if (PQntuples(r) == 0) {
        complain("there is no payout '%s'", args->operands[0]);
        code = EXIT_REFUSED;
    } else {
        printf("%s: %s, recall %s\n", PQgetvalue(r, 0, 2),
               PQgetvalue(r, 0, 1)[0] == 't' ? "its bank was asked already" : "its bank is asked",
               PQgetvalue(r, 0, 0));
    }
    PQclear(r);
    db_close(&db);
    return code;
}

const char settle_alerts_help[] =
    "What somebody should look at: nostros and floats that run low, instructions that banks do not answer\n"
    "or block, windows that are disputed or late, limits that keep payouts back, holds past their deadline,\n"
    "files that were quarantined, taxes withheld that are not as expected. ujrat-settle raises them, and ends\n"
    "them when they are so no more; files and taxes are for a person to end: settle alerts end.";

const struct option_row settle_alerts_options[] = {
    {"all", NULL, "those that have ended, too", false},
    {NULL, NULL, NULL, false},
};

enum exit_code settle_alerts_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"alert", REPORT_INT},          {"kind", REPORT_TEXT},      {"subject", REPORT_TEXT},
        {"detail", REPORT_TEXT},        {"raised at", REPORT_TEXT}, {"ended at", REPORT_TEXT},
        {"ended because", REPORT_TEXT}, {"ended by", REPORT_TEXT}};

    return show_query(
        args,
        "SELECT a.alert_id, a.kind, a.subject, a.detail,"
        " to_char(a.raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " to_char(e.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), e.reason, w.uri"
        "  FROM settlement_alert a LEFT JOIN settlement_alert_end e USING (alert_id)"
        "  LEFT JOIN principal w USING (principal_id)"
        " WHERE $1 = 'yes' OR e.alert_id IS NULL ORDER BY a.alert_id",
        1, (const char *const[]){args_has(args, "all") ? "yes" : "no"}, columns,
        sizeof columns / sizeof *columns);
}

const char settle_alerts_end_help[] =
    "Says that somebody has seen to an alert that does not end by itself: FILE_QUARANTINED (it was sent\n"
    "again, or done by hand) and TAX_DIFFERS (it was cleared up with the bank). SUBJECT is as settle alerts\n"
    "lists it. Who ended it and why stays beside it. All other kinds end when they are so no more.";

const struct option_row settle_alerts_end_options[] = {
    {"reason", "TEXT", "how it was seen to (required)", false},
    {NULL, NULL, NULL, false},
};

enum exit_code settle_alerts_end_run(const struct args *args)
{
    const char *kind = args->operands[0], *subject = args->operands[1];
    const char *reason = args_get(args, "reason");
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (reason == NULL) {
        complain("--reason is required");
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, "SELECT dismiss_alert($1, $2, $3)", 3,
                 (const char *const[]){kind, subject, reason});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("%s of %s %s\n", kind, subject,
               PQgetvalue(r, 0, 0)[0] == 't' ? "has ended" : "was ended so already");
    PQclear(r);
    db_close(&db);
    return code;
}

const char float_low_help[] =
    "From now on it is an alert when less than AMOUNT is left of the platform's float in that currency.";

const struct option_row float_low_options[] = {
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

enum exit_code float_low_run(const struct args *args)
{
    char book[16], minor[24], author[64];
    money_t amount;
    struct db db;
    PGresult *r = NULL;
    int book_id;
    enum exit_code code;

    if (!parse_money("the amount", args->operands[1], args->operands[2], &amount))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    book_id = operator_find_book(&db, args->operands[0]);
    snprintf(book, sizeof book, "%d", book_id);
    snprintf(minor, sizeof minor, "%lld", (long long)amount.minor);
    if (book_id != 0)
        r = db_query(&db, "SELECT set_float_low($1, $2, $3, $4)", 4,
                     (const char *const[]){book, args->operands[2], minor,
                                           author_of(args, author, sizeof author)});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("Low is %s\n", PQgetvalue(r, 0, 0)[0] == 't' ? "set" : "as it was");
    PQclear(r);
    db_close(&db);
    return code;
}
