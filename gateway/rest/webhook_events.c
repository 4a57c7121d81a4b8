/* /v1/notifications/webhooks-events: what was told, told again, and tried out; each event shows how far its deliveries are. */
#include <stdio.h>
#include <string.h>

#include "base/timefmt.h"
#include "gateway/rest/ids.h"
#include "gateway/rest/webhook_event.h"
#include "gateway/rest/webhook_in.h"
#include "hook/event_id.h"

enum {
    PAGE_SIZE = 10,
    PAGE_SIZE_MAX = 300,
    RANGE_MAX = 100000,
    IDS_SIZE = 16 * (WEBHOOK_ID_LEN + 1)
};

/* Columns of webhook_deliveries.sql. */
enum { D_WEBHOOK, D_STATE, D_ATTEMPTS, D_NEXT_AT, D_LAST_AT, D_LAST_STATUS, D_LAST_ERROR };

/* Of which events a page is wanted; empty or 0: of all. item_no 0: all of the batch. */
struct filter {
    int64_t page_size, before;
    int64_t start_us, end_us;
    struct slice type;
    int64_t batch_id;
    int32_t item_no;
};

struct events {
    int64_t first, last; /* of one event: the same */
    bool range;          /* events are told again, not one */
    bool accepted;       /* the answer is 202 */
    struct filter filter;
    struct slice members; /* of the event's object, until its deliveries are known */
};

/* ---------------------------------------------------------------- one event */

static void write_deliveries(struct json_out *json, const struct rows *rows)
{
    json_out_key(json, "deliveries");
    json_out_array(json);
    for (int row = 0; row < rows_count(rows); row++) {
        bool waits = slice_equal_str(rows_text(rows, row, D_STATE), "PENDING");
        json_out_object(json);
        json_out_field(json, "webhook_id", rows_text(rows, row, D_WEBHOOK));
        json_out_field(json, "state", rows_text(rows, row, D_STATE));
        json_out_field_int(json, "attempts", rows_int(rows, row, D_ATTEMPTS));
        if (waits && rows_time_us(rows, row, D_NEXT_AT) != INT64_MAX)
            json_out_field_time(json, "next_attempt_time", rows_time_us(rows, row, D_NEXT_AT));
        if (!rows_is_null(rows, row, D_LAST_AT))
            json_out_field_time(json, "last_attempt_time", rows_time_us(rows, row, D_LAST_AT));
        if (!rows_is_null(rows, row, D_LAST_STATUS))
            json_out_field_int(json, "last_http_status", rows_int(rows, row, D_LAST_STATUS));
        json_out_field_if(json, "last_error", rows_text(rows, row, D_LAST_ERROR));
        json_out_object_end(json);
    }
    json_out_array_end(json);
}

static void on_deliveries(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                          const struct rows *rows)
{
    const struct events *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_raw(&json, e->members);
    write_deliveries(&json, rows);
    json_out_object_end(&json);
    rest_reply(call, e->accepted ? 202 : 200, &json);
}

static void ask_event(struct rpc_call *call, const char *statement, rpc_rows_fn *on_rows)
{
    const struct events *e = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, e->first);
    rpc_query(call, statement, &params, on_rows);
    params_deinit(&params);
}

/* Then its deliveries. */
static void on_event(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    struct events *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_count(rows) == 0) {
        webhook_refuse_id(call);
        return;
    }
    struct json_out json = rest_json(call);
    json_out_object(&json);
    webhook_event_write(&json, rows, 0, rest_request_of(call)->base_url);
    json_out_object_end(&json);
    struct slice text = buf_slice(json.buf);
    if (json.failed ||
        !arena_slice_dup(&call->arena, slice_of(text.p + 1, text.len - 2), &e->members))
        rpc_refuse(call, REASON_INTERNAL, NULL);
    else
        ask_event(call, "webhook_deliveries", on_deliveries);
}

/* The event of the path; NULL: there is none of ours, and the call is over. */
static struct events *begin(struct rpc_call *call, const struct rest_request *request)
{
    struct events *e = rpc_alloc(call, 1, sizeof *e);
    int32_t book_id;
    if (e == NULL)
        return NULL;
    call->state = e;
    if (hook_event_id_read(request->param[0], &book_id, &e->first) &&
        book_id == call->principal.book_id) {
        e->last = e->first;
        return e;
    }
    webhook_refuse_id(call);
    return NULL;
}

static void get_one(struct rpc_call *call, struct rest_request *request)
{
    if (begin(call, request) != NULL)
        ask_event(call, "webhook_event_get", on_event);
}

/* ---------------------------------------------------------------- again */

static void on_resent(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    const struct events *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (!e->range) {
        ask_event(call, "webhook_event_get", on_event);
        return;
    }
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_field_int(&json, "deliveries", rows_int(rows, 0, 0));
    json_out_object_end(&json);
    rest_reply(call, 202, &json);
}

static void ask_resend(struct rpc_call *call, struct slice ids)
{
    const struct events *e = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text_or_null(&params, ids);
    params_add_int8(&params, e->first);
    params_add_int8(&params, e->last);
    rpc_query(call, "webhook_resend", &params, on_resent);
    params_deinit(&params);
}

