/* routes.h: the rows of rest_routes[], each defined in the file named beside it. */
#ifndef UJRAT_REST_ROUTES_H
#define UJRAT_REST_ROUTES_H

#include "gateway/rest/rest.h"

extern const struct rest_route rest_oauth_token;                /* oauth_token.c */
extern const struct rest_route rest_create_batch;               /* payouts_create.c */
extern const struct rest_route rest_get_batch, rest_find_batch; /* payouts_get.c */
extern const struct rest_route rest_get_item, rest_cancel_item; /* payouts_item.c */
extern const struct rest_route rest_claim_get, rest_claim_post; /* claim_page.c */

/* webhook_endpoints.c */
extern const struct rest_route rest_create_webhook, rest_list_webhooks, rest_get_webhook,
    rest_update_webhook, rest_delete_webhook, rest_get_webhook_types, rest_list_webhook_kinds;
/* webhook_events.c */
extern const struct rest_route rest_list_webhook_events, rest_get_webhook_event,
    rest_resend_webhook_event, rest_resend_webhook_events, rest_simulate_webhook_event;
extern const struct rest_route rest_verify_webhook, rest_get_webhook_cert; /* webhook_verify.c */

#endif
