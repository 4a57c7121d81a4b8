#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static err_t read_all(int fd, char *out, size_t out_size, size_t *len)
{
    ssize_t n;

    do {
        n = read(fd, out + *len, out_size - *len);
        if (n > 0)
            *len += (size_t)n;
    } while ((n > 0 && *len < out_size) || (n < 0 && errno == EINTR));
    if (n < 0)
        return err_sys("read");
    return *len == out_size ? err_make(ERR_LIMIT, "it is too long") : err_none();
}

err_t secret_file_read(const char *path, char *out, size_t out_size, size_t *len, struct stat *seen)
{
    struct stat own;
    struct stat *st = seen != NULL ? seen : &own;
    err_t err;
    /* Not to wait for whoever writes to a pipe: what is no plain file is refused below. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *len = 0;
    if (fd < 0 || fstat(fd, st) != 0)
        err = err_sys("open");
    else if (!S_ISREG(st->st_mode) || (st->st_mode & 077) != 0)
        err = err_make(ERR_INVALID, "others may read it; make it a file of mode 0600");
    else
        err = read_all(fd, out, out_size, len);
    if (fd >= 0)
        close(fd);
    if (err_failed(err)) {
        explicit_bzero(out, out_size);
        *len = 0;
        return err;
    }
    out[*len] = '\0';
    return err_none();
}

const char *secret_file_fault(err_t err)
{
    return err.code == ERR_SYS ? strerror(err.sys_errno) : err.what;
}
