#include "domain/payout_standing.h"

#include "domain/journal.h"

#include <assert.h>

enum { FLOAT = 1, FEE, POSITION_SRC, POSITION_DST, MARGIN, PAYABLE, ACCOUNTS };

static void add_lines(const struct journal *journal, int64_t sum[ACCOUNTS])
{
    for (size_t i = 0; i < journal->n; i++)
        sum[journal->lines[i].account] += journal->lines[i].minor;
}

void payout_standing(const struct pricing *pricing, int64_t returned, struct payout_standing *out)
{
    static const struct payout_accounts accounts = {FLOAT,        FEE,    POSITION_SRC,
                                                    POSITION_DST, MARGIN, PAYABLE};
    const uint16_t src = pricing->gross.ccy, dst = pricing->net.ccy;
    struct journal accepted, part;
    int64_t sum[ACCOUNTS] = {0};

    assert(returned >= 0 && returned <= pricing->net.minor);
    journal_payout(pricing, &accounts, &accepted);
    add_lines(&accepted, sum);
    if (returned > 0) {
        journal_return_part(accepted.lines, accepted.n, PAYABLE, 0, returned, &part);
        add_lines(&part, sum);
    }
    out->gross = money_of(sum[FLOAT], src);
    out->fee = money_of(-sum[FEE], src);
    out->net = money_of(-sum[PAYABLE], dst);
    out->margin = money_of(-sum[MARGIN], dst);
    /* nothing is exchanged in one currency, and no line says what it is worth */
    out->converted = money_of(src == dst ? out->net.minor : -sum[POSITION_SRC], src);
    out->mid_value = money_of(src == dst ? out->net.minor : sum[POSITION_DST], dst);
}
