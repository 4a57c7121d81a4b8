/* audit_messages.h: the messages of ujrat.audit.v1 (proto/ujrat/audit/v1/audit.proto). */
#ifndef UJRAT_WIRE_AUDIT_MESSAGES_H
#define UJRAT_WIRE_AUDIT_MESSAGES_H

#include "gateway/wire/payout_messages.h"
#include "gateway/wire/wire.h"

struct wire_get_trial_balance_request {
    bool present;
    struct slice book;
    struct wire_time as_of;
};

struct wire_trial_balance_line {
    bool present;
    struct slice book;
    struct slice account;
    struct slice type;
    struct slice currency_code;
    int64_t debit_minor_units;
    int64_t credit_minor_units;
};

struct wire_trial_balance_total {
    bool present;
    struct slice currency_code;
    int64_t debit_minor_units;
    int64_t credit_minor_units;
};

struct wire_get_trial_balance_response {
    bool present;
    WIRE_LIST(struct wire_trial_balance_line) lines;
    WIRE_LIST(struct wire_trial_balance_total) totals;
    struct wire_time as_of;
};

struct wire_posting {
    bool present;
    struct slice account;
    struct slice currency_code;
    int64_t minor_units;
};

struct wire_journal {
    bool present;
    struct slice name;
    struct slice kind;
    int64_t block_number;
    struct wire_time commit_time;
    struct slice actor;
    struct slice payout;
    struct slice reverses;
    struct slice description;
    WIRE_LIST(struct wire_posting) postings;
};

struct wire_list_journals_request {
    bool present;
    struct slice book;
    int32_t page_size;
    struct slice page_token;
    struct wire_time from_time;
    struct wire_time until_time;
};

struct wire_list_journals_response {
    bool present;
    WIRE_LIST(struct wire_journal) journals;
    struct slice next_page_token;
};

struct wire_get_account_statement_request {
    bool present;
    struct slice account;
    int32_t page_size;
    struct slice page_token;
    struct wire_time from_time;
    struct wire_time until_time;
};

struct wire_statement_line {
    bool present;
    struct slice journal;
    struct slice kind;
    struct wire_time commit_time;
    int64_t minor_units;
    int64_t balance_minor_units;
    struct slice payout;
};

struct wire_get_account_statement_response {
    bool present;
    struct slice currency_code;
    int64_t opening_minor_units;
    WIRE_LIST(struct wire_statement_line) lines;
    int64_t closing_minor_units;
    struct slice next_page_token;
};

struct wire_get_payout_trail_request {
    bool present;
    struct slice payout;
};

struct wire_trail_event {
    bool present;
    int32_t state;
    struct wire_time event_time;
    struct slice actor;
    struct slice detail;
    struct wire_journal journal;
};

struct wire_get_payout_trail_response {
    bool present;
    struct wire_payout payout;
    WIRE_LIST(struct wire_trail_event) events;
};

struct wire_signed_record {
    bool present;
    struct slice record;
    struct slice key_id;
    struct slice signature;
};

struct wire_tree_head {
    bool present;
    struct slice book;
    int64_t tree_size;
    struct slice root;
    struct wire_time sign_time;
    struct wire_signed_record signed_record;
};

struct wire_get_tree_head_request {
    bool present;
    struct slice book;
    int64_t tree_size;
};

struct wire_get_tree_head_response {
    bool present;
    struct wire_tree_head tree_head;
    WIRE_LIST(struct wire_signed_record) keys;
};

struct wire_get_inclusion_proof_request {
    bool present;
    struct slice payout;
    struct slice journal;
    int64_t tree_size;
};

struct wire_journal_proof {
    bool present;
    struct slice journal;
    struct slice record;
    int64_t leaf_index;
    struct slice leaf_path;
    int64_t block_number;
    struct wire_signed_record block;
    struct slice block_path;
};

struct wire_get_inclusion_proof_response {
    bool present;
    WIRE_LIST(struct wire_journal_proof) journals;
    struct wire_tree_head tree_head;
    WIRE_LIST(struct wire_signed_record) keys;
};

struct wire_get_consistency_proof_request {
    bool present;
    struct slice book;
    int64_t old_size;
    int64_t new_size;
};

struct wire_get_consistency_proof_response {
    bool present;
    int64_t old_size;
    int64_t new_size;
    struct slice old_root;
    struct slice new_root;
    struct slice path;
    struct wire_tree_head tree_head;
};

struct wire_get_receipt_request {
    bool present;
    struct slice payout;
};

struct wire_get_receipt_response {
    bool present;
    struct slice receipt;
};

extern const struct wire_message wire_get_trial_balance_request_type, wire_trial_balance_line_type,
    wire_trial_balance_total_type, wire_get_trial_balance_response_type, wire_posting_type,
    wire_journal_type, wire_list_journals_request_type, wire_list_journals_response_type,
    wire_get_account_statement_request_type, wire_statement_line_type,
    wire_get_account_statement_response_type, wire_get_payout_trail_request_type,
    wire_trail_event_type, wire_get_payout_trail_response_type, wire_signed_record_type,
    wire_tree_head_type, wire_get_tree_head_request_type, wire_get_tree_head_response_type,
    wire_get_inclusion_proof_request_type, wire_journal_proof_type,
    wire_get_inclusion_proof_response_type, wire_get_consistency_proof_request_type,
    wire_get_consistency_proof_response_type, wire_get_receipt_request_type,
    wire_get_receipt_response_type;

#endif
