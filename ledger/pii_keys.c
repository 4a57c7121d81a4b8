#include "ledger/pii_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/secret_file.h"

/* Room for all keys, and for people's comments. */
enum { FILE_BYTES_MAX = 32 * 1024, PATH_BYTES_MAX = 4096 };

#define COMPLAIN(problem, ...) (void)snprintf((problem)->text, sizeof((problem)->text), __VA_ARGS__)

static err_t bad(void)
{
    return err_make(ERR_PARSE, "file of keys");
}

/* ---------------------------------------------------------------- reading */

static bool hex_key(struct slice hex, uint8_t out[PII_KEY_SIZE])
{
    size_t len = 0;
    return !err_failed(hex_decode(hex, out, PII_KEY_SIZE, &len)) && len == PII_KEY_SIZE;
}

/* In its place by id; false: the id is there already. */
static bool insert(struct pii_keys *keys, const struct pii_key *key)
{
    unsigned at = keys->n;
    while (at > 0 && keys->key[at - 1].id > key->id)
        at--;
    if (at > 0 && keys->key[at - 1].id == key->id)
        return false;
    for (unsigned i = keys->n; i > at; i--)
        keys->key[i] = keys->key[i - 1];
    keys->key[at] = *key;
    keys->n++;
    return true;
}

/* One line; NULL: it is good, else what is wrong with it. */
static const char *take_line(struct slice line, struct pii_keys *keys, bool *has_fingerprint)
{
    struct slice name, hex;
    struct pii_key key = {0};
    const char *wrong = NULL;
    int64_t id = 0;
    line = slice_trim(line);
    if (line.len == 0 || line.p[0] == '#')
        return NULL;
    if (!slice_cut(line, ' ', &name, &hex))
        return "not `fingerprint HEX` or `ID HEX`";
    hex = slice_trim(hex);
    if (slice_equal_str(name, "fingerprint")) {
        if (*has_fingerprint)
            return "a second fingerprint key";
        *has_fingerprint = hex_key(hex, keys->fingerprint);
        return *has_fingerprint ? NULL : "the key is not 64 hexadecimal digits";
    }
    if (err_failed(str_parse_int64(name, &id)) || id < 1 || id > PII_KEY_ID_MAX)
        return "the id is not a number from 1 to 32767";
    key.id = (int16_t)id;
    if (!hex_key(hex, key.bytes))
        wrong = "the key is not 64 hexadecimal digits";
    else if (keys->n == PII_KEYS_MAX)
        wrong = "more than 64 keys";
    else if (!insert(keys, &key))
        wrong = "this id was there before";
    OPENSSL_cleanse(&key, sizeof(key));
    return wrong;
}

err_t pii_keys_parse(struct slice text, struct pii_keys *out, struct pii_problem *problem)
{
    bool has_fingerprint = false;
    struct slice line;
    unsigned number = 0;
    *out = (struct pii_keys){0};
    while (slice_next_line(&text, &line)) {
        const char *wrong = take_line(line, out, &has_fingerprint);
        number++;
        if (wrong != NULL) {
            COMPLAIN(problem, "line %u: %s", number, wrong);
            pii_keys_wipe(out);
            return bad();
        }
    }
    if (has_fingerprint && out->n > 0)
        return err_none();
    COMPLAIN(problem, "it has no %s", has_fingerprint ? "key" : "fingerprint key");
    pii_keys_wipe(out);
    return bad();
}

err_t pii_keys_read(const char *path, struct pii_keys *out, struct stat *seen,
                    struct pii_problem *problem)
{
    char text[FILE_BYTES_MAX];
    struct pii_problem inner;
    size_t len;
    err_t err = secret_file_read(path, text, sizeof(text), &len, seen);
    if (err_failed(err)) {
        COMPLAIN(problem, "%s: %s", path, secret_file_fault(err));
        return bad();
    }
    err = pii_keys_parse(slice_of(text, len), out, &inner);
    if (err_failed(err))
        COMPLAIN(problem, "%s: %.200s", path, inner.text);
    OPENSSL_cleanse(text, sizeof(text));
    return err;
}

const struct pii_key *pii_keys_find(const struct pii_keys *keys, int16_t id)
{
    for (unsigned i = keys->n; i > 0; i--)
        if (keys->key[i - 1].id == id)
            return &keys->key[i - 1];
    return NULL;
}

