/* The body of POST /v1/payments/payouts, and targets: what is decoded keeps the promises of batch_in.h and can be answered. */
#include <assert.h>

#include "gateway/rest/batch_in.h"
#include "gateway/rest/json_out.h"
#include "gateway/rest/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_batch(const struct rest_batch_in *b)
{
    int64_t sum = 0;
    assert(b->n >= 1 && b->n <= REST_BATCH_ITEMS_MAX && b->ccy != 0);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct rest_item_in *item = &b->items[i];
        assert(item->gross > 0 && item->receiver.len > 0 &&
               item->receiver.len <= 4 * RECEIVER_BYTES_MAX);
        assert(utf8_check(item->receiver, NULL) == UTF8_OK);
        assert((item->kind == RECEIVER_NONE) == (item->beneficiary_id > 0));
        assert((item->kind == RECEIVER_NONE) == (item->normal.len == 0));
        assert(!__builtin_add_overflow(sum, item->gross, &sum));
    }
    assert(sum == b->amount);
}

static void check_notes(struct arena *arena, const struct rest_batch_in *b)
{
    struct slice info;
    size_t chars = 0;
    for (uint32_t i = 0; i < b->n; i++)
        if (rest_note_as_info(arena, b->items[i].note, &info)) {
            assert(utf8_check(info, &chars) == UTF8_OK && chars <= 140);
            assert(info.len == 0 || (info.p[0] != ' ' && info.p[info.len - 1] != ' '));
        }
}

static void check_target(struct arena *arena, struct slice text)
{
    struct slice params[2], out;
    if (target_match(text, "/v1/payments/payouts-item/{id}/cancel", params, 2))
        assert(params[0].len > 0);
    if (target_decode(arena, text, true, &out))
        assert(out.len <= text.len);
    (void)!target_param(arena, text, "page", &out);
}

/* Whatever it is, it can stand in an answer. */
static void check_out(struct slice text)
{
    struct buf buf;
    char why[JSON_IN_WHY_SIZE];
    buf_init(&buf, 1 << 20);
    struct json_out json = json_out_of(&buf);
    json_out_array(&json);
    json_out_text(&json, text);
    json_out_array_end(&json);
    if (!json.failed && memchr(text.p, 0, text.len) == NULL) {
        json_t *value = json_in_load(buf_slice(&buf), &(struct json_bounds){2, 4}, why);
        assert(value != NULL);
        json_decref(value);
    }
    buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = slice_of(data, size);
    struct rest_faults faults = {.n = 0};
    struct rest_batch_in batch;
    struct arena arena;
    char why[JSON_IN_WHY_SIZE] = "";
    if (size == 0)
        return 0;
    arena_init(&arena, 4096, 4 << 20);
    faults.arena = &arena;
    switch (rest_batch_decode(text, "upwork", &faults, &batch, why)) {
    case REST_BATCH_GOOD:
        assert(faults.n == 0);
        check_batch(&batch);
        check_notes(&arena, &batch);
        break;
    case REST_BATCH_MALFORMED:
        assert(why[0] != '\0' && strlen(why) < sizeof(why));
        break;
    case REST_BATCH_FAULTY:
        assert(faults.n >= 1 && faults.n <= REST_FAULTS_MAX);
        break;
    case REST_BATCH_NO_ROOM:
        break;
    }
    check_target(&arena, text);
    check_out(text);
    arena_deinit(&arena);
    return 0;
}
