/* ujrat policy list, diff, show, history: which rules are in force, and how they came to be. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/policy_rules.h"
#include "cli/report.h"
#include "cli/show.h"

#include <string.h>

/* ---------------------------------------------------------------- list */

const struct option_row policy_list_options[] = {
    {"all", NULL, "also those that were decided", false},
    {NULL, NULL, NULL, false},
};

static const char sql_list[] =
    "SELECT p.proposal_id, CASE WHEN d.approved THEN 'APPROVED' WHEN NOT d.approved THEN 'REFUSED'"
    "       WHEN p.effective_at <= clock_timestamp() THEN 'LAPSED' ELSE 'PROPOSED' END,"
    "       coalesce(policy_time_text(coalesce(v.effective_at, p.effective_at)), 'on approval'),"
    "       (SELECT count(*) FROM policy_change c WHERE c.proposal_id = p.proposal_id),"
    "       a.uri, policy_time_text(p.proposed_at), b.uri, policy_time_text(d.decided_at), v.policy_id,"
    "       p.reason, p.source, p.request_id"
    "  FROM policy_proposal p JOIN principal a ON a.principal_id = p.proposed_by"
    "  LEFT JOIN policy_decision d USING (proposal_id) LEFT JOIN principal b ON b.principal_id = d.decided_by"
    "  LEFT JOIN policy v USING (proposal_id)"
    " WHERE $1 = 'yes' OR d.proposal_id IS NULL ORDER BY p.proposal_id";

enum exit_code policy_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"proposal", REPORT_INT},    {"state", REPORT_TEXT},       {"in force from", REPORT_TEXT},
        {"changes", REPORT_INT},     {"proposed by", REPORT_TEXT}, {"proposed at", REPORT_TEXT},
        {"decided by", REPORT_TEXT}, {"decided at", REPORT_TEXT},  {"policy", REPORT_INT},
        {"reason", REPORT_TEXT},     {"source", REPORT_TEXT},      {"request id", REPORT_TEXT}};

    return show_query(args, sql_list, 1,
                      (const char *const[]){args_has(args, "all") ? "yes" : "no"}, columns,
                      sizeof columns / sizeof *columns);
}

/* ---------------------------------------------------------------- diff */

const char policy_diff_help[] =
    "Shows each rule that a proposal changes, as it would be without it and with it, when it begins.";

static const char sql_head[] =
    "SELECT coalesce(policy_time_text(coalesce(v.effective_at, p.effective_at)), 'when it is approved'),"
    "       a.uri, policy_time_text(p.proposed_at), p.reason, p.source, encode(p.source_sha256, 'hex')"
    "  FROM policy_proposal p JOIN principal a ON a.principal_id = p.proposed_by"
    "  LEFT JOIN policy v USING (proposal_id) WHERE p.proposal_id = $1";

static bool print_head(struct db *db, const char *proposal, bool json)
{
    PGresult *r = db_query(db, sql_head, 1, (const char *const[]){proposal});
    bool found = r != NULL && PQntuples(r) == 1;

    if (r != NULL && !found)
        complain("there is no proposal %s: ujrat policy list --all shows them", proposal);
    if (found && !json) {
        printf("Proposal %s, in force from %s\n", proposal, PQgetvalue(r, 0, 0));
        printf("Proposed by %s at %s\n", PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
        printf("Reason: %s\nSource: %s\n", PQgetvalue(r, 0, 3), PQgetvalue(r, 0, 4));
        if (!PQgetisnull(r, 0, 5))
            printf("SHA-256 of the source's copy: %s\n", PQgetvalue(r, 0, 5));
    }
    PQclear(r);
    return found;
}

enum exit_code policy_diff_run(const struct args *args)
{
    const char *proposal = args->operands[0];
    bool json = args_json(args);
    struct db db;
    enum exit_code code;

    if (!policy_is_proposal(proposal))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (!print_head(&db, proposal, json) || !policy_print_changes(&db, proposal, json))
        code = EXIT_REFUSED;
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- show */

const char policy_show_help[] =
    "Shows the rules in force, now or at a moment (--at; also of one to come), and the version that set\n"
    "each.";

const struct option_row policy_show_options[] = {
    {"at", "TIME", "at that moment, such as 2026-12-01T00:00:00+05:00 (default: now)", false},
    {"platform", "PLATFORM", "the rules of one platform only", false},
    {NULL, NULL, NULL, false},
};

static const char sql_show[] =
    "SELECT k.name, r.kind, r.scope, r.ccy, r.value, r.policy_id, policy_time_text(v.effective_at), v.source"
    "  FROM rules_in_force(coalesce($1::timestamptz, clock_timestamp())) r"
    "  JOIN policy_kind k USING (kind) JOIN policy_version v USING (policy_id)"
    " WHERE $2::text IS NULL OR (k.scope = 'platform' AND r.scope = $2)"
    " ORDER BY r.kind, r.scope, r.ccy";

static void add_rule(struct report *report, const PGresult *r, int i, bool json)
{
    char value[POLICY_TEXT_SIZE];
    const char *scope = PQgetvalue(r, i, 2);
    const char *cells[] = {PQgetvalue(r, i, 0),      scope[0] == '\0' ? NULL : scope,
                           policy_ccy_cell(r, i, 3), policy_cell(r, i, 1, 3, 4, json, value),
                           PQgetvalue(r, i, 5),      PQgetvalue(r, i, 6),
                           PQgetvalue(r, i, 7)};

    report_add(report, cells);
}

enum exit_code policy_show_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"rule", REPORT_TEXT},  {"of", REPORT_TEXT},    {"currency", REPORT_TEXT},
        {"value", REPORT_TEXT}, {"policy", REPORT_INT}, {"since", REPORT_TEXT},
        {"source", REPORT_TEXT}};
    const char *at = args_get(args, "at");
    const char *platform = args_get(args, "platform");
    struct report *report;
    struct db db;
    PGresult *r = NULL;
    enum exit_code code;

    if (!policy_is_time("at", at))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    if (platform == NULL || operator_find_book(&db, platform) != 0)
        r = db_query(&db, sql_show, 2, (const char *const[]){at, platform});
    if (r != NULL) {
        report_new(columns, sizeof columns / sizeof *columns, &report);
        for (int i = 0; i < PQntuples(r); i++)
            add_rule(report, r, i, args_json(args));
        report_print(report, args_json(args));
        report_free(&report);
        code = EXIT_DONE;
    }
    PQclear(r);
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- history */

