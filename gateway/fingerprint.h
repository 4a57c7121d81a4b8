/*
 * fingerprint.h: what makes two requests the same: of their fields, each with its length in front (two bytes,
 * big-endian), after a text that says what they are the fields of, the first 16 bytes of the SHA-256; of these the first
 * 16 bytes of HMAC-SHA-256 with a key of our own. So no two requests that differ have the same encoding, and what is
 * retried under a reference can be told from what is new; but who reads what is stored cannot try out people's numbers
 * (a CNIC has 13 digits). The hash inside is what was stored before there was a key: 0003_personal_data.sql.
 */
#ifndef UJRAT_GATEWAY_FINGERPRINT_H
#define UJRAT_GATEWAY_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    FINGERPRINT_SIZE = 16,
    FINGERPRINT_BYTES_MAX = 8192, /* of all fields, lengths included */
};

/* Digests fetched once and used again and again: looking it up costs more than the hashing. */
struct fingerprinter;

/* key: PII_KEY_SIZE bytes, which are not needed after. */
MUST_CHECK err_t fingerprinter_new(const uint8_t *key, struct fingerprinter **out);
void fingerprinter_free(struct fingerprinter **f);

/* The fields together fit in FINGERPRINT_BYTES_MAX (asserted: validation has bounded them). */
void fingerprint_of(struct fingerprinter *f, const char *what, const struct slice *fields, size_t n,
                    uint8_t out[FINGERPRINT_SIZE]);

#endif
