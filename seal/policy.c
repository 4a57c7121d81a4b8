#include "seal/policy.h"

/* Columns of ledger/sql/seal_policy.sql: a row a change of a rule, by version and then as the record has them. */
enum {
    COL_ID,
    COL_EFFECTIVE_AT,
    COL_REASON,
    COL_SOURCE,
    COL_SOURCE_SHA256,
    COL_OPENING,
    COL_PROPOSED_BY,
    COL_PROPOSED_AT,
    COL_APPROVED_BY,
    COL_APPROVED_AT,
    COL_RULE,
    COL_SCOPE,
    COL_CURRENCY,
    COL_VALUE,
};

/* p NULL for SQL's NULL: an absent field. */
static struct slice cell(const struct rows *rows, int row, int col)
{
    return rows_is_null(rows, row, col) ? slice_of(NULL, 0) : rows_text(rows, row, col);
}

/* How many rows from `from` on are of its version. */
static int rows_of_version(const struct rows *rows, int from)
{
    int n = 0;
    while (from + n < rows_count(rows) &&
           rows_int(rows, from + n, COL_ID) == rows_int(rows, from, COL_ID))
        n++;
    return n;
}

static void record_change(struct seal_record *out, const struct rows *rows, int at, int n)
{
    seal_record_policy_change(out, &(struct seal_policy_change){
                                       .policy_id = rows_int(rows, at, COL_ID),
                                       .effective_at = rows_time_us(rows, at, COL_EFFECTIVE_AT),
                                       .reason = cell(rows, at, COL_REASON),
                                       .source = cell(rows, at, COL_SOURCE),
                                       .source_sha256 = cell(rows, at, COL_SOURCE_SHA256),
                                       .opening = rows_bool(rows, at, COL_OPENING),
                                       .proposed_by = cell(rows, at, COL_PROPOSED_BY),
                                       .proposed_at = rows_time_us(rows, at, COL_PROPOSED_AT),
                                       .approved_by = cell(rows, at, COL_APPROVED_BY),
                                       .approved_at = rows_time_us(rows, at, COL_APPROVED_AT),
                                       .n_changes = n,
                                   });
    for (int i = at; i < at + n; i++)
        seal_record_rule(
            out, &(struct seal_rule){
                     .rule = cell(rows, i, COL_RULE),
                     .scope = cell(rows, i, COL_SCOPE),
                     .currency = cell(rows, i, COL_CURRENCY),
                     .value = {!rows_is_null(rows, i, COL_VALUE),
                               rows_is_null(rows, i, COL_VALUE) ? 0 : rows_int(rows, i, COL_VALUE)},
                 });
}

bool seal_policy_record(struct seal_hasher *h, int64_t policy_id, const struct rows *rows,
                        struct seal_record *aside, struct seal_record *out)
{
    int64_t versions = 0;
    const int last = rows_count(rows) - 1;
    if (last < 0 || rows_int(rows, last, COL_ID) != policy_id)
        return false;
    for (int at = 0; at <= last; at += rows_of_version(rows, at))
        versions++;
    seal_record_policy(out, &(struct seal_policy){
                                policy_id, rows_time_us(rows, last, COL_EFFECTIVE_AT), versions});
    for (int at = 0, n; at <= last; at += n) {
        seal_hash_t digest;
        n = rows_of_version(rows, at);
        record_change(aside, rows, at, n);
        if (aside->failed) {
            out->failed = true;
            return true;
        }
        seal_hash(h, seal_record_bytes(aside), &digest);
        seal_record_policy_hash(out, &digest);
    }
    return true;
}
