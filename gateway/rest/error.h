/*
 * error.h: refusals as the REST API says them. One table leads from our reasons to the names that PayPal has for the same;
 * reasons without one keep their own, which is ErrorInfo.reason in gRPC.
 */
#ifndef UJRAT_REST_ERROR_H
#define UJRAT_REST_ERROR_H

#include "domain/reason.h"
#include "gateway/rest/rest.h"

struct rest_reason {
    unsigned status;
    const char *name;
};
struct rest_reason rest_reason_of(reason_t reason);

/* The name that an item's errors have, for a reason of ours or a bank's ISO 20022 code (empty: none). */
const char *rest_item_error_name(reason_t reason);

/* The whole body. */
void rest_error_write(struct json_out *json, const struct rest_error *error, const char *debug_id);

#endif
