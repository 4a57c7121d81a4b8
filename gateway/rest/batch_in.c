#include "gateway/rest/batch_in.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "domain/money.h"

enum { DEPTH_MAX = 12, VALUES_AN_ITEM = 40, AT_SIZE = 48, AMOUNT_CHARS_MAX = 32 };

struct decoder {
    struct rest_faults *faults;
    struct arena *arena;
    const char *platform;
    struct rest_batch_in *out;
    struct slice header_type; /* recipient_type of the header */
    bool no_room;
};

static struct slice keep(struct decoder *d, struct slice text)
{
    struct slice copy = SLICE("");
    if (text.len > 0 && !arena_slice_dup(d->arena, text, &copy))
        d->no_room = true;
    return copy;
}

/* ---------------------------------------------------------------- who is paid */

static bool type_of(struct slice name, enum recipient_type *out)
{
    static const struct {
        const char *name;
        enum recipient_type type;
    } names[] = {{"EMAIL", RECIPIENT_EMAIL},
                 {"PHONE", RECIPIENT_PHONE},
                 {"PAYPAL_ID", RECIPIENT_PAYPAL_ID},
                 {"USER_HANDLE", RECIPIENT_USER_HANDLE}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal_str(name, names[i].name)) {
            *out = names[i].type;
            return true;
        }
    return false;
}

/* "42", or "platforms/upwork/beneficiaries/42". */
static bool beneficiary_of(const struct decoder *d, struct slice text, int64_t *id)
{
    char prefix[96];
    const int n = snprintf(prefix, sizeof(prefix), "platforms/%s/beneficiaries/", d->platform);
    if (n > 0 && (size_t)n < sizeof(prefix) && slice_starts_with(text, slice_str(prefix)))
        text = slice_of(text.p + n, text.len - (size_t)n);
    return text.len > 0 && text.p[0] >= '1' && text.p[0] <= '9' &&
           !err_failed(str_parse_int64(text, id));
}

static void take_receiver(struct decoder *d, const json_t *item, const char *at,
                          struct rest_item_in *out)
{
    char normal[RECEIVER_SIZE];
    bool good = false;
    const struct slice text =
        json_in_text(d->faults, item, at, "receiver", true, RECEIVER_BYTES_MAX);
    if (text.len == 0)
        return;
    switch (out->recipient_type) {
    case RECIPIENT_EMAIL:
        out->kind = RECEIVER_EMAIL;
        good = receiver_email(text, normal);
        break;
    case RECIPIENT_PHONE:
        out->kind = RECEIVER_PHONE;
        good = receiver_phone(text, normal);
        break;
    case RECIPIENT_PAYPAL_ID:
    case RECIPIENT_USER_HANDLE:
        out->kind = RECEIVER_NONE;
        good = beneficiary_of(d, text, &out->beneficiary_id);
        break;
    }
    if (!good || utf8_check(text, NULL) != UTF8_OK) {
        rest_fault(d->faults, at, "receiver",
                   out->kind == RECEIVER_EMAIL   ? "Is not an e-mail address."
                   : out->kind == RECEIVER_PHONE ? "Is not a phone number (E.164)."
                                                 : "Is not the id of a beneficiary.");
        return;
    }
    out->receiver = keep(d, text);
    if (out->kind != RECEIVER_NONE)
        out->normal = keep(d, slice_str(normal));
}

static void take_type(struct decoder *d, const json_t *item, const char *at,
                      struct rest_item_in *out)
{
    struct slice name = json_in_text(d->faults, item, at, "recipient_type", false, 32);
    if (name.len == 0)
        name = d->header_type;
    out->recipient_type = RECIPIENT_EMAIL;
    if (name.len > 0 && !type_of(name, &out->recipient_type))
        rest_fault(d->faults, at, "recipient_type",
                   "Must be EMAIL, PHONE, PAYPAL_ID or USER_HANDLE.");
}

/* ---------------------------------------------------------------- how much */

static const char *amount_issue(reason_t reason)
{
    if (reason == REASON_AMOUNT_OVERFLOW)
        return "Is too large.";
    return "Must be a decimal number with no more decimals than its currency has.";
}

