#include "settle/file_in.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { COPY_BYTES = 65536, STEMS_TRIED_MAX = 9999 };

static const char *const ending[] = {".xml", ".sig", MANIFEST_ENDING}; /* the last one goes last */
enum { ENDINGS = sizeof ending / sizeof *ending };
static const char STRANGER[] = ".stranger";

static const char *with(const char *stem, const char *end, char out[MANIFEST_NAME_SIZE])
{
    int n = snprintf(out, MANIFEST_NAME_SIZE, "%s%s", stem, end);
    assert(n > 0 && n < MANIFEST_NAME_SIZE);
    return out;
}

static enum file_in_state say(struct file_in_problem *problem, enum file_in_state state,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));
static enum file_in_state say(struct file_in_problem *problem, enum file_in_state state,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    return state;
}

/* When it was last written to; 0: it is not there. */
static int64_t written_us(const struct bank_folders *f, const char *name)
{
    struct stat st;
    if (fstatat(f->fd[FOLDER_IN], name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * US_PER_SEC + st.st_mtim.tv_nsec / 1000;
}

bool file_in_is_young(const struct bank_folders *f, const struct file_in_rules *rules,
                      const char *name)
{
    return rules->now_us - written_us(f, name) < rules->wait_us;
}

/* ---------------------------------------------------------------- which there are */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Leaves of the names those that file_in_stems() is to tell, as stems. */
static void keep_stems(const struct bank_folders *f, const struct file_in_rules *rules,
                       const char *end, struct folder_names *names)
{
    bool waits = strcmp(end, MANIFEST_ENDING) != 0;
    char other[MANIFEST_NAME_SIZE], stem[MANIFEST_NAME_SIZE];
    size_t kept = 0;
    for (size_t i = 0; i < names->n; i++) {
        char *name = names->name[i];
        struct slice s = manifest_stem_of(slice_str(name), end);
        bool keep = s.len > 0 && !err_failed(slice_copy(s, stem, sizeof stem));
        if (keep && waits)
            keep = !bank_folders_has(f, FOLDER_IN, with(stem, MANIFEST_ENDING, other)) &&
                   !file_in_is_young(f, rules, name);
        if (keep) {
            name[s.len] = '\0';
            names->name[kept++] = name;
        } else {
            free(name);
        }
    }
    names->n = kept;
}

err_t file_in_stems(const struct bank_folders *f, const struct file_in_rules *rules,
                    struct folder_names *out)
{
    struct folder_names late = {0};
    err_t err = bank_folders_list(f, FOLDER_IN, MANIFEST_ENDING, out);
    keep_stems(f, rules, MANIFEST_ENDING, out);
    if (!err_failed(err))
        err = bank_folders_list(f, FOLDER_IN, ".xml", &late);
    keep_stems(f, rules, ".xml", &late);
    char **more = late.n == 0 || err_failed(err)
                      ? NULL
                      : realloc(out->name, (out->n + late.n) * sizeof *more);
    if (more != NULL) {
        memcpy(more + out->n, late.name, late.n * sizeof *more);
        out->name = more;
        out->n += late.n;
        out->size = out->n;
        late.n = 0; /* they are out's now */
    }
    folder_names_free(&late);
    if (out->n > 1)
        qsort(out->name, out->n, sizeof *out->name, by_name);
    return err;
}

static bool is_stranger(const struct bank_folders *f, const char *name)
{
    char stem[MANIFEST_NAME_SIZE], other[MANIFEST_NAME_SIZE];
    for (int e = 0; e < ENDINGS; e++) {
        struct slice s = manifest_stem_of(slice_str(name), ending[e]);
        if (s.len > 0 && !err_failed(slice_copy(s, stem, sizeof stem)))
            return strcmp(ending[e], ".sig") == 0 &&
                   !bank_folders_has(f, FOLDER_IN, with(stem, ".xml", other)) &&
                   !bank_folders_has(f, FOLDER_IN, with(stem, MANIFEST_ENDING, other));
    }
    return true;
}

err_t file_in_strangers(const struct bank_folders *f, const struct file_in_rules *rules,
                        struct folder_names *out)
{
    size_t kept = 0;
    err_t err = bank_folders_list(f, FOLDER_IN, "", out);
    for (size_t i = 0; i < out->n; i++) {
        char *name = out->name[i];
        if (is_stranger(f, name) && !file_in_is_young(f, rules, name))
            out->name[kept++] = name;
        else
            free(name);
    }
    out->n = kept;
    return err;
}

/* ---------------------------------------------------------------- the envelope */

static enum file_in_state check_names(const struct file_in_rules *rules, const struct file_in *file,
                                      struct file_in_problem *problem)
{
    const struct manifest *m = &file->manifest;
    char name[MANIFEST_NAME_SIZE];
    if (strcmp(m->bank, rules->bank) != 0)
        return say(problem, FILE_IN_WRONG,
                   "manifest, member \"bank\": it says %s, and this is the folder of %s", m->bank,
                   rules->bank);
    if (m->to_bank)
        return say(problem, FILE_IN_WRONG,
                   "manifest, member \"direction\": files in this folder are \"from_bank\"");
    if (strcmp(m->file, with(file->stem, ".xml", name)) != 0)
        return say(problem, FILE_IN_WRONG,
                   "manifest, member \"file\": it says %.80s, and its own name wants %.80s",
                   m->file, name);
    if (m->bytes > rules->bytes_max)
        return say(problem, FILE_IN_WRONG,
                   "manifest, member \"bytes\": %lld, and at most %lld are taken",
                   (long long)m->bytes, (long long)rules->bytes_max);
    return FILE_IN_READY;
}

static enum file_in_state check_signature(const struct bank_folders *f,
                                          const struct file_in_rules *rules, struct file_in *file,
                                          struct slice text, struct file_in_problem *problem)
{
    char name[MANIFEST_NAME_SIZE], signature[4 * SIGN_SIZE], why[ERR_TEXT_SIZE];
    size_t len;
    bool has_key = false;
    err_t err = bank_folders_read(f, FOLDER_IN, with(file->stem, ".sig", name), signature,
                                  sizeof signature, &len);
    if (err.code == ERR_SYS && err.sys_errno == ENOENT)
        return rules->unsigned_allowed
                   ? FILE_IN_READY
                   : say(problem, FILE_IN_WRONG, "there is no signature: %s is missing", name);
    if (err_failed(err))
        return say(problem, FILE_IN_WRONG, "%s: %s", name, err_text(err, why, sizeof why));
    for (int i = 0; i < FILE_IN_KEYS_MAX; i++) {
        has_key = has_key || rules->key[i] != NULL;
        if (rules->key[i] != NULL && sign_key_verify(rules->key[i], text, slice_of(signature, len)))
            file->is_signed = true;
    }
    if (file->is_signed || (!has_key && rules->unsigned_allowed))
        return FILE_IN_READY;
    if (!has_key)
        return say(problem, FILE_IN_WAIT, "we have no public key of %s: put it into bank_keys",
                   rules->bank);
    if (len != SIGN_SIZE)
        return say(problem, FILE_IN_WRONG,
                   "%s: not an Ed25519 signature by the bank's key: it is 64 bytes as they are, "
                   "neither hex nor base64, and here are %zu",
                   name, len);
    return say(problem, FILE_IN_WRONG,
               "%s: not an Ed25519 signature by the bank's key over the bytes of %s%s: another "
               "key signed, or the manifest was written anew since",
               name, file->stem, MANIFEST_ENDING);
}

static enum file_in_state read_manifest(const struct bank_folders *f,
                                        const struct file_in_rules *rules, struct file_in *file,
                                        struct file_in_problem *problem)
{
    char name[MANIFEST_NAME_SIZE], text[MANIFEST_BYTES_MAX + 2], why[ERR_TEXT_SIZE];
    struct manifest_problem wrong;
    size_t len;
    err_t err = bank_folders_read(f, FOLDER_IN, with(file->stem, MANIFEST_ENDING, name), text,
                                  sizeof text, &len);
    if (err.code == ERR_SYS && err.sys_errno == ENOENT)
        return say(problem, FILE_IN_WRONG, "there is no manifest: %s is missing", name);
    if (err_failed(err))
        return say(problem, FILE_IN_WRONG, "%s: %s", name, err_text(err, why, sizeof why));
    if (err_failed(manifest_read(slice_of(text, len), &file->manifest, &wrong)))
        return say(problem, FILE_IN_WRONG, "%s", wrong.text);
    enum file_in_state state = check_names(rules, file, problem);
    if (state == FILE_IN_READY)
        state = check_signature(f, rules, file, slice_of(text, len), problem);
    return state;
}

/* ---------------------------------------------------------------- the file itself */

/* Copies at most bytes_max and one more, and says what they hash to. */
static err_t copy_and_hash(int fd, struct folder_part *to, int64_t bytes_max, int64_t *bytes,
                           unsigned char sha256[MANIFEST_SHA256_SIZE])
{
    char room[COPY_BYTES];
    unsigned n = 0;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    err_t err = hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1
                    ? err_make(ERR_NO_MEMORY, "hash a file")
                    : err_none();
    *bytes = 0;
    while (!err_failed(err) && *bytes <= bytes_max) {
        ssize_t got = read(fd, room, sizeof room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = err_sys("read a file");
        if (got <= 0)
            break;
        *bytes += got;
        if (EVP_DigestUpdate(hash, room, (size_t)got) != 1)
            err = err_make(ERR_TLS, "hash a file");
        else
            err = folder_part_write(to, room, (size_t)got);
    }
    if (!err_failed(err) && EVP_DigestFinal_ex(hash, sha256, &n) != 1)
        err = err_make(ERR_TLS, "hash a file");
    EVP_MD_CTX_free(hash);
    if (!err_failed(err) && lseek(to->fd, 0, SEEK_SET) != 0)
        err = err_sys("read a file");
    return err;
}

static enum file_in_state take_copy(struct bank_folders *f, const struct file_in_rules *rules,
                                    struct file_in *file, int fd, struct file_in_problem *problem)
{
    const struct manifest *m = &file->manifest;
    unsigned char sha256[MANIFEST_SHA256_SIZE];
    char why[ERR_TEXT_SIZE];
    struct stat st;
    int64_t bytes = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say(problem, FILE_IN_WRONG, "%s: it is no plain file", m->file);
    if (st.st_size > rules->bytes_max)
        return say(problem, FILE_IN_WRONG, "%s: %lld bytes, and at most %lld are taken", m->file,
                   (long long)st.st_size, (long long)rules->bytes_max);
    err_t err = bank_folders_part(f, FOLDER_ARCHIVE, &file->copy);
    if (!err_failed(err))
        err = copy_and_hash(fd, &file->copy, rules->bytes_max, &bytes, sha256);
    if (err_failed(err))
        return say(problem, FILE_IN_FAILED, "%s: %s", m->file, err_text(err, why, sizeof why));
    if (bytes != m->bytes)
        return say(problem, FILE_IN_WRONG,
                   "%s: it has %lld bytes, and the manifest says %lld: is it cut off?", m->file,
                   (long long)bytes, (long long)m->bytes);
    if (memcmp(sha256, m->sha256, sizeof sha256) != 0)
        return say(
            problem, FILE_IN_WRONG,
            "%s: its SHA-256 is not the one in the manifest: it was changed, or another file "
            "was meant",
            m->file);
    return FILE_IN_READY;
}

enum file_in_state file_in_open(struct bank_folders *f, const struct file_in_rules *rules,
                                const char *stem, struct file_in *out,
                                struct file_in_problem *problem)
{
    char name[MANIFEST_NAME_SIZE];
    memset(out, 0, sizeof *out);
    out->copy.fd = -1;
    problem->text[0] = '\0';
    if (err_failed(slice_copy(slice_str(stem), out->stem, sizeof out->stem)))
        return say(problem, FILE_IN_WRONG, "its name is too long");
    enum file_in_state state = read_manifest(f, rules, out, problem);
    if (state != FILE_IN_READY)
        return state;
    int fd = openat(f->fd[FOLDER_IN], with(stem, ".xml", name),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return say(problem, FILE_IN_LEFTOVER, "there is no file: %s is missing", name);
    if (fd < 0 && errno == ELOOP)
        return say(problem, FILE_IN_WRONG, "%s: it is a symbolic link", name);
    if (fd < 0)
        return say(problem, FILE_IN_FAILED, "%s: %m", name);
    state = take_copy(f, rules, out, fd, problem);
    close(fd);
    return state;
}

void file_in_close(const struct bank_folders *f, struct file_in *file)
{
    folder_part_drop(f, &file->copy);
}

/* ---------------------------------------------------------------- where it stays */

/* STEM, or STEM.2 ...: nothing in the folder begins with it and ends as ours do. */
static err_t free_stem(const struct bank_folders *f, enum bank_folder folder, const char *stem,
                       char out[MANIFEST_NAME_SIZE])
{
    char name[MANIFEST_NAME_SIZE];
    for (int i = 1; i <= STEMS_TRIED_MAX; i++) {
        int n = i == 1 ? snprintf(out, MANIFEST_NAME_SIZE, "%s", stem)
                       : snprintf(out, MANIFEST_NAME_SIZE, "%.190s.%d", stem, i);
        bool taken = n < 0 || bank_folders_has(f, folder, with(out, ".report.txt", name)) ||
                     bank_folders_has(f, folder, with(out, STRANGER, name));
        for (int e = 0; e < ENDINGS; e++)
            taken = taken || bank_folders_has(f, folder, with(out, ending[e], name));
        if (!taken)
            return err_none();
    }
    return err_make(ERR_LIMIT, "too many files of one name");
}

static err_t move_rest(const struct bank_folders *f, const char *stem, enum bank_folder to,
                       const char *new_stem, int first)
{
    char from_name[MANIFEST_NAME_SIZE], to_name[MANIFEST_NAME_SIZE];
    err_t err = err_none();
    for (int e = first; e < ENDINGS && !err_failed(err); e++)
        err = bank_folders_move(f, FOLDER_IN, with(stem, ending[e], from_name), to,
                                with(new_stem, ending[e], to_name));
    if (!err_failed(err))
        err = bank_folders_sync(f, to);
    return err_failed(err) ? err : bank_folders_sync(f, FOLDER_IN);
}

static err_t write_report(struct bank_folders *f, enum bank_folder folder, const char *stem,
                          struct slice report)
{
    char name[MANIFEST_NAME_SIZE];
    if (report.len == 0)
        return err_none();
    return bank_folders_write(f, folder, with(stem, ".report.txt", name), report);
}

err_t file_in_accept(struct bank_folders *f, struct file_in *file, struct slice report,
                     char stem_out[MANIFEST_NAME_SIZE])
{
    char stem[MANIFEST_NAME_SIZE], name[MANIFEST_NAME_SIZE];
    err_t err = free_stem(f, FOLDER_ARCHIVE, file->stem, stem);
    if (!err_failed(err))
        err = write_report(f, FOLDER_ARCHIVE, stem, report);
    if (!err_failed(err))
        err = folder_part_add(f, &file->copy, with(stem, ".xml", name));
    if (!err_failed(err))
        err = bank_folders_remove(f, FOLDER_IN, with(file->stem, ".xml", name));
    if (!err_failed(err))
        err = move_rest(f, file->stem, FOLDER_ARCHIVE, stem, 1);
    if (stem_out != NULL)
        (void)snprintf(stem_out, MANIFEST_NAME_SIZE, "%s", stem);
    return err;
}

err_t file_in_quarantine(struct bank_folders *f, const char *stem, struct slice report,
                         char stem_out[MANIFEST_NAME_SIZE])
{
    char new_stem[MANIFEST_NAME_SIZE];
    err_t err = free_stem(f, FOLDER_QUARANTINE, stem, new_stem);
    if (!err_failed(err))
        err = write_report(f, FOLDER_QUARANTINE, new_stem, report);
    if (!err_failed(err))
        err = move_rest(f, stem, FOLDER_QUARANTINE, new_stem, 0);
    if (stem_out != NULL)
        (void)snprintf(stem_out, MANIFEST_NAME_SIZE, "%s", new_stem);
    return err;
}

err_t file_in_quarantine_stranger(struct bank_folders *f, const char *name, struct slice report,
                                  char stem_out[MANIFEST_NAME_SIZE])
{
    char stem[MANIFEST_STEM_MAX + 1], new_name[MANIFEST_NAME_SIZE];
    (void)snprintf(stem, sizeof stem, "%s", name);
    for (char *p = stem; *p != '\0'; p++)
        if (!manifest_stem_is_good(slice_of(p, 1)) && (p == stem || strchr("._-", *p) == NULL))
            *p = '_';
    err_t err = free_stem(f, FOLDER_QUARANTINE, stem, stem_out);
    if (!err_failed(err))
        err = write_report(f, FOLDER_QUARANTINE, stem_out, report);
    if (!err_failed(err))
        err = bank_folders_move(f, FOLDER_IN, name, FOLDER_QUARANTINE,
                                with(stem_out, STRANGER, new_name));
    if (!err_failed(err))
        err = bank_folders_sync(f, FOLDER_QUARANTINE);
    return err_failed(err) ? err : bank_folders_sync(f, FOLDER_IN);
}

err_t file_in_tidy(struct bank_folders *f, const char *stem)
{
    char new_stem[MANIFEST_NAME_SIZE];
    err_t err = free_stem(f, FOLDER_ARCHIVE, stem, new_stem);
    return err_failed(err) ? err : move_rest(f, stem, FOLDER_ARCHIVE, new_stem, 1);
}
