/* GET /v1/payments/payouts/{id}, and ?sender_batch_id= or ?request_id= for who has lost the id. */
#include "domain/payout_state.h"
#include "gateway/rest/item_out.h"
#include "gateway/rest/routes.h"
#include "gateway/rest/sandbox.h"

/*
 * The batch → what its items come to → when the last thing happened (if it is over) → a page of items. Each is a question
 * of its own; what they say may differ by what happened in between, never by more.
 */
enum { PAGE_SIZE_MAX = 1000 };

struct get {
    int64_t batch_id;
    bool header, items; /* wanted: the parameter fields */
    bool total_required;
    int64_t page, page_size;

    struct item_frame frame;
    struct slice email_subject, email_message;
    int64_t n, amount, fees, created_us, completed_us;
    uint16_t ccy;
    int64_t refused, cancelled, open; /* items in such states */
    const char *status;
};

/* Columns of batch_get.sql and batch_totals.sql. */
enum batch_column {
    BATCH_ID,
    BATCH_SENDER_BATCH_ID,
    BATCH_REQUEST_ID,
    BATCH_FINGERPRINT,
    BATCH_CREDENTIAL_ID,
    BATCH_EMAIL_SUBJECT,
    BATCH_EMAIL_MESSAGE,
    BATCH_ITEMS,
    BATCH_CCY,
    BATCH_AMOUNT,
    BATCH_CREATED_AT,
};
enum total_column { TOTAL_STATE, TOTAL_DST_CCY, TOTAL_ITEMS, TOTAL_GROSS, TOTAL_FEE, TOTAL_NET };

static void refuse_id(struct rpc_call *call)
{
    rest_refuse(call, &(struct rest_error){.status = 404,
                                           .name = "INVALID_RESOURCE_ID",
                                           .message = "There is no batch of this id."});
}

/* ---------------------------------------------------------------- the answer */

static void write_header(struct json_out *json, const struct get *g)
{
    char id[REST_ID_SIZE];
    json_out_key(json, "batch_header");
    json_out_object(json);
    json_out_field_str(json, "payout_batch_id", rest_id_write(g->batch_id, 0, id));
    json_out_field_str(json, "batch_status", g->status);
    json_out_field_time(json, "time_created", g->created_us);
    if (g->completed_us != 0)
        json_out_field_time(json, "time_completed", g->completed_us);
    json_out_key(json, "sender_batch_header");
    json_out_object(json);
    json_out_field_if(json, "sender_batch_id", g->frame.sender_batch_id);
    json_out_field_if(json, "email_subject", g->email_subject);
    json_out_field_if(json, "email_message", g->email_message);
    json_out_object_end(json);
    json_out_field_str(json, "funding_source", "BALANCE");
    json_out_field_money(json, "amount", g->amount, g->ccy);
    json_out_field_money(json, "fees", g->fees, g->ccy);
    json_out_object_end(json);
}

static void write_page_link(struct rpc_call *call, struct json_out *json, const struct get *g,
                            const char *rel, int64_t page)
{
    char id[REST_ID_SIZE];
    rest_link_write(
        json, &(struct rest_link){
                  rel, "GET",
                  rest_href(call, "/v1/payments/payouts/%s?page_size=%lld&page=%lld%s",
                            rest_id_write(g->batch_id, 0, id), (long long)g->page_size,
                            (long long)page, g->total_required ? "&total_required=true" : "")});
}

static void write_links(struct rpc_call *call, struct json_out *json, const struct get *g)
{
    char id[REST_ID_SIZE];
    const int64_t pages = (g->n + g->page_size - 1) / g->page_size;
    json_out_key(json, "links");
    json_out_array(json);
    rest_link_write(json, &(struct rest_link){"self", "GET",
                                              rest_href(call, "/v1/payments/payouts/%s",
                                                        rest_id_write(g->batch_id, 0, id))});
    if (g->items && g->page < pages) {
        write_page_link(call, json, g, "next", g->page + 1);
        write_page_link(call, json, g, "last", pages);
    }
    if (g->items && g->page > 1 && g->page <= pages) {
        write_page_link(call, json, g, "first", 1);
        write_page_link(call, json, g, "prev", g->page - 1);
    }
    json_out_array_end(json);
}

