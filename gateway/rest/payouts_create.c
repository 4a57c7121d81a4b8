/*
 * POST /v1/payments/payouts: a batch, whole or not at all.
 *
 *     decode → find the receivers → draft each item, as SubmitPayouts does → one commit → 201
 *
 * Nothing is decided here that gRPC decides elsewhere: payout_draft_check and payout_draft_price make the drafts, and
 * ledger_submit_batch the commit. An item's reference follows from the platform's own ids, so that the same request, sent
 * again after whatever went wrong, pays nobody twice.
 */
#include <string.h>

#include "gateway/fingerprint.h"
#include "gateway/rest/error.h"
#include "gateway/rest/ids.h"
#include "gateway/rest/routes.h"
#include "gateway/rest/sandbox.h"
#include "gateway/rpc/payout_draft.h"
#include "ledger/pii_box.h"

enum { LOOKUP_ENTRY_SIZE = 1 + PII_LOOKUP_SIZE };

struct create {
    struct rpc_call *call;
    struct rest_batch_in in;
    struct batch_draft batch;
    struct batch_item_draft *items;
    struct batch_posted posted;
    uint8_t (*lookups)[LOOKUP_ENTRY_SIZE]; /* the kind, and what it is looked up by; one an item */
    char stem[REST_REFERENCE_STEM_LEN + 1];
    uint8_t fingerprint[FINGERPRINT_SIZE];
};

/* ---------------------------------------------------------------- saying no */

static void refuse_faults(struct rpc_call *call, const struct rest_faults *faults)
{
    struct rest_detail details[REST_FAULTS_MAX];
    for (unsigned i = 0; i < faults->n; i++)
        details[i] = (struct rest_detail){faults->row[i].field, faults->row[i].issue, NULL};
    rest_refuse(call,
                &(struct rest_error){
                    .status = 400,
                    .name = "VALIDATION_ERROR",
                    .message = faults->more ? "Invalid request: see details; there are more. "
                                              "Nothing was done."
                                            : "Invalid request: see details. Nothing was done.",
                    .details = details,
                    .n_details = faults->n,
                });
}

static struct rest_link link_to(struct rpc_call *call, int64_t batch_id)
{
    char id[REST_ID_SIZE];
    return (struct rest_link){
        "self", "GET", rest_href(call, "/v1/payments/payouts/%s", rest_id_write(batch_id, 0, id))};
}

static void refuse_reused(struct create *c, const char *field, const char *message)
{
    const bool by_header = field[0] == 'P';
    const struct rest_link link = link_to(c->call, c->posted.batch_id);
    const struct rest_detail detail = {field,
                                       c->posted.same_body
                                           ? "It was used before, with the same body: see the link."
                                           : "It was used before, with another body: see the link.",
                                       by_header ? "header" : "body"};
    rest_refuse(c->call, &(struct rest_error){.status = 400,
                                              .name = "USER_BUSINESS_ERROR",
                                              .message = message,
                                              .details = &detail,
                                              .n_details = 1,
                                              .links = &link,
                                              .n_links = 1});
}

/* ---------------------------------------------------------------- 201 */

static void answer(struct create *c)
{
    struct rpc_call *call = c->call;
    char id[REST_ID_SIZE];
    const struct rest_link self = link_to(call, c->posted.batch_id);
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_key(&json, "batch_header");
    json_out_object(&json);
    json_out_field_str(&json, "payout_batch_id", rest_id_write(c->posted.batch_id, 0, id));
    json_out_field_str(&json, "batch_status", "PENDING");
    json_out_field_time(&json, "time_created", c->posted.committed_us);
    json_out_key(&json, "sender_batch_header");
    json_out_object(&json);
    json_out_field_if(&json, "sender_batch_id", c->in.sender_batch_id);
    json_out_field_if(&json, "email_subject", c->in.email_subject);
    json_out_field_if(&json, "email_message", c->in.email_message);
    json_out_object_end(&json);
    json_out_object_end(&json);
    json_out_key(&json, "links");
    json_out_array(&json);
    rest_link_write(&json, &self);
    json_out_array_end(&json);
    json_out_object_end(&json);
    rest_reply(call, 201, &json);
}

static void answer_verdict(struct create *c)
{
    static const char used[] =
        "A batch of this sender_batch_id was taken before. Nothing was done.";
    static const char request_used[] =
        "This PayPal-Request-Id came with another body before. Nothing was done.";
    switch (c->posted.verdict) {
    case BATCH_TAKEN:
    case BATCH_SAME:
        answer(c);
        break;
    case BATCH_SENDER_REUSED:
        refuse_reused(c, "sender_batch_header.sender_batch_id", used);
        break;
    case BATCH_REQUEST_REUSED:
        refuse_reused(c, "PayPal-Request-Id", request_used);
        break;
    case BATCH_NOT_COVERED:
        rest_refuse(c->call,
                    &(struct rest_error){.status = 422,
                                         .name = "INSUFFICIENT_FUNDS",
                                         .message = "The prefunded float does not cover the batch. "
                                                    "Nothing was done."});
        break;
    }
}

