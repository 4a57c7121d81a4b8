#include "seal/reader.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "seal/policy.h"

enum {
    DICT_MAX = 1 << 22, /* the largest number a name may have */
    CACHED_BENEFICIARIES = 1 << 16,
    QUOTE_BYTES_MAX = 64 << 20, /* of one run */
    KINDS = 22,
};

static_assert((int)SEAL_HANDOVER_PAYOUTS_MAX <= (int)SEAL_RUN_MAX, "a block is a run");

/* journal_kind: numbers and what their journals are about (docs/log-format.md). */
enum journal_kind {
    PAYOUT_ACCEPTED = 1,
    PAYOUTS_INSTRUCTED,
    PAYOUT_SETTLED,
    PAYOUT_REJECTED,
    SETTLEMENT_REVERSED,
    PAYOUT_RETURNED,
    PAYOUT_CANCELLED,
    FLOAT_DEPOSITED,
    ADJUSTMENT,
    SETTLEMENT_PARTLY_REVERSED,
    PAYOUT_PARTLY_RETURNED,
    RETURN_REVERSED,
    SETTLEMENT_RESTORED,
    NOSTRO_FUNDED,
    PAYOUT_UNCLAIMED,
    UNCLAIMED_CLAIMED,
    UNCLAIMED_RETURNED,
    PAYOUT_HELD,
    HOLD_RELEASED,
    HOLD_REFUSED,
    PAYOUT_REFUSED,
};

static const enum seal_subject subject_of[KINDS] = {
    [PAYOUT_ACCEPTED] = SEAL_SUBJECT_PAYOUT,
    [PAYOUTS_INSTRUCTED] = SEAL_SUBJECT_HANDOUT,
    [PAYOUT_SETTLED] = SEAL_SUBJECT_TRANSITION,
    [PAYOUT_REJECTED] = SEAL_SUBJECT_TRANSITION,
    [SETTLEMENT_REVERSED] = SEAL_SUBJECT_NONE,
    [PAYOUT_RETURNED] = SEAL_SUBJECT_TRANSITION,
    [PAYOUT_CANCELLED] = SEAL_SUBJECT_TRANSITION,
    [FLOAT_DEPOSITED] = SEAL_SUBJECT_DEPOSIT,
    [ADJUSTMENT] = SEAL_SUBJECT_ADJUSTMENT,
    [SETTLEMENT_PARTLY_REVERSED] = SEAL_SUBJECT_NONE,
    [PAYOUT_PARTLY_RETURNED] = SEAL_SUBJECT_TRANSITION,
    [RETURN_REVERSED] = SEAL_SUBJECT_NONE,
    [SETTLEMENT_RESTORED] = SEAL_SUBJECT_TRANSITION,
    [NOSTRO_FUNDED] = SEAL_SUBJECT_NONE,
    [PAYOUT_UNCLAIMED] = SEAL_SUBJECT_UNCLAIMED,
    [UNCLAIMED_CLAIMED] = SEAL_SUBJECT_UNCLAIMED_END,
    [UNCLAIMED_RETURNED] = SEAL_SUBJECT_UNCLAIMED_END,
    [PAYOUT_HELD] = SEAL_SUBJECT_HOLD,
    [HOLD_RELEASED] = SEAL_SUBJECT_HOLD_END,
    [HOLD_REFUSED] = SEAL_SUBJECT_HOLD_END,
    [PAYOUT_REFUSED] = SEAL_SUBJECT_TRANSITION,
};

/* Subjects have a table each, read by seq; none has none. */
enum { SUBJECTS = SEAL_SUBJECT_HOLD_END + 1 };

static const char *const statement_of[SUBJECTS] = {
    [SEAL_SUBJECT_PAYOUT] = "seal_payouts",
    [SEAL_SUBJECT_TRANSITION] = "seal_transitions",
    [SEAL_SUBJECT_HANDOUT] = "seal_handouts",
    [SEAL_SUBJECT_DEPOSIT] = "seal_deposits",
    [SEAL_SUBJECT_ADJUSTMENT] = "seal_adjustments",
    [SEAL_SUBJECT_UNCLAIMED] = "seal_unclaimed",
    [SEAL_SUBJECT_UNCLAIMED_END] = "seal_unclaimed_ends",
    [SEAL_SUBJECT_HOLD] = "seal_holds",
    [SEAL_SUBJECT_HOLD_END] = "seal_hold_ends",
};

enum names { CURRENCIES, BANKS, KIND_NAMES, PRINCIPALS, NAMES };

/* Digests of beneficiaries by their number: as many as fit, the newer one in the place of the older. */
struct cached_beneficiary {
    int64_t id;
    int32_t version, book_id;
    seal_hash_t digest;
};

struct seal_reader {
    struct seal_hasher *h;
    struct seal_dict names[NAMES];
    struct seal_dict rate_sheets; /* digests */
    struct seal_dict policies;    /* the same */
    struct cached_beneficiary *cached;
    struct params params;
    struct seal_record record, aside;

    /* of the run that is being read */
    struct seal_copy journals, payouts;
    struct rows *of[SUBJECTS]; /* the rarer ones */
    int at[SUBJECTS];
    seal_hash_t *beneficiary; /* of each payout of the run */
    int64_t *missing_id, *missing_version;
    int *missing_row;
    struct slice *quote; /* of each payout of the run; p NULL: none */
    size_t *quote_at;
    struct buf quotes;
};

/* ---------------------------------------------------------------- cells */

static inline const PGresult *raw(const struct rows *r)
{
    return (const PGresult *)(const void *)r;
}

/* p NULL for SQL's NULL: an absent field. */
static inline struct slice cell(const struct rows *r, int row, int col)
{
    if (PQgetisnull(raw(r), row, col))
        return slice_of(NULL, 0);
    return slice_of(PQgetvalue(raw(r), row, col), (size_t)PQgetlength(raw(r), row, col));
}