static void take_amount(struct decoder *d, const json_t *item, const char *at,
                        struct rest_item_in *out)
{
    char inside[AT_SIZE + 8];
    money_t money;
    const json_t *amount = json_in_object(d->faults, item, at, "amount", true);
    if (amount == NULL)
        return;
    (void)snprintf(inside, sizeof(inside), "%samount.", at);
    const struct slice code = json_in_text(d->faults, amount, inside, "currency", true, 3);
    const struct slice value =
        json_in_text(d->faults, amount, inside, "value", true, AMOUNT_CHARS_MAX);
    if (code.len == 0 || value.len == 0)
        return;
    const struct ccy *ccy = ccy_by_alpha(code);
    if (ccy == NULL) {
        rest_fault(d->faults, inside, "currency", "Is not an active ISO 4217 code.");
        return;
    }
    if (d->out->ccy == 0) {
        d->out->ccy = ccy->number;
        d->out->ccy_code = slice_str(ccy->alpha);
    } else if (d->out->ccy != ccy->number) {
        rest_fault(d->faults, inside, "currency", "All items of a batch are in one currency.");
        return;
    }
    const reason_t reason = money_parse(value, ccy->number, &money);
    if (reason != REASON_NONE)
        rest_fault(d->faults, inside, "value", amount_issue(reason));
    else if (money.minor <= 0)
        rest_fault(d->faults, inside, "value", "Must be greater than zero.");
    else if (__builtin_add_overflow(d->out->amount, money.minor, &d->out->amount))
        rest_fault(d->faults, inside, "value", "The batch comes to too much.");
    else
        out->gross = money.minor;
}

/* ---------------------------------------------------------------- items and the header */

static struct slice take_line(struct decoder *d, const json_t *object, const char *at,
                              const char *key, size_t chars_max)
{
    const struct slice text = json_in_text(d->faults, object, at, key, false, chars_max);
    if (text.len > 0 && utf8_check(text, NULL) != UTF8_OK) {
        rest_fault(d->faults, at, key, "Has a control character in it.");
        return SLICE("");
    }
    return keep(d, text);
}

static void take_item(struct decoder *d, const json_t *item, uint32_t i)
{
    struct rest_item_in *out = &d->out->items[i];
    char at[AT_SIZE];
    (void)snprintf(at, sizeof(at), "items[%u]", i);
    if (!json_is_object(item)) {
        rest_fault(d->faults, at, "", "Must be an object.");
        return;
    }
    (void)snprintf(at, sizeof(at), "items[%u].", i);
    take_type(d, item, at, out);
    take_receiver(d, item, at, out);
    take_amount(d, item, at, out);
    const struct slice wallet = json_in_text(d->faults, item, at, "recipient_wallet", false, 32);
    if (wallet.len > 0 && !slice_equal_str(wallet, "PAYPAL") &&
        !slice_equal_str(wallet, "RECIPIENT_SELECTED"))
        rest_fault(d->faults, at, "recipient_wallet", "This wallet is not paid to here.");
    out->sender_item_id = take_line(d, item, at, "sender_item_id", REST_SENDER_ITEM_ID_CHARS_MAX);
    out->note = keep(d, json_in_text(d->faults, item, at, "note", false, REST_NOTE_CHARS_MAX));
}

static void take_items(struct decoder *d, const json_t *root)
{
    const json_t *items = json_in_array(d->faults, root, "", "items", true);
    const size_t n = items == NULL ? 0 : json_array_size(items);
    if (items == NULL)
        return;
    if (n == 0 || n > REST_BATCH_ITEMS_MAX) {
        rest_fault(d->faults, "", "items",
                   n == 0 ? "Must have at least one item." : "Must have at most 15000 items.");
        return;
    }
    d->out->items = arena_array(d->arena, n, sizeof(*d->out->items));
    if (d->out->items == NULL) {
        d->no_room = true;
        return;
    }
    d->out->n = (uint32_t)n;
    for (uint32_t i = 0; i < n && !d->no_room && !d->faults->more; i++)
        take_item(d, json_array_get(items, i), i);
}

