#include "cli/private_file.h"

#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool private_file_write(const char *path, struct slice bytes)
{
    bool to_stdout = strcmp(path, "-") == 0;
    int fd = to_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;

    while (ok && bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0;
        if (ok)
            bytes = slice_of(bytes.p + n, bytes.len - (size_t)n);
    }
    if (!ok)
        complain("%s: %s", path, strerror(errno));
    if (!to_stdout && fd >= 0 && close(fd) != 0 && ok) {
        complain("%s: %s", path, strerror(errno));
        ok = false;
    }
    return ok;
}