static inline struct seal_opt_int optional(const struct rows *r, int row, int col)
{
    if (rows_is_null(r, row, col))
        return (struct seal_opt_int){false, 0};
    return (struct seal_opt_int){true, rows_int(r, row, col)};
}

static inline struct slice cell_text(struct seal_cell c)
{
    return c.len < 0 ? slice_of(NULL, 0) : slice_of(c.p, (size_t)c.len);
}

/* int2, int4 and int8; zero for NULL. */
static inline int64_t cell_int(struct seal_cell c)
{
    uint64_t be64;
    uint32_t be32;
    uint16_t be16;
    switch (c.len) {
    case 8:
        memcpy(&be64, c.p, sizeof be64);
        return (int64_t)be64toh(be64);
    case 4:
        memcpy(&be32, c.p, sizeof be32);
        return (int32_t)be32toh(be32);
    case 2:
        memcpy(&be16, c.p, sizeof be16);
        return (int16_t)be16toh(be16);
    default:
        assert(c.len < 0);
        return 0;
    }
}

static inline struct seal_opt_int cell_optional(struct seal_cell c)
{
    return (struct seal_opt_int){c.len >= 0, cell_int(c)};
}

/* An array of int2, int4 or int8 without NULLs (array_send: dimensions, flags, type, count, lower bound; then each behind
 * its length). -1: it is none, or has more than SEAL_LINES_MAX. */
static inline int cell_ints(struct seal_cell c, int64_t out[SEAL_LINES_MAX])
{
    enum { HEADER = 20 };
    if (c.len < HEADER)
        return c.len == 12 ? 0 : -1;
    int64_t n = cell_int((struct seal_cell){c.p + 12, 4});
    if (cell_int((struct seal_cell){c.p, 4}) != 1 || n < 0 || n > SEAL_LINES_MAX)
        return -1;
    const unsigned char *at = c.p + HEADER, *end = c.p + c.len;
    for (int i = 0; i < n; i++) {
        int64_t len = end - at < 4 ? -1 : cell_int((struct seal_cell){at, 4});
        if ((len != 2 && len != 4 && len != 8) || end - at < 4 + len)
            return -1;
        out[i] = cell_int((struct seal_cell){at + 4, (int32_t)len});
        at += 4 + len;
    }
    return at == end ? (int)n : -1;
}

static inline struct slice hash_slice(const seal_hash_t *h)
{
    return slice_of(h->b, sizeof h->b);
}

/* ---------------------------------------------------------------- dictionaries */

static struct slice dict_get(const struct seal_dict *d, int64_t number)
{
    return number < 0 || (uint64_t)number >= d->n ? slice_of(NULL, 0) : d->entry[number];
}

/* False: no memory, or a number out of all proportion. */
static bool dict_put(struct seal_dict *d, int64_t number, struct slice text)
{
    if (number < 0 || number >= DICT_MAX)
        return false;
    size_t at = (size_t)number;
    if (at >= d->n) {
        size_t n = d->n == 0 ? 64 : d->n;
        while (n <= at)
            n *= 2;
        struct slice *entry = realloc(d->entry, n * sizeof *entry);
        if (entry == NULL)
            return false;
        memset(entry + d->n, 0, (n - d->n) * sizeof *entry);
        d->entry = entry;
        d->n = n;
    }
    if (d->entry[at].p != NULL)
        return true;
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return false;
    if (text.len > 0)
        memcpy(copy, text.p, text.len);
    d->entry[at] = slice_of(copy, text.len);
    return true;
}

static void dict_deinit(struct seal_dict *d)
{
    for (size_t i = 0; i < d->n; i++)
        free((void *)(uintptr_t)d->entry[i].p);
    free(d->entry);
    *d = (struct seal_dict){0};
}

void seal_book_deinit(struct seal_book *book)
{
    dict_deinit(&book->accounts);
    free(book->payables);
    book->payables = NULL;
    book->n_payables = 0;
}

static enum seal_result no_memory(struct seal_db *db)
{
    (void)seal_db_broken(db, "out of memory");
    return SEAL_LOST;
}

static enum seal_result load_names(struct seal_reader *r, struct seal_db *db)
{
    struct rows *rows;
    params_reset(&r->params);
    enum seal_result result = seal_db_ask(db, "seal_names", &r->params, &rows);
    for (int i = 0; result == SEAL_OK && i < rows_count(rows); i++) {
        int64_t which = rows_int(rows, i, 0);
        assert(which >= 0 && which < NAMES);
        if (!dict_put(&r->names[which], rows_int(rows, i, 1), rows_text(rows, i, 2)))
            result = no_memory(db);
    }
    rows_free(&rows);
    return result;
}

static int64_t bank_and_ccy(int64_t bank_id, int64_t ccy)
{
    return bank_id * 65536 + ccy;
}

/* The text of an account of the dictionary, which stays where it is. */
static bool put_payable(struct seal_book *book, int64_t key, struct slice account)
{
    for (size_t i = 0; i < book->n_payables; i++)
        if (book->payables[i].bank_and_ccy == key)
            return true;
    struct seal_payable *more =
        realloc(book->payables, (book->n_payables + 1) * sizeof *book->payables);
    if (more == NULL)
        return false;
    book->payables = more;
    book->payables[book->n_payables++] = (struct seal_payable){key, account};
    return true;
}

static enum seal_result load_accounts(struct seal_reader *r, struct seal_db *db,
                                      struct seal_book *book)
{
    struct rows *rows;
    params_reset(&r->params);
    params_add_int4(&r->params, book->book_id);
    enum seal_result result = seal_db_ask(db, "seal_accounts", &r->params, &rows);
    for (int i = 0; result == SEAL_OK && i < rows_count(rows); i++) {
        int64_t number = rows_int(rows, i, 0);
        if (!dict_put(&book->accounts, number, rows_text(rows, i, 1)) ||
            (!rows_is_null(rows, i, 2) &&
             !put_payable(book, bank_and_ccy(rows_int(rows, i, 2), rows_int(rows, i, 3)),
                          dict_get(&book->accounts, number))))
            result = no_memory(db);
    }
    rows_free(&rows);
    return result;
}

