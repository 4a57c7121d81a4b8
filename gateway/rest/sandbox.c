#include "gateway/rest/sandbox.h"

#include "base/clock.h"
#include "domain/ccy.h"

static const char batch_id[] = "SANDBOXBATCH1", item_id[] = "SANDBOXITEM01";

/* What a request to a path or with a note is answered with: an error, or (status 200) an item in that state. */
struct magic {
    const char *value, *name;
    unsigned status;
    const char *state; /* of the item, or of the batch; NULL: FAILED */
};

static const struct magic on_create[] = {
    {"ERRPYO001", "SENDER_RESTRICTED", 403, NULL},
    {"ERRPYO002", "SENDER_EMAIL_UNCONFIRMED", 403, NULL},
    {"ERRPYO003", "AUTHORIZATION_ERROR", 403, NULL},
    {"ERRPYO005", "INSUFFICIENT_FUNDS", 422, NULL},
    {"ERRPYO006", "INTERNAL_ERROR", 500, NULL},
    {"ERRPYO010", "VALIDATION_ERROR", 400, NULL},
    {"ERRPYO011", "REQUIRED_SCOPE_MISSING", 403, NULL},
    {"ERRPYO012", "SENDER_LOCKED", 403, NULL},
    {"ERRPYO014", "USER_BUSINESS_ERROR", 400, NULL},
    {"ERRPYO035", "RATE_LIMIT_VALIDATION", 429, NULL},
    {"ERRPYO036", "REQUEST_TIMEOUT_EXCEEDED", 504, NULL},
    {"ERRPYO037", "SYNC_MODE_NOT_APPLICABLE", 400, NULL},
    {"ERRPYO038", "NON_HOLDING_CURRENCY", 422, NULL},
    {"ERRPYO039", "PREVIOUS_REQUEST_IN_PROGRESS", 400, NULL},
    {"ERRPYO040", "CIP_NOT_VERIFIED", 403, NULL},
};

static const struct magic on_get_batch[] = {
    {"ERRPYOB001", NULL, 200, "SUCCESS"},
    {"ERRPYOB002", NULL, 200, "PENDING"},
    {"ERRPYOB003", NULL, 200, "PROCESSING"},
    {"ERRPYOB004", NULL, 200, "DENIED"},
    {"ERRPYOB005", "ACCOUNT_RESTRICTED", 200, NULL},
    {"ERRPYOB006", "ACCOUNT_UNCONFIRMED_EMAIL", 200, NULL},
    {"ERRPYOB007", "APPROVER_DENIED", 200, NULL},
    {"ERRPYOB008", "GAMER_FAILED_COUNTRY_OF_RESIDENCE_CHECK", 200, NULL},
    {"ERRPYOB009", "GAMER_FAILED_FUNDING_SOURCE_CHECK", 200, NULL},
    {"ERRPYOB010", "GAMING_INVALID_PAYMENT_FLOW", 200, NULL},
    {"ERRPYOB011", "NON_HOLDING_CURRENCY", 200, NULL},
    {"ERRPYOB012", "PENDING_RECIPIENT_NON_HOLDING_CURRENCY_PAYMENT_PREFERENCE", 200, "PENDING"},
    {"ERRPYOB013", "SENDER_STATE_RESTRICTED", 200, NULL},
    {"ERRPYOB014", "SPENDING_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYOB015", "TRANSACTION_DECLINED_BY_TRAVEL_RULE", 200, NULL},
    {"ERRPYO015", "CLOSED_MARKET", 200, NULL},
    {"ERRPYO016", "CURRENCY_COMPLIANCE", 200, NULL},
    {"ERRPYO017", "CURRENCY_NOT_SUPPORTED_FOR_RECEIVER", 200, NULL},
    {"ERRPYO018", "DUPLICATE_ITEM", 200, NULL},
    {"ERRPYO019", "RECEIVER_ACCOUNT_LOCKED", 200, NULL},
    {"ERRPYO020", "RECEIVER_COUNTRY_NOT_ALLOWED", 200, NULL},
    {"ERRPYO021", "RECEIVER_UNCONFIRMED", 200, "UNCLAIMED"},
    {"ERRPYO022", "RECEIVER_UNREGISTERED", 200, "UNCLAIMED"},
    {"ERRPYO023", "RECEIVER_YOUTH_ACCOUNT", 200, NULL},
    {"ERRPYO024", "RECEIVING_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYO025", "REGULATORY_BLOCKED", 200, "BLOCKED"},
    {"ERRPYO026", "REGULATORY_PENDING", 200, "ONHOLD"},
    {"ERRPYO027", "RISK_DECLINE", 200, NULL},
    {"ERRPYO028", "SELF_PAY_NOT_ALLOWED", 200, NULL},
    {"ERRPYO029", "TRANSACTION_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYO030", "UNDEFINED", 200, NULL},
    {"ERRPYO031", "ZERO_AMOUNT", 200, NULL},
    {"ERRPYO032", "INVALID_RESOURCE_ID", 404, NULL},
    {"ERRPYO033", "INTERNAL_ERROR", 500, NULL},
    {"ERRPYO034", "INVALID_EMAIL", 200, NULL},
    {"ERRPYO060", "RECEIVER_ACCOUNT_LIMITATION", 200, NULL},
    {"POSPYO002", NULL, 200, "SUCCESS"},
};

