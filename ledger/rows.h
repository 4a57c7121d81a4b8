/*
 * What a statement answered, read by row and column. Values are in binary format; asking for a type the
 * column does not have is a bug and asserts. Slices point into the rows and live as long as they do.
 */
#ifndef UJRAT_LEDGER_ROWS_H
#define UJRAT_LEDGER_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct rows; /* a PGresult */

/* Of those that are the caller's own (pgblock.h). *rows may be NULL. */
void rows_free(struct rows **rows);
int rows_count(const struct rows *r);
bool rows_is_null(const struct rows *r, int row, int col);
/* Zero for NULL. int4 and int2 columns are widened. */
int64_t rows_int(const struct rows *r, int row, int col);
bool rows_bool(const struct rows *r, int row, int col);
/* Empty for NULL. text and bytea. */
struct slice rows_text(const struct rows *r, int row, int col);
/* timestamptz as µs since the Unix epoch; INT64_MIN for NULL and -infinity, INT64_MAX for infinity. */
int64_t rows_time_us(const struct rows *r, int row, int col);
/* Arrays of int2, int4 or int8, widened; NULL elements become zero. Returns the count; at most max are written. */
int rows_int_array(const struct rows *r, int row, int col, int64_t *out, int max);

#endif
