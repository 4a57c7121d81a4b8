#include "domain/funding.h"

#include "domain/rounding.h"

#include <assert.h>

/* What share * sum falls short of the exact one: the remainder of the division. */
static int128_t remainder_of(int64_t total, int64_t weight, int128_t sum)
{
    return (int128_t)total * weight % sum;
}

bool funding_share_out(int64_t total, const int64_t *weights, size_t n, int64_t *shares)
{
    int128_t sum = 0;
    int64_t left = total;
    assert(total >= 0);
    for (size_t i = 0; i < n; i++) {
        assert(weights[i] >= 0);
        sum += weights[i];
    }
    if (sum == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        shares[i] = (int64_t)((int128_t)total * weights[i] / sum);
        left -= shares[i];
    }
    /* Fewer are left than there are remainders, and a share that has had one is above its quotient. */
    for (; left > 0; left--) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            const int128_t rest = remainder_of(total, weights[i], sum);
            if (rest > 0 && shares[i] == (int64_t)((int128_t)total * weights[i] / sum) &&
                (best == n || rest > remainder_of(total, weights[best], sum)))
                best = i;
        }
        assert(best < n);
        shares[best]++;
    }
    return true;
}

bool funding_split(int64_t amount, int64_t cost, struct funding_part *parts, size_t n)
{
    int64_t weights[FUNDING_BOOKS_MAX], amounts[FUNDING_BOOKS_MAX], costs[FUNDING_BOOKS_MAX];
    bool dropped = true;
    assert(amount > 0 && cost > 0 && n <= FUNDING_BOOKS_MAX);
    for (size_t i = 0; i < n; i++)
        weights[i] = parts[i].weight;
    /* Each round leaves a book out or is the last; who has the most is never left out. */
    while (dropped) {
        dropped = false;
        if (!funding_share_out(amount, weights, n, amounts) ||
            !funding_share_out(cost, amounts, n, costs))
            return false;
        for (size_t i = 0; i < n; i++)
            if (weights[i] > 0 && (amounts[i] == 0 || costs[i] == 0)) {
                weights[i] = 0;
                dropped = true;
            }
    }
    for (size_t i = 0; i < n; i++) {
        parts[i].amount = amounts[i];
        parts[i].cost = costs[i];
    }
    return true;
}
