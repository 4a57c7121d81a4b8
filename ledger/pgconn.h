/*
 * One asynchronous connection to PostgreSQL on an event loop: connects, sets the session up, runs one
 * statement at a time (preparing each at its first use), and connects again, with a pause, when it is lost.
 *
 * A statement ends in one of four ways. They are told apart with care, since money hangs on it:
 * a result counts only once PQgetResult has returned NULL (deferred checks run at commit), and an error
 * means rolled back only if its severity is ERROR: a dying backend sends an ordinary-looking FATAL.
 */
#ifndef UJRAT_LEDGER_PGCONN_H
#define UJRAT_LEDGER_PGCONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "ledger/params.h"

struct event_base;
struct pgconn;

enum pgconn_end {
    PGCONN_DONE,   /* committed; the result is given */
    PGCONN_ERROR,  /* rolled back; the result has the error */
    PGCONN_UNSENT, /* nothing left this process */
    PGCONN_LOST,   /* sent, and the connection is gone: nobody knows */
};

struct pgconn_owner {
    void *user;
    /* The connection can take a statement now. */
    void (*idle)(void *user, struct pgconn *c);
    /* The statement given to pgconn_run has ended. `result` is the connection's, until this returns. */
    void (*ended)(void *user, struct pgconn *c, enum pgconn_end end, const PGresult *result);
};

struct pgconn_config {
    const char *uri;
    unsigned statement_timeout_ms;
    struct log *log;
};

MUST_CHECK err_t pgconn_new(struct event_base *base, const struct pgconn_config *config,
                            const struct pgconn_owner *owner, struct pgconn **out);
/* Calls nobody: the owner knows what it had given. */
void pgconn_free(struct pgconn **c);

bool pgconn_is_idle(const struct pgconn *c);
bool pgconn_is_up(const struct pgconn *c);
/* How often it has connected. */
uint64_t pgconn_connects(const struct pgconn *c);
/* OIDs of the schema's composite types; valid once it has been up. */
const uint32_t *pgconn_type_oids(const struct pgconn *c);

/* sqlstate_is_passing() of a result that came with PGCONN_ERROR. */
bool pgconn_error_is_passing(const PGresult *result);

/* Only when idle. `name` is a file of ledger/sql without its ending, and must exist. */
void pgconn_run(struct pgconn *c, const char *name, struct params *params);

#endif
