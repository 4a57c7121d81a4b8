#include "gateway/rest/item_out.h"

#include <assert.h>
#include <string.h>

#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"
#include "gateway/rest/claim_token.h"
#include "gateway/rest/error.h"
#include "gateway/rpc/person.h"
#include "gateway/wire/payout_messages.h"
#include "ledger/pii_box.h"

const char *item_status(int state)
{
    static const struct {
        int state;
        const char *status;
    } statuses[] = {
        {PAYOUT_STATE_ACCEPTED, "PENDING"},   {PAYOUT_STATE_HELD, "ONHOLD"},
        {PAYOUT_STATE_INSTRUCTED, "PENDING"}, {PAYOUT_STATE_SETTLED, "SUCCESS"},
        {PAYOUT_STATE_REJECTED, "FAILED"},    {PAYOUT_STATE_RETURNED, "REVERSED"},
        {PAYOUT_STATE_CANCELLED, "RETURNED"}, {PAYOUT_STATE_UNCLAIMED, "UNCLAIMED"},
        {PAYOUT_STATE_REFUSED, "BLOCKED"},    {PAYOUT_STATE_PARTLY_RETURNED, "REFUNDED"},
        {BATCH_ITEM_EXPIRED, "RETURNED"},     {BATCH_ITEM_CANCELLED, "RETURNED"},
        {BATCH_ITEM_REFUSED, "FAILED"},
    };
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].state == state)
            return statuses[i].status;
    return "PENDING";
}

void item_frame_fingerprint(struct item_frame *frame, struct slice fingerprint)
{
    assert(fingerprint.len == FINGERPRINT_SIZE);
    memcpy(frame->fingerprint, fingerprint.p, FINGERPRINT_SIZE);
}

const char *item_recipient_type(int64_t type)
{
    static const char *const names[] = {"EMAIL", "EMAIL", "PHONE", "PAYPAL_ID", "USER_HANDLE"};
    return names[type >= 1 && type <= 4 ? type : 0];
}

void item_box_open(struct rpc_call *call, const struct item_box *stored, struct slice *receiver,
                   struct slice *note)
{
    const struct pii_place place = {.table = "payout_batch_item",
                                    .a = call->principal.book_id,
                                    .b = stored->item_no,
                                    .key = stored->fingerprint};
    struct slice text = SLICE("");
    *receiver = SLICE("");
    *note = SLICE("");
    if (stored->sealed.len == 0)
        return;
    uint8_t *room = arena_alloc(&call->arena, stored->sealed.len);
    if (room == NULL)
        return;
    const enum pii_result result =
        person_box_open(call->ctx, &place, stored->key_id, stored->sealed, room, &text);
    if (result != PII_OK)
        log_error(call->ctx->log, "rest.item_not_opened", log_int("key_id", stored->key_id),
                  log_int("batch", stored->batch_id), log_int("item", stored->item_no));
    else
        (void)slice_cut(text, '\n', receiver, note);
}

static void open_box(struct rpc_call *call, const struct item_frame *frame, const struct rows *rows,
                     int row, struct slice *receiver, struct slice *note)
{
    const struct item_box stored = {.batch_id = frame->batch_id,
                                    .item_no = (int32_t)rows_int(rows, row, ITEM_NO),
                                    .key_id = (int16_t)rows_int(rows, row, ITEM_KEY_ID),
                                    .sealed = rows_text(rows, row, ITEM_SEALED),
                                    .fingerprint = slice_of(frame->fingerprint, FINGERPRINT_SIZE)};
    item_box_open(call, &stored, receiver, note);
}

