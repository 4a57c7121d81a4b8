/*
 * ids.h: the names that batches and items have in the REST API, and the references that their payouts have. Pure.
 *
 * payout_batch_id and payout_item_id are 13 characters of Crockford's base32, upper case: of batch_id << 14 | item_no,
 * item_no 0 standing for the batch itself. They say nothing to another platform: an id is looked up in the caller's book.
 */
#ifndef UJRAT_REST_IDS_H
#define UJRAT_REST_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
    REST_ID_LEN = 13,
    REST_ID_SIZE = REST_ID_LEN + 1,
    REST_ITEM_NO_MAX = (1 << 14) - 1,
    REST_REFERENCE_STEM_LEN = 29, /* "PP-" and 26 characters */
    REST_REFERENCE_SIZE = REST_REFERENCE_STEM_LEN + 1 + 5 + 1,
};
#define REST_BATCH_ID_MAX 999999999999LL

/* batch_id is 1..REST_BATCH_ID_MAX, item_no 0..REST_ITEM_NO_MAX (asserted). */
const char *rest_id_write(int64_t batch_id, int32_t item_no, char out[REST_ID_SIZE]);

/* False: no id of ours, to the letter (lower case is none). */
MUST_CHECK bool rest_id_read(struct slice text, int64_t *batch_id, int32_t *item_no);

/*
 * "PP-" and the first 26 characters of the lower-case base32 (RFC 4648) of SHA-256(sender_batch_id), or of a NUL and the
 * request id where there is no sender_batch_id: so an item sent again has the reference it had before, and cannot be
 * paid twice. Whoever has a sender_batch_id is named by it alone.
 */
void rest_reference_stem(struct slice sender_batch_id, struct slice request_id,
                         char out[REST_REFERENCE_STEM_LEN + 1]);
/* The stem, '-', and the number of the item; returns the length. */
size_t rest_reference_write(const char stem[REST_REFERENCE_STEM_LEN + 1], int32_t item_no,
                            char out[REST_REFERENCE_SIZE]);

#endif
