/*
 * statement.h: a freelancer's tax year (docs/statement.md): what was paid, what of it stands, and what it adds up to. Read from the
 * ledger (statement_read.c, statement_person.c), added up (statement_sum.c), told as JSON, CSV, a table or pages.
 */
#ifndef UJRAT_CLI_STATEMENT_H
#define UJRAT_CLI_STATEMENT_H

#include "base/buf.h"
#include "base/command.h"
#include "cli/db.h"
#include "cli/receipt_words.h"
#include "domain/payout_standing.h"
#include "domain/payout_state.h"
#include "domain/purpose.h"
#include "domain/tax_year.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATEMENT_BENEFICIARIES_MAX = 16,
    STATEMENT_PAYOUTS_MAX = 50000,
    STATEMENT_CURRENCIES_MAX = 32,
    STATEMENT_NAME_SIZE = 1032,
};

/* One of the person's records at a platform. */
struct statement_beneficiary {
    char platform[40];
    int64_t id;
    int32_t book_id;
    bool erased;
    char name[STATEMENT_NAME_SIZE]; /* empty: erased, or nobody gave us the keys */
    char cnic_masked[24];           /* empty likewise */
    int64_t block_no, as_of_us;     /* the book's last block; 0: it has none */
};

/* Texts are rows' of the database, and go with the statement. NULL: nothing was said. */
struct statement_payout {
    const struct statement_beneficiary *to;
    int64_t payout_id, settled_us;
    const char *reference, *bank, *rate_source, *rate_date, *purpose, *bank_reference, *eprc_number;
    enum channel channel;
    enum payout_state state; /* as it is now */
    struct pricing price;    /* as it was accepted */
    int64_t returned_us;     /* the last return that stands; 0: none does */
    money_t returned;        /* of the net */
    struct payout_standing stands;
    bool has_estimate, has_withheld, has_usd;
    int32_t estimate_bps;
    money_t estimate, withheld; /* of the net as it was paid */
    money_t usd; /* what stands of the gross is worth at the mid rates of its own sheet */
};

/* Of what stands. In the target currency, but gross and fee, which only sums of one currency have. */
struct statement_sum {
    const char *label; /* "upwork" or "USD"; NULL where the place says it */
    uint16_t ccy;      /* of gross, fee and converted; 0: of several */
    int64_t payouts, came_back;
    money_t gross, fee, converted;
    money_t mid_value, margin, net, returned;
    money_t estimate, withheld,
        withheld_came_back; /* as paid: nothing in the ledger takes tax back */
    money_t usd;
};

enum statement_exemption { EXEMPTION_NOT_REACHED, EXEMPTION_REACHED, EXEMPTION_UNKNOWN };

struct statement {
    int32_t year;
    int64_t begins_us, ends_us;
    bool over; /* the year is */
    money_t
        exemption; /* the yearly threshold: the policy's at the end of the year, or as it is now */
    struct statement_beneficiary to[STATEMENT_BENEFICIARIES_MAX];
    size_t n_to;
    PGresult *rows[STATEMENT_BENEFICIARIES_MAX];
    struct statement_payout *payouts; /* by the time they were settled */
    size_t n_payouts;
    struct statement_sum all, month[TAX_YEAR_MONTHS];
    struct statement_sum platform[STATEMENT_BENEFICIARIES_MAX], ccy[STATEMENT_CURRENCIES_MAX];
    size_t n_platforms, n_ccys;
    int64_t without_usd; /* in a foreign currency, of a sheet that has no rate of the dollar */
};

/* Of the beneficiaries in s->to, whose platform and id are given, in s->year. The caller has begun a transaction
 * that sees one state of the database. Complains. */
bool statement_read(struct db *db, struct statement *s);
void statement_free(struct statement *s);

/* What people are called, if keys is given. Refuses several beneficiaries who are not the same person, or of whom nobody can
 * tell. Complains. */
struct pii;
bool statement_read_people(struct db *db, struct pii *keys, struct statement *s);

/* What stands of it, its value in dollars; usd_pkr_e10 is 0 if its sheet has no such rate. INTERNAL: its numbers do not follow from
 * each other, as the schema holds that they do; AMOUNT_OVERFLOW, RATE_INVALID. */
reason_t statement_complete(struct statement_payout *p, int64_t usd_pkr_e10);

/* Makes all sums of s->payouts. Complains. */
bool statement_add_up(struct statement *s);
enum statement_exemption statement_exemption(const struct statement *s);
/* A payout in another currency than it is paid in, whose value in dollars is wanted. */
bool statement_is_foreign(const struct statement_payout *p);

/* "2025-07-17", the day in Karachi. */
#define STATEMENT_DAY_SIZE 11
const char *statement_day(int64_t us, char out[STATEMENT_DAY_SIZE]);
/* "2025-07" */
const char *statement_month(const struct statement *s, int month, char out[STATEMENT_DAY_SIZE]);
const char *statement_exemption_name(enum statement_exemption e);

json_t *statement_json(const struct statement *s);
/* One row a payout; docs/statement.md has the columns. Complains. */
bool statement_csv(const struct statement *s, struct buf *out);
/* Complains, as receipt_pdf_make(). */
bool statement_pdf(const struct statement *s, enum receipt_lang lang, struct buf *out);
void statement_print(const struct statement *s);

#endif
