#include "gateway/rest/ids.h"

#include <assert.h>
#include <openssl/evp.h>

enum { ITEM_BITS = 14, DIGIT_BITS = 5 };

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char rfc4648[] = "abcdefghijklmnopqrstuvwxyz234567";

const char *rest_id_write(int64_t batch_id, int32_t item_no, char out[REST_ID_SIZE])
{
    assert(batch_id >= 1 && batch_id <= REST_BATCH_ID_MAX && item_no >= 0 &&
           item_no <= REST_ITEM_NO_MAX);
    uint64_t number = (uint64_t)batch_id << ITEM_BITS | (uint64_t)item_no;
    for (int i = REST_ID_LEN - 1; i >= 0; i--, number >>= DIGIT_BITS)
        out[i] = crockford[number & 31];
    out[REST_ID_LEN] = '\0';
    return out;
}

bool rest_id_read(struct slice text, int64_t *batch_id, int32_t *item_no)
{
    uint64_t number = 0;
    if (text.len != REST_ID_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(crockford, text.p[i], sizeof(crockford) - 1);
        if (digit == NULL || number >> (64 - DIGIT_BITS) != 0)
            return false;
        number = number << DIGIT_BITS | (uint64_t)(digit - crockford);
    }
    if (number >> ITEM_BITS == 0 || number >> ITEM_BITS > (uint64_t)REST_BATCH_ID_MAX)
        return false;
    *batch_id = (int64_t)(number >> ITEM_BITS);
    *item_no = (int32_t)(number & REST_ITEM_NO_MAX);
    return true;
}

static void base32(const uint8_t *bytes, char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const size_t bit = i * DIGIT_BITS;
        const unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        out[i] = rfc4648[pair >> (16 - DIGIT_BITS - bit % 8) & 31];
    }
}

void rest_reference_stem(struct slice sender_batch_id, struct slice request_id,
                         char out[REST_REFERENCE_STEM_LEN + 1])
{
    static const char prefix[] = "PP-";
    const bool by_request = sender_batch_id.len == 0;
    const struct slice name = by_request ? request_id : sender_batch_id;
    uint8_t digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const int done =
        name.len > 0 && ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
        (!by_request || EVP_DigestUpdate(ctx, "", 1) == 1) &&
        EVP_DigestUpdate(ctx, name.p, name.len) == 1 && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    assert(done);
    memcpy(out, prefix, sizeof(prefix) - 1);
    base32(digest, out + sizeof(prefix) - 1, REST_REFERENCE_STEM_LEN - (sizeof(prefix) - 1));
    out[REST_REFERENCE_STEM_LEN] = '\0';
}

size_t rest_reference_write(const char stem[REST_REFERENCE_STEM_LEN + 1], int32_t item_no,
                            char out[REST_REFERENCE_SIZE])
{
    char number[STR_INT64_SIZE];
    const size_t len = str_format_int64(item_no, number);
    assert(item_no >= 1 && item_no <= REST_ITEM_NO_MAX);
    memcpy(out, stem, REST_REFERENCE_STEM_LEN);
    out[REST_REFERENCE_STEM_LEN] = '-';
    memcpy(out + REST_REFERENCE_STEM_LEN + 1, number, len + 1);
    return REST_REFERENCE_STEM_LEN + 1 + len;
}
