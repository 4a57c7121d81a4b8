/* GetReceipt: a payout with all that proves it, in one file. */
#include "gateway/rpc/log_entries.h"
#include "gateway/rpc/log_receipt_json.h"
#include "gateway/rpc/methods.h"

#include <stdlib.h>

static void answer(struct rpc_call *call)
{
    const struct log_entries *entries = call->state;
    struct wire_get_receipt_response response = {.present = true};
    if (entries->accepted == NULL) {
        log_book_damaged(call, "journal", entries->payout_id);
        return;
    }
    json_t *json = log_receipt_json(entries);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    response.receipt = slice_str(text);
    if (text == NULL)
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
    else
        rpc_reply(call, &wire_get_receipt_response_type, &response);
    free(text);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_receipt_request *r = request;
    struct log_entries *entries = rpc_alloc(call, 1, sizeof(*entries));
    if (entries == NULL)
        return;
    call->state = entries;
    entries->field = "payout";
    entries->wants_person = true;
    reason_t reason = log_payout_of(call, r->payout, &entries->book, &entries->payout_id);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "payout");
    else
        log_entries_ask(call, 0, answer);
}

const struct rpc_method rpc_get_receipt = {
    .path = "/ujrat.audit.v1.AuditService/GetReceipt",
    .roles = ROLE_AUDITOR | ROLE_PLATFORM,
    .request = &wire_get_receipt_request_type,
    .handle = handle,
};
