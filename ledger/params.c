#include "ledger/params.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Type OIDs that are the same in every PostgreSQL (pg_type.dat). */
enum {
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_INT2_ARRAY = 1005,
    OID_INT4_ARRAY = 1007,
    OID_INT8_ARRAY = 1016,
};

/* PostgreSQL counts microseconds from 2000-01-01T00:00:00Z. */
#define PG_EPOCH_UNIX_US (946684800LL * US_PER_SEC)

void params_init(struct params *p)
{
    memset(p, 0, sizeof *p);
}

void params_deinit(struct params *p)
{
    free(p->bytes);
    params_init(p);
}

void params_reset(struct params *p)
{
    uint8_t *bytes = p->bytes;
    const size_t cap = p->cap;
    params_init(p);
    p->bytes = bytes;
    p->cap = cap;
}

/* Room for `more` bytes at the end; NULL (and failed set for good) when there is none to be had. */
static uint8_t *grow(struct params *p, size_t more)
{
    if (p->failed)
        return NULL;
    if (p->cap - p->len < more) {
        size_t cap = p->cap < 256 ? 256 : p->cap;
        while (cap - p->len < more) {
            if (cap > SIZE_MAX / 2) {
                p->failed = true;
                return NULL;
            }
            cap *= 2;
        }
        uint8_t *bytes = realloc(p->bytes, cap);
        if (bytes == NULL) {
            p->failed = true;
            return NULL;
        }
        p->bytes = bytes;
        p->cap = cap;
    }
    uint8_t *at = p->bytes + p->len;
    p->len += more;
    return at;
}

static void store32(uint8_t *at, uint32_t v)
{
    v = htobe32(v);
    memcpy(at, &v, sizeof v);
}

static void store64(uint8_t *at, uint64_t v)
{
    v = htobe64(v);
    memcpy(at, &v, sizeof v);
}

