#include "ledger/rows.h"

#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>
#include <string.h>

#include "base/clock.h"

#define PG_EPOCH_UNIX_US (946684800LL * US_PER_SEC)

/* struct rows is a PGresult under another name: readers above ledger/ know nothing of libpq. */
static const PGresult *result(const struct rows *r)
{
    return (const PGresult *)(const void *)r;
}

void rows_free(struct rows **rows)
{
    PQclear((PGresult *)(void *)*rows);
    *rows = NULL;
}

int rows_count(const struct rows *r)
{
    return PQntuples(result(r));
}

bool rows_is_null(const struct rows *r, int row, int col)
{
    return PQgetisnull(result(r), row, col) != 0;
}

static int64_t load_int(const char *at, int len)
{
    uint16_t be16;
    uint32_t be32;
    uint64_t be64;
    switch (len) {
    case 2:
        memcpy(&be16, at, sizeof be16);
        return (int16_t)be16toh(be16);
    case 4:
        memcpy(&be32, at, sizeof be32);
        return (int32_t)be32toh(be32);
    case 8:
        memcpy(&be64, at, sizeof be64);
        return (int64_t)be64toh(be64);
    default:
        assert(!"an integer column of 2, 4 or 8 bytes");
        return 0;
    }
}

int64_t rows_int(const struct rows *r, int row, int col)
{
    if (rows_is_null(r, row, col))
        return 0;
    return load_int(PQgetvalue(result(r), row, col), PQgetlength(result(r), row, col));
}

bool rows_bool(const struct rows *r, int row, int col)
{
    if (rows_is_null(r, row, col))
        return false;
    assert(PQgetlength(result(r), row, col) == 1);
    return PQgetvalue(result(r), row, col)[0] != 0;
}

struct slice rows_text(const struct rows *r, int row, int col)
{
    if (rows_is_null(r, row, col))
        return (struct slice){"", 0};
    return slice_of(PQgetvalue(result(r), row, col), (size_t)PQgetlength(result(r), row, col));
}

int64_t rows_time_us(const struct rows *r, int row, int col)
{
    if (rows_is_null(r, row, col))
        return INT64_MIN;
    const int64_t us = rows_int(r, row, col);
    if (us == INT64_MIN || us > INT64_MAX - PG_EPOCH_UNIX_US)
        return us == INT64_MIN ? us : INT64_MAX;
    return us + PG_EPOCH_UNIX_US;
}

int rows_int_array(const struct rows *r, int row, int col, int64_t *out, int max)
{
    if (rows_is_null(r, row, col))
        return 0;
    /* array_send: dimensions, has-nulls, element type, then count and lower bound for each dimension */
    const char *at = PQgetvalue(result(r), row, col);
    const char *end = at + PQgetlength(result(r), row, col);
    if (end - at < 20)
        return 0; /* an empty array has no dimension */
    const int n = (int)load_int(at + 12, 4);
    at += 20;
    for (int i = 0; i < n; i++) {
        const int len = (int)load_int(at, 4);
        assert(len == -1 || (len > 0 && end - at >= 4 + len));
        if (i < max)
            out[i] = len == -1 ? 0 : load_int(at + 4, len);
        at += 4 + (len == -1 ? 0 : len);
    }
    return n;
}
