#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 256

void buf_init(struct buf *buf, size_t bytes_max)
{
    assert(bytes_max <= SIZE_MAX / 4);
    *buf = (struct buf){.bytes_max = bytes_max};
}

void buf_release(struct buf *buf)
{
    free(buf->store);
    *buf = (struct buf){.bytes_max = buf->bytes_max};
}

void buf_deinit(struct buf *buf)
{
    buf_release(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
}

err_t buf_reserve(struct buf *buf, size_t len, unsigned char **room)
{
    if (len > buf->bytes_max - buf->len)
        return err_make(ERR_LIMIT, "buffer full");
    size_t need = buf->len + len;
    if (need > buf->size) {
        size_t size = buf->size == 0 ? SIZE_FIRST : buf->size;
        while (size < need)
            size *= 2;
        unsigned char *store = malloc(size);
        if (store == NULL)
            return err_make(ERR_NO_MEMORY, "buffer");
        if (buf->len > 0)
            memcpy(store, buf->store, buf->len);
        free(buf->store);
        buf->store = store;
        buf->size = size;
    }
    *room = buf->store == NULL ? NULL : buf->store + buf->len;
    return err_none();
}

void buf_commit(struct buf *buf, size_t len)
{
    assert(len <= buf->size - buf->len);
    buf->len += len;
}

err_t buf_append(struct buf *buf, const void *p, size_t len)
{
    unsigned char *room = NULL;
    err_t err = buf_reserve(buf, len, &room);
    if (err_failed(err))
        return err;
    if (len > 0)
        memcpy(room, p, len);
    buf_commit(buf, len);
    return err_none();
}

err_t buf_append_char(struct buf *buf, char c)
{
    return buf_append(buf, &c, 1);
}

err_t buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    err_t err = n < 0 ? err_make(ERR_INVALID, "format") : err_none();
    unsigned char *room = NULL;
    if (!err_failed(err) && (size_t)n > buf->bytes_max - buf->len)
        err = err_make(ERR_LIMIT, "buffer full");
    if (!err_failed(err)) {
        /* One byte more for vsnprintf's NUL, which is not counted: the cap is on the text alone. */
        size_t bytes_max = buf->bytes_max;
        buf->bytes_max = bytes_max + 1;
        err = buf_reserve(buf, (size_t)n + 1, &room);
        buf->bytes_max = bytes_max;
    }
    if (!err_failed(err)) {
        va_start(args, format);
        (void)vsnprintf((char *)room, (size_t)n + 1, format, args);
        va_end(args);
        buf_commit(buf, (size_t)n);
    }
    return err;
}
