/*
 * json_out.h: JSON written straight into a buffer, commas by itself. What does not fit (the buffer's own cap, nesting over
 * 16) is remembered, and all that follows does nothing: look at `failed` once, at the end.
 */
#ifndef UJRAT_REST_JSON_OUT_H
#define UJRAT_REST_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_OUT_DEPTH_MAX = 16 };

struct json_out {
    struct buf *buf;
    bool failed;
    unsigned depth;
    uint32_t begun; /* bit d: depth d has an element already */
    bool after_key;
};

static inline struct json_out json_out_of(struct buf *buf)
{
    return (struct json_out){.buf = buf};
}

void json_out_object(struct json_out *o);
void json_out_object_end(struct json_out *o);
void json_out_array(struct json_out *o);
void json_out_array_end(struct json_out *o);
/* A literal of letters, digits and '_' (not escaped). */
void json_out_key(struct json_out *o, const char *key);

/* Valid UTF-8 (whatever is not becomes U+FFFD, a piece at a time); control characters are escaped. */
void json_out_text(struct json_out *o, struct slice value);
void json_out_int(struct json_out *o, int64_t value);
void json_out_bool(struct json_out *o, bool value);
void json_out_null(struct json_out *o);
/* A JSON value as it is: the caller vouches for it. */
void json_out_raw(struct json_out *o, struct slice value);

/* A key and its value. An empty slice is left out by json_out_field_if. */
void json_out_field(struct json_out *o, const char *key, struct slice value);
void json_out_field_if(struct json_out *o, const char *key, struct slice value);
void json_out_field_str(struct json_out *o, const char *key, const char *value);
void json_out_field_int(struct json_out *o, const char *key, int64_t value);
void json_out_field_bool(struct json_out *o, const char *key, bool value);
/* RFC 3339 in UTC, whole seconds, as PayPal's: "2026-07-17T09:00:00Z". */
void json_out_field_time(struct json_out *o, const char *key, int64_t unix_us);
/* {"currency":"USD","value":"12.50"} */
void json_out_field_money(struct json_out *o, const char *key, int64_t minor, uint16_t ccy);

#endif
