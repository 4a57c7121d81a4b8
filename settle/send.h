/* send.h: files to one bank: those that its rows say are to be there, and new ones for what is in none yet. */
#ifndef UJRAT_SETTLE_SEND_H
#define UJRAT_SETTLE_SEND_H

#include "settle/bank.h"

/* Makes again what a crash kept from its folder. */
MUST_CHECK enum settle_result send_missing(struct settle_ctx *ctx, struct settle_bank *bank);

/* Files of instructions, questions and fundings, until there is nothing that is in no file. */
MUST_CHECK enum settle_result send_new(struct settle_ctx *ctx, struct settle_bank *bank);

#endif
