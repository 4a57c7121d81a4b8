#include "seal/db.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/statements.h"

/*
 * Ranges of rows by their keys are what is read, always: with a generic plan by the index, no sealing depends on
 * statistics. A seal that is lost in a crash is made again as it was, so its commit need not wait for the disk.
 */
static const char OPTIONS[] =
    "-c synchronous_commit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off "
    "-c enable_bitmapscan=off -c max_parallel_workers_per_gather=0";

static enum seal_result result_of(enum pgblock_end end)
{
    switch (end) {
    case PGBLOCK_DONE:
        return SEAL_OK;
    case PGBLOCK_REFUSED:
        return SEAL_REFUSED;
    case PGBLOCK_LOST:
    case PGBLOCK_STOPPED: /* there is no stop_fd */
        break;
    }
    return SEAL_LOST;
}

static enum seal_result lost(struct seal_db *db, const char *why)
{
    return result_of(pgblock_say(&db->pg, PGBLOCK_LOST, why));
}

enum seal_result seal_db_broken(struct seal_db *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(db->pg.problem, sizeof db->pg.problem, format, args);
    va_end(args);
    return SEAL_BROKEN;
}

enum seal_result seal_db_open(struct seal_db *db, const char *uri, int64_t timeout_ms)
{
    return result_of(pgblock_open(&db->pg, &(struct pgblock_config){
                                               .uri = uri,
                                               .program = "ujrat-sealer",
                                               .options = OPTIONS,
                                               .type = LEDGER_TYPE_BLOCK_SEAL_DRAFT,
                                               .type_name = "block_seal_draft",
                                               .timeout_ms = timeout_ms,
                                               .stop_fd = -1,
                                               .meanwhile = db->meanwhile,
                                           }));
}

void seal_db_close(struct seal_db *db)
{
    pgblock_close(&db->pg);
}

enum seal_result seal_db_ask(struct seal_db *db, const char *name, struct params *params,
                             struct rows **rows)
{
    return result_of(pgblock_ask(&db->pg, name, params, rows));
}

/* ---------------------------------------------------------------- COPY */

enum { STATEMENT_BYTES_MAX = 2048, COPY_HEADER_BYTES = 19, COPY_BYTES_MAX = 1 << 30 };

void seal_copy_deinit(struct seal_copy *c)
{
    free(c->bytes);
    free(c->row);
    *c = (struct seal_copy){0};
}

/* The statement with the values in the place of $1, $2 and $3. False: it does not fit. */
static bool complete(const char *text, int32_t book_id, int64_t first, int64_t last, char *out)
{
    const int64_t values[] = {book_id, first, last};
    int n = snprintf(out, STATEMENT_BYTES_MAX, "COPY (");
    for (const char *at = text; *at != '\0' && n < STATEMENT_BYTES_MAX; at++) {
        if (at[0] == '$' && at[1] >= '1' && at[1] <= '3')
            n += snprintf(out + n, (size_t)(STATEMENT_BYTES_MAX - n), "%lld",
                          (long long)values[*++at - '1']);
        else
            out[n++] = *at;
    }
    if (n < STATEMENT_BYTES_MAX)
        n += snprintf(out + n, (size_t)(STATEMENT_BYTES_MAX - n), ") TO STDOUT (FORMAT binary)");
    return n < STATEMENT_BYTES_MAX;
}

static bool keep(void *user, const char *bytes, size_t len)
{
    struct seal_copy *c = user;
    if (c->size - c->len < len) {
        size_t size = c->size == 0 ? 1 << 16 : c->size;
        while (size - c->len < len)
            size *= 2;
        unsigned char *more = size > COPY_BYTES_MAX ? NULL : realloc(c->bytes, size);
        if (more == NULL)
            return false;
        c->bytes = more;
        c->size = size;
    }
    memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
    return true;
}

static inline uint32_t load32(const unsigned char *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return be32toh(be);
}

static bool note_row(struct seal_copy *c, size_t at)
{
    if ((size_t)c->n == c->row_size) {
        size_t size = c->row_size == 0 ? 1024 : 2 * c->row_size;
        size_t *row = realloc(c->row, size * sizeof *row);
        if (row == NULL)
            return false;
        c->row = row;
        c->row_size = size;
    }
    c->row[c->n++] = at;
    return true;
}

/* Finds the rows: a signature, flags and an extension's length; then for each row how many cells it has, and each cell
 * behind its length; -1 in the place of the number ends them (COPY, "Binary Format"). */
static bool index_rows(struct seal_copy *c)
{
    static const char signature[11] = "PGCOPY\n\377\r\n";
    size_t at = COPY_HEADER_BYTES;
    if (c->len < COPY_HEADER_BYTES || memcmp(c->bytes, signature, sizeof signature) != 0)
        return false;
    at += load32(c->bytes + 15);
    for (;;) {
        if (at > c->len || c->len - at < 2)
            return false;
        int columns = (int16_t)(c->bytes[at] << 8 | c->bytes[at + 1]);
        at += 2;
        if (columns == -1)
            return at == c->len;
        if ((c->n > 0 && columns != c->columns) || !note_row(c, at))
            return false;
        c->columns = columns;
        for (int i = 0; i < columns; i++) {
            if (c->len - at < 4)
                return false;
            int32_t len = (int32_t)load32(c->bytes + at);
            at += 4;
            if (len < -1 || (len > 0 && c->len - at < (size_t)len))
                return false;
            at += len < 0 ? 0 : (size_t)len;
        }
    }
}

enum seal_result seal_db_copy(struct seal_db *db, const char *name, int32_t book_id, int64_t first,
                              int64_t last, struct seal_copy *out)
{
    char sql[STATEMENT_BYTES_MAX];
    int statement = statements_find(name);
    assert(statement >= 0);
    bool fits = complete(statements_text(statement), book_id, first, last, sql);
    assert(fits);
    out->len = 0;
    out->n = 0;
    enum seal_result result = result_of(pgblock_copy(&db->pg, sql, keep, out));
    if (result == SEAL_OK && !index_rows(out))
        return lost(db, "a COPY that is not as it should be, or no memory for it");
    return result;
}

void seal_copy_row(const struct seal_copy *c, int row, struct seal_cell *cells)
{
    assert(row >= 0 && row < c->n);
    const unsigned char *at = c->bytes + c->row[row];
    for (int i = 0; i < c->columns; i++) {
        int32_t len = (int32_t)load32(at);
        at += 4;
        cells[i] = (struct seal_cell){at, len};
        at += len < 0 ? 0 : len;
    }
}
