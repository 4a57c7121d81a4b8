/* trail_record.h: one journal's record of the signed log, made again from the rows that it speaks of. */
#ifndef UJRAT_AUDIT_TRAIL_RECORD_H
#define UJRAT_AUDIT_TRAIL_RECORD_H

#include "audit/db.h"
#include "audit/lookup.h"
#include "audit/merkle.h"
#include "audit/record.h"

/* NULL: *out holds the record. Else what keeps it from being one; "" if the user was told. */
const char *trail_record(struct db *db, const struct book *book, int64_t seq, struct sha256 *sha,
                         struct record_out *out);

/* A text cell of bytea, "\x…", as bytes into out; false if it is none or does not fit. An absent one is {NULL, 0}. */
bool trail_bytes(const PGresult *r, int row, int col, unsigned char *out, size_t out_size,
                 struct slice *bytes);

/* Microseconds since 1970 of a timestamptz. */
#define SQL_US(time) "(extract(epoch FROM " time ") * 1000000)::int8"

#endif
