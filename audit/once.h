/*
 * once.h: finds what was said twice among any number of things, in bounded memory: references, quotes.
 *
 * Things are remembered as hashes in a file and looked through at the end. Two that are the same are always found; two
 * different ones are taken for the same with the odds of a collision of 128 bits of SHA-256.
 */
#ifndef UJRAT_AUDIT_ONCE_H
#define UJRAT_AUDIT_ONCE_H

#include "audit/merkle.h"
#include "base/err.h"

#include <stdint.h>

struct once;

/* path NULL: a temporary file. kept: so many of those in the file stay (of an earlier run), what is behind is dropped. */
MUST_CHECK err_t once_open(const char *path, uint64_t kept, struct once **out);
void once_close(struct once **once);

/* value: what to call it by when it is found again (a seq). */
MUST_CHECK err_t once_add(struct once *once, const hash_t *hash, uint64_t value);
uint64_t once_count(const struct once *once);
MUST_CHECK err_t once_sync(struct once *once);

/* *found: whether there are two of the same; of those, *again is the smallest value that another, *first, came before. */
MUST_CHECK err_t once_check(struct once *once, bool *found, uint64_t *first, uint64_t *again);

#endif
