/*
 * A protobuf reader and writer of the smallest kind, for the transport's own few messages (health,
 * reflection, RetryInfo). It reads in place, allocates nothing and checks every length.
 */
#ifndef UJRAT_NET_PB_LITE_H
#define UJRAT_NET_PB_LITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb_bytes {
    const uint8_t *data;
    size_t length;
};

struct pb_field {
    uint32_t number;
    unsigned wire_type;    /* 0 varint, 1 fixed64, 2 bytes, 5 fixed32 */
    uint64_t value;        /* of all but bytes */
    struct pb_bytes bytes; /* of wire type 2 */
};

/* Takes the next field from the front of *rest. False at the end or at bytes that are not protobuf:
 * *rest is then empty or not. Groups are not protobuf here. */
bool pb_next(struct pb_bytes *rest, struct pb_field *field);

struct pb_writer {
    uint8_t *data;
    size_t length, capacity;
    bool overflow; /* something did not fit and was left out */
};

void pb_put_varint(struct pb_writer *writer, uint32_t number, uint64_t value);
void pb_put_bytes(struct pb_writer *writer, uint32_t number, const void *data, size_t length);

#endif
