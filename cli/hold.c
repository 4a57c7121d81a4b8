/* ujrat hold: payouts that are looked at before any bank is told of them (docs/holds.md). */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/operator_code.h"
#include "cli/show.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { EVIDENCE_BYTES_MAX = 65536 };

#define TIME_FORMAT    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'"
#define SQL_HELD_AT    "to_char(h.held_at AT TIME ZONE 'UTC', " TIME_FORMAT ")"
#define SQL_DEADLINE   "to_char(h.deadline AT TIME ZONE 'UTC', " TIME_FORMAT ")"
#define SQL_DECIDED_AT "to_char(d.decided_at AT TIME ZONE 'UTC', " TIME_FORMAT ")"
#define SQL_OUTCOME    "CASE e.outcome WHEN 1 THEN 'released' WHEN 2 THEN 'refused' ELSE 'open' END"

/* ---------------------------------------------------------------- looking */

const char hold_list_help[] =
    "Payouts that are held, the most urgent first, and what was decided of each so far: what one operator\n"
    "has decided waits for a second one who decides the same.";

const struct option_row hold_list_options[] = {
    {"queue", "NAME", "of this queue only", false},
    {"all", NULL, "those that have ended, too", false},
    {NULL, NULL, NULL, false},
};

enum exit_code hold_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"payout", REPORT_TEXT},  {"hold", REPORT_INT},     {"queue", REPORT_TEXT},
        {"reason", REPORT_TEXT},  {"bank", REPORT_TEXT},    {"amount", REPORT_AMOUNT},
        {"held at", REPORT_TEXT}, {"held by", REPORT_TEXT}, {"deadline", REPORT_TEXT},
        {"decided", REPORT_TEXT}, {"by", REPORT_TEXT},      {"outcome", REPORT_TEXT},
    };
    const char *queue = args_get(args, "queue");

    return show_query(
        args,
        "SELECT instruction_id(h.book_id, h.payout_id), h.hold_no, h.queue, h.reason, b.code,"
        " (p.net / 100.0)::numeric(30, 2), " SQL_HELD_AT ", w.uri, " SQL_DEADLINE ","
        " d.decision, dw.uri, " SQL_OUTCOME
        "  FROM payout_hold h JOIN payout p USING (book_id, payout_id) JOIN bank b USING (bank_id)"
        "  LEFT JOIN payout_hold_end e USING (book_id, payout_id, hold_no)"
        "  JOIN principal w ON w.principal_id = h.principal_id"
        "  LEFT JOIN LATERAL (SELECT * FROM payout_hold_decision d WHERE d.book_id = h.book_id"
        "       AND d.payout_id = h.payout_id AND d.hold_no = h.hold_no"
        "       ORDER BY d.decision_no DESC LIMIT 1) d ON d.decision <> 'withdraw'"
        "  LEFT JOIN principal dw ON dw.principal_id = d.principal_id"
        " WHERE ($1 = 'yes' OR EXISTS (SELECT 1 FROM payout_hold_open o WHERE o.book_id = h.book_id"
        "       AND o.payout_id = h.payout_id AND o.hold_no = h.hold_no))"
        "   AND ($2 = '' OR h.queue = $2)"
        " ORDER BY e.seq IS NOT NULL, h.deadline, h.book_id, h.payout_id, h.hold_no",
        2, (const char *const[]){args_has(args, "all") ? "yes" : "no", queue == NULL ? "" : queue},
        columns, sizeof columns / sizeof *columns);
}

const char hold_show_help[] =
    "All holds of a payout, with why, and what operators decided of each and noted. PAYOUT is its\n"
    "instruction (UJ7-42) or its name (platforms/upwork/payouts/42).";

