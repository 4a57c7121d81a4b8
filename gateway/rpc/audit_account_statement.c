/* GetAccountStatement: an account's lines with the balance after each, page by page. */
#include "domain/ccy.h"
#include "gateway/rpc/audit_name.h"
#include "gateway/rpc/methods.h"
#include "gateway/wire/audit_messages.h"

struct statement {
    struct slice book, account; /* codes */
    int32_t page_size;
    struct slice page_token;
    int64_t after_us, upto_us;
    int64_t scope;   /* the account, for page tokens */
    int64_t opening; /* of this page */
    uint16_t ccy;
};

/* Columns of ledger/sql/audit_account_statement.sql. */
enum { COL_SEQ, COL_KIND, COL_AT, COL_MINOR, COL_BALANCE, COL_PAYOUT_ID };

static void on_lines(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct statement *s = call->state;
    int shown = rows_count(rows) > s->page_size ? s->page_size : rows_count(rows);
    struct wire_get_account_statement_response answer = {
        .present = true,
        .currency_code = slice_str(ccy_alpha(s->ccy)),
        .opening_minor_units = s->opening,
        .closing_minor_units = shown > 0 ? rows_int(rows, shown - 1, COL_BALANCE) : s->opening,
    };
    struct wire_statement_line *lines = rpc_alloc(call, (size_t)shown + 1, sizeof(*lines));
    if (lines == NULL)
        return;
    for (int i = 0; i < shown; i++) {
        lines[i] = (struct wire_statement_line){
            .present = true,
            .journal = audit_journal_name(call, s->book, rows_int(rows, i, COL_SEQ)),
            .kind = rows_text(rows, i, COL_KIND),
            .commit_time = wire_time_of(rows_time_us(rows, i, COL_AT)),
            .minor_units = rows_int(rows, i, COL_MINOR),
            .balance_minor_units = rows_int(rows, i, COL_BALANCE),
        };
        if (!rows_is_null(rows, i, COL_PAYOUT_ID))
            lines[i].payout = audit_payout_name(call, s->book, rows_int(rows, i, COL_PAYOUT_ID));
    }
    answer.lines.items = lines;
    answer.lines.n = (uint32_t)shown;
    if (rows_count(rows) > shown) { /* one more was asked for than is shown */
        struct rpc_token token = {'s', s->scope, rows_int(rows, shown - 1, COL_SEQ),
                                  answer.closing_minor_units};
        answer.next_page_token = rpc_token_encode(call, &token);
    }
    rpc_reply(call, &wire_get_account_statement_response_type, &answer);
}

static void on_account(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        rpc_refuse(call, REASON_ACCOUNT_NOT_FOUND, "account");
        return;
    }
    struct statement *s = call->state;
    int32_t book_id = (int32_t)rows_int(rows, 0, 0);
    int32_t account_id = (int32_t)rows_int(rows, 0, 1);
    s->scope = (int64_t)book_id << 32 | account_id;
    s->ccy = (uint16_t)rows_int(rows, 0, 2);
    struct rpc_token token = {.kind = 's', .scope = s->scope};
    if (!rpc_token_decode(s->page_token, &token)) {
        rpc_refuse(call, REASON_PAGE_TOKEN_INVALID, "page_token");
        return;
    }
    s->opening = s->page_token.len == 0 ? rows_int(rows, 0, 3) : token.b;
    struct params params;
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int4(&params, account_id);
    params_add_int8(&params, token.a);
    params_add_int4(&params, s->page_size + 1);
    params_add_time_us(&params, s->after_us);
    params_add_time_us(&params, s->upto_us);
    rpc_query(call, "audit_account_statement", &params, on_lines);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_account_statement_request *r = request;
    const char *field = "account";
    struct statement *s = rpc_alloc(call, 1, sizeof(*s));
    if (s == NULL)
        return;
    call->state = s;
    s->page_token = r->page_token;
    reason_t reason = audit_account_codes(r->account, &s->book, &s->account);
    if (reason == REASON_NONE) {
        field = "page_size";
        reason = rpc_page_size(r->page_size, &s->page_size);
    }
    if (reason == REASON_NONE)
        reason = audit_span(r->from_time, r->until_time, &s->after_us, &s->upto_us, &field);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, field);
        return;
    }
    struct params params;
    params_init(&params);
    params_add_text(&params, s->book);
    params_add_text(&params, s->account);
    params_add_time_us(&params, s->after_us);
    rpc_query(call, "audit_account", &params, on_account);
}

const struct rpc_method rpc_get_account_statement = {
    .path = "/ujrat.audit.v1.AuditService/GetAccountStatement",
    .roles = ROLE_AUDITOR,
    .request = &wire_get_account_statement_request_type,
    .handle = handle,
};
