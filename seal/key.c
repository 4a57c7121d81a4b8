#include "seal/key.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/secret_file.h"

struct seal_key {
    EVP_PKEY *pkey;
    unsigned char public_key[SEAL_PUBLIC_KEY_SIZE];
    char id[SEAL_KEY_ID_SIZE];
};

/* Takes over pkey, also when it fails. */
static err_t wrap(EVP_PKEY *pkey, struct seal_key **out)
{
    size_t len = SEAL_PUBLIC_KEY_SIZE;
    struct seal_key *key = calloc(1, sizeof *key);
    *out = NULL;
    if (pkey == NULL || key == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, key->public_key, &len) != 1) {
        EVP_PKEY_free(pkey);
        free(key);
        return err_make(ERR_PARSE, "an Ed25519 key");
    }
    key->pkey = pkey;
    seal_key_id(key->public_key, key->id);
    *out = key;
    return err_none();
}

err_t seal_key_generate(struct seal_key **out)
{
    return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), out);
}

err_t seal_key_from_seed(const unsigned char seed[SEAL_KEY_SEED_SIZE], struct seal_key **out)
{
    return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SEAL_KEY_SEED_SIZE),
                out);
}

/* No key of ours has a passphrase: without this the library would ask at the terminal. (Its type is OpenSSL's.) */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *to, int size, int writing, void *user)
{
    (void)to, (void)size, (void)writing, (void)user;
    return -1;
}

err_t seal_key_read(const char *path, struct seal_key **out)
{
    char pem[4096];
    size_t len;
    *out = NULL;
    err_t err = secret_file_read(path, pem, sizeof pem, &len, NULL);
    if (err_failed(err))
        return err;
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    err = wrap(bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL), out);
    BIO_free(bio);
    explicit_bzero(pem, sizeof pem);
    return err;
}

err_t seal_key_write(const struct seal_key *key, const char *path)
{
    BUF_MEM *pem = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
        BIO_get_mem_ptr(bio, &pem) != 1) {
        BIO_free(bio);
        return err_make(ERR_TLS, "write the key");
    }
    err_t err = err_none();
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        err = err_sys("make the key file");
    } else if (write(fd, pem->data, pem->length) != (ssize_t)pem->length || fsync(fd) != 0) {
        err = err_sys("write the key file");
        (void)unlink(path);
    }
    if (fd >= 0)
        close(fd);
    BIO_free(bio);
    return err;
}

void seal_key_free(struct seal_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

const unsigned char *seal_key_public(const struct seal_key *key)
{
    return key->public_key;
}

const char *seal_key_name(const struct seal_key *key)
{
    return key->id;
}

err_t seal_key_sign(const struct seal_key *key, struct slice bytes,
                    unsigned char signature[SEAL_SIGNATURE_SIZE])
{
    size_t len = SEAL_SIGNATURE_SIZE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
             EVP_DigestSign(ctx, signature, &len, (const unsigned char *)bytes.p, bytes.len) == 1 &&
             len == SEAL_SIGNATURE_SIZE;
    EVP_MD_CTX_free(ctx);
    return ok ? err_none() : err_make(ERR_TLS, "sign");
}

void seal_key_id(const unsigned char public_key[SEAL_PUBLIC_KEY_SIZE], char out[SEAL_KEY_ID_SIZE])
{
    unsigned char hash[SEAL_HASH_SIZE] = {0};
    (void)EVP_Digest(public_key, SEAL_PUBLIC_KEY_SIZE, hash, NULL, EVP_sha256(), NULL);
    (void)hex_encode(hash, (SEAL_KEY_ID_SIZE - 1) / 2, out);
}

static EVP_PKEY *public_only(struct slice public_key)
{
    if (public_key.len != SEAL_PUBLIC_KEY_SIZE)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)public_key.p,
                                       public_key.len);
}

bool seal_key_verify(struct slice public_key, struct slice bytes, struct slice signature)
{
    EVP_PKEY *pkey = public_only(public_key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey != NULL && ctx != NULL && signature.len == SEAL_SIGNATURE_SIZE &&
                EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                                 (const unsigned char *)bytes.p, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

err_t seal_key_public_pem(struct slice public_key, char out[SEAL_KEY_PEM_SIZE])
{
    BUF_MEM *pem = NULL;
    EVP_PKEY *pkey = public_only(public_key);
    BIO *bio = BIO_new(BIO_s_mem());
    err_t err = err_make(ERR_TLS, "a public key");
    if (pkey != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, pkey) == 1 &&
        BIO_get_mem_ptr(bio, &pem) == 1)
        err = slice_copy(slice_of(pem->data, pem->length), out, SEAL_KEY_PEM_SIZE);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return err;
}
