/* policy_simulation.h: what payouts that were made would have come to by other terms. Pure: payouts come in one by one. */
#ifndef UJRAT_CLI_POLICY_SIMULATION_H
#define UJRAT_CLI_POLICY_SIMULATION_H

#include "domain/policy.h"
#include "domain/pricing.h"

#define SIMULATION_LARGEST 5

/* How much more or less somebody gets, in parts of what they got. */
enum simulation_step {
    SIMULATION_LESS_1,  /* less by more than 1% */
    SIMULATION_LESS_05, /* 0.5% to 1% */
    SIMULATION_LESS_01, /* 0.1% to 0.5% */
    SIMULATION_LESS,    /* up to 0.1% */
    SIMULATION_SAME,    /* to the paisa */
    SIMULATION_MORE,    /* and the same upwards */
    SIMULATION_MORE_01,
    SIMULATION_MORE_05,
    SIMULATION_MORE_1,
    SIMULATION_STEPS
};
const char *simulation_step_text(enum simulation_step step);

/* A payout as it was made. Amounts before and after the conversion have their currencies. */
struct simulated_payout {
    int32_t book_id;
    int64_t payout_id;
    money_t gross, fee, margin, net;
    rate_t mid;
};

struct simulated_change {
    struct simulated_payout payout;
    money_t net_after;
    money_t change; /* after less before */
};

/* A platform and currency, and the terms that are tried. Sums are of those that would be paid by them too. */
struct simulated_group {
    char platform[POLICY_SCOPE_SIZE];
    uint16_t ccy;
    bool has_terms; /* else all would be refused */
    struct policy_terms terms;
    uint64_t n, more, less, same, refused;
    money_t net[2], fee[2], margin[2]; /* before, after */
    uint64_t steps[SIMULATION_STEPS];
};

struct simulation {
    struct simulated_change largest[SIMULATION_LARGEST]; /* the greatest first, of either sign */
    size_t n_largest;
};

/* Begin with {0} and the group's platform, ccy and terms. AMOUNT_OVERFLOW, CURRENCY_MISMATCH: the sums make no sense any more. */
MUST_CHECK reason_t simulation_add(struct simulation *s, struct simulated_group *group,
                                   const struct simulated_payout *payout);

#endif
