/*
 * cell.h: what stands in a cell of a streamed row (db.h: PostgreSQL's binary formats). A cell of another size than
 * its type has is a bug of the statement that asked, and is asserted.
 */
#ifndef UJRAT_AUDIT_CELL_H
#define UJRAT_AUDIT_CELL_H

#include "base/str.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool cell_null(const PGresult *r, int col)
{
    return PQgetisnull(r, 0, col) == 1;
}

/* int2, int4 or int8; 0 if NULL. */
int64_t cell_int(const PGresult *r, int col);

/* text or bytea; empty if NULL. Lives as long as r. */
struct slice cell_slice(const PGresult *r, int col);

/* text with its NUL; "" if NULL. */
const char *cell_text(const PGresult *r, int col);

/* timestamptz as microseconds since 1970; 0 if NULL. Infinities are the ends of what int64_t holds. */
int64_t cell_time(const PGresult *r, int col);

#define CELL_LIST_MAX 64

/* A plain list of int2, int4 or int8 (one dimension, no NULLs, at most CELL_LIST_MAX). False if it is anything else:
 * data may be, whatever its constraints say. NULL is an empty list. */
bool cell_list(const PGresult *r, int col, int64_t out[CELL_LIST_MAX], unsigned *n);

#endif