static const struct magic on_get_item[] = {
    {"ERRPYO041", "CLOSED_MARKET", 200, NULL},
    {"ERRPYO042", "CURRENCY_COMPLIANCE", 200, NULL},
    {"ERRPYO043", "CURRENCY_NOT_SUPPORTED_FOR_RECEIVER", 200, NULL},
    {"ERRPYO044", "RECEIVER_ACCOUNT_LOCKED", 200, NULL},
    {"ERRPYO045", "RECEIVER_COUNTRY_NOT_ALLOWED", 200, NULL},
    {"ERRPYO046", "RECEIVER_UNCONFIRMED", 200, "UNCLAIMED"},
    {"ERRPYO047", "RECEIVER_UNREGISTERED", 200, "UNCLAIMED"},
    {"ERRPYO048", "RECEIVER_YOUTH_ACCOUNT", 200, NULL},
    {"ERRPYO049", "RECEIVING_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYO050", "REGULATORY_BLOCKED", 200, "BLOCKED"},
    {"ERRPYO051", "REGULATORY_PENDING", 200, "ONHOLD"},
    {"ERRPYO052", "RISK_DECLINE", 200, NULL},
    {"ERRPYO053", "SELF_PAY_NOT_ALLOWED", 200, NULL},
    {"ERRPYO054", "TRANSACTION_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYO055", "UNDEFINED", 200, NULL},
    {"ERRPYO056", "ZERO_AMOUNT", 200, NULL},
    {"ERRPYO057", "INVALID_RESOURCE_ID", 404, NULL},
    {"ERRPYO058", "INTERNAL_ERROR", 500, NULL},
    {"ERRPYO059", "INVALID_EMAIL", 200, NULL},
    {"ERRPYO061", "RECEIVER_ACCOUNT_LIMITATION", 200, NULL},
    {"ERRPYOB016", "ACCOUNT_RESTRICTED", 200, NULL},
    {"ERRPYOB017", "ACCOUNT_UNCONFIRMED_EMAIL", 200, NULL},
    {"ERRPYOB018", "APPROVER_DENIED", 200, NULL},
    {"ERRPYOB019", "GAMER_FAILED_COUNTRY_OF_RESIDENCE_CHECK", 200, NULL},
    {"ERRPYOB020", "GAMER_FAILED_FUNDING_SOURCE_CHECK", 200, NULL},
    {"ERRPYOB021", "GAMING_INVALID_PAYMENT_FLOW", 200, NULL},
    {"ERRPYOB022", "NON_HOLDING_CURRENCY", 200, NULL},
    {"ERRPYOB023", "PENDING_RECIPIENT_NON_HOLDING_CURRENCY_PAYMENT_PREFERENCE", 200, "PENDING"},
    {"ERRPYOB024", "SENDER_STATE_RESTRICTED", 200, NULL},
    {"ERRPYOB025", "SPENDING_LIMIT_EXCEEDED", 200, NULL},
    {"ERRPYOB026", "TRANSACTION_DECLINED_BY_TRAVEL_RULE", 200, NULL},
    {"POSPOI001", NULL, 200, "SUCCESS"},
};

static const struct magic on_cancel[] = {
    {"ERRPOI001", "INVALID_RESOURCE_ID", 404, NULL},
    {"ERRPOI002", "ITEM_INCORRECT_STATUS", 400, NULL},
    {"ERRPYO004", "BATCH_NOT_COMPLETED", 400, NULL},
    {"ERRPYO007", "ITEM_ALREADY_CANCELLED", 400, NULL},
    {"ERRPYO008", "ITEM_CANCELLATION_FAILED", 400, NULL},
    {"ERRPYO009", "ITEM_INCORRECT_STATUS", 400, NULL},
    {"POSPOI002", NULL, 200, "RETURNED"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct magic *find(const struct magic *rows, size_t n, struct slice value)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal_str(value, rows[i].value))
            return &rows[i];
    return NULL;
}

static void refuse(struct rpc_call *call, const char *name, unsigned status)
{
    static const struct rest_detail detail = {"items[0].note", "A test value asked for it.", NULL};
    rest_refuse(call, &(struct rest_error){.status = status,
                                           .name = name,
                                           .message = "Simulated: a test value asked for it.",
                                           .details = &detail,
                                           .n_details = status == 400});
}

static void write_link(struct rpc_call *call, struct json_out *json, const char *rel,
                       const char *path, const char *id)
{
    rest_link_write(json, &(struct rest_link){rel, "GET", rest_href(call, "%s%s", path, id)});
}

