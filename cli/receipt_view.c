#include "cli/receipt_view.h"

#include "base/command.h"
#include "base/embedded.h"
#include "base/timefmt.h"
#include "cli/csv.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded banks_pk;

/* Where we are in the document, for complaints: "FILE: payout.pricing.gross: ..." */
struct reader {
    const char *file;
    const char *where;
    const json_t *object;
    bool failed;
};

static void refuse(struct reader *r, const char *field, const char *why)
{
    if (!r->failed)
        complain("%s: %s%s%s: %s", r->file, r->where, r->where[0] == '\0' ? "" : ".", field, why);
    r->failed = true;
}

static struct reader inside(struct reader *r, const char *where, const json_t *object)
{
    struct reader in = {r->file, where, object, r->failed};
    if (!json_is_object(object)) {
        in.object = NULL;
        refuse(&in, "", "an object is wanted");
    }
    r->failed = in.failed;
    return in;
}

/* One line of text; NULL where null is allowed. Never NULL otherwise. */
static const char *text(struct reader *r, const char *field, bool may_be_null)
{
    const json_t *value = json_object_get(r->object, field);
    size_t n;
    if (may_be_null && json_is_null(value))
        return NULL;
    if (!json_is_string(value))
        refuse(r, field, "a text is wanted");
    else if (utf8_check(slice_of(json_string_value(value), json_string_length(value)), &n) !=
                 UTF8_OK ||
             n > 4000)
        refuse(r, field, "it is not one line of text");
    else
        return json_string_value(value);
    return may_be_null ? NULL : "";
}

static int64_t whole(struct reader *r, const char *field)
{
    const json_t *value = json_object_get(r->object, field);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return json_integer_value(value);
    refuse(r, field, "a whole number is wanted");
    return 0;
}

static int64_t time_us(struct reader *r, const char *field)
{
    int64_t us = 0;
    if (err_failed(timefmt_parse_rfc3339(slice_str(text(r, field, false)), &us)))
        refuse(r, field, "a time as in RFC 3339 is wanted");
    return us;
}

/* {"currency": "USD", "amount": "125.00"} */
static money_t money(struct reader *r, const char *field, bool *is_null)
{
    const json_t *value = json_object_get(r->object, field);
    const char *code = json_string_value(json_object_get(value, "currency"));
    const char *amount = json_string_value(json_object_get(value, "amount"));
    const struct ccy *ccy = ccy_by_alpha(slice_str(code));
    money_t m = {0, 0};
    if (is_null != NULL) {
        *is_null = json_is_null(value);
        if (*is_null)
            return m;
    }
    if (ccy == NULL || amount == NULL ||
        money_parse(slice_str(amount), ccy->number, &m) != REASON_NONE)
        refuse(r, field, "a currency and an amount are wanted");
    return m;
}

static enum payout_state state_of(struct reader *r, const char *field)
{
    const char *name = text(r, field, false);
    enum payout_state state;
    for (int32_t i = 1; i < PAYOUT_STATE_COUNT; i++)
        if (payout_state_from_number(i, &state) && strcmp(payout_state_name(state), name) == 0)
            return state;
    refuse(r, field, "no state of a payout");
    return PAYOUT_STATE_NONE;
}

/* "MCB Bank Limited" of "MUCB", from the list that came with the program. */
static void name_bank(struct receipt_view *v)
{
    struct csv *csv = malloc(sizeof *csv);
    const char *why;
    (void)snprintf(v->bank_name, sizeof v->bank_name, "%.20s", v->bank);
    if (csv == NULL)
        return;
    csv_init(csv, slice_of(banks_pk.text, (size_t)((const char *)banks_pk.end - banks_pk.text)));
    while (csv_next(csv, &why) == CSV_RECORD)
        if (csv->n >= 3 && strcmp(csv->values[0], v->bank) == 0)
            (void)snprintf(v->bank_name, sizeof v->bank_name, "%.140s", csv->values[2]);
    free(csv);
}

static void read_beneficiary(struct reader *r, const json_t *object, struct receipt_view *v)
{
    struct reader in = inside(r, "payout.beneficiary", object);
    v->payee = text(&in, "display_name", true);
    v->account = text(&in, "account", true);
    r->failed = in.failed;
}

static void read_pricing(struct reader *r, const json_t *object, struct receipt_view *v)
{
    struct reader in = inside(r, "payout.pricing", object);
    int64_t bps = whole(&in, "margin_bps");
    v->gross = money(&in, "gross", NULL);
    v->fee = money(&in, "fee", NULL);
    v->converted = money(&in, "converted", NULL);
    v->mid_value = money(&in, "mid_value", NULL);
    v->margin = money(&in, "margin", NULL);
    v->net = money(&in, "net", NULL);
    v->mid_rate = text(&in, "mid_rate", false);
    v->our_rate = text(&in, "our_rate", false);
    v->converts = v->gross.ccy != v->net.ccy;
    if (bps > 10000)
        refuse(&in, "margin_bps", "it is not below 10,000");
    else
        (void)snprintf(v->margin_percent, sizeof v->margin_percent, "%d.%02d%%", (int)bps / 100,
                       (int)bps % 100);
    r->failed = in.failed;
}

static void read_rate(struct reader *r, const json_t *object, struct receipt_view *v)
{
    struct reader in = inside(r, "payout.rate", object);
    v->rate_source = text(&in, "source", false);
    v->rate_date = text(&in, "date", false);
    r->failed = in.failed;
}