/* A name that is not known: read again, and then it must be. */
static enum seal_result find_name(struct seal_reader *r, struct seal_db *db, enum names which,
                                  int64_t number, struct slice *out)
{
    static const char *const what[NAMES] = {"currency", "bank", "kind of journal", "principal"};
    *out = dict_get(&r->names[which], number);
    if (out->p != NULL)
        return SEAL_OK;
    enum seal_result result = load_names(r, db);
    *out = dict_get(&r->names[which], number);
    if (result == SEAL_OK && out->p == NULL)
        return seal_db_broken(db, "there is no %s %lld", what[which], (long long)number);
    return result;
}

static enum seal_result find_account(struct seal_reader *r, struct seal_db *db,
                                     struct seal_book *book, int64_t number, struct slice *out)
{
    *out = dict_get(&book->accounts, number);
    if (out->p != NULL)
        return SEAL_OK;
    enum seal_result result = load_accounts(r, db, book);
    *out = dict_get(&book->accounts, number);
    if (result == SEAL_OK && out->p == NULL)
        return seal_db_broken(db, "there is no account %lld", (long long)number);
    return result;
}

static bool get_payable(const struct seal_book *book, int64_t key, struct slice *out)
{
    for (size_t i = 0; i < book->n_payables; i++)
        if (book->payables[i].bank_and_ccy == key) {
            *out = book->payables[i].account;
            return true;
        }
    return false;
}

static enum seal_result find_payable(struct seal_reader *r, struct seal_db *db,
                                     struct seal_book *book, int16_t bank_id, int16_t ccy,
                                     struct slice *out)
{
    const int64_t key = bank_and_ccy(bank_id, ccy);
    if (get_payable(book, key, out))
        return SEAL_OK;
    enum seal_result result = load_accounts(r, db, book);
    if (result == SEAL_OK && !get_payable(book, key, out))
        return seal_db_broken(db, "bank %d has no payable account in currency %d", bank_id, ccy);
    return result;
}

enum { DATE_EPOCH_DAYS = 10957 }; /* PostgreSQL counts days from 2000-01-01 */

static enum seal_result digest_rate_sheet(struct seal_reader *r, struct seal_db *db,
                                          int64_t rate_id, const struct rows *rows)
{
    seal_hash_t digest;
    int n = rows_count(rows);
    if (n == 0 || rows_is_null(rows, 0, 1) || rows_is_null(rows, 0, 2))
        return seal_db_broken(db, "there is no rate sheet %lld that was accepted",
                              (long long)rate_id);
    if (rows_is_null(rows, 0, 8))
        n = 0; /* the sheet's own row, without rates */
    seal_record_rate_sheet(&r->aside, &(struct seal_rate_sheet){
                                          .rate_id = rate_id,
                                          .source = cell(rows, 0, 0),
                                          .sheet_date = rows_int(rows, 0, 1) + DATE_EPOCH_DAYS,
                                          .as_of = rows_time_us(rows, 0, 2),
                                          .imported_at = rows_time_us(rows, 0, 3),
                                          .file_name = cell(rows, 0, 4),
                                          .file_sha256 = cell(rows, 0, 5),
                                          .author = cell(rows, 0, 6),
                                          .n_rates = n,
                                      });
    for (int i = 0; i < n; i++)
        seal_record_rate(&r->aside, cell(rows, i, 7), rows_int(rows, i, 8));
    if (r->aside.failed)
        return no_memory(db);
    seal_hash(r->h, seal_record_bytes(&r->aside), &digest);
    return dict_put(&r->rate_sheets, rate_id, hash_slice(&digest)) ? SEAL_OK : no_memory(db);
}

static enum seal_result find_rate_sheet(struct seal_reader *r, struct seal_db *db, int64_t rate_id,
                                        struct slice *out)
{
    struct rows *rows;
    *out = dict_get(&r->rate_sheets, rate_id);
    if (out->p != NULL)
        return SEAL_OK;
    params_reset(&r->params);
    params_add_int4(&r->params, (int32_t)rate_id);
    enum seal_result result = seal_db_ask(db, "seal_rate_sheet", &r->params, &rows);
    if (result == SEAL_OK)
        result = digest_rate_sheet(r, db, rate_id, rows);
    rows_free(&rows);
    *out = dict_get(&r->rate_sheets, rate_id);
    return result;
}

/* ---------------------------------------------------------------- policies */

static enum seal_result digest_policy(struct seal_reader *r, struct seal_db *db, int64_t policy_id,
                                      const struct rows *rows)
{
    seal_hash_t digest;
    if (!seal_policy_record(r->h, policy_id, rows, &r->record, &r->aside))
        return seal_db_broken(db, "there is no version %lld of the policy", (long long)policy_id);
    if (r->aside.failed)
        return no_memory(db);
    seal_hash(r->h, seal_record_bytes(&r->aside), &digest);
    return dict_put(&r->policies, policy_id, hash_slice(&digest)) ? SEAL_OK : no_memory(db);
}

/* Absent for 0: whatever it is about is from before there were versions. A version that is in force changes no more, nor
 * do those before it. */
static enum seal_result find_policy(struct seal_reader *r, struct seal_db *db, int64_t policy_id,
                                    struct slice *out)
{
    struct rows *rows;
    *out = dict_get(&r->policies, policy_id);
    if (policy_id == 0 || out->p != NULL)
        return SEAL_OK;
    params_reset(&r->params);
    params_add_int4(&r->params, (int32_t)policy_id);
    enum seal_result result = seal_db_ask(db, "seal_policy", &r->params, &rows);
    if (result == SEAL_OK)
        result = digest_policy(r, db, policy_id, rows);
    rows_free(&rows);
    *out = dict_get(&r->policies, policy_id);
    return result;
}

/* ---------------------------------------------------------------- beneficiaries */

