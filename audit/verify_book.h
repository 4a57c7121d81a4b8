/* verify_book.h: what is known of the book that is being checked: between verify.c, its rules and its checkpoints. */
#ifndef UJRAT_AUDIT_VERIFY_BOOK_H
#define UJRAT_AUDIT_VERIFY_BOOK_H

#include "audit/once.h"
#include "audit/pages.h"
#include "audit/verify.h"

#define BOOK_KEYS_MAX  4096
#define BOOK_BANKS_MAX 1024
#define BOOK_TERMS_MAX 64

/* A journal, as far as later ones rest on it: the record of its seq. One with a seq that is not below the journal being
 * checked was left by a run that was cut off, and counts as not there; so do its fields that hold such a seq. */
struct memory {
    uint8_t kind; /* enum journal_kind; 0: none */
    uint8_t state;
    uint16_t src_ccy, dst_ccy;
    uint32_t bank;
    int64_t gross, fee, margin,
        net; /* of a payout; mid_value is margin + net. Of a return: what came back, as net, and */
    int64_t
        charge; /* what the bank kept of it. Of a payout: the journal that held it first. Of something unclaimed: gross and src_ccy,
                                       the first bytes of the hashes of its reference and info as net and fee, its time as charge; of a claim the
                                       same with its payout as charge */
    int64_t settled_seq, ended_seq; /* of a payout: settled; rejected, cancelled or refused. Of a
                                       hold, as ended_seq: the journal that ended it; net is a mark of who
                                       placed it, state whether that was by hand, next_seq the payout's next hold */
    int64_t
        next_seq; /* of a settled payout the journal of its next step, of that the one after it */
    int64_t reversed_by;
    uint64_t lines_sum; /* of its lines, negated ones have the negative */
};

enum journal_kind {
    KIND_NONE,
    KIND_ACCEPTED,
    KIND_INSTRUCTED,
    KIND_SETTLED,
    KIND_REJECTED,
    KIND_UNSETTLED, /* SETTLEMENT_REVERSED */
    KIND_RETURNED,
    KIND_CANCELLED,
    KIND_DEPOSITED,
    KIND_ADJUSTMENT,
    KIND_PARTLY_UNSETTLED, /* SETTLEMENT_PARTLY_REVERSED */
    KIND_PARTLY_RETURNED,
    KIND_RETURN_REVERSED,
    KIND_RESETTLED, /* SETTLEMENT_RESTORED */
    KIND_FUNDED,
    KIND_UNCLAIMED,          /* PAYOUT_UNCLAIMED */
    KIND_CLAIMED,            /* UNCLAIMED_CLAIMED */
    KIND_UNCLAIMED_RETURNED, /* UNCLAIMED_RETURNED */
    KIND_HELD,               /* PAYOUT_HELD */
    KIND_RELEASED,           /* HOLD_RELEASED */
    KIND_HOLD_REFUSED,
    KIND_REFUSED, /* PAYOUT_REFUSED */
};
#define JOURNAL_KINDS 22

const char *journal_kind_name(enum journal_kind kind);

/* An account: its newest balance, and what the block at hand does to it. */
struct running {
    int64_t balance, last_block, debits, credits;
    int64_t change, new_debits, new_credits;
    bool touched, balanced; /* by a line; by a balance record */
};

struct bank_upto {
    uint32_t bank;
    int64_t last_payout_id; /* handed out up to that number of its order */
};

struct book_key {
    struct public_key *key;
    int64_t from_block;
    bool given; /* it, or one before it, is a key the auditor was given */
};

struct book {
    char code[BOOK_SIZE];
    bool open;     /* a book is being read */
    bool given_up; /* after its first finding: the rest passes by */
    bool between;  /* at the end of a sealed block */
    struct book_result *result;
    struct book_key keys[BOOK_KEYS_MAX];
    size_t n_keys;

    int64_t block_no, last_seq, committed_at_us; /* of the last block */
    hash_t prev;                                 /* its hash */
    struct merkle tree;
    int64_t skip_blocks; /* an earlier run has been through those */
    hash_t skip_root;
    int64_t seen_seq; /* the last journal */

