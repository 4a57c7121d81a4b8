#include "cli/policy_rules.h"

#include "base/timefmt.h"
#include "cli/report.h"
#include "domain/ccy.h"

#include <stdio.h>

const char *policy_cell(const PGresult *r, int row, int kind_col, int ccy_col, int value_col,
                        bool json, char out[POLICY_TEXT_SIZE])
{
    enum policy_kind kind = (enum policy_kind)db_int(r, row, kind_col);
    const struct policy_kind_info *info = policy_kind_info((int32_t)kind);
    uint16_t ccy = (uint16_t)db_int(r, row, ccy_col);
    int64_t value = db_int(r, row, value_col);

    if (PQgetisnull(r, row, value_col))
        return NULL;
    if (info == NULL) /* of a newer schema */
        return PQgetvalue(r, row, value_col);
    if (!json)
        return policy_value_format(kind, ccy, value, out);
    if (info->unit == POLICY_UNIT_MINOR)
        return money_format(money_of(value, ccy), MONEY_PLAIN, out);
    (void)str_format_int64(value, out);
    return out;
}

const char *policy_ccy_cell(const PGresult *r, int row, int col)
{
    uint16_t ccy = (uint16_t)db_int(r, row, col);

    return ccy == 0 ? NULL : ccy_alpha(ccy);
}

bool policy_is_time(const char *option, const char *text)
{
    int64_t us;

    if (text == NULL || !err_failed(timefmt_parse_rfc3339(slice_str(text), &us)))
        return true;
    complain("--%s: a time with its offset is wanted, such as 2026-12-01T00:00:00+05:00, not '%s'",
             option, text);
    return false;
}

bool policy_is_proposal(const char *text)
{
    int64_t number;

    if (!err_failed(str_parse_int64(slice_str(text), &number)) && number > 0 && number <= INT32_MAX)
        return true;
    complain("'%s' is no proposal's number: ujrat policy list shows them", text);
    return false;
}

/* Before: by the versions that come before it, for as long as it is not decided as if it were the last of its instant. */
static const char sql_changes[] =
    "SELECT k.name, c.kind, c.scope, c.ccy, before.value, c.value"
    "  FROM policy_proposal p JOIN policy_change c USING (proposal_id) JOIN policy_kind k USING (kind)"
    "  LEFT JOIN policy v USING (proposal_id)"
    "  LEFT JOIN LATERAL (SELECT o.value FROM policy_change o JOIN policy y USING (proposal_id)"
    "       WHERE (o.kind, o.scope, o.ccy) = (c.kind, c.scope, c.ccy)"
    "         AND (y.effective_at, y.policy_id) < (coalesce(v.effective_at, p.effective_at, clock_timestamp()),"
    "                                              coalesce(v.policy_id, 2147483647))"
    "       ORDER BY y.effective_at DESC, y.policy_id DESC LIMIT 1) before ON true"
    " WHERE p.proposal_id = $1 ORDER BY c.kind, c.scope, c.ccy";

bool policy_print_changes(struct db *db, const char *proposal, bool json)
{
    static const struct report_column columns[] = {{"rule", REPORT_TEXT},
                                                   {"of", REPORT_TEXT},
                                                   {"currency", REPORT_TEXT},
                                                   {"before", REPORT_TEXT},
                                                   {"after", REPORT_TEXT}};
    PGresult *r = db_query(db, sql_changes, 1, (const char *const[]){proposal});
    struct report *report;
    char before[POLICY_TEXT_SIZE];
    char after[POLICY_TEXT_SIZE];

    if (r == NULL)
        return false;
    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        const char *cells[] = {PQgetvalue(r, i, 0), PQgetvalue(r, i, 2), policy_ccy_cell(r, i, 3),
                               policy_cell(r, i, 1, 3, 4, json, before),
                               policy_cell(r, i, 1, 3, 5, json, after)};

        if (cells[1][0] == '\0')
            cells[1] = NULL;
        if (!json && cells[3] == NULL)
            cells[3] = "none";
        if (!json && cells[4] == NULL)
            cells[4] = "none";
        report_add(report, cells);
    }
    report_print(report, json);
    report_free(&report);
    PQclear(r);
    return true;
}
