/*
 * camt053.h: reads a bank's statement: ISO 20022 camt.053.001.02, .08 and .12 (BankToCustomerStatement).
 *
 * A statement comes from outside and may be anything. The reader streams, in memory that does not grow with the file;
 * it refuses every DOCTYPE (so there are no entities to expand and nothing else to fetch), opens nothing but the file
 * it was given, and has a bound for the file's size, the time, the depth, and the length of every text. Elements are
 * told by their local names, since namespaces vary in the wild: a prefix, a default, or none. Text is UTF-8.
 *
 * Amounts are minor units by the digits of their currency, exactly: an amount with more decimals is refused, not
 * rounded. They are signed as the account's owner sees them: a credit (CRDT) is positive, a debit (DBIT) negative.
 */
#ifndef UJRAT_AUDIT_CAMT053_H
#define UJRAT_AUDIT_CAMT053_H

#include "base/err.h"
#include "base/timefmt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAMT_BYTES_MAX    (1LL << 30)
#define CAMT_SECONDS_MAX  300
#define CAMT_DEPTH_MAX    64
#define CAMT_TOKEN_MAX    65536 /* bytes between two '<': no text, name or attribute is longer */
#define CAMT_BALANCES_MAX 64    /* of one statement */

/* Room for Max35Text (35 characters of up to 4 bytes) and a NUL, and so on. */
#define CAMT_TEXT35_SIZE 141
#define CAMT_CODE_SIZE   8
#define CAMT_NO_DATE     INT32_MIN

struct camt_amount {
    int64_t minor; /* not negative as read; the sign is in the indicator beside it */
    char ccy[4];
    bool present;
};

enum camt_status { CAMT_BOOKED, CAMT_PENDING, CAMT_INFO };

struct camt_balance {
    char code[CAMT_CODE_SIZE]; /* OPBD, CLBD, PRCD, ITBD, CLAV ...; empty: a proprietary one */
    int64_t minor;             /* credit positive */
    char ccy[4];
    int32_t date; /* days since 1970, as the bank writes it; or CAMT_NO_DATE */
};

/* One Stmt. All but n_entries is known before its first entry. */
struct camt_statement {
    int version; /* 2, 8, 12; 0: the file does not say (no namespace) */
    int number;  /* in the file, from 1 */
    char message_id[CAMT_TEXT35_SIZE];
    char id[CAMT_TEXT35_SIZE];
    int64_t sequence; /* ElctrncSeqNb; -1: none */
    int64_t page;     /* from 1; 0: the file does not say */
    int64_t from_us,
        to_us; /* FrToDt, INT64_MIN if absent; without an offset it is Pakistan's time */
    char copy[CAMT_CODE_SIZE];      /* CpyDplctInd: CODU, COPY, DUPL */
    char account[CAMT_TEXT35_SIZE]; /* IBAN, or the other number */
    char account_ccy[4];            /* empty: not said */
    char bic[16];                   /* of the bank that keeps the account; empty: not said */
    struct camt_balance balances[CAMT_BALANCES_MAX];
    size_t n_balances;
    uint64_t n_entries;
};

/* One Ntry, as far as it has been read: all but the transactions comes before them. */
struct camt_entry {
    uint64_t number;                       /* in the statement, from 1 */
    char reference[CAMT_TEXT35_SIZE];      /* NtryRef */
    char bank_reference[CAMT_TEXT35_SIZE]; /* AcctSvcrRef */
    struct camt_amount amount;
    int64_t signed_minor;
    bool reversal; /* RvslInd */
    enum camt_status status;
    int32_t booking_date, value_date;
    char sub_family[CAMT_CODE_SIZE]; /* of BkTxCd: CHRG, RRTN ... */
    int64_t charges; /* what was taken (or given back, negative), in the entry's currency */
    uint64_t n_transactions;
};

/* One TxDtls. What it does not say itself is the entry's. */
struct camt_transaction {
    char end_to_end_id[CAMT_TEXT35_SIZE]; /* empty also where the file says NOTPROVIDED */
    char instruction_id[CAMT_TEXT35_SIZE], transaction_id[CAMT_TEXT35_SIZE];
    char bank_reference[CAMT_TEXT35_SIZE];
    struct camt_amount amount; /* not present: not said */
    int64_t signed_minor;
    char sub_family[CAMT_CODE_SIZE];
    char return_reason[CAMT_TEXT35_SIZE]; /* RtrInf/Rsn */
    bool returned;                        /* there is a RtrInf */
    int64_t charges;
};

/* What is told while reading. False ends it; what the sink has put into the camt_error stays. A transaction is told when
 * it ends, its entry afterwards (which then knows how many there were). */
struct camt_sink {
    void *user;
    /* Decimal digits of a currency; -1: unknown. */
    int (*digits)(void *user, const char *ccy);
    bool (*begin)(void *user, const struct camt_statement *s);
    bool (*transaction)(void *user, const struct camt_statement *s, const struct camt_entry *e,
                        const struct camt_transaction *t);
    bool (*entry)(void *user, const struct camt_statement *s, const struct camt_entry *e);
    bool (*end)(void *user, const struct camt_statement *s);
};

struct camt_error {
    long line; /* 0: of no line */
    char text[640];
};

/* Where bytes come from: up to len into out; 0 at the end, -1 on failure. */
typedef int camt_source(void *source, char *out, int len);

/* False: *error says what is wrong. What the sink was told before is then worth nothing. */
MUST_CHECK bool camt053_read(camt_source *read, void *source, const struct camt_sink *sink,
                             struct camt_error *error);

#endif