const char policy_history_help[] =
    "Lists the versions of policy: who proposed and who approved each, when, why, and on what it rests.\n"
    "With --rule, each change of that rule instead, of whomever and in whatever currency.";

const struct option_row policy_history_options[] = {
    {"rule", "NAME", "margin_bps, fee_fixed ...: a line a change of it", false},
    {"platform", "PLATFORM", "with --rule: of that platform only", false},
    {NULL, NULL, NULL, false},
};

static const char sql_versions[] =
    "SELECT v.policy_id, policy_time_text(v.effective_at),"
    "       (SELECT count(*) FROM policy_change c WHERE c.proposal_id = v.proposal_id), v.proposal_id,"
    "       v.proposed_by, policy_time_text(v.proposed_at), v.approved_by, policy_time_text(v.approved_at),"
    "       v.reason, v.source, encode(v.source_sha256, 'hex'), nullif(v.note, '')"
    "  FROM policy_version v ORDER BY v.effective_at, v.policy_id";

static enum exit_code show_versions(const struct args *args)
{
    static const struct report_column columns[] = {
        {"policy", REPORT_INT},       {"in force from", REPORT_TEXT}, {"changes", REPORT_INT},
        {"proposal", REPORT_INT},     {"proposed by", REPORT_TEXT},   {"proposed at", REPORT_TEXT},
        {"approved by", REPORT_TEXT}, {"approved at", REPORT_TEXT},   {"reason", REPORT_TEXT},
        {"source", REPORT_TEXT},      {"source sha256", REPORT_TEXT}, {"note", REPORT_TEXT}};

    return show_query(args, sql_versions, 0, NULL, columns, sizeof columns / sizeof *columns);
}

static const char sql_changes[] =
    "SELECT v.policy_id, c.kind, c.scope, c.ccy, c.value, policy_time_text(v.effective_at),"
    "       v.proposed_by, v.approved_by, v.reason, v.source"
    "  FROM policy_version v JOIN policy_change c USING (proposal_id) JOIN policy_kind k USING (kind)"
    " WHERE k.name = $1 AND ($2::text IS NULL OR (k.scope = 'platform' AND c.scope = $2))"
    " ORDER BY v.effective_at, v.policy_id, c.scope, c.ccy";

static enum exit_code show_changes(const struct args *args, const char *rule)
{
    static const struct report_column columns[] = {
        {"policy", REPORT_INT},       {"in force from", REPORT_TEXT}, {"of", REPORT_TEXT},
        {"currency", REPORT_TEXT},    {"value", REPORT_TEXT},         {"proposed by", REPORT_TEXT},
        {"approved by", REPORT_TEXT}, {"reason", REPORT_TEXT},        {"source", REPORT_TEXT}};
    bool json = args_json(args);
    char value[POLICY_TEXT_SIZE];
    struct report *report;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql_changes, 2, (const char *const[]){rule, args_get(args, "platform")});
    if (r == NULL) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        const char *scope = PQgetvalue(r, i, 2);
        const char *cell = policy_cell(r, i, 1, 3, 4, json, value);

        report_add(report, (const char *const[]){
                               PQgetvalue(r, i, 0), PQgetvalue(r, i, 5),
                               scope[0] == '\0' ? NULL : scope, policy_ccy_cell(r, i, 3),
                               cell == NULL && !json ? "none" : cell, PQgetvalue(r, i, 6),
                               PQgetvalue(r, i, 7), PQgetvalue(r, i, 8), PQgetvalue(r, i, 9)});
    }
    report_print(report, json);
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return EXIT_DONE;
}

enum exit_code policy_history_run(const struct args *args)
{
    const char *rule = args_get(args, "rule");

    if (rule == NULL)
        return show_versions(args);
    if (policy_kind_by_name(slice_str(rule)) == NULL) {
        complain("--rule: there is no rule '%s'", rule);
        return EXIT_USAGE;
    }
    return show_changes(args, rule);
}