/* webhook_ids, as one text with commas between; without them it is empty, for all. */
static struct slice take_ids(struct rpc_call *call, struct rest_faults *faults, const json_t *root)
{
    const json_t *array = json_in_array(faults, root, "", "webhook_ids", false);
    char *text = rpc_alloc(call, IDS_SIZE, 1);
    size_t len = 0, index;
    json_t *one;
    if (text == NULL)
        return SLICE("");
    json_array_foreach(array, index, one)
    {
        if (index >= 10 || json_string_length(one) != WEBHOOK_ID_LEN ||
            strchr(json_string_value(one), ',') != NULL) {
            rest_fault(faults, "", "webhook_ids", "These are not ids of webhooks.");
            break;
        }
        len += (size_t)snprintf(text + len, IDS_SIZE - len, "%s%s", len == 0 ? "" : ",",
                                json_string_value(one));
    }
    return slice_of(text, len);
}

static void resend(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct slice ids = SLICE("");
    struct events *e = begin(call, request);
    if (e == NULL)
        return;
    e->accepted = true;
    if (request->body.len > 0) {
        json_t *root = webhook_body(call, request);
        if (root == NULL)
            return;
        ids = take_ids(call, &faults, root);
        json_decref(root);
    }
    if (faults.n > 0)
        webhook_refuse_faults(call, &faults);
    else
        ask_resend(call, ids);
}

/* Ours: {"first": id, "last": id, "webhook_ids": [...]}. */
static void resend_range(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct events *e = rpc_alloc(call, 1, sizeof *e);
    int32_t first_book = 0, last_book = 0;
    call->state = e;
    json_t *root = e == NULL ? NULL : webhook_body(call, request);
    if (root == NULL)
        return;
    struct slice first = json_in_text(&faults, root, "", "first", true, HOOK_EVENT_ID_SIZE);
    struct slice last = json_in_text(&faults, root, "", "last", true, HOOK_EVENT_ID_SIZE);
    struct slice ids = take_ids(call, &faults, root);
    if (first.len > 0 && (!hook_event_id_read(first, &first_book, &e->first) ||
                          first_book != call->principal.book_id))
        rest_fault(&faults, "", "first", "There is no event of this id.");
    if (last.len > 0 &&
        (!hook_event_id_read(last, &last_book, &e->last) || last_book != call->principal.book_id))
        rest_fault(&faults, "", "last", "There is no event of this id.");
    else if (e->last < e->first || e->last - e->first >= RANGE_MAX)
        rest_fault(&faults, "", "last", "It is the first, or one of the 99,999 behind it.");
    json_decref(root);
    e->range = true;
    if (faults.n > 0)
        webhook_refuse_faults(call, &faults);
    else
        ask_resend(call, ids);
}

/* ---------------------------------------------------------------- tried out */

static void on_simulated(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    struct events *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_is_null(rows, 0, 0)) {
        webhook_refuse_id(call);
        return;
    }
    e->first = e->last = rows_int(rows, 0, 0);
    ask_event(call, "webhook_event_get", on_event);
}

/* To an endpoint of the platform's own alone, by its id or its URL: we post to nobody else. */
static void simulate(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct events *e = rpc_alloc(call, 1, sizeof *e);
    call->state = e;
    json_t *root = e == NULL ? NULL : webhook_body(call, request);
    if (root == NULL)
        return;
    e->accepted = true;
    struct slice id = json_in_text(&faults, root, "", "webhook_id", false, 64);
    struct slice url = json_in_text(&faults, root, "", "url", false, 2048);
    struct slice type = json_in_text(&faults, root, "", "event_type", true, 128);
    if (id.len == 0 && url.len == 0)
        rest_fault(&faults, "", "webhook_id", "It is wanted, or url.");
    if (faults.n > 0) {
        webhook_refuse_faults(call, &faults);
    } else {
        struct params params;
        params_init(&params);
        params_add_int4(&params, call->principal.book_id);
        params_add_text_or_null(&params, id);
        params_add_text_or_null(&params, url);
        params_add_text(&params, type);
        rpc_query(call, "webhook_simulate", &params, on_simulated);
        params_deinit(&params);
    }
    json_decref(root);
}

/* ---------------------------------------------------------------- a page of them */

static struct slice time_parameter(struct rpc_call *call, const char *name, int64_t us)
{
    char text[TIMEFMT_SIZE];
    return us == 0 ? SLICE("") : rpc_text(call, "&%s=%s", name, timefmt_rfc3339(us, text));
}

