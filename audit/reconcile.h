/*
 * reconcile.h: a bank's statements of one account against the books' nostro accounts at that bank.
 *
 * Amounts are minor units, signed as we see the account: money in is positive. The bank's credit (CRDT) and our debit of
 * the nostro have the same sign, so that what agrees is equal.
 *
 *     balance per bank - balance per books = sum of the effects of the breaks + what is unexplained
 *
 * holds to the last minor unit: unexplained is what the statements themselves do not account for.
 */
#ifndef UJRAT_AUDIT_RECONCILE_H
#define UJRAT_AUDIT_RECONCILE_H

#include "audit/camt053.h"
#include "audit/db.h"
#include "base/arena.h"
#include "base/command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RECON_MEMORY_MAX     (192U << 20) /* texts of entries and postings */
#define RECON_STATEMENTS_MAX 1000
#define RECON_TIMING_DAYS    2 /* how far apart the two sides may book the same thing */
#define RECON_LOOKBACK_DAYS                                                                        \
    31 /* how long before the first statement our postings may wait for the bank */

enum category {
    CAT_NONE,
    CAT_TIMING,
    CAT_MISSING_OURS,
    CAT_MISSING_THEIRS,
    CAT_DUPLICATE,
    CAT_AMOUNT,
    CAT_CHARGE,
    CAT_TAX,
    CAT_RETURN,
    CAT_CREDIT,
    CAT_END
};

/* By what an entry was matched. */
enum match {
    MATCH_NONE,
    MATCH_END_TO_END,
    MATCH_BANK_REFERENCE,
    MATCH_AMOUNT,
    MATCH_CONTRA, /* with an entry of the bank's that takes it back */
    MATCH_END
};

/* A statement as it was read. */
struct statement {
    const char *file, *id, *copy, *account;
    int version;
    int64_t sequence, page;
    int64_t from_us, to_us;
    int32_t from_day, to_day;
    int64_t opening, closing, sum; /* sum of its booked entries */
    int64_t gap;                   /* opening less the closing of the one before; 0 for the first */
    uint64_t n_entries, n_booked, n_pending, n_info;
    unsigned char digest[32];   /* of what it says, its name left out */
    const char *sequence_fault; /* NULL: none */
};

struct item;

/* A payment on a statement: an entry, one transaction of a batch, or what is left of a batch's amount. */
struct line {
    int64_t minor;
    int64_t delta; /* what our books lack of it */
    int64_t charges;
    uint64_t entry;
    const struct statement *statement;
    const char *end_to_end_id, *instruction_id, *transaction_id; /* "" if none, as below */
    const char *bank_reference, *entry_bank_reference, *entry_reference, *return_reason;
    struct item *item;
    const struct item *adjusted_by;
    struct line *remainder; /* of the batch, while this one's own amount is not known */
    uint32_t statement_index;
    int32_t date;
    enum match match;
    enum category category;
    bool pending, returned, charge, is_remainder, duplicate;
    bool instructed;  /* our books have told the bank to, and do not know yet that it did */
    const char *note; /* NULL: none */
};

/* A posting on a nostro account of ours at the bank. */
struct item {
    int64_t minor;
    int64_t seq, payout_id; /* payout_id 0: about none */
    int64_t tax;
    const char *book, *kind, *reference, *bank_reference, *reason; /* "" if none */
    char end_to_end_id[36];
    struct line *line;
    int32_t date; /* in Pakistan */
    int32_t book_id;
    bool prior; /* from before the first statement */
    bool adjustment;
    bool used;
    bool pending; /* the bank has it, not yet booked */
};

struct brk {
    enum category category;
    int64_t effect;
    int32_t date, age_days;
    const struct line *line; /* or NULL */
    const struct item *item; /* or NULL */
    const char *note;
};

struct recon {
    struct arena arena;
    struct db db;
    char bank[8], bank_name[128], bic[16], account[CAMT_TEXT35_SIZE], ccy[4];
    const char *book; /* or NULL: all */
    unsigned digits;
    char as_of[TIMEFMT_SIZE];
    int32_t as_of_day;

    struct statement *statements;
    size_t n_statements, statements_size;
    struct line *lines;
    size_t n_lines, lines_size;
    struct item *items;
    size_t n_items, items_size;
    struct brk *breaks;
    size_t n_breaks;

    int64_t bank_balance, books_opening, books_balance;
    int64_t brought_forward;         /* what the first statement opened with and we do not know */
    const struct item *opening_item; /* an adjustment that takes it up; or NULL */
    int64_t explained, unexplained;
    uint64_t matched[MATCH_END], matched_ours;
    uint64_t count[CAT_END];
    int64_t sum[CAT_END];
    unsigned faults; /* of the statements themselves */
};

/* ---------------------------------------------------------------- what it is made of */

/* The account: which bank, which number, which currency. The user was told what is wrong. */
enum exit_code recon_find_account(struct recon *r, const struct args *args);

/* Reads the files and checks that they follow each other. False: refused, and the user was told. */
bool recon_read(struct recon *r, const struct args *args);

/* Our side: postings and balances. */
bool recon_load(struct recon *r);
/* What our books know of a payment that they have not posted: fills in notes. */
bool recon_look_up(struct recon *r);

bool recon_match(struct recon *r);
bool recon_classify(struct recon *r);

/* ---------------------------------------------------------------- what comes of it */

const char *recon_category(enum category c);
const char *recon_match_name(enum match m);
/* "0-2 days: timing" */
const char *recon_band(int32_t days);
/* "-1234.50" */
#define RECON_AMOUNT_SIZE 32
const char *recon_amount(const struct recon *r, int64_t minor, char out[RECON_AMOUNT_SIZE]);
/* With thousands separators. */
const char *recon_amount_shown(const struct recon *r, int64_t minor, char out[RECON_AMOUNT_SIZE]);
bool recon_is_clean(const struct recon *r);

void recon_print(const struct recon *r);
bool recon_print_json(const struct recon *r);
void recon_write_csv(const struct recon *r, FILE *out);
void recon_write_html(const struct recon *r, FILE *out);

/* Grows an array of *size elements so that it has room for one more; NULL: out of memory, the old one stays. */
void *recon_grow(void *array, size_t n, size_t *size, size_t element);
const char *recon_dup(struct recon *r, const char *text);
const char *recon_printf(struct recon *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