enum exit_code hold_show_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"hold", REPORT_INT},        {"queue", REPORT_TEXT},      {"reason", REPORT_TEXT},
        {"detail", REPORT_TEXT},     {"evidence", REPORT_TEXT},   {"held at", REPORT_TEXT},
        {"held by", REPORT_TEXT},    {"deadline", REPORT_TEXT},   {"decision", REPORT_TEXT},
        {"decided at", REPORT_TEXT}, {"decided by", REPORT_TEXT}, {"note", REPORT_TEXT},
        {"outcome", REPORT_TEXT},
    };

    return show_query(
        args,
        SQL_WITH_KNOWN_PAYOUT
        "SELECT h.hold_no, h.queue, h.reason, h.detail, h.evidence::text, " SQL_HELD_AT ", w.uri,"
        " " SQL_DEADLINE ", d.decision, " SQL_DECIDED_AT ", dw.uri, d.note, " SQL_OUTCOME
        "  FROM known JOIN payout_hold h USING (book_id, payout_id)"
        "  LEFT JOIN payout_hold_end e USING (book_id, payout_id, hold_no)"
        "  LEFT JOIN payout_hold_decision d USING (book_id, payout_id, hold_no)"
        "  JOIN principal w ON w.principal_id = h.principal_id"
        "  LEFT JOIN principal dw ON dw.principal_id = d.principal_id"
        " ORDER BY h.hold_no, d.decision_no",
        1, (const char *const[]){args->operands[0]}, columns, sizeof columns / sizeof *columns);
}

/* ---------------------------------------------------------------- acting */

/* Asks for one row; complains without_row if there is none. */
static enum exit_code act(const struct args *args, const char *sql, int n,
                          const char *const *values, const char *without_row,
                          void (*say)(const PGresult *r))
{
    struct db db;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);
    PGresult *r;

    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql, n, values);
    if (r == NULL) {
        code = db_failure(&db);
    } else if (PQntuples(r) == 0) {
        complain("%s '%s'", without_row, args->operands[0]);
        code = EXIT_REFUSED;
    } else if (!args_quiet(args)) {
        say(r);
    }
    PQclear(r);
    db_close(&db);
    return code;
}

const char hold_place_help[] =
    "Holds a payout that no bank was told of yet: it is not handed out until two operators release it, and\n"
    "the platform has its money back if two refuse it. The platform sees that it is held, and not why.\n"
    "PAYOUT is its instruction (UJ7-42) or its name (platforms/upwork/payouts/42). Whoever holds a payout\n"
    "with the reason OPERATOR is not one of the two who release it. A hold that nobody has decided of by\n"
    "its deadline is an alert (settle alerts).";

const struct option_row hold_place_options[] = {
    {"reason", "REASON", "OPERATOR, SCREENING, LIMIT, VELOCITY, NAME_MISMATCH or TRAVEL_RULE",
     false},
    {"detail", "TEXT", "what operators should know; nobody else sees it", false},
    {"evidence", "FILE", "JSON, at most 64 KiB, kept beside it", false},
    {"queue", "NAME", "whose to look at (default)", false},
    {"hours", "N", "by when, from now on (24)", false},
    {NULL, NULL, NULL, false},
};

static bool read_evidence(const char *path, struct buf *out)
{
    char part[4096];
    size_t n;
    FILE *file = fopen(path, "re");
    bool fine = file != NULL;

    while (fine && (n = fread(part, 1, sizeof part, file)) > 0)
        fine = !err_failed(buf_append(out, part, n));
    if (!fine || ferror(file) || err_failed(buf_append_char(out, '\0')))
        complain("%s: %s", path,
                 file == NULL || ferror(file) ? strerror(errno) : "it is more than 64 KiB");
    fine = fine && !ferror(file);
    if (file != NULL)
        fclose(file);
    return fine;
}

static void say_placed(const PGresult *r)
{
    printf("%s: %s, hold %s\n", PQgetvalue(r, 0, 0),
           PQgetvalue(r, 0, 2)[0] == 't' ? "it was held so already" : "it is held",
           PQgetvalue(r, 0, 1));
}

enum exit_code hold_place_run(const struct args *args)
{
    const char *reason = args_get(args, "reason"), *queue = args_get(args, "queue");
    const char *hours = args_get(args, "hours"), *path = args_get(args, "evidence");
    struct buf evidence;
    enum exit_code code;

