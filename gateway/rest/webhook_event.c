#include "gateway/rest/webhook_event.h"

#include <stdio.h>

#include "domain/iso20022_reason.h"
#include "domain/reason.h"
#include "gateway/rest/ids.h"
#include "hook/event_id.h"

enum { HREF_SIZE = 1024 };

/* What a simulated event speaks of: no batch has these. */
enum { SIMULATED_BATCH = 1, SIMULATED_AMOUNT = 1000, SIMULATED_CCY = 840 };

struct facts {
    const struct rows *rows;
    int row;
    struct slice base_url;
    int64_t batch_id, gross;
    int32_t item_no;
    uint16_t ccy;
    char batch[REST_ID_SIZE], item[REST_ID_SIZE], event[HOOK_EVENT_ID_SIZE];
};

static void link_to(struct json_out *o, const struct facts *f, const char *rel, const char *method,
                    const char *path, const char *id, const char *end)
{
    char href[HREF_SIZE];
    (void)snprintf(href, sizeof href, "%.*s%s%s%s", SLICE_ARG(f->base_url), path, id, end);
    json_out_object(o);
    json_out_field_str(o, "href", href);
    json_out_field_str(o, "rel", rel);
    json_out_field_str(o, "method", method);
    json_out_field_str(o, "encType", "application/json");
    json_out_object_end(o);
}

static struct slice cell(const struct facts *f, int column)
{
    return rows_text(f->rows, f->row, column);
}

static void write_batch(struct json_out *o, const struct facts *f)
{
    bool simulated = rows_bool(f->rows, f->row, EVENT_SIMULATED);
    struct slice status = cell(f, EVENT_STATUS);
    int64_t at_us = rows_time_us(f->rows, f->row, EVENT_AT);
    json_out_key(o, "batch_header");
    json_out_object(o);
    json_out_field_str(o, "payout_batch_id", f->batch);
    json_out_field(o, "batch_status", status);
    json_out_field_time(o, "time_created",
                        simulated ? at_us : rows_time_us(f->rows, f->row, EVENT_BATCH_AT));
    if (!slice_equal_str(status, "PROCESSING"))
        json_out_field_time(o, "time_completed", at_us);
    json_out_key(o, "sender_batch_header");
    json_out_object(o);
    json_out_field_if(o, "sender_batch_id",
                      simulated ? SLICE("simulated") : cell(f, EVENT_SENDER_BATCH));
    json_out_object_end(o);
    json_out_field_money(o, "amount",
                         simulated ? SIMULATED_AMOUNT : rows_int(f->rows, f->row, EVENT_AMOUNT),
                         f->ccy);
    json_out_field_money(o, "fees", rows_int(f->rows, f->row, EVENT_FEES), f->ccy);
    json_out_field_int(o, "payments", simulated ? 1 : rows_int(f->rows, f->row, EVENT_ITEMS));
    json_out_object_end(o);
    json_out_key(o, "links");
    json_out_array(o);
    link_to(o, f, "self", "GET", "/v1/payments/payouts/", f->batch, "");
    json_out_array_end(o);
}

/* Why it was not paid, or came back. */
static void write_errors(struct json_out *o, const struct facts *f)
{
    reason_t reason = (reason_t)rows_int(f->rows, f->row, EVENT_REASON);
    struct slice code = cell(f, EVENT_REASON_CODE);
    if (reason == REASON_NONE && code.len == 0)
        return;
    json_out_key(o, "errors");
    json_out_object(o);
    if (reason != REASON_NONE) {
        json_out_field_str(o, "name", reason_name(reason));
        json_out_field_str(o, "message", reason_text(reason));
    } else {
        const struct iso20022_reason *known = iso20022_reason_find(code);
        json_out_field_str(o, "name", "BANK_REFUSED");
        json_out_field_str(o, "message", known == NULL ? "the bank gave this reason" : known->text);
        json_out_field(o, "reason_code", code);
    }
    json_out_object_end(o);
}

