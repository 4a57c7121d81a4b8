#include "seal/keyring.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_pem(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

/* The ring has room for it. */
static err_t read_file(struct seal_keyring *ring, const char *folder, const char *name,
                       struct log *log)
{
    char path[PATH_MAX];
    struct seal_key *key = NULL;
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    err_t err = n < 0 || (size_t)n >= sizeof path ? err_make(ERR_LIMIT, "a path that long")
                                                  : seal_key_read(path, &key);
    if (err_failed(err)) {
        log_warn(log, "seal.key_unusable", log_str("path", path), log_err(err));
        return err_none();
    }
    ring->entries[ring->n++].key = key;
    return err_none();
}

err_t seal_keyring_load(struct seal_keyring *ring, const char *folder, struct log *log)
{
    struct seal_keyring fresh = {0};
    struct dirent **found = NULL;
    int n = scandir(folder, &found, is_pem, alphasort);
    if (n < 0)
        return err_sys("open the folder of keys");
    err_t err = err_none();
    if (n > SEAL_KEYS_MAX)
        err = err_make(ERR_LIMIT, "too many keys in the folder");
    else if (n > 0 && (fresh.entries = calloc((size_t)n, sizeof *fresh.entries)) == NULL)
        err = err_make(ERR_NO_MEMORY, "keys");
    for (int i = 0; i < n; i++) {
        if (!err_failed(err))
            err = read_file(&fresh, folder, found[i]->d_name, log);
        free(found[i]);
    }
    free(found);
    if (err_failed(err)) {
        seal_keyring_deinit(&fresh);
        return err;
    }
    seal_keyring_deinit(ring);
    *ring = fresh;
    return err_none();
}

void seal_keyring_deinit(struct seal_keyring *ring)
{
    for (size_t i = 0; i < ring->n; i++)
        seal_key_free(&ring->entries[i].key);
    free(ring->entries);
    *ring = (struct seal_keyring){0};
}

const struct seal_key *seal_keyring_find(const struct seal_keyring *ring, const char *key_id)
{
    for (size_t i = 0; i < ring->n; i++)
        if (strcmp(seal_key_name(ring->entries[i].key), key_id) == 0)
            return ring->entries[i].key;
    return NULL;
}
