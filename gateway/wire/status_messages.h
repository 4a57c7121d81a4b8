/* status_messages.h: google.rpc.Status with ErrorInfo, BadRequest and RetryInfo, as every refusal carries them. */
#ifndef UJRAT_WIRE_STATUS_MESSAGES_H
#define UJRAT_WIRE_STATUS_MESSAGES_H

#include "gateway/wire/wire.h"

/*
 * Encodes the Status of a refusal. field: the path of the field at fault, or NULL; message: one sentence, also
 * the status's own; retry_ms: 0, or when asking again makes sense.
 */
MUST_CHECK err_t wire_status_encode(reason_t reason, const char *field, const char *message,
                                    uint32_t retry_ms, struct buf *out);

/* The other way, for clients: what a Status says. Slices point into `details`. False: it does not parse. */
struct wire_status {
    int32_t code;
    struct slice message;
    struct slice reason; /* ErrorInfo.reason; empty if there is none */
    struct slice field;  /* of the first violation */
    int64_t retry_ms;    /* -1: there is no RetryInfo */
};
MUST_CHECK bool wire_status_decode(struct slice details, struct wire_status *out);

#endif
