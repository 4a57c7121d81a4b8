/* pii_keys_file.h: which file of keys a command of `ujrat pii` was told of. */
#ifndef UJRAT_CLI_PII_KEYS_FILE_H
#define UJRAT_CLI_PII_KEYS_FILE_H

#include "base/command.h"

#define OPTION_KEYS                                                                                \
    {                                                                                              \
        "keys", "FILE", "the file of keys (default: UJRAT_PII_KEYS of the environment)", false     \
    }

/* NULL: none. */
const char *pii_keys_file(const struct args *args);

#endif
