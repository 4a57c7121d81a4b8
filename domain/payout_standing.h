/*
 * payout_standing.h: what is left of a payout of which the bank has sent something back. The shares are those of
 * journal_return_part() (docs/accounting.md, PAYOUT_PARTLY_RETURNED), so that sums of them are what the postings come to.
 */
#ifndef UJRAT_DOMAIN_PAYOUT_STANDING_H
#define UJRAT_DOMAIN_PAYOUT_STANDING_H

#include "domain/pricing.h"

/* gross = fee + converted, mid_value = margin + net, as in the price. */
struct payout_standing {
    money_t gross, fee, converted;  /* source */
    money_t mid_value, margin, net; /* destination */
};

/* returned: of the net, what is back and was not taken back again; 0 <= returned <= net (asserted). The pricing is as
 * pricing_compute() makes it. */
void payout_standing(const struct pricing *pricing, int64_t returned, struct payout_standing *out);

#endif
