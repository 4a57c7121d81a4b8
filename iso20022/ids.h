/*
 * ids.h: the names a payment carries through the banks, all from the instruction's id, so that a file that is written
 * again is the same to the byte, and whatever a bank quotes leads back to the instruction.
 *
 *   InstrId, EndToEndId, TxId   the instruction's id itself ("UJ7-42")
 *   UETR                        a UUID of version 4 by its form. Not random: the first 128 bits of
 *                               SHA-256("ujrat:uetr:1" NUL sender NUL instruction id), with the version and variant
 *                               bits of RFC 4122 put in. The sender is in it (our BIC), since two installations may
 *                               both have an instruction UJ1-1, and a UETR is unique in the world.
 */
#ifndef UJRAT_ISO20022_IDS_H
#define UJRAT_ISO20022_IDS_H

#include "base/err.h"
#include "base/str.h"

#define ISO_UETR_SIZE 37

/* Neither may be empty (assert). ERR_TLS if OpenSSL has no SHA-256. */
MUST_CHECK err_t iso_uetr_make(struct slice sender, struct slice instruction_id,
                               char out[ISO_UETR_SIZE]);

#endif
