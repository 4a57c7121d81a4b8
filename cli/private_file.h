/* private_file.h: files that say who was paid what. */
#ifndef UJRAT_CLI_PRIVATE_FILE_H
#define UJRAT_CLI_PRIVATE_FILE_H

#include "base/str.h"

#include <stdbool.h>

/* Writes the file anew, readable by its owner alone if it was not there; "-" is standard output. Complains. */
bool private_file_write(const char *path, struct slice bytes);

#endif
