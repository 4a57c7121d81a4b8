/*
 * handover.h: what a worker has posted, told to the sealer beside it (seal/handover.h) through a socket that the master
 * made for the worker's place. Nothing is ever waited for: what the socket does not take at once, the sealer reads from rows.
 */
#ifndef UJRAT_GATEWAY_HANDOVER_H
#define UJRAT_GATEWAY_HANDOVER_H

#include "base/buf.h"
#include "base/log.h"
#include "ledger/ledger.h"

struct handover {
    int fd; /* -1: nobody seals here */
    struct log *log;
    struct buf message;
};

/* The descriptor stays the caller's. */
void handover_init(struct handover *handover, int fd, struct log *log);
void handover_deinit(struct handover *handover);

/* A ledger_block_cb; user: struct handover. */
void handover_block(void *user, const struct ledger_block *block);

#endif
