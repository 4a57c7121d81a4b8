/*
 * take.h: does what a message from a bank says, item by item. Everything that is done is safe to do again: the same
 * confirmation, return or answer is known by the ledger, and answered as before.
 */
#ifndef UJRAT_SETTLE_TAKE_H
#define UJRAT_SETTLE_TAKE_H

#include "iso20022/reader.h"
#include "settle/bank.h"
#include "settle/report.h"

struct taking;

/* What was done with the items of a message. */
struct take_counts {
    int64_t items;
    int64_t recorded, duplicates; /* by this file; said before */
    int64_t refused, noted;       /* not done: in the report; said, and settles nothing */
};

/* The kinds of messages that are taken from banks: bits for iso_reader_options. */
unsigned take_kinds(void);

MUST_CHECK err_t taking_new(struct settle_ctx *ctx, const struct settle_bank *bank,
                            struct report *report, struct taking **out);
void taking_free(struct taking **t);

/* An item callback of the reader (user: struct taking). False: the ledger is lost or we are to end; taking_end() says which. */
bool taking_item(void *user, const struct iso_group *group, const union iso_item *item,
                 struct iso_refusal *why);

/* The group callback. */
bool taking_group(void *user, const struct iso_header *header, const struct iso_group *group,
                  struct iso_refusal *why);

/* What is still held back is done. SETTLE_OK: all items are judged, and counts say how. */
MUST_CHECK enum settle_result taking_end(struct taking *t, struct take_counts *counts);

#endif