/* Where the next page is: of the same filter, each part as we read it. */
static struct slice next_href(struct rpc_call *call, int64_t before)
{
    const struct filter *f = &((const struct events *)call->state)->filter;
    struct slice start = time_parameter(call, "start_time", f->start_us),
                 end = time_parameter(call, "end_time", f->end_us), type = SLICE(""),
                 of = SLICE("");
    char id[REST_ID_SIZE];
    if (f->type.len > 0)
        type = rpc_text(call, "&event_type=%.*s", SLICE_ARG(f->type));
    if (f->batch_id > 0)
        of = rpc_text(call, "&transaction_id=%s", rest_id_write(f->batch_id, f->item_no, id));
    return rest_href(call,
                     "/v1/notifications/webhooks-events?page_size=%lld&before=%lld%.*s%.*s%.*s%.*s",
                     (long long)f->page_size, (long long)before, SLICE_ARG(start), SLICE_ARG(end),
                     SLICE_ARG(type), SLICE_ARG(of));
}

static void write_next(struct rpc_call *call, struct json_out *json, int64_t before)
{
    json_out_key(json, "links");
    json_out_array(json);
    if (before > 1)
        rest_link_write(json, &(struct rest_link){"next", "GET", next_href(call, before)});
    json_out_array_end(json);
}

static void on_list(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    const struct events *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    struct json_out json = rest_json(call);
    int n = rows_count(rows);
    json_out_object(&json);
    json_out_key(&json, "events");
    json_out_array(&json);
    for (int row = 0; row < n; row++) {
        json_out_object(&json);
        webhook_event_write(&json, rows, row, rest_request_of(call)->base_url);
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_field_int(&json, "count", n);
    write_next(call, &json, n < e->filter.page_size ? 0 : rows_int(rows, n - 1, EVENT_NO));
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

/* 0: it did not come. */
static int64_t time_of(struct rpc_call *call, struct rest_faults *faults, const char *name)
{
    struct slice text;
    int64_t us = 0;
    if (rest_query(call, name, &text) && (err_failed(timefmt_parse_rfc3339(text, &us)) || us <= 0))
        rest_fault(faults, "", name, "It is not a time such as 2026-07-17T09:00:00Z.");
    return us;
}

static int64_t number_of(struct rpc_call *call, struct rest_faults *faults, const char *name,
                         int64_t otherwise, int64_t max)
{
    struct slice text;
    int64_t value;
    if (!rest_query(call, name, &text))
        return otherwise;
    if (!err_failed(str_parse_int64(text, &value)) && value >= 1 && value <= max)
        return value;
    rest_fault(faults, "", name, "It is not a number in its bounds.");
    return otherwise;
}

static void take_filter(struct rpc_call *call, struct rest_faults *faults, struct filter *f)
{
    struct slice id;
    f->page_size = number_of(call, faults, "page_size", PAGE_SIZE, PAGE_SIZE_MAX);
    f->before = number_of(call, faults, "before", INT64_MAX, INT64_MAX);
    f->start_us = time_of(call, faults, "start_time");
    f->end_us = time_of(call, faults, "end_time");
    if (!rest_query(call, "event_type", &f->type))
        f->type = SLICE("");
    else if (!webhook_is_kind(f->type))
        rest_fault(faults, "", "event_type", "There is no event type of this name.");
    if (rest_query(call, "transaction_id", &id) && !rest_id_read(id, &f->batch_id, &f->item_no))
        rest_fault(faults, "", "transaction_id", "It is not the id of a batch or an item.");
}

static void add_time(struct params *params, int64_t us)
{
    if (us == 0)
        params_add_null(params);
    else
        params_add_time_us(params, us);
}

static void list(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct events *e = rpc_alloc(call, 1, sizeof *e);
    struct params params;
    (void)request;
    if (e == NULL)
        return;
    call->state = e;
    const struct filter *f = &e->filter;
    take_filter(call, &faults, &e->filter);
    if (faults.n > 0) {
        webhook_refuse_faults(call, &faults);
        return;
    }
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, f->before);
    add_time(&params, f->start_us);
    add_time(&params, f->end_us);
    params_add_text_or_null(&params, f->type);
    if (f->batch_id == 0)
        params_add_null(&params);
    else
        params_add_int8(&params, f->batch_id);
    if (f->item_no == 0)
        params_add_null(&params); /* all of the batch */
    else
        params_add_int4(&params, f->item_no);
    params_add_int4(&params, (int32_t)f->page_size);
    rpc_query(call, "webhook_events", &params, on_list);
    params_deinit(&params);
}

#define ROUTE(verb, pattern, what, takes)                                                          \
    {                                                                                              \
        .method = (verb), .body = (takes), .rpc = {.path = (pattern), .roles = ROLE_PLATFORM},     \
        .handle = (what)                                                                           \
    }

const struct rest_route rest_list_webhook_events =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks-events", list, REST_BODY_NONE);
const struct rest_route rest_get_webhook_event =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks-events/{id}", get_one, REST_BODY_NONE);
const struct rest_route rest_resend_webhook_event =
    ROUTE(HTTP_POST, "/v1/notifications/webhooks-events/{id}/resend", resend, REST_BODY_SMALL);
const struct rest_route rest_resend_webhook_events =
    ROUTE(HTTP_POST, "/v1/notifications/webhooks-events-resend", resend_range, REST_BODY_SMALL);
const struct rest_route rest_simulate_webhook_event =
    ROUTE(HTTP_POST, "/v1/notifications/simulate-event", simulate, REST_BODY_SMALL);
