/*
 * key.h: the Ed25519 keys that a book is signed with (RFC 8032, the pure variant), and their files: PEM (PKCS #8),
 * without a passphrase, of mode 0600.
 */
#ifndef UJRAT_SEAL_KEY_H
#define UJRAT_SEAL_KEY_H

#include "base/err.h"
#include "base/str.h"
#include "seal/record.h"

enum { SEAL_KEY_SEED_SIZE = 32, SEAL_KEY_PEM_SIZE = 512 };

struct seal_key; /* a private key */

MUST_CHECK err_t seal_key_generate(struct seal_key **out);
MUST_CHECK err_t seal_key_from_seed(const unsigned char seed[SEAL_KEY_SEED_SIZE],
                                    struct seal_key **out);
/* ERR_SYS; ERR_INVALID if others may read it; ERR_PARSE if it is no Ed25519 key in PEM, or has a passphrase. */
MUST_CHECK err_t seal_key_read(const char *path, struct seal_key **out);
/* A file of mode 0600 that is not there yet (else ERR_SYS, EEXIST), on the disk when this returns. */
MUST_CHECK err_t seal_key_write(const struct seal_key *key, const char *path);
/* The library overwrites what it frees. */
void seal_key_free(struct seal_key **key);

/* SEAL_PUBLIC_KEY_SIZE bytes; the key's id, NUL-terminated. They live as long as the key. */
const unsigned char *seal_key_public(const struct seal_key *key);
const char *seal_key_name(const struct seal_key *key);

MUST_CHECK err_t seal_key_sign(const struct seal_key *key, struct slice bytes,
                               unsigned char signature[SEAL_SIGNATURE_SIZE]);

/* key_id of a public key: the first 8 bytes of its SHA-256, in hexadecimal. */
void seal_key_id(const unsigned char public_key[SEAL_PUBLIC_KEY_SIZE], char out[SEAL_KEY_ID_SIZE]);
/* False for whatever is not a signature, of any length. */
MUST_CHECK bool seal_key_verify(struct slice public_key, struct slice bytes,
                                struct slice signature);
/* "-----BEGIN PUBLIC KEY-----" ..., NUL-terminated. */
MUST_CHECK err_t seal_key_public_pem(struct slice public_key, char out[SEAL_KEY_PEM_SIZE]);

#endif
