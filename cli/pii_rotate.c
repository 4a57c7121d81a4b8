/* ujrat pii rotate: everything that is encrypted of people, anew with the newest key (docs/personal-data.md). */
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/pii_keys_file.h"
#include "ledger/pii_box.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_BYTES_MAX = 32 << 20,
    HASH_SIZE = 32,
    PROGRESS_MS = 2000,
    KEYS = 3,    /* columns that name a row */
    COLUMNS = 6, /* arrays as text: those, old key, hash of old, new */
};

const char pii_rotate_help[] =
    "Encrypts everything that is not encrypted with the newest key of the file anew, in batches. Safe\n"
    "while the gateway runs, to end and begin again, and for two at once. Once it is done an older key may\n"
    "be taken out of the file: nothing that was encrypted with it, in a backup say, can be read any more.";

const struct option_row pii_rotate_options[] = {OPTION_KEYS, {NULL, NULL, NULL, false}};

struct rotation;

/* A table with something encrypted in it. */
struct boxed {
    const char *what;        /* "beneficiary", for people */
    const char *first[KEYS]; /* before every key */
    /* KEYS columns, key_id, sealed, and what else reseal wants: the 1000 after ($1, $2, $3) with keys older than $4 */
    const char *sql_read;
    /* puts them in: arrays of keys, old key ids, hashes of old; the new key; new */
    const char *sql_write;
    /* Encrypts row's box, which is t->old, into t->sealed. */
    enum pii_result (*reseal)(struct rotation *t, const PGresult *r, int row, int16_t key_id,
                              struct slice old, size_t *len);
};

struct rotation {
    struct pii *pii;
    struct db db;
    bool quiet;
    const struct boxed *boxed;
    char newest[8];
    char after[KEYS][96]; /* the last row looked at */
    int64_t done, broken, begun_us, told_us;
    struct buf column[COLUMNS];
    uint8_t sealed[PII_SEALED_BYTES_MAX];
    uint8_t old[PII_SEALED_BYTES_MAX];
    uint8_t plain[PII_SEALED_BYTES_MAX];
    uint8_t commitment[PII_FIELDS][PII_COMMITMENT_SIZE];
    char hex[HEX_SIZE(PII_SEALED_BYTES_MAX)];
};

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

static enum pii_result reseal_person(struct rotation *t, const PGresult *r, int row, int16_t key_id,
                                     struct slice old, size_t *len)
{
    struct pii_row stored = {.key_id = key_id, .sealed = old};

    for (int i = 0; i < PII_FIELDS; i++)
        if (!bytes_of(r, row, KEYS + 2 + i, t->commitment[i], PII_COMMITMENT_SIZE,
                      &stored.commitment[i]))
            return PII_BROKEN;
    return pii_reseal(t->pii, &stored, t->sealed, len);
}

static enum pii_result reseal_box(struct rotation *t, const struct pii_place *place, int16_t key_id,
                                  struct slice old, size_t *len)
{
    struct slice text;
    int16_t newest = 0;
    enum pii_result result = pii_box_open(t->pii, place, key_id, old, t->plain, &text);

    if (result != PII_OK)
        return result;
    *len = text.len + PII_BOX_OVERHEAD;
    if (err_failed(pii_box_seal(t->pii, place, text, t->sealed, &newest)))
        result = PII_BROKEN;
    OPENSSL_cleanse(t->plain, text.len);
    return result;
}

/* Bound to book, kind and lookup (gateway/rpc/beneficiary_receiver.c). */
static enum pii_result reseal_receiver(struct rotation *t, const PGresult *r, int row,
                                       int16_t key_id, struct slice old, size_t *len)
{
    uint8_t lookup[PII_LOOKUP_SIZE];
    struct pii_place place = {.table = "receiver", .a = db_int(r, row, 0), .b = db_int(r, row, 1)};

    if (!bytes_of(r, row, 2, lookup, sizeof lookup, &place.key))
        return PII_BROKEN;
    return reseal_box(t, &place, key_id, old, len);
}

