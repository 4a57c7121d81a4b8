/*
 * windows.h: the windows, hand-outs and deadlines of one bank: what a round does with it short of files (docs/settlement.md).
 * Each step is a commit that can be tried twice, by this process or another.
 */
#ifndef UJRAT_SETTLE_WINDOWS_H
#define UJRAT_SETTLE_WINDOWS_H

#include "domain/calendar.h"
#include "settle/bank.h"

enum { CALENDAR_ROWS_MAX = 2 * CALENDAR_DAYS_MAX + 2 };

/* What a round knows of days and of the bank's terms; read anew for each bank and round. */
struct bank_plan {
    struct calendar_day day[CALENDAR_ROWS_MAX];
    struct calendar calendar;
    struct cutoff_plan cutoffs;
    int64_t answer_within_us, escalate_after_us, settle_within_us; /* working time */
    int64_t now_us;
};

MUST_CHECK enum settle_result windows_plan(struct settle_ctx *ctx, const struct settle_bank *bank,
                                           struct bank_plan *out);

/* Opens the first window; hands out; closes windows whose cut-off has come. */
MUST_CHECK enum settle_result windows_turn(struct settle_ctx *ctx, struct settle_bank *bank,
                                           const struct bank_plan *plan);

/* Ends closed windows: SETTLED, DISPUTED. */
MUST_CHECK enum settle_result windows_end(struct settle_ctx *ctx, const struct settle_bank *bank,
                                          const struct bank_plan *plan);

/* Asks about instructions that were not answered in time. */
MUST_CHECK enum settle_result windows_ask(struct settle_ctx *ctx, const struct settle_bank *bank,
                                          const struct bank_plan *plan);

#endif