static void on_posted(void *user)
{
    struct create *c = user;
    struct rpc_call *call = c->call;
    const enum ledger_outcome outcome = c->posted.outcome;
    if (outcome == LEDGER_UNKNOWN || (outcome == LEDGER_DONE && c->posted.verdict == BATCH_TAKEN))
        rpc_wrote(call);
    if (!rpc_release(call))
        return;
    if (outcome == LEDGER_DONE)
        answer_verdict(c);
    else if (outcome == LEDGER_UNKNOWN)
        rpc_refuse_saying(call, REASON_OUTCOME_UNKNOWN, NULL,
                          "Send the same request again: it is taken once.");
    else
        rpc_refuse_outcome(call, outcome, c->posted.reason, NULL);
}

/* ---------------------------------------------------------------- drafts */

/* What was sent as receiver and note, encrypted for its place. */
static reason_t seal_item(struct create *c, uint32_t i, struct batch_item_draft *out)
{
    const struct rest_item_in *in = &c->in.items[i];
    struct rpc_call *call = c->call;
    const struct pii_place place = {.table = "payout_batch_item",
                                    .a = call->principal.book_id,
                                    .b = (int64_t)i + 1,
                                    .key = slice_of(c->stem, REST_REFERENCE_STEM_LEN)};
    const size_t len = in->receiver.len + 1 + in->note.len;
    char *text = arena_alloc(&call->arena, len);
    uint8_t *box = arena_alloc(&call->arena, len + PII_BOX_OVERHEAD);
    if (text == NULL || box == NULL)
        return REASON_MESSAGE_TOO_LARGE;
    memcpy(text, in->receiver.p, in->receiver.len);
    text[in->receiver.len] = '\n';
    if (in->note.len > 0)
        memcpy(text + in->receiver.len + 1, in->note.p, in->note.len);
    if (err_failed(pii_box_seal(call->ctx->pii, &place, slice_of(text, len), box, &out->key_id)))
        return REASON_INTERNAL;
    out->sealed = slice_of(box, len + PII_BOX_OVERHEAD);
    return REASON_NONE;
}

/* Of somebody known: as SubmitPayout would have it. */
static reason_t draft_known(struct create *c, struct payout_pricer *pricer,
                            const struct rest_item_in *in, struct payout_draft *draft)
{
    const struct wire_submit_payout_request request = {
        .present = true,
        .reference = draft->reference,
        .gross = {true, c->in.ccy_code, in->gross},
        .beneficiary = rpc_resource_name(c->call, "beneficiaries", in->beneficiary_id),
        .remittance_information = draft->info,
    };
    if (request.beneficiary.len == 0)
        return REASON_MESSAGE_TOO_LARGE;
    const struct refusal no = payout_draft_check(c->call, &request, draft);
    if (no.reason != REASON_NONE)
        return no.reason;
    payout_draft_price(pricer, c->in.ccy_code, draft);
    return REASON_NONE;
}

/* Of nobody yet: it gets its price when it is claimed. What could never be paid is refused now. */
static void draft_unclaimed(struct payout_pricer *pricer, struct payout_draft *draft)
{
    struct pricing pricing;
    const reason_t reason = payout_pricer_price(pricer, draft->gross, &pricing);
    if (reason >= REASON_AMOUNT_ZERO && reason <= REASON_AMOUNT_OVERFLOW)
        draft->refusal = reason;
}

static reason_t draft_item(struct create *c, struct payout_pricer *pricer, uint32_t i)
{
    const struct rest_item_in *in = &c->in.items[i];
    struct batch_item_draft *out = &c->items[i];
    char *reference = arena_alloc(&c->call->arena, REST_REFERENCE_SIZE);
    *out = (struct batch_item_draft){
        .payout = {.gross = in->gross},
        .sender_item_id = in->sender_item_id,
        .recipient_type = in->recipient_type,
        .receiver_kind = in->kind,
        .receiver_lookup = in->kind == RECEIVER_NONE ? NULL : c->lookups[i] + 1,
    };
    if (reference == NULL || !rest_note_as_info(&c->call->arena, in->note, &out->payout.info))
        return REASON_MESSAGE_TOO_LARGE;
    const size_t len = rest_reference_write(c->stem, (int32_t)i + 1, reference);
    out->payout.reference = slice_of(reference, len);
    reason_t reason = REASON_NONE;
    if (in->beneficiary_id != 0)
        reason = draft_known(c, pricer, in, &out->payout);
    else
        draft_unclaimed(pricer, &out->payout);
    out->payout.src_ccy = (int16_t)c->in.ccy;
    return reason == REASON_NONE ? seal_item(c, i, out) : reason;
}

static void post(struct create *c)
{
    struct rpc_call *call = c->call;
    struct payout_pricer pricer;
    payout_pricer_init(&pricer, call);
    reason_t reason = payout_pricer_aim(&pricer, c->in.ccy_code);
    if (reason == REASON_NONE && pricer.refusal == REASON_CURRENCY_NOT_SUPPORTED)
        reason = pricer.refusal;
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "items[0].amount.currency");
        return;
    }
    for (uint32_t i = 0; i < c->in.n && reason == REASON_NONE; i++)
        reason = draft_item(c, &pricer, i);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, NULL);
        return;
    }
    rpc_hold(call);
    ledger_submit_batch(call->ctx->ledger, call->principal.book_id, call->principal.principal_id,
                        &c->batch, c->items, c->in.n, call->deadline_us, &c->posted, on_posted, c);
}

