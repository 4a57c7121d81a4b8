/* quote_row.h: a row of the statement quote_get. */
#ifndef UJRAT_RPC_QUOTE_ROW_H
#define UJRAT_RPC_QUOTE_ROW_H

#include "gateway/rpc/payout_draft.h"

void quote_row_read(const struct rows *rows, int row, struct quote_row *out);

#endif
