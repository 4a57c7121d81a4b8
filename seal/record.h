/*
 * record.h: the records of docs/log-format.md, written as bytes. That page is the contract; the structs below have its
 * fields in its order.
 *
 * An absent text is a slice whose p is NULL; an empty one has a p. Times are microseconds since 1970, dates days since
 * then. Slices are only read.
 */
#ifndef UJRAT_SEAL_RECORD_H
#define UJRAT_SEAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    SEAL_HASH_SIZE = 32,
    SEAL_SIGNATURE_SIZE = 64,
    SEAL_PUBLIC_KEY_SIZE = 32,
    SEAL_KEY_ID_SIZE = 17, /* 16 hexadecimal digits and a NUL */
    SEAL_FIELD_BYTES_MAX = 1 << 20,
    SEAL_LINES_MAX = 8,
};

typedef struct {
    unsigned char b[SEAL_HASH_SIZE];
} seal_hash_t;

/*
 * One record at a time, in memory that is kept from one to the next. The byte in front of it is the 00 of a leaf, so
 * that a leaf's hash is taken in one go.
 */
struct seal_record {
    unsigned char *store;
    size_t len, size;
    bool failed; /* out of memory, or a field over 1 MiB: the record is void */
};

void seal_record_init(struct seal_record *r);
void seal_record_deinit(struct seal_record *r);

/* The record as it stands; empty if it failed. Valid until the next call with r. */
struct slice seal_record_bytes(const struct seal_record *r);
/* The same with the leaf's 00 in front. */
struct slice seal_record_leaf(const struct seal_record *r);

struct seal_opt_int {
    bool present;
    int64_t value;
};

struct seal_line {
    struct slice account, currency;
    int64_t amount;
};

enum seal_subject {
    SEAL_SUBJECT_NONE,
    SEAL_SUBJECT_PAYOUT,
    SEAL_SUBJECT_TRANSITION,
    SEAL_SUBJECT_HANDOUT,
    SEAL_SUBJECT_DEPOSIT,
    SEAL_SUBJECT_ADJUSTMENT,
    SEAL_SUBJECT_UNCLAIMED,
    SEAL_SUBJECT_UNCLAIMED_END,
    SEAL_SUBJECT_HOLD,
    SEAL_SUBJECT_HOLD_END,
};

struct seal_payout {
    struct slice reference, info; /* info may be absent */
    struct slice bank, src_ccy, dst_ccy;
    int64_t gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net, digit_shift;
    struct slice fingerprint;
    int64_t beneficiary_id, beneficiary_version;
    struct slice beneficiary, rate_sheet; /* hashes */
    struct slice quote;                   /* its record; may be absent */
    struct slice
        policy; /* hash; absent: from before there were policies, and the journal is a ujrat/journal/1 */
};

struct seal_transition {
    int64_t step, state;
    struct slice reason_code, bank_reference; /* may be absent */
    struct seal_opt_int tax_withheld;
    struct slice eprc_number; /* may be absent */
};

struct seal_handout {
    struct slice bank;
    int64_t prev_payout_id, last_payout_id;
};

struct seal_deposit {
    struct slice reference, currency;
    int64_t amount;
};

struct seal_adjustment {
    int64_t proposal;
    struct slice reason, evidence /* may be absent */, proposed_by;
    int64_t proposed_at;
};

struct seal_unclaimed {
    struct slice reference, info /* may be absent */, currency;
    int64_t gross, batch_id, item_no, expires_at;
};

struct seal_unclaimed_end {
    int64_t outcome;
    struct seal_opt_int payout_id;
};

struct seal_hold {
    int64_t hold_no;
    struct slice reason, detail, evidence; /* the last two are hashes, and may be absent */
    int64_t deadline;
};

struct seal_hold_end {
    int64_t hold_no, outcome;
    struct slice first_by, second_by, first_note, second_note; /* the notes are hashes */
};

