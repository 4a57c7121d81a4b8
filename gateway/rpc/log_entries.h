/*
 * log_entries.h: journals as the signed log has them, rebuilt from rows, with their paths to the head.
 *
 * What is rebuilt is compared with the hashes that were sealed: a row that was changed since is never answered with, it is
 * told loudly (log_book_damaged).
 */
#ifndef UJRAT_RPC_LOG_ENTRIES_H
#define UJRAT_RPC_LOG_ENTRIES_H

#include "gateway/rpc/log_book.h"
#include "ledger/pii.h"

enum {
    /* A payout is accepted, handed out, settled, and returned or that taken back at most 30 times, by two journals each. */
    LOG_ENTRIES_MAX = 63,
    LOG_RATES_MAX = 256
};

struct log_entry {
    struct seal_journal journal;
    struct slice record;
    seal_hash_t sealed_leaf; /* what the seal says its hash is */
    int64_t leaf_index;
    struct slice leaf_path;
    struct seal_block block;
    struct slice block_record, block_key_id, block_signature;
    seal_hash_t block_hash;
    struct slice block_path;
};

struct log_rate {
    struct slice currency;
    int64_t pkr_e10;
};

struct log_sheet {
    struct seal_rate_sheet sheet;
    struct log_rate rates[LOG_RATES_MAX];
    struct slice record;
    seal_hash_t hash;
};

/* call->state. The payout's parts are there if one of the entries accepted it. */
struct log_entries {
    struct log_book book; /* first */
    int64_t payout_id;    /* all of this payout; or 0 and */
    int64_t seq;          /* this one */
    const char *field;    /* which the request named it in */
    bool wants_person;    /* what opens the commitments to whom it pays */
    log_then_fn *done;
    unsigned n;
    struct log_entry entry[LOG_ENTRIES_MAX];
    struct log_entry *accepted; /* the one that accepted the payout; NULL: it is not among them */
    bool has_person;            /* wanted, and not erased */
    struct pii_open person;
    bool has_quote;
    struct seal_beneficiary beneficiary;
    struct slice beneficiary_record;
    seal_hash_t beneficiary_hash;
    struct seal_quote quote;
    struct slice quote_record;
    struct log_sheet sheet, quote_sheet; /* of the payout, and of its quote */
    int64_t policy_id;                   /* the version that priced both; 0: none, and no hash */
    bool quote_has_policy;
    struct slice policy_record;
    seal_hash_t policy_hash;
};

/* Fills in all of it, by payout_id or seq, for the head of that size (0: the newest), and goes on with `done`. */
void log_entries_ask(struct rpc_call *call, int64_t tree_size, log_then_fn *done);

#endif
