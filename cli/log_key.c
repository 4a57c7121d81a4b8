/* ujrat log: the keys that books are signed with, and how far the signed log has come (docs/log-format.md). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"
#include "seal/keyring.h"

const char log_key_add_help[] =
    "Makes an Ed25519 key for the book of a platform: the private half is a new file of mode 0600\n"
    "in the folder, BOOK.pem or BOOK-KEYID.pem, the public half goes into the ledger. The first key\n"
    "signs from block 1 on. A later one takes over from the key before it, which has to be in the\n"
    "folder too, since it signs the new one; blocks signed before stay as they are, and so do their\n"
    "keys: keep old files as long as a block they are to sign may still be unsealed, and back up all\n"
    "of them. ujratd (settings seal_keys, seal_db) finds a new file by itself.";
const struct option_row log_key_add_options[] = {
    {"keys", "FOLDER", "where private keys are, and the new one goes", false},
    {"from-block", "N", "the first block it signs (default: the next that is not sealed)", false},
    {"if-none", NULL, "do nothing if the book has a key already", false},
    {NULL, NULL, NULL, false},
};
const char log_key_list_help[] = "Of one platform's book, or of all.";
const char log_key_export_help[] =
    "Prints the public keys of the book in PEM, oldest first, each under a comment with its id and the\n"
    "first block it signs: what an auditor is given, by another way than the ledger.";
const char log_status_help[] =
    "For each book: blocks committed and blocks sealed, the key in force for the next one, and the last\n"
    "signed tree head.";

/* ---------------------------------------------------------------- a new key */

struct adding {
    struct db db;
    const char *book, *folder;
    char book_id[16];
    int64_t newest_from, sealed; /* 0: no key; nothing sealed */
    char newest[SEAL_KEY_ID_SIZE];
    struct seal_keyring ring;
    struct seal_key *key;
    char path[PATH_MAX];
};

static bool read_state(struct adding *a)
{
    PGresult *r = db_query(
        &a->db,
        "SELECT coalesce(k.from_block, 0), coalesce(k.key_id, ''), "
        "(SELECT coalesce(max(block_no), 0) FROM block_seal WHERE book_id = $1) "
        "FROM (SELECT) one LEFT JOIN LATERAL "
        "(SELECT from_block, key_id FROM log_key WHERE book_id = $1 ORDER BY from_block DESC LIMIT 1) k ON true",
        1, (const char *const[]){a->book_id});
    if (r == NULL)
        return false;
    a->newest_from = db_int(r, 0, 0);
    a->sealed = db_int(r, 0, 2);
    snprintf(a->newest, sizeof a->newest, "%s", PQgetvalue(r, 0, 1));
    PQclear(r);
    return true;
}

static bool say(const char *path, err_t err)
{
    char text[ERR_TEXT_SIZE];
    complain("%s: %s", path, err_text(err, text, sizeof text));
    return false;
}

/* The file comes first: a key that is registered and lost would be the end of the book's log. One of an attempt that
 * went no further is taken up again if it would be the book's first key, and left alone otherwise. */
static bool make_key(struct adding *a)
{
    bool first = a->newest_from == 0;
    int n = snprintf(a->path, sizeof a->path, "%s/%s.pem", a->folder, a->book);
    if (first && n > 0 && (size_t)n < sizeof a->path && access(a->path, F_OK) == 0) {
        err_t err = seal_key_read(a->path, &a->key);
        return !err_failed(err) || say(a->path, err);
    }
    err_t err = seal_key_generate(&a->key);
    if (!first && !err_failed(err))
        n = snprintf(a->path, sizeof a->path, "%s/%s-%s.pem", a->folder, a->book,
                     seal_key_name(a->key));
    if (!err_failed(err) && (n < 0 || (size_t)n >= sizeof a->path))
        err = err_make(ERR_LIMIT, "a path that long");
    if (!err_failed(err))
        err = seal_key_write(a->key, a->path);
    return !err_failed(err) || say(a->path, err);
}

static void to_bytea(const void *p, size_t len, char *out)
{
    out[0] = '\\';
    out[1] = 'x';
    (void)hex_encode(p, len, out + 2);
}