static void put(struct params *p, const void *bytes, size_t len)
{
    uint8_t *at = grow(p, len);
    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

static void add(struct params *p, const void *bytes, size_t len)
{
    assert(p->n < PARAMS_MAX && p->array_count_at == 0);
    p->offset[p->n] = p->len;
    p->length[p->n] = (int32_t)len;
    p->n++;
    put(p, bytes, len);
}

void params_add_int2(struct params *p, int16_t v)
{
    const uint16_t be = htobe16((uint16_t)v);
    add(p, &be, sizeof be);
}

void params_add_int4(struct params *p, int32_t v)
{
    const uint32_t be = htobe32((uint32_t)v);
    add(p, &be, sizeof be);
}

void params_add_int8(struct params *p, int64_t v)
{
    const uint64_t be = htobe64((uint64_t)v);
    add(p, &be, sizeof be);
}

void params_add_bool(struct params *p, bool v)
{
    const uint8_t byte = v ? 1 : 0;
    add(p, &byte, sizeof byte);
}

void params_add_text(struct params *p, struct slice v)
{
    assert(v.len <= INT32_MAX);
    add(p, v.p, v.len);
}

void params_add_null(struct params *p)
{
    add(p, NULL, 0);
    p->length[p->n - 1] = -1;
}

void params_add_text_or_null(struct params *p, struct slice v)
{
    if (v.len == 0)
        params_add_null(p);
    else
        params_add_text(p, v);
}

void params_add_time_us(struct params *p, int64_t unix_us)
{
    params_add_int8(p, unix_us == INT64_MAX || unix_us < INT64_MIN + PG_EPOCH_UNIX_US
                           ? unix_us
                           : unix_us - PG_EPOCH_UNIX_US);
}

/* One-dimensional array: dimensions, has-nulls, element type, count, lower bound (array_recv). */
enum { ARRAY_HEADER_BYTES = 20 };

void params_add_int8_array(struct params *p, const int64_t *v, int32_t n)
{
    const size_t start = p->len;
    uint8_t *at = grow(p, ARRAY_HEADER_BYTES + (size_t)n * 12);
    assert(p->n < PARAMS_MAX && p->array_count_at == 0 && n > 0);
    p->offset[p->n] = start;
    p->length[p->n] = (int32_t)(p->len - start);
    p->n++;
    if (at == NULL)
        return;
    store32(at, 1);
    store32(at + 4, 0);
    store32(at + 8, OID_INT8);
    store32(at + 12, (uint32_t)n);
    store32(at + 16, 1);
    at += ARRAY_HEADER_BYTES;
    for (int32_t i = 0; i < n; i++, at += 12) {
        store32(at, 8);
        store64(at + 4, (uint64_t)v[i]);
    }
}

void params_array_begin(struct params *p, enum ledger_type type)
{
    assert(p->array_count_at == 0 && p->n < PARAMS_MAX);
    p->offset[p->n] = p->len;
    p->type[p->n] = type;
    p->array_rows = 0;
    const size_t start = p->len;
    uint8_t *at = grow(p, ARRAY_HEADER_BYTES);
    if (at == NULL)
        return;
    store32(at, 1);
    store32(at + 4, 0);
    p->type_at[p->n] = start + 8;
    p->array_count_at = start + 12;
    store32(at + 16, 1);
}

void params_array_end(struct params *p)
{
    if (!p->failed) {
        assert(p->array_count_at != 0 && p->row_length_at == 0);
        store32(p->bytes + p->array_count_at, (uint32_t)p->array_rows);
        p->length[p->n] = (int32_t)(p->len - p->offset[p->n]);
    }
    p->n++;
    p->array_count_at = 0;
}

void params_row_begin(struct params *p, int32_t columns)
{
    p->array_rows++;
    const size_t start = p->len;
    uint8_t *at = grow(p, 8);
    if (at == NULL)
        return;
    p->row_length_at = start;
    store32(at + 4, (uint32_t)columns);
}

void params_row_end(struct params *p)
{
    if (p->failed)
        return;
    store32(p->bytes + p->row_length_at, (uint32_t)(p->len - p->row_length_at - 4));
    p->row_length_at = 0;
}

/* A column of a row: type, length (-1: NULL), bytes (record_recv). */
static uint8_t *column(struct params *p, uint32_t type, int32_t len)
{
    uint8_t *at = grow(p, 8 + (size_t)(len < 0 ? 0 : len));
    if (at == NULL)
        return NULL;
    store32(at, type);
    store32(at + 4, (uint32_t)len);
    return at + 8;
}

void params_row_int2(struct params *p, int16_t v)
{
    uint8_t *at = column(p, OID_INT2, 2);
    const uint16_t be = htobe16((uint16_t)v);
    if (at != NULL)
        memcpy(at, &be, sizeof be);
}

void params_row_int4(struct params *p, int32_t v)
{
    uint8_t *at = column(p, OID_INT4, 4);
    if (at != NULL)
        store32(at, (uint32_t)v);
}

void params_row_int8(struct params *p, int64_t v)
{
    uint8_t *at = column(p, OID_INT8, 8);
    if (at != NULL)
        store64(at, (uint64_t)v);
}

void params_row_int2_or_null(struct params *p, int16_t v)
{
    if (v == 0)
        (void)column(p, OID_INT2, -1);
    else
        params_row_int2(p, v);
}

void params_row_int4_or_null(struct params *p, int32_t v)
{
    if (v == 0)
        (void)column(p, OID_INT4, -1);
    else
        params_row_int4(p, v);
}

void params_row_int8_or_null(struct params *p, int64_t v)
{
    if (v == 0)
        (void)column(p, OID_INT8, -1);
    else
        params_row_int8(p, v);
}

static void column_bytes(struct params *p, uint32_t type, struct slice v)
{
    uint8_t *at = column(p, type, (int32_t)v.len);
    if (at != NULL && v.len > 0)
        memcpy(at, v.p, v.len);
}

void params_row_text(struct params *p, struct slice v)
{
    column_bytes(p, OID_TEXT, v);
}

void params_row_text_or_null(struct params *p, struct slice v)
{
    if (v.len == 0)
        (void)column(p, OID_TEXT, -1);
    else
        column_bytes(p, OID_TEXT, v);
}

void params_row_bytea(struct params *p, struct slice v)
{
    column_bytes(p, OID_BYTEA, v);
}

void params_row_bytea_or_null(struct params *p, struct slice v)
{
    if (v.len == 0)
        (void)column(p, OID_BYTEA, -1);
    else
        column_bytes(p, OID_BYTEA, v);
}

/* Room for n elements of `bytes_each`, each behind its length; NULL if there is none. */
static uint8_t *column_array(struct params *p, uint32_t array_type, uint32_t type, int32_t n,
                             int32_t bytes_each)
{
    uint8_t *at = column(p, array_type, ARRAY_HEADER_BYTES + n * (4 + bytes_each));
    if (at == NULL)
        return NULL;
    store32(at, 1);
    store32(at + 4, 0);
    store32(at + 8, type);
    store32(at + 12, (uint32_t)n);
    store32(at + 16, 1);
    return at + ARRAY_HEADER_BYTES;
}

void params_row_int2_array(struct params *p, const int16_t *v, int32_t n)
{
    uint8_t *at = column_array(p, OID_INT2_ARRAY, OID_INT2, n, 2);
    for (int32_t i = 0; at != NULL && i < n; i++, at += 6) {
        const uint16_t be = htobe16((uint16_t)v[i]);
        store32(at, 2);
        memcpy(at + 4, &be, sizeof be);
    }
}

void params_row_int4_array(struct params *p, const int32_t *v, int32_t n)
{
    uint8_t *at = column_array(p, OID_INT4_ARRAY, OID_INT4, n, 4);
    for (int32_t i = 0; at != NULL && i < n; i++, at += 8) {
        store32(at, 4);
        store32(at + 4, (uint32_t)v[i]);
    }
}

void params_row_int8_array(struct params *p, const int64_t *v, int32_t n)
{
    uint8_t *at = column_array(p, OID_INT8_ARRAY, OID_INT8, n, 8);
    for (int32_t i = 0; at != NULL && i < n; i++, at += 12) {
        store32(at, 8);
        store64(at + 4, (uint64_t)v[i]);
    }
}

void params_row_null(struct params *p, uint32_t type_oid)
{
    (void)column(p, type_oid, -1);
}

size_t params_row_nested_begin(struct params *p, uint32_t type_oid, int32_t columns)
{
    const size_t start = p->len;
    uint8_t *at = grow(p, 12);
    if (at != NULL) {
        store32(at, type_oid);
        store32(at + 8, (uint32_t)columns);
    }
    return start;
}

void params_row_nested_end(struct params *p, size_t start)
{
    if (!p->failed)
        store32(p->bytes + start + 4, (uint32_t)(p->len - start - 8));
}

void params_set_types(struct params *p, const uint32_t oid[LEDGER_TYPE_COUNT])
{
    for (int i = 0; i < p->n && !p->failed; i++)
        if (p->type_at[i] != 0)
            store32(p->bytes + p->type_at[i], oid[p->type[i]]);
}