struct seal_journal {
    struct slice book;
    int64_t seq, block_no, committed_at;
    struct slice kind, actor;
    struct seal_opt_int payout_id, reverses_seq;
    struct slice detail; /* may be absent */
    unsigned n_lines;    /* at most SEAL_LINES_MAX */
    struct seal_line lines[SEAL_LINES_MAX];
    enum seal_subject subject;
    union {
        struct seal_payout payout;
        struct seal_transition transition;
        struct seal_handout handout;
        struct seal_deposit deposit;
        struct seal_adjustment adjustment;
        struct seal_unclaimed unclaimed;
        struct seal_unclaimed_end unclaimed_end;
        struct seal_hold hold;
        struct seal_hold_end hold_end;
    } of;
};

enum { SEAL_COMMITMENTS = 5 }; /* to name, iban, mobile, cnic, pseb */

struct seal_beneficiary {
    struct slice book;
    int64_t beneficiary_id, version;
    struct slice bank;
    int64_t channel;
    struct slice purpose_code;
    struct slice commitments[SEAL_COMMITMENTS]; /* may be absent, each */
    struct slice actor;
    int64_t created_at;
};

struct seal_rate_sheet {
    int64_t rate_id;
    struct slice source;
    int64_t sheet_date, as_of, imported_at;
    struct slice file_name, file_sha256, author;
    int64_t n_rates; /* each is added after it by seal_record_rate() */
};

struct seal_quote {
    struct slice book;
    int64_t quote_id;
    struct slice request_id, fingerprint, src_ccy, dst_ccy;
    int64_t digit_shift;
    struct slice rate_sheet; /* hash */
    int64_t gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net;
    struct slice actor;
    int64_t created_at, expires_at;
    struct slice policy; /* hash; absent: it is a ujrat/quote/1 */
};

struct seal_policy_change {
    int64_t policy_id, effective_at;
    struct slice reason, source, source_sha256; /* the last may be absent */
    int64_t opening;
    struct slice proposed_by;
    int64_t proposed_at;
    struct slice approved_by;
    int64_t approved_at;
    int64_t n_changes; /* each is added after it by seal_record_rule() */
};

struct seal_rule {
    struct slice rule, scope, currency; /* currency may be absent */
    struct seal_opt_int value;          /* none: the rule is removed */
};

struct seal_policy {
    int64_t policy_id, effective_at,
        n_changes; /* the hash of each is added by seal_record_policy_hash() */
};

struct seal_block {
    struct slice book;
    int64_t block_no, first_seq, last_seq, committed_at;
    seal_hash_t journal_root, prev;
};

struct seal_tree_head {
    struct slice book;
    int64_t tree_size;
    seal_hash_t root;
    int64_t signed_at;
};

struct seal_key_record {
    struct slice book, key_id, public_key;
    int64_t from_block, created_at;
};

/* Each begins r anew. */
void seal_record_journal(struct seal_record *r, const struct seal_journal *j);
void seal_record_beneficiary(struct seal_record *r, const struct seal_beneficiary *b);
void seal_record_rate_sheet(struct seal_record *r, const struct seal_rate_sheet *s);
void seal_record_rate(struct seal_record *r, struct slice currency, int64_t pkr_e10);
void seal_record_quote(struct seal_record *r, const struct seal_quote *q);
void seal_record_policy_change(struct seal_record *r, const struct seal_policy_change *c);
void seal_record_rule(struct seal_record *r, const struct seal_rule *rule);
void seal_record_policy(struct seal_record *r, const struct seal_policy *p);
void seal_record_policy_hash(struct seal_record *r, const seal_hash_t *change);
void seal_record_block(struct seal_record *r, const struct seal_block *b);
void seal_record_tree_head(struct seal_record *r, const struct seal_tree_head *h);
void seal_record_key(struct seal_record *r, const struct seal_key_record *k);

#endif
