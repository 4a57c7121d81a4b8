/* operator_code.h: a code of the operator's authenticator, which is never in an argument list. */
#ifndef UJRAT_CLI_OPERATOR_CODE_H
#define UJRAT_CLI_OPERATOR_CODE_H

#include "base/command.h"

#define OPERATOR_CODE_SIZE 7 /* six digits */

/* Options of every command that takes a code. */
#define OPTIONS_OPERATOR_CODE                                                                      \
    {"code-file", "FILE", "your authenticator's code, in a file of mode 0600 (default: asked)",    \
     false},                                                                                       \
    {                                                                                              \
        "code-fd", "N", "read the code from this file descriptor", false                           \
    }

/* What helps say of them. */
#define HELP_OPERATOR_CODE                                                                           \
    "Takes a code of your authenticator (ujrat operator enroll): it is asked for on the terminal,\n" \
    "or read from --code-file or --code-fd. A code is good once."

/* Asks on the terminal, or reads what --code-file or --code-fd name. Complains and returns false if it is none. */
bool operator_code_read(const struct args *args, char out[OPERATOR_CODE_SIZE]);

#endif
