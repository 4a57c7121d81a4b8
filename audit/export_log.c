/* --format log: the signed log as one file (docs/log-format.md), for whoever has no database. Sealed blocks only. */
#include "audit/db.h"
#include "audit/export.h"
#include "audit/output.h"
#include "audit/progress.h"
#include "audit/source.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC       "UJRATLOG\n"
#define BUFFER_SIZE (1U << 20)

struct writer {
    FILE *out;
    struct sha256 *sha;
    int64_t items;
    struct record_out wrapped;
};

static bool put(struct writer *w, const void *p, size_t len, bool hashed)
{
    if (hashed)
        sha256_add(w->sha, p, len);
    return fwrite(p, 1, len, w->out) == len;
}

static bool put_item(struct writer *w, struct slice bytes, bool hashed)
{
    uint32_t len = (uint32_t)bytes.len;
    unsigned char head[4] = {(unsigned char)(len >> 24), (unsigned char)(len >> 16),
                             (unsigned char)(len >> 8), (unsigned char)len};

    return put(w, head, sizeof head, hashed) && put(w, bytes.p, bytes.len, hashed);
}

static bool put_end(struct writer *w)
{
    hash_t hash;
    struct record_end end = {w->items, slice_of(hash.b, HASH_BYTES)};

    sha256_end(w->sha, &hash);
    return record_write_end(&w->wrapped, &end) && put_item(w, record_out_slice(&w->wrapped), false);
}

static bool put_record(struct writer *w, const struct source_item *item)
{
    struct record_signed s = {item->bytes, item->key_id, item->signature};

    if (item->kind == RECORD_END)
        return put_end(w);
    w->items++;
    if (item->signature.p == NULL)
        return put_item(w, item->bytes, true);
    return record_write_signed(&w->wrapped, &s) && put_item(w, record_out_slice(&w->wrapped), true);
}

/* A book of which nothing is sealed would look like an empty one. */
static bool all_sealed(struct db *db, const char *const *books, size_t n)
{
    PGresult *rows = db_query(
        db,
        "SELECT b.code FROM book b WHERE EXISTS (SELECT 1 FROM block k WHERE k.book_id = b.book_id) "
        "AND NOT EXISTS (SELECT 1 FROM tree_head h WHERE h.book_id = b.book_id) ORDER BY b.code",
        0, NULL);
    bool ok = rows != NULL;

    for (int i = 0; rows != NULL && i < PQntuples(rows); i++) {
        bool wanted = n == 0;
        for (size_t k = 0; k < n; k++)
            wanted = wanted || strcmp(books[k], PQgetvalue(rows, i, 0)) == 0;
        if (!wanted)
            continue;
        complain(
            "book %s: nothing of it is sealed yet, and what is not sealed is not exported. Give the "
            "book a key and let the sealer catch up",
            PQgetvalue(rows, i, 0));
        ok = false;
    }
    PQclear(rows);
    return ok;
}

static bool write_all(struct source *source, struct writer *w, const char *path)
{
    struct source_item *item = calloc(1, sizeof *item);
    struct progress progress;
    enum source_result result = SOURCE_FAILED;
    bool ok = item != NULL && put(w, MAGIC, strlen(MAGIC), true);

    progress_begin(&progress, "journals", w->out == stdout);
    while (ok && (result = source->next(source, item)) == SOURCE_ITEM) {
        if (item->broken.p != NULL) {
            complain("%s: %.*s; see what ujrat-audit verify says", record_name(item->kind),
                     SLICE_ARG(item->broken));
            ok = false;
            break;
        }
        ok = put_record(w, item);
        if (!ok)
            complain("%s: it could not be written", path == NULL ? "standard output" : path);
        progress_at(&progress, source->done, source->total, source->done);
    }
    progress_end(&progress);
    if (ok && result != SOURCE_END) {
        if (source->why[0] != '\0')
            complain("%s", source->why);
        ok = false;
    }
    free(item);
    return ok;
}

enum exit_code export_log_run(const struct args *args)
{
    const char *books[COMMAND_VALUES_MAX];
    struct source_db_options options = {.books = books, .sealed_only = true};
    const char *path = args_get(args, "out");
    struct writer w = {.items =
                           0}; /* its hash is of the whole file: others have one of their own */
    struct sha256 *sha = sha256_new();
    struct known *known = NULL;
    struct source *source = NULL;
    struct output out = {0};
    struct db db = {NULL};
    enum exit_code code;
    size_t at = 0;
    bool ok = false;

    while ((books[options.n_books] = args_next(args, "book", &at)) != NULL)
        options.n_books++;
    code = db_open(args, &db);
    if (code != EXIT_DONE) {
        sha256_free(&sha);
        return code;
    }
    w.sha = sha256_new();
    if (w.sha == NULL || sha == NULL || err_failed(known_new(sha, &known))) {
        complain("out of memory");
        goto end;
    }
    if (!all_sealed(&db, books, options.n_books) || !source_db_new(&db, &options, known, &source) ||
        !output_open(path, &out))
        goto end;
    setvbuf(out.file, NULL, _IOFBF, BUFFER_SIZE);
    w.out = out.file;
    sha256_begin(w.sha);
    ok = write_all(source, &w, path) && output_commit(&out);
    if (!ok)
        output_abandon(&out);
end:
    source_free(&source);
    known_free(&known);
    record_out_free(&w.wrapped);
    sha256_free(&w.sha);
    sha256_free(&sha);
    db_close(&db);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}
