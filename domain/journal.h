/*
 * journal.h: which lines each event writes. Debits are positive, credits negative, and every journal sums to
 * zero in each currency. Lines of zero are left out.
 *
 *   deposit     correspondent  + amount        float          − amount           (source currency)
 *   payout      float          + gross         fee income     − fee
 *                                              position       − (gross − fee)    (source currency)
 *               position       + mid value     margin income  − margin
 *                                              payable bank   − net              (destination currency)
 *   settle      payable bank   + net           bank's nostro  − net              (destination currency)
 *   reversal    the same lines with the opposite sign
 *
 * Payout lines are made here and sent to the schema; the others the schema's functions make by themselves
 * (ledger/schema/functions/), and tests/pg/test_ledger_domain.c holds what they write against this file.
 *
 * A float is what we owe the platform (a credit balance), a correspondent or nostro account is money held
 * for us at a bank (a debit balance). In a payout without exchange the two position lines would cancel on one
 * account, and are left out.
 */
#ifndef UJRAT_DOMAIN_JOURNAL_H
#define UJRAT_DOMAIN_JOURNAL_H

#include "domain/money.h"
#include "domain/pricing.h"
#include "domain/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_LINES_MAX 12

struct journal_line {
    int32_t account; /* number in the book, above zero */
    uint16_t ccy;
    int64_t minor; /* debit > 0, credit < 0, never 0 */
};

struct journal {
    size_t n;
    struct journal_line lines[JOURNAL_LINES_MAX];
};

/* Numbers of the accounts a payout touches. Those that would get a line of zero may be 0. */
struct payout_accounts {
    int32_t float_src;
    int32_t fee_income_src;
    int32_t position_src;
    int32_t position_dst;
    int32_t margin_income_dst;
    int32_t payable_bank_dst;
};

/* pricing as pricing_compute() made it (asserted: the result balances). */
void journal_payout(const struct pricing *pricing, const struct payout_accounts *accounts,
                    struct journal *out);

/* amount above zero (asserted). */
void journal_deposit(money_t amount, int32_t correspondent_src, int32_t float_src,
                     struct journal *out);

/* net above zero (asserted). */
void journal_settle(money_t net, int32_t payable_bank_dst, int32_t nostro_dst, struct journal *out);

/* lines are those of an existing journal, n <= JOURNAL_LINES_MAX. AMOUNT_OVERFLOW if one is INT64_MIN (its
 * opposite cannot be written), JOURNAL_UNBALANCED if they do not sum to zero. */
MUST_CHECK reason_t journal_reverse(const struct journal_line *lines, size_t n,
                                    struct journal *out);

/* Zero in every currency; sums in 128 bits. An empty journal is not balanced: it says nothing. */
MUST_CHECK bool journal_is_balanced(const struct journal_line *lines, size_t n);

#endif
