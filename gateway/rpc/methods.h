/* methods.h: the rows of rpc_methods[], each defined in the file named beside it. */
#ifndef UJRAT_RPC_METHODS_H
#define UJRAT_RPC_METHODS_H

#include "gateway/rpc/rpc.h"

extern const struct rpc_method rpc_submit_payout, rpc_submit_payouts; /* payout_submit.c */
extern const struct rpc_method rpc_create_quote;                      /* quote_create.c */

#endif
