/*
 * pgblock.h: one connection to PostgreSQL that is waited for, for programs without an event loop: one statement at a time, with
 * a deadline for every answer, and given up soon when the program is asked to end. Statements are those of ledger/sql,
 * prepared when first asked; what they answer is read with ledger/rows.h. The session's search path is the ledger's.
 *
 * How a statement ended is told apart with the care that pgconn.h tells of: a result counts only once PQgetResult has returned
 * NULL, and an error means rolled back only if its severity is ERROR.
 */
#ifndef UJRAT_LEDGER_PGBLOCK_H
#define UJRAT_LEDGER_PGBLOCK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/params.h"
#include "ledger/rows.h"

enum pgblock_end {
    PGBLOCK_DONE,    /* committed */
    PGBLOCK_REFUSED, /* rolled back: see sqlstate */
    PGBLOCK_LOST,    /* nobody knows; connect anew */
    PGBLOCK_STOPPED, /* the same, since the program is to end: see stop_fd */
};

enum { PGBLOCK_PROBLEM_SIZE = 320, PGBLOCK_MEANWHILE_FDS_MAX = 64 };

/* What is done while the database is waited for: `ready` is called when one of the descriptors can be read. */
struct pgblock_meanwhile {
    const int *fds; /* -1: none in this place */
    unsigned n;     /* at most PGBLOCK_MEANWHILE_FDS_MAX */
    void (*ready)(void *user);
    void *user;
};

struct pgblock_config {
    const char *uri;
    const char *program; /* as the database's administrator sees it */
    const char *options; /* of the session, beside those that every one has: "-c name=value ..." */
    enum ledger_type type; /* of the arrays that it sends */
    const char *type_name; /* the same, as the schema calls it; NULL: it sends none */
    int64_t timeout_ms;    /* for every answer */
    int stop_fd; /* becomes readable when the program is to end: an answer is then waited for a moment longer. -1: none */
    struct pgblock_meanwhile meanwhile; /* or zero */
};

struct pgblock {
    struct pgblock_config config;
    PGconn *conn;
    bool *prepared; /* by the statement's number */
    uint32_t type_oid[LEDGER_TYPE_COUNT];
    char sqlstate[6];                   /* of the last statement; "": PostgreSQL gave none */
    char problem[PGBLOCK_PROBLEM_SIZE]; /* why it is not PGBLOCK_DONE, one line, without the URI */
};

/* Connects; config's strings are needed for no longer. PGBLOCK_DONE or PGBLOCK_LOST, or PGBLOCK_STOPPED. Close it whatever
 * came of it. */
enum pgblock_end pgblock_open(struct pgblock *c, const struct pgblock_config *config);
/* Nothing if it is closed, or zeroed. */
void pgblock_close(struct pgblock *c);

/* Runs the statement of that name. *rows on PGBLOCK_DONE only; rows_free() them. */
enum pgblock_end pgblock_ask(struct pgblock *c, const char *name, struct params *params,
                             struct rows **rows);

/* Runs a COPY ... TO STDOUT, and hands what comes to `keep`, piece by piece; it returns false if it has no memory. */
enum pgblock_end pgblock_copy(struct pgblock *c, const char *sql,
                              bool (*keep)(void *user, const char *bytes, size_t len), void *user);

/* One line of text is the problem. Returns `end`. */
enum pgblock_end pgblock_say(struct pgblock *c, enum pgblock_end end, const char *text);

/* Waits until descriptor `fd` can be read, does meanwhile what there is to do, and says whether it can. fd: or -1. */
bool pgblock_wait(const struct pgblock_meanwhile *meanwhile, int fd, int64_t until_us);

#endif
