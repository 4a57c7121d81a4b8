/* AddReceiver, ListReceivers, RemoveReceiver: by what e-mail address or phone number a beneficiary is paid. */
#include "domain/receiver.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/person.h"
#include "gateway/wire/payout_messages.h"
#include "ledger/pii_box.h"

/* Columns of receiver_list. */
enum { COL_KIND, COL_LOOKUP, COL_KEY_ID, COL_SEALED, COL_CREATED_AT };

/* What is kept while the ledger is asked. */
struct change {
    int64_t beneficiary_id;
    int16_t kind;
    char normal[RECEIVER_SIZE];
    uint8_t lookup[PII_LOOKUP_SIZE];
};

static struct pii_place place_of(const struct rpc_call *call, int kind, const void *lookup)
{
    return (struct pii_place){.table = "receiver",
                              .a = call->principal.book_id,
                              .b = kind,
                              .key = slice_of(lookup, PII_LOOKUP_SIZE)};
}

/* ---------------------------------------------------------------- whose, and which */

static struct refusal take_receiver(const struct wire_receiver_request *in, struct change *out)
{
    if (in->email.len > 0 && in->phone.len > 0)
        return (struct refusal){REASON_FIELD_INVALID, "phone"};
    if (in->email.len == 0 && in->phone.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "email"};
    out->kind = in->email.len > 0 ? RECEIVER_KIND_EMAIL : RECEIVER_KIND_PHONE;
    if (in->email.len > 0 && !receiver_email(in->email, out->normal))
        return (struct refusal){REASON_FIELD_INVALID, "email"};
    if (in->phone.len > 0 && !receiver_phone(in->phone, out->normal))
        return (struct refusal){REASON_FIELD_INVALID, "phone"};
    return (struct refusal){REASON_NONE, NULL};
}

/* NULL: the call was refused. */
static struct change *take_change(struct rpc_call *call, const struct wire_receiver_request *in)
{
    struct change *change = rpc_alloc(call, 1, sizeof(*change));
    if (change == NULL)
        return NULL;
    call->state = change;
    struct refusal no = {
        rpc_resource_id(call, in->beneficiary, "beneficiaries", &change->beneficiary_id),
        "beneficiary"};
    if (no.reason == REASON_NONE)
        no = take_receiver(in, change);
    if (no.reason == REASON_NONE &&
        err_failed(pii_receiver_lookup(call->ctx->pii, change->kind, slice_str(change->normal),
                                       change->lookup)))
        no = (struct refusal){REASON_INTERNAL, NULL};
    if (no.reason == REASON_NONE)
        return change;
    rpc_refuse(call, no.reason, no.field);
    return NULL;
}

static struct wire_receiver receiver_of(struct rpc_call *call, int64_t beneficiary_id, int64_t kind,
                                        struct slice text, int64_t created_us)
{
    struct wire_receiver out = {
        .present = true,
        .beneficiary = rpc_resource_name(call, "beneficiaries", beneficiary_id),
        .create_time = wire_time_of(created_us),
    };
    if (kind == RECEIVER_KIND_EMAIL)
        out.email = text;
    else
        out.phone = text;
    return out;
}

/* ---------------------------------------------------------------- list */

/* The text of a row, in the call's arena. */
static reason_t open_row(struct rpc_call *call, const struct rows *rows, int row,
                         struct slice *text)
{
    const struct pii_place place =
        place_of(call, (int)rows_int(rows, row, COL_KIND), rows_text(rows, row, COL_LOOKUP).p);
    const struct slice box = rows_text(rows, row, COL_SEALED);
    const int16_t key_id = (int16_t)rows_int(rows, row, COL_KEY_ID);
    uint8_t *room = arena_alloc(&call->arena, box.len);
    if (room == NULL)
        return REASON_QUEUE_FULL;
    const enum pii_result result = person_box_open(call->ctx, &place, key_id, box, room, text);
    if (result == PII_OK)
        return REASON_NONE;
    log_error(call->ctx->log, result == PII_KEY_MISSING ? "pii.key_missing" : "pii.broken",
              log_int("key_id", key_id));
    return REASON_INTERNAL;
}

/* False: the call was refused. */
static bool read_row(struct rpc_call *call, const struct rows *rows, int row, int64_t id,
                     struct wire_receiver *out)
{
    struct slice text;
    const reason_t reason = open_row(call, rows, row, &text);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, NULL);
        return false;
    }
    *out = receiver_of(call, id, rows_int(rows, row, COL_KIND), text,
                       rows_time_us(rows, row, COL_CREATED_AT));
    return true;
}

