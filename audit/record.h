/*
 * record.h: the records of the signed log (docs/log-format.md): a strict decoder and an encoder of every kind.
 *
 * Written from that page alone and sharing nothing with the code that seals, on purpose: two programs that agree about
 * every byte are worth more than one that agrees with itself.
 *
 * Decoding takes no memory: texts and byte strings of what was decoded point into what was given. An absent field is a
 * slice whose p is NULL; one that is empty has a p. Encoding appends to a struct record_out, which grows and is reused.
 * The only two failures are a buffer that cannot grow and input that is not what the page says; the second names its
 * field, its place and what is wrong.
 */
#ifndef UJRAT_AUDIT_RECORD_H
#define UJRAT_AUDIT_RECORD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_FIELD_BYTES_MAX (1U << 20) /* no field is longer */
#define RECORD_HASH_BYTES      32
#define RECORD_KEY_BYTES       32
#define RECORD_SIGNATURE_BYTES 64
#define RECORD_LINES_MAX       64  /* of a journal; the ledger's own bound is 8 */
#define RECORD_RATES_MAX       512 /* of a sheet: more than there are currencies */
#define RECORD_CHANGES_MAX                                                                         \
    1024 /* of rules in a version of the policy; the ledger's own bound is 1000 */

enum record_kind {
    RECORD_NONE = 0, /* none that this program knows */
    RECORD_LOG,
    RECORD_CURRENCY,
    RECORD_RATE_SHEET,
    RECORD_POLICY_CHANGE,
    RECORD_BOOK,
    RECORD_KEY,
    RECORD_ACCOUNT,
    RECORD_BENEFICIARY,
    RECORD_JOURNAL,
    RECORD_BALANCE,
    RECORD_BLOCK,
    RECORD_TREE_HEAD,
    RECORD_END,
    RECORD_SIGNED,
    RECORD_QUOTE,
    RECORD_POLICY,
    RECORD_PII,
    RECORD_PII_OPEN,
};

/* "ujrat/journal/1"; NULL for RECORD_NONE. Journals and quotes have a second version, which is of the same kind. */
const char *record_name(enum record_kind kind);

/* What the bytes say they are, by their first field. */
enum record_kind record_kind_of(struct slice bytes);

struct opt_int {
    bool has;
    int64_t value;
};

struct record_line {
    struct slice account; /* its code */
    struct slice currency;
    int64_t amount; /* debit positive, credit negative */
};

struct record_payout {
    struct slice reference, info /* or absent */, bank, src_ccy, dst_ccy;
    int64_t gross, fee;
    int64_t mid_rate_e10, mid_value, margin_bps, margin, net, digit_shift;
    struct slice fingerprint; /* 16 */
    int64_t beneficiary_id, beneficiary_version;
    struct slice beneficiary; /* hash of its record */
    struct slice rate_sheet;  /* hash of its record */
    struct slice quote;       /* the whole record, or absent */
    struct slice policy;      /* hash of its record; absent: the journal's record is of version 1 */
};

struct record_transition {
    int64_t step, state;
    struct slice reason_code, bank_reference; /* or absent */
    struct opt_int tax_withheld;
    struct slice eprc_number; /* or absent */
};

struct record_handout {
    struct slice bank;
    int64_t prev_payout_id, last_payout_id;
};

struct record_deposit {
    struct slice reference, currency;
    int64_t amount;
};

struct record_adjustment {
    int64_t proposal;
    struct slice reason, evidence /* 32, or absent */, proposed_by;
    int64_t proposed_at_us;
};

struct record_unclaimed {
    struct slice reference, info /* or absent */, currency;
    int64_t gross, batch_id, item_no, expires_at_us;
};

struct record_unclaimed_end {
    int64_t outcome; /* 1 claimed, 2 expired, 3 cancelled */
    struct opt_int payout_id;
};

struct record_hold {
    int64_t hold_no;
    struct slice reason, detail, evidence; /* the last two 32, or absent */
    int64_t deadline_us;
};

