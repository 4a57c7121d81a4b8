/* Reads a receipt: JSON, and the records in it. */
#include "audit/receipt.h"

#include "base/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void receipt_find(struct receipt_findings *findings, const char *where, const char *format, ...)
{
    struct receipt_finding *f;
    va_list args;

    if (findings->n == RECEIPT_FINDINGS_MAX)
        return;
    f = &findings->list[findings->n++];
    (void)snprintf(f->where, sizeof f->where, "%s", where);
    va_start(args, format);
    (void)vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
}

/* ---------------------------------------------------------------- JSON */

struct reader {
    struct receipt_findings *findings;
    const json_t *object;
    char where[RECEIPT_WHERE_SIZE]; /* of the object: "journals[0]" */
    bool failed;
};

static void wrong(struct reader *r, const char *field, const char *what)
{
    char where[RECEIPT_WHERE_SIZE + 32];

    (void)snprintf(where, sizeof where, "%s%s%s", r->where, field[0] == '\0' ? "" : ".", field);
    receipt_find(r->findings, where, "%s", what);
    r->failed = true;
}

static struct reader open_object(struct receipt_findings *findings, const json_t *object,
                                 const char *name, long index)
{
    struct reader r = {.findings = findings, .object = object};

    if (index >= 0)
        (void)snprintf(r.where, sizeof r.where, "%s[%ld]", name, index);
    else
        (void)snprintf(r.where, sizeof r.where, "%s", name);
    if (!json_is_object(object))
        wrong(&r, "", "an object is wanted");
    return r;
}

static struct slice text_of(struct reader *r, const char *field)
{
    const json_t *value = json_object_get(r->object, field);

    if (json_is_string(value))
        return slice_of(json_string_value(value), json_string_length(value));
    wrong(r, field, "a text is wanted");
    return slice_of("", 0);
}

static struct receipt_bytes bytes_of(struct reader *r, const char *field)
{
    struct slice text = text_of(r, field);
    struct receipt_bytes out = {.p = malloc(text.len + 1)};

    if (out.p == NULL)
        wrong(r, field, "there is no memory for it");
    else if (!r->failed &&
             (text.len == 0 || err_failed(base64url_decode(text, out.p, text.len, &out.len))))
        wrong(r, field, "base64url is wanted (RFC 4648 section 5, without padding)");
    return out;
}

static struct slice slice_of_bytes(const struct receipt_bytes *b)
{
    return slice_of(b->p, b->len);
}

static size_t path_of(struct reader *r, hash_t out[RECEIPT_PATH_MAX])
{
    const json_t *list = json_object_get(r->object, "path");
    size_t n = json_array_size(list), len;

    if (!json_is_array(list) || n > RECEIPT_PATH_MAX) {
        wrong(r, "path", "a list of at most 64 hashes is wanted");
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *hash = json_array_get(list, i);
        struct slice hex = slice_of(json_string_value(hash), json_string_length(hash));

        if (!json_is_string(hash) || err_failed(hex_decode(hex, out[i].b, HASH_BYTES, &len)) ||
            len != HASH_BYTES)
            wrong(r, "path", "it has something that is no hash in hexadecimal");
    }
    return n;
}

/* What a decoder says of a record that is none. */
static void no_record(struct reader *r, const char *field, const struct record_fault *fault)
{
    char what[RECEIPT_WHAT_SIZE];

    (void)snprintf(what, sizeof what, "no such record as docs/log-format.md has: %s %s",
                   fault->field, fault->what);
    wrong(r, field, what);
}

/* ---------------------------------------------------------------- parts */

static bool read_journal(struct reader r, struct receipt_journal *j)
{
    struct record_fault fault = {0};

    j->record = bytes_of(&r, "record");
    j->n_path = path_of(&r, j->path);
    if (!r.failed && !record_read_journal(slice_of_bytes(&j->record), &j->said, &fault))
        no_record(&r, "record", &fault);
    return !r.failed;
}

static bool read_block(struct reader r, struct receipt_block *b)
{
    struct record_fault fault = {0};

    b->record = bytes_of(&r, "record");
    b->signature = bytes_of(&r, "signature");
    b->n_path = path_of(&r, b->path);
    if (!r.failed && !record_read_block(slice_of_bytes(&b->record), &b->said, &fault))
        no_record(&r, "record", &fault);
    return !r.failed;
}

static bool read_key(struct reader r, struct receipt_key *k)
{
    struct record_fault fault = {0};

    k->record = bytes_of(&r, "record");
    k->signature = bytes_of(&r, "signature");
    if (!r.failed && !record_read_key(slice_of_bytes(&k->record), &k->said, &fault))
        no_record(&r, "record", &fault);
    if (r.failed)
        return false;
    key_id_of(k->said.public_key, k->key_id);
    if (err_failed(public_key_new(k->said.public_key, &k->key)))
        wrong(&r, "record", "its public key is none");
    return !r.failed;
}

static bool read_head(struct reader r, struct receipt *out)
{
    struct record_fault fault = {0};

    out->head_record = bytes_of(&r, "record");
    out->head_signature = bytes_of(&r, "signature");
    (void)text_of(&r, "key_id");
    if (!r.failed && !record_read_tree_head(slice_of_bytes(&out->head_record), &out->head, &fault))
        no_record(&r, "record", &fault);
    return !r.failed;
}

