/*
 * receipt.h: a receipt (docs/receipt.md) and whether it is true. Everything that people read in it is made again from the
 * records that are in it, and those are followed by hashes, paths and signatures to a key that the auditor was given.
 *
 * Input is hostile: at most RECEIPT_BYTES_MAX bytes of JSON, no name twice in an object, nothing that docs/receipt.md
 * does not have.
 */
#ifndef UJRAT_AUDIT_RECEIPT_H
#define UJRAT_AUDIT_RECEIPT_H

#include "audit/keys.h"
#include "audit/merkle.h"
#include "audit/record.h"

#include <jansson.h>
#include <stdbool.h>

#define RECEIPT_BYTES_MAX (4U * 1024 * 1024)

enum {
    RECEIPT_JOURNALS_MAX = 64,
    RECEIPT_KEYS_MAX = 64,
    RECEIPT_PATH_MAX = 64, /* hashes: a tree has fewer than 2^63 leaves */
    RECEIPT_FINDINGS_MAX = 32,
    RECEIPT_WHERE_SIZE = 80,
    RECEIPT_WHAT_SIZE = 240
};

struct receipt_finding {
    char where[RECEIPT_WHERE_SIZE]; /* "payout.pricing.net.amount" */
    char what[RECEIPT_WHAT_SIZE];
};

struct receipt_findings {
    struct receipt_finding list[RECEIPT_FINDINGS_MAX];
    size_t n; /* kept; there may be more */
};

void receipt_find(struct receipt_findings *findings, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A record as it is in the document, in base64url. */
struct receipt_bytes {
    unsigned char *p;
    size_t len;
};

struct receipt_journal {
    struct receipt_bytes record;
    struct record_journal said;
    hash_t leaf;
    hash_t path[RECEIPT_PATH_MAX];
    size_t n_path;
    int block; /* index in blocks; -1: it is not there */
};

struct receipt_block {
    struct receipt_bytes record, signature;
    struct record_block said;
    hash_t hash;
    hash_t path[RECEIPT_PATH_MAX];
    size_t n_path;
};

struct receipt_key {
    struct receipt_bytes record, signature;
    struct record_key said;
    struct public_key *key;
    char key_id[KEY_ID_SIZE];
};

/* The order of all records that have them: name, iban, mobile. */
enum { RECEIPT_OPENINGS = 3 };

struct receipt {
    json_t *json;
    size_t n_journals, n_blocks, n_keys;
    struct receipt_journal journals[RECEIPT_JOURNALS_MAX];
    struct receipt_block blocks[RECEIPT_JOURNALS_MAX];
    struct receipt_key keys[RECEIPT_KEYS_MAX];
    struct receipt_bytes head_record, head_signature;
    struct record_tree_head head;
    struct receipt_bytes beneficiary_record, sheet_record;
    struct record_beneficiary beneficiary;
    struct record_rate_sheet sheet;
    struct record_quote quote; /* if the payout's record has one */
    struct {
        struct slice value; /* absent: it is not opened */
        unsigned char salt[16];
    } openings[RECEIPT_OPENINGS];
};

/* What it came to. */
struct receipt_verdict {
    struct receipt_findings findings;
    char qr
        [288]; /* docs/receipt.md: what the QR code of its page must say; empty if it cannot be said */
};

/* Reads the document and what is in it; false: it is none, the findings say why. Free it in either case. */
bool receipt_read(struct slice text, struct receipt *out, struct receipt_findings *findings);
void receipt_free(struct receipt *r);

/* receipt_proof.c: hashes, paths, signatures. */
void receipt_check_proofs(struct receipt *r, const struct trusted_keys *trusted, struct sha256 *sha,
                          struct receipt_findings *findings);
/* receipt_rules.c: it is about one payout, whose journals make its state, and the numbers follow from each other. */
void receipt_check_rules(const struct receipt *r, struct sha256 *sha,
                         struct receipt_findings *findings);
/* receipt_said.c: the document as it must be, made from the records; NULL: out of memory. */
json_t *receipt_said(const struct receipt *r);
/* Every difference of the document to that. */
void receipt_compare(const json_t *want, const json_t *have, struct receipt_findings *findings);

/* All of the above. */
void receipt_verify(struct receipt *r, const struct trusted_keys *trusted, struct sha256 *sha,
                    struct receipt_verdict *out);

/* Digits of a currency's minor unit in ISO 4217. */
unsigned receipt_digits(struct slice currency);
/* "SETTLED" of 4; "?" */
const char *receipt_state_name(int64_t state);
/* The state that the journal led to; 0: none of its own. */
int64_t receipt_state_of(const struct record_journal *j);
/* The key in force for a block; NULL: none. */
const struct receipt_key *receipt_key_for(const struct receipt *r, int64_t block_no);

#endif
