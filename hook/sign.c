#include "hook/sign.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/secret_file.h"

enum { PEM_BYTES_MAX = 16384, RSA_BITS = 3072, HEAD_BYTES_MAX = 512, CERT_YEARS = 20 };

struct hook_keys {
    EVP_PKEY *ed25519, *rsa;
    unsigned char public_key[HOOK_PUBLIC_KEY_SIZE];
    unsigned char cert[HOOK_CERT_BYTES_MAX];
    size_t cert_len;
};

/* ---------------------------------------------------------------- files */

/* No key of ours has a passphrase: without this the library would ask at the terminal. (Its type is OpenSSL's.) */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *to, int size, int writing, void *user)
{
    (void)to, (void)size, (void)writing, (void)user;
    return -1;
}

static err_t path_of(const char *folder, const char *name, char out[PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX ? err_none() : err_make(ERR_LIMIT, "a path that long");
}

static err_t read_key(const char *folder, const char *name, int kind, EVP_PKEY **out)
{
    char path[PATH_MAX], pem[PEM_BYTES_MAX];
    size_t len;
    err_t err = path_of(folder, name, path);
    if (!err_failed(err))
        err = secret_file_read(path, pem, sizeof pem, &len, NULL);
    if (err_failed(err))
        return err;
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    *out = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    explicit_bzero(pem, sizeof pem);
    if (*out == NULL || EVP_PKEY_get_id(*out) != kind ||
        (kind == EVP_PKEY_RSA &&
         (EVP_PKEY_get_size(*out) > HOOK_RSA_BYTES_MAX || EVP_PKEY_get_bits(*out) < 2048)))
        return err_make(ERR_PARSE, kind == EVP_PKEY_RSA ? "an RSA key of 2048 to 4096 bits"
                                                        : "an Ed25519 key");
    return err_none();
}

static err_t read_cert(const char *folder, struct hook_keys *keys)
{
    char path[PATH_MAX];
    err_t err = path_of(folder, HOOK_FILE_CERT, path);
    if (err_failed(err))
        return err;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_sys("open the certificate");
    X509 *cert = PEM_read_X509(file, NULL, no_passphrase, NULL);
    (void)fclose(file);
    unsigned char *der = NULL;
    int len = cert == NULL ? -1 : i2d_X509(cert, &der);
    if (len <= 0 || len > HOOK_CERT_BYTES_MAX || X509_check_private_key(cert, keys->rsa) != 1) {
        err = err_make(ERR_INVALID, "a certificate of the RSA key");
    } else {
        memcpy(keys->cert, der, (size_t)len);
        keys->cert_len = (size_t)len;
    }
    OPENSSL_free(der);
    X509_free(cert);
    return err;
}

err_t hook_keys_load(const char *folder, struct hook_keys **out, const char **file)
{
    struct hook_keys *keys = calloc(1, sizeof *keys);
    *out = NULL;
    *file = HOOK_FILE_ED25519;
    if (keys == NULL)
        return err_make(ERR_NO_MEMORY, "keys of webhooks");
    size_t len = HOOK_PUBLIC_KEY_SIZE;
    err_t err = read_key(folder, HOOK_FILE_ED25519, EVP_PKEY_ED25519, &keys->ed25519);
    if (!err_failed(err) && EVP_PKEY_get_raw_public_key(keys->ed25519, keys->public_key, &len) != 1)
        err = err_make(ERR_TLS, "read the public key");
    if (!err_failed(err)) {
        *file = HOOK_FILE_RSA;
        err = read_key(folder, HOOK_FILE_RSA, EVP_PKEY_RSA, &keys->rsa);
    }
    if (!err_failed(err)) {
        *file = HOOK_FILE_CERT;
        err = read_cert(folder, keys);
    }
    if (err_failed(err))
        hook_keys_free(&keys);
    *out = keys;
    return err;
}

void hook_keys_free(struct hook_keys **keys)
{
    if (*keys == NULL)
        return;
    EVP_PKEY_free((*keys)->ed25519);
    EVP_PKEY_free((*keys)->rsa);
    free(*keys);
    *keys = NULL;
}

static err_t write_file(const char *folder, const char *name, mode_t mode, BIO *bio)
{
    char path[PATH_MAX];
    BUF_MEM *bytes = NULL;
    err_t err = path_of(folder, name, path);
    if (err_failed(err))
        return err;
    if (BIO_get_mem_ptr(bio, &bytes) != 1)
        return err_make(ERR_TLS, "write the key");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return err_sys("make the file");
    if (write(fd, bytes->data, bytes->length) != (ssize_t)bytes->length || fsync(fd) != 0) {
        err = err_sys("write the file");
        (void)unlink(path);
    }
    close(fd);
    return err;
}

static err_t write_key(const char *folder, const char *name, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    err_t err = bio != NULL && key != NULL &&
                        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1
                    ? write_file(folder, name, 0600, bio)
                    : err_make(ERR_TLS, "make the key");
    BIO_free(bio);
    return err;
}

/* Signed by itself: whoever wants to trust it is told so by another way than the event. */
static X509 *make_cert(EVP_PKEY *rsa, const char *name)
{
    X509 *cert = X509_new();
    if (cert == NULL)
        return NULL;
    X509_NAME *subject = X509_get_subject_name(cert);
    if (X509_set_version(cert, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert), 0) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(cert), CERT_YEARS * 365, 0, NULL) == NULL ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                   -1, 0) != 1 ||
        X509_set_issuer_name(cert, subject) != 1 || X509_set_pubkey(cert, rsa) != 1 ||
        X509_sign(cert, rsa, EVP_sha256()) <= 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

