/* mobile.h: a Pakistani mobile number used as an account alias (Raast). */
#ifndef UJRAT_DOMAIN_MOBILE_H
#define UJRAT_DOMAIN_MOBILE_H

#include "base/str.h"
#include "domain/reason.h"

#define MOBILE_SIZE 14

/* Takes 03XXXXXXXXX or +923XXXXXXXXX, gives the latter (E.164). FIELD_REQUIRED (empty), MOBILE_SHAPE. */
MUST_CHECK reason_t mobile_normalise(struct slice text, char out[MOBILE_SIZE]);

#endif
