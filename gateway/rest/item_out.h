/*
 * item_out.h: an item of a batch as the REST API shows it, from a row of the statements batch_items and batch_item_get.
 */
#ifndef UJRAT_REST_ITEM_OUT_H
#define UJRAT_REST_ITEM_OUT_H

#include "gateway/fingerprint.h"
#include "gateway/rest/ids.h"
#include "gateway/rest/rest.h"
#include "ledger/batch.h"

/* What is the same of all items of a batch. */
struct item_frame {
    int64_t batch_id;
    struct slice sender_batch_id;          /* empty: none, or not to be shown */
    uint8_t fingerprint[FINGERPRINT_SIZE]; /* of the batch: what its items' boxes are bound to */
};

/* Columns of batch_items.sql. */
enum item_column {
    ITEM_NO,
    ITEM_STATE,
    ITEM_PAYOUT_ID,
    ITEM_UNCLAIMED_ID,
    ITEM_REASON,
    ITEM_SENDER_ITEM_ID,
    ITEM_ID_REUSED,
    ITEM_SRC_CCY,
    ITEM_GROSS,
    ITEM_RECIPIENT_TYPE,
    ITEM_RECEIVER_KIND,
    ITEM_KEY_ID,
    ITEM_SEALED,
    ITEM_REFERENCE,
    ITEM_EXPIRES_AT,
    ITEM_FEE,
    ITEM_MID_RATE_E10,
    ITEM_MID_VALUE,
    ITEM_MARGIN_BPS,
    ITEM_MARGIN,
    ITEM_NET,
    ITEM_DST_CCY,
    ITEM_BENEFICIARY_ID,
    ITEM_BANK_CODE,
    ITEM_REASON_CODE,
    ITEM_BANK_REFERENCE,
    ITEM_CREATED_AT,
    ITEM_UPDATED_AT,
    ITEM_SENDER_BATCH_ID, /* batch_item_get alone */
    ITEM_CREDENTIAL_ID,
    ITEM_REQUEST_ID,
    ITEM_BATCH_FINGERPRINT,
};

/* As stored. */
void item_frame_fingerprint(struct item_frame *frame, struct slice fingerprint);

/* "SUCCESS": of a payout's state or enum batch_item_state. */
const char *item_status(int state);

/* "EMAIL": of enum recipient_type. */
const char *item_recipient_type(int64_t type);

/*
 * The member errors of an item in that state (as above), in GET and in webhooks; none where there is nothing to say. reason: of a refused one.
 * bank_code: what the bank said (ISO 20022), empty: nothing.
 */
void item_errors_write(struct json_out *json, int state, int32_t reason, struct slice bank_code);

/* What was sent as receiver and note of an item, encrypted. */
struct item_box {
    int64_t batch_id;
    int32_t item_no;
    int16_t key_id;
    struct slice sealed;      /* empty: erased */
    struct slice fingerprint; /* of the batch: what the box is bound to */
};
/* Opens one of the call's book, into its arena. Both empty once it was erased, or where it does not open, and the log says
 * why. */
void item_box_open(struct rpc_call *call, const struct item_box *box, struct slice *receiver,
                   struct slice *note);

void item_write(struct rpc_call *call, struct json_out *json, const struct item_frame *frame,
                const struct rows *rows, int row);

#endif
