/* beneficiary_details.h: from the BeneficiaryDetails of a request to what the ledger stores. */
#ifndef UJRAT_RPC_BENEFICIARY_DETAILS_H
#define UJRAT_RPC_BENEFICIARY_DETAILS_H

#include "base/arena.h"
#include "domain/cnic.h"
#include "domain/mobile.h"
#include "gateway/fingerprint.h"
#include "gateway/registry.h"
#include "gateway/wire/payout_messages.h"
#include "ledger/ledger.h"

/* The draft and what it points to, besides the request's own text. */
struct beneficiary_text {
    struct beneficiary_draft draft;
    struct slice value[PII_FIELDS]; /* in clear, normalised; empty: not given */
    char cnic[CNIC_SIZE];
    char mobile[MOBILE_SIZE];
    uint8_t fingerprint[FINGERPRINT_SIZE];
    uint8_t commitment[PII_FIELDS][PII_COMMITMENT_SIZE];
};

/*
 * What is wrong with the details as they stand, whatever the ledger holds; field is relative ("iban"). On
 * REASON_NONE *out is filled, but for bank_id and what is encrypted.
 */
MUST_CHECK struct refusal beneficiary_details_check(const struct wire_beneficiary_details *details,
                                                    struct beneficiary_text *out);

/* The bank, which may come to be known or connected later: IBAN_BANK_UNKNOWN, BANK_NOT_CONNECTED. */
MUST_CHECK reason_t beneficiary_bank(const struct registry *registry,
                                     const struct wire_beneficiary_details *details,
                                     struct beneficiary_text *out);

/* Whether the policy in force has the purpose code, for their channel: PURPOSE_CODE_UNKNOWN. */
MUST_CHECK reason_t beneficiary_purpose(const struct registry *registry,
                                        const struct beneficiary_text *text);

/* Over the normalised details: the same person, told twice, is the same. After beneficiary_bank(). */
void beneficiary_fingerprint(struct fingerprinter *f, struct beneficiary_text *out);

/* Commits to the values and encrypts them, into the arena. MESSAGE_TOO_LARGE: there is no room; INTERNAL. */
MUST_CHECK reason_t beneficiary_seal(struct pii *pii, struct arena *arena,
                                     struct beneficiary_text *out);

#endif
