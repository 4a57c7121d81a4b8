/*
 * unclaimed_sweep.h: what is set aside for somebody unknown is claimed once the receiver is known, and goes back to the
 * float when its time is over (docs/paypal.md). A timer in every worker asks the ledger for both.
 *
 * Any number of workers may sweep at once: each end is taken under the book's lock, once (functions/unclaimed.sql), and who
 * comes second finds nothing to do. What cannot be paid now (a stale rate, a bank that is not connected) stays set aside
 * and is tried again; the log says so once, not at every look.
 */
#ifndef UJRAT_GATEWAY_UNCLAIMED_SWEEP_H
#define UJRAT_GATEWAY_UNCLAIMED_SWEEP_H

#include "gateway/rpc/rpc.h"

struct unclaimed_sweep;

/* ctx must outlive it. */
MUST_CHECK err_t unclaimed_sweep_new(struct rpc_ctx *ctx, struct unclaimed_sweep **out);
/* No more is begun; what the ledger was asked for is still done. */
void unclaimed_sweep_stop(struct unclaimed_sweep *s);
/* After the ledger was freed, which answers what is under way. */
void unclaimed_sweep_free(struct unclaimed_sweep **s);

#endif
