#include "gateway/wire/wire.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/timefmt.h"

/* Wire types of the protobuf encoding. */
enum {
    PB_VARINT = 0,
    PB_FIXED64 = 1,
    PB_BYTES = 2,
    PB_GROUP = 3,
    PB_GROUP_END = 4,
    PB_FIXED32 = 5
};

enum { DEPTH_MAX = 8, VARINT_BYTES_MAX = 10, TAG_AND_LENGTH_BYTES_MAX = 12 };

/* What WIRE_LIST makes, whatever its items are; lists are read and written by memcpy. */
struct list {
    void *items;
    uint32_t n;
    uint32_t filled;
};

struct reader {
    const uint8_t *p;
    const uint8_t *end;
};

/* One field as it stands in the message. */
struct token {
    uint32_t number;
    unsigned pb_type;
    uint64_t value;     /* PB_VARINT */
    struct slice bytes; /* PB_BYTES */
};

static bool read_varint(struct reader *r, uint64_t *out)
{
    if (r->p < r->end && *r->p < 0x80) {
        *out = *r->p++;
        return true;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && r->p < r->end; i++) {
        uint8_t byte = *r->p++;
        /* Bits past the 64th are dropped, as protobuf does. */
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool skip_bytes(struct reader *r, uint64_t n)
{
    if (n > (uint64_t)(r->end - r->p))
        return false;
    r->p += n;
    return true;
}

static bool read_token(struct reader *r, struct token *t, unsigned depth);

/* Groups are long out of use, but a parser must be able to step over one. */
static bool skip_group(struct reader *r, uint32_t number, unsigned depth)
{
    if (depth >= DEPTH_MAX)
        return false;
    while (r->p < r->end) {
        struct token t;
        if (!read_token(r, &t, depth + 1))
            return false;
        if (t.pb_type == PB_GROUP_END)
            return t.number == number;
    }
    return false;
}

static bool read_token(struct reader *r, struct token *t, unsigned depth)
{
    uint64_t key;
    if (!read_varint(r, &key) || key > UINT32_MAX || key >> 3 == 0)
        return false;
    *t = (struct token){.number = (uint32_t)(key >> 3)};
    t->pb_type = (unsigned)(key & 7);
    switch (t->pb_type) {
    case PB_VARINT:
        return read_varint(r, &t->value);
    case PB_BYTES: {
        uint64_t len;
        if (!read_varint(r, &len))
            return false;
        t->bytes = slice_of(r->p, (size_t)len);
        return skip_bytes(r, len);
    }
    case PB_FIXED64:
        return skip_bytes(r, 8);
    case PB_FIXED32:
        return skip_bytes(r, 4);
    case PB_GROUP:
        return skip_group(r, t->number, depth);
    case PB_GROUP_END:
        return depth > 0;
    default:
        return false;
    }
}

static unsigned pb_type_of(enum wire_type type)
{
    return type == WIRE_INT32 || type == WIRE_INT64 ? PB_VARINT : PB_BYTES;
}

/* NULL: we do not know it, or it is of another type than it should be, which protobuf takes for the same. */
static const struct wire_field *find_field(const struct wire_message *type, const struct token *t)
{
    const struct wire_field *field = NULL;
    if (t->number <= type->n_fields && type->fields[t->number - 1].number == t->number) {
        field = &type->fields[t->number - 1];
    } else {
        for (unsigned i = 0; i < type->n_fields; i++)
            if (type->fields[i].number == t->number)
                field = &type->fields[i];
    }
    return field != NULL && pb_type_of(field->type) == t->pb_type ? field : NULL;
}

static struct refusal refuse(reason_t reason, const char *field)
{
    return (struct refusal){reason, field};
}

static bool has_lists(const struct wire_message *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].type == WIRE_REPEATED)
            return true;
    return false;
}

