#include "gateway/rest/webhook_event.h"

#include <stdio.h>

#include "domain/payout_state.h"
#include "gateway/rest/ids.h"
#include "gateway/rest/item_out.h"
#include "hook/event_id.h"

enum { HREF_SIZE = 1024 };

/* What a simulated event speaks of: a number that no batch will have. */
enum { SIMULATED_AMOUNT = 1000, SIMULATED_CCY = 840 };
#define SIMULATED_BATCH 999999999999LL

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

/* What the item was when this happened, as GET has it: of what errors there are to tell. */
static int state_of(const struct facts *f)
{
    static const struct {
        const char *name;
        int state;
    } states[] = {
        {"FAILED", PAYOUT_STATE_REJECTED},   {"UNCLAIMED", PAYOUT_STATE_UNCLAIMED},
        {"REVERSED", PAYOUT_STATE_RETURNED}, {"REFUNDED", PAYOUT_STATE_PARTLY_RETURNED},
        {"BLOCKED", PAYOUT_STATE_REFUSED},   {"RETURNED", BATCH_ITEM_EXPIRED},
        {"SUCCESS", PAYOUT_STATE_SETTLED},   {"ONHOLD", PAYOUT_STATE_HELD},
    };
    if (!rows_is_null(f->rows, f->row, EVENT_REASON))
        return BATCH_ITEM_REFUSED;
    if (slice_equal_str(cell(f, EVENT_NAME), "PAYMENT.PAYOUTS-ITEM.CANCELED"))
        return BATCH_ITEM_CANCELLED;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (slice_equal_str(cell(f, EVENT_STATUS), states[i].name))
            return states[i].state;
    return 0;
}

static void write_item(struct json_out *o, const struct facts *f)
{
    char payout[STR_INT64_SIZE];
    json_out_field_str(o, "payout_item_id", f->item);
    if (!rows_is_null(f->rows, f->row, EVENT_PAYOUT)) {
        (void)str_format_int64(rows_int(f->rows, f->row, EVENT_PAYOUT), payout);
        json_out_field_str(o, "transaction_id", payout);
    }
    json_out_field(o, "transaction_status", cell(f, EVENT_STATUS));
    json_out_field_money(o, "payout_item_fee", rows_int(f->rows, f->row, EVENT_FEES), f->ccy);
    json_out_field_str(o, "payout_batch_id", f->batch);
    json_out_field_if(o, "sender_batch_id", cell(f, EVENT_SENDER_BATCH));
    json_out_key(o, "payout_item");
    json_out_object(o);
    json_out_field_str(o, "recipient_type",
                       item_recipient_type(rows_int(f->rows, f->row, EVENT_RECIPIENT_TYPE)));
    json_out_field_money(o, "amount", f->gross, f->ccy);
    json_out_field_if(o, "sender_item_id", cell(f, EVENT_SENDER_ITEM));
    json_out_object_end(o);
    json_out_field_time(o, "time_processed", rows_time_us(f->rows, f->row, EVENT_AT));
    item_errors_write(o, state_of(f), (int32_t)rows_int(f->rows, f->row, EVENT_REASON),
                      cell(f, EVENT_REASON_CODE));
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
