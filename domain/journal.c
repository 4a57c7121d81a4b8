#include "domain/journal.h"

#include "domain/rounding.h"

#include <assert.h>

static void add_line(struct journal *journal, int32_t account, uint16_t ccy, int64_t minor)
{
    if (minor == 0)
        return;
    assert(account > 0 && journal->n < JOURNAL_LINES_MAX);
    journal->lines[journal->n++] = (struct journal_line){account, ccy, minor};
}

static void debit(struct journal *journal, int32_t account, money_t amount)
{
    assert(amount.minor >= 0);
    add_line(journal, account, amount.ccy, amount.minor);
}

static void credit(struct journal *journal, int32_t account, money_t amount)
{
    assert(amount.minor >= 0); /* so that its opposite exists */
    add_line(journal, account, amount.ccy, -amount.minor);
}

void journal_payout(const struct pricing *pricing, const struct payout_accounts *accounts,
                    struct journal *out)
{
    bool exchanged = pricing->gross.ccy != pricing->net.ccy;
    out->n = 0;
    debit(out, accounts->float_src, pricing->gross);
    credit(out, accounts->fee_income_src, pricing->fee);
    if (exchanged) {
        credit(out, accounts->position_src, pricing->converted_source);
        debit(out, accounts->position_dst, pricing->mid_value);
    }
    credit(out, accounts->margin_income_dst, pricing->margin);
    credit(out, accounts->payable_bank_dst, pricing->net);
    assert(journal_is_balanced(out->lines, out->n));
}

/* The two-line journals. */
static void move(money_t amount, int32_t debited, int32_t credited, struct journal *out)
{
    assert(amount.minor > 0);
    out->n = 0;
    debit(out, debited, amount);
    credit(out, credited, amount);
    assert(journal_is_balanced(out->lines, out->n));
}

void journal_deposit(money_t amount, int32_t correspondent_src, int32_t float_src,
                     struct journal *out)
{
    move(amount, correspondent_src, float_src, out);
}

void journal_settle(money_t net, int32_t payable_bank_dst, int32_t nostro_dst, struct journal *out)
{
    move(net, payable_bank_dst, nostro_dst, out);
}

static int64_t share_of(int64_t minor, int64_t returned, int64_t net)
{
    /* within the line, since returned <= net */
    return (int64_t)round_div((int128_t)minor * returned, net, ROUND_DOWN);
}

void journal_return_part(const struct journal_line *accepted, size_t n, int32_t payable_bank_dst,
                         int64_t before, int64_t after, struct journal *out)
{
    int64_t net = 0;
    assert(journal_is_balanced(accepted, n));
    for (size_t i = 0; i < n; i++)
        if (accepted[i].account == payable_bank_dst)
            net = -accepted[i].minor;
    assert(0 <= before && before < after && after <= net);
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct journal_line *line = &accepted[i];
        bool takes_rest = line->account != payable_bank_dst;
        int64_t rest = 0;
        for (size_t k = 0; k < n; k++) {
            if (k == i || accepted[k].ccy != line->ccy)
                continue;
            takes_rest = takes_rest && (k < i || accepted[k].account == payable_bank_dst);
            rest +=
                share_of(accepted[k].minor, after, net) - share_of(accepted[k].minor, before, net);
        }
        add_line(out, line->account, line->ccy,
                 takes_rest
                     ? rest
                     : share_of(line->minor, before, net) - share_of(line->minor, after, net));
    }
    assert(journal_is_balanced(out->lines, out->n));
}

void journal_unsettle_part(money_t amount, money_t charge, int32_t payable_bank_dst,
                           int32_t nostro_dst, int32_t charge_dst, struct journal *out)
{
    assert(amount.minor > 0 && 0 <= charge.minor && charge.minor <= amount.minor &&
           charge.ccy == amount.ccy);
    out->n = 0;
    credit(out, payable_bank_dst, amount);
    debit(out, nostro_dst, money_of(amount.minor - charge.minor, amount.ccy));
    debit(out, charge_dst, charge);
    assert(journal_is_balanced(out->lines, out->n));
}

void journal_set_aside(money_t gross, int32_t float_src, int32_t unclaimed_src, struct journal *out)
{
    assert(gross.minor > 0);
    out->n = 0;
    debit(out, float_src, gross);
    credit(out, unclaimed_src, gross);
    assert(journal_is_balanced(out->lines, out->n));
}

void journal_fund(money_t amount, money_t cost, int32_t nostro_dst, int32_t position_dst,
                  int32_t position_src, int32_t correspondent_src, struct journal *out)
{
    const bool exchanged = amount.ccy != cost.ccy;
    assert(amount.minor > 0 && cost.minor > 0 && (exchanged || amount.minor == cost.minor));
    out->n = 0;
    debit(out, nostro_dst, amount);
    if (exchanged) {
        credit(out, position_dst, amount);
        debit(out, position_src, cost);
    }
    credit(out, correspondent_src, cost);
    assert(journal_is_balanced(out->lines, out->n));
}

reason_t journal_reverse(const struct journal_line *lines, size_t n, struct journal *out)
{
    assert(n <= JOURNAL_LINES_MAX);
    if (!journal_is_balanced(lines, n))
        return REASON_JOURNAL_UNBALANCED;
    struct journal reversed = {.n = n};
    for (size_t i = 0; i < n; i++) {
        reversed.lines[i] = lines[i];
        if (__builtin_sub_overflow((int64_t)0, lines[i].minor, &reversed.lines[i].minor))
            return REASON_AMOUNT_OVERFLOW;
    }
    *out = reversed;
    return REASON_NONE;
}

bool journal_is_balanced(const struct journal_line *lines, size_t n)
{
    if (n == 0 || n > JOURNAL_LINES_MAX)
        return false;
    uint16_t currencies[JOURNAL_LINES_MAX] = {0};
    int128_t sums[JOURNAL_LINES_MAX] = {0};
    size_t n_currencies = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n_currencies && currencies[k] != lines[i].ccy)
            k++;
        if (k == n_currencies) {
            currencies[k] = lines[i].ccy;
            sums[k] = 0;
            n_currencies++;
        }
        sums[k] += lines[i].minor;
    }
    for (size_t k = 0; k < n_currencies; k++)
        if (sums[k] != 0)
            return false;
    return true;
}
