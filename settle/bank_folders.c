#include "settle/bank_folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char PART[] = ".part-";

static const char *const folder_name[FOLDER_COUNT] = {"out", "in", "archive", "quarantine"};

/* ---------------------------------------------------------------- the folders */

/* A new one lasts before anything is put into it: what archive/ says may not go with the folder. */
static int open_folder(int at, const char *name)
{
    int made = mkdirat(at, name, 0750);
    if ((made != 0 && errno != EEXIST) || (made == 0 && fsync(at) != 0))
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

err_t bank_folders_open(const char *root, const char *bank, struct bank_folders *out)
{
    *out = (struct bank_folders){.fd = {-1, -1, -1, -1}};
    int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bank_fd = root_fd < 0 ? -1 : open_folder(root_fd, bank);
    bool good = bank_fd >= 0;
    for (int i = 0; good && i < FOLDER_COUNT; i++) {
        out->fd[i] = open_folder(bank_fd, folder_name[i]);
        good = out->fd[i] >= 0;
    }
    err_t err = good ? err_none() : err_sys("open the bank's folders");
    if (bank_fd >= 0)
        close(bank_fd);
    if (root_fd >= 0)
        close(root_fd);
    if (!good)
        bank_folders_close(out);
    return err;
}

void bank_folders_close(struct bank_folders *f)
{
    for (int i = 0; i < FOLDER_COUNT; i++) {
        if (f->fd[i] >= 0)
            close(f->fd[i]);
        f->fd[i] = -1;
    }
}

bool bank_folders_has(const struct bank_folders *f, enum bank_folder folder, const char *name)
{
    struct stat st;
    return fstatat(f->fd[folder], name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

err_t bank_folders_sync(const struct bank_folders *f, enum bank_folder folder)
{
    return fsync(f->fd[folder]) == 0 ? err_none() : err_sys("make a folder durable");
}

/* ---------------------------------------------------------------- what is in them */

static bool keep_name(struct folder_names *names, const char *name)
{
    if (names->n == names->size) {
        size_t size = names->size == 0 ? 64 : 2 * names->size;
        char **more = realloc(names->name, size * sizeof *more);
        if (more == NULL)
            return false;
        names->name = more;
        names->size = size;
    }
    names->name[names->n] = strdup(name);
    return names->name[names->n] != NULL && ++names->n > 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);
    return n >= e && strcmp(name + n - e, ending) == 0;
}

/* A handle of its own: the one that is kept has one place, which all who list would share. */
static DIR *open_listing(const struct bank_folders *f, enum bank_folder folder)
{
    int fd = openat(f->fd[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0)
        close(fd);
    return dir;
}

err_t bank_folders_list(const struct bank_folders *f, enum bank_folder folder, const char *ending,
                        struct folder_names *out)
{
    *out = (struct folder_names){0};
    err_t err = err_none();
    DIR *dir = open_listing(f, folder);
    if (dir == NULL)
        return err_sys("list a folder");
    /* cppcheck-suppress readdirCalled ; one thread, and the folder is read by it alone */
    for (struct dirent *e = readdir(dir); e != NULL && !err_failed(err); e = readdir(dir)) {
        if (e->d_name[0] == '.' || !ends_with(e->d_name, ending))
            continue;
        if (out->n == FOLDER_NAMES_MAX)
            err = err_make(ERR_LIMIT, "more files in a folder than are looked at");
        else if (!keep_name(out, e->d_name))
            err = err_make(ERR_NO_MEMORY, "list a folder");
    }
    closedir(dir);
    if (out->n > 1)
        qsort(out->name, out->n, sizeof *out->name, by_bytes);
    return err;
}

void folder_names_free(struct folder_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct folder_names){0};
}

err_t bank_folders_clean(struct bank_folders *f)
{
    for (int i = 0; i < FOLDER_COUNT; i++) {
        DIR *dir = open_listing(f, (enum bank_folder)i);
        if (dir == NULL)
            return err_sys("list a folder");
        /* cppcheck-suppress readdirCalled ; as above */
        for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
            if (strncmp(e->d_name, PART, sizeof PART - 1) == 0)
                (void)unlinkat(f->fd[i], e->d_name, 0);
        closedir(dir);
    }
    return err_none();
}

/* ---------------------------------------------------------------- writing */

err_t bank_folders_part(struct bank_folders *f, enum bank_folder folder, struct folder_part *out)
{
    *out = (struct folder_part){.fd = -1, .folder = folder};
    (void)snprintf(out->name, sizeof out->name, "%s%ld-%llu", PART, (long)getpid(),
                   (unsigned long long)++f->parts);
    out->fd =
        openat(f->fd[folder], out->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    return out->fd < 0 ? err_sys("make a file") : err_none();
}

err_t folder_part_write(const struct folder_part *part, const void *p, size_t len)
{
    const char *at = p;
    while (len > 0) {
        ssize_t n = write(part->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys("write a file");
        at += n;
        len -= (size_t)n;
    }
    return err_none();
}

static void part_is_gone(struct folder_part *part)
{
    close(part->fd);
    part->fd = -1;
}

err_t folder_part_publish(const struct bank_folders *f, struct folder_part *part, const char *name)
{
    int fd = f->fd[part->folder];
    if (fsync(part->fd) != 0 || renameat(fd, part->name, fd, name) != 0)
        return err_sys("publish a file");
    part_is_gone(part);
    return bank_folders_sync(f, part->folder);
}

err_t folder_part_add(const struct bank_folders *f, struct folder_part *part, const char *name)
{
    int fd = f->fd[part->folder];
    if (fsync(part->fd) != 0 || renameat2(fd, part->name, fd, name, RENAME_NOREPLACE) != 0)
        return err_sys("publish a file");
    part_is_gone(part);
    return bank_folders_sync(f, part->folder);
}

void folder_part_drop(const struct bank_folders *f, struct folder_part *part)
{
    if (part->fd < 0)
        return;
    (void)unlinkat(f->fd[part->folder], part->name, 0);
    part_is_gone(part);
}

err_t bank_folders_write(struct bank_folders *f, enum bank_folder folder, const char *name,
                         struct slice bytes)
{
    struct folder_part part;
    err_t err = bank_folders_part(f, folder, &part);
    if (!err_failed(err))
        err = folder_part_write(&part, bytes.p, bytes.len);
    if (!err_failed(err))
        err = folder_part_publish(f, &part, name);
    folder_part_drop(f, &part);
    return err;
}

/* ---------------------------------------------------------------- reading and moving */

err_t bank_folders_read(const struct bank_folders *f, enum bank_folder folder, const char *name,
                        char *out, size_t out_size, size_t *len)
{
    struct stat st;
    err_t err = err_none();
    *len = 0;
    int fd = openat(f->fd[folder], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? err_make(ERR_INVALID, "it is a symbolic link") : err_sys("open");
    if (fstat(fd, &st) != 0)
        err = err_sys("look at");
    else if (!S_ISREG(st.st_mode))
        err = err_make(ERR_INVALID, "it is no plain file");
    while (!err_failed(err)) {
        ssize_t n = read(fd, out + *len, out_size - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = err_sys("read");
        if (n <= 0)
            break;
        *len += (size_t)n;
        if (*len == out_size)
            err = err_make(ERR_LIMIT, "it is too long");
    }
    close(fd);
    return err;
}

err_t bank_folders_move(const struct bank_folders *f, enum bank_folder from, const char *name,
                        enum bank_folder to, const char *new_name)
{
    if (renameat2(f->fd[from], name, f->fd[to], new_name, RENAME_NOREPLACE) == 0 || errno == ENOENT)
        return err_none();
    return err_sys("move a file");
}

err_t bank_folders_rename(const struct bank_folders *f, enum bank_folder folder, const char *name,
                          const char *new_name)
{
    if (renameat(f->fd[folder], name, f->fd[folder], new_name) != 0)
        return err_sys("rename a file");
    return bank_folders_sync(f, folder);
}

err_t bank_folders_remove(const struct bank_folders *f, enum bank_folder folder, const char *name)
{
    if (unlinkat(f->fd[folder], name, 0) == 0 || errno == ENOENT)
        return err_none();
    return err_sys("remove a file");
}
