/* What a statement's payouts add up to. Pure. */
#include "base/timefmt.h"
#include "cli/statement.h"
#include "domain/fx.h"

#include <stdlib.h>
#include <string.h>

bool statement_is_foreign(const struct statement_payout *p)
{
    return p->price.gross.ccy != p->price.net.ccy;
}

/* From one currency to dollars by both rates of one sheet, rounded twice half to even: the cross rate to ten decimals, then the
 * amount. */
static reason_t in_usd(money_t m, rate_t mid, int64_t usd_pkr_e10, money_t *out)
{
    rate_t cross;
    reason_t reason = rate_cross(mid, (rate_t){usd_pkr_e10}, &cross);

    return reason != REASON_NONE ? reason : fx_convert(m, cross, CCY_USD, ROUND_HALF_EVEN, out);
}

reason_t statement_complete(struct statement_payout *p, int64_t usd_pkr_e10)
{
    reason_t reason = REASON_NONE;

    if (!pricing_is_consistent(&p->price) || p->returned.minor < 0 ||
        p->returned.minor > p->price.net.minor)
        return REASON_INTERNAL;
    payout_standing(&p->price, p->returned.minor, &p->stands);
    p->usd = money_of(0, CCY_USD);
    p->has_usd = statement_is_foreign(p) && (p->price.gross.ccy == CCY_USD || usd_pkr_e10 > 0);
    if (!p->has_usd)
        return REASON_NONE;
    if (p->price.gross.ccy == CCY_USD)
        p->usd = p->stands.gross;
    else
        reason = in_usd(p->stands.gross, p->price.mid, usd_pkr_e10, &p->usd);
    return reason;
}

/* ---------------------------------------------------------------- sums */

static struct statement_sum empty_sum(const char *label, uint16_t ccy, uint16_t dst)
{
    const money_t none = money_of(0, dst), source = money_of(0, ccy);

    return (struct statement_sum){.label = label,
                                  .ccy = ccy,
                                  .gross = source,
                                  .fee = source,
                                  .converted = source,
                                  .mid_value = none,
                                  .margin = none,
                                  .net = none,
                                  .returned = none,
                                  .estimate = none,
                                  .withheld = none,
                                  .withheld_came_back = none,
                                  .usd = money_of(0, CCY_USD)};
}

static bool add(money_t *sum, money_t m)
{
    return money_add(*sum, m, sum) == REASON_NONE;
}

static bool add_payout(struct statement_sum *sum, const struct statement_payout *p)
{
    const bool back = p->returned.minor > 0;
    bool ok = true;

    sum->payouts++;
    sum->came_back += back;
    if (sum->ccy != 0)
        ok = add(&sum->gross, p->stands.gross) && add(&sum->fee, p->stands.fee) &&
             add(&sum->converted, p->stands.converted);
    ok = ok && add(&sum->mid_value, p->stands.mid_value) && add(&sum->margin, p->stands.margin) &&
         add(&sum->net, p->stands.net) && add(&sum->returned, p->returned) &&
         add(&sum->usd, p->usd);
    if (p->has_estimate)
        ok = ok && add(&sum->estimate, p->estimate);
    if (p->has_withheld)
        ok = ok && add(&sum->withheld, p->withheld) &&
             (!back || add(&sum->withheld_came_back, p->withheld));
    return ok;
}

/* The row with this label, by the alphabet; made if there is none. NULL: there is no room. */
static struct statement_sum *sum_of(struct statement_sum *rows, size_t *n, size_t n_max,
                                    const char *label, uint16_t ccy, uint16_t dst)
{
    size_t i = 0;

    while (i < *n && strcmp(rows[i].label, label) < 0)
        i++;
    if (i < *n && strcmp(rows[i].label, label) == 0)
        return &rows[i];
    if (*n == n_max)
        return NULL;
    memmove(&rows[i + 1], &rows[i], (*n - i) * sizeof *rows);
    rows[i] = empty_sum(label, ccy, dst);
    ++*n;
    return &rows[i];
}

static int by_time(const void *a, const void *b)
{
    const struct statement_payout *x = a, *y = b;
    int order = (x->settled_us > y->settled_us) - (x->settled_us < y->settled_us);

    if (order == 0)
        order = strcmp(x->to->platform, y->to->platform);
    return order != 0 ? order : (x->payout_id > y->payout_id) - (x->payout_id < y->payout_id);
}

bool statement_add_up(struct statement *s)
{
    s->all = empty_sum(NULL, 0, CCY_PKR);
    s->n_platforms = s->n_ccys = 0;
    s->without_usd = 0;
    for (int m = 0; m < TAX_YEAR_MONTHS; m++)
        s->month[m] = empty_sum(NULL, 0, CCY_PKR);
    for (size_t i = 0; i < s->n_to;
         i++) /* also those without a payout; as many as there is room for */
        (void)sum_of(s->platform, &s->n_platforms, STATEMENT_BENEFICIARIES_MAX, s->to[i].platform,
                     0, CCY_PKR);
    if (s->n_payouts > 0)
        qsort(s->payouts, s->n_payouts, sizeof *s->payouts, by_time);
    for (size_t i = 0; i < s->n_payouts; i++) {
        const struct statement_payout *p = &s->payouts[i];
        uint16_t ccy = p->price.gross.ccy;
        struct statement_sum *of_platform = sum_of(
            s->platform, &s->n_platforms, STATEMENT_BENEFICIARIES_MAX, p->to->platform, 0, CCY_PKR);
        struct statement_sum *of_ccy =
            sum_of(s->ccy, &s->n_ccys, STATEMENT_CURRENCIES_MAX, ccy_alpha(ccy), ccy, CCY_PKR);

        s->without_usd += statement_is_foreign(p) && !p->has_usd && p->stands.gross.minor > 0;
        if (of_platform == NULL || of_ccy == NULL || !add_payout(&s->all, p) ||
            !add_payout(&s->month[tax_year_month_of(p->settled_us)], p) ||
            !add_payout(of_platform, p) || !add_payout(of_ccy, p)) {
            complain("%s of %s: the sums are too large to be told", p->reference, p->to->platform);
            return false;
        }
    }
    return true;
}

enum statement_exemption statement_exemption(const struct statement *s)
{
    int order = 0;

    if (money_compare(s->all.usd, s->exemption, &order) == REASON_NONE && order >= 0)
        return EXEMPTION_REACHED;
    return s->without_usd > 0 ? EXEMPTION_UNKNOWN : EXEMPTION_NOT_REACHED;
}

/* ---------------------------------------------------------------- as text */

const char *statement_exemption_name(enum statement_exemption e)
{
    switch (e) {
    case EXEMPTION_REACHED:
        return "REACHED";
    case EXEMPTION_UNKNOWN:
        return "UNKNOWN";
    case EXEMPTION_NOT_REACHED:
        break;
    }
    return "NOT_REACHED";
}

const char *statement_day(int64_t us, char out[STATEMENT_DAY_SIZE])
{
    return timefmt_date(tax_year_day_of(us), out);
}

const char *statement_month(const struct statement *s, int month, char out[STATEMENT_DAY_SIZE])
{
    int32_t year, of_year;

    tax_year_month(s->year, month, &year, &of_year);
    (void)snprintf(out, STATEMENT_DAY_SIZE, "%04d-%02d", year % 10000, of_year % 100);
    return out;
}