static void write_item(struct json_out *o, const struct facts *f)
{
    static const char *const types[] = {"EMAIL", "EMAIL", "PHONE", "PAYPAL_ID", "USER_HANDLE"};
    int64_t type = rows_int(f->rows, f->row, EVENT_RECIPIENT_TYPE);
    json_out_field_str(o, "payout_item_id", f->item);
    if (!rows_is_null(f->rows, f->row, EVENT_PAYOUT))
        json_out_field_str(o, "transaction_id", f->item);
    json_out_field(o, "transaction_status", cell(f, EVENT_STATUS));
    json_out_field_money(o, "payout_item_fee", rows_int(f->rows, f->row, EVENT_FEES), f->ccy);
    json_out_field_str(o, "payout_batch_id", f->batch);
    json_out_field_if(o, "sender_batch_id", cell(f, EVENT_SENDER_BATCH));
    json_out_key(o, "payout_item");
    json_out_object(o);
    json_out_field_str(o, "recipient_type", types[type >= 1 && type <= 4 ? type : 0]);
    json_out_field_money(o, "amount", f->gross, f->ccy);
    json_out_field_if(o, "sender_item_id", cell(f, EVENT_SENDER_ITEM));
    json_out_object_end(o);
    json_out_field_time(o, "time_processed", rows_time_us(f->rows, f->row, EVENT_AT));
    write_errors(o, f);
    json_out_key(o, "links");
    json_out_array(o);
    link_to(o, f, "self", "GET", "/v1/payments/payouts-item/", f->item, "");
    link_to(o, f, "batch", "GET", "/v1/payments/payouts/", f->batch, "");
    json_out_array_end(o);
}

void webhook_event_write(struct json_out *o, const struct rows *rows, int row,
                         struct slice base_url)
{
    bool simulated = rows_bool(rows, row, EVENT_SIMULATED);
    struct facts f = {.rows = rows,
                      .row = row,
                      .base_url = base_url,
                      .batch_id = simulated ? SIMULATED_BATCH : rows_int(rows, row, EVENT_BATCH),
                      .item_no = (int32_t)rows_int(rows, row, EVENT_ITEM),
                      .gross = simulated ? SIMULATED_AMOUNT : rows_int(rows, row, EVENT_GROSS),
                      .ccy = simulated ? SIMULATED_CCY : (uint16_t)rows_int(rows, row, EVENT_CCY)};
    (void)rest_id_write(f.batch_id, 0, f.batch);
    (void)rest_id_write(f.batch_id, f.item_no, f.item);
    (void)hook_event_id_write((int32_t)rows_int(rows, row, EVENT_BOOK),
                              rows_int(rows, row, EVENT_NO), f.event);
    json_out_field_str(o, "id", f.event);
    json_out_field_str(o, "event_version", "1.0");
    json_out_field_time(o, "create_time", rows_time_us(rows, row, EVENT_AT));
    json_out_field_str(o, "resource_type", f.item_no == 0 ? "payouts" : "payouts_item");
    json_out_field(o, "event_type", rows_text(rows, row, EVENT_NAME));
    json_out_field(o, "summary", rows_text(rows, row, EVENT_DESCRIPTION));
    if (simulated)
        json_out_field_bool(o, "simulated", true);
    json_out_key(o, "resource");
    json_out_object(o);
    if (f.item_no == 0)
        write_batch(o, &f);
    else
        write_item(o, &f);
    json_out_object_end(o);
    json_out_key(o, "links");
    json_out_array(o);
    link_to(o, &f, "self", "GET", "/v1/notifications/webhooks-events/", f.event, "");
    link_to(o, &f, "resend", "POST", "/v1/notifications/webhooks-events/", f.event, "/resend");
    json_out_array_end(o);
}

err_t webhook_event_text(const struct rows *rows, int row, const char *base_url, struct buf *out)
{
    struct json_out o = json_out_of(out);
    json_out_object(&o);
    webhook_event_write(&o, rows, row, slice_str(base_url));
    json_out_object_end(&o);
    return o.failed ? err_make(ERR_LIMIT, "write an event") : err_none();
}
