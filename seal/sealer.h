/*
 * sealer.h: seals every book of a ledger as it grows. One process at a time does it, the one whose session holds the
 * lock; others stand by. It can be killed at any moment: what it writes is written by one call a book and pass, and made
 * again it comes out the same.
 */
#ifndef UJRAT_SEAL_SEALER_H
#define UJRAT_SEAL_SEALER_H

#include "base/log.h"
#include "seal/chain.h"

enum { SEALER_HANDOVER_FDS_MAX = PGBLOCK_MEANWHILE_FDS_MAX };

struct sealer_config {
    const char *uri;
    const char *keys_folder;
    int64_t interval_ms; /* how often it looks for new blocks */
    int64_t timeout_ms;  /* of one answer of the database */
    struct log *log;
    /* Sockets that keep messages apart, at which blocks are handed over (seal/handover.h); n may be 0. They are the
     * sealer's from sealer_new() on. */
    int handover_fds[SEALER_HANDOVER_FDS_MAX];
    unsigned n_handover_fds;
};

struct sealer;

/* The strings of config, and its log, must live as long. Reads the keys; connects with the first step. */
MUST_CHECK err_t sealer_new(const struct sealer_config *config, struct sealer **out);
void sealer_free(struct sealer **sealer);

/* Does what there is to do now, one pass over all books at most. Returns how long to wait before the next step (ms, 0:
 * there is more). */
int64_t sealer_step(struct sealer *sealer);

/* Nothing committed was unsealed at the last step, as far as this process has anything to do with it: it stands by, or
 * the rest cannot be sealed (a missing key, a broken chain). */
bool sealer_is_done(const struct sealer *sealer);

/* Waits so long, or until descriptor `fd` can be read: true. Takes in what is handed over meanwhile. */
bool sealer_wait(struct sealer *sealer, int fd, int64_t wait_ms);

/* Reads the folder of keys again. */
void sealer_reload_keys(struct sealer *sealer);

#endif
