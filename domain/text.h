/*
 * text.h: what text from outside must be before it goes into a payout, a file or a log.
 *
 * protobuf-c checks none of this: it takes invalid UTF-8 and NUL in strings.
 */
#ifndef UJRAT_DOMAIN_TEXT_H
#define UJRAT_DOMAIN_TEXT_H

#include "base/str.h"
#include "domain/reason.h"

#include <stddef.h>

#define TEXT_NAME_CHARS_MAX      140 /* ISO 20022 Max140Text */
#define TEXT_REFERENCE_BYTES_MAX 63

/* One line of text, possibly empty, of at most chars_max code points: TEXT_NOT_UTF8, TEXT_HAS_NUL (any
 * control character), TEXT_TOO_LONG, FIELD_INVALID (a space at the beginning or the end). */
MUST_CHECK reason_t text_check(struct slice text, size_t chars_max);

/* A person's or firm's name: NAME_EMPTY (blanks only, too), NAME_TOO_LONG, and as above. */
MUST_CHECK reason_t text_check_name(struct slice name);

/* What names a payout for ever: 1 to 63 visible ASCII characters (0x21 to 0x7e). REFERENCE_EMPTY,
 * REFERENCE_SHAPE. */
MUST_CHECK reason_t text_check_reference(struct slice reference);

/* Nothing but printable ASCII with blanks inside, for what goes to banks' systems: TEXT_TOO_LONG,
 * TEXT_NOT_UTF8 (anything beyond ASCII), TEXT_HAS_NUL, FIELD_INVALID (blank at an end). */
MUST_CHECK reason_t text_check_ascii(struct slice text, size_t chars_max);

#endif
