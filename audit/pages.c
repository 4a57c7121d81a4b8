#include "audit/pages.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 8192

struct frame {
    uint64_t page; /* its number plus 1; 0: nothing is in it */
    bool changed;
};

struct pages {
    int fd;
    err_t error;
    size_t record_bytes, per_page, n_frames;
    struct frame *frames;
    unsigned char *store;
};

static int open_unlinked(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int fd;

    if (folder == NULL || folder[0] == '\0')
        folder = "/var/tmp"; /* on a disk: /tmp may be memory */
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    snprintf(path, sizeof path, "%s/ujrat-audit.XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

err_t pages_open(const char *path, size_t record_bytes, size_t cache_bytes, struct pages **out)
{
    struct pages *p = calloc(1, sizeof *p);

    assert(record_bytes > 0 && record_bytes <= PAGE_BYTES);
    if (p == NULL)
        return err_make(ERR_NO_MEMORY, "pages");
    p->error = err_none();
    p->record_bytes = record_bytes;
    p->per_page = PAGE_BYTES / record_bytes;
    p->n_frames = cache_bytes / PAGE_BYTES < 4 ? 4 : cache_bytes / PAGE_BYTES;
    p->frames = calloc(p->n_frames, sizeof *p->frames);
    p->store = malloc(p->n_frames * PAGE_BYTES);
    p->fd = path == NULL ? open_unlinked() : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->frames == NULL || p->store == NULL || p->fd < 0) {
        err_t err = p->fd < 0 ? err_sys("open a file for what must be remembered")
                              : err_make(ERR_NO_MEMORY, "pages");
        pages_close(&p);
        return err;
    }
    *out = p;
    return err_none();
}

void pages_close(struct pages **pages)
{
    struct pages *p = *pages;

    if (p == NULL)
        return;
    if (p->fd >= 0)
        close(p->fd);
    free(p->frames);
    free(p->store);
    free(p);
    *pages = NULL;
}

err_t pages_error(const struct pages *pages)
{
    return pages->error;
}

static bool write_frame(struct pages *p, size_t i)
{
    const unsigned char *from = p->store + i * PAGE_BYTES;
    uint64_t at = (p->frames[i].page - 1) * PAGE_BYTES;
    size_t done = 0;

    while (done < PAGE_BYTES) {
        ssize_t n = pwrite(p->fd, from + done, PAGE_BYTES - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            p->error = err_sys("write what must be remembered");
            return false;
        }
        done += (size_t)n;
    }
    p->frames[i].changed = false;
    return true;
}

static bool read_frame(struct pages *p, size_t i, uint64_t page)
{
    unsigned char *to = p->store + i * PAGE_BYTES;
    size_t done = 0;

    while (done < PAGE_BYTES) {
        ssize_t n = pread(p->fd, to + done, PAGE_BYTES - done, (off_t)(page * PAGE_BYTES + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            p->error = err_sys("read what was remembered");
            return false;
        }
        if (n == 0) {
            memset(to + done, 0, PAGE_BYTES - done);
            break;
        }
        done += (size_t)n;
    }
    p->frames[i].page = page + 1;
    return true;
}

void *pages_at(struct pages *p, uint64_t index, bool change)
{
    uint64_t page = index / p->per_page;
    size_t i = (size_t)(page % p->n_frames);

    if (p->frames[i].page != page + 1) {
        if (err_failed(p->error))
            return NULL;
        if (p->frames[i].changed && !write_frame(p, i))
            return NULL;
        p->frames[i].page = 0;
        if (!read_frame(p, i, page))
            return NULL;
    }
    p->frames[i].changed |= change;
    return p->store + i * PAGE_BYTES + (size_t)(index % p->per_page) * p->record_bytes;
}

err_t pages_sync(struct pages *p)
{
    for (size_t i = 0; i < p->n_frames; i++)
        if (p->frames[i].changed && !write_frame(p, i))
            return p->error;
    if (fdatasync(p->fd) != 0)
        return err_sys("write what must be remembered to the disk");
    return p->error;
}