/* ---------------------------------------------------------------- receivers */

static void on_receivers(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows)
{
    struct create *c = call->state;
    if (outcome != LEDGER_DONE) { /* a question: nothing was done */
        rpc_refuse(call,
                   outcome == LEDGER_NOT_SENT && reason != REASON_NONE ? reason
                                                                       : REASON_LEDGER_UNAVAILABLE,
                   NULL);
        return;
    }
    for (int row = 0; row < rows_count(rows); row++) {
        const int64_t place = rows_int(rows, row, 0);
        if (place >= 0 && place < c->in.n && c->in.items[place].kind != RECEIVER_NONE)
            c->in.items[place].beneficiary_id = rows_int(rows, row, 1);
    }
    post(c);
}

/* One entry an item, so that places are those of items; of those by id the kind is 0, which nobody has. */
static void find_receivers(struct create *c)
{
    struct rpc_call *call = c->call;
    bool any = false;
    for (uint32_t i = 0; i < c->in.n; i++) {
        const struct rest_item_in *item = &c->in.items[i];
        c->lookups[i][0] = (uint8_t)item->kind;
        if (item->kind == RECEIVER_NONE)
            continue;
        any = true;
        if (err_failed(pii_receiver_lookup(call->ctx->pii, (int)item->kind, item->normal,
                                           c->lookups[i] + 1))) {
            rpc_refuse(call, REASON_INTERNAL, NULL);
            return;
        }
    }
    if (!any) {
        post(c);
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, slice_of(c->lookups, (size_t)c->in.n * LOOKUP_ENTRY_SIZE));
    rpc_query(call, "receiver_find", &params, on_receivers);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- the request */

static void fill_batch(struct create *c, const struct rest_request *request)
{
    const struct slice digest = slice_of(c->in.digest, sizeof(c->in.digest));
    fingerprint_of(c->call->ctx->fingerprinter, "ujrat.rest.batch/1", &digest, 1, c->fingerprint);
    rest_reference_stem(c->in.sender_batch_id, request->request_id, c->stem);
    c->batch = (struct batch_draft){
        .sender_batch_id = c->in.sender_batch_id,
        .request_id = request->request_id,
        .fingerprint = slice_of(c->fingerprint, sizeof(c->fingerprint)),
        .credential_id = request->credential_id,
        .email_subject = c->in.email_subject,
        .email_message = c->in.email_message,
        .ccy = (int16_t)c->in.ccy,
        .amount = c->in.amount,
        .unclaimed_ttl_s = c->call->ctx->config->unclaimed_ttl_ms / 1000,
    };
}

static bool decode(struct create *c, struct rest_request *request)
{
    struct rpc_call *call = c->call;
    char why[JSON_IN_WHY_SIZE];
    struct rest_faults *faults = rpc_alloc(call, 1, sizeof(*faults));
    if (faults == NULL)
        return false;
    faults->arena = &call->arena;
    enum rest_batch_result result =
        rest_batch_decode(request->body, call->principal.code, faults, &c->in, why);
    if (result == REST_BATCH_GOOD && c->in.sender_batch_id.len == 0 &&
        request->request_id.len == 0) {
        rest_fault(faults, "", "sender_batch_header.sender_batch_id",
                   "Required, unless there is a header PayPal-Request-Id.");
        result = REST_BATCH_FAULTY;
    }
    switch (result) {
    case REST_BATCH_GOOD:
        return true;
    case REST_BATCH_MALFORMED:
        rest_refuse(call, &(struct rest_error){
                              .status = 400, .name = "MALFORMED_REQUEST_JSON", .message = why});
        break;
    case REST_BATCH_FAULTY:
        refuse_faults(call, faults);
        break;
    case REST_BATCH_NO_ROOM:
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
        break;
    }
    return false;
}

static void handle(struct rpc_call *call, struct rest_request *request)
{
    struct create *c = rpc_alloc(call, 1, sizeof(*c));
    if (c == NULL)
        return;
    c->call = call;
    call->state = c;
    if (!decode(c, request) || sandbox_create(call, &c->in))
        return;
    fill_batch(c, request);
    if (!arena_slice_dup(&call->arena, request->request_id, &c->batch.request_id)) {
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
        return;
    }
    /* Written before they are read: a large batch is megabytes of it. */
    c->items = arena_alloc(&call->arena, c->in.n * sizeof(*c->items));
    c->lookups = rpc_alloc(call, c->in.n, LOOKUP_ENTRY_SIZE);
    if (c->lookups == NULL)
        return;
    if (c->items == NULL)
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
    else
        find_receivers(c);
}

const struct rest_route rest_create_batch = {
    .method = HTTP_POST,
    .body = REST_BODY_BATCH,
    .rpc = {.path = "/v1/payments/payouts", .roles = ROLE_PLATFORM, .is_batch = true},
    .handle = handle,
};
