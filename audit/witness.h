/* witness.h: the file of tree heads that somebody else keeps (docs/log-format.md, "A witness file"). */
#ifndef UJRAT_AUDIT_WITNESS_H
#define UJRAT_AUDIT_WITNESS_H

#include "audit/verify.h"

#include <stdbool.h>

/* Reads and checks the whole file: heads sorted by book and size. A file that is not there is empty if it may be missing.
 * False: it has told the user. */
bool witness_read(const char *path, bool may_be_missing, struct witness_heads *out);
void witness_free(struct witness_heads *heads);

/* The heads of one book: *first and how many there are. */
size_t witness_of(const struct witness_heads *heads, const char *book, size_t *first);

#endif