enum payout_column {
    P_ID,
    P_REFERENCE,
    P_INFO,
    P_BANK,
    P_SRC_CCY,
    P_DST_CCY,
    P_GROSS,
    P_FEE,
    P_MID_RATE,
    P_MID_VALUE,
    P_MARGIN_BPS,
    P_MARGIN,
    P_NET,
    P_DIGIT_SHIFT,
    P_FINGERPRINT,
    P_BENEFICIARY,
    P_VERSION,
    P_RATE,
    P_QUOTE,
    P_POLICY,
    PAYOUT_COLUMNS,
};

static struct cached_beneficiary *place_of(struct seal_reader *r, int32_t book, int64_t id,
                                           int64_t version)
{
    uint64_t x = ((uint64_t)id * 31 + (uint64_t)version) * 127 + (uint64_t)book;
    x *= 0x9e3779b97f4a7c15ULL; /* Fibonacci hashing: Knuth, volume 3, 6.4 */
    return &r->cached[x >> 48];
}

static enum seal_result digest_beneficiary(struct seal_reader *r, struct seal_db *db,
                                           const struct seal_book *book, const struct rows *rows,
                                           int i, seal_hash_t *out)
{
    struct seal_beneficiary b = {
        .book = slice_str(book->code),
        .beneficiary_id = rows_int(rows, i, 0),
        .version = rows_int(rows, i, 1),
        .channel = rows_int(rows, i, 3),
        .purpose_code = cell(rows, i, 4),
        .created_at = rows_time_us(rows, i, 11),
    };
    for (int k = 0; k < SEAL_COMMITMENTS; k++)
        b.commitments[k] = cell(rows, i, 5 + k);
    enum seal_result result = find_name(r, db, BANKS, rows_int(rows, i, 2), &b.bank);
    if (result == SEAL_OK)
        result = find_name(r, db, PRINCIPALS, rows_int(rows, i, 10), &b.actor);
    if (result != SEAL_OK)
        return result;
    seal_record_beneficiary(&r->aside, &b);
    if (r->aside.failed)
        return no_memory(db);
    seal_hash(r->h, seal_record_bytes(&r->aside), out);
    *place_of(r, book->book_id, b.beneficiary_id, b.version) =
        (struct cached_beneficiary){b.beneficiary_id, (int32_t)b.version, book->book_id, *out};
    return SEAL_OK;
}

static enum seal_result fetch_missing(struct seal_reader *r, struct seal_db *db,
                                      const struct seal_book *book, int n)
{
    struct rows *rows;
    params_reset(&r->params);
    params_add_int4(&r->params, book->book_id);
    params_add_int8_array(&r->params, r->missing_id, n);
    params_add_int8_array(&r->params, r->missing_version, n);
    enum seal_result result = seal_db_ask(db, "seal_beneficiaries", &r->params, &rows);
    if (result == SEAL_OK && rows_count(rows) != n)
        result = seal_db_broken(db, "a payout's beneficiary is missing: %d of %d are there",
                                rows_count(rows), n);
    for (int i = 0; result == SEAL_OK && i < n; i++)
        result = digest_beneficiary(r, db, book, rows, i, &r->beneficiary[r->missing_row[i]]);
    rows_free(&rows);
    return result;
}

/* The digest for payout i of the run, if we have it; else it is noted as missing, one more of *missing. */
static inline bool find_beneficiary(struct seal_reader *r, const struct seal_book *book, int64_t id,
                                    int64_t version, int i, int *missing)
{
    const struct cached_beneficiary *c = place_of(r, book->book_id, id, version);
    if (c->id == id && c->version == version && c->book_id == book->book_id) {
        r->beneficiary[i] = c->digest;
        return true;
    }
    r->missing_id[*missing] = id;
    r->missing_version[*missing] = version;
    r->missing_row[(*missing)++] = i;
    return false;
}

static enum seal_result find_beneficiaries(struct seal_reader *r, struct seal_db *db,
                                           const struct seal_book *book)
{
    struct seal_cell cells[PAYOUT_COLUMNS];
    int missing = 0;
    for (int i = 0; i < r->payouts.n; i++) {
        seal_copy_row(&r->payouts, i, cells);
        (void)find_beneficiary(r, book, cell_int(cells[P_BENEFICIARY]), cell_int(cells[P_VERSION]),
                               i, &missing);
    }
    return missing == 0 ? SEAL_OK : fetch_missing(r, db, book, missing);
}

/* ---------------------------------------------------------------- quotes */

static enum seal_result write_quote(struct seal_reader *r, struct seal_db *db,
                                    const struct seal_book *book, const struct rows *rows, int i)
{
    struct seal_quote q = {
        .book = slice_str(book->code),
        .quote_id = rows_int(rows, i, 0),
        .request_id = cell(rows, i, 1),
        .fingerprint = cell(rows, i, 2),
        .digit_shift = rows_int(rows, i, 5),
        .gross = rows_int(rows, i, 7),
        .fee = rows_int(rows, i, 8),
        .mid_rate_e10 = rows_int(rows, i, 9),
        .mid_value = rows_int(rows, i, 10),
        .margin_bps = rows_int(rows, i, 11),
        .margin = rows_int(rows, i, 12),
        .net = rows_int(rows, i, 13),
        .created_at = rows_time_us(rows, i, 15),
        .expires_at = rows_time_us(rows, i, 16),
    };
    enum seal_result result = find_name(r, db, CURRENCIES, rows_int(rows, i, 3), &q.src_ccy);
    if (result == SEAL_OK)
        result = find_name(r, db, CURRENCIES, rows_int(rows, i, 4), &q.dst_ccy);
    if (result == SEAL_OK)
        result = find_rate_sheet(r, db, rows_int(rows, i, 6), &q.rate_sheet);
    if (result == SEAL_OK)
        result = find_name(r, db, PRINCIPALS, rows_int(rows, i, 14), &q.actor);
    if (result == SEAL_OK)
        result = find_policy(r, db, optional(rows, i, 17).value, &q.policy);
    if (result != SEAL_OK)
        return result;
    seal_record_quote(&r->aside, &q);
    struct slice bytes = seal_record_bytes(&r->aside);
    if (r->aside.failed || err_failed(buf_append(&r->quotes, bytes.p, bytes.len)))
        return no_memory(db);
    return SEAL_OK;
}

