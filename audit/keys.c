#include "audit/keys.h"

#include "base/hex.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define RAW_BYTES       32
#define SIGNATURE_BYTES 64

struct public_key {
    EVP_PKEY *pkey;
    unsigned char raw[RAW_BYTES];
    char id[KEY_ID_SIZE];
};

void key_id_of(struct slice raw, char out[KEY_ID_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};

    if (EVP_Digest(raw.p, raw.len, digest, NULL, EVP_sha256(), NULL) != 1)
        memset(digest, 0, sizeof digest);
    (void)hex_encode(digest, 8, out);
}

err_t public_key_new(struct slice raw, struct public_key **out)
{
    struct public_key *key;

    if (raw.len != RAW_BYTES)
        return err_make(ERR_INVALID, "a public key has 32 bytes");
    key = calloc(1, sizeof *key);
    if (key == NULL)
        return err_make(ERR_NO_MEMORY, "public key");
    memcpy(key->raw, raw.p, RAW_BYTES);
    key_id_of(raw, key->id);
    key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, RAW_BYTES);
    if (key->pkey == NULL) {
        free(key);
        return err_make(ERR_INVALID, "no Ed25519 public key");
    }
    *out = key;
    return err_none();
}

void public_key_free(struct public_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

const char *public_key_id(const struct public_key *key)
{
    return key->id;
}

struct slice public_key_raw(const struct public_key *key)
{
    return slice_of(key->raw, RAW_BYTES);
}

bool public_key_signed(const struct public_key *key, struct slice message, struct slice signature)
{
    EVP_MD_CTX *ctx;
    bool ok;

    if (signature.len != SIGNATURE_BYTES)
        return false;
    ctx = EVP_MD_CTX_new();
    ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
         EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                          (const unsigned char *)message.p, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* ---------------------------------------------------------------- what the auditor was given */

static bool add_key(const char *path, EVP_PKEY *pkey, struct trusted_keys *out)
{
    unsigned char raw[RAW_BYTES];
    size_t len = sizeof raw;

    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1) {
        complain("%s: a key in it is not an Ed25519 key", path);
        return false;
    }
    if (trusted_keys_find(out, slice_of(raw, len)) != NULL)
        return true;
    if (out->n == KEYS_TRUSTED_MAX) {
        complain("more than %d keys", KEYS_TRUSTED_MAX);
        return false;
    }
    if (err_failed(public_key_new(slice_of(raw, len), &out->keys[out->n]))) {
        complain("%s: a key in it cannot be used", path);
        return false;
    }
    out->n++;
    return true;
}

bool trusted_keys_read_file(const char *path, struct trusted_keys *out)
{
    BIO *in = BIO_new_file(path, "r");
    size_t found = 0;
    bool ok = true;
    EVP_PKEY *pkey;

    if (in == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    while (ok && (pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL)) != NULL) {
        ok = add_key(path, pkey, out);
        EVP_PKEY_free(pkey);
        found++;
    }
    BIO_free(in);
    if (ok && found == 0) {
        complain("%s: there is no public key in it (PEM, \"-----BEGIN PUBLIC KEY-----\")", path);
        return false;
    }
    return ok;
}

bool trusted_keys_read(const struct args *args, const char *name, struct trusted_keys *out)
{
    const char *path;
    size_t at = 0;

    *out = (struct trusted_keys){.n = 0};
    while ((path = args_next(args, name, &at)) != NULL)
        if (!trusted_keys_read_file(path, out))
            return false;
    return true;
}

void trusted_keys_free(struct trusted_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        public_key_free(&keys->keys[i]);
    keys->n = 0;
}

const struct public_key *trusted_keys_find(const struct trusted_keys *keys, struct slice raw)
{
    for (size_t i = 0; i < keys->n; i++)
        if (slice_equal(public_key_raw(keys->keys[i]), raw))
            return keys->keys[i];
    return NULL;
}
