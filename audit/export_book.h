/*
 * export_book.h: what the formats for accountants share: a book's accounts with their balances before and after, its
 * journals one by one with all that is known of them, and a spelling of foreign text that cannot be taken for syntax.
 */
#ifndef UJRAT_AUDIT_EXPORT_BOOK_H
#define UJRAT_AUDIT_EXPORT_BOOK_H

#include "audit/cell.h"
#include "audit/lookup.h"
#include "audit/money.h"

#include <stdio.h>

struct export_request {
    struct db *db;
    FILE *out;
    struct period period;
    const struct book *books;
    size_t n_books;
};

/* Reads the options, opens the database and the file, and keeps the file if `write` says true; when it says false it has
 * told the user. */
enum exit_code export_to_file(const struct args *args,
                              bool (*write)(const struct export_request *request));

/* ---------------------------------------------------------------- a book */

#define EXPORT_NAME_SIZE (ACCOUNT_CODE_SIZE + BOOK_CODE_SIZE + 16)

struct export_account {
    struct account account;
    char name[EXPORT_NAME_SIZE]; /* "Liabilities:Upwork:Float:USD" */
    int64_t opening, closing;    /* as stored, before and after the period */
};

struct export_book {
    const struct book *book;
    struct export_account *accounts; /* by account_id */
    size_t n_accounts;
    int64_t after, upto; /* blocks */
    int64_t opened_at;   /* no later than its first account and block */
    int64_t begins_at,
        ends_at;      /* of the period: its first and last block's, or the moments asked for */
    int64_t last_seq; /* the last journal's; 0: there is none */
};

bool export_book_read(const struct export_request *request, size_t i, struct export_book *out);
void export_book_free(struct export_book *book);

struct export_line {
    const struct export_account *account;
    int64_t minor;
};

/* A journal; texts are the row's. Numbers and texts of a subject that it does not have are 0 and "". */
struct export_journal {
    const PGresult *row;
    int64_t seq, block_no;
    char time[TIMEFMT_SIZE];
    const char *kind, *actor, *detail;
    bool has_detail;
    int64_t payout_id, reverses_seq; /* 0: none */
    const char *reference;           /* the payout's, the deposit's, or of what is unclaimed */
    unsigned n_lines;
    struct export_line lines[CELL_LIST_MAX];
};

/* Columns of the row that only some formats look at; cell.h reads them. */
enum export_column {
    EX_INFO = 12,
    EX_BANK,
    EX_SRC_CCY,
    EX_SRC_DIGITS,
    EX_DST_CCY,
    EX_DST_DIGITS,
    EX_GROSS,
    EX_FEE,
    EX_RATE,
    EX_MID_VALUE,
    EX_MARGIN_BPS,
    EX_MARGIN,
    EX_NET,
    EX_QUOTE,
    EX_SHEET,
    EX_SHEET_DATE,
    EX_BENEFICIARY,
    EX_BENEFICIARY_VERSION,
    EX_STEP,
    EX_STATE,
    EX_REASON_CODE,
    EX_BANK_REFERENCE,
    EX_TAX,
    EX_EPRC,
    EX_HANDOUT_BANK,
    EX_HANDOUT_AFTER,
    EX_HANDOUT_LAST,
    EX_DEPOSIT_REFERENCE,
    EX_DEPOSIT_CCY,
    EX_DEPOSIT_AMOUNT,
    EX_PROPOSAL,
    EX_PROPOSAL_REASON,
    EX_PROPOSAL_EVIDENCE,
    EX_PROPOSED_BY,
    EX_PROPOSED_AT,
    EX_BATCH,
    EX_ITEM,
    EX_EXPIRES_AT,
    EX_OUTCOME,
    EX_CLAIMED_PAYOUT,
    EX_HOLD,
    EX_HOLD_REASON,
    EX_HOLD_DETAIL,
    EX_HOLD_EVIDENCE,
    EX_HOLD_DEADLINE,
    EX_ENDED_HOLD,
    EX_HOLD_OUTCOME,
    EX_FIRST_BY,
    EX_SECOND_BY,
    EX_FIRST_NOTE,
    EX_SECOND_NOTE,
    EX_COLUMNS
};

/* Calls each for every journal of the period in their order, as they are read. */
bool export_journals(const struct export_request *request, const struct export_book *book,
                     bool (*each)(void *context, const struct export_journal *journal),
                     void *context);

/* The currencies of all accounts, by code: text columns code and digits. NULL: it failed. */
PGresult *export_currencies(const struct export_request *request);

/* The journals of each book of the request: before, each journal, after. before and after may be NULL. */
struct export_writer {
    FILE *out;
    const struct export_book *book;
};
bool export_books(const struct export_request *request, void (*before)(struct export_writer *w),
                  bool (*each)(void *writer, const struct export_journal *journal),
                  void (*after)(struct export_writer *w));

/* Text with every byte of `reserved`, every '%' and whatever is no visible character or a single blank between two
 * such as %XX: nothing in it can end a line, a string or a comment, and it can be read back. */
void export_escaped(FILE *out, const char *text, const char *reserved);

#endif
