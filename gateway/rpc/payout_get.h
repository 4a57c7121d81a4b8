/* payout_get.h: a payout as stored, as a message: for every call that answers with payouts. */
#ifndef UJRAT_RPC_PAYOUT_GET_H
#define UJRAT_RPC_PAYOUT_GET_H

#include <stdbool.h>

#include "gateway/rpc/rpc.h"
#include "gateway/wire/payout_messages.h"

/*
 * Row `row` of one of the statements payout_get, payout_get_by_reference and payout_list. The message's slices
 * point into the rows and the call's arena. False: the call was refused for want of memory and is over.
 */
MUST_CHECK bool payout_from_row(struct rpc_call *call, const struct rows *rows, int row,
                                struct wire_payout *out);

#endif
