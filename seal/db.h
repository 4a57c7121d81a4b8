/*
 * db.h: the sealer's connection (ledger/pgblock.h), what it makes of how a statement ended, and rows in bulk.
 */
#ifndef UJRAT_SEAL_DB_H
#define UJRAT_SEAL_DB_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/pgblock.h"

/* How a step of sealing went. */
enum seal_result {
    SEAL_OK,
    SEAL_LOST,    /* the connection, or the server's goodwill: connect anew and begin again */
    SEAL_REFUSED, /* the database said no: see pg.sqlstate */
    SEAL_BROKEN,  /* what is stored contradicts itself, or is more than we can take */
};

struct seal_db {
    struct pgblock pg;                  /* pg.problem: why it is not SEAL_OK */
    struct pgblock_meanwhile meanwhile; /* stays from one connection to the next */
};

/* SEAL_OK or SEAL_LOST. */
enum seal_result seal_db_open(struct seal_db *db, const char *uri, int64_t timeout_ms);
void seal_db_close(struct seal_db *db);

/* Runs the statement of that name. *rows on SEAL_OK only; rows_free() them. */
enum seal_result seal_db_ask(struct seal_db *db, const char *name, struct params *params,
                             struct rows **rows);

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

/* What contradicts itself, into db->pg.problem. Returns SEAL_BROKEN. */
enum seal_result seal_db_broken(struct seal_db *db, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