/* The whole records of the quotes that payouts of the run used. */
static enum seal_result find_quotes(struct seal_reader *r, struct seal_db *db,
                                    const struct seal_book *book)
{
    struct seal_cell cells[PAYOUT_COLUMNS];
    struct rows *rows;
    int n = 0;
    for (int i = 0; i < r->payouts.n; i++) {
        r->quote[i] = slice_of(NULL, 0);
        seal_copy_row(&r->payouts, i, cells);
        if (cells[P_QUOTE].len < 0)
            continue;
        r->missing_id[n] = cell_int(cells[P_QUOTE]);
        r->missing_row[n++] = i;
    }
    buf_reset(&r->quotes);
    if (n == 0)
        return SEAL_OK;
    params_reset(&r->params);
    params_add_int4(&r->params, book->book_id);
    params_add_int8_array(&r->params, r->missing_id, n);
    enum seal_result result = seal_db_ask(db, "seal_quotes", &r->params, &rows);
    if (result == SEAL_OK && rows_count(rows) != n)
        result = seal_db_broken(db, "a payout's quote is missing");
    for (int i = 0; result == SEAL_OK && i < n; i++) {
        r->quote_at[i] = buf_len(&r->quotes);
        result = write_quote(r, db, book, rows, i);
    }
    r->quote_at[n] = buf_len(&r->quotes);
    /* Only now: the buffer moves while it grows. */
    for (int i = 0; result == SEAL_OK && i < n; i++)
        r->quote[r->missing_row[i]] =
            slice_of(buf_data(&r->quotes) + r->quote_at[i], r->quote_at[i + 1] - r->quote_at[i]);
    rows_free(&rows);
    return result;
}

/* ---------------------------------------------------------------- journals */

enum journal_column {
    J_KIND,
    J_BLOCK,
    J_PRINCIPAL,
    J_PAYOUT,
    J_REVERSES,
    J_DETAIL,
    J_ACCOUNTS,
    J_CCYS,
    J_MINORS,
    JOURNAL_COLUMNS,
};

static enum seal_result fill_lines(struct seal_reader *r, struct seal_db *db,
                                   struct seal_book *book, const struct seal_cell *cells,
                                   struct seal_journal *j)
{
    int64_t account[SEAL_LINES_MAX], ccy[SEAL_LINES_MAX], minor[SEAL_LINES_MAX];
    int n = cell_ints(cells[J_ACCOUNTS], account);
    if (n < 0 || cell_ints(cells[J_CCYS], ccy) != n || cell_ints(cells[J_MINORS], minor) != n)
        return seal_db_broken(db, "journal %lld has no proper lines", (long long)j->seq);
    j->n_lines = (unsigned)n;
    for (int k = 0; k < n; k++) {
        enum seal_result result = find_account(r, db, book, account[k], &j->lines[k].account);
        if (result == SEAL_OK)
            result = find_name(r, db, CURRENCIES, ccy[k], &j->lines[k].currency);
        if (result != SEAL_OK)
            return result;
        j->lines[k].amount = minor[k];
    }
    return SEAL_OK;
}

static enum seal_result fill_payout(struct seal_reader *r, struct seal_db *db, int i,
                                    struct seal_payout *p)
{
    struct seal_cell cells[PAYOUT_COLUMNS];
    seal_copy_row(&r->payouts, i, cells);
    *p = (struct seal_payout){
        .reference = cell_text(cells[P_REFERENCE]),
        .info = cell_text(cells[P_INFO]),
        .gross = cell_int(cells[P_GROSS]),
        .fee = cell_int(cells[P_FEE]),
        .mid_rate_e10 = cell_int(cells[P_MID_RATE]),
        .mid_value = cell_int(cells[P_MID_VALUE]),
        .margin_bps = cell_int(cells[P_MARGIN_BPS]),
        .margin = cell_int(cells[P_MARGIN]),
        .net = cell_int(cells[P_NET]),
        .digit_shift = cell_int(cells[P_DIGIT_SHIFT]),
        .fingerprint = cell_text(cells[P_FINGERPRINT]),
        .beneficiary_id = cell_int(cells[P_BENEFICIARY]),
        .beneficiary_version = cell_int(cells[P_VERSION]),
        .beneficiary = hash_slice(&r->beneficiary[i]),
        .quote = r->quote[i],
    };
    enum seal_result result = find_name(r, db, BANKS, cell_int(cells[P_BANK]), &p->bank);
    if (result == SEAL_OK)
        result = find_name(r, db, CURRENCIES, cell_int(cells[P_SRC_CCY]), &p->src_ccy);
    if (result == SEAL_OK)
        result = find_name(r, db, CURRENCIES, cell_int(cells[P_DST_CCY]), &p->dst_ccy);
    if (result == SEAL_OK)
        result = find_rate_sheet(r, db, cell_int(cells[P_RATE]), &p->rate_sheet);
    if (result == SEAL_OK)
        result = find_policy(r, db, cell_int(cells[P_POLICY]), &p->policy);
    return result;
}

static enum seal_result fill_adjustment(struct seal_reader *r, struct seal_db *db, int i,
                                        struct seal_adjustment *a)
{
    const struct rows *rows = r->of[SEAL_SUBJECT_ADJUSTMENT];
    *a = (struct seal_adjustment){
        .proposal = rows_int(rows, i, 1),
        .reason = cell(rows, i, 2),
        .evidence = cell(rows, i, 3),
        .proposed_at = rows_time_us(rows, i, 5),
    };
    return find_name(r, db, PRINCIPALS, rows_int(rows, i, 4), &a->proposed_by);
}