    /* the block at hand */
    struct merkle journals;
    int64_t first_seq, first_block_no, first_at_us; /* of its first journal */
    bool times_differ;
    size_t leaves_wrong, leaves_stored; /* of the seal's hashes: not ours; all */
    int64_t leaf_wrong_seq;
    struct merkle stored; /* the tree of the seal's hashes */
    int last_account;     /* of its balance records */
    int touched[ACCOUNTS_MAX];
    size_t n_touched;
    struct half {
        int64_t seq;             /* 0: none */
        enum journal_kind after; /* what must follow */
        int64_t payout, amount, charge;
        int64_t reverses; /* the return that is taken back */
    } half;               /* the first of two journals that are one event */
    struct claims {
        int64_t first; /* the seq of the first; 0: none */
        int64_t n, done;
    } claims; /* those whose payouts are yet to come, in their order */

    struct seen_terms {
        const struct policy_version *version; /* NULL: nothing here */
        uint16_t ccy;
        struct policy_terms terms;
    } terms[BOOK_TERMS_MAX]; /* looked up before */

    struct running accounts[ACCOUNTS_MAX];
    struct bank_upto banks[BOOK_BANKS_MAX];
    size_t n_banks;
    struct pages *memory; /* struct memory by seq */
    struct once *once;
    size_t witness_at; /* the next head of the witness to meet */
};

struct verify {
    struct verify_options options;
    struct known *known;
    struct sha256 *sha;
    struct book book;
    struct finding *findings;
    size_t n_findings, findings_size;
    uint64_t n_all_findings;
    struct book_result *books;
    size_t n_books;
    uint64_t lines;
    err_t error;
    struct source_item const *item;
    struct checkpoint_book *resume; /* of the checkpoint that was read, or is to be written */
    size_t n_resume;
};

/* Where a book was when a checkpoint was taken (checkpoint.c). */
struct checkpoint_account {
    char code[ACCOUNT_SIZE];
    int64_t balance, last_block, debits, credits;
};

struct checkpoint_book {
    char code[BOOK_SIZE];
    struct book_result result;
    int64_t block_no, last_seq, committed_at_us;
    hash_t root;
    uint64_t once_count;
    struct checkpoint_account *accounts;
    size_t n_accounts;
    struct bank_upto banks[BOOK_BANKS_MAX];
    size_t n_banks;
};

/* Reports; gives up the book unless all findings are wanted. seq or block_no may be 0. */
void verify_wrong(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                  const char *expected, const char *found, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* With two numbers in the place of texts. */
void verify_wrong_int(struct verify *v, int64_t seq, int64_t block_no, const char *field,
                      int64_t expected, int64_t found, const char *text);

/* checkpoint.c: remembers where the book is, for the next checkpoint; at the end of a sealed block. */
void checkpoint_note(struct verify *v);

/* verify_journal.c: the rules of one journal: its lines, what it is about, what may follow what. */
void verify_journal_rules(struct verify *v, const struct record_journal *j);

/* What once.h is given: a seq, and in the highest byte what of it it is. */
static inline uint64_t once_value(char what, int64_t seq)
{
    return (uint64_t)seq | (uint64_t)(unsigned char)what << 56;
}

/* verify_price.c: the numbers of a payout or a quote follow from each other. False: *field is not what *expected says. */
struct price {
    int64_t gross, fee, mid_rate_e10, mid_value, margin_bps, margin, net, digit_shift;
};
bool price_holds(const struct price *p, const char **field, int64_t *expected, int64_t *found);

/* verify_policy.c: a version of the policy (known has it already); and a payout by its version. q: the quote that it used, or NULL. */
void verify_policy_change(struct verify *v, const struct record_policy_change *c);
void verify_policy(struct verify *v, const struct record_journal *j, const struct record_quote *q);

/* verify_journal.c: where a book's record of a seq is kept. NULL: v->error says why. */
struct memory *verify_memory(struct verify *v, int64_t seq, bool change);

/* The files that a book's memory is kept in. */
err_t verify_open_files(struct verify *v, uint64_t once_kept);

#endif
