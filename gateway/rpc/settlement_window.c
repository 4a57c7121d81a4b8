/* ListWindows, GetWindow, ReportWindow: a bank's settlement windows, and its own totals of them. */
#include "domain/ccy.h"
#include "gateway/rpc/methods.h"
#include "gateway/wire/settlement_messages.h"

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100 };

/* Columns of ledger/sql/settlement_windows.sql. */
enum {
    COL_WINDOW_NO,
    COL_STATE,
    COL_OPENED_AT,
    COL_CUTOFF_AT,
    COL_SETTLE_BY,
    COL_CCY,
    COL_INSTRUCTED_COUNT,
    COL_INSTRUCTED,
    COL_SETTLED_COUNT,
    COL_SETTLED,
    COL_REJECTED_COUNT,
    COL_REJECTED,
    COL_PENDING_COUNT,
    COL_PENDING,
    COL_RETURNED,
    COL_NET,
    COL_REASON,
};

struct list {
    int32_t page_size;
};

static int32_t state_of(struct slice name)
{
    static const char *const names[] = {NULL, "OPEN", "CLOSED", "SETTLED", "DISPUTED"};
    for (int32_t i = 1; i < (int32_t)(sizeof(names) / sizeof(names[0])); i++)
        if (slice_equal_str(name, names[i]))
            return i;
    return 0;
}

static void window_from_row(const struct rows *rows, int row, struct wire_window *out)
{
    *out = (struct wire_window){
        .present = true,
        .window_no = rows_int(rows, row, COL_WINDOW_NO),
        .state = state_of(rows_text(rows, row, COL_STATE)),
        .open_time = wire_time_of(rows_time_us(rows, row, COL_OPENED_AT)),
        .cutoff_time = wire_time_of(rows_time_us(rows, row, COL_CUTOFF_AT)),
        .currency_code = slice_str(ccy_alpha((uint16_t)rows_int(rows, row, COL_CCY))),
        .instructed_count = rows_int(rows, row, COL_INSTRUCTED_COUNT),
        .instructed_minor_units = rows_int(rows, row, COL_INSTRUCTED),
        .settled_count = rows_int(rows, row, COL_SETTLED_COUNT),
        .settled_minor_units = rows_int(rows, row, COL_SETTLED),
        .rejected_count = rows_int(rows, row, COL_REJECTED_COUNT),
        .rejected_minor_units = rows_int(rows, row, COL_REJECTED),
        .pending_count = rows_int(rows, row, COL_PENDING_COUNT),
        .pending_minor_units = rows_int(rows, row, COL_PENDING),
        .returned_minor_units = rows_int(rows, row, COL_RETURNED),
        .net_minor_units = rows_int(rows, row, COL_NET),
        .reason = rows_text(rows, row, COL_REASON),
    };
    if (!rows_is_null(rows, row, COL_SETTLE_BY))
        out->settle_by_time = wire_time_of(rows_time_us(rows, row, COL_SETTLE_BY));
}

static void ask_windows(struct rpc_call *call, int64_t upto, int32_t n, rpc_rows_fn *on_rows)
{
    struct params params;
    params_init(&params);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int8(&params, upto);
    params_add_int4(&params, n);
    rpc_query(call, "settlement_windows", &params, on_rows);
}

/* ---------------------------------------------------------------- ListWindows */

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct list *list = call->state;
    int n = rows_count(rows);
    int shown = n > list->page_size ? list->page_size : n;
    struct wire_list_windows_response answer = {.present = true};
    struct wire_window *windows = rpc_alloc(call, (size_t)shown + 1, sizeof(*windows));
    if (windows == NULL)
        return;
    for (int i = 0; i < shown; i++)
        window_from_row(rows, i, &windows[i]);
    answer.windows.items = windows;
    answer.windows.n = (uint32_t)shown;
    if (n > shown) { /* one more was asked for than is shown */
        struct rpc_token token = {'n', call->principal.bank_id,
                                  rows_int(rows, shown, COL_WINDOW_NO), 0};
        answer.next_page_token = rpc_token_encode(call, &token);
    }
    rpc_reply(call, &wire_list_windows_response_type, &answer);
}

