/*
 * keys.h: Ed25519 public keys (RFC 8032), their names, and signatures.
 *
 * A key's name, its key_id, is the first 8 bytes of the SHA-256 of the 32-byte public key in lower-case hexadecimal
 * (docs/log-format.md).
 */
#ifndef UJRAT_AUDIT_KEYS_H
#define UJRAT_AUDIT_KEYS_H

#include "base/command.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define KEY_ID_SIZE      17 /* 16 digits and a NUL */
#define KEYS_TRUSTED_MAX 64

struct public_key;

/* From its 32 bytes. ERR_INVALID if they are no public key, ERR_NO_MEMORY. */
MUST_CHECK err_t public_key_new(struct slice raw, struct public_key **out);
void public_key_free(struct public_key **key);

const char *public_key_id(const struct public_key *key); /* lives as long as the key */
struct slice public_key_raw(const struct public_key *key);

/* Whether the signature (64 bytes) of the message is by the key. */
bool public_key_signed(const struct public_key *key, struct slice message, struct slice signature);

/* The id of 32 bytes, also if they are no key. */
void key_id_of(struct slice raw, char out[KEY_ID_SIZE]);

/* The keys that the auditor was given, in PEM files. */
struct trusted_keys {
    struct public_key *keys[KEYS_TRUSTED_MAX];
    size_t n;
};

/* Reads every file of --NAME (an option that may repeat; a file may hold several keys). False: it has told the user. */
bool trusted_keys_read(const struct args *args, const char *name, struct trusted_keys *out);
bool trusted_keys_read_file(const char *path, struct trusted_keys *out);
void trusted_keys_free(struct trusted_keys *keys);

/* The trusted key with that public half; NULL: none. */
const struct public_key *trusted_keys_find(const struct trusted_keys *keys, struct slice raw);

#endif
