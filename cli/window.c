/* ujrat window: settlement windows, as operators see them, close them, dispute and settle them. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/operator_code.h"
#include "cli/show.h"
#include "cli/window_close.h"

#define SQL_MONEY(column) "(" column " / 100.0)::numeric(30, 2)"
#define SQL_AT(column)                                                                             \
    "to_char(" column " AT TIME ZONE INTERVAL '5 hours', 'YYYY-MM-DD HH24:MI:SS')"

const char window_list_help[] =
    "A bank's windows, newest first. Times are of Asia/Karachi, amounts in PKR. Net is\n"
    "what the bank paid for us: instructed, less rejected, less returned.";

const struct option_row window_list_options[] = {
    {"limit", "N", "at most so many (20)", false},
    {NULL, NULL, NULL, false},
};

static const char sql_list[] = "SELECT window_no, state, " SQL_AT("opened_at") ", " SQL_AT("cutoff_at") ", " SQL_AT(
    "settle_by") ","
                 " instructed_count, " SQL_MONEY("instructed_amount") ", settled_count, " SQL_MONEY(
                     "settled_amount") ","
                                       " rejected_count, " SQL_MONEY("rejected_amount") ", pending_count, " SQL_MONEY(
                                           "pending_amount") ", " SQL_MONEY("returned_amount") ", " SQL_MONEY("net_amount") ", reason"
                                                                                                                            "  FROM windows_of_bank($1::int2, 9223372036854775807, $2::int4)";

enum exit_code window_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"window", REPORT_INT},        {"state", REPORT_TEXT},      {"opened", REPORT_TEXT},
        {"cut-off", REPORT_TEXT},      {"settle by", REPORT_TEXT},  {"instructions", REPORT_INT},
        {"instructed", REPORT_AMOUNT}, {"settlements", REPORT_INT}, {"settled", REPORT_AMOUNT},
        {"rejections", REPORT_INT},    {"rejected", REPORT_AMOUNT}, {"unanswered", REPORT_INT},
        {"pending", REPORT_AMOUNT},    {"returned", REPORT_AMOUNT}, {"net", REPORT_AMOUNT},
        {"reason", REPORT_TEXT}};
    long long limit = 20;
    char n[24], bank[16];
    struct db db;
    enum exit_code code;

    if (args_has(args, "limit") && !args_int(args, "limit", 1, 100000, &limit))
        return EXIT_USAGE;
    snprintf(n, sizeof n, "%lld", limit);
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (!find_bank(&db, args->operands[0], bank) ||
        !show_rows(args, &db, sql_list, 2, (const char *const[]){bank, n}, columns,
                   sizeof columns / sizeof *columns))
        code = EXIT_REFUSED;
    db_close(&db);
    return code;
}

const char window_show_help[] =
    "A window's instructions, what became of them, and its position, by book and by day of the hand-out\n"
    "(of the return). The last line is all of it.";

static const char sql_show[] = "SELECT coalesce(b.code, 'all'), w.day, sum(w.instructed_count), " SQL_MONEY(
    "sum(w.instructed_amount)") ","
                                " sum(w.settled_count), " SQL_MONEY("sum(w.settled_amount)") ", sum(w.rejected_count), " SQL_MONEY("sum(w.rejected_amount)") ", sum(w.pending_count), " SQL_MONEY(
                                    "sum(w.pending_amount)") ", " SQL_MONEY("sum(w.returned_amount)") ", " SQL_MONEY("sum(w.net_amount)") "  FROM window_parts($1::int2, $2::int8, true) w JOIN book b USING (book_id)"
                                                                                                                                          " GROUP BY GROUPING SETS ((b.code, w.day), ()) ORDER BY b.code IS NULL, b.code, w.day";

/* "Window 17 of MUCB is CLOSED: opened ..., cut-off ...", for people. */
static bool tell_window(const struct args *args, struct db *db, const char *bank)
{
    PGresult *r =
        db_query(db,
                 "SELECT state, " SQL_AT("opened_at") ", " SQL_AT("cutoff_at") ", " SQL_AT(
                     "settle_by") ", reason FROM windows_of_bank($1::int2, $2::int8, 1)"
                                  " WHERE window_no = $2::int8",
                 2, (const char *const[]){bank, args->operands[1]});
    bool found = r != NULL && PQntuples(r) == 1;

    if (r != NULL && !found)
        complain("%s has no window %s", args->operands[0], args->operands[1]);
    if (found && !args_json(args)) {
        printf("Window %s of %s is %s: opened %s, cut-off %s", args->operands[1], args->operands[0],
               PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
        if (!PQgetisnull(r, 0, 3))
            printf(", to be settled by %s", PQgetvalue(r, 0, 3));
        printf("\n");
        if (!PQgetisnull(r, 0, 4))
            printf("%s\n", PQgetvalue(r, 0, 4));
        printf("\n");
    }
    PQclear(r);
    return found;
}

enum exit_code window_show_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"book", REPORT_TEXT},         {"day", REPORT_TEXT},        {"instructions", REPORT_INT},
        {"instructed", REPORT_AMOUNT}, {"settlements", REPORT_INT}, {"settled", REPORT_AMOUNT},
        {"rejections", REPORT_INT},    {"rejected", REPORT_AMOUNT}, {"unanswered", REPORT_INT},
        {"pending", REPORT_AMOUNT},    {"returned", REPORT_AMOUNT}, {"net", REPORT_AMOUNT}};
    char bank[16];
    struct db db;
    enum exit_code code;

    if (!is_number("the window", args->operands[1]))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (!find_bank(&db, args->operands[0], bank) || !tell_window(args, &db, bank) ||
        !show_rows(args, &db, sql_show, 2, (const char *const[]){bank, args->operands[1]}, columns,
                   sizeof columns / sizeof *columns))
        code = EXIT_REFUSED;
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- what changes something */

