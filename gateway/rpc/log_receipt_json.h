/* log_receipt_json.h: a receipt as JSON (docs/receipt.md). */
#ifndef UJRAT_RPC_LOG_RECEIPT_JSON_H
#define UJRAT_RPC_LOG_RECEIPT_JSON_H

#include "gateway/rpc/log_entries.h"

#include <jansson.h>

/* All of it, from entries that hold a payout's journals. NULL: out of memory. */
json_t *log_receipt_json(const struct log_entries *entries);

#endif
