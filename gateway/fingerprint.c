#include "gateway/fingerprint.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/pii_keys.h"

struct fingerprinter {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    EVP_MAC *mac;
    EVP_MAC_CTX *keyed;
};

static bool set_up(struct fingerprinter *f, const uint8_t *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
        OSSL_PARAM_construct_end()};
    f->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    f->ctx = EVP_MD_CTX_new();
    f->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    f->keyed = f->mac == NULL ? NULL : EVP_MAC_CTX_new(f->mac);
    return f->md != NULL && f->ctx != NULL && f->keyed != NULL &&
           EVP_DigestInit_ex2(f->ctx, f->md, NULL) == 1 &&
           EVP_MAC_init(f->keyed, key, PII_KEY_SIZE, params) == 1;
}

err_t fingerprinter_new(const uint8_t *key, struct fingerprinter **out)
{
    struct fingerprinter *f = calloc(1, sizeof(*f));
    *out = NULL;
    if (f == NULL)
        return err_make(ERR_NO_MEMORY, "fingerprinter");
    if (!set_up(f, key)) {
        fingerprinter_free(&f);
        return err_make(ERR_UNSUPPORTED, "HMAC-SHA-256");
    }
    *out = f;
    return err_none();
}

void fingerprinter_free(struct fingerprinter **f)
{
    if (*f == NULL)
        return;
    EVP_MAC_CTX_free((*f)->keyed);
    EVP_MAC_free((*f)->mac);
    EVP_MD_CTX_free((*f)->ctx);
    EVP_MD_free((*f)->md);
    free(*f);
    *f = NULL;
}

static size_t put(uint8_t *bytes, size_t at, struct slice field)
{
    assert(field.len <= UINT16_MAX && at + 2 + field.len <= FINGERPRINT_BYTES_MAX);
    bytes[at] = (uint8_t)(field.len >> 8);
    bytes[at + 1] = (uint8_t)field.len;
    if (field.len > 0)
        memcpy(bytes + at + 2, field.p, field.len);
    return at + 2 + field.len;
}

void fingerprint_of(struct fingerprinter *f, const char *what, const struct slice *fields, size_t n,
                    uint8_t out[FINGERPRINT_SIZE])
{
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    size_t mac_len = 0;
    size_t len = put(bytes, 0, slice_str(what));
    for (size_t i = 0; i < n; i++)
        len = put(bytes, len, fields[i]);
    /* They have been set up with this digest and key before and cannot fail for want of memory. */
    int done = EVP_DigestInit_ex2(f->ctx, NULL, NULL) == 1 &&
               EVP_DigestUpdate(f->ctx, bytes, len) == 1 &&
               EVP_DigestFinal_ex(f->ctx, digest, &digest_len) == 1 &&
               EVP_MAC_init(f->keyed, NULL, 0, NULL) == 1 &&
               EVP_MAC_update(f->keyed, digest, FINGERPRINT_SIZE) == 1 &&
               EVP_MAC_final(f->keyed, digest, &mac_len, sizeof(digest)) == 1;
    assert(done && digest_len >= FINGERPRINT_SIZE && mac_len >= FINGERPRINT_SIZE);
    memcpy(out, digest, FINGERPRINT_SIZE);
    OPENSSL_cleanse(bytes, len);
}
