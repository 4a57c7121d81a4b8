/* ListJournals. */
#include "gateway/rpc/audit_journals.h"

#include "domain/ccy.h"
#include "domain/journal.h"
#include "gateway/rpc/audit_name.h"
#include "gateway/rpc/methods.h"

enum {
    COL_SEQ,
    COL_KIND,
    COL_BLOCK_NO,
    COL_AT,
    COL_ACTOR,
    COL_PAYOUT_ID,
    COL_REVERSES_SEQ,
    COL_DESCRIPTION,
    COL_ACCOUNT,
    COL_CCY,
    COL_MINOR,
};

int audit_journal_from_rows(struct rpc_call *call, struct slice book, const struct rows *rows,
                            int row, int col, struct wire_journal *out)
{
    int64_t seq = rows_int(rows, row, col + COL_SEQ);
    *out = (struct wire_journal){
        .present = true,
        .name = audit_journal_name(call, book, seq),
        .kind = rows_text(rows, row, col + COL_KIND),
        .block_number = rows_int(rows, row, col + COL_BLOCK_NO),
        .commit_time = wire_time_of(rows_time_us(rows, row, col + COL_AT)),
        .actor = rows_text(rows, row, col + COL_ACTOR),
        .description = rows_text(rows, row, col + COL_DESCRIPTION),
    };
    if (!rows_is_null(rows, row, col + COL_PAYOUT_ID))
        out->payout = audit_payout_name(call, book, rows_int(rows, row, col + COL_PAYOUT_ID));
    if (!rows_is_null(rows, row, col + COL_REVERSES_SEQ))
        out->reverses = audit_journal_name(call, book, rows_int(rows, row, col + COL_REVERSES_SEQ));
    out->postings.items = rpc_alloc(call, JOURNAL_LINES_MAX, sizeof(*out->postings.items));
    if (out->postings.items == NULL)
        return -1;
    for (; row < rows_count(rows) && rows_int(rows, row, col + COL_SEQ) == seq; row++) {
        if (rows_is_null(rows, row, col + COL_ACCOUNT) || out->postings.n == JOURNAL_LINES_MAX)
            continue;
        out->postings.items[out->postings.n++] = (struct wire_posting){
            .present = true,
            .account = audit_account_name(call, book, rows_text(rows, row, col + COL_ACCOUNT)),
            .currency_code = slice_str(ccy_alpha((uint16_t)rows_int(rows, row, col + COL_CCY))),
            .minor_units = rows_int(rows, row, col + COL_MINOR),
        };
    }
    return row;
}

struct list {
    int32_t book_id;
    struct slice book;
    int32_t page_size;
};

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct list *list = call->state;
    struct wire_list_journals_response answer = {.present = true};
    answer.journals.items =
        rpc_alloc(call, (size_t)list->page_size, sizeof(*answer.journals.items));
    if (answer.journals.items == NULL)
        return;
    int row = 0;
    int64_t last_seq = 0;
    while (row < rows_count(rows) && answer.journals.n < (uint32_t)list->page_size) {
        last_seq = rows_int(rows, row, COL_SEQ);
        row = audit_journal_from_rows(call, list->book, rows, row, 0,
                                      &answer.journals.items[answer.journals.n++]);
        if (row < 0)
            return;
    }
    if (row < rows_count(rows)) { /* one more was asked for than is shown */
        struct rpc_token token = {'j', list->book_id, last_seq, 0};
        answer.next_page_token = rpc_token_encode(call, &token);
    }
    rpc_reply(call, &wire_list_journals_response_type, &answer);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_list_journals_request *r = request;
    int64_t after_us, upto_us;
    const char *field = "book";
    struct list *list = rpc_alloc(call, 1, sizeof(*list));
    if (list == NULL)
        return;
    call->state = list;
    reason_t reason = audit_book_id(call, r->book, &list->book_id);
    if (reason == REASON_NONE) {
        list->book = slice_of(r->book.p + sizeof("books/") - 1, r->book.len - sizeof("books/") + 1);
        field = "page_size";
        reason = rpc_page_size(r->page_size, &list->page_size);
    }
    if (reason == REASON_NONE)
        reason = audit_span(r->from_time, r->until_time, &after_us, &upto_us, &field);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, field);
        return;
    }
    struct rpc_token token = {.kind = 'j', .scope = list->book_id};
    if (!rpc_token_decode(r->page_token, &token)) {
        rpc_refuse(call, REASON_PAGE_TOKEN_INVALID, "page_token");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, list->book_id);
    params_add_int8(&params, token.a);
    params_add_int4(&params, list->page_size + 1);
    params_add_time_us(&params, after_us);
    params_add_time_us(&params, upto_us);
    rpc_query(call, "audit_journals", &params, on_page);
}

const struct rpc_method rpc_list_journals = {
    .path = "/ujrat.audit.v1.AuditService/ListJournals",
    .roles = ROLE_AUDITOR,
    .request = &wire_list_journals_request_type,
    .handle = handle,
};