const struct pii_key *pii_keys_newest(const struct pii_keys *keys)
{
    return &keys->key[keys->n - 1];
}

void pii_keys_wipe(struct pii_keys *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}

/* ---------------------------------------------------------------- writing */

/* "NAME HEX\n" with a random key behind *len. */
static bool add_line(char text[FILE_BYTES_MAX], size_t *len, const char *name)
{
    uint8_t key[PII_KEY_SIZE];
    char hex[HEX_SIZE(PII_KEY_SIZE)];
    bool made = RAND_priv_bytes(key, sizeof(key)) == 1;
    if (made) {
        hex_encode(key, sizeof(key), hex);
        int n = snprintf(text + *len, FILE_BYTES_MAX - *len, "%s %s\n", name, hex);
        made = n > 0 && (size_t)n < FILE_BYTES_MAX - *len;
        *len += made ? (size_t)n : 0;
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(hex, sizeof(hex));
    return made;
}

static bool sync_folder(const char *path)
{
    char folder[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (err_failed(slice_copy(slice_of(slash == NULL ? "." : path, len), folder, sizeof(folder))))
        return false;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

/* A key that is lost is lost with all it has encrypted: on the disk before it has a name. */
static bool write_file(const char *path, struct slice text, bool replace,
                       struct pii_problem *problem)
{
    char fresh[PATH_BYTES_MAX];
    int len = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof(fresh)) {
        COMPLAIN(problem, "the name of the file is too long");
        return false;
    }
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        COMPLAIN(problem, "%.300s: %s", fresh, strerror(errno));
        return false;
    }
    bool done = write(fd, text.p, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    /* link: a file that another has made meanwhile is not written over */
    done = close(fd) == 0 && done && (replace ? rename(fresh, path) : link(fresh, path)) == 0 &&
           sync_folder(path);
    if (!done)
        COMPLAIN(problem, "%s: %s", path, strerror(errno));
    if (!done || !replace)
        (void)unlink(fresh);
    return done;
}

static err_t add_key(const char *path, char text[FILE_BYTES_MAX], struct pii_keys *keys,
                     int16_t *id, struct pii_problem *problem)
{
    static const char head[] =
        "# Ujrat's keys of personal data (docs/personal-data.md). Who loses them loses the data.\n";
    struct stat st;
    char name[STR_INT64_SIZE];
    bool is_new = access(path, F_OK) != 0 && errno == ENOENT;
    size_t len = sizeof(head) - 1;
    if (is_new) {
        memcpy(text, head, len);
        if (!add_line(text, &len, "fingerprint"))
            return err_make(ERR_UNSUPPORTED, "random numbers");
        *id = 1;
    } else {
        err_t err = pii_keys_read(path, keys, &st, problem);
        if (err_failed(err))
            return err;
        err = secret_file_read(path, text, FILE_BYTES_MAX, &len, &st);
        if (err_failed(err)) {
            COMPLAIN(problem, "%s: %s", path, secret_file_fault(err));
            return bad();
        }
        if (len > 0 && text[len - 1] != '\n')
            text[len++] = '\n';
        if (keys->n == PII_KEYS_MAX || pii_keys_newest(keys)->id == PII_KEY_ID_MAX) {
            COMPLAIN(problem, "%s: there is no room for another key", path);
            return err_make(ERR_LIMIT, "keys");
        }
        *id = (int16_t)(pii_keys_newest(keys)->id + 1);
    }
    str_format_int64(*id, name);
    if (!add_line(text, &len, name)) {
        COMPLAIN(problem, "%s: it would become too long", path);
        return err_make(ERR_LIMIT, "file of keys");
    }
    return write_file(path, slice_of(text, len), !is_new, problem) ? err_none() : bad();
}

err_t pii_keys_add(const char *path, int16_t *id, struct pii_problem *problem)
{
    char text[FILE_BYTES_MAX];
    struct pii_keys keys = {0};
    COMPLAIN(problem, "no random numbers can be had");
    err_t err = add_key(path, text, &keys, id, problem);
    OPENSSL_cleanse(text, sizeof(text));
    pii_keys_wipe(&keys);
    return err;
}