/* rows NULL: no items are wanted. */
static void answer(struct rpc_call *call, const struct rows *rows)
{
    struct get *g = call->state;
    struct item_frame frame = g->frame;
    struct json_out json = rest_json(call);
    frame.sender_batch_id = SLICE(""); /* it is in the header */
    json_out_object(&json);
    if (g->total_required) {
        json_out_field_int(&json, "total_items", g->n);
        json_out_field_int(&json, "total_pages", (g->n + g->page_size - 1) / g->page_size);
    }
    if (g->header)
        write_header(&json, g);
    if (g->items) {
        json_out_key(&json, "items");
        json_out_array(&json);
        for (int row = 0; rows != NULL && row < rows_count(rows); row++)
            item_write(call, &json, &frame, rows, row);
        json_out_array_end(&json);
    }
    write_links(call, &json, g);
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

/* ---------------------------------------------------------------- the questions */

static void on_items(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else
        answer(call, rows);
}

static void ask_items(struct rpc_call *call)
{
    const struct get *g = call->state;
    if (!g->items || (g->page - 1) * g->page_size >= g->n) {
        answer(call, NULL);
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, g->batch_id);
    params_add_int4(&params, (int32_t)((g->page - 1) * g->page_size));
    params_add_int4(&params, (int32_t)g->page_size);
    rpc_query(call, "batch_items", &params, on_items);
    params_deinit(&params);
}

static void on_completed(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    struct get *g = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 1)
        g->completed_us = rows_time_us(rows, 0, 0);
    ask_items(call);
}

static void ask_about_batch(struct rpc_call *call, const char *statement, rpc_rows_fn *on_rows)
{
    const struct get *g = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, g->batch_id);
    rpc_query(call, statement, &params, on_rows);
    params_deinit(&params);
}

static bool is_open(int64_t state)
{
    return state == PAYOUT_STATE_ACCEPTED || state == PAYOUT_STATE_INSTRUCTED ||
           state == PAYOUT_STATE_HELD;
}

static const char *status_of(const struct get *g)
{
    if (g->open > 0)
        return "PROCESSING";
    if (g->refused == g->n)
        return "DENIED";
    return g->cancelled == g->n ? "CANCELED" : "SUCCESS";
}

static void on_totals(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    struct get *g = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    for (int row = 0; row < rows_count(rows); row++) {
        const int64_t state = rows_int(rows, row, TOTAL_STATE);
        const int64_t items = rows_int(rows, row, TOTAL_ITEMS);
        g->open += is_open(state) ? items : 0;
        g->refused += state == BATCH_ITEM_REFUSED ? items : 0;
        g->cancelled +=
            state == PAYOUT_STATE_CANCELLED || state == BATCH_ITEM_CANCELLED ? items : 0;
        g->fees += rows_int(rows, row, TOTAL_FEE);
    }
    g->status = status_of(g);
    if (g->open > 0)
        ask_items(call);
    else
        ask_about_batch(call, "batch_completed", on_completed);
}

static bool keep(struct rpc_call *call, struct slice text, struct slice *out)
{
    return arena_slice_dup(&call->arena, text, out);
}

static void on_batch(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    struct get *g = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        refuse_id(call);
        return;
    }
    g->batch_id = rows_int(rows, 0, BATCH_ID);
    g->n = rows_int(rows, 0, BATCH_ITEMS);
    g->ccy = (uint16_t)rows_int(rows, 0, BATCH_CCY);
    g->amount = rows_int(rows, 0, BATCH_AMOUNT);
    g->created_us = rows_time_us(rows, 0, BATCH_CREATED_AT);
    g->frame.batch_id = g->batch_id;
    item_frame_stem(&g->frame, rows_text(rows, 0, BATCH_SENDER_BATCH_ID),
                    rows_text(rows, 0, BATCH_REQUEST_ID));
    if (!keep(call, rows_text(rows, 0, BATCH_SENDER_BATCH_ID), &g->frame.sender_batch_id) ||
        !keep(call, rows_text(rows, 0, BATCH_EMAIL_SUBJECT), &g->email_subject) ||
        !keep(call, rows_text(rows, 0, BATCH_EMAIL_MESSAGE), &g->email_message)) {
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
        return;
    }
    if (g->header)
        ask_about_batch(call, "batch_totals", on_totals);
    else
        ask_items(call);
}