/* Bound to book, number and the batch's fingerprint (gateway/rest/payouts_create.c). */
static enum pii_result reseal_item(struct rotation *t, const PGresult *r, int row, int16_t key_id,
                                   struct slice old, size_t *len)
{
    uint8_t fingerprint[16];
    struct pii_place place = {
        .table = "payout_batch_item", .a = db_int(r, row, 0), .b = db_int(r, row, 2)};

    if (!bytes_of(r, row, KEYS + 2, fingerprint, sizeof fingerprint, &place.key))
        return PII_BROKEN;
    return reseal_box(t, &place, key_id, old, len);
}

static const struct boxed tables[] = {
    {
        .what = "beneficiary",
        .first = {"0", "0", "0"},
        .sql_read =
            "SELECT r.book_id, r.beneficiary_id, r.version, r.key_id, r.sealed, v.name_commitment, "
            "v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment "
            "FROM beneficiary_pii r JOIN beneficiary_version v USING (book_id, beneficiary_id, version) "
            "WHERE (r.book_id, r.beneficiary_id, r.version) > ($1::int, $2::bigint, $3::int) "
            "AND r.key_id < $4::smallint "
            "ORDER BY r.book_id, r.beneficiary_id, r.version LIMIT 1000",
        .sql_write = "SELECT rotate_pii($1::int[], $2::bigint[], $3::int[], $4::smallint[], "
                     "$5::bytea[], $6::smallint, $7::bytea[])",
        .reseal = reseal_person,
    },
    {
        .what = "receiver",
        .first = {"0", "0", "\\x"},
        .sql_read = "SELECT book_id, kind, lookup, key_id, sealed FROM receiver "
                    "WHERE (book_id, kind, lookup) > ($1::int, $2::smallint, $3::bytea) "
                    "AND key_id < $4::smallint ORDER BY book_id, kind, lookup LIMIT 1000",
        .sql_write = "SELECT rotate_receivers($1::int[], $2::smallint[], $3::bytea[], "
                     "$4::smallint[], $5::bytea[], $6::smallint, $7::bytea[])",
        .reseal = reseal_receiver,
    },
    {
        .what = "item of a batch",
        .first = {"0", "0", "0"},
        .sql_read = "SELECT i.book_id, i.batch_id, i.item_no, i.key_id, i.sealed, b.fingerprint "
                    "FROM payout_batch_item i JOIN payout_batch b USING (book_id, batch_id) "
                    "WHERE (i.book_id, i.batch_id, i.item_no) > ($1::int, $2::bigint, $3::int) "
                    "AND i.key_id < $4::smallint AND i.sealed IS NOT NULL "
                    "ORDER BY i.book_id, i.batch_id, i.item_no LIMIT 1000",
        .sql_write = "SELECT rotate_batch_items($1::int[], $2::bigint[], $3::int[], "
                     "$4::smallint[], $5::bytea[], $6::smallint, $7::bytea[])",
        .reseal = reseal_item,
    },
};

/* ---------------------------------------------------------------- rows */

static err_t append_bytes(struct rotation *t, struct buf *column, const void *bytes, size_t len)
{
    hex_encode(bytes, len, t->hex);
    return buf_printf(column, "\"\\\\x%s\",", t->hex);
}

/* One more row to put in. Keys are numbers, or bytes, which an array's text wants quoted. */
static bool add_row(struct rotation *t, const PGresult *r, int row, struct slice old, size_t len)
{
    uint8_t hash[HASH_SIZE];
    bool ok = EVP_Digest(old.p, old.len, hash, NULL, EVP_sha256(), NULL) == 1;

    for (int i = 0; i < KEYS + 1 && ok; i++) {
        const char *value = PQgetvalue(r, row, i);
        ok = !err_failed(buf_printf(&t->column[i], value[0] == '\\' ? "\"\\%s\"," : "%s,", value));
    }
    return ok && !err_failed(append_bytes(t, &t->column[4], hash, sizeof hash)) &&
           !err_failed(append_bytes(t, &t->column[5], t->sealed, len));
}

