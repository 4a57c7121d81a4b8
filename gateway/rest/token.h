/*
 * token.h: bearer tokens, which nobody stores: base64url of
 *
 *     version 1 | kind | credential_id (4) | issued (8) | expires (8) | random (8) | HMAC-SHA-256 (32) of all before
 *
 * numbers big-endian, times in Unix seconds, the HMAC under the credential's token_key. So a token is good until it expires,
 * or its credential is disabled or gets another token_key (`ujrat rest client rotate`). Pure: no clock, no I/O.
 */
#ifndef UJRAT_REST_TOKEN_H
#define UJRAT_REST_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hex.h"
#include "base/str.h"

enum rest_token_kind { REST_TOKEN_ACCESS = 1, REST_TOKEN_REFRESH = 2 };

enum {
    REST_TOKEN_KEY_SIZE = 32,
    REST_TOKEN_RANDOM_SIZE = 8,
    REST_TOKEN_SIGNED_SIZE = 2 + 4 + 8 + 8 + REST_TOKEN_RANDOM_SIZE,
    REST_TOKEN_BYTES = REST_TOKEN_SIGNED_SIZE + 32,
    REST_TOKEN_SIZE = BASE64URL_SIZE(REST_TOKEN_BYTES),
};

struct rest_token {
    enum rest_token_kind kind;
    int32_t credential_id;
    int64_t issued_s, expires_s;
    uint8_t random[REST_TOKEN_RANDOM_SIZE];
};

/* Returns the length; out ends with a NUL. */
size_t rest_token_make(const struct rest_token *token, const uint8_t key[REST_TOKEN_KEY_SIZE],
                       char out[REST_TOKEN_SIZE]);

/* What a token says of itself, to find its credential. Nothing of it is to be believed before rest_token_check(). */
MUST_CHECK bool rest_token_read(struct slice text, struct rest_token *out);

enum rest_token_verdict {
    REST_TOKEN_GOOD,
    REST_TOKEN_FORGED,     /* no token, or not made with this key */
    REST_TOKEN_WRONG_KIND, /* a refresh token where an access token belongs, or the reverse */
    REST_TOKEN_EXPIRED,
};

MUST_CHECK enum rest_token_verdict rest_token_check(struct slice text, enum rest_token_kind kind,
                                                    int64_t now_s,
                                                    const uint8_t key[REST_TOKEN_KEY_SIZE]);

/* SHA-256(salt, secret), as a credential's secret is kept. */
enum { REST_SALT_SIZE = 16, REST_SECRET_HASH_SIZE = 32 };
void rest_secret_hash(const uint8_t salt[REST_SALT_SIZE], struct slice secret,
                      uint8_t out[REST_SECRET_HASH_SIZE]);

#endif
