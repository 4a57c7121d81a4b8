/*
 * pages.h: a file of fixed-size records, looked at and changed by their number, through a cache of bounded size.
 *
 * What an auditor must remember of ten million payouts does not fit into the memory it may take. Records that were never
 * written are zeros. Without a path the file is unlinked at once and ends with the process.
 */
#ifndef UJRAT_AUDIT_PAGES_H
#define UJRAT_AUDIT_PAGES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pages;

/* path NULL: a temporary file in TMPDIR. cache_bytes: what the cache may take, at least a few pages. */
MUST_CHECK err_t pages_open(const char *path, size_t record_bytes, size_t cache_bytes,
                            struct pages **out);
void pages_close(struct pages **pages);

/* The record, valid until the next call for these pages; written back later if it is to be changed. NULL: the file could
 * not be read or written, and pages_error() says why; it stays so. */
void *pages_at(struct pages *pages, uint64_t index, bool change);
err_t pages_error(const struct pages *pages);

/* What was changed is in the file, on the disk. */
MUST_CHECK err_t pages_sync(struct pages *pages);

#endif
