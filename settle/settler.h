/*
 * settler.h: settles with every bank that has terms, round by round. One process at a time does it, the one whose session
 * holds the lock; others stand by. It can be killed at any moment (docs/settlement.md, "Many at once").
 */
#ifndef UJRAT_SETTLE_SETTLER_H
#define UJRAT_SETTLE_SETTLER_H

#include "settle/bank.h"

struct settler;

/* settings and log must live as long. stop_fd becomes readable when the program is to end. Reads keys, and connects with
 * the first step. On an error *problem says why. */
MUST_CHECK err_t settler_new(const struct settings *settings, struct log *log, int stop_fd,
                             struct settler **out, struct config_problem *problem);
void settler_free(struct settler **settler);

enum settler_round {
    SETTLER_DONE,     /* a whole round */
    SETTLER_TROUBLE,  /* a round in which something could not be done; the log says what */
    SETTLER_STANDBY,  /* somebody else leads */
    SETTLER_LOST,     /* the ledger */
    SETTLER_STOPPED,  /* in the middle: the program is to end */
};

/* One round, at most. *wait_ms: until the next. */
enum settler_round settler_step(struct settler *settler, int64_t *wait_ms);

#endif
