#include "ledger/pii_internal.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ABSENT = 0xff, LENGTH_SIZE = 4 };

static const char record_open[] = "ujrat/pii-open/1";
static const char record_commitment[] = "ujrat/pii/1";
static const char record_aad[] = "ujrat/pii-aad/1";
static const char *const field_names[PII_FIELDS] = {"name", "iban", "mobile", "cnic", "pseb"};

/* ---------------------------------------------------------------- life */

err_t pii_new(const char *path, struct pii **out, struct pii_problem *problem)
{
    size_t path_size = strlen(path) + 1;
    struct pii *p = calloc(1, sizeof(*p) + path_size);
    *out = NULL;
    if (p == NULL)
        return err_make(ERR_NO_MEMORY, "keys of personal data");
    memcpy(p->path, path, path_size);
    err_t err = pii_keys_read(path, &p->keys, &p->seen, problem);
    if (err_failed(err))
        goto out;
    p->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    p->digest = EVP_MD_CTX_new();
    p->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    p->cipher = EVP_CIPHER_CTX_new();
    if (p->sha256 == NULL || p->digest == NULL || p->gcm == NULL || p->cipher == NULL) {
        (void)snprintf(problem->text, sizeof(problem->text), "SHA-256 or AES-256-GCM is missing");
        err = err_make(ERR_UNSUPPORTED, "SHA-256 and AES-256-GCM");
        goto out;
    }
    *out = p;
    return err_none();
out:
    pii_free(&p);
    return err;
}