static void write_item(struct rpc_call *call, struct json_out *json, const struct magic *m)
{
    json_out_object(json);
    json_out_field_str(json, "payout_item_id", item_id);
    json_out_field_str(json, "transaction_status", m->state != NULL ? m->state : "FAILED");
    json_out_field_money(json, "payout_item_fee", 0, CCY_USD);
    json_out_field_str(json, "payout_batch_id", batch_id);
    json_out_key(json, "payout_item");
    json_out_object(json);
    json_out_field_str(json, "recipient_type", "EMAIL");
    json_out_field_money(json, "amount", 19000, CCY_USD);
    json_out_field_str(json, "note", "Simulated");
    json_out_field_str(json, "receiver", "receiver@example.com");
    json_out_field_str(json, "sender_item_id", "SANDBOX-1");
    json_out_object_end(json);
    json_out_field_time(json, "time_processed", clock_realtime_us());
    if (m->name != NULL) {
        json_out_key(json, "errors");
        json_out_object(json);
        json_out_field_str(json, "name", m->name);
        json_out_field_str(json, "message", "Simulated: a test value asked for it.");
        json_out_object_end(json);
    }
    json_out_key(json, "links");
    json_out_array(json);
    write_link(call, json, "item", "/v1/payments/payouts-item/", item_id);
    write_link(call, json, "batch", "/v1/payments/payouts/", batch_id);
    json_out_array_end(json);
    json_out_object_end(json);
}

static void answer_item(struct rpc_call *call, const struct magic *m)
{
    struct json_out json = rest_json(call);
    if (m->status != 200) {
        refuse(call, m->name, m->status);
        return;
    }
    write_item(call, &json, m);
    rest_reply(call, 200, &json);
}

static void write_header(struct json_out *json, const char *status, struct slice sender_batch_id)
{
    json_out_key(json, "batch_header");
    json_out_object(json);
    json_out_field_str(json, "payout_batch_id", batch_id);
    json_out_field_str(json, "batch_status", status);
    json_out_field_time(json, "time_created", clock_realtime_us());
    json_out_key(json, "sender_batch_header");
    json_out_object(json);
    json_out_field_if(json, "sender_batch_id", sender_batch_id);
    json_out_object_end(json);
}

static void write_self(struct rpc_call *call, struct json_out *json)
{
    json_out_key(json, "links");
    json_out_array(json);
    write_link(call, json, "self", "/v1/payments/payouts/", batch_id);
    json_out_array_end(json);
}

bool sandbox_create(struct rpc_call *call, const struct rest_batch_in *batch)
{
    const struct slice note = batch->items[0].note;
    if (!rest_request_of(call)->sandbox)
        return false;
    const struct magic *m = find(on_create, COUNT(on_create), note);
    if (m != NULL) {
        refuse(call, m->name, m->status);
        return true;
    }
    if (slice_equal_str(batch->sender_batch_id, "ERRPYO013")) {
        refuse(call, "VALIDATION_ERROR", 400);
        return true;
    }
    if (!slice_equal_str(note, "POSPYO001") && !slice_equal_str(note, "POSPYO003"))
        return false;
    struct json_out json = rest_json(call);
    json_out_object(&json);
    write_header(&json, "PENDING", batch->sender_batch_id);
    json_out_object_end(&json);
    write_self(call, &json);
    json_out_object_end(&json);
    rest_reply(call, 201, &json);
    return true;
}

bool sandbox_get_batch(struct rpc_call *call, struct slice id)
{
    if (!rest_request_of(call)->sandbox)
        return false;
    const struct magic *m = find(on_get_batch, COUNT(on_get_batch), id);
    if (m == NULL)
        return false;
    if (m->status != 200) {
        refuse(call, m->name, m->status);
        return true;
    }
    const bool of_batch = m->name == NULL;
    const struct magic item = {NULL, m->name, 200,
                               of_batch && strcmp(m->state, "DENIED") == 0 ? "FAILED" : m->state};
    const struct magic pending = {NULL, NULL, 200, "PENDING"};
    const bool going_on = of_batch && strcmp(m->state, "PROCESSING") == 0;
    struct json_out json = rest_json(call);
    json_out_object(&json);
    write_header(&json, of_batch ? m->state : "SUCCESS", SLICE(""));
    json_out_field_money(&json, "amount", 19000, CCY_USD);
    json_out_field_money(&json, "fees", 0, CCY_USD);
    json_out_object_end(&json);
    json_out_key(&json, "items");
    json_out_array(&json);
    write_item(call, &json, going_on ? &pending : &item);
    json_out_array_end(&json);
    write_self(call, &json);
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
    return true;
}

bool sandbox_get_item(struct rpc_call *call, struct slice id)
{
    const struct magic *m = find(on_get_item, COUNT(on_get_item), id);
    if (!rest_request_of(call)->sandbox || m == NULL)
        return false;
    answer_item(call, m);
    return true;
}

bool sandbox_cancel_item(struct rpc_call *call, struct slice id)
{
    const struct magic *m = find(on_cancel, COUNT(on_cancel), id);
    if (!rest_request_of(call)->sandbox || m == NULL)
        return false;
    answer_item(call, m);
    return true;
}
