/*
 * ujrat-audit witness: keeps the newest signed head of every book outside of the database, and refuses to when it does not
 * extend what was seen before. Nothing that the database says is believed but what hashes to a head that is signed.
 */
#include "audit/witness.h"

#include "audit/commands.h"
#include "base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define HEADS_MAX      (1U << 22)
#define SQL_SIZE       512

const char witness_help[] =
    "Keep the file where those who run the database cannot write. A head is added when it is signed and\n"
    "extends every head of its book that is in the file, which is proved with the hashes kept with the\n"
    "seals (RFC 6962 section 2.1.2). If one does not, nothing is written and the status is 1: history\n"
    "was rewritten.";

const struct option_row witness_options[] = {
    {"file", "FILE",
     "the witness's file: a line of JSON for each head seen; made if it is not there", false},
    {"key", "PEM", "a public key that the auditor was given; may be said again", true},
    {NULL, NULL, NULL, false},
};

/* ---------------------------------------------------------------- the file */

static bool hex_field(const json_t *line, const char *name, void *out, size_t len)
{
    const char *text = json_string_value(json_object_get(line, name));
    size_t n = 0;

    return text != NULL && !err_failed(hex_decode(slice_str(text), out, len, &n)) && n == len;
}

static bool read_head(const json_t *line, struct witness_head *h)
{
    const char *book = json_string_value(json_object_get(line, "book"));
    const char *key_id = json_string_value(json_object_get(line, "key_id"));
    const json_t *size = json_object_get(line, "tree_size");
    const json_t *at = json_object_get(line, "signed_at");

    if (book == NULL || book[0] == '\0' || key_id == NULL || !json_is_integer(size) ||
        json_integer_value(size) < 1 || !json_is_integer(at) ||
        err_failed(slice_copy(slice_str(book), h->book, sizeof h->book)) ||
        strlen(key_id) != KEY_ID_SIZE - 1 ||
        err_failed(slice_copy(slice_str(key_id), h->key_id, sizeof h->key_id)))
        return false;
    h->tree_size = json_integer_value(size);
    h->signed_at_us = json_integer_value(at);
    return hex_field(line, "root", h->root.b, HASH_BYTES) &&
           hex_field(line, "signature", h->signature, sizeof h->signature);
}

