#include "audit/policy_rows.h"

#include "base/hex.h"

#define SQL_US(column) "(extract(epoch FROM " column ") * 1000000)::bigint"

enum column {
    ID,
    EFFECTIVE_AT,
    REASON,
    SOURCE,
    SOURCE_SHA256,
    OPENING,
    PROPOSED_BY,
    PROPOSED_AT,
    APPROVED_BY,
    APPROVED_AT,
    RULE,
    SCOPE,
    CURRENCY,
    VALUE,
};

bool policy_rows_load(struct db *db, struct policy_rows *out)
{
    *out = (struct policy_rows){
        .rows = db_query(
            db,
            "SELECT v.policy_id, " SQL_US(
                "v.effective_at") ", p.reason, p.source,"
                                  "       encode(p.source_sha256, 'hex'), p.opening::integer, pp.uri, " SQL_US(
                                      "p.proposed_at") ","
                                                       "       dp.uri, " SQL_US(
                                                           "d.decided_at") ", k.name, c.scope, y.code, c.value"
                                                                           "  FROM policy v JOIN policy_proposal p USING (proposal_id)"
                                                                           "  JOIN policy_decision d USING (proposal_id)"
                                                                           "  JOIN policy_change c USING (proposal_id) JOIN policy_kind k USING (kind)"
                                                                           "  JOIN principal pp ON pp.principal_id = p.proposed_by"
                                                                           "  JOIN principal dp ON dp.principal_id = d.decided_by"
                                                                           "  LEFT JOIN currency y ON y.ccy = c.ccy"
                                                                           " ORDER BY v.effective_at, v.policy_id, c.kind, c.scope COLLATE \"C\", c.ccy",
            0, NULL)};
    return out->rows != NULL;
}

void policy_rows_free(struct policy_rows *r)
{
    PQclear(r->rows);
    *r = (struct policy_rows){0};
}

static struct slice text(const struct policy_rows *r, int row, enum column c)
{
    if (PQgetisnull(r->rows, row, (int)c))
        return slice_of(NULL, 0);
    return slice_of(PQgetvalue(r->rows, row, (int)c), (size_t)PQgetlength(r->rows, row, (int)c));
}

static int64_t number(const struct policy_rows *r, int row, enum column c)
{
    return db_int(r->rows, row, (int)c);
}

int policy_rows_next(struct policy_rows *r, struct record_policy_change *out)
{
    const int n = PQntuples(r->rows), first = r->at;
    struct slice hash = first < n ? text(r, first, SOURCE_SHA256) : slice_of(NULL, 0);
    size_t len = 0;

    if (first >= n)
        return 0;
    out->policy_id = number(r, first, ID);
    out->effective_at_us = number(r, first, EFFECTIVE_AT);
    out->reason = text(r, first, REASON);
    out->source = text(r, first, SOURCE);
    out->source_sha256 = slice_of(NULL, 0);
    if (hash.p != NULL) {
        if (err_failed(hex_decode(hash, r->source_sha256, sizeof r->source_sha256, &len)))
            return -1;
        out->source_sha256 = slice_of(r->source_sha256, len);
    }
    out->opening = number(r, first, OPENING);
    out->proposed_by = text(r, first, PROPOSED_BY);
    out->proposed_at_us = number(r, first, PROPOSED_AT);
    out->approved_by = text(r, first, APPROVED_BY);
    out->approved_at_us = number(r, first, APPROVED_AT);
    out->n_changes = 0;
    for (; r->at < n && number(r, r->at, ID) == out->policy_id; r->at++) {
        if (out->n_changes == RECORD_CHANGES_MAX)
            return -1;
        out->changes[out->n_changes++] =
            (struct record_rule){text(r, r->at, RULE),
                                 text(r, r->at, SCOPE),
                                 text(r, r->at, CURRENCY),
                                 {!PQgetisnull(r->rows, r->at, VALUE), number(r, r->at, VALUE)}};
    }
    return 1;
}
