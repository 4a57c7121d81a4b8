/*
 * db.h: the sealer's connection: one at a time, synchronous, with a deadline for every answer. Statements are those of
 * ledger/sql, prepared when first asked; what they answer is read with ledger/rows.h.
 */
#ifndef UJRAT_SEAL_DB_H
#define UJRAT_SEAL_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/params.h"
#include "ledger/rows.h"

/* How a step of sealing went. */
enum seal_result {
    SEAL_OK,
    SEAL_LOST,    /* the connection, or the server's goodwill: connect anew and begin again */
    SEAL_REFUSED, /* the database said no: see sqlstate */
    SEAL_BROKEN,  /* what is stored contradicts itself, or is more than we can take */
};

enum { SEAL_PROBLEM_SIZE = 320, SEAL_MEANWHILE_FDS_MAX = 64 };

/* What is done while the database is waited for: `ready` is called when one of the descriptors can be read. */
struct seal_meanwhile {
    const int *fds; /* -1: none in this place */
    unsigned n;     /* at most SEAL_MEANWHILE_FDS_MAX */
    void (*ready)(void *user);
    void *user;
};

struct seal_db {
    PGconn *conn;
    bool *prepared; /* by the statement's number */
    uint32_t type_oid[LEDGER_TYPE_COUNT];
    int64_t timeout_ms;
    struct seal_meanwhile meanwhile; /* stays from one connection to the next */
    char sqlstate[6];
    char problem[SEAL_PROBLEM_SIZE]; /* why it is not SEAL_OK, one line, without the URI */
};

/* SEAL_OK or SEAL_LOST. The session's search path is the ledger's. */
enum seal_result seal_db_open(struct seal_db *db, const char *uri, int64_t timeout_ms);
void seal_db_close(struct seal_db *db);

/* Waits until descriptor `fd` can be read, does meanwhile what there is to do, and says whether it can. */
bool seal_wait(const struct seal_meanwhile *meanwhile, int fd, int64_t until_us);

/* Runs the statement of that name. *rows on SEAL_OK only; seal_rows_free() them. */
enum seal_result seal_db_ask(struct seal_db *db, const char *name, struct params *params,
                             struct rows **rows);
void seal_rows_free(struct rows **rows);

/* Rows of a COPY in binary, one after the other in memory that is kept from one to the next: what is read in bulk is read
 * so, since it needs no allocation and no look-up for each cell. */
struct seal_copy {
    unsigned char *bytes;
    size_t len, size;
    size_t *row; /* where the cells of each begin */
    size_t row_size;
    int n, columns;
};

struct seal_cell {
    const unsigned char *p;
    int32_t len; /* -1: NULL */
};

/* The rows of a statement whose parameters are a book and the first and the last of a range. Its text is completed and
 * planned each time, which is nothing beside the rows. */
enum seal_result seal_db_copy(struct seal_db *db, const char *name, int32_t book_id, int64_t first,
                              int64_t last, struct seal_copy *out);
void seal_copy_deinit(struct seal_copy *copy);
/* The cells of a row; cells has room for its columns. */
void seal_copy_row(const struct seal_copy *copy, int row, struct seal_cell *cells);

/* What contradicts itself, into db->problem. Returns SEAL_BROKEN. */
enum seal_result seal_db_broken(struct seal_db *db, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
