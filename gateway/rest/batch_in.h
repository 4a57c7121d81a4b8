/*
 * batch_in.h: from the JSON body of POST /v1/payments/payouts to a batch, or to everything that is wrong with it. Pure:
 * what depends on the ledger (is the receiver known, does the float cover it) comes after.
 */
#ifndef UJRAT_REST_BATCH_IN_H
#define UJRAT_REST_BATCH_IN_H

#include <stdint.h>

#include "domain/receiver.h"
#include "gateway/rest/json_in.h"
#include "ledger/batch.h"

enum {
    REST_BATCH_ITEMS_MAX = 15000,
    REST_BATCH_DIGEST_SIZE = 32,
    REST_SENDER_BATCH_ID_CHARS_MAX = 256,
    REST_SENDER_ITEM_ID_CHARS_MAX = 63,
    REST_SUBJECT_CHARS_MAX = 255,
    REST_MESSAGE_CHARS_MAX = 1000,
    REST_NOTE_CHARS_MAX = 4000,
};

struct rest_item_in {
    enum recipient_type recipient_type;
    enum receiver_kind kind; /* NONE: by beneficiary_id */
    int64_t beneficiary_id;
    int64_t gross;                     /* minor units of the batch's currency */
    struct slice receiver;             /* as it was sent */
    struct slice normal;               /* what it is looked up by; empty for NONE */
    struct slice note, sender_item_id; /* may be empty */
};

struct rest_batch_in {
    struct slice sender_batch_id, email_subject, email_message; /* may be empty */
    uint16_t ccy;
    struct slice ccy_code;
    int64_t amount; /* of all */
    uint32_t n;
    struct rest_item_in *items;
    uint8_t digest
        [REST_BATCH_DIGEST_SIZE]; /* SHA-256 over all of the above: what makes two bodies the same */
};

enum rest_batch_result {
    REST_BATCH_GOOD,
    REST_BATCH_MALFORMED, /* no JSON: why says */
    REST_BATCH_FAULTY,    /* faults says */
    REST_BATCH_NO_ROOM,   /* in the arena */
};

/* platform: the code in names of beneficiaries. All slices are in the arena (faults->arena). */
MUST_CHECK enum rest_batch_result rest_batch_decode(struct slice body, const char *platform,
                                                    struct rest_faults *faults,
                                                    struct rest_batch_in *out,
                                                    char why[JSON_IN_WHY_SIZE]);

/* The note as remittance information: blanks for what a bank cannot print, none at the ends, at most 140 characters. */
MUST_CHECK bool rest_note_as_info(struct arena *arena, struct slice note, struct slice *out);

#endif