static enum seal_result fill_hold_end(struct seal_reader *r, struct seal_db *db, int i,
                                      struct seal_hold_end *e)
{
    const struct rows *rows = r->of[SEAL_SUBJECT_HOLD_END];
    *e = (struct seal_hold_end){
        .hold_no = rows_int(rows, i, 1),
        .outcome = rows_int(rows, i, 2),
        .first_note = cell(rows, i, 5),
        .second_note = cell(rows, i, 6),
    };
    enum seal_result result = find_name(r, db, PRINCIPALS, rows_int(rows, i, 3), &e->first_by);
    if (result == SEAL_OK)
        result = find_name(r, db, PRINCIPALS, rows_int(rows, i, 4), &e->second_by);
    return result;
}

/* The seq that the next row of a subject's table speaks of; -1: there is none. */
static int64_t next_seq(const struct seal_reader *r, enum seal_subject subject)
{
    struct seal_cell cells[PAYOUT_COLUMNS];
    int i = r->at[subject];
    if (subject != SEAL_SUBJECT_PAYOUT)
        return i < rows_count(r->of[subject]) ? rows_int(r->of[subject], i, 0) : -1;
    if (i >= r->payouts.n)
        return -1;
    seal_copy_row(&r->payouts, i, cells);
    return cell_int(cells[P_ID]);
}

/* What the journal is about: the next row of its subject's table, which must be this journal's. */
static enum seal_result fill_subject(struct seal_reader *r, struct seal_db *db,
                                     struct seal_journal *j)
{
    const struct rows *rows = r->of[j->subject];
    int i = r->at[j->subject];
    if (j->subject == SEAL_SUBJECT_NONE)
        return SEAL_OK;
    if (next_seq(r, j->subject) != j->seq)
        return seal_db_broken(db, "what journal %lld is about is missing, or another journal's",
                              (long long)j->seq);
    r->at[j->subject]++;
    switch (j->subject) {
    case SEAL_SUBJECT_NONE:
        return SEAL_OK;
    case SEAL_SUBJECT_PAYOUT:
        return fill_payout(r, db, i, &j->of.payout);
    case SEAL_SUBJECT_TRANSITION:
        j->of.transition = (struct seal_transition){
            rows_int(rows, i, 1), rows_int(rows, i, 2), cell(rows, i, 3),
            cell(rows, i, 4),     optional(rows, i, 5), cell(rows, i, 6),
        };
        return SEAL_OK;
    case SEAL_SUBJECT_HANDOUT:
        j->of.handout.prev_payout_id = rows_int(rows, i, 2);
        j->of.handout.last_payout_id = rows_int(rows, i, 3);
        return find_name(r, db, BANKS, rows_int(rows, i, 1), &j->of.handout.bank);
    case SEAL_SUBJECT_DEPOSIT:
        j->of.deposit.reference = cell(rows, i, 1);
        j->of.deposit.amount = rows_int(rows, i, 3);
        return find_name(r, db, CURRENCIES, rows_int(rows, i, 2), &j->of.deposit.currency);
    case SEAL_SUBJECT_ADJUSTMENT:
        return fill_adjustment(r, db, i, &j->of.adjustment);
    case SEAL_SUBJECT_UNCLAIMED:
        j->of.unclaimed = (struct seal_unclaimed){
            .reference = cell(rows, i, 1),
            .info = cell(rows, i, 2),
            .gross = rows_int(rows, i, 4),
            .batch_id = rows_int(rows, i, 5),
            .item_no = rows_int(rows, i, 6),
            .expires_at = rows_time_us(rows, i, 7),
        };
        return find_name(r, db, CURRENCIES, rows_int(rows, i, 3), &j->of.unclaimed.currency);
    case SEAL_SUBJECT_UNCLAIMED_END:
        j->of.unclaimed_end =
            (struct seal_unclaimed_end){rows_int(rows, i, 1), optional(rows, i, 2)};
        return SEAL_OK;
    case SEAL_SUBJECT_HOLD:
        j->of.hold = (struct seal_hold){rows_int(rows, i, 1), cell(rows, i, 2), cell(rows, i, 3),
                                        cell(rows, i, 4), rows_time_us(rows, i, 5)};
        return SEAL_OK;
    case SEAL_SUBJECT_HOLD_END:
        return fill_hold_end(r, db, i, &j->of.hold_end);
    }
    return SEAL_OK;
}

static enum seal_result record_journal(struct seal_reader *r, struct seal_db *db,
                                       const struct seal_journal *j)
{
    seal_record_journal(&r->record, j);
    if (r->record.failed)
        return seal_db_broken(db,
                              "journal %lld has a field of more than 1 MiB, or there is no memory",
                              (long long)j->seq);
    return SEAL_OK;
}

static enum seal_result write_journal(struct seal_reader *r, struct seal_db *db,
                                      struct seal_book *book, const struct seal_block_row *block,
                                      int64_t seq, int i)
{
    struct seal_cell cells[JOURNAL_COLUMNS];
    seal_copy_row(&r->journals, i, cells);
    int64_t kind = cell_int(cells[J_KIND]);
    struct seal_journal j; /* field by field: most of it is room for what this one is not */
    j.book = slice_str(book->code);
    j.seq = seq;
    j.block_no = cell_int(cells[J_BLOCK]);
    j.committed_at = block->committed_at;
    j.payout_id = cell_optional(cells[J_PAYOUT]);
    j.reverses_seq = cell_optional(cells[J_REVERSES]);
    j.detail = cell_text(cells[J_DETAIL]);
    j.subject = subject_of[kind]; /* read_run() looked */
    if (j.block_no != block->block_no)
        return seal_db_broken(db, "journal %lld is of block %lld and says %lld", (long long)seq,
                              (long long)block->block_no, (long long)j.block_no);
    enum seal_result result = find_name(r, db, KIND_NAMES, kind, &j.kind);
    if (result == SEAL_OK)
        result = find_name(r, db, PRINCIPALS, cell_int(cells[J_PRINCIPAL]), &j.actor);
    if (result == SEAL_OK)
        result = fill_lines(r, db, book, cells, &j);
    if (result == SEAL_OK)
        result = fill_subject(r, db, &j);
    return result == SEAL_OK ? record_journal(r, db, &j) : result;
}

