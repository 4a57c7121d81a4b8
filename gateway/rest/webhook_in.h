/* webhook_in.h: what the routes of webhooks have in common. */
#ifndef UJRAT_REST_WEBHOOK_IN_H
#define UJRAT_REST_WEBHOOK_IN_H

#include "gateway/rest/json_in.h"
#include "gateway/rest/routes.h"

enum { WEBHOOK_ID_LEN = 17, WEBHOOK_TYPES_SIZE = 2048, WEBHOOK_TYPES_MAX = 32 };

/* The body as an object (json_decref it); NULL: it is none, and the call was refused (400 MALFORMED_REQUEST_JSON). */
json_t *webhook_body(struct rpc_call *call, const struct rest_request *request);

/* One of the event types that there are. */
bool webhook_is_kind(struct slice name);

/* An array of {"name": ...} as one text with commas between, in the arena; each a kind we have, or "*". Empty: there is a fault. */
struct slice webhook_types(struct rpc_call *call, struct rest_faults *faults, const json_t *array,
                           const char *field);

/* 400 VALIDATION_ERROR with all faults. */
void webhook_refuse_faults(struct rpc_call *call, const struct rest_faults *faults);
/* 404 INVALID_RESOURCE_ID. */
void webhook_refuse_id(struct rpc_call *call);

/* False: it is not so, and the call is over. */
MUST_CHECK bool webhook_done(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason);

#endif
