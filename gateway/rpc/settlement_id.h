/*
 * settlement_id.h: what banks are given to hold on to and to say back: resume tokens, and ids of instructions
 * (domain/instruction_id.h). Both are opaque to them, and read strictly: one text a value.
 */
#ifndef UJRAT_RPC_SETTLEMENT_ID_H
#define UJRAT_RPC_SETTLEMENT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/instruction_id.h"

/*
 * "UJ7-42-S3": the third time that we ask what became of payout 42 of book 7; "UJ7-42-R1": its first recall. kind is Inquiry.Kind of
 * the proto: 1 status, 2 recall.
 */
#define INQUIRY_ID_SIZE (INSTRUCTION_ID_SIZE + 7)

struct inquiry_id {
    int32_t kind;
    int32_t book_id;
    int64_t payout_id;
    int16_t number; /* from 1 */
};

size_t inquiry_id_write(const struct inquiry_id *id, char out[INQUIRY_ID_SIZE]);
MUST_CHECK bool inquiry_id_read(struct slice text, struct inquiry_id *id);

/* How far a bank has read a book. */
struct instruction_cursor {
    int32_t book_id;
    int64_t order_no; /* of the last payout it was sent (docs/holds.md); 0: none yet */
};

enum { INSTRUCTION_CURSORS_MAX = 256 };

/* Room for the token of n cursors: a head of 5 bytes, at most 14 a cursor, a sum of 4, in base64. */
#define INSTRUCTION_TOKEN_SIZE(n) ((9 + 14 * (size_t)(n) + 2) / 3 * 4 + 1)

/* cursors: by book, each book once; those at 0 are left out. out: INSTRUCTION_TOKEN_SIZE(n). */
size_t instruction_token_write(int16_t bank_id, const struct instruction_cursor *cursors, size_t n,
                               char *out);
/* At most INSTRUCTION_CURSORS_MAX cursors are written. An empty text is a token: of one who has read nothing. */
MUST_CHECK bool instruction_token_read(struct slice text, int16_t bank_id,
                                       struct instruction_cursor *cursors, size_t *n);

#endif