static void take_header(struct decoder *d, const json_t *root)
{
    static const char at[] = "sender_batch_header.";
    enum recipient_type type;
    const json_t *header = json_in_object(d->faults, root, "", "sender_batch_header", true);
    if (header == NULL)
        return;
    d->out->sender_batch_id =
        take_line(d, header, at, "sender_batch_id", REST_SENDER_BATCH_ID_CHARS_MAX);
    d->out->email_subject = keep(
        d, json_in_text(d->faults, header, at, "email_subject", false, REST_SUBJECT_CHARS_MAX));
    d->out->email_message = keep(
        d, json_in_text(d->faults, header, at, "email_message", false, REST_MESSAGE_CHARS_MAX));
    d->header_type = json_in_text(d->faults, header, at, "recipient_type", false, 32);
    if (d->header_type.len > 0 && !type_of(d->header_type, &type)) {
        rest_fault(d->faults, at, "recipient_type",
                   "Must be EMAIL, PHONE, PAYPAL_ID or USER_HANDLE.");
        d->header_type = SLICE("");
    }
}

/* ---------------------------------------------------------------- what makes two bodies the same */

static bool hash(EVP_MD_CTX *ctx, struct slice field)
{
    uint8_t length[4];
    for (unsigned i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)(field.len >> (24 - 8 * i));
    return EVP_DigestUpdate(ctx, length, sizeof(length)) == 1 &&
           EVP_DigestUpdate(ctx, field.p == NULL ? "" : field.p, field.len) == 1;
}

static bool hash_item(EVP_MD_CTX *ctx, const struct rest_item_in *item)
{
    char number[STR_INT64_SIZE], id[STR_INT64_SIZE];
    const char type = (char)('0' + (int)item->recipient_type);
    const size_t number_len = str_format_int64(item->gross, number);
    const size_t id_len = str_format_int64(item->beneficiary_id, id);
    return hash(ctx, slice_of(&type, 1)) && hash(ctx, slice_of(number, number_len)) &&
           hash(ctx, slice_of(id, id_len)) && hash(ctx, item->normal) && hash(ctx, item->note) &&
           hash(ctx, item->sender_item_id);
}

static void make_digest(struct rest_batch_in *b)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                hash(ctx, b->sender_batch_id) && hash(ctx, b->email_subject) &&
                hash(ctx, b->email_message) && hash(ctx, b->ccy_code);
    for (uint32_t i = 0; done && i < b->n; i++)
        done = hash_item(ctx, &b->items[i]);
    done = done && EVP_DigestFinal_ex(ctx, b->digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    assert(done);
}

enum rest_batch_result rest_batch_decode(struct slice body, const char *platform,
                                         struct rest_faults *faults, struct rest_batch_in *out,
                                         char why[JSON_IN_WHY_SIZE])
{
    static const struct json_bounds bounds = {DEPTH_MAX,
                                              (size_t)VALUES_AN_ITEM * REST_BATCH_ITEMS_MAX};
    struct decoder d = {.faults = faults, .arena = faults->arena, .platform = platform, .out = out};
    *out = (struct rest_batch_in){0};
    json_t *root = json_in_load(body, &bounds, why);
    if (root == NULL)
        return REST_BATCH_MALFORMED;
    if (!json_is_object(root)) {
        (void)snprintf(why, JSON_IN_WHY_SIZE, "The body is not a JSON object.");
        json_decref(root);
        return REST_BATCH_MALFORMED;
    }
    take_header(&d, root);
    take_items(&d, root);
    json_decref(root);
    if (d.no_room)
        return REST_BATCH_NO_ROOM;
    if (faults->n > 0)
        return REST_BATCH_FAULTY;
    make_digest(out);
    return REST_BATCH_GOOD;
}

bool rest_note_as_info(struct arena *arena, struct slice note, struct slice *out)
{
    enum { CHARS_MAX = 140 };
    char *text = arena_alloc(arena, note.len + 1);
    size_t n = 0, chars = 0;
    if (text == NULL)
        return false;
    while (note.len > 0 && chars < CHARS_MAX) {
        struct slice rest = note;
        (void)utf8_next(&rest);
        const struct slice one = slice_of(note.p, note.len - rest.len);
        note = rest;
        const bool printable = utf8_check(one, NULL) == UTF8_OK;
        if (!printable && n == 0)
            continue; /* none at the beginning */
        if (printable)
            memcpy(text + n, one.p, one.len);
        else
            text[n] = ' ';
        if (n == 0 && text[0] == ' ')
            continue;
        n += printable ? one.len : 1;
        chars++;
    }
    while (n > 0 && text[n - 1] == ' ')
        n--;
    *out = slice_of(text, n);
    return true;
}
