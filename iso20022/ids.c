#include "iso20022/ids.h"

#include "base/hex.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

static bool digest(struct slice sender, struct slice instruction_id,
                   unsigned char out[EVP_MAX_MD_SIZE])
{
    static const char label[] = "ujrat:uetr:1"; /* its NUL is part of it */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(ctx, label, sizeof label) == 1 &&
                EVP_DigestUpdate(ctx, sender.p, sender.len) == 1 &&
                EVP_DigestUpdate(ctx, "", 1) == 1 &&
                EVP_DigestUpdate(ctx, instruction_id.p, instruction_id.len) == 1 &&
                EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

err_t iso_uetr_make(struct slice sender, struct slice instruction_id, char out[ISO_UETR_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[HEX_SIZE(16)];
    size_t n = 0;

    assert(sender.len > 0 && instruction_id.len > 0);
    if (!digest(sender, instruction_id, hash))
        return err_make(ERR_TLS, "sha256");
    hash[6] = (unsigned char)(0x40U | (hash[6] & 0x0FU)); /* version 4 */
    hash[8] = (unsigned char)(0x80U | (hash[8] & 0x3FU)); /* the variant of RFC 4122 */
    (void)hex_encode(hash, 16, hex);
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[n++] = '-';
        out[n++] = hex[i];
    }
    out[n] = '\0';
    return err_none();
}
