#include "gateway/rest/webhook_in.h"

#include <stdio.h>
#include <string.h>

json_t *webhook_body(struct rpc_call *call, const struct rest_request *request)
{
    static const struct json_bounds bounds = {.depth_max = 16, .values_max = 4096};
    char why[JSON_IN_WHY_SIZE] = "The body is not a JSON object.";
    json_t *root = json_in_load(request->body, &bounds, why);
    if (root != NULL && (json_is_object(root) || json_is_array(root)))
        return root;
    json_decref(root);
    rest_refuse(call,
                &(struct rest_error){.status = 400,
                                     .name = "MALFORMED_REQUEST_JSON",
                                     .message = "The body is not what this call takes, in JSON."});
    return NULL;
}

bool webhook_is_kind(struct slice name)
{
    /* As the table webhook_event_kind has them; a test compares. */
    static const char *const kinds[] = {
        "PAYMENT.PAYOUTSBATCH.PROCESSING", "PAYMENT.PAYOUTSBATCH.SUCCESS",
        "PAYMENT.PAYOUTSBATCH.DENIED",     "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        "PAYMENT.PAYOUTS-ITEM.FAILED",     "PAYMENT.PAYOUTS-ITEM.UNCLAIMED",
        "PAYMENT.PAYOUTS-ITEM.RETURNED",   "PAYMENT.PAYOUTS-ITEM.HELD",
        "PAYMENT.PAYOUTS-ITEM.BLOCKED",    "PAYMENT.PAYOUTS-ITEM.REFUNDED",
        "PAYMENT.PAYOUTS-ITEM.CANCELED",   "PAYMENT.PAYOUTS-ITEM.DENIED"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal_str(name, kinds[i]))
            return true;
    return false;
}

struct slice webhook_types(struct rpc_call *call, struct rest_faults *faults, const json_t *array,
                           const char *field)
{
    size_t n = json_array_size(array), len = 0, index;
    char *text = rpc_alloc(call, WEBHOOK_TYPES_SIZE, 1);
    json_t *one;
    if (text == NULL)
        return SLICE("");
    if (n == 0 || n > WEBHOOK_TYPES_MAX)
        rest_fault(faults, "", field, "One to 32 event types are wanted.");
    json_array_foreach(array, index, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name == NULL || (strcmp(name, "*") != 0 && !webhook_is_kind(slice_str(name)))) {
            rest_fault(faults, "", field, "There is no event type of this name.");
            continue;
        }
        int written =
            snprintf(text + len, WEBHOOK_TYPES_SIZE - len, "%s%s", len == 0 ? "" : ",", name);
        if (written > 0 && (size_t)written < WEBHOOK_TYPES_SIZE - len)
            len += (size_t)written;
    }
    return slice_of(text, faults->n > 0 ? 0 : len);
}

void webhook_refuse_faults(struct rpc_call *call, const struct rest_faults *faults)
{
    struct rest_detail *details = rpc_alloc(call, faults->n, sizeof *details);
    if (details == NULL)
        return;
    for (unsigned i = 0; i < faults->n; i++)
        details[i] = (struct rest_detail){faults->row[i].field, faults->row[i].issue, NULL};
    rest_refuse(call, &(struct rest_error){.status = 400,
                                           .name = "VALIDATION_ERROR",
                                           .message = "The request is not valid: see details.",
                                           .details = details,
                                           .n_details = faults->n});
}

void webhook_refuse_id(struct rpc_call *call)
{
    rest_refuse(call, &(struct rest_error){.status = 404,
                                           .name = "INVALID_RESOURCE_ID",
                                           .message = "There is nothing of this id."});
}

bool webhook_done(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason)
{
    if (outcome == LEDGER_DONE)
        return true;
    rpc_refuse_outcome(call, outcome, reason, NULL);
    return false;
}
