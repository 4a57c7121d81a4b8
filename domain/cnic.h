/* cnic.h: Pakistan's computerised national identity card number: 13 digits, shown 5-7-1; no public checksum. */
#ifndef UJRAT_DOMAIN_CNIC_H
#define UJRAT_DOMAIN_CNIC_H

#include "base/str.h"
#include "domain/reason.h"

#define CNIC_SIZE 14

/* Takes 13 digits or 5-7-1 digits with dashes, gives 13 digits. FIELD_REQUIRED (empty), CNIC_SHAPE (other
 * characters, dashes elsewhere), CNIC_LENGTH. */
MUST_CHECK reason_t cnic_normalise(struct slice text, char out[CNIC_SIZE]);

#endif
