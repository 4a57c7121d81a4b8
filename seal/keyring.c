#include "seal/keyring.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_pem(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".pem") == 0;
}

static err_t add(struct seal_keyring *ring, struct seal_key *key)
{
    if (ring->n == SEAL_KEYS_MAX)
        return err_make(ERR_LIMIT, "too many keys in the folder");
    if ((ring->n & (ring->n - 1)) == 0) { /* at powers of two it grows */
        struct seal_key **keys =
            realloc(ring->keys, (ring->n == 0 ? 1 : 2 * ring->n) * sizeof(*keys));
        if (keys == NULL)
            return err_make(ERR_NO_MEMORY, "keys");
        ring->keys = keys;
    }
    ring->keys[ring->n++] = key;
    return err_none();
}

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
    err = add(ring, key);
    if (err_failed(err))
        seal_key_free(&key);
    return err;
}

err_t seal_keyring_load(struct seal_keyring *ring, const char *folder, struct log *log)
{
    struct seal_keyring fresh = {0};
    err_t err = err_none();
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return err_sys("open the folder of keys");
    struct dirent *entry;
    while (!err_failed(err) && (entry = readdir(dir)) != NULL)
        if (is_pem(entry->d_name))
            err = read_file(&fresh, folder, entry->d_name, log);
    closedir(dir);
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
        seal_key_free(&ring->keys[i]);
    free(ring->keys);
    *ring = (struct seal_keyring){0};
}

const struct seal_key *seal_keyring_find(const struct seal_keyring *ring, const char *key_id)
{
    for (size_t i = 0; i < ring->n; i++)
        if (strcmp(seal_key_name(ring->keys[i]), key_id) == 0)
            return ring->keys[i];
    return NULL;
}
