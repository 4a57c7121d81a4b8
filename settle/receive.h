/*
 * receive.h: files from one bank: each is looked at as a whole before anything of it is done, done item by item, written down
 * by its contents (file_in), and put away. Killed anywhere, the next look goes on: what was done is known to the ledger,
 * and a file whose row is there is only put away.
 */
#ifndef UJRAT_SETTLE_RECEIVE_H
#define UJRAT_SETTLE_RECEIVE_H

#include "settle/bank.h"

MUST_CHECK enum settle_result receive_files(struct settle_ctx *ctx, struct settle_bank *bank);

#endif
