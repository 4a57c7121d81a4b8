/*
 * sign.h: the two signatures that an event carries (docs/webhooks.md).
 *
 * Standard Webhooks 1.0: "v1a,<base64>" of Ed25519 over "id.timestamp.body". It covers every byte of the body.
 * PayPal's: RSA PKCS#1 v1.5 with SHA-256 over "transmission id|time|webhook id|crc32 of the body in decimal". It covers no more than 32 bits of
 * it, linear ones: another body of the same sum is made at once. Whoever relies on it alone relies on nothing; it is here since
 * receivers' code looks for it.
 */
#ifndef UJRAT_HOOK_SIGN_H
#define UJRAT_HOOK_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HOOK_PUBLIC_KEY_SIZE = 32,
    HOOK_KEY_ID_SIZE = 17,
    HOOK_STANDARD_SIZE = 4 + 88 + 1, /* "v1a," and a signature in base64 */
    HOOK_RSA_BYTES_MAX = 512,        /* 4096 bits */
    HOOK_PAYPAL_SIZE = 4 * ((HOOK_RSA_BYTES_MAX + 2) / 3) + 1,
    HOOK_TRANSMISSION_ID_SIZE = 37,
    HOOK_CERT_BYTES_MAX = 4096,
};

/* The file names in the folder of keys: private ones of mode 0600, and the certificate of the RSA key. */
#define HOOK_FILE_ED25519 "ed25519.pem"
#define HOOK_FILE_RSA     "rsa.pem"
#define HOOK_FILE_CERT    "rsa.crt"

struct hook_keys;

/* Reads the folder. ERR_*: a file is missing, readable by others, of another kind, or the certificate is not the RSA key's; *file (a
 * literal) says which. */
MUST_CHECK err_t hook_keys_load(const char *folder, struct hook_keys **out, const char **file);
void hook_keys_free(struct hook_keys **keys);
/* Makes the three files in a folder that has none of them; a file that is there is ERR_SYS (EEXIST), and nothing is written over. name: the
 * certificate's common name. */
MUST_CHECK err_t hook_keys_make(const char *folder, const char *name, const char **file);

/* HOOK_PUBLIC_KEY_SIZE bytes. */
const unsigned char *hook_keys_public(const struct hook_keys *keys);
/* The certificate, DER. */
struct slice hook_keys_cert(const struct hook_keys *keys);
/* The first 8 bytes of the SHA-256 of a public half, in hexadecimal. */
void hook_key_id(struct slice public_half, char out[HOOK_KEY_ID_SIZE]);

MUST_CHECK err_t hook_sign_standard(const struct hook_keys *keys, struct slice id, int64_t unix_s,
                                    struct slice body, char out[HOOK_STANDARD_SIZE]);
MUST_CHECK err_t hook_sign_paypal(const struct hook_keys *keys, struct slice transmission_id,
                                  struct slice time, struct slice webhook_id, struct slice body,
                                  char out[HOOK_PAYPAL_SIZE]);

/* Whether the signature (base64) is the certificate's over these; the certificate's dates are not looked at. */
bool hook_verify_paypal(struct slice cert_der, struct slice transmission_id, struct slice time,
                        struct slice webhook_id, struct slice body, struct slice signature);
/* The same for Ed25519; signature as in the header, of one of the "v1a," in it. */
bool hook_verify_standard(struct slice public_key, struct slice id, int64_t unix_s,
                          struct slice body, struct slice signature);

/* CRC-32 as in zlib and PayPal (ISO 3309). */
uint32_t hook_crc32(struct slice bytes);

/* The same for the same event and endpoint: a UUID (version 8, RFC 9562) of their SHA-256. */
void hook_transmission_id(struct slice event_id, struct slice webhook_id,
                          char out[HOOK_TRANSMISSION_ID_SIZE]);

#endif