/* One attempt to let the key sign from that block on. NULL: it was refused, and why is in db. */
static PGresult *register_key(struct adding *a, int64_t from_block)
{
    const struct seal_key *signer =
        a->newest_from == 0 ? a->key : seal_keyring_find(&a->ring, a->newest);
    const unsigned char *public_key = seal_key_public(a->key);
    unsigned char signature[SEAL_SIGNATURE_SIZE];
    char public_hex[2 + HEX_SIZE(SEAL_PUBLIC_KEY_SIZE)],
        signature_hex[2 + HEX_SIZE(sizeof signature)];
    char from[24], created[TIMEFMT_SIZE];
    int64_t now_us = clock_realtime_us();
    struct seal_record record;
    PGresult *result = NULL;

    seal_record_init(&record);
    seal_record_key(&record, &(struct seal_key_record){
                                 .book = slice_str(a->book),
                                 .key_id = slice_str(seal_key_name(a->key)),
                                 .public_key = slice_of(public_key, SEAL_PUBLIC_KEY_SIZE),
                                 .from_block = from_block,
                                 .created_at = now_us,
                             });
    if (record.failed || err_failed(seal_key_sign(signer, seal_record_bytes(&record), signature))) {
        complain("the key cannot be signed");
        goto out;
    }
    snprintf(from, sizeof from, "%lld", (long long)from_block);
    to_bytea(public_key, SEAL_PUBLIC_KEY_SIZE, public_hex);
    to_bytea(signature, sizeof signature, signature_hex);
    result = db_query(&a->db, "SELECT add_log_key($1, $2, $3, $4, $5, $6)", 6,
                      (const char *const[]){a->book_id, from, public_hex,
                                            timefmt_rfc3339(now_us, created), seal_key_name(signer),
                                            signature_hex});
out:
    seal_record_deinit(&record);
    return result;
}

/* The sealer goes on meanwhile: a block that was the next one may be sealed by now. Then a later one is tried, further
 * ahead each time. Ledger and sealer agree on what is in force, since the ledger refuses both a key for a sealed block
 * and a seal with a key that is not in force. */
static enum exit_code put_in_force(struct adding *a, const struct args *args, int64_t wanted)
{
    static const int64_t ahead[] = {1, 4, 64, 1024, 16384};
    enum { TRIES = sizeof ahead / sizeof *ahead };
    for (int i = 0; i < TRIES; i++) {
        bool last = wanted != 0 || i == TRIES - 1;
        int64_t base = a->sealed > a->newest_from ? a->sealed : a->newest_from;
        int64_t from = wanted != 0 ? wanted : a->newest_from == 0 ? 1 : base + ahead[i];
        a->db.will_retry = !last;
        PGresult *r = register_key(a, from);
        a->db.will_retry = false;
        if (r != NULL) {
            PQclear(r);
            if (!args_quiet(args))
                printf("Key %s signs the blocks of %s from %lld on. Its file is %s\n",
                       seal_key_name(a->key), a->book, (long long)from, a->path);
            return EXIT_DONE;
        }
        if (last || !db_may_retry(&a->db) || !read_state(a))
            break;
    }
    return db_failure(&a->db);
}

static bool may_add(struct adding *a)
{
    if (a->newest_from == 0)
        return true;
    if (a->newest_from > a->sealed) {
        complain("key %s signs from block %lld on, and has not signed any yet", a->newest,
                 (long long)a->newest_from);
        return false;
    }
    err_t err = seal_keyring_load(&a->ring, a->folder, NULL);
    if (err_failed(err))
        return say(a->folder, err);
    if (seal_keyring_find(&a->ring, a->newest) != NULL)
        return true;
    complain("%s has no file (of mode 0600) with key %s, which has to sign the new one", a->folder,
             a->newest);
    return false;
}

static enum exit_code add_key(struct adding *a, const struct args *args, int64_t wanted)
{
    int book_id = operator_find_book(&a->db, a->book);
    struct stat st;

    if (book_id == 0)
        return EXIT_REFUSED;
    snprintf(a->book_id, sizeof a->book_id, "%d", book_id);
    if (!read_state(a))
        return EXIT_REFUSED;
    if (a->newest_from != 0 && args_has(args, "if-none")) {
        if (!args_quiet(args))
            printf("The book of %s has key %s\n", a->book, a->newest);
        return EXIT_DONE;
    }
    if (stat(a->folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        complain("%s: not a folder", a->folder);
        return EXIT_REFUSED;
    }
    if (!may_add(a) || !make_key(a))
        return EXIT_REFUSED;
    return put_in_force(a, args, wanted);
}

enum exit_code log_key_add_run(const struct args *args)
{
    struct adding a = {.book = args->operands[0], .folder = args_get(args, "keys")};
    long long wanted = 0;
    enum exit_code code;

