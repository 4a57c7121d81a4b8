#include "gateway/net/pb_lite.h"

#include <string.h>

static bool read_varint(struct pb_bytes *rest, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && rest->length > 0; shift += 7) {
        uint8_t byte = *rest->data++;
        rest->length--;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7F) << (shift < 63 ? shift : 63);
        if ((byte & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct pb_bytes *rest, unsigned size, uint64_t *out)
{
    if (rest->length < size)
        return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)rest->data[i] << (8 * i);
    rest->data += size;
    rest->length -= size;
    *out = value;
    return true;
}

bool pb_next(struct pb_bytes *rest, struct pb_field *field)
{
    struct pb_bytes r = *rest;
    uint64_t key;
    if (!read_varint(&r, &key) || key >> 3 == 0 || key >> 3 > 0x1FFFFFFF)
        return false;
    field->number = (uint32_t)(key >> 3);
    field->wire_type = (unsigned)(key & 7);
    field->value = 0;
    field->bytes = (struct pb_bytes){NULL, 0};
    bool ok = false;
    if (field->wire_type == 0) {
        ok = read_varint(&r, &field->value);
    } else if (field->wire_type == 1) {
        ok = read_fixed(&r, 8, &field->value);
    } else if (field->wire_type == 5) {
        ok = read_fixed(&r, 4, &field->value);
    } else if (field->wire_type == 2) {
        uint64_t length;
        ok = read_varint(&r, &length) && length <= r.length;
        if (ok) {
            field->bytes = (struct pb_bytes){r.data, (size_t)length};
            r.data += length;
            r.length -= (size_t)length;
        }
    }
    if (ok)
        *rest = r;
    return ok;
}

static void put_raw_varint(struct pb_writer *writer, uint64_t value)
{
    do {
        if (writer->length == writer->capacity) {
            writer->overflow = true;
            return;
        }
        writer->data[writer->length++] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
}

void pb_put_varint(struct pb_writer *writer, uint32_t number, uint64_t value)
{
    put_raw_varint(writer, (uint64_t)number << 3);
    put_raw_varint(writer, value);
}

void pb_put_bytes(struct pb_writer *writer, uint32_t number, const void *data, size_t length)
{
    put_raw_varint(writer, (uint64_t)number << 3 | 2);
    put_raw_varint(writer, length);
    if (writer->overflow || writer->capacity - writer->length < length) {
        writer->overflow = true;
        return;
    }
    if (length > 0)
        memcpy(writer->data + writer->length, data, length);
    writer->length += length;
}
