/*
 * buf.h: a growing byte buffer with a cap, appended to at its end.
 *
 * Pointers into it are valid until the next call that is not const.
 */
#ifndef UJRAT_BASE_BUF_H
#define UJRAT_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    unsigned char *store;
    size_t len;       /* bytes in it */
    size_t size;      /* bytes allocated */
    size_t bytes_max; /* cap on len */
};

/* Takes no memory before the first byte. */
void buf_init(struct buf *buf, size_t bytes_max);
void buf_deinit(struct buf *buf);

static inline size_t buf_len(const struct buf *buf)
{
    return buf->len;
}

/* NULL while nothing was ever put in. */
static inline const unsigned char *buf_data(const struct buf *buf)
{
    return buf->store;
}

static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf_data(buf), buf->len);
}

/* ERR_LIMIT over the cap (then nothing was added), ERR_NO_MEMORY. */
MUST_CHECK err_t buf_append(struct buf *buf, const void *p, size_t len);
MUST_CHECK err_t buf_append_char(struct buf *buf, char c);
MUST_CHECK err_t buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes at *room, to be filled by the caller (a read) and then counted by buf_commit(). */
MUST_CHECK err_t buf_reserve(struct buf *buf, size_t len, unsigned char **room);
void buf_commit(struct buf *buf, size_t len);

/* Empties, keeps the memory; buf_release() gives the memory back too (an idle connection). */
void buf_reset(struct buf *buf);
void buf_release(struct buf *buf);

#endif
