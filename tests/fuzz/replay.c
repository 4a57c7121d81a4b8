/*
 * replay.c: runs a fuzz target over files, without libFuzzer: a regression test of everything found so far.
 *
 *   fuzz_x FILE-OR-FOLDER...      prints how many inputs were run; fails if there were none
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX (16U << 20)

/* Read into memory of exactly the input's size, so that the sanitizer sees one byte too far. */
static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || size > INPUT_BYTES_MAX) {
        fprintf(stderr, "%s: %s\n", path, file == NULL ? strerror(errno) : "too large");
        if (file != NULL)
            fclose(file);
        return -1;
    }
    uint8_t *data = malloc(size == 0 ? 1 : size);
    int rc = -1;
    if (data != NULL && fread(data, 1, size, file) == size) {
        (void)LLVMFuzzerTestOneInput(data, size);
        rc = 1;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    fclose(file);
    return rc;
}

static int replay_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path, (size_t)st.st_size);
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    int done = 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        int len = snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && done >= 0) {
            int rc = len < (int)sizeof inner ? replay_path(inner) : -1;
            done = rc < 0 ? -1 : done + rc;
        }
        free(names[i]);
    }
    free(names);
    return n < 0 ? -1 : done;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay_path(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%s: %d inputs replayed\n", argv[0], total);
    return total > 0 ? 0 : 1;
}
