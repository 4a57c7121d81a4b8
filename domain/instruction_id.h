/*
 * instruction_id.h: the name that a bank knows a payment by: the instruction_id of the API, the EndToEndId of ISO 20022
 * messages. Opaque to banks, and read strictly: one text a value.
 */
#ifndef UJRAT_DOMAIN_INSTRUCTION_ID_H
#define UJRAT_DOMAIN_INSTRUCTION_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* "UJ7-42": payout 42 of book 7. ISO 20022 has room for 35 characters. */
#define INSTRUCTION_ID_SIZE 36

/* Both above zero. Returns the length. */
size_t instruction_id_write(int32_t book_id, int64_t payout_id, char out[INSTRUCTION_ID_SIZE]);
MUST_CHECK bool instruction_id_read(struct slice text, int32_t *book_id, int64_t *payout_id);

#endif