    if (a.folder == NULL || a.folder[0] == '\0') {
        complain("--keys is required: the folder of private keys");
        return EXIT_USAGE;
    }
    if (!args_int(args, "from-block", 1, LLONG_MAX, &wanted))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &a.db);
    if (code != EXIT_DONE)
        return code;
    code = add_key(&a, args, wanted);
    seal_key_free(&a.key);
    seal_keyring_deinit(&a.ring);
    db_close(&a.db);
    return code;
}

/* ---------------------------------------------------------------- looking */

static enum exit_code print_rows(const struct args *args, const char *sql, const char *book,
                                 const struct report_column *columns, int n)
{
    struct report *report = NULL;
    const char *cells[16];
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    PGresult *r = NULL;
    if (book == NULL || operator_find_book(&db, book) != 0)
        r = db_query(&db, sql, 1, (const char *const[]){book});
    if (r != NULL) {
        report_new(columns, (size_t)n, &report);
        for (int i = 0; i < PQntuples(r); i++) {
            for (int k = 0; k < n; k++)
                cells[k] = PQgetisnull(r, i, k) ? NULL : PQgetvalue(r, i, k);
            report_add(report, cells);
        }
        report_print(report, args_json(args));
    }
    code = r == NULL ? EXIT_REFUSED : EXIT_DONE;
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code log_key_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"book", REPORT_TEXT},    {"key", REPORT_TEXT},  {"from block", REPORT_INT},
        {"to block", REPORT_INT}, {"made", REPORT_TEXT}, {"signed by", REPORT_TEXT}};
    return print_rows(
        args,
        "SELECT b.code, k.key_id, k.from_block, "
        "lead(k.from_block) OVER (PARTITION BY k.book_id ORDER BY k.from_block) - 1, "
        "to_char(k.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), k.signed_by "
        "FROM log_key k JOIN book b USING (book_id) "
        "WHERE $1::text IS NULL OR b.code = $1 ORDER BY b.code, k.from_block",
        args->operands[0], columns, sizeof columns / sizeof *columns);
}

enum exit_code log_status_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"book", REPORT_TEXT},      {"blocks", REPORT_INT}, {"sealed", REPORT_INT},
        {"unsealed", REPORT_INT},   {"key", REPORT_TEXT},   {"head", REPORT_INT},
        {"signed at", REPORT_TEXT}, {"root", REPORT_TEXT}};
    return print_rows(
        args,
        "SELECT b.code, h.next_block - 1, s.sealed, h.next_block - 1 - s.sealed, "
        "(SELECT key_id FROM log_key k WHERE k.book_id = b.book_id AND k.from_block <= s.sealed + 1 "
        "ORDER BY k.from_block DESC LIMIT 1), t.tree_size, "
        "to_char(t.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), encode(t.root, 'hex') "
        "FROM book b JOIN book_head h USING (book_id) CROSS JOIN LATERAL "
        "(SELECT coalesce(max(block_no), 0) AS sealed FROM block_seal WHERE book_id = b.book_id) s "
        "LEFT JOIN LATERAL (SELECT * FROM tree_head WHERE book_id = b.book_id ORDER BY tree_size DESC LIMIT 1) t "
        "ON true WHERE $1::text IS NULL ORDER BY b.code",
        NULL, columns, sizeof columns / sizeof *columns);
}

enum exit_code log_key_export_run(const struct args *args)
{
    const char *book = args->operands[0];
    char pem[SEAL_KEY_PEM_SIZE];
    unsigned char public_key[SEAL_PUBLIC_KEY_SIZE];
    PGresult *r = NULL;
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    if (operator_find_book(&db, book) != 0)
        r = db_query(&db,
                     "SELECT k.key_id, k.from_block, encode(k.public_key, 'hex') FROM log_key k "
                     "JOIN book b USING (book_id) WHERE b.code = $1 ORDER BY k.from_block",
                     1, (const char *const[]){book});
    if (r != NULL && PQntuples(r) == 0)
        complain("the book of %s has no key", book);
    else if (r != NULL)
        code = EXIT_DONE;
    for (int i = 0; code == EXIT_DONE && i < PQntuples(r); i++) {
        size_t len = 0;
        if (err_failed(
                hex_decode(slice_str(PQgetvalue(r, i, 2)), public_key, sizeof public_key, &len)) ||
            err_failed(seal_key_public_pem(slice_of(public_key, len), pem))) {
            complain("key %s is not an Ed25519 key", PQgetvalue(r, i, 0));
            code = EXIT_REFUSED;
        } else {
            printf("# %s: key %s, from block %s on\n%s", book, PQgetvalue(r, i, 0),
                   PQgetvalue(r, i, 1), pem);
        }
    }
    PQclear(r);
    db_close(&db);
    return code;
}