/* False: no use to go on, and the user was told. */
static bool take_row(struct rotation *t, const PGresult *r, int row)
{
    int16_t key_id = (int16_t)db_int(r, row, KEYS);
    struct slice old;
    size_t len = 0;
    enum pii_result result = PII_BROKEN;

    if (bytes_of(r, row, KEYS + 1, t->old, sizeof t->old, &old))
        result = t->boxed->reseal(t, r, row, key_id, old, &len);
    switch (result) {
    case PII_OK:
        return add_row(t, r, row, old, len);
    case PII_KEY_MISSING:
        complain("key %d is not in the file of keys, and there are rows that it has encrypted",
                 key_id);
        return false;
    case PII_BROKEN:
        complain("%s %s/%s/%s: it is not what was encrypted; left alone", t->boxed->what,
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
    for (int i = 0; i < COLUMNS; i++) {
        t->column[i].store[t->column[i].len - 1] = '}'; /* over the last comma */
        if (err_failed(buf_append_char(&t->column[i], '\0')))
            return -1;
        values[i < 5 ? i : 6] = (const char *)buf_data(&t->column[i]);
    }
    values[5] = t->newest;
    r = db_query(&t->db, t->boxed->sql_write, 7, values);
    if (r != NULL)
        n = db_int(r, 0, 0);
    PQclear(r);
    return n;
}

/* The next rows; how many were looked at, -1 on failure. */
static int do_batch(struct rotation *t)
{
    PGresult *r = db_query(&t->db, t->boxed->sql_read, 4,
                           (const char *const[]){t->after[0], t->after[1], t->after[2], t->newest});
    int n = r == NULL ? -1 : PQntuples(r);
    int64_t changed;

    for (int i = 0; i < COLUMNS; i++) {
        buf_reset(&t->column[i]);
        if (err_failed(buf_append_char(&t->column[i], '{')))
            n = -1;
    }
    for (int row = 0; row < n; row++)
        if (!take_row(t, r, row))
            n = -1;
    if (n > 0)
        for (int i = 0; i < KEYS; i++)
            snprintf(t->after[i], sizeof t->after[i], "%s", PQgetvalue(r, n - 1, i));
    PQclear(r);
    changed = n > 0 ? send_batch(t) : 0;
    if (changed < 0)
        return -1;
    t->done += changed;
    return n;
}

/* From the first row to the last of every table; a gateway that has not read the newest key yet may have written behind
 * us. */
static bool rotate_all(struct rotation *t)
{
    int64_t before;
    int n = 0;

    do {
        before = t->done;
        t->broken = 0;
        for (size_t k = 0; n == 0 && k < sizeof tables / sizeof *tables; k++) {
            t->boxed = &tables[k];
            for (int i = 0; i < KEYS; i++)
                snprintf(t->after[i], sizeof t->after[i], "%s", t->boxed->first[i]);
            while ((n = do_batch(t)) > 0)
                tell_progress(t, false);
        }
    } while (n == 0 && t->done > before);
    return n == 0;
}

/* Whoever has a newer key than we have would have to decrypt what we take for old. */
static bool is_newest(struct rotation *t)
{
    PGresult *r = db_run(&t->db, "SELECT coalesce(max(key_id), 0) FROM pii_key_use");
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
    const char *file = pii_keys_file(args);
    struct rotation *t = calloc(1, sizeof *t);
    struct pii_problem problem;
    enum exit_code code = EXIT_REFUSED;

    if (t == NULL)
        return code;
    for (int i = 0; i < COLUMNS; i++)
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
    for (int i = 0; i < COLUMNS; i++)
        buf_deinit(&t->column[i]);
    pii_free(&t->pii);
    explicit_bzero(t, sizeof *t);
    free(t);
    return code;
}
