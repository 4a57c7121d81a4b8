#include "settle/file_out.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- staging */

err_t file_sink_write(struct file_sink *sink, const void *p, size_t len)
{
    if (err_failed(sink->err))
        return sink->err;
    if (EVP_DigestUpdate(sink->hash, p, len) != 1)
        sink->err = err_make(ERR_TLS, "hash a file");
    else
        sink->err = folder_part_write(&sink->part, p, len);
    sink->bytes += (int64_t)len;
    return sink->err;
}

err_t file_out_stage(struct bank_folders *f, file_out_body *body, void *user,
                     struct file_staged *out)
{
    struct file_sink sink = {.part.fd = -1, .hash = EVP_MD_CTX_new(), .err = err_none()};
    unsigned n = 0;
    *out = (struct file_staged){.part.fd = -1};
    err_t err = sink.hash == NULL || EVP_DigestInit_ex(sink.hash, EVP_sha256(), NULL) != 1
                    ? err_make(ERR_NO_MEMORY, "hash a file")
                    : bank_folders_part(f, FOLDER_OUT, &sink.part);
    if (!err_failed(err))
        err = body(user, &sink);
    if (!err_failed(err))
        err = sink.err;
    if (!err_failed(err) && EVP_DigestFinal_ex(sink.hash, out->sha256, &n) != 1)
        err = err_make(ERR_TLS, "hash a file");
    EVP_MD_CTX_free(sink.hash);
    if (err_failed(err)) {
        folder_part_drop(f, &sink.part);
        return err;
    }
    out->part = sink.part;
    out->bytes = sink.bytes;
    return err_none();
}

void file_staged_drop(const struct bank_folders *f, struct file_staged *staged)
{
    folder_part_drop(f, &staged->part);
}

/* ---------------------------------------------------------------- names */

void file_out_stem(const char *bank, int64_t file_no, const char *message,
                   char out[MANIFEST_NAME_SIZE])
{
    int n = snprintf(out, MANIFEST_NAME_SIZE, "%s-%08lld-%s", bank, (long long)file_no, message);
    assert(n > 0 && n <= MANIFEST_STEM_MAX);
}

static const char *with_ending(const char *stem, const char *ending, char out[MANIFEST_NAME_SIZE])
{
    int n = snprintf(out, MANIFEST_NAME_SIZE, "%s%s", stem, ending);
    assert(n > 0 && n < MANIFEST_NAME_SIZE);
    return out;
}

/* Of the manifest while it is about to be seen. Listings pass names with a dot in front over. */
static const char *hidden_name(const char *stem, char out[MANIFEST_NAME_SIZE])
{
    int n = snprintf(out, MANIFEST_NAME_SIZE, ".%s.next", stem);
    assert(n > 0 && n < MANIFEST_NAME_SIZE);
    return out;
}

static bool is_in_out(const struct bank_folders *f, const char *stem, const char *ending)
{
    char name[MANIFEST_NAME_SIZE];
    return bank_folders_has(f, FOLDER_OUT, with_ending(stem, ending, name));
}

static bool is_noted(const struct bank_folders *f, const char *stem)
{
    char name[MANIFEST_NAME_SIZE];
    return bank_folders_has(f, FOLDER_ARCHIVE, with_ending(stem, MANIFEST_ENDING, name));
}

enum file_out_state file_out_state(const struct bank_folders *f, const char *stem)
{
    char name[MANIFEST_NAME_SIZE];
    bool is_hidden = bank_folders_has(f, FOLDER_OUT, hidden_name(stem, name));
    if (is_noted(f, stem) && !is_hidden)
        return FILE_OUT_DONE;
    if (is_in_out(f, stem, MANIFEST_ENDING) ||
        (is_hidden && is_in_out(f, stem, ".xml") && is_in_out(f, stem, ".sig")))
        return FILE_OUT_BEGUN;
    return FILE_OUT_MISSING;
}

/* ---------------------------------------------------------------- publishing */

static err_t note(struct bank_folders *f, const char *stem, struct slice manifest)
{
    char name[MANIFEST_NAME_SIZE];
    return bank_folders_write(f, FOLDER_ARCHIVE, with_ending(stem, MANIFEST_ENDING, name),
                              manifest);
}

static err_t show(struct bank_folders *f, const char *stem)
{
    char hidden[MANIFEST_NAME_SIZE], name[MANIFEST_NAME_SIZE];
    return bank_folders_rename(f, FOLDER_OUT, hidden_name(stem, hidden),
                               with_ending(stem, MANIFEST_ENDING, name));
}

err_t file_out_finish(struct bank_folders *f, const char *stem)
{
    char hidden[MANIFEST_NAME_SIZE], name[MANIFEST_NAME_SIZE], text[MANIFEST_BYTES_MAX];
    bool is_seen = is_in_out(f, stem, MANIFEST_ENDING);
    size_t len;
    err_t err = err_none();
    (void)hidden_name(stem, hidden);
    (void)with_ending(stem, MANIFEST_ENDING, name);
    if (!is_noted(f, stem)) {
        err = bank_folders_read(f, FOLDER_OUT, is_seen ? name : hidden, text, sizeof text, &len);
        if (!err_failed(err))
            err = note(f, stem, slice_of(text, len));
    }
    if (err_failed(err))
        return err;
    if (!is_seen)
        return show(f, stem);
    err = bank_folders_remove(f, FOLDER_OUT, hidden);
    return err_failed(err) ? err : bank_folders_sync(f, FOLDER_OUT);
}

err_t file_out_publish(struct bank_folders *f, const struct sign_key *key,
                       const struct manifest *manifest, struct file_staged *staged)
{
    struct slice stem_slice = manifest_stem_of(slice_str(manifest->file), ".xml");
    char stem[MANIFEST_NAME_SIZE], name[MANIFEST_NAME_SIZE];
    unsigned char signature[SIGN_SIZE];
    struct buf text;
    assert(stem_slice.len > 0 && stem_slice.len < sizeof stem);
    if (manifest->bytes != staged->bytes ||
        memcmp(manifest->sha256, staged->sha256, MANIFEST_SHA256_SIZE) != 0)
        return err_make(ERR_INVALID, "the file is not the one that its row tells of");
    err_t err = slice_copy(stem_slice, stem, sizeof stem);
    if (!err_failed(err) && file_out_state(f, stem) == FILE_OUT_DONE) {
        file_staged_drop(f, staged);
        return err_none();
    }
    buf_init(&text, MANIFEST_BYTES_MAX);
    if (!err_failed(err))
        err = manifest_write(manifest, &text);
    if (!err_failed(err))
        err = sign_key_sign(key, buf_slice(&text), signature);
    if (!err_failed(err))
        err = folder_part_publish(f, &staged->part, manifest->file);
    if (!err_failed(err))
        err = bank_folders_write(f, FOLDER_OUT, with_ending(stem, ".sig", name),
                                 slice_of(signature, sizeof signature));
    if (!err_failed(err))
        err = bank_folders_write(f, FOLDER_OUT, hidden_name(stem, name), buf_slice(&text));
    if (!err_failed(err))
        err = note(f, stem, buf_slice(&text));
    if (!err_failed(err))
        err = show(f, stem);
    buf_deinit(&text);
    return err;
}
