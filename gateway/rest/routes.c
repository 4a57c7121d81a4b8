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
    &rest_claim_get,
    &rest_claim_post,
    NULL,
};