err_t hook_keys_make(const char *folder, const char *name, const char **file)
{
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    X509 *cert = rsa == NULL ? NULL : make_cert(rsa, name);
    BIO *bio = BIO_new(BIO_s_mem());
    *file = HOOK_FILE_ED25519;
    err_t err = write_key(folder, *file, ed25519);
    if (!err_failed(err)) {
        *file = HOOK_FILE_RSA;
        err = write_key(folder, *file, rsa);
    }
    if (!err_failed(err)) {
        *file = HOOK_FILE_CERT;
        err = bio != NULL && cert != NULL && PEM_write_bio_X509(bio, cert) == 1
                  ? write_file(folder, *file, 0644, bio)
                  : err_make(ERR_TLS, "make the certificate");
    }
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed25519);
    return err;
}

const unsigned char *hook_keys_public(const struct hook_keys *keys)
{
    return keys->public_key;
}

struct slice hook_keys_cert(const struct hook_keys *keys)
{
    return slice_of(keys->cert, keys->cert_len);
}

void hook_key_id(struct slice public_half, char out[HOOK_KEY_ID_SIZE])
{
    unsigned char hash[32] = {0};
    (void)EVP_Digest(public_half.p, public_half.len, hash, NULL, EVP_sha256(), NULL);
    (void)hex_encode(hash, (HOOK_KEY_ID_SIZE - 1) / 2, out);
}

/* ---------------------------------------------------------------- signatures */

uint32_t hook_crc32(struct slice bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
    }
    return ~crc;
}

/* What the standard signature is over: a copy of all of it, since Ed25519 wants it in one piece. Free it. */
static unsigned char *standard_text(struct slice id, int64_t unix_s, struct slice body, size_t *len)
{
    char head[HEAD_BYTES_MAX];
    int n = snprintf(head, sizeof head, "%.*s.%lld.", SLICE_ARG(id), (long long)unix_s);
    if (n < 0 || n >= (int)sizeof head)
        return NULL;
    unsigned char *text = malloc((size_t)n + body.len + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, head, (size_t)n);
    if (body.len > 0)
        memcpy(text + n, body.p, body.len);
    *len = (size_t)n + body.len;
    return text;
}

static bool paypal_text(struct slice transmission_id, struct slice time, struct slice webhook_id,
                        struct slice body, char out[HEAD_BYTES_MAX])
{
    int n = snprintf(out, HEAD_BYTES_MAX, "%.*s|%.*s|%.*s|%lu", SLICE_ARG(transmission_id),
                     SLICE_ARG(time), SLICE_ARG(webhook_id), (unsigned long)hook_crc32(body));
    return n > 0 && n < HEAD_BYTES_MAX;
}

