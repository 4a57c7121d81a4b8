/*
 * sandbox.h: PayPal's test values (docs/paypal.md lists them with their source), for clients that were added with --sandbox
 * and nobody else. Each function answers the call and returns true, or does nothing and returns false.
 */
#ifndef UJRAT_REST_SANDBOX_H
#define UJRAT_REST_SANDBOX_H

#include "gateway/rest/batch_in.h"
#include "gateway/rest/rest.h"

MUST_CHECK bool sandbox_create(struct rpc_call *call, const struct rest_batch_in *batch);
MUST_CHECK bool sandbox_get_batch(struct rpc_call *call, struct slice id);
MUST_CHECK bool sandbox_get_item(struct rpc_call *call, struct slice id);
MUST_CHECK bool sandbox_cancel_item(struct rpc_call *call, struct slice id);

#endif
