/*
 * GetTrialBalance: first a moment that is over is asked for, which waits for commits under way; what is read as
 * of it, or of an earlier one, is the same for ever.
 */
#include "domain/ccy.h"
#include "gateway/rpc/audit_name.h"
#include "gateway/rpc/methods.h"
#include "gateway/wire/audit_messages.h"

struct trial_balance {
    int32_t book_id; /* 0: all */
    bool as_of_given;
    int64_t as_of_us;
};

/* Columns of ledger/sql/audit_trial_balance.sql. */
enum { COL_BOOK, COL_ACCOUNT, COL_TYPE, COL_CCY, COL_BALANCE };

/* The total of the line's currency, made if it is the first. */
static struct wire_trial_balance_total *total_of(struct wire_trial_balance_total *totals,
                                                 uint32_t *n, struct slice currency_code)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (slice_equal(totals[i].currency_code, currency_code))
            return &totals[i];
    }
    totals[*n] = (struct wire_trial_balance_total){.present = true, .currency_code = currency_code};
    return &totals[(*n)++];
}

static bool add(int64_t *sum, int64_t minor)
{
    return !__builtin_add_overflow(*sum, minor, sum);
}

static void on_rows(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct trial_balance *t = call->state;
    struct wire_get_trial_balance_response answer = {.present = true,
                                                     .as_of = wire_time_of(t->as_of_us)};
    int n = rows_count(rows);
    struct wire_trial_balance_line *lines = rpc_alloc(call, (size_t)n + 1, sizeof(*lines));
    if (lines == NULL)
        return;
    struct wire_trial_balance_total *totals = rpc_alloc(call, CCY_COUNT_MAX, sizeof(*totals));
    if (totals == NULL)
        return;
    for (int i = 0; i < n; i++) {
        struct slice book = rows_text(rows, i, COL_BOOK);
        int64_t balance = rows_int(rows, i, COL_BALANCE);
        lines[i] = (struct wire_trial_balance_line){
            .present = true,
            .book = audit_book_name(call, book),
            .account = audit_account_name(call, book, rows_text(rows, i, COL_ACCOUNT)),
            .type = rows_text(rows, i, COL_TYPE),
            .currency_code = slice_str(ccy_alpha((uint16_t)rows_int(rows, i, COL_CCY))),
            .debit_minor_units = balance > 0 ? balance : 0,
            .credit_minor_units = balance < 0 ? -balance : 0,
        };
        struct wire_trial_balance_total *total =
            total_of(totals, &answer.totals.n, lines[i].currency_code);
        if (!add(&total->debit_minor_units, lines[i].debit_minor_units) ||
            !add(&total->credit_minor_units, lines[i].credit_minor_units)) {
            rpc_refuse(call, REASON_AMOUNT_OVERFLOW, NULL);
            return;
        }
    }
    answer.lines.items = lines;
    answer.lines.n = (uint32_t)n;
    answer.totals.items = totals;
    rpc_reply(call, &wire_get_trial_balance_response_type, &answer);
}

static void on_moment(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    struct trial_balance *t = call->state;
    int64_t moment_us = rows_time_us(rows, 0, 0);
    if (!t->as_of_given)
        t->as_of_us = moment_us;
    if (t->as_of_us > moment_us) {
        rpc_refuse(call, REASON_TIME_RANGE_INVALID, "as_of");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, t->book_id);
    params_add_time_us(&params, t->as_of_us);
    rpc_query(call, "audit_trial_balance", &params, on_rows);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_trial_balance_request *r = request;
    struct trial_balance *t = rpc_alloc(call, 1, sizeof(*t));
    if (t == NULL)
        return;
    call->state = t;
    reason_t reason = r->book.len == 0 ? REASON_NONE : audit_book_id(call, r->book, &t->book_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "book");
        return;
    }
    t->as_of_given = r->as_of.present;
    t->as_of_us = r->as_of.us;
    if (t->as_of_given && t->as_of_us == INT64_MIN) {
        rpc_refuse(call, REASON_TIME_RANGE_INVALID, "as_of");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, t->book_id);
    rpc_query(call, "audit_moment", &params, on_moment);
}

const struct rpc_method rpc_get_trial_balance = {
    .path = "/ujrat.audit.v1.AuditService/GetTrialBalance",
    .roles = ROLE_AUDITOR,
    .request = &wire_get_trial_balance_request_type,
    .handle = handle,
};
