/*
 * sign_key.h: the Ed25519 keys (RFC 8032, the pure variant) that files are signed with: ours, in PEM (PKCS #8) of mode
 * 0600 without a passphrase, and banks' public ones, in PEM (SubjectPublicKeyInfo).
 */
#ifndef UJRAT_SETTLE_SIGN_KEY_H
#define UJRAT_SETTLE_SIGN_KEY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum { SIGN_SIZE = 64 };

struct sign_key;

/* ERR_SYS; ERR_INVALID: others may read it; ERR_PARSE: it is no private Ed25519 key, or has a passphrase. */
MUST_CHECK err_t sign_key_read(const char *path, struct sign_key **out);

/* ERR_SYS (ENOENT: there is none), ERR_PARSE. */
MUST_CHECK err_t sign_key_read_public(const char *path, struct sign_key **out);

void sign_key_free(struct sign_key **key);

MUST_CHECK err_t sign_key_sign(const struct sign_key *key, struct slice bytes,
                               unsigned char signature[SIGN_SIZE]);

/* False for whatever is not this key's signature of these bytes, of any length. */
MUST_CHECK bool sign_key_verify(const struct sign_key *key, struct slice bytes,
                                struct slice signature);

#endif