static bool read_records(struct reader r, struct receipt *out)
{
    struct record_fault fault = {0};
    const struct record_journal *j = &out->journals[0].said;

    out->beneficiary_record = bytes_of(&r, "beneficiary");
    out->sheet_record = bytes_of(&r, "rate_sheet");
    if (r.failed)
        return false;
    if (!record_read_beneficiary(slice_of_bytes(&out->beneficiary_record), &out->beneficiary,
                                 &fault))
        no_record(&r, "beneficiary", &fault);
    if (!record_read_rate_sheet(slice_of_bytes(&out->sheet_record), &out->sheet, &fault))
        no_record(&r, "rate_sheet", &fault);
    if (j->subject == SUBJECT_PAYOUT && j->payout.quote.p != NULL &&
        !record_read_quote(j->payout.quote, &out->quote, &fault)) {
        receipt_find(r.findings, "journals[0].record", "its quote is no record: %s %s", fault.field,
                     fault.what);
        return false;
    }
    return !r.failed;
}

static bool read_openings(struct receipt *out, struct receipt_findings *findings)
{
    static const char *const names[RECEIPT_OPENINGS] = {"name", "iban", "mobile"};
    const json_t *all = json_object_get(out->json, "openings");
    size_t len = 0;

    if (json_is_null(all))
        return true;
    if (!json_is_object(all)) {
        receipt_find(findings, "openings", "an object or null is wanted");
        return false;
    }
    for (int i = 0; i < RECEIPT_OPENINGS; i++) {
        const json_t *one = json_object_get(all, names[i]);
        struct reader r;
        char where[32];

        if (json_is_null(one))
            continue;
        (void)snprintf(where, sizeof where, "openings.%s", names[i]);
        r = open_object(findings, one, where, -1);
        out->openings[i].value = text_of(&r, "value");
        if (!r.failed && (err_failed(hex_decode(text_of(&r, "salt"), out->openings[i].salt,
                                                sizeof out->openings[i].salt, &len)) ||
                          len != sizeof out->openings[i].salt))
            wrong(&r, "salt", "16 bytes in hexadecimal are wanted");
        if (r.failed)
            return false;
    }
    return true;
}

/* The list of that name, of 1 to max objects; 0: it is none. */
static size_t list_of(const struct receipt *r, const char *name, size_t max, const json_t **list,
                      struct receipt_findings *findings)
{
    *list = json_object_get(r->json, name);
    if (json_is_array(*list) && json_array_size(*list) >= 1 && json_array_size(*list) <= max)
        return json_array_size(*list);
    receipt_find(findings, name, "a list of 1 to %zu is wanted", max);
    return 0;
}

static bool read_lists(struct receipt *out, struct receipt_findings *findings)
{
    const json_t *journals, *blocks, *keys;
    bool ok = true;

    out->n_journals = list_of(out, "journals", RECEIPT_JOURNALS_MAX, &journals, findings);
    out->n_blocks = list_of(out, "blocks", RECEIPT_JOURNALS_MAX, &blocks, findings);
    out->n_keys = list_of(out, "keys", RECEIPT_KEYS_MAX, &keys, findings);
    for (size_t i = 0; i < out->n_journals; i++)
        ok = read_journal(open_object(findings, json_array_get(journals, i), "journals", (long)i),
                          &out->journals[i]) &&
             ok;
    for (size_t i = 0; i < out->n_blocks; i++)
        ok = read_block(open_object(findings, json_array_get(blocks, i), "blocks", (long)i),
                        &out->blocks[i]) &&
             ok;
    for (size_t i = 0; i < out->n_keys; i++)
        ok = read_key(open_object(findings, json_array_get(keys, i), "keys", (long)i),
                      &out->keys[i]) &&
             ok;
    return ok && out->n_journals > 0 && out->n_blocks > 0 && out->n_keys > 0;
}

bool receipt_read(struct slice text, struct receipt *out, struct receipt_findings *findings)
{
    json_error_t error;
    const char *format;

    *out = (struct receipt){0};
    if (text.len > RECEIPT_BYTES_MAX) {
        receipt_find(findings, "", "too large for a receipt: over %u bytes", RECEIPT_BYTES_MAX);
        return false;
    }
    out->json = json_loadb(text.p == NULL ? "" : text.p, text.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (out->json == NULL) {
        receipt_find(findings, "", "line %d, column %d: %s", error.line, error.column, error.text);
        return false;
    }
    format = json_string_value(json_object_get(out->json, "format"));
    if (format == NULL || strcmp(format, "ujrat/receipt/1") != 0) {
        receipt_find(findings, "format",
                     "not a receipt of this version: ujrat/receipt/1 is wanted");
        return false;
    }
    return read_lists(out, findings) &&
           read_head(
               open_object(findings, json_object_get(out->json, "tree_head"), "tree_head", -1),
               out) &&
           read_records(open_object(findings, json_object_get(out->json, "records"), "records", -1),
                        out) &&
           read_openings(out, findings);
}

void receipt_free(struct receipt *r)
{
    for (size_t i = 0; i < RECEIPT_JOURNALS_MAX; i++) {
        free(r->journals[i].record.p);
        free(r->blocks[i].record.p);
        free(r->blocks[i].signature.p);
    }
    for (size_t i = 0; i < RECEIPT_KEYS_MAX; i++) {
        free(r->keys[i].record.p);
        free(r->keys[i].signature.p);
        public_key_free(&r->keys[i].key);
    }
    free(r->head_record.p);
    free(r->head_signature.p);
    free(r->beneficiary_record.p);
    free(r->sheet_record.p);
    json_decref(r->json);
    *r = (struct receipt){0};
}