struct record_hold_end {
    int64_t hold_no, outcome;                                  /* 1 released, 2 refused */
    struct slice first_by, second_by, first_note, second_note; /* the notes 32 */
};

enum record_subject {
    SUBJECT_NONE = 0,
    SUBJECT_PAYOUT,
    SUBJECT_TRANSITION,
    SUBJECT_HANDOUT,
    SUBJECT_DEPOSIT,
    SUBJECT_ADJUSTMENT,
    SUBJECT_UNCLAIMED,
    SUBJECT_UNCLAIMED_END,
    SUBJECT_HOLD,
    SUBJECT_HOLD_END,
};

/* "payout" */
const char *record_subject_name(enum record_subject subject);

struct record_journal {
    struct slice book;
    int64_t seq, block_no, committed_at_us;
    struct slice kind, actor;
    struct opt_int payout_id, reverses_seq;
    struct slice detail; /* or absent */
    size_t n_lines;
    struct record_line lines[RECORD_LINES_MAX];
    enum record_subject subject;
    union {
        struct record_payout payout;
        struct record_transition transition;
        struct record_handout handout;
        struct record_deposit deposit;
        struct record_adjustment adjustment;
        struct record_unclaimed unclaimed;
        struct record_unclaimed_end unclaimed_end;
        struct record_hold hold;
        struct record_hold_end hold_end;
    };
};

struct record_beneficiary {
    struct slice book;
    int64_t beneficiary_id, version;
    struct slice bank;
    int64_t channel;
    struct slice purpose_code;
    struct slice commitments[5]; /* name, iban, mobile, cnic, pseb: 32 each, or absent */
    struct slice actor;
    int64_t created_at_us;
};

struct record_rate {
    struct slice currency;
    int64_t pkr_e10;
};

struct record_rate_sheet {
    int64_t rate_id;
    struct slice source;
    int64_t sheet_date_days, as_of_us, imported_at_us;
    struct slice file_name, file_sha256, author;
    size_t n_rates;
    struct record_rate rates[RECORD_RATES_MAX];
};

struct record_quote {
    struct slice book;
    int64_t quote_id;
    struct slice request_id, fingerprint, src_ccy, dst_ccy;
    int64_t digit_shift;
    struct slice rate_sheet;
    int64_t gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net;
    struct slice actor;
    int64_t created_at_us, expires_at_us;
    struct slice policy; /* hash of its record; absent: the record is of version 1 */
};

struct record_rule {
    struct slice rule, scope, currency /* or absent */;
    struct opt_int value; /* none: the rule is removed */
};

struct record_policy_change {
    int64_t policy_id, effective_at_us;
    struct slice reason, source, source_sha256 /* or absent */;
    int64_t opening;
    struct slice proposed_by;
    int64_t proposed_at_us;
    struct slice approved_by;
    int64_t approved_at_us;
    size_t n_changes;
    struct record_rule changes[RECORD_CHANGES_MAX];
};

/* A version of the policy: the hashes of the changes that led to it, one behind the other. */
struct record_policy {
    int64_t policy_id, effective_at_us;
    const unsigned char *changes; /* n_changes times RECORD_HASH_BYTES */
    size_t n_changes;
};

struct record_block {
    struct slice book;
    int64_t block_no, first_seq, last_seq, committed_at_us;
    struct slice journal_root, prev; /* 32 each */
};

struct record_tree_head {
    struct slice book;
    int64_t tree_size;
    struct slice root;
    int64_t signed_at_us;
};

struct record_key {
    struct slice book, key_id, public_key;
    int64_t from_block, created_at_us;
};

struct record_log {
    int64_t exported_at_us;
    struct slice program;
};

struct record_currency {
    struct slice code;
    int64_t number, digits;
};

struct record_book {
    struct slice code, name;
    int64_t created_at_us;
};

struct record_account {
    struct slice book;
    int64_t account_id;
    struct slice code, role, type, normal_side, currency, bank /* or absent */;
    int64_t floor_zero;
    int64_t created_at_us;
};

struct record_balance {
    struct slice book, account;
    int64_t block_no, prev_block_no, balance_before, change, balance, debit_count, credit_count;
};

