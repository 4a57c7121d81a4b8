/*
 * pii.h: what a person is called and paid by, as the ledger keeps it: commitments for the log, and, encrypted, the salts
 * and values that open them (docs/log-format.md, docs/personal-data.md). One a process or worker: it holds the keys and
 * the contexts they are used with. None of this is ever logged.
 */
#ifndef UJRAT_LEDGER_PII_H
#define UJRAT_LEDGER_PII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ledger/pii_keys.h"

/* In the order of all records. */
enum pii_field { PII_NAME, PII_IBAN, PII_MOBILE, PII_CNIC, PII_PSEB, PII_FIELDS };

enum {
    PII_SALT_SIZE = 16,
    PII_COMMITMENT_SIZE = 32,
    PII_NONCE_SIZE = 12,
    PII_TAG_SIZE = 16,
    PII_VALUE_BYTES_MAX = 1024,
    PII_PLAIN_BYTES_MAX =
        4 + 16 +
        PII_FIELDS * (4 + PII_SALT_SIZE + 4 + PII_VALUE_BYTES_MAX), /* of a pii-open record */
    PII_SEALED_BYTES_MAX = PII_NONCE_SIZE + PII_PLAIN_BYTES_MAX + PII_TAG_SIZE,
};

struct pii;

/* On error *problem says why. */
MUST_CHECK err_t pii_new(const char *path, struct pii **out, struct pii_problem *problem);
void pii_free(struct pii **p);

/* Reads the file again if it is another than was read; *changed: there are other keys now. On error those before stay.
 * The fingerprint key may not change: what was stored could never be recognised again. */
MUST_CHECK err_t pii_refresh(struct pii *p, bool *changed, struct pii_problem *problem);

int16_t pii_newest(const struct pii *p);
bool pii_has(const struct pii *p, int16_t key_id);
const uint8_t *pii_fingerprint_key(const struct pii *p); /* PII_KEY_SIZE bytes, its own */

/* As stored: a row of beneficiary_pii with the commitments of its beneficiary_version. */
struct pii_row {
    int16_t key_id;
    struct slice sealed;
    struct slice commitment[PII_FIELDS]; /* empty: absent */
};

/* How many bytes values take when they are sealed. Empty: not given. */
size_t pii_sealed_size(const struct slice value[PII_FIELDS]);

/* Commits to the values with fresh salts and encrypts them with the newest key. The row points into `commitments` and
 * `sealed`, which has pii_sealed_size() bytes. Values are at most PII_VALUE_BYTES_MAX long (asserted). */
MUST_CHECK err_t pii_seal(struct pii *p, const struct slice value[PII_FIELDS],
                          uint8_t commitments[PII_FIELDS][PII_COMMITMENT_SIZE], uint8_t *sealed,
                          struct pii_row *out);

enum pii_result {
    PII_OK,
    PII_KEY_MISSING, /* its key is not in the file */
    PII_BROKEN,      /* it is not what was sealed for these commitments, or does not open them */
};

struct pii_open {
    struct slice salt[PII_FIELDS], value[PII_FIELDS]; /* empty: not given */
};

/* Slices point into room, which has at least row->sealed.len bytes. */
MUST_CHECK enum pii_result pii_unseal(struct pii *p, const struct pii_row *row, uint8_t *room,
                                      struct pii_open *out);

/* The same record, encrypted with the newest key; sealed has PII_SEALED_BYTES_MAX bytes. A row that does not open is
 * not touched. */
MUST_CHECK enum pii_result pii_reseal(struct pii *p, const struct pii_row *row, uint8_t *sealed,
                                      size_t *len);

/* The record `ujrat/pii-open/1`. False: it is none, to the byte. */
MUST_CHECK bool pii_decode(struct slice plain, struct pii_open *out);
/* The reverse; returns the length. out has room for it: at most PII_PLAIN_BYTES_MAX. */
size_t pii_encode(const struct pii_open *open, uint8_t *out);

#endif
