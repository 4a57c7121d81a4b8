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
 *   part of a   bank's nostro  + (amount − charge)  payable bank  − amount
 *   return      charge         + charge             (destination currency); and shares of the payout's lines
 *   funding     bank's nostro  + amount        position       − amount           (destination currency)
 *               position       + cost          correspondent  − cost             (source currency)
 *   set aside   float          + gross         unclaimed      − gross            (source currency); its end is the reversal
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

/*
 * What comes back of a payout when `after` of its net is back in all and `before` of it was already: the lines of the journal that
 * accepted it (balanced, asserted) in parts, with the opposite sign. A line's share is line × returned / net, rounded towards
 * zero, so that nobody has his money back before the bank has sent it; but the last line of each currency that is not the payable's takes what makes the sum zero, and the payable's line, which is
 * −net, is exact. A line's part is its share for `after` less the one for `before`, so that when all has come back each line is
 * exactly undone. No share is beyond its line. 0 <= before < after <= net (asserted).
 */
void journal_return_part(const struct journal_line *accepted, size_t n, int32_t payable_bank_dst,
                         int64_t before, int64_t after, struct journal *out);

/* For somebody who is not known yet. gross above zero (asserted). */
void journal_set_aside(money_t gross, int32_t float_src, int32_t unclaimed_src,
                       struct journal *out);

/* The bank's side of it: it has the amount again, less its charge. 0 <= charge <= amount, amount > 0, of one currency
 * (asserted). */
void journal_unsettle_part(money_t amount, money_t charge, int32_t payable_bank_dst,
                           int32_t nostro_dst, int32_t charge_dst, struct journal *out);

/* amount has reached the nostro, cost was sold for it; both above zero, and equal if of one currency (asserted): nothing is exchanged
 * then, and no position touched. */
void journal_fund(money_t amount, money_t cost, int32_t nostro_dst, int32_t position_dst,
                  int32_t position_src, int32_t correspondent_src, struct journal *out);

/* lines are those of an existing journal, n <= JOURNAL_LINES_MAX. AMOUNT_OVERFLOW if one is INT64_MIN (its
 * opposite cannot be written), JOURNAL_UNBALANCED if they do not sum to zero. */
MUST_CHECK reason_t journal_reverse(const struct journal_line *lines, size_t n,
                                    struct journal *out);

/* Zero in every currency; sums in 128 bits. An empty journal is not balanced: it says nothing. */
MUST_CHECK bool journal_is_balanced(const struct journal_line *lines, size_t n);

#endif
