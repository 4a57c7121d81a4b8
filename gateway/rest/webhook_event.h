/*
 * webhook_event.h: the text of an event, as it is sent and as it is shown (docs/webhooks.md). It follows from the event's row and rows that
 * never change, so that it is the same to the byte whenever it is made. Nothing personal is in it.
 */
#ifndef UJRAT_REST_WEBHOOK_EVENT_H
#define UJRAT_REST_WEBHOOK_EVENT_H

#include "gateway/rest/json_out.h"
#include "ledger/rows.h"

/* Columns of webhook_event_get.sql, with which those of every statement that gives events begin. */
enum {
    EVENT_BOOK,
    EVENT_NO,
    EVENT_NAME,
    EVENT_DESCRIPTION,
    EVENT_STATUS,
    EVENT_BATCH,
    EVENT_ITEM,
    EVENT_PAYOUT,
    EVENT_REASON,
    EVENT_REASON_CODE,
    EVENT_FEES,
    EVENT_AT,
    EVENT_SIMULATED,
    EVENT_SENDER_BATCH,
    EVENT_ITEMS,
    EVENT_CCY,
    EVENT_AMOUNT,
    EVENT_BATCH_AT,
    EVENT_SENDER_ITEM,
    EVENT_GROSS,
    EVENT_RECIPIENT_TYPE,
    EVENT_COLUMNS,
};

/* The members of the event's object, into one that is open. base_url: before the paths of its links. */
void webhook_event_write(struct json_out *json, const struct rows *rows, int row,
                         struct slice base_url);

/* The whole of it, into an empty buffer: what notifier_config.write_event wants. */
MUST_CHECK err_t webhook_event_text(const struct rows *rows, int row, const char *base_url,
                                    struct buf *out);

#endif