    if (reason == NULL) {
        complain("--reason is required: OPERATOR, SCREENING, LIMIT, VELOCITY, NAME_MISMATCH or "
                 "TRAVEL_RULE");
        return EXIT_USAGE;
    }
    if (hours != NULL && !is_number("--hours", hours))
        return EXIT_USAGE;
    buf_init(&evidence, EVIDENCE_BYTES_MAX + 1);
    if (path != NULL && !read_evidence(path, &evidence)) {
        buf_deinit(&evidence);
        return EXIT_REFUSED;
    }
    code = act(
        args,
        SQL_WITH_KNOWN_PAYOUT
        "SELECT instruction_id(k.book_id, k.payout_id), h.hold_no, h.duplicate"
        "  FROM known k CROSS JOIN LATERAL place_hold(k.book_id, k.payout_id, $2, $3, $4::jsonb, $5,"
        "       clock_timestamp() + make_interval(hours => $6::integer)) h",
        6,
        (const char *const[]){args->operands[0], reason, args_get(args, "detail"),
                              path == NULL ? NULL : (const char *)buf_data(&evidence),
                              queue == NULL ? "default" : queue, hours == NULL ? "24" : hours},
        "there is no payout", say_placed);
    buf_deinit(&evidence);
    return code;
}

const char hold_approve_help[] =
    "Decides that a held payout may go out. The first operator's decision waits; a second operator, another\n"
    "person, who decides the same ends the hold, and the payout goes out with the next hand-out.\n" HELP_OPERATOR_CODE;

const char hold_refuse_help[] =
    "Decides that a held payout is not made. The first operator's decision waits; a second operator, another\n"
    "person, who decides the same ends the hold, and the platform's float has its money back.\n" HELP_OPERATOR_CODE;

const char hold_withdraw_help[] =
    "Takes back what you decided of a held payout, while nobody else has decided the same.\n" HELP_OPERATOR_CODE;

const struct option_row hold_decide_options[] = {
    {"note", "TEXT", "why, for operators and auditors (required)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

static void say_decided(const PGresult *r)
{
    const bool again = PQgetvalue(r, 0, 3)[0] == 't';

    if (PQgetvalue(r, 0, 2)[0] == 't')
        printf("%s: hold %s %s\n", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1),
               again ? "had ended so" : "has ended");
    else
        printf("%s: hold %s %s for a second operator\n", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1),
               again ? "still waits" : "waits");
}

#define SQL_LAST_HOLD                                                                              \
    SQL_WITH_KNOWN_PAYOUT                                                                          \
    ", hold AS (SELECT l.book_id, l.payout_id, l.hold_no FROM known"                               \
    "  JOIN payout_hold_last l USING (book_id, payout_id))"

/* What goes with every decision: why, and a code of whoever decides. Complains. */
static bool read_decision(const struct args *args, const char **note,
                          char shown[OPERATOR_CODE_SIZE])
{
    *note = args_get(args, "note");
    if (*note == NULL) {
        complain("--note is required");
        return false;
    }
    return operator_code_read(args, shown);
}

static enum exit_code decide(const struct args *args, const char *decision)
{
    const char *note;
    char shown[OPERATOR_CODE_SIZE];

    if (!read_decision(args, &note, shown))
        return EXIT_USAGE;
    return act(
        args,
        SQL_LAST_HOLD
        "SELECT instruction_id(h.book_id, h.payout_id), h.hold_no, d.done, d.duplicate"
        "  FROM hold h CROSS JOIN LATERAL decide_hold(h.book_id, h.payout_id, h.hold_no, $2, $3, $4) d",
        4, (const char *const[]){args->operands[0], decision, note, shown},
        "no such payout was ever held:", say_decided);
}

enum exit_code hold_approve_run(const struct args *args)
{
    return decide(args, "release");
}

enum exit_code hold_refuse_run(const struct args *args)
{
    return decide(args, "refuse");
}

static void say_withdrawn(const PGresult *r)
{
    printf("%s: what you decided of hold %s %s\n", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1),
           PQgetvalue(r, 0, 2)[0] == 't' ? "was taken back already" : "is taken back");
}

enum exit_code hold_withdraw_run(const struct args *args)
{
    const char *note;
    char shown[OPERATOR_CODE_SIZE];

    if (!read_decision(args, &note, shown))
        return EXIT_USAGE;
    return act(
        args,
        SQL_LAST_HOLD
        "SELECT instruction_id(h.book_id, h.payout_id), h.hold_no, d.duplicate"
        "  FROM hold h CROSS JOIN LATERAL withdraw_hold_decision(h.book_id, h.payout_id, h.hold_no, $2, $3) d",
        3, (const char *const[]){args->operands[0], note, shown},
        "no such payout was ever held:", say_withdrawn);
}
