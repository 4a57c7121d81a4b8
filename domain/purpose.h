/*
 * purpose.h: why money comes to Pakistan: the channel it is reported under, and the purpose code. Which codes
 * are in force is data in the database; here is only their form.
 */
#ifndef UJRAT_DOMAIN_PURPOSE_H
#define UJRAT_DOMAIN_PURPOSE_H

#include "base/str.h"
#include "domain/reason.h"

#include <stdint.h>

#define PURPOSE_CODE_SIZE 5

/* Numbers are those of the database and the wire. */
enum channel {
    CHANNEL_UNSPECIFIED = 0,
    CHANNEL_EXPORT_OF_SERVICES = 1, /* with PSEB registration: purpose code 9186 in use */
    CHANNEL_HOME_REMITTANCE = 2,    /* 9471 for freelancers */
};

/* CHANNEL_UNKNOWN for any number but 1 and 2. */
MUST_CHECK reason_t channel_from_number(int32_t number, enum channel *out);

/* "EXPORT_OF_SERVICES": never NULL. */
const char *channel_name(enum channel channel);

/* Four digits: FIELD_REQUIRED (empty), PURPOSE_CODE_UNKNOWN. */
MUST_CHECK reason_t purpose_code_check(struct slice code);

#endif
