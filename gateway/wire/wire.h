/*
 * wire.h: protobuf messages as plain structs, by tables.
 *
 * protobuf-c keeps strings as C strings, which a NUL cuts short without a word, and every unknown field as an
 * allocation of its own (64 KB of junk makes 32,768 of them). Here a string is a slice of the message, unknown
 * fields are skipped and counted, and nothing is allocated but the items of repeated fields. A unit test holds
 * every table against the descriptors that protoc-c makes of proto/, and a fuzz target holds the decoder
 * against protobuf-c.
 *
 * A message's struct begins with `bool present`: whether the field that holds it was there. The other members
 * have the names of the proto's fields, and these types:
 *
 *   string, bytes       struct slice
 *   int32, enum         int32_t            (an enum may hold a number it does not know: check)
 *   int64               int64_t
 *   Timestamp           struct wire_time
 *   another message     its struct, in place
 *   repeated message    WIRE_LIST(struct ...)
 *
 * Decoded text is whatever the client sent: its UTF-8, NULs and length are for validation to check (domain/text.h),
 * which can say what is wrong with which field of which item.
 */
#ifndef UJRAT_WIRE_WIRE_H
#define UJRAT_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "domain/reason.h"

/* google.protobuf.Timestamp. us: since the Unix epoch, rounded down; INT64_MIN if it was out of range
 * (years 0001 to 9999): answer TIME_RANGE_INVALID. */
struct wire_time {
    bool present;
    int64_t us;
};

static inline struct wire_time wire_time_of(int64_t unix_us)
{
    return (struct wire_time){true, unix_us};
}

/* A repeated message. To answer with one, point items at an array. */
#define WIRE_LIST(type)                                                                            \
    struct {                                                                                       \
        type *items;                                                                               \
        uint32_t n;                                                                                \
        uint32_t filled; /* the decoder's own */                                                   \
    }

enum wire_type { WIRE_SLICE, WIRE_INT32, WIRE_INT64, WIRE_TIME, WIRE_MESSAGE, WIRE_REPEATED };

struct wire_message;

struct wire_field {
    uint16_t number;
    uint16_t offset;
    enum wire_type type;
    const char *name;
    const struct wire_message *message; /* WIRE_MESSAGE, WIRE_REPEATED */
    uint32_t items_max; /* WIRE_REPEATED: more are BATCH_TOO_LARGE; 0: only the arena bounds it */
};

struct wire_message {
    const char *name;                /* "ujrat.payout.v1.Quote" */
    size_t size;                     /* of its struct */
    const struct wire_field *fields; /* by number */
    unsigned n_fields;
};

/* Rows of a table; they do not compile if the member has another type than the row says. */
#define WIRE_OFFSET(s, member, ctype)                                                              \
    (uint16_t)(                                                                                    \
        offsetof(s, member) +                                                                      \
        0 * sizeof(                                                                                \
                char[__builtin_types_compatible_p(__typeof__(((s *)0)->member), ctype) ? 1 : -1]))
#define WIRE_F_SLICE(number, s, m)                                                                 \
    {                                                                                              \
        number, WIRE_OFFSET(s, m, struct slice), WIRE_SLICE, #m, NULL, 0                           \
    }
#define WIRE_F_INT32(number, s, m)                                                                 \
    {                                                                                              \
        number, WIRE_OFFSET(s, m, int32_t), WIRE_INT32, #m, NULL, 0                                \
    }
#define WIRE_F_INT64(number, s, m)                                                                 \
    {                                                                                              \
        number, WIRE_OFFSET(s, m, int64_t), WIRE_INT64, #m, NULL, 0                                \
    }
#define WIRE_F_TIME(number, s, m)                                                                  \
    {                                                                                              \
        number, WIRE_OFFSET(s, m, struct wire_time), WIRE_TIME, #m, NULL, 0                        \
    }
#define WIRE_F_MESSAGE(number, s, m, t)                                                            \
    {                                                                                              \
        number, (uint16_t)offsetof(s, m), WIRE_MESSAGE, #m, &(t), 0                                \
    }
#define WIRE_F_REPEATED(number, s, m, t, items_max)                                                \
    {                                                                                              \
        number, (uint16_t)offsetof(s, m), WIRE_REPEATED, #m, &(t), items_max                       \
    }
#define WIRE_TABLE(proto_name, s, rows)                                                            \
    {                                                                                              \
        proto_name, sizeof(s), rows, sizeof(rows) / sizeof((rows)[0])                              \
    }

/* What one message (each item of a batch is one) may carry that we do not know: a newer client's few new fields. */
#define WIRE_UNKNOWN_FIELDS_MAX 64
#define WIRE_UNKNOWN_BYTES_MAX  8192

/*
 * Fills the struct at `out` (it is zeroed first). Slices point into `bytes`; items of repeated fields are in the
 * arena. Refusals, with the path of the field where there is one: MALFORMED_MESSAGE, TOO_MANY_UNKNOWN_FIELDS,
 * BATCH_TOO_LARGE, MESSAGE_TOO_LARGE (the arena is full).
 */
MUST_CHECK struct refusal wire_decode(const struct wire_message *type, struct slice bytes,
                                      struct arena *arena, void *out);

/* Appends the encoded message. Members that are zero or empty are left out, as proto3 wants. ERR_LIMIT. */
MUST_CHECK err_t wire_encode(const struct wire_message *type, const void *message, struct buf *out);

#endif