static void on_list(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    const int64_t *id = call->state;
    struct wire_list_receivers_response answer = {.present = true};
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    answer.receivers.n = (uint32_t)rows_count(rows);
    answer.receivers.items = rpc_alloc(call, answer.receivers.n, sizeof(*answer.receivers.items));
    if (answer.receivers.items == NULL)
        return;
    for (uint32_t i = 0; i < answer.receivers.n; i++)
        if (!read_row(call, rows, (int)i, *id, &answer.receivers.items[i]))
            return;
    rpc_reply(call, &wire_list_receivers_response_type, &answer);
}

static void ask_list(struct rpc_call *call, int64_t beneficiary_id, rpc_rows_fn *on_rows)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, beneficiary_id);
    rpc_query(call, "receiver_list", &params, on_rows);
    params_deinit(&params);
}

static void list_receivers(struct rpc_call *call, const void *request)
{
    const struct wire_list_receivers_request *in = request;
    int64_t *id = rpc_alloc(call, 1, sizeof(*id));
    if (id == NULL)
        return;
    call->state = id;
    const reason_t reason = rpc_resource_id(call, in->beneficiary, "beneficiaries", id);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "beneficiary");
    else
        ask_list(call, *id, on_list);
}

/* ---------------------------------------------------------------- add */

/* Answers with the row as it stands, which has the time of the first adding. */
static void on_row(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                   const struct rows *rows)
{
    const struct change *change = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    for (int row = 0; row < rows_count(rows); row++) {
        if (rows_int(rows, row, COL_KIND) != change->kind ||
            !slice_equal(rows_text(rows, row, COL_LOOKUP),
                         slice_of(change->lookup, PII_LOOKUP_SIZE)))
            continue;
        const struct wire_receiver answer =
            receiver_of(call, change->beneficiary_id, change->kind, slice_str(change->normal),
                        rows_time_us(rows, row, COL_CREATED_AT));
        rpc_reply(call, &wire_receiver_type, &answer);
        return;
    }
    rpc_refuse(call, REASON_STATE_CONFLICT, NULL); /* it went to another one meanwhile */
}

static void on_added(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    const struct change *change = call->state;
    (void)rows;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason,
                           reason == REASON_BENEFICIARY_NOT_FOUND ? "beneficiary" : NULL);
    else
        ask_list(call, change->beneficiary_id, on_row);
}

static void add_receiver(struct rpc_call *call, const void *request)
{
    uint8_t box[RECEIVER_BYTES_MAX + PII_BOX_OVERHEAD];
    int16_t key_id = 0;
    struct change *change = take_change(call, request);
    if (change == NULL)
        return;
    const struct pii_place place = place_of(call, change->kind, change->lookup);
    const struct slice text = slice_str(change->normal);
    if (err_failed(pii_box_seal(call->ctx->pii, &place, text, box, &key_id))) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, change->beneficiary_id);
    params_add_int2(&params, change->kind);
    params_add_text(&params, slice_of(change->lookup, PII_LOOKUP_SIZE));
    params_add_int2(&params, key_id);
    params_add_text(&params, slice_of(box, text.len + PII_BOX_OVERHEAD));
    rpc_query(call, "receiver_add", &params, on_added);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- remove */

static void on_removed(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    const struct wire_remove_receiver_response answer = {.present = true};
    (void)rows;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else
        rpc_reply(call, &wire_remove_receiver_response_type, &answer);
}

static void remove_receiver(struct rpc_call *call, const void *request)
{
    const struct change *change = take_change(call, request);
    if (change == NULL)
        return;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, change->beneficiary_id);
    params_add_int2(&params, change->kind);
    params_add_text(&params, slice_of(change->lookup, PII_LOOKUP_SIZE));
    rpc_query(call, "receiver_remove", &params, on_removed);
    params_deinit(&params);
}

const struct rpc_method rpc_add_receiver = {
    .path = "/ujrat.payout.v1.BeneficiaryService/AddReceiver",
    .roles = ROLE_PLATFORM,
    .request = &wire_add_receiver_request_type,
    .handle = add_receiver,
};

const struct rpc_method rpc_list_receivers = {
    .path = "/ujrat.payout.v1.BeneficiaryService/ListReceivers",
    .roles = ROLE_PLATFORM,
    .request = &wire_list_receivers_request_type,
    .handle = list_receivers,
};

const struct rpc_method rpc_remove_receiver = {
    .path = "/ujrat.payout.v1.BeneficiaryService/RemoveReceiver",
    .roles = ROLE_PLATFORM,
    .request = &wire_remove_receiver_request_type,
    .handle = remove_receiver,
};
