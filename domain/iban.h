/*
 * iban.h: International Bank Account Numbers (ISO 13616) of Pakistan: PK, two check digits, four letters for
 * the bank, sixteen letters or digits; 24 characters, upper case, no spaces (the electronic form).
 *
 * The four letters are NOT the beginning of the bank's BIC (National Bank: NBPA in IBANs, NBPBPKKA as BIC).
 */
#ifndef UJRAT_DOMAIN_IBAN_H
#define UJRAT_DOMAIN_IBAN_H

#include "base/str.h"
#include "domain/reason.h"

#define IBAN_LEN       24
#define IBAN_SIZE      (IBAN_LEN + 1)
#define IBAN_BANK_LEN  4
#define IBAN_BANK_SIZE (IBAN_BANK_LEN + 1)

/* In this order: FIELD_REQUIRED (empty), IBAN_SHAPE, IBAN_COUNTRY, IBAN_LENGTH, IBAN_SHAPE (bank letters),
 * IBAN_CHECKSUM (ISO 7064 MOD 97-10; check digits outside 02..98 too). */
MUST_CHECK reason_t iban_check(struct slice iban);

/* An IBAN of any country: Pakistan's as above; of others the shape and the check digits, not the country's length.
 * FIELD_REQUIRED, IBAN_SHAPE, IBAN_LENGTH, IBAN_CHECKSUM. */
MUST_CHECK reason_t iban_check_international(struct slice iban);

/* The bank's four letters. iban must have passed iban_check() (asserts its length). Returns out. */
const char *iban_bank_code(struct slice iban, char out[IBAN_BANK_SIZE]);

/* Makes the IBAN of an account at a bank, check digits computed: for made-up accounts in tests and demos.
 * IBAN_SHAPE if bank is not 4 upper-case letters or account not 16 upper-case letters and digits. */
MUST_CHECK reason_t iban_make(struct slice bank, struct slice account, char out[IBAN_SIZE]);

#endif
