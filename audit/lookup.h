/*
 * lookup.h: what a command line names: moments, periods, books, accounts. Every function that fails has told the
 * user which word is wrong and why.
 */
#ifndef UJRAT_AUDIT_LOOKUP_H
#define UJRAT_AUDIT_LOOKUP_H

#include "audit/db.h"
#include "base/timefmt.h"

/* A moment in UTC as PostgreSQL reads it; "" if the option was not given. */
typedef struct {
    char text[TIMEFMT_SIZE];
} moment_t;

bool moment_read(const struct args *args, const char *option, moment_t *out);

/* --from, which is in it, --until, which is not; either may be missing. False also if it ends before it begins. */
struct period {
    moment_t from, until;
};
bool period_read(const struct args *args, struct period *out);

/* Whether the moment is later than the database's clock: what is said of it may still change. */
bool moment_in_future(struct db *db, const moment_t *moment);

#define BOOK_CODE_SIZE 33

struct book {
    int64_t book_id;
    char code[BOOK_CODE_SIZE];
    char name[256];
};

/* "upwork" or "books/upwork". */
bool book_find(struct db *db, const char *text, struct book *out);

#define BOOKS_MAX 4096

/* All books, by code, or those of --book, each once, in the order of their codes. NULL: it failed; else to be freed. */
struct book *books_read(struct db *db, const struct args *args, size_t *n);

#define ACCOUNT_CODE_SIZE 128

struct account {
    int64_t book_id, account_id;
    char book[BOOK_CODE_SIZE];
    char code[ACCOUNT_CODE_SIZE];
    char type[16]; /* "ASSET" ... */
    char role[16];
    char ccy[4];
    int64_t ccy_number;
    unsigned digits;
    int64_t created_at;
};

/* "upwork/float.USD" or "books/upwork/accounts/float.USD". */
bool account_find(struct db *db, const char *text, struct account *out);

#define ACCOUNTS_MAX 100000

/* All accounts of the book (0: of all books), by book's code and account_id. NULL: it failed; else to be freed. */
struct account *accounts_read(struct db *db, int64_t book_id, size_t *n);

/* The book's last block before the moment (at: or at it); its last of all if the moment is "". 0: there is none. */
bool block_before(struct db *db, int64_t book_id, const moment_t *moment, bool at, int64_t *out);

/* Numbers as the text of a parameter. */
struct number_text {
    char text[STR_INT64_SIZE];
};
struct number_text number_text(int64_t value);

#endif
