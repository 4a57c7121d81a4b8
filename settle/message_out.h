/*
 * message_out.h: the bytes of a file to a bank. They follow from its row (number, message, time, content) and from what the
 * content names in the ledger, which does not change: so they come out the same however often they are made.
 */
#ifndef UJRAT_SETTLE_MESSAGE_OUT_H
#define UJRAT_SETTLE_MESSAGE_OUT_H

#include "base/log.h"
#include "ledger/pii.h"
#include "settle/content.h"
#include "settle/db.h"
#include "settle/file_out.h"

struct message_out {
    struct settle_db *db;
    struct pii *pii;
    struct log *log;
    int16_t bank_id;
    const char *bank; /* its four letters */
    const char *message; /* "pacs.008.001.08" */
    int64_t file_no;
    int64_t created_us; /* whole milliseconds: a message has no more */
    struct file_content *content;
    enum settle_result result; /* of the ledger, when message_out_body() fails for it */
    char problem[512];
};

/* Of a file of instructions: looks at each, leaves out what cannot be said, and fills in the content's totals. Others know
 * theirs: then it does nothing. */
MUST_CHECK enum settle_result message_out_plan(struct message_out *m);

/* A file_out_body. On an error, problem (and result) say why. */
MUST_CHECK err_t message_out_body(void *user, struct file_sink *sink);

/* MsgId: "MUCB-00000017". */
enum { MESSAGE_ID_SIZE = 24 };
void message_out_id(const char *bank, int64_t file_no, char out[MESSAGE_ID_SIZE]);

#endif
