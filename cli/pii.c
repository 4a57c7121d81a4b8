/* ujrat pii: the keys of personal data, encryption anew, and the erasure of a person (docs/personal-data.md). */
#include "ledger/pii.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 1000, BATCH_BYTES_MAX = 32 << 20, HASH_SIZE = 32, PROGRESS_MS = 2000 };

const char pii_key_new_help[] =
    "Makes FILE (mode 0600) with a fingerprint key and key 1, or adds the next key to it, with which the\n"
    "gateway encrypts from then on; then run `ujrat pii rotate`. Each host that runs ujratd needs the\n"
    "same file. Keep a copy where the database's backups are not: without it they are worth nothing, and\n"
    "with it beside them encryption is worth nothing.";
const char pii_rotate_help[] =
    "Encrypts everything that is not encrypted with the newest key of the file anew, in batches. Safe\n"
    "while the gateway runs, to end and begin again, and for two at once. Once it is done an older key may\n"
    "be taken out of the file: nothing that was encrypted with it, in a backup say, can be read any more.";
const char pii_status_help[] =
    "Shows how many rows each key has encrypted, and with --keys whether it is in the file. Key 0: not\n"
    "encrypted yet, run `ujrat pii rotate`. Exit status 1 when a key is missing.";
const char pii_erase_help[] =
    "BENEFICIARY is its number, or its name such as platforms/upwork/beneficiaries/5. What it is called\n"
    "and paid by is deleted, in all its versions; journals, blocks and seals stay as they are. Refused\n"
    "while a payout to it is not finished. It cannot be undone. Running it again changes nothing.\n"
    "TEXT is kept, and so is who ran this: write nothing of the person into it.";

#define OPTION_KEYS                                                                                \
    {                                                                                              \
        "keys", "FILE", "the file of keys (default: UJRAT_PII_KEYS of the environment)", false     \
    }