/* One statement about a window, which answers one cell; the words for 't' and for 'f'. code_too: it takes a code. */
static enum exit_code decide(const struct args *args, const char *sql, const char *value,
                             bool code_too, const char *yes, const char *no)
{
    char shown[OPERATOR_CODE_SIZE];
    char bank[16] = "";
    struct db db;
    PGresult *r = NULL;
    enum exit_code code;

    if (!is_number("the window", args->operands[1]))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    if (find_bank(&db, args->operands[0], bank) && code_too && !operator_code_read(args, shown)) {
        db_close(&db);
        return EXIT_USAGE;
    }
    if (bank[0] != '\0')
        r = db_query(&db, sql, code_too ? 4 : 3,
                     (const char *const[]){bank, args->operands[1], value, shown});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("Window %s of %s: %s%s\n", args->operands[1], args->operands[0],
               PQgetvalue(r, 0, 0)[0] == 't' ? yes : no,
               PQnfields(r) > 1 ? PQgetvalue(r, 0, 1) : "");
    PQclear(r);
    db_close(&db);
    return code;
}

const char window_dispute_help[] =
    "Says that a closed window is not in order. It is then settled by two operators alone.";

const struct option_row window_dispute_options[] = {
    {"reason", "TEXT", "why (required)", false},
    {NULL, NULL, NULL, false},
};

enum exit_code window_dispute_run(const struct args *args)
{
    const char *reason = args_get(args, "reason");

    if (reason == NULL) {
        complain("--reason is required");
        return EXIT_USAGE;
    }
    return decide(args, "SELECT dispute_window($1::int2, $2::int8, $3)", reason, false, "DISPUTED",
                  "was disputed so already");
}

const char window_settle_help[] =
    "A disputed window is settled by two operators, who are told apart by their database logins: one\n"
    "proposes it with --reason and is told the proposal's number, the other approves that. Every\n"
    "instruction of it must have its answer, and nothing else may have become of it in between.\n" HELP_OPERATOR_CODE;

const struct option_row window_settle_options[] = {
    {"reason", "TEXT", "propose: how it was cleared up", false},
    {"approve", "PROPOSAL", "agree with what another proposed", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

enum exit_code window_settle_run(const struct args *args)
{
    const char *reason = args_get(args, "reason"), *approve = args_get(args, "approve");

    if ((reason == NULL) == (approve == NULL)) {
        complain("say either --reason TEXT, to propose, or --approve PROPOSAL");
        return EXIT_USAGE;
    }
    if (reason != NULL)
        return decide(args,
                      "SELECT NOT p.duplicate, p.proposal_no FROM "
                      "propose_window_settled($1::int2, $2::int8, $3, $4) p",
                      reason, true, "a second person must approve proposal ",
                      "was proposed already, and waits for a second person: proposal ");
    if (!is_number("the proposal", approve))
        return EXIT_USAGE;
    return decide(args, "SELECT approve_window_settled($1::int2, $2::int8, $3::int4, $4)", approve,
                  true, "SETTLED", "you settled it already");
}

const char window_close_help[] =
    "Closes a bank's open window now, as its cut-off would: payouts that wait for it are handed out first,\n"
    "book by book; then its instructions are fixed and the next window is opened, until the next\n"
    "cut-off that the calendar has. Closing one that is closed changes nothing.";

enum exit_code window_close_run(const struct args *args)
{
    char bank[16];
    struct db db;
    enum exit_code code;

    if (!is_number("the window", args->operands[1]))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    if (!find_bank(&db, args->operands[0], bank))
        code = EXIT_REFUSED;
    else
        code = window_close(args, &db, bank);
    db_close(&db);
    return code;
}
