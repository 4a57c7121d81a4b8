#include "audit/cell.h"

#include <assert.h>

/* Between 1970-01-01 and 2000-01-01, where PostgreSQL counts from. */
#define EPOCH_US 946684800000000LL

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static int64_t signed_int(const char *p, size_t n)
{
    uint64_t value = big_endian(p, n);

    assert(n == 2 || n == 4 || n == 8);
    return n == 2 ? (int16_t)value : n == 4 ? (int32_t)value : (int64_t)value;
}

int64_t cell_int(const PGresult *r, int col)
{
    if (cell_null(r, col))
        return 0;
    return signed_int(PQgetvalue(r, 0, col), (size_t)PQgetlength(r, 0, col));
}

struct slice cell_slice(const PGresult *r, int col)
{
    return slice_of(PQgetvalue(r, 0, col), (size_t)PQgetlength(r, 0, col));
}

const char *cell_text(const PGresult *r, int col)
{
    return PQgetvalue(r, 0, col);
}

int64_t cell_time(const PGresult *r, int col)
{
    int64_t since_2000 = cell_int(r, col);

    if (cell_null(r, col))
        return 0;
    assert(PQgetlength(r, 0, col) == 8);
    if (since_2000 > INT64_MAX - EPOCH_US)
        return INT64_MAX;
    return since_2000 == INT64_MIN ? INT64_MIN : since_2000 + EPOCH_US;
}

/* array_send(): dimensions, has NULLs, element's type, then a length and a lower bound each dimension, then a length
 * and bytes each element. */
bool cell_list(const PGresult *r, int col, int64_t out[CELL_LIST_MAX], unsigned *n)
{
    struct slice s = cell_slice(r, col);
    uint64_t dimensions;
    uint64_t count;
    size_t at = 20;

    *n = 0;
    if (cell_null(r, col))
        return true;
    assert(s.len >= 12);
    dimensions = big_endian(s.p, 4);
    if (dimensions == 0)
        return true;
    if (dimensions != 1 || s.len < at)
        return false;
    count = big_endian(s.p + 12, 4);
    if (count > CELL_LIST_MAX || big_endian(s.p + 16, 4) != 1)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size = s.len - at >= 4 ? big_endian(s.p + at, 4) : UINT64_MAX;
        if ((size != 2 && size != 4 && size != 8) || s.len - at - 4 < size)
            return false;
        out[i] = signed_int(s.p + at + 4, size);
        at += 4 + size;
    }
    *n = (unsigned)count;
    return at == s.len;
}
