/*
 * receiver.h: by what platforms name a person they pay: an e-mail address or a phone number, in the one form that it is
 * looked up by. Numbers of kinds are those of the database.
 */
#ifndef UJRAT_DOMAIN_RECEIVER_H
#define UJRAT_DOMAIN_RECEIVER_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { RECEIVER_KIND_EMAIL = 1, RECEIVER_KIND_PHONE = 2 };

#define RECEIVER_BYTES_MAX 127
#define RECEIVER_SIZE      (RECEIVER_BYTES_MAX + 1)

/* Without blanks around, ASCII letters in lower case; 3 to 127 bytes, one '@' with something on both sides, no blank or
 * control character inside, valid UTF-8. out ends with a NUL. */
MUST_CHECK bool receiver_email(struct slice text, char out[RECEIVER_SIZE]);

/* E.164: '+' and 8 to 15 digits, the first not 0. Blanks, dashes, dots and parentheses are left out; 00 in front is '+';
 * 03XXXXXXXXX is a mobile number of Pakistan (domain/mobile.h). */
MUST_CHECK bool receiver_phone(struct slice text, char out[RECEIVER_SIZE]);

#endif
