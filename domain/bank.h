/*
 * bank.h: what identifies a bank. Which banks there are is data (data/banks_pk.csv, then the database), not
 * code: lists disagree, banks merge. The IBAN code and the BIC are two facts; neither is derived from the other.
 */
#ifndef UJRAT_DOMAIN_BANK_H
#define UJRAT_DOMAIN_BANK_H

#include "base/str.h"
#include "domain/reason.h"

#include <stdbool.h>

#define BANK_CODE_SIZE 5
#define BANK_BIC_SIZE  12
#define BANK_NAME_SIZE 141

struct bank {
    char code[BANK_CODE_SIZE]; /* four letters of the IBAN */
    char bic[BANK_BIC_SIZE];   /* ISO 9362, 8 or 11 characters; empty if it has none */
    char name[BANK_NAME_SIZE];
    bool connected; /* takes payouts from us */
};

/* Four upper-case letters: FIELD_REQUIRED (empty), FIELD_INVALID. */
MUST_CHECK reason_t bank_code_check(struct slice code);

/* ISO 9362: four letters or digits, two letters of country, two letters or digits, optionally three more. */
MUST_CHECK reason_t bank_bic_check(struct slice bic);

#endif
