/*
 * policy_file.h: a proposal of policy as operators write it (docs/policy.md). JSON:
 *
 *   {
 *     "effective_at": "2026-12-01T00:00:00+05:00",      or "on approval"
 *     "reason": "...", "source": "the law or circular", "source_file": "circular.pdf",     the last may be left out
 *     "changes": [
 *       {"rule": "margin_bps", "platform": "upwork", "currency": "USD", "value": 75},
 *       {"rule": "payout_max", "platform": "upwork", "currency": "USD", "value": "25000.00"},
 *       {"rule": "purpose_code", "channel": "HOME_REMITTANCE", "code": "9471"},
 *       {"rule": "withholding_bps", "registration": "PSEB", "remove": true}
 *     ]
 *   }
 *
 * Amounts are text in units of the currency, other values whole numbers. What does not belong there is refused, with its path:
 * "changes[2].value". Whether a platform is known, and what is in force, the ledger says.
 */
#ifndef UJRAT_CLI_POLICY_FILE_H
#define UJRAT_CLI_POLICY_FILE_H

#include "domain/policy.h"

#define POLICY_FILE_BYTES_MAX   (256U << 10)
#define POLICY_CHANGES_MAX      1000
#define POLICY_FILE_TEXT_MAX    500 /* characters */
#define POLICY_FILE_TEXT_SIZE   (4 * POLICY_FILE_TEXT_MAX + 1)
#define POLICY_SOURCE_FILE_SIZE 256

struct policy_change {
    struct policy_rule rule; /* policy_id 0; value 0 if it is removed */
    bool remove;
};

struct policy_file {
    bool on_approval;
    int64_t effective_at_us; /* 0 if on approval */
    char reason[POLICY_FILE_TEXT_SIZE], source[POLICY_FILE_TEXT_SIZE];
    char source_file[POLICY_SOURCE_FILE_SIZE]; /* "": none */
    size_t n_changes;
    struct policy_change changes[POLICY_CHANGES_MAX]; /* sorted by rule, no two of the same */
};

struct policy_fault {
    char path[64]; /* "changes[2].value"; "" where it is the file as a whole */
    char text[240];
};

/* False: *fault says where and why. */
bool policy_file_parse(struct slice text, struct policy_file *out, struct policy_fault *fault);

#endif
