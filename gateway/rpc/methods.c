/* Every method the gateway answers. A new one: its row here, its file beside this one. */
#include "gateway/rpc/methods.h"

#include <stddef.h>

#include "gateway/rpc/rpc.h"

const struct rpc_method *const rpc_methods[] = {
    &rpc_submit_payout,   &rpc_submit_payouts,       &rpc_create_quote,
    &rpc_get_balance,     &rpc_register_beneficiary, &rpc_update_beneficiary,
    &rpc_get_beneficiary, &rpc_list_beneficiaries,   NULL,
};