/* ---------------------------------------------------------------- a run */

static enum seal_result ask_range(struct seal_reader *r, struct seal_db *db, const char *statement,
                                  int32_t book_id, int64_t first, unsigned n, struct rows **out)
{
    params_reset(&r->params);
    params_add_int4(&r->params, book_id);
    params_add_int8(&r->params, first);
    params_add_int8(&r->params, first + n - 1);
    return seal_db_ask(db, statement, &r->params, out);
}

static void run_free(struct seal_reader *r)
{
    for (int s = 0; s < SUBJECTS; s++) {
        rows_free(&r->of[s]);
        r->at[s] = 0;
    }
}

/* How many journals of the run are about what; all of them must be there. */
static enum seal_result count_subjects(struct seal_reader *r, struct seal_db *db, int64_t first,
                                       unsigned n, int found[SUBJECTS])
{
    const long long last = first + n - 1;
    struct seal_cell cells[JOURNAL_COLUMNS];
    if (r->journals.n != (int)n)
        return seal_db_broken(db, "of journals %lld to %lld only %d are there", (long long)first,
                              last, r->journals.n);
    for (unsigned i = 0; i < n; i++) {
        seal_copy_row(&r->journals, (int)i, cells);
        int64_t kind = cell_int(cells[J_KIND]);
        const long long seq = first + i;
        if (kind < 1 || kind >= KINDS)
            return seal_db_broken(db, "journal %lld is of a kind that is not known here, %lld", seq,
                                  (long long)kind);
        found[subject_of[kind]]++;
    }
    return SEAL_OK;
}

static enum seal_result read_run(struct seal_reader *r, struct seal_db *db,
                                 const struct seal_book *book, int64_t first, unsigned n)
{
    int found[SUBJECTS] = {0};
    int64_t last = first + n - 1;
    r->payouts.n = 0;
    enum seal_result result =
        seal_db_copy(db, "seal_journals", book->book_id, first, last, &r->journals);
    if (result == SEAL_OK)
        result = count_subjects(r, db, first, n, found);
    for (int s = 0; result == SEAL_OK && s < SUBJECTS; s++) {
        int there = 0;
        if (found[s] == 0 || statement_of[s] == NULL)
            continue;
        if (s == SEAL_SUBJECT_PAYOUT) {
            result = seal_db_copy(db, statement_of[s], book->book_id, first, last, &r->payouts);
            there = r->payouts.n;
        } else {
            result = ask_range(r, db, statement_of[s], book->book_id, first, n, &r->of[s]);
            there = result == SEAL_OK ? rows_count(r->of[s]) : 0;
        }
        if (result == SEAL_OK && there != found[s])
            result = seal_db_broken(
                db, "journals %lld to %lld: %d in %s were expected, %d are there", (long long)first,
                (long long)last, found[s], statement_of[s] + sizeof "seal_" - 1, there);
    }
    if (result == SEAL_OK && r->payouts.n > 0)
        result = find_beneficiaries(r, db, book);
    if (result == SEAL_OK && r->payouts.n > 0)
        result = find_quotes(r, db, book);
    return result;
}

enum seal_result seal_reader_leaves(struct seal_reader *r, struct seal_db *db,
                                    struct seal_book *book, const struct seal_block_row *blocks,
                                    size_t n_blocks, int64_t first, unsigned n, seal_hash_t *out)
{
    assert(n > 0 && n <= SEAL_RUN_MAX && n_blocks > 0 && blocks[0].first_seq <= first);
    size_t b = 0;
    enum seal_result result = read_run(r, db, book, first, n);
    for (unsigned i = 0; result == SEAL_OK && i < n; i++) {
        int64_t seq = first + i;
        while (blocks[b].last_seq < seq)
            b++;
        assert(b < n_blocks);
        result = write_journal(r, db, book, &blocks[b], seq, (int)i);
        if (result == SEAL_OK)
            seal_hash_leaf(r->h, &r->record, &out[i]);
    }
    run_free(r);
    return result;
}

/* ---------------------------------------------------------------- a block that was handed over */

/* A block's payouts, as far as they are read. */
struct handed {
    struct seal_handover rest;
    struct seal_handed_payout payout;
    bool fetched; /* digests of all beneficiaries from here on are in r->beneficiary */
};

static enum seal_result misshapen(struct seal_db *db)
{
    return seal_db_broken(db, "what was handed over is not as it should be");
}

/* The digests of this payout's beneficiary and of all that follow it. */
static enum seal_result fetch_rest(struct seal_reader *r, struct seal_db *db,
                                   const struct seal_book *book, struct handed *h, int i)
{
    struct seal_handover rest = h->rest;
    struct seal_handed_payout payout = h->payout;
    int missing = 0;
    for (;; i++) {
        (void)find_beneficiary(r, book, payout.beneficiary_id, payout.beneficiary_version, i,
                               &missing);
        if (rest.left == 0)
            break;
        if (!seal_handover_next(&rest, &payout))
            return misshapen(db);
    }
    h->fetched = true;
    return fetch_missing(r, db, book, missing);
}

static enum seal_result fill_handed_lines(struct seal_reader *r, struct seal_db *db,
                                          struct seal_book *book,
                                          const struct seal_handed_payout *p,
                                          struct seal_journal *j)
{
    j->n_lines = p->n_lines;
    for (unsigned k = 0; k < p->n_lines; k++) {
        const struct seal_handed_line *line = &p->lines[k];
        struct seal_line *to = &j->lines[k];
        enum seal_result result =
            line->account == LEDGER_ACCOUNT_PAYABLE
                ? find_payable(r, db, book, p->bank_id, p->dst_ccy, &to->account)
                : find_account(r, db, book, line->account, &to->account);
        if (result == SEAL_OK)
            result = find_name(r, db, CURRENCIES, line->ccy, &to->currency);
        if (result != SEAL_OK)
            return result;
        to->amount = line->minor;
    }
    return SEAL_OK;
}

