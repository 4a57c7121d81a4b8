/*
 * verify.h: checks a log as it streams by: everything that docs/log-format.md and docs/accounting.md promise is computed
 * again, by code that shares nothing with what posted and sealed.
 *
 * Memory is bounded whatever the log's size: what must be remembered of payouts is in files (pages.h, once.h).
 */
#ifndef UJRAT_AUDIT_VERIFY_H
#define UJRAT_AUDIT_VERIFY_H

#include "audit/keys.h"
#include "audit/merkle.h"
#include "audit/source.h"

#include <stdbool.h>
#include <stdint.h>

#define BOOK_SIZE        33 /* of a book's code, with a NUL */
#define VERIFY_BOOKS_MAX 4096
#define FINDINGS_MAX     1000 /* of a book; more are counted */
#define FINDING_TEXT     160

/* Something wrong. seq 0 and block_no 0: of the book as a whole. */
struct finding {
    char book[BOOK_SIZE];
    int64_t seq, block_no;
    char field[48];
    char expected[FINDING_TEXT], found[FINDING_TEXT]; /* may be empty */
    char text[FINDING_TEXT];                          /* in words */
};

/* What a witness has seen (witness.h reads the file). */
struct witness_head {
    char book[BOOK_SIZE];
    int64_t tree_size, signed_at_us;
    hash_t root;
    char key_id[KEY_ID_SIZE];
    unsigned char signature[RECORD_SIGNATURE_BYTES];
    unsigned line; /* of the file */
};

struct witness_heads {
    struct witness_head *heads; /* by book and tree_size */
    size_t n;
};

/* What one book came to. */
struct book_result {
    char book[BOOK_SIZE];
    int64_t blocks, unsealed, journals, lines, payouts, last_seq;
    int64_t first_at_us, last_at_us; /* of its blocks */
    bool has_head;
    int64_t head_size, head_at_us;
    hash_t head_root;
    char key_id[KEY_ID_SIZE]; /* that signed the head */
    bool key_given;           /* it is, or descends from, one that the auditor was given */
    size_t witnessed;         /* heads of the witness that agree */
    uint64_t findings;
    int64_t transitions, handouts, deposits, adjustments, returns, fundings, unclaimed,
        unclaimed_ends, holds, hold_ends, balances, seals, heads; /* rows seen */
};

struct verify_options {
    const struct trusted_keys *keys;
    const struct witness_heads *witness; /* or NULL */
    bool all;                            /* go on after the first finding of a book */
    int64_t now_us, seal_grace_us;
    const char *state_path; /* files beside it keep what is remembered; NULL: temporary files */
    /* Called at the end of a book, when the source's database is free to be asked more. */
    void (*book_ended)(void *context, const struct book_result *result);
    void *context;
};

struct verify;

MUST_CHECK err_t verify_new(const struct verify_options *options, struct known *known,
                            struct sha256 *sha, struct verify **out);
void verify_free(struct verify **verify);

/* The next item of the log; the last is that of RECORD_END. ERR_SYS, ERR_NO_MEMORY, ERR_LIMIT: it cannot be checked. What
 * is wrong with the log is no error but a finding. */
MUST_CHECK err_t verify_take(struct verify *verify, const struct source_item *item);

/* Adds a finding from elsewhere to the book at hand, or the one that just ended. */
void verify_add(struct verify *verify, const struct finding *finding);

const struct finding *verify_findings(const struct verify *verify, size_t *n);
uint64_t verify_findings_count(const struct verify *verify); /* those not kept too */
const struct book_result *verify_books(const struct verify *verify, size_t *n);
uint64_t verify_lines(const struct verify *verify); /* posting lines checked by this run */

/* Nothing more of the book at hand will be checked: something was found wrong. */
bool verify_gave_up(const struct verify *verify);

/* Whether a checkpoint can be taken now: the last item ended a sealed block and nothing was found wrong. */
bool verify_between_blocks(const struct verify *verify);

/* verify_db.c: what only a database can be asked, when a book has ended: rows that no journal stands for, the head of the
 * book, quotes that were never used. False: the database could not be read, and the user was told. */
bool verify_rows(struct verify *verify, struct db *db, const struct book_result *result);

/* checkpoint.c: writes and reads where it is. Reading is for a verify that has taken nothing yet. */
MUST_CHECK err_t checkpoint_write(struct verify *verify, const char *path);
/* False: it has told the user. *found: there was one. */
bool checkpoint_read(struct verify *verify, const char *path, bool *found);
/* How many blocks of the book an earlier run has been through. */
int64_t verify_skip_blocks(void *verify, struct slice book);

#endif
