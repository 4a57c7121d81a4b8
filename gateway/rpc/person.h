/* person.h: what the ledger keeps encrypted of a person, in clear, for an answer. */
#ifndef UJRAT_RPC_PERSON_H
#define UJRAT_RPC_PERSON_H

#include "base/arena.h"
#include "domain/reason.h"
#include "ledger/pii_box.h"
#include "ledger/rows.h"

struct rpc_ctx;

/* The columns key_id, sealed, and the five commitments, in the order of enum pii_field. */
enum { PERSON_COLUMNS = 2 + PII_FIELDS };

/* Decrypts them, `col` being the first, into the arena. What does not open, for want of its key or because it is not what
 * was stored, is INTERNAL, and the log says why. */
MUST_CHECK reason_t person_read(struct rpc_ctx *ctx, const struct rows *rows, int row, int col,
                                struct arena *arena, struct slice value[PII_FIELDS]);

/* Opens a box into `room`, which has box.len bytes; a key that is not known yet is looked for in the file first. */
MUST_CHECK enum pii_result person_box_open(struct rpc_ctx *ctx, const struct pii_place *place,
                                           int16_t key_id, struct slice box, uint8_t *room,
                                           struct slice *text);

/* Takes the file of keys as it is now, if it has changed; the log says so. */
void person_refresh_keys(struct rpc_ctx *ctx);

#endif
