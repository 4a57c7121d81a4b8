/*
 * secret_file.h: small files that hold a secret (a key, a URI with a password) and that nobody but their owner may read.
 */
#ifndef UJRAT_BASE_SECRET_FILE_H
#define UJRAT_BASE_SECRET_FILE_H

#include "base/err.h"

#include <stddef.h>
#include <sys/stat.h>

/*
 * The whole file into out, with a NUL behind it that *len does not count; seen (or NULL) is the file as it was found.
 * ERR_INVALID: it is no plain file of mode 0600 or less. ERR_LIMIT: it does not fit. ERR_SYS. Nothing of a file that was
 * refused is left in out; wiping what was read is for the caller.
 */
MUST_CHECK err_t secret_file_read(const char *path, char *out, size_t out_size, size_t *len,
                                  struct stat *seen);

/* What to say behind the file's name: "No such file or directory". */
const char *secret_file_fault(err_t err);

#endif