static void write_sent(struct rpc_call *call, struct json_out *json, const struct item_frame *frame,
                       const struct rows *rows, int row)
{
    struct slice receiver, note;
    open_box(call, frame, rows, row, &receiver, &note);
    json_out_key(json, "payout_item");
    json_out_object(json);
    json_out_field_str(json, "recipient_type",
                       item_recipient_type(rows_int(rows, row, ITEM_RECIPIENT_TYPE)));
    json_out_field_money(json, "amount", rows_int(rows, row, ITEM_GROSS),
                         (uint16_t)rows_int(rows, row, ITEM_SRC_CCY));
    json_out_field_if(json, "note", note);
    json_out_field_if(json, "receiver", receiver);
    json_out_field_if(json, "sender_item_id", rows_text(rows, row, ITEM_SENDER_ITEM_ID));
    json_out_object_end(json);
}

/* What was converted, at which rate of ours, into what: as quoted when the payout was posted. */
static void write_conversion(struct json_out *json, const struct rows *rows, int row)
{
    const struct pricing_row pricing = {
        .src_ccy = (uint16_t)rows_int(rows, row, ITEM_SRC_CCY),
        .dst_ccy = (uint16_t)rows_int(rows, row, ITEM_DST_CCY),
        .gross = rows_int(rows, row, ITEM_GROSS),
        .fee = rows_int(rows, row, ITEM_FEE),
        .mid_rate_e10 = rows_int(rows, row, ITEM_MID_RATE_E10),
        .margin = rows_int(rows, row, ITEM_MARGIN),
        .net = rows_int(rows, row, ITEM_NET),
        .margin_bps = (int32_t)rows_int(rows, row, ITEM_MARGIN_BPS),
    };
    struct pricing_text text;
    struct wire_pricing told;
    wire_pricing_fill(&pricing, &text, &told);
    json_out_key(json, "currency_conversion");
    json_out_object(json);
    json_out_field_money(json, "from_amount", pricing.gross - pricing.fee, pricing.src_ccy);
    json_out_field_money(json, "to_amount", pricing.net, pricing.dst_ccy);
    json_out_field(json, "exchange_rate", told.our_rate);
    json_out_object_end(json);
}

static void write_error(struct json_out *json, const char *name, const char *message)
{
    json_out_key(json, "errors");
    json_out_object(json);
    json_out_field_str(json, "name", name);
    json_out_field_str(json, "message", message);
    json_out_object_end(json);
}

static void write_bank_error(struct json_out *json, const char *name, struct slice code)
{
    const struct iso20022_reason *known = iso20022_reason_find(code);
    json_out_key(json, "errors");
    json_out_object(json);
    json_out_field_str(json, "name", name);
    json_out_field_str(json, "message",
                       known == NULL ? "The bank gave no reason that we know." : known->text);
    json_out_field_if(json, "reason_code", code);
    json_out_object_end(json);
}

void item_errors_write(struct json_out *json, int state, int32_t reason_number,
                       struct slice bank_code)
{
    reason_t reason;
    switch (state) {
    case BATCH_ITEM_REFUSED:
        if (!reason_from_number(reason_number, &reason))
            reason = REASON_INTERNAL;
        write_error(json, rest_item_error_name(reason), reason_text(reason));
        break;
    case PAYOUT_STATE_UNCLAIMED:
        write_error(json, "RECEIVER_UNREGISTERED",
                    "Nobody has this address yet: the money waits to be claimed.");
        break;
    case BATCH_ITEM_EXPIRED:
        write_error(json, "RECEIVER_UNREGISTERED",
                    "Nobody claimed it in time: the float has it back.");
        break;
    case PAYOUT_STATE_REJECTED:
        write_bank_error(json, "REJECTED_BY_BANK", bank_code);
        break;
    case PAYOUT_STATE_RETURNED:
    case PAYOUT_STATE_PARTLY_RETURNED:
        write_bank_error(json, "RETURNED_BY_BANK", bank_code);
        break;
    case PAYOUT_STATE_REFUSED:
        write_error(json, "REGULATORY_BLOCKED", "It was looked at and refused.");
        break;
    default:
        break;
    }
}

/* Where the person whom it is for claims it. Signed with the key of the client that asks: another one's link is another one,
 * and ends with that client's key. */