static void handle_list(struct rpc_call *call, const void *request)
{
    const struct wire_list_windows_request *r = request;
    struct list *list = rpc_alloc(call, 1, sizeof(*list));
    if (list == NULL)
        return;
    call->state = list;
    if (r->page_size < 0 || r->page_size > PAGE_MAX) {
        rpc_refuse(call, REASON_PAGE_SIZE_INVALID, "page_size");
        return;
    }
    list->page_size = r->page_size == 0 ? PAGE_DEFAULT : r->page_size;
    struct rpc_token token = {.kind = 'n', .scope = call->principal.bank_id};
    if (!rpc_token_decode(r->page_token, &token)) {
        rpc_refuse(call, REASON_PAGE_TOKEN_INVALID, "page_token");
        return;
    }
    ask_windows(call, token.a == 0 ? INT64_MAX : token.a, list->page_size + 1, on_page);
}

/* ---------------------------------------------------------------- GetWindow */

struct one {
    int64_t window_no;
};

static void on_window(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const struct one *one = call->state;
    if (rows_count(rows) == 0 ||
        (one->window_no != 0 && rows_int(rows, 0, COL_WINDOW_NO) != one->window_no)) {
        rpc_refuse(call, REASON_WINDOW_NOT_FOUND, "window_no");
        return;
    }
    struct wire_window window;
    window_from_row(rows, 0, &window);
    rpc_reply(call, &wire_window_type, &window);
}

/* window_no 0: the open one, which is the newest. */
static struct one *remember(struct rpc_call *call, int64_t window_no)
{
    struct one *one = rpc_alloc(call, 1, sizeof(*one));
    if (one != NULL) {
        one->window_no = window_no;
        call->state = one;
    }
    return one;
}

static void handle_get(struct rpc_call *call, const void *request)
{
    const struct wire_get_window_request *r = request;
    if (remember(call, r->window_no) != NULL)
        ask_windows(call, r->window_no == 0 ? INT64_MAX : r->window_no, 1, on_window);
}

/* ---------------------------------------------------------------- ReportWindow */

static void on_reported(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    (void)rows;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason,
                           reason == REASON_WINDOW_NOT_FOUND    ? "window_no"
                           : reason == REASON_CURRENCY_MISMATCH ? "currency_code"
                                                                : NULL);
        return;
    }
    const struct one *one = call->state;
    ask_windows(call, one->window_no, 1, on_window);
}

static struct refusal check_report(const struct wire_report_window_request *r)
{
    const struct {
        int64_t value;
        const char *field;
    } totals[] = {{r->settled_count, "settled_count"},
                  {r->settled_minor_units, "settled_minor_units"},
                  {r->rejected_count, "rejected_count"},
                  {r->rejected_minor_units, "rejected_minor_units"}};
    if (r->window_no == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "window_no"};
    if (r->currency_code.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "currency_code"};
    if (ccy_by_alpha(r->currency_code) == NULL)
        return (struct refusal){REASON_CURRENCY_UNKNOWN, "currency_code"};
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
        if (totals[i].value < 0)
            return (struct refusal){REASON_AMOUNT_NEGATIVE, totals[i].field};
    return (struct refusal){REASON_NONE, NULL};
}

static void handle_report(struct rpc_call *call, const void *request)
{
    const struct wire_report_window_request *r = request;
    struct refusal no = check_report(r);
    if (no.reason != REASON_NONE) {
        rpc_refuse(call, no.reason, no.field);
        return;
    }
    if (remember(call, r->window_no) == NULL)
        return;
    struct params params;
    params_init(&params);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int8(&params, r->window_no);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int2(&params, (int16_t)ccy_by_alpha(r->currency_code)->number);
    params_add_int8(&params, r->settled_count);
    params_add_int8(&params, r->settled_minor_units);
    params_add_int8(&params, r->rejected_count);
    params_add_int8(&params, r->rejected_minor_units);
    rpc_query(call, "settlement_report", &params, on_reported);
}

const struct rpc_method rpc_list_windows = {
    .path = "/ujrat.settlement.v1.SettlementService/ListWindows",
    .roles = ROLE_BANK,
    .request = &wire_list_windows_request_type,
    .handle = handle_list,
};

const struct rpc_method rpc_get_window = {
    .path = "/ujrat.settlement.v1.SettlementService/GetWindow",
    .roles = ROLE_BANK,
    .request = &wire_get_window_request_type,
    .handle = handle_get,
};

const struct rpc_method rpc_report_window = {
    .path = "/ujrat.settlement.v1.SettlementService/ReportWindow",
    .roles = ROLE_BANK,
    .request = &wire_report_window_request_type,
    .handle = handle_report,
};
