/* methods.h: the rows of rpc_methods[], each defined in the file named beside it. */
#ifndef UJRAT_RPC_METHODS_H
#define UJRAT_RPC_METHODS_H

#include "gateway/rpc/rpc.h"

extern const struct rpc_method rpc_submit_payout, rpc_submit_payouts; /* payout_submit.c */
extern const struct rpc_method rpc_create_quote;                      /* quote_create.c */
extern const struct rpc_method rpc_get_balance;                       /* balance_get.c */
extern const struct rpc_method rpc_register_beneficiary,
    rpc_update_beneficiary; /* beneficiary_register.c */
extern const struct rpc_method rpc_get_beneficiary, rpc_list_beneficiaries; /* beneficiary_get.c */

#endif
