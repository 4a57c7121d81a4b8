/*
 * reader.h: from rows to the leaf hashes of journals, in bulk: a run of seqs is read by a plain range query of each
 * table that has something to say about it, and put together here; or from what was handed over of a block. What rows
 * point to by number (accounts, banks, currencies, principals, rate sheets, beneficiaries) is kept from one run to the
 * next: none of it ever changes.
 */
#ifndef UJRAT_SEAL_READER_H
#define UJRAT_SEAL_READER_H

#include "seal/db.h"
#include "seal/handover.h"
#include "seal/merkle.h"

enum {
    SEAL_RUN_MAX = 4096, /* journals read at a time: what bounds the memory */
};

/* Texts by a small number. */
struct seal_dict {
    struct slice *entry; /* p NULL: none */
    size_t n;
};

/* A bank's payable account in a currency. */
struct seal_payable {
    int64_t bank_and_ccy; /* 65536 times the one, and the other */
    struct slice account;
};

/* A book that is read. */
struct seal_book {
    int32_t book_id;
    char code[33];
    struct seal_dict accounts;
    struct seal_payable *payables;
    size_t n_payables;
};

/* A block as its row says; seq and times as in docs/log-format.md. */
struct seal_block_row {
    int64_t block_no, first_seq, last_seq, committed_at;
};

struct seal_reader;

MUST_CHECK err_t seal_reader_new(struct seal_hasher *h, struct seal_reader **out);
void seal_reader_free(struct seal_reader **reader);

void seal_book_deinit(struct seal_book *book);

/*
 * The leaf hashes of journals first..first + n - 1 of the book into out; n is at most SEAL_RUN_MAX. blocks: those that
 * the journals belong to, in order and without gaps.
 */
enum seal_result seal_reader_leaves(struct seal_reader *reader, struct seal_db *db,
                                    struct seal_book *book, const struct seal_block_row *blocks,
                                    size_t n_blocks, int64_t first, unsigned n, seal_hash_t *out);

/*
 * The leaf hashes of a block from what was handed over of it (seal/handover.h: the message's head is the block's, and it
 * has at most SEAL_RUN_MAX payouts). SEAL_BROKEN: that is not a block the book could have.
 */
enum seal_result seal_reader_handed(struct seal_reader *reader, struct seal_db *db,
                                    struct seal_book *book, const struct seal_block_row *block,
                                    struct slice message, seal_hash_t *out);

#endif
