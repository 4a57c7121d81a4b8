#include "gateway/rpc/person.h"

#include "gateway/rpc/rpc.h"

void person_refresh_keys(struct rpc_ctx *ctx)
{
    struct pii_problem problem;
    bool changed;
    err_t err = pii_refresh(ctx->pii, &changed, &problem);
    if (err_failed(err))
        log_error(ctx->log, "pii.keys_unreadable", log_str("problem", problem.text));
    else if (changed)
        log_info(ctx->log, "pii.keys_read", log_int("newest", pii_newest(ctx->pii)));
}

static const char *event_of(enum pii_result result)
{
    switch (result) {
    case PII_KEY_MISSING:
        return "pii.key_missing";
    case PII_BROKEN:
        return "pii.row_broken";
    case PII_OK:
        break;
    }
    return NULL;
}

reason_t person_read(struct rpc_ctx *ctx, const struct rows *rows, int row, int col,
                     struct arena *arena, struct slice value[PII_FIELDS])
{
    struct pii_row stored = {.key_id = (int16_t)rows_int(rows, row, col),
                             .sealed = rows_text(rows, row, col + 1)};
    struct pii_open open = {0};
    for (int i = 0; i < PII_FIELDS; i++)
        stored.commitment[i] = rows_text(rows, row, col + 2 + i);
    uint8_t *room = arena_alloc(arena, stored.sealed.len);
    if (room == NULL)
        return REASON_QUEUE_FULL;
    enum pii_result result = pii_unseal(ctx->pii, &stored, room, &open);
    if (result == PII_KEY_MISSING) {
        /* Encrypted anew with a key that is in the file since a moment ago. */
        person_refresh_keys(ctx);
        result = pii_unseal(ctx->pii, &stored, room, &open);
    }
    memcpy(value, open.value, sizeof(open.value));
    if (result == PII_OK)
        return REASON_NONE;
    log_error(ctx->log, event_of(result), log_int("key_id", stored.key_id));
    return REASON_INTERNAL;
}

enum pii_result person_box_open(struct rpc_ctx *ctx, const struct pii_place *place, int16_t key_id,
                                struct slice box, uint8_t *room, struct slice *text)
{
    enum pii_result result = pii_box_open(ctx->pii, place, key_id, box, room, text);
    if (result != PII_KEY_MISSING)
        return result;
    person_refresh_keys(ctx);
    return pii_box_open(ctx->pii, place, key_id, box, room, text);
}
