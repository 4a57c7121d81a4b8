/* Preloaded into a program: it dies, as by kill -9, in front of its DIE_AT-th step that makes something durable or renames it. */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

static void step(void)
{
    static long n;
    const char *at = getenv("DIE_AT");
    if (at != NULL && ++n == strtol(at, NULL, 10))
        raise(SIGKILL);
}

int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    step();
    return real(fd);
}

int renameat(int from, const char *name, int to, const char *new_name)
{
    int (*real)(int, const char *, int, const char *) =
        (int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");
    step();
    return real(from, name, to, new_name);
}