const struct option_row pii_rotate_options[] = {OPTION_KEYS, {NULL, NULL, NULL, false}};
const struct option_row pii_status_options[] = {OPTION_KEYS, {NULL, NULL, NULL, false}};
const struct option_row pii_erase_options[] = {
    {"reason", "TEXT", "why (required)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

static const char *keys_file(const struct args *args)
{
    const char *file = args_get(args, "keys");
    const char *env = getenv("UJRAT_PII_KEYS");

    if (file == NULL && env != NULL && env[0] != '\0')
        file = env;
    return file;
}

/* ---------------------------------------------------------------- key new */

enum exit_code pii_key_new_run(const struct args *args)
{
    struct pii_problem problem = {""};
    int16_t id = 0;

    if (err_failed(pii_keys_add(args->operands[0], &id, &problem))) {
        complain("%s", problem.text);
        return EXIT_REFUSED;
    }
    if (!args_quiet(args))
        printf("%s has key %d\n", args->operands[0], id);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- rotate */

struct rotation {
    struct pii *pii;
    struct db db;
    bool quiet;
    char newest[8];
    char after[3][24]; /* the last row looked at: book, beneficiary, version */
    int64_t done, broken, begun_us, told_us;
    struct buf
        column[6]; /* arrays as text: book, beneficiary, version, old key, hash of old, new */
    uint8_t sealed[PII_SEALED_BYTES_MAX];
    uint8_t old[PII_SEALED_BYTES_MAX];
    uint8_t commitment[PII_FIELDS][PII_COMMITMENT_SIZE];
    char hex[HEX_SIZE(PII_SEALED_BYTES_MAX)];
};

static const char sql_old_rows[] =
    "SELECT r.book_id, r.beneficiary_id, r.version, r.key_id, r.sealed, v.name_commitment, "
    "v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment "
    "FROM beneficiary_pii r JOIN beneficiary_version v USING (book_id, beneficiary_id, version) "
    "WHERE (r.book_id, r.beneficiary_id, r.version) > ($1::int, $2::bigint, $3::int) "
    "AND r.key_id < $4::smallint "
    "ORDER BY r.book_id, r.beneficiary_id, r.version LIMIT 1000";

static const char sql_rotate[] =
    "SELECT rotate_pii($1::int[], $2::bigint[], $3::int[], $4::smallint[], $5::bytea[], "
    "$6::smallint, $7::bytea[])";

/* A cell of type bytea; false: it does not fit, which nothing of ours does not. */
static bool bytes_of(const PGresult *r, int row, int col, void *out, size_t out_size,
                     struct slice *bytes)
{
    struct slice text = slice_of(PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col));
    size_t len = 0;

    *bytes = slice_of(NULL, 0);
    if (PQgetisnull(r, row, col))
        return true;
    if (!slice_starts_with(text, SLICE("\\x")) ||
        err_failed(hex_decode(slice_of(text.p + 2, text.len - 2), out, out_size, &len)))
        return false;
    *bytes = slice_of(out, len);
    return true;
}

static err_t append_bytes(struct rotation *t, struct buf *column, const void *bytes, size_t len)
{
    hex_encode(bytes, len, t->hex);
    return buf_printf(column, "\"\\\\x%s\",", t->hex);
}

/* One more row for rotate_pii. */
static bool add_row(struct rotation *t, const PGresult *r, int row, struct slice old, size_t len)
{
    uint8_t hash[HASH_SIZE];
    bool ok = EVP_Digest(old.p, old.len, hash, NULL, EVP_sha256(), NULL) == 1;

    for (int i = 0; i < 4 && ok; i++)
        ok = !err_failed(buf_printf(&t->column[i], "%s,", PQgetvalue(r, row, i)));
    return ok && !err_failed(append_bytes(t, &t->column[4], hash, sizeof hash)) &&
           !err_failed(append_bytes(t, &t->column[5], t->sealed, len));
}

/* False: no use to go on, and the user was told. */
static bool take_row(struct rotation *t, const PGresult *r, int row)
{
    struct pii_row stored = {.key_id = (int16_t)db_int(r, row, 3)};
    bool read = bytes_of(r, row, 4, t->old, sizeof t->old, &stored.sealed);
    size_t len = 0;

    for (int i = 0; i < PII_FIELDS; i++)
        read =
            bytes_of(r, row, 5 + i, t->commitment[i], PII_COMMITMENT_SIZE, &stored.commitment[i]) &&
            read;
    switch (read ? pii_reseal(t->pii, &stored, t->sealed, &len) : PII_BROKEN) {
    case PII_OK:
        return add_row(t, r, row, stored.sealed, len);
    case PII_KEY_MISSING:
        complain("key %d is not in the file of keys, and there are rows that it has encrypted",
                 stored.key_id);
        return false;
    case PII_BROKEN:
        complain("book %s, beneficiary %s, version %s: it is not what was encrypted; left alone",
                 PQgetvalue(r, row, 0), PQgetvalue(r, row, 1), PQgetvalue(r, row, 2));
        t->broken++;
        return true;
    }
    return false;
}

static void tell_progress(struct rotation *t, bool last)
{
    int64_t now_us = clock_monotonic_us();
    int64_t passed_us = now_us - t->begun_us + 1;

    if (t->quiet || (!last && now_us - t->told_us < PROGRESS_MS * US_PER_MS))
        return;
    t->told_us = now_us;
    printf("  %lld rows encrypted with key %s, %lld a second\n", (long long)t->done, t->newest,
           (long long)(t->done * US_PER_SEC / passed_us));
    fflush(stdout);
}

/* Sends what was gathered; -1 if that failed. */
static int64_t send_batch(struct rotation *t)
{
    const char *values[7];
    int64_t n = -1;
    PGresult *r;

    if (buf_len(&t->column[0]) == 1)
        return 0;
    for (int i = 0; i < 6; i++) {
        t->column[i].store[t->column[i].len - 1] = '}'; /* over the last comma */
        if (err_failed(buf_append_char(&t->column[i], '\0')))
            return -1;
        values[i < 5 ? i : 6] = (const char *)buf_data(&t->column[i]);
    }
    values[5] = t->newest;
    r = db_query(&t->db, sql_rotate, 7, values);
    if (r != NULL)
        n = db_int(r, 0, 0);
    PQclear(r);
    return n;
}

/* The next rows; how many were looked at, -1 on failure. */
static int do_batch(struct rotation *t)
{
    PGresult *r = db_query(&t->db, sql_old_rows, 4,
                           (const char *const[]){t->after[0], t->after[1], t->after[2], t->newest});
    int n = r == NULL ? -1 : PQntuples(r);
    int64_t changed;

    for (int i = 0; i < 6; i++) {
        buf_reset(&t->column[i]);
        if (err_failed(buf_append_char(&t->column[i], '{')))
            n = -1;
    }
    for (int row = 0; row < n; row++)
        if (!take_row(t, r, row))
            n = -1;
    if (n > 0)
        for (int i = 0; i < 3; i++)
            snprintf(t->after[i], sizeof t->after[i], "%s", PQgetvalue(r, n - 1, i));
    PQclear(r);
    changed = n > 0 ? send_batch(t) : 0;
    if (changed < 0)
        return -1;
    t->done += changed;
    return n;
}

/* From the first row to the last; a gateway that has not read the newest key yet may have written behind us. */
static bool rotate_all(struct rotation *t)
{
    int64_t before;
    int n;

    do {
        before = t->done;
        t->broken = 0;
        for (int i = 0; i < 3; i++)
            snprintf(t->after[i], sizeof t->after[i], "0");
        while ((n = do_batch(t)) > 0)
            tell_progress(t, false);
    } while (n == 0 && t->done > before);
    return n == 0;
}

/* Whoever has a newer key than we have would have to decrypt what we take for old. */
static bool is_newest(struct rotation *t)
{
    PGresult *r = db_run(&t->db, "SELECT coalesce(max(key_id), 0) FROM beneficiary_pii");
    int64_t max = r == NULL ? 0 : db_int(r, 0, 0);
    bool ok = r != NULL && max <= pii_newest(t->pii);

    if (r != NULL && !ok)
        complain("there are rows encrypted with key %lld, which is newer than any in this file: "
                 "use the newer file",
                 (long long)max);
    PQclear(r);
    return ok;
}

static enum exit_code rotate(struct rotation *t)
{
    if (!is_newest(t))
        return EXIT_REFUSED;
    t->begun_us = t->told_us = clock_monotonic_us();
    if (!rotate_all(t))
        return db_failure(&t->db);
    tell_progress(t, true);
    return t->broken == 0 ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code pii_rotate_run(const struct args *args)
{
    const char *file = keys_file(args);
    struct rotation *t = calloc(1, sizeof *t);
    struct pii_problem problem;
    enum exit_code code = EXIT_REFUSED;

    if (t == NULL)
        return code;
    for (int i = 0; i < 6; i++)
        buf_init(&t->column[i], BATCH_BYTES_MAX);
    t->quiet = args_quiet(args);
    if (file == NULL) {
        complain("which keys? Say --keys FILE, or set UJRAT_PII_KEYS");
        code = EXIT_USAGE;
    } else if (err_failed(pii_new(file, &t->pii, &problem))) {
        complain("%s", problem.text);
    } else if ((code = db_open(args, DB_AS_OPERATOR, &t->db)) == EXIT_DONE) {
        snprintf(t->newest, sizeof t->newest, "%d", pii_newest(t->pii));
        code = rotate(t);
        db_close(&t->db);
    }
    for (int i = 0; i < 6; i++)
        buf_deinit(&t->column[i]);
    pii_free(&t->pii);
    explicit_bzero(t, sizeof *t);
    free(t);
    return code;
}

/* ---------------------------------------------------------------- status */

static const char *in_file(const struct pii *pii, int16_t id)
{
    if (pii == NULL)
        return "";
    return id == PII_KEY_NONE ? "not encrypted" : pii_has(pii, id) ? "yes" : "no";
}

/* True: every row can be read. */
static bool show_keys(const struct args *args, const struct pii *pii, const PGresult *r)
{
    static const struct report_column columns[] = {
        {"key", REPORT_INT}, {"rows", REPORT_INT}, {"in the file", REPORT_TEXT}};
    struct report *report = NULL;
    bool all = true;

    report_new(columns, pii == NULL ? 2 : 3, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        int16_t id = (int16_t)db_int(r, i, 0);

        all = all && (pii == NULL || id == PII_KEY_NONE || pii_has(pii, id));
        report_add(report, (const char *const[]){PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                                                 in_file(pii, id)});
    }
    report_print(report, args_json(args));
    report_free(&report);
    return all;
}

enum exit_code pii_status_run(const struct args *args)
{
    const char *file = keys_file(args);
    struct pii *pii = NULL;
    struct pii_problem problem;
    struct db db;
    PGresult *r = NULL;
    enum exit_code code;

    if (file != NULL && err_failed(pii_new(file, &pii, &problem))) {
        complain("%s", problem.text);
        return EXIT_REFUSED;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code == EXIT_DONE) {
        r = db_run(&db, "SELECT key_id, count(*) FROM beneficiary_pii GROUP BY 1 ORDER BY 1");
        if (r == NULL)
            code = db_failure(&db);
        else if (!show_keys(args, pii, r))
            code = EXIT_REFUSED;
        PQclear(r);
        db_close(&db);
    }
    pii_free(&pii);
    return code;
}

/* ---------------------------------------------------------------- erase */

/* "5", or the name that ends with it if it is this platform's. */
static bool beneficiary_number(const char *platform, const char *text, const char **number)
{
    char prefix[96];
    int64_t id;
    int len = snprintf(prefix, sizeof prefix, "platforms/%s/beneficiaries/", platform);

    *number = text;
    if (len > 0 && (size_t)len < sizeof prefix && strncmp(text, prefix, (size_t)len) == 0)
        *number = text + len;
    if (!err_failed(str_parse_int64(slice_str(*number), &id)) && id > 0)
        return true;
    complain("'%s' is no beneficiary of %s: a number, or %sNUMBER", text, platform, prefix);
    return false;
}

enum exit_code pii_erase_run(const struct args *args)
{
    const char *platform = args->operands[0];
    const char *reason = args_get(args, "reason");
    const char *number;
    char author[128];
    char book[12];
    struct db db;
    PGresult *r;
    int book_id;
    enum exit_code code;

    if (reason == NULL || reason[0] == '\0') {
        complain("why? Say --reason TEXT");
        return EXIT_USAGE;
    }
    if (!beneficiary_number(platform, args->operands[1], &number))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    book_id = operator_find_book(&db, platform);
    snprintf(book, sizeof book, "%d", book_id);
    r = book_id == 0 ? NULL
                     : db_query(&db, "SELECT erase_beneficiary($1, $2, $3, $4)", 4,
                                (const char *const[]){
                                    book, number, author_of(args, author, sizeof author), reason});
    if (r == NULL)
        code = book_id == 0 ? EXIT_REFUSED : db_failure(&db);
    else if (!args_quiet(args) && db_int(r, 0, 0) == 0)
        printf("platforms/%s/beneficiaries/%s was erased before\n", platform, number);
    else if (!args_quiet(args))
        printf("platforms/%s/beneficiaries/%s is erased (versions: %s)\n", platform, number,
               PQgetvalue(r, 0, 0));
    PQclear(r);
    db_close(&db);
    return code;
}
