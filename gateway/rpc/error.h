/* error.h: what a refusal says besides its reason. */
#ifndef UJRAT_RPC_ERROR_H
#define UJRAT_RPC_ERROR_H

#include <stdint.h>
#include <stdio.h>

#include "domain/reason.h"
#include "gateway/wire/status_messages.h"

#define RPC_ERROR_MESSAGE_SIZE 384

struct rpc_error {
    char message[RPC_ERROR_MESSAGE_SIZE]; /* "gross.minor_units: The amount is zero." */
    uint32_t retry_ms;                    /* 0: asking again does not help */
};

/* field may be NULL; a long one is cut. */
void rpc_error_make(reason_t reason, const char *field, struct rpc_error *out);

/* docs/errors.md: every reason with its number, status and sentence. */
void rpc_error_print_reference(FILE *out);

#endif
