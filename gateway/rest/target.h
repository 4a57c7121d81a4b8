/*
 * target.h: paths and queries of requests, as text: segments, percent-decoding, parameters. Pure.
 *
 * A path is taken apart at its slashes first and each segment decoded after, so that an encoded slash stays inside of its
 * segment. Trailing slashes count for nothing; neither does a trailing '?' or '&' (real SDKs send them). What is not
 * percent-encoding ("%4", "%zz"), a NUL and text that is not UTF-8 cannot be decoded.
 */
#ifndef UJRAT_REST_TARGET_H
#define UJRAT_REST_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* Decodes into the arena; plus: '+' is a blank, as in queries and forms. False: it cannot be decoded, or no room. */
MUST_CHECK bool target_decode(struct arena *arena, struct slice text, bool plus, struct slice *out);

/* Without trailing slashes, '&' and '?' ("/" stays). */
struct slice target_trim(struct slice path);

/*
 * Whether the path, trimmed, matches a pattern such as "/v1/payments/payouts/{id}". params gets what stood for the
 * {...}, still encoded, at most params_max of them (a pattern has no more). No segment matches an empty one.
 */
MUST_CHECK bool target_match(struct slice path, const char *pattern, struct slice *params,
                             unsigned params_max);

/* Takes the next name=value off a query or form, still encoded. False at the end. Empty pieces are skipped. */
MUST_CHECK bool target_next(struct slice *rest, struct slice *name, struct slice *value);

/* The first parameter of that name, decoded. False: there is none that can be decoded. */
MUST_CHECK bool target_param(struct arena *arena, struct slice query, const char *name,
                             struct slice *out);

#endif
