#include "settle/sign_key.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret_file.h"

enum { PEM_BYTES_MAX = 4096 };

struct sign_key {
    EVP_PKEY *pkey;
};

/* Takes over pkey, also when it fails. */
static err_t wrap(EVP_PKEY *pkey, struct sign_key **out)
{
    struct sign_key *key = calloc(1, sizeof *key);
    *out = NULL;
    if (pkey == NULL || key == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        free(key);
        return err_make(ERR_PARSE, "not an Ed25519 key in PEM");
    }
    key->pkey = pkey;
    *out = key;
    return err_none();
}

/* No key of ours has a passphrase: without this the library would ask at the terminal. (Its type is OpenSSL's.) */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *to, int size, int writing, void *user)
{
    (void)to, (void)size, (void)writing, (void)user;
    return -1;
}

err_t sign_key_read(const char *path, struct sign_key **out)
{
    char pem[PEM_BYTES_MAX];
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

err_t sign_key_read_public(const char *path, struct sign_key **out)
{
    char pem[PEM_BYTES_MAX];
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_sys("open");
    ssize_t len = read(fd, pem, sizeof pem);
    err_t err = len < 0 ? err_sys("read") : err_none();
    close(fd);
    if (err_failed(err))
        return err;
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    err = wrap(bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL), out);
    BIO_free(bio);
    return err;
}

void sign_key_free(struct sign_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

err_t sign_key_sign(const struct sign_key *key, struct slice bytes,
                    unsigned char signature[SIGN_SIZE])
{
    size_t len = SIGN_SIZE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
             EVP_DigestSign(ctx, signature, &len, (const unsigned char *)bytes.p, bytes.len) == 1 &&
             len == SIGN_SIZE;
    EVP_MD_CTX_free(ctx);
    return ok ? err_none() : err_make(ERR_TLS, "sign");
}

bool sign_key_verify(const struct sign_key *key, struct slice bytes, struct slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && signature.len == SIGN_SIZE &&
                EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                                 (const unsigned char *)bytes.p, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}