/* "platforms/upwork/payouts/42" */
static void read_name(struct reader *r, struct receipt_view *v)
{
    struct slice rest = slice_str(text(r, "name", false)), platform, payouts;
    const struct slice begin = SLICE("platforms/");
    if (slice_starts_with(rest, begin)) {
        rest = slice_of(rest.p + begin.len, rest.len - begin.len);
        if (slice_cut(rest, '/', &platform, &rest) && slice_cut(rest, '/', &payouts, &rest) &&
            slice_equal_str(payouts, "payouts") &&
            !err_failed(slice_copy(platform, v->platform, sizeof v->platform)) &&
            !err_failed(str_parse_int64(rest, &v->payout_id)))
            return;
    }
    refuse(r, "name", "platforms/PLATFORM/payouts/NUMBER is wanted");
}

static void read_payout(struct reader *r, struct receipt_view *v)
{
    struct reader in = inside(r, "payout", json_object_get(r->object, "payout"));
    read_name(&in, v);
    v->reference = text(&in, "reference", false);
    v->info = text(&in, "info", true);
    v->bank = text(&in, "bank", false);
    v->state = state_of(&in, "state");
    read_beneficiary(&in, json_object_get(in.object, "beneficiary"), v);
    read_pricing(&in, json_object_get(in.object, "pricing"), v);
    read_rate(&in, json_object_get(in.object, "rate"), v);
    r->failed = in.failed;
    if (!r->failed)
        name_bank(v);
}

static void read_events(struct reader *r, struct receipt_view *v)
{
    const json_t *list = json_object_get(r->object, "events");
    if (json_array_size(list) < 1 || json_array_size(list) > RECEIPT_EVENTS_MAX) {
        refuse(r, "events", "one to 33 of them are wanted");
        return;
    }
    for (size_t i = 0; i < json_array_size(list) && !r->failed; i++) {
        struct reader in = inside(r, "events[]", json_array_get(list, i));
        struct receipt_event *e = &v->events[v->n_events++];
        bool no_tax = true;
        e->state = state_of(&in, "state");
        e->at_us = time_us(&in, "time");
        e->reason_code = text(&in, "reason_code", true);
        e->bank_reference = text(&in, "bank_reference", true);
        e->eprc_number = text(&in, "eprc_number", true);
        money_t tax = money(&in, "tax_withheld", &no_tax);
        if (!no_tax && tax.minor != 0) {
            v->has_tax = true;
            v->tax = tax;
            if (money_sub(v->net, tax, &v->after_tax) != REASON_NONE)
                refuse(&in, "tax_withheld", "it does not go with the amount paid");
        }
        r->failed = in.failed;
    }
}

/* SHA-256(00 ‖ record), in hexadecimal. */
static bool hash_leaf(const char *base64, char out[HEX_SIZE(32)])
{
    size_t size = strlen(base64) + 1, len = 0;
    unsigned char *record = malloc(size);
    unsigned char hash[EVP_MAX_MD_SIZE];
    bool ok = false;
    if (record == NULL)
        return false;
    record[0] = 0;
    if (!err_failed(base64url_decode(slice_str(base64), record + 1, size - 1, &len)) &&
        EVP_Digest(record, len + 1, hash, NULL, EVP_sha256(), NULL) == 1) {
        hex_encode(hash, 32, out);
        ok = true;
    }
    free(record);
    return ok;
}

static void read_proof(struct reader *r, struct receipt_view *v)
{
    const json_t *journals = json_object_get(r->object, "journals");
    const json_t *last =
        json_array_get(journals, json_array_size(journals) - (json_array_size(journals) > 0));
    const json_t *record = json_object_get(last, "record");
    struct reader in = inside(r, "journals[]", last);
    v->seq = whole(&in, "seq");
    v->block_no = whole(&in, "block_no");
    if (!json_is_string(record) || !hash_leaf(json_string_value(record), v->leaf))
        refuse(&in, "record", "base64url is wanted");
    r->failed = in.failed;
    in = inside(r, "tree_head", json_object_get(r->object, "tree_head"));
    v->tree_size = whole(&in, "tree_size");
    v->root = text(&in, "root", false);
    v->key_id = text(&in, "key_id", false);
    v->signed_at_us = time_us(&in, "signed_at");
    if (strlen(v->root) != 64 || strlen(v->key_id) != 16)
        refuse(&in, "root", "32 bytes in hexadecimal, and a key_id of 8, are wanted");
    r->failed = in.failed;
    (void)snprintf(v->qr, sizeof v->qr, "UJRAT1:%s:%lld:%lld:%lld:%s:%lld:%s:%s", v->platform,
                   (long long)v->payout_id, (long long)v->seq, (long long)v->block_no, v->leaf,
                   (long long)v->tree_size, v->root, v->key_id);
}

bool receipt_view_read(const char *file, struct slice json, struct receipt_view *out)
{
    json_error_t error;
    struct reader r = {.file = file, .where = ""};
    *out = (struct receipt_view){0};
    if (json.len > RECEIPT_BYTES_MAX) {
        complain("%s: too large for a receipt (over %u bytes)", file, RECEIPT_BYTES_MAX);
        return false;
    }
    out->json = json_loadb(json.p == NULL ? "" : json.p, json.len, JSON_REJECT_DUPLICATES, &error);
    if (out->json == NULL) {
        complain("%s: line %d: %s", file, error.line, error.text);
        return false;
    }
    r.object = out->json;
    if (strcmp(text(&r, "format", false), "ujrat/receipt/1") != 0)
        refuse(&r, "format", "ujrat/receipt/1 is wanted");
    if (!r.failed)
        read_payout(&r, out);
    if (!r.failed)
        read_events(&r, out);
    if (!r.failed)
        read_proof(&r, out);
    if (r.failed)
        receipt_view_free(out);
    return !r.failed;
}

void receipt_view_free(struct receipt_view *view)
{
    json_decref(view->json);
    *view = (struct receipt_view){0};
}
