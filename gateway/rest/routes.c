/* Every route of the REST API. A new one: its row here, its file beside this one. */
#include "gateway/rest/routes.h"

#include <stddef.h>

const struct rest_route *const rest_routes[] = {
    &rest_oauth_token,
    &rest_create_batch,
    &rest_find_batch,
    &rest_get_batch,
    &rest_get_item,
    &rest_cancel_item,
    &rest_create_webhook,
    &rest_list_webhooks,
    &rest_get_webhook,
    &rest_update_webhook,
    &rest_delete_webhook,
    &rest_get_webhook_types,
    &rest_list_webhook_kinds,
    &rest_list_webhook_events,
    &rest_get_webhook_event,
    &rest_resend_webhook_event,
    &rest_resend_webhook_events,
    &rest_simulate_webhook_event,
    &rest_verify_webhook,
    &rest_get_webhook_cert,
    &rest_claim_get,
    &rest_claim_post,
    NULL,
};
