/*
 * pii_box.h: a text about a person, encrypted for one place: a receiver's e-mail address, an item's receiver and note.
 *
 * The box is nonce (12 random bytes), AES-256-GCM of the text, tag (16 bytes), under a key of the file of keys
 * (docs/personal-data.md). The additional data names the place, so that boxes cannot change places. And the keyed hash by
 * which a receiver is found again.
 */
#ifndef UJRAT_LEDGER_PII_BOX_H
#define UJRAT_LEDGER_PII_BOX_H

#include "ledger/pii.h"

enum { PII_BOX_OVERHEAD = PII_NONCE_SIZE + PII_TAG_SIZE, PII_LOOKUP_SIZE = 32 };

/* Encrypts with the newest key, whose id is *key_id. out has text.len + PII_BOX_OVERHEAD bytes. place: "receiver", ... and what tells its
 * row from others (two numbers, and bytes that may be empty). */
struct pii_place {
    const char *table;
    int64_t a, b;
    struct slice key;
};
MUST_CHECK err_t pii_box_seal(struct pii *p, const struct pii_place *place, struct slice text,
                              uint8_t *out, int16_t *key_id);

/* out has box.len bytes; *text points into it. */
MUST_CHECK enum pii_result pii_box_open(struct pii *p, const struct pii_place *place,
                                        int16_t key_id, struct slice box, uint8_t *out,
                                        struct slice *text);

/* HMAC-SHA-256 under the fingerprint key of "ujrat/receiver/1", the kind and the normal form, each with its length before it. */
MUST_CHECK err_t pii_receiver_lookup(struct pii *p, int kind, struct slice normal,
                                     uint8_t out[PII_LOOKUP_SIZE]);

#endif
