#include "audit/once.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFERED   4096
#define SORTED_MAX (2U << 20) /* entries looked through at once: 48 MiB */

struct entry {
    uint64_t key[2];
    uint64_t value;
};

struct once {
    int fd;
    uint64_t written; /* entries in the file */
    size_t n;         /* in the buffer */
    struct entry buffer[BUFFERED];
};

err_t once_open(const char *path, uint64_t kept, struct once **out)
{
    struct once *o = calloc(1, sizeof *o);
    const char *folder = getenv("TMPDIR");

    if (o == NULL)
        return err_make(ERR_NO_MEMORY, "references");
    if (folder == NULL || folder[0] == '\0')
        folder = "/var/tmp";
    o->fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
                         : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    o->written = kept;
    if (o->fd >= 0 && kept > 0 &&
        lseek(o->fd, 0, SEEK_END) < (off_t)(kept * sizeof(struct entry))) {
        once_close(&o);
        return err_make(ERR_INVALID, "the file of references seen was cut");
    }
    if (o->fd < 0 || ftruncate(o->fd, (off_t)(kept * sizeof(struct entry))) != 0) {
        err_t err = err_sys("open a file for the references seen");
        once_close(&o);
        return err;
    }
    *out = o;
    return err_none();
}

void once_close(struct once **once)
{
    if (*once == NULL)
        return;
    if ((*once)->fd >= 0)
        close((*once)->fd);
    free(*once);
    *once = NULL;
}

static err_t flush(struct once *o)
{
    const char *from = (const char *)o->buffer;
    size_t len = o->n * sizeof(struct entry);
    off_t at = (off_t)(o->written * sizeof(struct entry));
    size_t done = 0;

    while (done < len) {
        ssize_t n = pwrite(o->fd, from + done, len - done, at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys("write the references seen");
        done += (size_t)n;
    }
    o->written += o->n;
    o->n = 0;
    return err_none();
}

err_t once_add(struct once *o, const hash_t *hash, uint64_t value)
{
    struct entry *e;

    if (o->n == BUFFERED) {
        err_t err = flush(o);
        if (err_failed(err))
            return err;
    }
    e = &o->buffer[o->n++];
    memcpy(e->key, hash->b, sizeof e->key);
    e->value = value;
    return err_none();
}

uint64_t once_count(const struct once *o)
{
    return o->written + o->n;
}

err_t once_sync(struct once *o)
{
    err_t err = flush(o);

    if (!err_failed(err) && fdatasync(o->fd) != 0)
        err = err_sys("write the references seen to the disk");
    return err;
}

static int by_key(const void *pa, const void *pb)
{
    const struct entry *a = pa;
    const struct entry *b = pb;

    for (int i = 0; i < 2; i++)
        if (a->key[i] != b->key[i])
            return a->key[i] < b->key[i] ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Those whose key falls into one part of all, from the file into `into`. */
static err_t read_part(struct once *o, uint64_t part, uint64_t parts, struct entry *into,
                       size_t room, size_t *n)
{
    uint64_t width = UINT64_MAX / parts + 1; /* of a part's keys; 0: one part holds all */

    *n = 0;
    for (uint64_t at = 0; at < o->written; at += o->n) {
        uint64_t left = o->written - at;
        size_t want = (left < BUFFERED ? (size_t)left : BUFFERED) * sizeof(struct entry);
        ssize_t got = pread(o->fd, o->buffer, want, (off_t)(at * sizeof(struct entry)));

        if (got < (ssize_t)sizeof(struct entry)) {
            o->n = 0;
            return got < 0 ? err_sys("read the references seen")
                           : err_make(ERR_INVALID, "the file of references seen was cut");
        }
        o->n = (size_t)got / sizeof(struct entry);
        for (size_t i = 0; i < o->n; i++) {
            if (width != 0 && o->buffer[i].key[0] / width != part)
                continue;
            if (*n == room) {
                o->n = 0;
                return err_make(ERR_LIMIT, "references seen: one part of the hashes is too full");
            }
            into[(*n)++] = o->buffer[i];
        }
    }
    o->n = 0;
    return err_none();
}

err_t once_check(struct once *o, bool *found, uint64_t *first, uint64_t *again)
{
    err_t err = flush(o);
    uint64_t parts = o->written * 2 / SORTED_MAX + 1; /* half full on average */
    size_t room = o->written < SORTED_MAX ? (size_t)o->written + 1 : SORTED_MAX;
    struct entry *part;

    *found = false;
    if (err_failed(err))
        return err;
    part = malloc(room * sizeof *part);
    if (part == NULL)
        return err_make(ERR_NO_MEMORY, "references");
    if (o->written < SORTED_MAX)
        parts = 1;
    for (uint64_t k = 0; k < parts; k++) {
        size_t n = 0;

        err = read_part(o, k, parts, part, room, &n);
        if (err_failed(err))
            break;
        qsort(part, n, sizeof *part, by_key);
        for (size_t i = 1; i < n; i++)
            if (memcmp(part[i].key, part[i - 1].key, sizeof part[i].key) == 0 &&
                (!*found || part[i].value < *again)) {
                *found = true;
                *first = part[i - 1].value;
                *again = part[i].value;
            }
    }
    free(part);
    return err;
}
