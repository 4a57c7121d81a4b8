#include "audit/copy.h"

#include "base/buf.h"

#include <assert.h>
#include <string.h>

#define HEADER_BYTES 19                /* the signature, flags, no extension */
#define EPOCH_US     946684800000000LL /* 2000-01-01, which PostgreSQL counts from */
#define EPOCH_DAYS   10957

static inline uint16_t load16(const char *p)
{
    uint16_t v = 0;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t load32(const char *p)
{
    uint32_t v = 0;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t load64(const char *p)
{
    uint64_t v = 0;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

bool copy_begin(struct copy *copy, struct db *db, const char *query)
{
    struct buf sql;
    PGresult *result = NULL;

    *copy = (struct copy){.db = db};
    buf_init(&sql, 1U << 20);
    if (!err_failed(buf_printf(&sql, "COPY (%s) TO STDOUT (FORMAT binary)", query)) &&
        !err_failed(buf_append_char(&sql, '\0')))
        result = PQexec(db->conn, (const char *)buf_data(&sql));
    buf_deinit(&sql);
    copy->open = PQresultStatus(result) == PGRES_COPY_OUT;
    if (!copy->open)
        complain("the database says: %s",
                 result == NULL ? "out of memory" : PQresultErrorMessage(result));
    PQclear(result);
    return copy->open;
}

/* After the last row: whether all went well. */
static bool finish(struct copy *copy)
{
    bool ok = true;
    PGresult *result;

    copy->open = false;
    while ((result = PQgetResult(copy->db->conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            if (ok)
                complain("the database says: %s", PQresultErrorMessage(result));
            ok = false;
        }
        PQclear(result);
    }
    return ok;
}

/* Fields of a row or, with types before them, of a composite value. */
static bool split(struct copy *copy, const char *p, const char *end, int n, bool typed)
{
    if (n < 0 || n > COPY_FIELDS_MAX)
        return false;
    copy->n = n;
    for (int i = 0; i < n; i++) {
        uint32_t len;

        if (end - p < (typed ? 8 : 4))
            return false;
        p += typed ? 4 : 0;
        len = load32(p);
        p += 4;
        if (len == UINT32_MAX) {
            copy->fields[i] = slice_of(NULL, 0);
            continue;
        }
        if ((size_t)(end - p) < len)
            return false;
        copy->fields[i] = slice_of(p, len);
        p += len;
    }
    return p == end;
}

static int failed(struct copy *copy)
{
    complain("the database sent rows that are not in the form that was asked for");
    (void)copy_drop(copy);
    return -1;
}

int copy_next(struct copy *copy)
{
    const char *p;
    int len;

    if (copy->bad)
        return failed(copy);
    for (;;) {
        int n;

        PQfreemem(copy->row);
        copy->row = NULL;
        if (!copy->open)
            return 0;
        len = PQgetCopyData(copy->db->conn, &copy->row, 0);
        if (len < 0)
            return finish(copy) ? 0 : -1;
        p = copy->row;
        if (!copy->began) {
            copy->began = true;
            if (len < HEADER_BYTES || memcmp(p, "PGCOPY\n\377\r\n", 11) != 0)
                return failed(copy);
            p += HEADER_BYTES;
            len -= HEADER_BYTES;
            if (len == 0)
                continue;
        }
        if (len < 2)
            return failed(copy);
        n = (int16_t)load16(p);
        if (n == -1) /* the trailer: the end comes next */
            continue;
        return split(copy, p + 2, p + len, n, false) ? 1 : failed(copy);
    }
}

bool copy_drop(struct copy *copy)
{
    copy->bad = false;
    while (copy->open) {
        PQfreemem(copy->row);
        copy->row = NULL;
        if (PQgetCopyData(copy->db->conn, &copy->row, 0) < 0)
            return finish(copy);
    }
    PQfreemem(copy->row);
    copy->row = NULL;
    return true;
}

static int64_t int_of(struct copy *copy, struct slice s)
{
    switch (s.len) {
    case 8:
        return (int64_t)load64(s.p);
    case 4:
        return (int32_t)load32(s.p);
    case 2:
        return (int16_t)load16(s.p);
    case 1:
        return s.p[0] != 0;
    default:
        copy->bad = true;
        return 0;
    }
}

int64_t copy_int(struct copy *copy, int i)
{
    assert(i < copy->n);
    return copy->fields[i].p == NULL ? 0 : int_of(copy, copy->fields[i]);
}

struct opt_int copy_opt_int(struct copy *copy, int i)
{
    return (struct opt_int){copy->fields[i].p != NULL, copy_int(copy, i)};
}

int64_t copy_time_us(struct copy *copy, int i)
{
    int64_t at = copy_int(copy, i);

    if (at == INT64_MIN || at == INT64_MAX || __builtin_add_overflow(at, EPOCH_US, &at))
        return copy_int(copy, i);
    return at;
}

int64_t copy_date_days(struct copy *copy, int i)
{
    return copy_int(copy, i) + EPOCH_DAYS;
}

int copy_ints(struct copy *copy, int i, int64_t *out, int max)
{
    struct slice s = copy->fields[i];
    const char *p = s.p;
    const char *end;
    uint32_t n;

    assert(i < copy->n);
    if (p == NULL || s.len < 12)
        return -1;
    end = p + s.len;
    if (load32(p) == 0) /* no dimension: empty */
        return 0;
    if (load32(p) != 1 || s.len < 20 || load32(p + 16) != 1) /* one dimension, from 1 on */
        return -1;
    n = load32(p + 12);
    p += 20;
    if (n > (uint32_t)max)
        return -1;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t len;

        if (end - p < 4)
            return -1;
        len = load32(p);
        p += 4;
        if (len > 8 || (size_t)(end - p) < len) /* a NULL is longer than any */
            return -1;
        out[k] = int_of(copy, slice_of(p, len));
        p += len;
    }
    return p == end ? (int)n : -1;
}

bool copy_composite(struct copy *copy, int i, struct copy *out)
{
    struct slice s = copy->fields[i];

    assert(i < copy->n);
    out->db = copy->db;
    out->row = NULL;
    out->open = out->bad = false;
    if (s.p == NULL || s.len < 4)
        return false;
    return split(out, s.p + 4, s.p + s.len, (int)load32(s.p), true);
}
