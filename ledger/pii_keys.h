/*
 * pii_keys.h: the file of keys that personal data is encrypted with (docs/personal-data.md). It is kept outside of the
 * database, mode 0600; a line is `fingerprint HEX64` (once) or `ID HEX64`; '#' begins a comment. The key with the
 * largest id is the newest, with which new rows are encrypted.
 */
#ifndef UJRAT_LEDGER_PII_KEYS_H
#define UJRAT_LEDGER_PII_KEYS_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"

enum {
    PII_KEY_SIZE = 32,
    PII_KEY_NONE = 0, /* the id of rows that are not encrypted: what a migration left */
    PII_KEY_ID_MAX = INT16_MAX,
    PII_KEYS_MAX = 64,
};

struct pii_key {
    int16_t id;
    uint8_t bytes[PII_KEY_SIZE];
};

struct pii_keys {
    unsigned n;
    struct pii_key key[PII_KEYS_MAX]; /* by id */
    uint8_t fingerprint[PII_KEY_SIZE];
};

/* What is wrong, for people, with the file's name and the line; never a key. */
struct pii_problem {
    char text[512];
};

/* ERR_PARSE, ERR_LIMIT: *problem says why ("line 3: ..."). */
MUST_CHECK err_t pii_keys_parse(struct slice text, struct pii_keys *out,
                                struct pii_problem *problem);

/* Also refuses a file that others may read. *seen is the file as it was read, to know it again. */
MUST_CHECK err_t pii_keys_read(const char *path, struct pii_keys *out, struct stat *seen,
                               struct pii_problem *problem);

/* NULL: it is not there. */
const struct pii_key *pii_keys_find(const struct pii_keys *keys, int16_t id);
const struct pii_key *pii_keys_newest(const struct pii_keys *keys);

/* A new file with a fingerprint key and key 1, or one more key in the file that is there; the whole of it or nothing. */
MUST_CHECK err_t pii_keys_add(const char *path, int16_t *id, struct pii_problem *problem);

/* Leaves no key in memory. */
void pii_keys_wipe(struct pii_keys *keys);

#endif
