/*
 * claim_token.h: what a claim link ends with: base64url of
 *
 *     version 1 | credential_id (4) | book_id (4) | batch_id (8) | item_no (4) | the first 18 bytes of an HMAC-SHA-256 of all before
 *
 * numbers big-endian, the HMAC under a key made from the credential's token_key (HMAC-SHA-256 of "ujrat/claim-key/1"), never under
 * token_key itself: a link is no bearer token and the reverse. So nobody stores links: the same one can be made again at
 * any time, and all of a credential's end when its token_key is replaced. Pure.
 */
#ifndef UJRAT_REST_CLAIM_TOKEN_H
#define UJRAT_REST_CLAIM_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hex.h"
#include "base/str.h"

enum {
    CLAIM_TOKEN_KEY_SIZE = 32, /* of token_key */
    CLAIM_TOKEN_SIGNED_SIZE = 1 + 4 + 4 + 8 + 4,
    CLAIM_TOKEN_MAC_SIZE = 18,
    CLAIM_TOKEN_BYTES = CLAIM_TOKEN_SIGNED_SIZE + CLAIM_TOKEN_MAC_SIZE,
    CLAIM_TOKEN_SIZE = BASE64URL_SIZE(CLAIM_TOKEN_BYTES),
};

struct claim_token {
    int32_t credential_id, book_id;
    int64_t batch_id;
    int32_t item_no;
    uint8_t mac[CLAIM_TOKEN_MAC_SIZE]; /* as read */
};

/* Returns the length; out ends with a NUL. */
size_t claim_token_make(const struct claim_token *token, const uint8_t key[CLAIM_TOKEN_KEY_SIZE],
                        char out[CLAIM_TOKEN_SIZE]);

/* What a token says of itself. Nothing of it is to be believed before claim_token_check(). */
MUST_CHECK bool claim_token_read(struct slice text, struct claim_token *out);

/* Whether one that was read was made with this token_key; takes as long whatever the answer. */
MUST_CHECK bool claim_token_check(const struct claim_token *token,
                                  const uint8_t key[CLAIM_TOKEN_KEY_SIZE]);

#endif
