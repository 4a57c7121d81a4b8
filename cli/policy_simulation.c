#include "cli/policy_simulation.h"

#include <assert.h>
#include <string.h>

const char *simulation_step_text(enum simulation_step step)
{
    switch (step) {
    case SIMULATION_LESS_1:
        return "less by more than 1%";
    case SIMULATION_LESS_05:
        return "less by 0.5% to 1%";
    case SIMULATION_LESS_01:
        return "less by 0.1% to 0.5%";
    case SIMULATION_LESS:
        return "less by up to 0.1%";
    case SIMULATION_SAME:
        return "the same";
    case SIMULATION_MORE:
        return "more by up to 0.1%";
    case SIMULATION_MORE_01:
        return "more by 0.1% to 0.5%";
    case SIMULATION_MORE_05:
        return "more by 0.5% to 1%";
    case SIMULATION_MORE_1:
        return "more by more than 1%";
    case SIMULATION_STEPS:
        break;
    }
    return "";
}

/* In thousandths of a percent steps are at 100, 500 and 1,000; the border belongs to the smaller step. */
static enum simulation_step step_of(money_t before, money_t change)
{
    __extension__ typedef __int128 wide;
    wide size = change.minor < 0 ? -(wide)change.minor : change.minor;
    wide whole = before.minor;
    int far = size == 0                  ? 0
              : size * 1000 <= whole     ? 1
              : size * 1000 <= whole * 5 ? 2
              : size * 100 <= whole      ? 3
                                         : 4;

    return (enum simulation_step)(SIMULATION_SAME + (change.minor < 0 ? -far : far));
}

static uint64_t size_of(money_t a)
{
    return a.minor < 0 ? 0 - (uint64_t)a.minor : (uint64_t)a.minor;
}

/* Of equal ones those that came first stay. */
static void keep_largest(struct simulation *s, const struct simulated_change *c)
{
    size_t at = s->n_largest;

    while (at > 0 && size_of(s->largest[at - 1].change) < size_of(c->change))
        at--;
    if (at == SIMULATION_LARGEST || c->change.minor == 0)
        return;
    if (s->n_largest < SIMULATION_LARGEST)
        s->n_largest++;
    memmove(&s->largest[at + 1], &s->largest[at], (s->n_largest - at - 1) * sizeof s->largest[0]);
    s->largest[at] = *c;
}

static reason_t sum_up(money_t sums[2], money_t before, money_t after)
{
    reason_t reason;

    if (sums[0].ccy == 0)
        sums[0] = sums[1] = money_of(0, before.ccy);
    reason = money_add(sums[0], before, &sums[0]);
    return reason == REASON_NONE ? money_add(sums[1], after, &sums[1]) : reason;
}

reason_t simulation_add(struct simulation *s, struct simulated_group *group,
                        const struct simulated_payout *payout)
{
    const struct pricing_terms terms = {.ccy_dst = payout->net.ccy,
                                        .mid = payout->mid,
                                        .margin_bps = group->terms.margin_bps,
                                        .fee = group->terms.fee};
    struct simulated_change c = {.payout = *payout};
    struct pricing after;
    reason_t reason;

    assert(payout->gross.ccy == group->ccy);
    group->n++;
    if (!group->has_terms || payout->gross.minor > group->terms.payout_max_minor ||
        pricing_compute(payout->gross, &terms, &after) != REASON_NONE) {
        group->refused++;
        return REASON_NONE;
    }
    reason = money_sub(after.net, payout->net, &c.change);
    if (reason == REASON_NONE)
        reason = sum_up(group->net, payout->net, after.net);
    if (reason == REASON_NONE)
        reason = sum_up(group->fee, payout->fee, after.fee);
    if (reason == REASON_NONE)
        reason = sum_up(group->margin, payout->margin, after.margin);
    if (reason != REASON_NONE)
        return reason;
    c.net_after = after.net;
    group->more += c.change.minor > 0;
    group->less += c.change.minor < 0;
    group->same += c.change.minor == 0;
    group->steps[step_of(payout->net, c.change)]++;
    keep_largest(s, &c);
    return REASON_NONE;
}
