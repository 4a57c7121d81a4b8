#include "gateway/rest/claim_token.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/be.h"

enum { VERSION = 1, HASH_SIZE = 32 };

static void hmac(const uint8_t key[HASH_SIZE], const void *bytes, size_t len,
                 uint8_t out[HASH_SIZE])
{
    unsigned out_len = 0;
    const unsigned char *made = HMAC(EVP_sha256(), key, HASH_SIZE, bytes, len, out, &out_len);
    assert(made != NULL && out_len == HASH_SIZE);
}

static void write_signed(const struct claim_token *token, uint8_t out[CLAIM_TOKEN_SIGNED_SIZE])
{
    out[0] = VERSION;
    be_put(out + 1, (uint32_t)token->credential_id, 4);
    be_put(out + 5, (uint32_t)token->book_id, 4);
    be_put(out + 9, (uint64_t)token->batch_id, 8);
    be_put(out + 17, (uint32_t)token->item_no, 4);
}

static void sign(const struct claim_token *token, const uint8_t token_key[CLAIM_TOKEN_KEY_SIZE],
                 uint8_t mac[HASH_SIZE])
{
    static const char label[] = "ujrat/claim-key/1";
    uint8_t bytes[CLAIM_TOKEN_SIGNED_SIZE], key[HASH_SIZE];
    hmac(token_key, label, sizeof(label) - 1, key);
    write_signed(token, bytes);
    hmac(key, bytes, sizeof(bytes), mac);
    OPENSSL_cleanse(key, sizeof(key));
}

size_t claim_token_make(const struct claim_token *token, const uint8_t key[CLAIM_TOKEN_KEY_SIZE],
                        char out[CLAIM_TOKEN_SIZE])
{
    uint8_t bytes[CLAIM_TOKEN_BYTES], mac[HASH_SIZE];
    write_signed(token, bytes);
    sign(token, key, mac);
    memcpy(bytes + CLAIM_TOKEN_SIGNED_SIZE, mac, CLAIM_TOKEN_MAC_SIZE);
    return base64url_encode(bytes, sizeof(bytes), out);
}

bool claim_token_read(struct slice text, struct claim_token *out)
{
    uint8_t bytes[CLAIM_TOKEN_BYTES];
    size_t len = 0;
    if (err_failed(base64url_decode(text, bytes, sizeof(bytes), &len)) || len != sizeof(bytes) ||
        bytes[0] != VERSION)
        return false;
    *out = (struct claim_token){
        .credential_id = (int32_t)(uint32_t)be_get(bytes + 1, 4),
        .book_id = (int32_t)(uint32_t)be_get(bytes + 5, 4),
        .batch_id = (int64_t)be_get(bytes + 9, 8),
        .item_no = (int32_t)(uint32_t)be_get(bytes + 17, 4),
    };
    memcpy(out->mac, bytes + CLAIM_TOKEN_SIGNED_SIZE, CLAIM_TOKEN_MAC_SIZE);
    return true;
}

bool claim_token_check(const struct claim_token *token, const uint8_t key[CLAIM_TOKEN_KEY_SIZE])
{
    uint8_t mac[HASH_SIZE];
    sign(token, key, mac);
    return CRYPTO_memcmp(mac, token->mac, CLAIM_TOKEN_MAC_SIZE) == 0;
}
