/*
 * fingerprint.h: what makes two requests the same: the first 16 bytes of the SHA-256 of their fields, each with its
 * length in front (two bytes, big-endian), after a text that says what they are the fields of. So no two requests that
 * differ have the same encoding, and what is retried under a reference can be told from what is new.
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

/* A digest fetched once and used again and again: looking it up costs more than the hashing. */
struct fingerprinter;

MUST_CHECK err_t fingerprinter_new(struct fingerprinter **out);
void fingerprinter_free(struct fingerprinter **f);

/* The fields together fit in FINGERPRINT_BYTES_MAX (asserted: validation has bounded them). */
void fingerprint_of(struct fingerprinter *f, const char *what, const struct slice *fields, size_t n,
                    uint8_t out[FINGERPRINT_SIZE]);

#endif