/* ---------------------------------------------------------------- the request */

static bool refuse_parameter(struct rpc_call *call, const char *name, const char *issue)
{
    const struct rest_detail detail = {name, issue, "query"};
    rest_refuse(call, &(struct rest_error){.status = 400,
                                           .name = "VALIDATION_ERROR",
                                           .message = "Invalid request: see details.",
                                           .details = &detail,
                                           .n_details = 1});
    return false;
}

static bool take_number(struct rpc_call *call, const char *name, int64_t *value)
{
    struct slice text;
    return !rest_query(call, name, &text) || text.len == 0 ||
           (!err_failed(str_parse_int64(text, value)) && *value >= 1 && *value <= PAGE_SIZE_MAX) ||
           refuse_parameter(call, name, "Must be a number from 1 to 1000.");
}

/* "batch_header", "items", "items(transaction_status)": whole blocks are left out, never parts of them. */
static void take_fields(struct rpc_call *call, struct get *g)
{
    struct slice rest, one;
    g->header = true;
    g->items = true;
    if (!rest_query(call, "fields", &rest) || rest.len == 0)
        return;
    bool header = false, items = false, more;
    do {
        more = slice_cut(rest, ',', &one, &rest);
        one = slice_trim(one);
        header = header || slice_starts_with(one, SLICE("batch_header"));
        items = items || slice_starts_with(one, SLICE("items"));
    } while (more);
    if (!header && !items)
        return; /* nothing we know: as if it had not come */
    g->header = header;
    g->items = items;
}

static struct get *take_request(struct rpc_call *call)
{
    struct slice text;
    struct get *g = rpc_alloc(call, 1, sizeof(*g));
    if (g == NULL)
        return NULL;
    call->state = g;
    g->page = 1;
    g->page_size = PAGE_SIZE_MAX;
    take_fields(call, g);
    g->total_required = rest_query(call, "total_required", &text) && slice_equal_str(text, "true");
    return take_number(call, "page", &g->page) && take_number(call, "page_size", &g->page_size)
               ? g
               : NULL;
}

static void handle_get(struct rpc_call *call, struct rest_request *request)
{
    int32_t item_no;
    if (sandbox_get_batch(call, request->param[0]))
        return;
    struct get *g = take_request(call);
    if (g == NULL)
        return;
    if (!rest_id_read(request->param[0], &g->batch_id, &item_no) || item_no != 0)
        refuse_id(call);
    else
        ask_about_batch(call, "batch_get", on_batch);
}

static void handle_find(struct rpc_call *call, struct rest_request *request)
{
    struct slice name;
    const char *statement = "batch_get_by_sender";
    (void)request;
    bool given = rest_query(call, "sender_batch_id", &name) && name.len > 0;
    if (!given) {
        given = rest_query(call, "request_id", &name) && name.len > 0;
        statement = "batch_get_by_request";
    }
    if (!given) {
        (void)refuse_parameter(call, "sender_batch_id", "Required: there is no list of batches.");
        return;
    }
    if (take_request(call) == NULL)
        return;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, name);
    rpc_query(call, statement, &params, on_batch);
    params_deinit(&params);
}

const struct rest_route rest_get_batch = {
    .method = HTTP_GET,
    .rpc = {.path = "/v1/payments/payouts/{id}", .roles = ROLE_PLATFORM},
    .handle = handle_get,
};

const struct rest_route rest_find_batch = {
    .method = HTTP_GET,
    .rpc = {.path = "/v1/payments/payouts", .roles = ROLE_PLATFORM},
    .handle = handle_find,
};