void pii_free(struct pii **p)
{
    if (*p == NULL)
        return;
    EVP_CIPHER_CTX_free((*p)->cipher); /* wipes its key schedule */
    EVP_CIPHER_free((*p)->gcm);
    EVP_MD_CTX_free((*p)->digest);
    EVP_MD_free((*p)->sha256);
    pii_keys_wipe(&(*p)->keys);
    free(*p);
    *p = NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

err_t pii_refresh(struct pii *p, bool *changed, struct pii_problem *problem)
{
    struct stat st;
    struct pii_keys fresh;
    *changed = false;
    if (stat(p->path, &st) == 0 && same_file(&st, &p->seen))
        return err_none();
    err_t err = pii_keys_read(p->path, &fresh, &st, problem);
    if (err_failed(err))
        return err;
    if (CRYPTO_memcmp(fresh.fingerprint, p->keys.fingerprint, PII_KEY_SIZE) != 0) {
        (void)snprintf(problem->text, sizeof(problem->text),
                       "%s: the fingerprint key is another one than before", p->path);
        err = err_make(ERR_INVALID, "fingerprint key");
    } else {
        p->keys = fresh;
        p->seen = st;
        *changed = true;
    }
    pii_keys_wipe(&fresh);
    return err;
}

int16_t pii_newest(const struct pii *p)
{
    return pii_keys_newest(&p->keys)->id;
}

bool pii_has(const struct pii *p, int16_t key_id)
{
    return pii_keys_find(&p->keys, key_id) != NULL;
}

const uint8_t *pii_fingerprint_key(const struct pii *p)
{
    return p->keys.fingerprint;
}

/* ---------------------------------------------------------------- records */

static size_t put(uint8_t *out, size_t at, struct slice field)
{
    for (unsigned i = 0; i < LENGTH_SIZE; i++)
        out[at + i] = (uint8_t)(field.len >> (24 - 8 * i));
    if (field.len > 0)
        memcpy(out + at + LENGTH_SIZE, field.p, field.len);
    return at + LENGTH_SIZE + field.len;
}

static size_t put_or_absent(uint8_t *out, size_t at, struct slice field)
{
    if (field.len > 0)
        return put(out, at, field);
    memset(out + at, ABSENT, LENGTH_SIZE);
    return at + LENGTH_SIZE;
}

/* The next field off *rest, of 1 to max bytes; or absent, which is empty here. */
static bool take(struct slice *rest, size_t max, struct slice *field)
{
    if (rest->len < LENGTH_SIZE)
        return false;
    const uint8_t *p = (const uint8_t *)rest->p;
    uint32_t len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    *rest = slice_of(rest->p + LENGTH_SIZE, rest->len - LENGTH_SIZE);
    *field = slice_of(NULL, 0);
    if (len == UINT32_MAX)
        return true;
    if (len == 0 || len > max || len > rest->len)
        return false;
    *field = slice_of(rest->p, len);
    *rest = slice_of(rest->p + len, rest->len - len);
    return true;
}

size_t pii_encode(const struct pii_open *open, uint8_t *out)
{
    size_t len = put(out, 0, slice_str(record_open));
    for (unsigned i = 0; i < PII_FIELDS; i++) {
        len = put_or_absent(out, len, open->salt[i]);
        len = put_or_absent(out, len, open->value[i]);
    }
    return len;
}

bool pii_decode(struct slice plain, struct pii_open *out)
{
    struct slice name;
    *out = (struct pii_open){0};
    if (!take(&plain, sizeof(record_open) - 1, &name) || !slice_equal_str(name, record_open))
        return false;
    for (unsigned i = 0; i < PII_FIELDS; i++) {
        if (!take(&plain, PII_SALT_SIZE, &out->salt[i]) ||
            !take(&plain, PII_VALUE_BYTES_MAX, &out->value[i]))
            return false;
        /* A salt and a value, or neither. */
        if (out->value[i].len == 0 ? out->salt[i].len != 0 : out->salt[i].len != PII_SALT_SIZE)
            return false;
    }
    return plain.len == 0;
}

static bool commit(struct pii *p, unsigned field, struct slice salt, struct slice value,
                   uint8_t out[PII_COMMITMENT_SIZE])
{
    uint8_t bytes[4 * LENGTH_SIZE + sizeof(record_commitment) + 8 + PII_SALT_SIZE +
                  PII_VALUE_BYTES_MAX];
    size_t len = put(bytes, 0, slice_str(record_commitment));
    len = put(bytes, len, slice_str(field_names[field]));
    len = put(bytes, len, salt);
    len = put(bytes, len, value);
    bool done = EVP_DigestInit_ex2(p->digest, p->sha256, NULL) == 1 &&
                EVP_DigestUpdate(p->digest, bytes, len) == 1 &&
                EVP_DigestFinal_ex(p->digest, out, NULL) == 1;
    OPENSSL_cleanse(bytes, len);
    return done;
}

/* ---------------------------------------------------------------- encryption */

/* What a row is bound to, so that it opens in no other row. */
struct aad {
    uint8_t
        bytes[LENGTH_SIZE + sizeof(record_aad) + PII_FIELDS * (LENGTH_SIZE + PII_COMMITMENT_SIZE)];
    size_t len;
};

static bool make_aad(const struct slice commitment[PII_FIELDS], struct aad *out)
{
    out->len = put(out->bytes, 0, slice_str(record_aad));
    for (unsigned i = 0; i < PII_FIELDS; i++) {
        if (commitment[i].len != 0 && commitment[i].len != PII_COMMITMENT_SIZE)
            return false;
        out->len = put_or_absent(out->bytes, out->len, commitment[i]);
    }
    return true;
}

static bool encrypt(struct pii *p, const uint8_t nonce[PII_NONCE_SIZE], const struct aad *aad,
                    struct slice plain, uint8_t *sealed)
{
    EVP_CIPHER_CTX *c = p->cipher;
    uint8_t *text = sealed + PII_NONCE_SIZE;
    int n = 0;
    memcpy(sealed, nonce, PII_NONCE_SIZE);
    return EVP_EncryptInit_ex2(c, p->gcm, pii_keys_newest(&p->keys)->bytes, nonce, NULL) == 1 &&
           EVP_EncryptUpdate(c, NULL, &n, aad->bytes, (int)aad->len) == 1 &&
           EVP_EncryptUpdate(c, text, &n, (const uint8_t *)plain.p, (int)plain.len) == 1 &&
           EVP_EncryptFinal_ex(c, text + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, PII_TAG_SIZE, text + plain.len) == 1;
}

static bool decrypt(struct pii *p, const struct pii_key *key, const struct aad *aad,
                    struct slice sealed, uint8_t *plain, size_t *len)
{
    EVP_CIPHER_CTX *c = p->cipher;
    const uint8_t *nonce = (const uint8_t *)sealed.p;
    uint8_t tag[PII_TAG_SIZE];
    int n = 0;
    if (sealed.len <= PII_NONCE_SIZE + PII_TAG_SIZE || sealed.len > PII_SEALED_BYTES_MAX)
        return false;
    *len = sealed.len - PII_NONCE_SIZE - PII_TAG_SIZE;
    memcpy(tag, nonce + sealed.len - PII_TAG_SIZE, PII_TAG_SIZE);
    return EVP_DecryptInit_ex2(c, p->gcm, key->bytes, nonce, NULL) == 1 &&
           EVP_DecryptUpdate(c, NULL, &n, aad->bytes, (int)aad->len) == 1 &&
           EVP_DecryptUpdate(c, plain, &n, nonce + PII_NONCE_SIZE, (int)*len) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, PII_TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(c, plain + n, &n) == 1;
}

size_t pii_sealed_size(const struct slice value[PII_FIELDS])
{
    size_t size = PII_NONCE_SIZE + LENGTH_SIZE + sizeof(record_open) - 1 + PII_TAG_SIZE;
    for (unsigned i = 0; i < PII_FIELDS; i++)
        size += 2 * LENGTH_SIZE + (value[i].len > 0 ? PII_SALT_SIZE + value[i].len : 0);
    return size;
}

err_t pii_seal(struct pii *p, const struct slice value[PII_FIELDS],
               uint8_t commitments[PII_FIELDS][PII_COMMITMENT_SIZE], uint8_t *sealed,
               struct pii_row *out)
{
    uint8_t random[PII_NONCE_SIZE + PII_FIELDS * PII_SALT_SIZE];
    uint8_t plain[PII_PLAIN_BYTES_MAX];
    struct pii_open open = {0};
    struct aad aad;
    *out = (struct pii_row){.key_id = pii_newest(p)};
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_make(ERR_UNSUPPORTED, "random numbers");
    for (unsigned i = 0; i < PII_FIELDS; i++) {
        if (value[i].len == 0)
            continue;
        assert(value[i].len <= PII_VALUE_BYTES_MAX);
        open.value[i] = value[i];
        open.salt[i] = slice_of(random + PII_NONCE_SIZE + i * PII_SALT_SIZE, PII_SALT_SIZE);
        if (!commit(p, i, open.salt[i], value[i], commitments[i]))
            return err_make(ERR_UNSUPPORTED, "SHA-256");
        out->commitment[i] = slice_of(commitments[i], PII_COMMITMENT_SIZE);
    }
    size_t len = pii_encode(&open, plain);
    bool done =
        make_aad(out->commitment, &aad) && encrypt(p, random, &aad, slice_of(plain, len), sealed);
    out->sealed = slice_of(sealed, PII_NONCE_SIZE + len + PII_TAG_SIZE);
    OPENSSL_cleanse(plain, len);
    OPENSSL_cleanse(random, sizeof(random));
    return done ? err_none() : err_make(ERR_UNSUPPORTED, "AES-256-GCM");
}

/* Each value opens its commitment, and there is one for each. */
static bool opens(struct pii *p, const struct pii_open *open,
                  const struct slice commitment[PII_FIELDS])
{
    uint8_t hash[PII_COMMITMENT_SIZE];
    for (unsigned i = 0; i < PII_FIELDS; i++) {
        if ((open->value[i].len == 0) != (commitment[i].len == 0))
            return false;
        if (open->value[i].len == 0)
            continue;
        if (!commit(p, i, open->salt[i], open->value[i], hash) ||
            CRYPTO_memcmp(hash, commitment[i].p, PII_COMMITMENT_SIZE) != 0)
            return false;
    }
    return true;
}

static enum pii_result unseal(struct pii *p, const struct pii_row *row, const struct aad *aad,
                              uint8_t *room, struct pii_open *out, size_t *len)
{
    if (row->key_id == PII_KEY_NONE) {
        if (row->sealed.len > PII_PLAIN_BYTES_MAX)
            return PII_BROKEN;
        *len = row->sealed.len;
        if (*len > 0)
            memcpy(room, row->sealed.p, *len);
    } else {
        const struct pii_key *key = pii_keys_find(&p->keys, row->key_id);
        if (key == NULL)
            return PII_KEY_MISSING;
        if (!decrypt(p, key, aad, row->sealed, room, len))
            return PII_BROKEN;
    }
    if (!pii_decode(slice_of(room, *len), out) || !opens(p, out, row->commitment))
        return PII_BROKEN;
    return PII_OK;
}

enum pii_result pii_unseal(struct pii *p, const struct pii_row *row, uint8_t *room,
                           struct pii_open *out)
{
    struct aad aad;
    size_t len = 0;
    *out = (struct pii_open){0};
    return make_aad(row->commitment, &aad) ? unseal(p, row, &aad, room, out, &len) : PII_BROKEN;
}

enum pii_result pii_reseal(struct pii *p, const struct pii_row *row, uint8_t *sealed, size_t *len)
{
    uint8_t plain[PII_SEALED_BYTES_MAX];
    uint8_t nonce[PII_NONCE_SIZE];
    struct pii_open open;
    struct aad aad;
    size_t plain_len = 0;
    enum pii_result result = make_aad(row->commitment, &aad)
                                 ? unseal(p, row, &aad, plain, &open, &plain_len)
                                 : PII_BROKEN;
    if (result == PII_OK && (RAND_bytes(nonce, sizeof(nonce)) != 1 ||
                             !encrypt(p, nonce, &aad, slice_of(plain, plain_len), sealed)))
        result = PII_BROKEN;
    *len = PII_NONCE_SIZE + plain_len + PII_TAG_SIZE;
    OPENSSL_cleanse(plain, sizeof(plain));
    return result;
}
