/*
 * funding.h: how what reaches a bank's nostro is split over the books that owe it (docs/settlement.md, "Positions and
 * funding"): in proportion, by largest remainders, so that the parts come to the whole.
 */
#ifndef UJRAT_DOMAIN_FUNDING_H
#define UJRAT_DOMAIN_FUNDING_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One book. Minor units all; of amount and cost either both are above zero or both are zero. */
struct funding_part {
    int64_t weight; /* given: what the book owes, or will; not below zero */
    int64_t amount; /* of what reaches the nostro */
    int64_t cost;   /* of what was sold for it */
};

/*
 * total, not below zero, over n parts in proportion to weights, none below zero (asserted): each gets its share rounded
 * down, and the units that are left go one each to the largest remainders, of equal ones to the first. False: all weights
 * are zero; shares is then untouched.
 */
MUST_CHECK bool funding_share_out(int64_t total, const int64_t *weights, size_t n, int64_t *shares);

#define FUNDING_BOOKS_MAX 4096

/*
 * amount and cost, both above zero (asserted), over n <= FUNDING_BOOKS_MAX books: the amount in proportion to the weights, the
 * cost in proportion to the amounts. A book whose part of either comes to nothing is left out, and the others share.
 * False: all weights are zero.
 */
MUST_CHECK bool funding_split(int64_t amount, int64_t cost, struct funding_part *parts, size_t n);

#endif
