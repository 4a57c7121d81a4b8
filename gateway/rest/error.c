#include "gateway/rest/error.h"

static const struct {
    reason_t reason;
    struct rest_reason said;
} named[] = {
    {REASON_INSUFFICIENT_FLOAT, {422, "INSUFFICIENT_FUNDS"}},
    {REASON_PAYOUT_NOT_FOUND, {404, "INVALID_RESOURCE_ID"}},
    {REASON_STATE_CONFLICT, {400, "ITEM_INCORRECT_STATUS"}},
    {REASON_MESSAGE_TOO_LARGE, {413, "MESSAGE_TOO_LARGE"}},
    {REASON_MALFORMED_MESSAGE, {400, "MALFORMED_REQUEST_JSON"}},
    {REASON_UNAUTHENTICATED_PRINCIPAL, {401, "AUTHENTICATION_FAILURE"}},
    {REASON_PRINCIPAL_DISABLED, {401, "AUTHENTICATION_FAILURE"}},
    {REASON_ROLE_FORBIDDEN, {403, "NOT_AUTHORIZED"}},
    {REASON_RESOURCE_FORBIDDEN, {404, "INVALID_RESOURCE_ID"}},
    {REASON_QUEUE_FULL, {429, "RATE_LIMIT_REACHED"}},
    {REASON_LEDGER_UNAVAILABLE, {503, "SERVICE_UNAVAILABLE"}},
    {REASON_OUTCOME_UNKNOWN, {503, "OUTCOME_UNKNOWN"}},
    {REASON_INTERNAL, {500, "INTERNAL_SERVER_ERROR"}},
};

static unsigned status_of(reason_t reason)
{
    static const struct {
        int grpc;
        unsigned http;
    } statuses[] = {{REASON_GRPC_INVALID_ARGUMENT, 400},   {REASON_GRPC_NOT_FOUND, 404},
                    {REASON_GRPC_ALREADY_EXISTS, 400},     {REASON_GRPC_PERMISSION_DENIED, 403},
                    {REASON_GRPC_RESOURCE_EXHAUSTED, 429}, {REASON_GRPC_FAILED_PRECONDITION, 422},
                    {REASON_GRPC_UNAVAILABLE, 503},        {REASON_GRPC_UNAUTHENTICATED, 401}};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].grpc == reason_grpc_status(reason))
            return statuses[i].http;
    return 500;
}

struct rest_reason rest_reason_of(reason_t reason)
{
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (named[i].reason == reason)
            return named[i].said;
    return (struct rest_reason){status_of(reason), reason_name(reason)};
}

const char *rest_item_error_name(reason_t reason)
{
    static const struct {
        reason_t reason;
        const char *name;
    } items[] = {
        {REASON_INSUFFICIENT_FLOAT, "INSUFFICIENT_FUNDS"},
        {REASON_AMOUNT_OVER_LIMIT, "TRANSACTION_LIMIT_EXCEEDED"},
        {REASON_BENEFICIARY_DISABLED, "RECEIVER_ACCOUNT_LOCKED"},
        {REASON_BENEFICIARY_NOT_FOUND, "RECEIVER_UNREGISTERED"},
        {REASON_REFERENCE_REUSED, "DUPLICATE_ITEM"},
    };
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (items[i].reason == reason)
            return items[i].name;
    return reason_name(reason);
}

static void write_details(struct json_out *json, const struct rest_error *error)
{
    if (error->n_details == 0)
        return;
    json_out_key(json, "details");
    json_out_array(json);
    for (unsigned i = 0; i < error->n_details; i++) {
        const struct rest_detail *d = &error->details[i];
        json_out_object(json);
        if (d->field != NULL)
            json_out_field_str(json, "field", d->field);
        json_out_field_str(json, "location", d->location == NULL ? "body" : d->location);
        json_out_field_str(json, "issue", d->issue);
        json_out_object_end(json);
    }
    json_out_array_end(json);
}

void rest_link_write(struct json_out *json, const struct rest_link *link)
{
    json_out_object(json);
    json_out_field(json, "href", link->href);
    json_out_field_str(json, "rel", link->rel);
    json_out_field_str(json, "method", link->method);
    json_out_field_str(json, "encType", "application/json");
    json_out_object_end(json);
}

void rest_error_write(struct json_out *json, const struct rest_error *error, const char *debug_id)
{
    json_out_object(json);
    if (error->oauth != NULL) {
        json_out_field_str(json, "error", error->oauth);
        json_out_field_str(json, "error_description", error->message);
    }
    json_out_field_str(json, "name", error->name);
    json_out_field_str(json, "message", error->message);
    json_out_field_str(json, "debug_id", debug_id);
    write_details(json, error);
    if (error->n_links > 0) {
        json_out_key(json, "links");
        json_out_array(json);
        for (unsigned i = 0; i < error->n_links; i++)
            rest_link_write(json, &error->links[i]);
        json_out_array_end(json);
    }
    json_out_object_end(json);
}