/* Counts the items of every list first, so that each is allocated once. */
static struct refusal count_items(const struct wire_message *type, struct slice bytes, char *out)
{
    struct reader r = {(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.len};
    while (r.p < r.end) {
        struct token t;
        if (!read_token(&r, &t, 0))
            return refuse(REASON_MALFORMED_MESSAGE, NULL);
        const struct wire_field *field = find_field(type, &t);
        if (field == NULL || field->type != WIRE_REPEATED)
            continue;
        struct list list;
        memcpy(&list, out + field->offset, sizeof(list));
        list.n++;
        if (field->items_max != 0 && list.n > field->items_max)
            return refuse(REASON_BATCH_TOO_LARGE, field->name);
        memcpy(out + field->offset, &list, sizeof(list));
    }
    return refuse(REASON_NONE, NULL);
}

static struct refusal make_lists(const struct wire_message *type, struct slice bytes,
                                 struct arena *arena, char *out)
{
    struct refusal no = count_items(type, bytes, out);
    for (unsigned i = 0; i < type->n_fields && no.reason == REASON_NONE; i++) {
        const struct wire_field *field = &type->fields[i];
        if (field->type != WIRE_REPEATED)
            continue;
        struct list list;
        memcpy(&list, out + field->offset, sizeof(list));
        if (list.n == list.filled)
            continue;
        /* Filled already: the message that holds it came twice, and protobuf joins such lists. */
        void *items = arena_array(arena, list.n, field->message->size);
        if (items == NULL)
            return refuse(REASON_MESSAGE_TOO_LARGE, field->name);
        if (list.filled > 0)
            memcpy(items, list.items, list.filled * field->message->size);
        list.items = items;
        memcpy(out + field->offset, &list, sizeof(list));
    }
    return no;
}

static bool decode_time(struct slice bytes, struct wire_time *out)
{
    struct reader r = {(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.len};
    int64_t seconds = 0;
    int32_t nanos = 0;
    while (r.p < r.end) {
        struct token t;
        if (!read_token(&r, &t, 0))
            return false;
        if (t.number == 1 && t.pb_type == PB_VARINT)
            seconds = (int64_t)t.value;
        else if (t.number == 2 && t.pb_type == PB_VARINT)
            nanos = (int32_t)t.value;
    }
    *out = (struct wire_time){true, INT64_MIN};
    if (nanos >= 0 && nanos < 1000000000 && seconds >= TIMEFMT_US_MIN / US_PER_SEC &&
        seconds <= TIMEFMT_US_MAX / US_PER_SEC)
        out->us = seconds * US_PER_SEC + nanos / 1000;
    return true;
}

static struct refusal decode_message(const struct wire_message *type, struct slice bytes,
                                     struct arena *arena, char *out, unsigned depth);

static struct refusal decode_field(const struct wire_field *field, const struct token *t,
                                   struct arena *arena, char *at, unsigned depth)
{
    switch (field->type) {
    case WIRE_SLICE:
        memcpy(at, &t->bytes, sizeof(t->bytes));
        break;
    case WIRE_INT32:
        memcpy(at, &(int32_t){(int32_t)t->value}, sizeof(int32_t));
        break;
    case WIRE_INT64:
        memcpy(at, &(int64_t){(int64_t)t->value}, sizeof(int64_t));
        break;
    case WIRE_TIME: {
        struct wire_time time;
        if (!decode_time(t->bytes, &time))
            return refuse(REASON_MALFORMED_MESSAGE, field->name);
        memcpy(at, &time, sizeof(time));
        break;
    }
    case WIRE_MESSAGE:
        return decode_message(field->message, t->bytes, arena, at, depth + 1);
    case WIRE_REPEATED: {
        struct list list;
        memcpy(&list, at, sizeof(list));
        assert(list.filled < list.n);
        char *item = (char *)list.items + list.filled * field->message->size;
        list.filled++;
        memcpy(at, &list, sizeof(list));
        return decode_message(field->message, t->bytes, arena, item, depth + 1);
    }
    }
    return refuse(REASON_NONE, NULL);
}

static struct refusal decode_message(const struct wire_message *type, struct slice bytes,
                                     struct arena *arena, char *out, unsigned depth)
{
    assert(depth < DEPTH_MAX); /* no message of ours nests deeper, and none contains itself */
    if (has_lists(type)) {
        struct refusal no = make_lists(type, bytes, arena, out);
        if (no.reason != REASON_NONE)
            return no;
    }
    memcpy(out, &(bool){true}, sizeof(bool));
    struct reader r = {(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.len};
    unsigned unknown = 0;
    size_t unknown_bytes = 0;
    while (r.p < r.end) {
        const uint8_t *begin = r.p;
        struct token t;
        if (!read_token(&r, &t, 0))
            return refuse(REASON_MALFORMED_MESSAGE, NULL);
        const struct wire_field *field = find_field(type, &t);
        if (field == NULL) {
            unknown_bytes += (size_t)(r.p - begin);
            if (++unknown > WIRE_UNKNOWN_FIELDS_MAX || unknown_bytes > WIRE_UNKNOWN_BYTES_MAX)
                return refuse(REASON_TOO_MANY_UNKNOWN_FIELDS, NULL);
            continue;
        }
        struct refusal no = decode_field(field, &t, arena, out + field->offset, depth);
        if (no.reason != REASON_NONE)
            return refuse(no.reason, field->name);
    }
    return refuse(REASON_NONE, NULL);
}

struct refusal wire_decode(const struct wire_message *type, struct slice bytes, struct arena *arena,
                           void *out)
{
    memset(out, 0, type->size);
    if (bytes.p == NULL)
        bytes = SLICE("");
    return decode_message(type, bytes, arena, out, 0);
}

/* ---------------------------------------------------------------- encoding */

static size_t bound_of(const struct wire_message *type, const char *message)
{
    size_t bound = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct wire_field *field = &type->fields[i];
        const char *at = message + field->offset;
        switch (field->type) {
        case WIRE_INT32:
        case WIRE_INT64:
            bound += TAG_AND_LENGTH_BYTES_MAX;
            break;
        case WIRE_TIME:
            bound += 2 * TAG_AND_LENGTH_BYTES_MAX + 4;
            break;
        case WIRE_SLICE: {
            struct slice s;
            memcpy(&s, at, sizeof(s));
            bound += s.len == 0 ? 0 : TAG_AND_LENGTH_BYTES_MAX + s.len;
            break;
        }
        case WIRE_MESSAGE: {
            bool present;
            memcpy(&present, at, sizeof(present));
            bound += present ? TAG_AND_LENGTH_BYTES_MAX + bound_of(field->message, at) : 0;
            break;
        }
        case WIRE_REPEATED: {
            struct list list;
            memcpy(&list, at, sizeof(list));
            for (uint32_t k = 0; k < list.n; k++)
                bound +=
                    TAG_AND_LENGTH_BYTES_MAX +
                    bound_of(field->message, (const char *)list.items + k * field->message->size);
            break;
        }
        }
    }
    return bound;
}

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

static uint8_t *put_tag(uint8_t *p, const struct wire_field *field)
{
    return put_varint(p, (uint64_t)field->number << 3 | pb_type_of(field->type));
}

/* Puts the length in front of what was written from `begin` on: one byte was left free for it. */
static uint8_t *close_length(uint8_t *begin, uint8_t *p)
{
    size_t len = (size_t)(p - begin);
    if (len < 0x80) {
        begin[-1] = (uint8_t)len;
        return p;
    }
    uint8_t prefix[VARINT_BYTES_MAX];
    size_t prefix_len = (size_t)(put_varint(prefix, len) - prefix);
    memmove(begin - 1 + prefix_len, begin, len);
    memcpy(begin - 1, prefix, prefix_len);
    return begin - 1 + prefix_len + len;
}

static uint8_t *put_time(uint8_t *p, struct wire_time time)
{
    int64_t seconds = time.us / US_PER_SEC;
    int64_t rest_us = time.us % US_PER_SEC;
    if (rest_us < 0) {
        seconds--;
        rest_us += US_PER_SEC;
    }
    uint8_t *begin = p + 1;
    p = begin;
    if (seconds != 0) {
        *p++ = 1 << 3 | PB_VARINT;
        p = put_varint(p, (uint64_t)seconds);
    }
    if (rest_us != 0) {
        *p++ = 2 << 3 | PB_VARINT;
        p = put_varint(p, (uint64_t)rest_us * 1000);
    }
    return close_length(begin, p);
}

static uint8_t *put_message(const struct wire_message *type, const char *message, uint8_t *p);

static uint8_t *put_nested(const struct wire_field *field, const char *message, uint8_t *p)
{
    uint8_t *begin = put_tag(p, field) + 1;
    return close_length(begin, put_message(field->message, message, begin));
}

static uint8_t *put_integer(const struct wire_field *field, int64_t value, uint8_t *p)
{
    /* A negative int32 is sign-extended to ten bytes, as protobuf has it. */
    return value == 0 ? p : put_varint(put_tag(p, field), (uint64_t)value);
}

static uint8_t *put_slice(const struct wire_field *field, struct slice s, uint8_t *p)
{
    if (s.len == 0)
        return p;
    p = put_varint(put_tag(p, field), s.len);
    memcpy(p, s.p, s.len);
    return p + s.len;
}

static uint8_t *put_field(const struct wire_field *field, const char *at, uint8_t *p)
{
    switch (field->type) {
    case WIRE_INT32: {
        int32_t v;
        memcpy(&v, at, sizeof(v));
        return put_integer(field, v, p);
    }
    case WIRE_INT64: {
        int64_t v;
        memcpy(&v, at, sizeof(v));
        return put_integer(field, v, p);
    }
    case WIRE_SLICE: {
        struct slice s;
        memcpy(&s, at, sizeof(s));
        return put_slice(field, s, p);
    }
    case WIRE_TIME: {
        struct wire_time time;
        memcpy(&time, at, sizeof(time));
        return time.present ? put_time(put_tag(p, field), time) : p;
    }
    case WIRE_MESSAGE: {
        bool present;
        memcpy(&present, at, sizeof(present));
        return present ? put_nested(field, at, p) : p;
    }
    case WIRE_REPEATED: {
        struct list list;
        memcpy(&list, at, sizeof(list));
        for (uint32_t k = 0; k < list.n; k++)
            p = put_nested(field, (const char *)list.items + k * field->message->size, p);
        return p;
    }
    }
    return p;
}

static uint8_t *put_message(const struct wire_message *type, const char *message, uint8_t *p)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        p = put_field(&type->fields[i], message + type->fields[i].offset, p);
    return p;
}

err_t wire_encode(const struct wire_message *type, const void *message, struct buf *out)
{
    size_t bound = bound_of(type, message);
    if (bound == 0)
        return err_none();
    unsigned char *room;
    err_t err = buf_reserve(out, bound, &room);
    if (err_failed(err))
        return err;
    uint8_t *end = put_message(type, message, room);
    assert(end <= room + bound);
    buf_commit(out, (size_t)(end - room));
    return err_none();
}
