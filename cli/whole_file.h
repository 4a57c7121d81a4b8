/* whole_file.h: small files that a command reads whole, such as what a proposal rests on. */
#ifndef UJRAT_CLI_WHOLE_FILE_H
#define UJRAT_CLI_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define WHOLE_FILE_SHA256_SIZE 32

/* All of a plain file of at most bytes_max bytes, to be freed; NULL, and the user was told. */
char *whole_file_read(const char *path, size_t bytes_max, size_t *len);

/* False, and the user was told, if OpenSSL cannot. */
bool whole_file_sha256(const void *p, size_t len, unsigned char out[WHOLE_FILE_SHA256_SIZE]);

#endif
