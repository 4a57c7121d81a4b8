#include "ledger/pii_box.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "ledger/pii_internal.h"

enum { BYTES_MAX = 1024, LENGTH_SIZE = 4, NUMBER_SIZE = 8 };

static const char record_box[] = "ujrat/pii-box/1";
static const char record_receiver[] = "ujrat/receiver/1";

/* Fields one after the other, each with its length in front. */
struct record {
    uint8_t bytes[BYTES_MAX];
    size_t len;
    bool fits;
};

static void add(struct record *r, struct slice field)
{
    if (!r->fits || field.len > sizeof(r->bytes) - LENGTH_SIZE - r->len) {
        r->fits = false;
        return;
    }
    for (unsigned i = 0; i < LENGTH_SIZE; i++)
        r->bytes[r->len++] = (uint8_t)(field.len >> (24 - 8 * i));
    if (field.len > 0)
        memcpy(r->bytes + r->len, field.p, field.len);
    r->len += field.len;
}

static void add_number(struct record *r, int64_t value)
{
    char bytes[NUMBER_SIZE];
    for (unsigned i = 0; i < NUMBER_SIZE; i++)
        bytes[i] = (char)((uint64_t)value >> (56 - 8 * i));
    add(r, slice_of(bytes, sizeof(bytes)));
}

static struct record place_record(const struct pii_place *place)
{
    struct record r = {.fits = true};
    add(&r, slice_str(record_box));
    add(&r, slice_str(place->table));
    add_number(&r, place->a);
    add_number(&r, place->b);
    add(&r, place->key);
    return r;
}

static bool encrypt(struct pii *p, const struct pii_key *key, const struct record *aad,
                    struct slice text, uint8_t *out)
{
    EVP_CIPHER_CTX *c = p->cipher;
    uint8_t *to = out + PII_NONCE_SIZE;
    int n = 0;
    return EVP_EncryptInit_ex2(c, p->gcm, key->bytes, out, NULL) == 1 &&
           EVP_EncryptUpdate(c, NULL, &n, aad->bytes, (int)aad->len) == 1 &&
           EVP_EncryptUpdate(c, to, &n, (const uint8_t *)text.p, (int)text.len) == 1 &&
           EVP_EncryptFinal_ex(c, to + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, PII_TAG_SIZE, to + text.len) == 1;
}

err_t pii_box_seal(struct pii *p, const struct pii_place *place, struct slice text, uint8_t *out,
                   int16_t *key_id)
{
    const struct pii_key *key = pii_keys_newest(&p->keys);
    const struct record aad = place_record(place);
    if (!aad.fits || text.len == 0 || text.len > INT_MAX / 2)
        return err_make(ERR_LIMIT, "a box of personal data");
    if (RAND_bytes(out, PII_NONCE_SIZE) != 1)
        return err_make(ERR_UNSUPPORTED, "random numbers");
    *key_id = key->id;
    return encrypt(p, key, &aad, text, out) ? err_none() : err_make(ERR_UNSUPPORTED, "AES-256-GCM");
}

enum pii_result pii_box_open(struct pii *p, const struct pii_place *place, int16_t key_id,
                             struct slice box, uint8_t *out, struct slice *text)
{
    const struct pii_key *key = pii_keys_find(&p->keys, key_id);
    const struct record aad = place_record(place);
    const uint8_t *nonce = (const uint8_t *)box.p;
    uint8_t tag[PII_TAG_SIZE];
    EVP_CIPHER_CTX *c = p->cipher;
    int n = 0;
    *text = slice_of(NULL, 0);
    if (key == NULL)
        return PII_KEY_MISSING;
    if (!aad.fits || box.len <= PII_BOX_OVERHEAD || box.len > INT_MAX / 2)
        return PII_BROKEN;
    const size_t len = box.len - PII_BOX_OVERHEAD;
    memcpy(tag, nonce + box.len - PII_TAG_SIZE, PII_TAG_SIZE);
    if (EVP_DecryptInit_ex2(c, p->gcm, key->bytes, nonce, NULL) != 1 ||
        EVP_DecryptUpdate(c, NULL, &n, aad.bytes, (int)aad.len) != 1 ||
        EVP_DecryptUpdate(c, out, &n, nonce + PII_NONCE_SIZE, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, PII_TAG_SIZE, tag) != 1 ||
        EVP_DecryptFinal_ex(c, out + n, &n) != 1) {
        OPENSSL_cleanse(out, len);
        return PII_BROKEN;
    }
    *text = slice_of(out, len);
    return PII_OK;
}

err_t pii_receiver_lookup(struct pii *p, int kind, struct slice normal,
                          uint8_t out[PII_LOOKUP_SIZE])
{
    struct record r = {.fits = true};
    const char kind_byte = (char)kind;
    unsigned len = 0;
    add(&r, slice_str(record_receiver));
    add(&r, slice_of(&kind_byte, 1));
    add(&r, normal);
    if (!r.fits)
        return err_make(ERR_LIMIT, "a receiver's normal form");
    const bool done =
        HMAC(EVP_sha256(), p->keys.fingerprint, PII_KEY_SIZE, r.bytes, r.len, out, &len) != NULL;
    OPENSSL_cleanse(r.bytes, r.len);
    return done && len == PII_LOOKUP_SIZE ? err_none() : err_make(ERR_UNSUPPORTED, "HMAC-SHA-256");
}