err_t hook_sign_standard(const struct hook_keys *keys, struct slice id, int64_t unix_s,
                         struct slice body, char out[HOOK_STANDARD_SIZE])
{
    unsigned char signature[64];
    size_t len = sizeof signature, text_len = 0;
    unsigned char *text = standard_text(id, unix_s, body, &text_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = text != NULL && ctx != NULL &&
                EVP_DigestSignInit(ctx, NULL, NULL, NULL, keys->ed25519) == 1 &&
                EVP_DigestSign(ctx, signature, &len, text, text_len) == 1 &&
                len == sizeof signature;
    EVP_MD_CTX_free(ctx);
    free(text);
    if (!good)
        return err_make(ERR_TLS, "sign an event");
    (void)snprintf(out, HOOK_STANDARD_SIZE, "v1a,");
    (void)EVP_EncodeBlock((unsigned char *)out + 4, signature, sizeof signature);
    return err_none();
}

err_t hook_sign_paypal(const struct hook_keys *keys, struct slice transmission_id,
                       struct slice time, struct slice webhook_id, struct slice body,
                       char out[HOOK_PAYPAL_SIZE])
{
    char text[HEAD_BYTES_MAX];
    unsigned char signature[HOOK_RSA_BYTES_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        paypal_text(transmission_id, time, webhook_id, body, text) && ctx != NULL &&
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, keys->rsa) == 1 &&
        EVP_DigestSign(ctx, signature, &len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return err_make(ERR_TLS, "sign an event");
    (void)EVP_EncodeBlock((unsigned char *)out, signature, (int)len);
    return err_none();
}

/* Strict enough for a signature: of whole groups, and no longer than one may be. Returns the length, 0: it is none. */
static size_t decode_base64(struct slice text, unsigned char *out, size_t out_size)
{
    if (text.len == 0 || text.len % 4 != 0 || text.len / 4 * 3 > out_size)
        return 0;
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.len);
    for (size_t i = text.len; n > 0 && i > text.len - 2 && text.p[i - 1] == '='; i--)
        n--;
    return n > 0 ? (size_t)n : 0;
}

bool hook_verify_paypal(struct slice cert_der, struct slice transmission_id, struct slice time,
                        struct slice webhook_id, struct slice body, struct slice signature)
{
    char text[HEAD_BYTES_MAX];
    unsigned char bytes[HOOK_RSA_BYTES_MAX + 3];
    size_t len = decode_base64(signature, bytes, sizeof bytes);
    const unsigned char *at = (const unsigned char *)cert_der.p;
    X509 *cert = d2i_X509(NULL, &at, (long)cert_der.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = len > 0 && cert != NULL && ctx != NULL &&
                paypal_text(transmission_id, time, webhook_id, body, text) &&
                EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)) == 1 &&
                EVP_DigestVerify(ctx, bytes, len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    X509_free(cert);
    return good;
}

static bool verify_one(EVP_PKEY *key, struct slice signature, const unsigned char *text,
                       size_t text_len)
{
    unsigned char bytes[66];
    if (!slice_starts_with(signature, SLICE("v1a,")) ||
        decode_base64(slice_of(signature.p + 4, signature.len - 4), bytes, sizeof bytes) != 64)
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, bytes, 64, text, text_len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

bool hook_verify_standard(struct slice public_key, struct slice id, int64_t unix_s,
                          struct slice body, struct slice signature)
{
    size_t len = 0;
    unsigned char *text = standard_text(id, unix_s, body, &len);
    EVP_PKEY *key =
        public_key.len != HOOK_PUBLIC_KEY_SIZE
            ? NULL
            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                          (const unsigned char *)public_key.p, public_key.len);
    bool good = false, more = text != NULL && key != NULL;
    while (more && !good) {
        struct slice one;
        more = slice_cut(signature, ' ', &one, &signature);
        good = verify_one(key, one, text, len);
    }
    EVP_PKEY_free(key);
    free(text);
    return good;
}

void hook_transmission_id(struct slice event_id, struct slice webhook_id,
                          char out[HOOK_TRANSMISSION_ID_SIZE])
{
    unsigned char hash[32] = {0};
    char hex[HEX_SIZE(16)], text[HEAD_BYTES_MAX];
    int n = snprintf(text, sizeof text, "ujrat/transmission/1|%.*s|%.*s", SLICE_ARG(event_id),
                     SLICE_ARG(webhook_id));
    (void)EVP_Digest(text,
                     n < 0                     ? 0
                     : (size_t)n < sizeof text ? (size_t)n
                                               : sizeof text - 1,
                     hash, NULL, EVP_sha256(), NULL);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    (void)hex_encode(hash, 16, hex);
    (void)snprintf(out, HOOK_TRANSMISSION_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                   hex + 12, hex + 16, hex + 20);
}
