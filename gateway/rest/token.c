#include "gateway/rest/token.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/be.h"

enum { VERSION = 1, MAC_SIZE = REST_TOKEN_BYTES - REST_TOKEN_SIGNED_SIZE };

static void sign(const uint8_t key[REST_TOKEN_KEY_SIZE], const uint8_t *bytes,
                 uint8_t mac[MAC_SIZE])
{
    unsigned len = 0;
    const unsigned char *made =
        HMAC(EVP_sha256(), key, REST_TOKEN_KEY_SIZE, bytes, REST_TOKEN_SIGNED_SIZE, mac, &len);
    assert(made != NULL && len == MAC_SIZE);
}

size_t rest_token_make(const struct rest_token *token, const uint8_t key[REST_TOKEN_KEY_SIZE],
                       char out[REST_TOKEN_SIZE])
{
    uint8_t bytes[REST_TOKEN_BYTES] = {VERSION, (uint8_t)token->kind};
    be_put(bytes + 2, (uint32_t)token->credential_id, 4);
    be_put(bytes + 6, (uint64_t)token->issued_s, 8);
    be_put(bytes + 14, (uint64_t)token->expires_s, 8);
    memcpy(bytes + 22, token->random, REST_TOKEN_RANDOM_SIZE);
    sign(key, bytes, bytes + REST_TOKEN_SIGNED_SIZE);
    return base64url_encode(bytes, sizeof(bytes), out);
}

static bool decode(struct slice text, uint8_t bytes[REST_TOKEN_BYTES])
{
    size_t len = 0;
    return !err_failed(base64url_decode(text, bytes, REST_TOKEN_BYTES, &len)) &&
           len == REST_TOKEN_BYTES && bytes[0] == VERSION &&
           (bytes[1] == REST_TOKEN_ACCESS || bytes[1] == REST_TOKEN_REFRESH);
}

static void fill(const uint8_t bytes[REST_TOKEN_BYTES], struct rest_token *out)
{
    *out = (struct rest_token){
        .kind = (enum rest_token_kind)bytes[1],
        .credential_id = (int32_t)(uint32_t)be_get(bytes + 2, 4),
        .issued_s = (int64_t)be_get(bytes + 6, 8),
        .expires_s = (int64_t)be_get(bytes + 14, 8),
    };
    memcpy(out->random, bytes + 22, REST_TOKEN_RANDOM_SIZE);
}

bool rest_token_read(struct slice text, struct rest_token *out)
{
    uint8_t bytes[REST_TOKEN_BYTES];
    if (!decode(text, bytes))
        return false;
    fill(bytes, out);
    return true;
}

enum rest_token_verdict rest_token_check(struct slice text, enum rest_token_kind kind,
                                         int64_t now_s, const uint8_t key[REST_TOKEN_KEY_SIZE])
{
    uint8_t bytes[REST_TOKEN_BYTES];
    uint8_t mac[MAC_SIZE];
    struct rest_token token;
    if (!decode(text, bytes))
        return REST_TOKEN_FORGED;
    sign(key, bytes, mac);
    if (CRYPTO_memcmp(mac, bytes + REST_TOKEN_SIGNED_SIZE, MAC_SIZE) != 0)
        return REST_TOKEN_FORGED;
    fill(bytes, &token);
    if (token.kind != kind)
        return REST_TOKEN_WRONG_KIND;
    return now_s < token.expires_s ? REST_TOKEN_GOOD : REST_TOKEN_EXPIRED;
}

void rest_secret_hash(const uint8_t salt[REST_SALT_SIZE], struct slice secret,
                      uint8_t out[REST_SECRET_HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned len = 0;
    const int done = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                     EVP_DigestUpdate(ctx, salt, REST_SALT_SIZE) == 1 &&
                     EVP_DigestUpdate(ctx, secret.p == NULL ? "" : secret.p, secret.len) == 1 &&
                     EVP_DigestFinal_ex(ctx, out, &len) == 1;
    EVP_MD_CTX_free(ctx);
    /* Without memory for a hash nobody can be told from anybody else: better to end here. */
    assert(done && len == REST_SECRET_HASH_SIZE);
}