static void write_claim_link(struct rpc_call *call, struct json_out *json, int64_t batch_id,
                             int32_t item_no)
{
    const struct rest_request *request = rest_request_of(call);
    const struct claim_token token = {
        request->credential_id, call->principal.book_id, batch_id, item_no, {0}};
    const struct registry_credential *c =
        registry_credential_by_id(call->ctx->registry, request->credential_id);
    struct slice base = slice_str(call->ctx->config->claim_base_url);
    char text[CLAIM_TOKEN_SIZE];
    if (c == NULL)
        return;
    (void)claim_token_make(&token, c->token_key, text);
    while (base.len > 0 && base.p[base.len - 1] == '/')
        base.len--;
    if (base.len == 0)
        base = request->base_url;
    json_out_object(json);
    json_out_field(json, "href", rpc_text(call, "%.*s/claim/%s", SLICE_ARG(base), text));
    json_out_field_str(json, "rel", "claim");
    json_out_field_str(json, "method", "GET");
    json_out_field_str(json, "encType", "text/html");
    json_out_object_end(json);
}

void item_write(struct rpc_call *call, struct json_out *json, const struct item_frame *frame,
                const struct rows *rows, int row)
{
    char item_id[REST_ID_SIZE], batch_id[REST_ID_SIZE];
    const int32_t item_no = (int32_t)rows_int(rows, row, ITEM_NO);
    const int state = (int)rows_int(rows, row, ITEM_STATE);
    const bool has_payout = !rows_is_null(rows, row, ITEM_PAYOUT_ID);
    const uint16_t src = (uint16_t)rows_int(rows, row, ITEM_SRC_CCY);
    (void)rest_id_write(frame->batch_id, item_no, item_id);
    (void)rest_id_write(frame->batch_id, 0, batch_id);
    json_out_object(json);
    json_out_field_str(json, "payout_item_id", item_id);
    if (has_payout)
        json_out_field(json, "transaction_id",
                       rpc_text(call, "%lld", (long long)rows_int(rows, row, ITEM_PAYOUT_ID)));
    json_out_field_str(json, "transaction_status", item_status(state));
    json_out_field_money(json, "payout_item_fee", has_payout ? rows_int(rows, row, ITEM_FEE) : 0,
                         src);
    json_out_field_str(json, "payout_batch_id", batch_id);
    json_out_field_if(json, "sender_batch_id", frame->sender_batch_id);
    write_sent(call, json, frame, rows, row);
    if (has_payout && rows_int(rows, row, ITEM_DST_CCY) != src)
        write_conversion(json, rows, row);
    if (rows_bool(rows, row, ITEM_ID_REUSED))
        json_out_field_bool(json, "sender_item_id_reused", true);
    item_errors_write(json, state, (int32_t)rows_int(rows, row, ITEM_REASON),
                      rows_text(rows, row, ITEM_REASON_CODE));
    json_out_field_time(json, "time_processed", rows_time_us(rows, row, ITEM_UPDATED_AT));
    json_out_key(json, "links");
    json_out_array(json);
    rest_link_write(json,
                    &(struct rest_link){"item", "GET",
                                        rest_href(call, "/v1/payments/payouts-item/%s", item_id)});
    rest_link_write(
        json,
        &(struct rest_link){"batch", "GET", rest_href(call, "/v1/payments/payouts/%s", batch_id)});
    if (state == PAYOUT_STATE_UNCLAIMED || state == PAYOUT_STATE_ACCEPTED)
        rest_link_write(json, &(struct rest_link){
                                  "cancel", "POST",
                                  rest_href(call, "/v1/payments/payouts-item/%s/cancel", item_id)});
    if (state == PAYOUT_STATE_UNCLAIMED)
        write_claim_link(call, json, frame->batch_id, item_no);
    json_out_array_end(json);
    json_out_object_end(json);
}