static int by_book_and_size(const void *pa, const void *pb)
{
    const struct witness_head *a = pa;
    const struct witness_head *b = pb;
    int c = strcmp(a->book, b->book);

    if (c != 0)
        return c;
    if (a->tree_size != b->tree_size)
        return a->tree_size < b->tree_size ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static bool add_line(const char *path, unsigned number, const char *text, size_t len,
                     struct witness_heads *out, size_t *size)
{
    json_error_t error;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    struct witness_head h = {.line = number};
    bool ok = json_is_object(line) && read_head(line, &h);

    json_decref(line);
    if (!ok) {
        complain("%s: line %u is no tree head", path, number);
        return false;
    }
    if (out->n == *size) {
        size_t wanted = *size == 0 ? 256 : *size * 2;
        struct witness_head *store =
            wanted > HEADS_MAX ? NULL : realloc(out->heads, wanted * sizeof *store);
        if (store == NULL) {
            complain("%s: more heads than fit", path);
            return false;
        }
        out->heads = store;
        *size = wanted;
    }
    out->heads[out->n++] = h;
    return true;
}

bool witness_read(const char *path, bool may_be_missing, struct witness_heads *out)
{
    char line[LINE_MAX_BYTES];
    FILE *in = fopen(path, "re");
    unsigned number = 0;
    size_t size = 0;
    bool ok = true;

    *out = (struct witness_heads){NULL, 0};
    if (in == NULL && errno == ENOENT && may_be_missing)
        return true;
    if (in == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    while (ok && fgets(line, sizeof line, in) != NULL) {
        size_t len = strlen(line);

        number++;
        if (len == 0 || line[len - 1] != '\n') {
            complain("%s: line %u is too long, or was cut", path, number);
            ok = false;
            break;
        }
        ok = add_line(path, number, line, len - 1, out, &size);
    }
    if (ok && ferror(in)) {
        complain("%s: %s", path, strerror(errno));
        ok = false;
    }
    fclose(in);
    if (!ok)
        witness_free(out);
    else if (out->n > 0)
        qsort(out->heads, out->n, sizeof *out->heads, by_book_and_size);
    return ok;
}

void witness_free(struct witness_heads *heads)
{
    free(heads->heads);
    *heads = (struct witness_heads){NULL, 0};
}

size_t witness_of(const struct witness_heads *heads, const char *book, size_t *first)
{
    size_t n = 0;

    *first = 0;
    while (*first < heads->n && strcmp(heads->heads[*first].book, book) < 0)
        (*first)++;
    while (*first + n < heads->n && strcmp(heads->heads[*first + n].book, book) == 0)
        n++;
    return n;
}

static bool append(int fd, const char *path, const struct witness_head *h)
{
    char root[HEX_SIZE(HASH_BYTES)];
    char signature[HEX_SIZE(RECORD_SIGNATURE_BYTES)];
    char line[LINE_MAX_BYTES];
    int len;

    (void)hex_encode(h->root.b, HASH_BYTES, root);
    (void)hex_encode(h->signature, sizeof h->signature, signature);
    len = snprintf(line, sizeof line,
                   "{\"book\": \"%s\", \"tree_size\": %lld, \"root\": \"%s\", \"signed_at\": %lld, "
                   "\"key_id\": \"%s\", \"signature\": \"%s\"}\n",
                   h->book, (long long)h->tree_size, root, (long long)h->signed_at_us, h->key_id,
                   signature);
    /* one write: a line is there whole or, after a crash, refused as cut */
    if (write(fd, line, (size_t)len) == len && fsync(fd) == 0)
        return true;
    complain("%s: %s", path, strerror(errno));
    return false;
}

/* ---------------------------------------------------------------- one book */

struct look {
    struct db *db;
    struct sha256 *sha;
    const struct trusted_keys *keys;
    const struct witness_heads *seen;
    long long book_id;
    char book[BOOK_SIZE];
    int64_t at; /* what is wrong, is at so many blocks */
    char why[256];
};

/* Nodes of the tree as the seals keep them: what they come to is compared with what is signed. */
static bool stored_node(void *context, unsigned level, uint64_t last, hash_t *out)
{
    struct look *l = context;
    char sql[SQL_SIZE];
    PGresult *row;
    size_t n = 0;
    bool ok;

    snprintf(sql, sizeof sql,
             "SELECT encode(substring(nodes, %u, 32), 'hex') FROM block_seal "
             "WHERE book_id = %lld AND block_no = %llu",
             level * HASH_BYTES + 1, l->book_id, (unsigned long long)last);
    row = db_query(l->db, sql, 0, NULL);
    ok = row != NULL && PQntuples(row) == 1 &&
         !err_failed(hex_decode(slice_str(PQgetvalue(row, 0, 0)), out->b, HASH_BYTES, &n)) &&
         n == HASH_BYTES;
    PQclear(row);
    return ok;
}

static bool cell_hex(const PGresult *row, int at, int col, void *out, size_t len)
{
    size_t n = 0;

    return !err_failed(hex_decode(slice_str(PQgetvalue(row, at, col)), out, len, &n)) && n == len;
}

/* The book's chain of keys: each signed by the one before. The one of that name, in *key; *given: one that the auditor was
 * given, or signed by way of one. */
static bool find_key(struct look *l, const char *key_id, int64_t block_no, struct public_key **key,
                     bool *given)
{
    char sql[SQL_SIZE];
    PGresult *rows;
    struct public_key *before = NULL;
    bool given_so_far = false;
    bool ok = true;

    snprintf(sql, sizeof sql,
             "SELECT key_id, encode(public_key, 'hex'), from_block, "
             "(extract(epoch FROM created_at) * 1000000)::bigint, encode(signature, 'hex') "
             "FROM log_key WHERE book_id = %lld ORDER BY from_block",
             l->book_id);
    rows = db_query(l->db, sql, 0, NULL);
    *key = NULL;
    *given = false;
    for (int i = 0; ok && rows != NULL && i < PQntuples(rows); i++) {
        unsigned char raw[RECORD_KEY_BYTES];
        unsigned char signature[RECORD_SIGNATURE_BYTES];
        struct public_key *k = NULL;
        struct record_out out = {0};
        struct record_key r = {slice_str(l->book), slice_str(PQgetvalue(rows, i, 0)),
                               slice_of(raw, sizeof raw), db_int(rows, i, 2), db_int(rows, i, 3)};

        ok = cell_hex(rows, i, 1, raw, sizeof raw) &&
             cell_hex(rows, i, 4, signature, sizeof signature) &&
             !err_failed(public_key_new(slice_of(raw, sizeof raw), &k)) &&
             record_write_key(&out, &r) &&
             public_key_signed(before == NULL ? k : before, record_out_slice(&out),
                               slice_of(signature, sizeof signature));
        record_out_free(&out);
        if (!ok) {
            public_key_free(&k);
            break;
        }
        given_so_far =
            given_so_far || trusted_keys_find(l->keys, slice_of(raw, sizeof raw)) != NULL;
        if (strcmp(public_key_id(k), key_id) == 0) {
            *given = given_so_far;
            ok = i + 1 == PQntuples(rows) || db_int(rows, i + 1, 2) > block_no;
            public_key_free(key);
            ok = ok && !err_failed(public_key_new(slice_of(raw, sizeof raw), key));
        }
        public_key_free(&before);
        before = k;
    }
    public_key_free(&before);
    PQclear(rows);
    if (ok && *key != NULL)
        return true;
    public_key_free(key);
    return false;
}

/* The newest head. 1; 0: there is none; -1: something is wrong with it. */
static int newest_head(struct look *l, struct witness_head *h)
{
    char sql[SQL_SIZE];
    PGresult *row;
    struct record_out out = {0};
    struct record_tree_head r;
    struct public_key *key = NULL;
    bool given = false;
    int result = -1;

    snprintf(
        sql, sizeof sql,
        "SELECT tree_size, encode(root, 'hex'), (extract(epoch FROM signed_at) * 1000000)::bigint, "
        "key_id, encode(signature, 'hex') FROM tree_head WHERE book_id = %lld "
        "ORDER BY tree_size DESC LIMIT 1",
        l->book_id);
    row = db_query(l->db, sql, 0, NULL);
    if (row == NULL || PQntuples(row) == 0) {
        snprintf(l->why, sizeof l->why, "there is no signed tree head yet");
        result = row == NULL ? -1 : 0;
        PQclear(row);
        return result;
    }
    *h = (struct witness_head){.tree_size = db_int(row, 0, 0), .signed_at_us = db_int(row, 0, 2)};
    l->at = h->tree_size;
    snprintf(h->book, sizeof h->book, "%s", l->book);
    snprintf(h->key_id, sizeof h->key_id, "%s", PQgetvalue(row, 0, 3));
    r = (struct record_tree_head){slice_str(l->book), h->tree_size, slice_of(h->root.b, HASH_BYTES),
                                  h->signed_at_us};
    if (!cell_hex(row, 0, 1, h->root.b, HASH_BYTES) ||
        !cell_hex(row, 0, 4, h->signature, sizeof h->signature))
        snprintf(l->why, sizeof l->why, "the newest tree head cannot be read");
    else if (!find_key(l, h->key_id, h->tree_size, &key, &given))
        snprintf(
            l->why, sizeof l->why,
            "the newest tree head is signed with a key that is not in force in the book's chain");
    else if (l->keys->n > 0 && !given)
        snprintf(l->why, sizeof l->why,
                 "the newest tree head is signed with a key (%s) that no key "
                 "given with --key vouches for",
                 h->key_id);
    else if (!record_write_tree_head(&out, &r) ||
             !public_key_signed(key, record_out_slice(&out),
                                slice_of(h->signature, sizeof h->signature)))
        snprintf(l->why, sizeof l->why, "the signature of the newest tree head is wrong");
    else
        result = 1;
    public_key_free(&key);
    record_out_free(&out);
    PQclear(row);
    return result;
}

/* Whether the new head extends that one. */
static bool extends(struct look *l, const struct witness_head *now, const struct witness_head *old)
{
    hash_t proof[MERKLE_PROOF_MAX];
    size_t n = 0;

    l->at = old->tree_size;
    if (old->tree_size > now->tree_size)
        snprintf(l->why, sizeof l->why,
                 "the witness saw %lld blocks (line %u), the newest tree head has only %lld",
                 (long long)old->tree_size, old->line, (long long)now->tree_size);
    else if (old->tree_size == now->tree_size && !hash_equal(&old->root, &now->root))
        snprintf(l->why, sizeof l->why,
                 "the witness saw another root (line %u): history was rewritten", old->line);
    else if (!merkle_consistency_proof(l->sha, (uint64_t)old->tree_size, (uint64_t)now->tree_size,
                                       stored_node, l, proof, &n) ||
             !merkle_consistency_holds(l->sha, (uint64_t)old->tree_size, &old->root,
                                       (uint64_t)now->tree_size, &now->root, proof, n))
        snprintf(
            l->why, sizeof l->why,
            "the newest tree head does not extend the one the witness saw (line %u): history was "
            "rewritten",
            old->line);
    else
        return true;
    return false;
}

/* 1: *h is new; 0: nothing new; -1: disagreement, told. */
static int look_at_book(struct look *l, struct witness_head *h)
{
    size_t first;
    size_t n = witness_of(l->seen, l->book, &first);
    int got = newest_head(l, h);

    if (got == 0 && n == 0) {
        printf("%s: %s\n", l->book, l->why);
        return 0;
    }
    if (got == 0) {
        l->at = l->seen->heads[first + n - 1].tree_size;
        snprintf(l->why, sizeof l->why,
                 "the witness saw %lld blocks, and there is no tree head now", (long long)l->at);
    }
    for (size_t i = 0; got == 1 && i < n; i++)
        if (!extends(l, h, &l->seen->heads[first + i]))
            got = -1;
    if (got != 1) {
        complain("book %s, %lld blocks: %s; nothing was written", l->book, (long long)l->at,
                 l->why);
        return -1;
    }
    return n == 0 || l->seen->heads[first + n - 1].tree_size < h->tree_size;
}

/* ---------------------------------------------------------------- all of them */

static enum exit_code look_at_all(struct look *l, int fd, const char *path)
{
    PGresult *books = db_query(l->db, "SELECT book_id, code FROM book ORDER BY code", 0, NULL);
    int n = books == NULL ? 0 : PQntuples(books);
    struct witness_head *heads = calloc((size_t)n + 1, sizeof *heads);
    size_t n_new = 0;
    bool ok = books != NULL && heads != NULL;

    /* All are looked at before one is written: a witness that disagrees about one book has nothing to add. */
    for (int i = 0; heads != NULL && i < n; i++) {
        int got;

        l->book_id = db_int(books, i, 0);
        snprintf(l->book, sizeof l->book, "%s", PQgetvalue(books, i, 1));
        got = look_at_book(l, &heads[n_new]);
        ok = ok && got >= 0;
        n_new += got == 1;
    }
    for (size_t i = 0; heads != NULL && i < l->seen->n; i++) {
        bool there = false;
        for (int k = 0; k < n; k++)
            there = there || strcmp(PQgetvalue(books, k, 1), l->seen->heads[i].book) == 0;
        if (!there) {
            complain("book %s, %lld blocks: the witness saw this book, and it is there no more; "
                     "nothing was written",
                     l->seen->heads[i].book, (long long)l->seen->heads[i].tree_size);
            ok = false;
        }
    }
    for (size_t i = 0; ok && i < n_new; i++) {
        ok = append(fd, path, &heads[i]);
        if (ok)
            printf("%s: %lld blocks, witnessed\n", heads[i].book, (long long)heads[i].tree_size);
    }
    if (ok && n_new == 0)
        printf("nothing new\n");
    free(heads);
    PQclear(books);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code witness_run(const struct args *args)
{
    const char *path = args_get(args, "file");
    struct trusted_keys keys = {.n = 0};
    struct witness_heads seen = {NULL, 0};
    struct db db = {NULL};
    struct look l = {.db = &db, .keys = &keys, .seen = &seen};
    enum exit_code code = EXIT_REFUSED;
    int fd = -1;

    if (path == NULL) {
        complain("which --file?");
        return EXIT_USAGE;
    }
    l.sha = sha256_new();
    if (l.sha == NULL || !trusted_keys_read(args, "key", &keys))
        goto out;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        complain("%s: %s", path, strerror(errno));
        goto out;
    }
    if (!witness_read(path, true, &seen))
        goto out;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        goto out;
    if (keys.n == 0)
        complain("no --key was given: the books' own first keys are taken on trust");
    code = look_at_all(&l, fd, path);
out:
    db_close(&db);
    witness_free(&seen);
    trusted_keys_free(&keys);
    sha256_free(&l.sha);
    if (fd >= 0)
        close(fd);
    return code;
}