static enum seal_result fill_handed(struct seal_reader *r, struct seal_db *db,
                                    struct seal_book *book, struct handed *h, int i,
                                    struct seal_journal *j)
{
    const struct seal_handed_payout *p = &h->payout;
    struct seal_payout *to = &j->of.payout;
    int missing = 0;
    enum seal_result result = fill_handed_lines(r, db, book, p, j);
    if (result == SEAL_OK && !h->fetched &&
        !find_beneficiary(r, book, p->beneficiary_id, p->beneficiary_version, i, &missing))
        result = fetch_rest(r, db, book, h, i);
    *to = (struct seal_payout){
        .reference = p->reference,
        .info = p->info,
        .gross = p->gross,
        .fee = p->fee,
        .mid_rate_e10 = p->mid_rate_e10,
        .mid_value = p->mid_value,
        .margin_bps = p->margin_bps,
        .margin = p->margin,
        .net = p->net,
        .digit_shift = p->digit_shift,
        .fingerprint = p->fingerprint,
        .beneficiary_id = p->beneficiary_id,
        .beneficiary_version = p->beneficiary_version,
        .beneficiary = hash_slice(&r->beneficiary[i]),
        .quote = slice_of(NULL, 0),
    };
    if (result == SEAL_OK)
        result = find_name(r, db, BANKS, p->bank_id, &to->bank);
    if (result == SEAL_OK)
        result = find_name(r, db, CURRENCIES, p->src_ccy, &to->src_ccy);
    if (result == SEAL_OK)
        result = find_name(r, db, CURRENCIES, p->dst_ccy, &to->dst_ccy);
    if (result == SEAL_OK)
        result = find_rate_sheet(r, db, p->rate_id, &to->rate_sheet);
    if (result == SEAL_OK)
        result = find_policy(r, db, p->policy_id, &to->policy);
    return result;
}

enum seal_result seal_reader_handed(struct seal_reader *r, struct seal_db *db,
                                    struct seal_book *book, const struct seal_block_row *block,
                                    struct slice message, seal_hash_t *out)
{
    struct handed h = {.fetched = false};
    struct seal_journal j; /* field by field, as above */
    if (!seal_handover_open(message, &h.rest))
        return misshapen(db);
    assert(h.rest.book_id == book->book_id && h.rest.block_no == block->block_no);
    j.book = slice_str(book->code);
    j.block_no = block->block_no;
    j.committed_at = block->committed_at;
    j.reverses_seq = (struct seal_opt_int){false, 0};
    j.detail = slice_of(NULL, 0);
    j.subject = SEAL_SUBJECT_PAYOUT;
    enum seal_result result = find_name(r, db, KIND_NAMES, PAYOUT_ACCEPTED, &j.kind);
    if (result == SEAL_OK)
        result = find_name(r, db, PRINCIPALS, h.rest.principal_id, &j.actor);
    for (int i = 0; result == SEAL_OK && h.rest.left > 0; i++) {
        if (!seal_handover_next(&h.rest, &h.payout))
            return misshapen(db);
        j.seq = block->first_seq + i;
        j.payout_id = (struct seal_opt_int){true, j.seq};
        result = fill_handed(r, db, book, &h, i, &j);
        if (result == SEAL_OK)
            result = record_journal(r, db, &j);
        if (result == SEAL_OK)
            seal_hash_leaf(r->h, &r->record, &out[i]);
    }
    if (result == SEAL_OK && !seal_handover_is_whole(&h.rest))
        return misshapen(db);
    return result;
}

err_t seal_reader_new(struct seal_hasher *h, struct seal_reader **out)
{
    struct seal_reader *r = calloc(1, sizeof *r);
    *out = r;
    if (r == NULL)
        return err_make(ERR_NO_MEMORY, "sealer");
    r->h = h;
    params_init(&r->params);
    seal_record_init(&r->record);
    seal_record_init(&r->aside);
    buf_init(&r->quotes, QUOTE_BYTES_MAX);
    r->cached = calloc(CACHED_BENEFICIARIES, sizeof *r->cached);
    r->beneficiary = calloc(SEAL_RUN_MAX, sizeof *r->beneficiary);
    r->missing_id = calloc(SEAL_RUN_MAX, sizeof *r->missing_id);
    r->missing_version = calloc(SEAL_RUN_MAX, sizeof *r->missing_version);
    r->missing_row = calloc(SEAL_RUN_MAX, sizeof *r->missing_row);
    r->quote = calloc(SEAL_RUN_MAX, sizeof *r->quote);
    r->quote_at = calloc(SEAL_RUN_MAX + 1, sizeof *r->quote_at);
    if (r->cached == NULL || r->beneficiary == NULL || r->missing_id == NULL ||
        r->missing_version == NULL || r->missing_row == NULL || r->quote == NULL ||
        r->quote_at == NULL) {
        seal_reader_free(out);
        return err_make(ERR_NO_MEMORY, "sealer");
    }
    return err_none();
}

void seal_reader_free(struct seal_reader **reader)
{
    struct seal_reader *r = *reader;
    if (r == NULL)
        return;
    run_free(r);
    for (int i = 0; i < NAMES; i++)
        dict_deinit(&r->names[i]);
    dict_deinit(&r->rate_sheets);
    dict_deinit(&r->policies);
    params_deinit(&r->params);
    seal_record_deinit(&r->record);
    seal_record_deinit(&r->aside);
    buf_deinit(&r->quotes);
    seal_copy_deinit(&r->journals);
    seal_copy_deinit(&r->payouts);
    free(r->cached);
    free(r->beneficiary);
    free(r->missing_id);
    free(r->missing_version);
    free(r->missing_row);
    free(r->quote);
    free(r->quote_at);
    free(r);
    *reader = NULL;
}
