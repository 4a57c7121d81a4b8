#include "cli/whole_file.h"

#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *whole_file_read(const char *path, size_t bytes_max, size_t *len)
{
    struct stat st;
    char *text = NULL;
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = false;

    if (fd < 0 || fstat(fd, &st) != 0) {
        complain("%s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode) || st.st_size > (off_t)bytes_max) {
        complain("%s: it is no file of at most %zu KiB", path, bytes_max >> 10);
    } else {
        text = malloc((size_t)st.st_size + 1);
        good = text != NULL;
        while (good && n < (size_t)st.st_size) {
            ssize_t got = read(fd, text + n, (size_t)st.st_size - n);
            good = got > 0;
            n += good ? (size_t)got : 0;
        }
        if (!good)
            complain("%s: it cannot be read", path);
    }
    if (fd >= 0)
        close(fd);
    *len = n;
    if (good)
        return text;
    free(text);
    return NULL;
}

bool whole_file_sha256(const void *p, size_t len, unsigned char out[WHOLE_FILE_SHA256_SIZE])
{
    unsigned n = 0;

    if (EVP_Digest(p, len, out, &n, EVP_sha256(), NULL) == 1 && n == WHOLE_FILE_SHA256_SIZE)
        return true;
    complain("SHA-256 failed");
    return false;
}