struct record_end {
    int64_t items;
    struct slice sha256;
};

struct record_signed {
    struct slice record, key_id, signature;
};

struct record_pii {
    struct slice which, salt, value;
};

struct record_pii_open {
    struct slice salts[5], values[5]; /* each pair there or absent */
};

/* ---------------------------------------------------------------- decoding */

struct record_fault {
    const char *field; /* which one */
    const char *what;  /* "is longer than the record" */
    size_t offset;     /* of the field in the record */
};

/* All of bytes, and nothing else, is that record. False: *fault says why, and *out is not to be looked at. */
bool record_read_log(struct slice bytes, struct record_log *out, struct record_fault *fault);
bool record_read_currency(struct slice bytes, struct record_currency *out,
                          struct record_fault *fault);
bool record_read_rate_sheet(struct slice bytes, struct record_rate_sheet *out,
                            struct record_fault *fault);
bool record_read_policy_change(struct slice bytes, struct record_policy_change *out,
                               struct record_fault *fault);
bool record_read_book(struct slice bytes, struct record_book *out, struct record_fault *fault);
bool record_read_key(struct slice bytes, struct record_key *out, struct record_fault *fault);
bool record_read_account(struct slice bytes, struct record_account *out,
                         struct record_fault *fault);
bool record_read_beneficiary(struct slice bytes, struct record_beneficiary *out,
                             struct record_fault *fault);
bool record_read_journal(struct slice bytes, struct record_journal *out,
                         struct record_fault *fault);
bool record_read_balance(struct slice bytes, struct record_balance *out,
                         struct record_fault *fault);
bool record_read_block(struct slice bytes, struct record_block *out, struct record_fault *fault);
bool record_read_tree_head(struct slice bytes, struct record_tree_head *out,
                           struct record_fault *fault);
bool record_read_end(struct slice bytes, struct record_end *out, struct record_fault *fault);
bool record_read_signed(struct slice bytes, struct record_signed *out, struct record_fault *fault);
bool record_read_quote(struct slice bytes, struct record_quote *out, struct record_fault *fault);
bool record_read_pii(struct slice bytes, struct record_pii *out, struct record_fault *fault);
bool record_read_pii_open(struct slice bytes, struct record_pii_open *out,
                          struct record_fault *fault);

/* ---------------------------------------------------------------- encoding */

/* Zeroed is empty. bad: memory ran out, or a field was too long; what is in it then is nothing. */
struct record_out {
    unsigned char *store;
    size_t len, size;
    bool bad;
};

void record_out_free(struct record_out *out);
static inline struct slice record_out_slice(const struct record_out *out)
{
    return slice_of(out->store, out->len);
}

/* Each empties *out first and then holds the record. False: bad. */
bool record_write_log(struct record_out *out, const struct record_log *r);
bool record_write_currency(struct record_out *out, const struct record_currency *r);
bool record_write_rate_sheet(struct record_out *out, const struct record_rate_sheet *r);
bool record_write_policy_change(struct record_out *out, const struct record_policy_change *r);
bool record_write_policy(struct record_out *out, const struct record_policy *r);
bool record_write_book(struct record_out *out, const struct record_book *r);
bool record_write_key(struct record_out *out, const struct record_key *r);
bool record_write_account(struct record_out *out, const struct record_account *r);
bool record_write_beneficiary(struct record_out *out, const struct record_beneficiary *r);
bool record_write_journal(struct record_out *out, const struct record_journal *r);
bool record_write_balance(struct record_out *out, const struct record_balance *r);
bool record_write_block(struct record_out *out, const struct record_block *r);
bool record_write_tree_head(struct record_out *out, const struct record_tree_head *r);
bool record_write_end(struct record_out *out, const struct record_end *r);
bool record_write_signed(struct record_out *out, const struct record_signed *r);
bool record_write_quote(struct record_out *out, const struct record_quote *r);
bool record_write_pii(struct record_out *out, const struct record_pii *r);
bool record_write_pii_open(struct record_out *out, const struct record_pii_open *r);

#endif
