/* pii_internal.h: the keys and contexts that pii.c and pii_box.c share. For these two alone. */
#ifndef UJRAT_LEDGER_PII_INTERNAL_H
#define UJRAT_LEDGER_PII_INTERNAL_H

#include <openssl/evp.h>
#include <sys/stat.h>

#include "ledger/pii.h"

struct pii {
    struct pii_keys keys;
    struct stat seen; /* the file of keys as it was read */
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *cipher;
    char path[]; /* of the file of keys */
};

#endif
