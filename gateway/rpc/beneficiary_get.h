/* beneficiary_get.h: a beneficiary as it stands, for every call that answers with one. */
#ifndef UJRAT_RPC_BENEFICIARY_GET_H
#define UJRAT_RPC_BENEFICIARY_GET_H

#include "gateway/rpc/rpc.h"

/* Ends the call with the Beneficiary of that number; BENEFICIARY_NOT_FOUND. */
void beneficiary_answer(struct rpc_call *call, int64_t beneficiary_id);

#endif
