/*
 * known.h: what journals point to: currencies, rate sheets, versions of the policy, the accounts and beneficiaries of the book at hand.
 *
 * Filled from the records of a log as they pass, looked up by whoever checks journals and, when the log is a database, by
 * what makes journals' records out of its rows.
 */
#ifndef UJRAT_AUDIT_KNOWN_H
#define UJRAT_AUDIT_KNOWN_H

#include "audit/merkle.h"
#include "audit/policies.h"
#include "audit/record.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNTS_MAX   8192
#define ACCOUNT_SIZE   48 /* of a code, with a NUL */
#define CCY_NONE       0  /* no code packs to it */
#define CCY_PACKED_MAX (26 * 26 * 26 + 1)

/* "PKR" as a number; CCY_NONE if it is not three capital letters. */
uint16_t ccy_pack(struct slice code);
const char *ccy_unpack(uint16_t ccy, char out[4]);

/* "MUCB" as a number; 0 if it is not four bytes. */
static inline uint32_t bank_pack(struct slice code)
{
    uint32_t bank = 0;

    if (code.len == sizeof bank)
        memcpy(&bank, code.p, sizeof bank);
    return bank;
}

enum account_role {
    ROLE_FLOAT,
    ROLE_CORRESPONDENT,
    ROLE_FEE,
    ROLE_MARGIN,
    ROLE_POSITION,
    ROLE_PAYABLE,
    ROLE_NOSTRO,
    ROLE_SUSPENSE,
    ROLE_CHARGE,
    ROLE_UNCLAIMED,
    ROLE_HELD,
};
#define ROLES 11

struct account {
    char code[ACCOUNT_SIZE];
    uint32_t code_len;
    int32_t account_id;
    enum account_role role;
    uint16_t ccy;
    uint32_t bank; /* 0: none */
    bool floor_zero;
};

struct sheet {
    hash_t hash;
    int64_t rate_id;
    uint32_t first, n; /* its rates */
};

struct beneficiary_entry {
    int64_t id, version;
    uint32_t bank;
    hash_t hash;
};

struct known;

MUST_CHECK err_t known_new(struct sha256 *sha, struct known **out);
void known_free(struct known **known);

/* Takes the record of a currency, a rate sheet, a version of the policy, an account or a beneficiary; others are not for it and pass. A book's
 * record empties what belongs to the book before. why: what is wrong with it, ERR_INVALID then (an account that is not
 * what its code says, a thing said twice, out of order); ERR_LIMIT, ERR_NO_MEMORY, ERR_SYS. */
MUST_CHECK err_t known_book(struct known *r);
MUST_CHECK err_t known_currency(struct known *r, const struct record_currency *c);
MUST_CHECK err_t known_sheet(struct known *r, struct slice bytes,
                             const struct record_rate_sheet *s);
MUST_CHECK err_t known_policy_change(struct known *r, struct slice bytes,
                                     const struct record_policy_change *c);
MUST_CHECK err_t known_account(struct known *r, const struct record_account *a);
MUST_CHECK err_t known_beneficiary(struct known *r, struct slice bytes,
                                   const struct record_beneficiary *b);

/* Minor digits of the currency; -1: there is none of that code. */
int known_digits(const struct known *r, uint16_t ccy);
uint16_t known_ccy_of_number(const struct known *r, int64_t number);

/* By code; the index of the account, or -1. */
int known_account_of(const struct known *r, struct slice code);
int known_account_of_id(const struct known *r, int64_t account_id);
const struct account *known_account_at(const struct known *r, int index);
int known_accounts(const struct known *r);

/* NULL: none. */
const struct sheet *known_sheet_of(const struct known *r, struct slice hash);
const struct sheet *known_sheet_of_id(const struct known *r, int64_t rate_id);
int64_t known_rate(const struct known *r, const struct sheet *sheet, uint16_t ccy); /* 0 */

const struct policies *known_policies(const struct known *r);

/* ERR_INVALID: there is none. */
MUST_CHECK err_t known_beneficiary_of(struct known *r, int64_t id, int64_t version,
                                      struct beneficiary_entry *out);

#endif
