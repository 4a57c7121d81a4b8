/* RegisterBeneficiary, UpdateBeneficiary. */
#include "domain/text.h"
#include "gateway/rpc/beneficiary_details.h"
#include "gateway/rpc/beneficiary_get.h"
#include "gateway/rpc/methods.h"

/* What is kept while the ledger is asked. */
struct change {
    int64_t beneficiary_id; /* of an update */
    reason_t not_now;       /* why the bank, or the purpose code, will not do now */
    struct beneficiary_text text;
};

/* Checked details into `text`; false: the call was refused. A bank or purpose code that will not do now is left in *not_now. */
static bool take_details(struct rpc_call *call, const struct wire_beneficiary_details *details,
                         struct beneficiary_text *text, reason_t *not_now)
{
    struct refusal no = {REASON_FIELD_REQUIRED, NULL};
    if (details->present)
        no = beneficiary_details_check(details, text);
    if (no.reason != REASON_NONE) {
        char path[64] = "details";
        if (no.field != NULL)
            (void)snprintf(path, sizeof(path), "details.%s", no.field);
        rpc_refuse(call, no.reason, path);
        return false;
    }
    *not_now = beneficiary_bank(call->ctx->registry, details, text);
    if (*not_now == REASON_NONE)
        *not_now = beneficiary_purpose(call->ctx->registry, text);
    beneficiary_fingerprint(call->ctx->fingerprinter, text);
    reason_t reason = beneficiary_seal(call->ctx->pii, &call->arena, text);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "details");
    return reason == REASON_NONE;
}

static const char *field_of(const struct change *change, reason_t reason)
{
    if (reason == REASON_PURPOSE_CODE_UNKNOWN)
        return "details.purpose_code";
    return change->text.value[PII_IBAN].len != 0 ? "details.iban" : "details.bank_code";
}

static void add_draft(struct params *params, const struct beneficiary_draft *d)
{
    params_array_begin(params, LEDGER_TYPE_BENEFICIARY_DRAFT);
    params_row_begin(params, BENEFICIARY_DRAFT_COLUMNS);
    beneficiary_draft_columns(params, d);
    params_row_end(params);
    params_array_end(params);
}

/* ---------------------------------------------------------------- register */

static void on_registered(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                          const struct rows *rows)
{
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason,
                           reason == REASON_REFERENCE_REUSED ? "request_id" : NULL);
    else
        beneficiary_answer(call, rows_int(rows, 0, 0));
}

static void on_earlier(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    const struct change *change = call->state;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else if (rows_count(rows) == 0)
        rpc_refuse(call, change->not_now, field_of(change, change->not_now));
    else if (!rows_bool(rows, 0, 1))
        rpc_refuse(call, REASON_REFERENCE_REUSED, "request_id");
    else
        beneficiary_answer(call, rows_int(rows, 0, 0));
}

static void register_beneficiary(struct rpc_call *call, const void *request)
{
    const struct wire_register_beneficiary_request *in = request;
    struct change *change = rpc_alloc(call, 1, sizeof(*change));
    if (change == NULL)
        return;
    call->state = change;
    reason_t reason = text_check_reference(in->request_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "request_id");
        return;
    }
    if (!take_details(call, &in->details, &change->text, &change->not_now))
        return;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    if (change->not_now != REASON_NONE) {
        /* A retry of what was registered is answered, whatever has become of the bank or the purpose code since. */
        params_add_text(&params, in->request_id);
        params_add_text(&params, change->text.draft.fingerprint);
        rpc_query(call, "beneficiary_by_request", &params, on_earlier);
    } else {
        params_add_int4(&params, call->principal.principal_id);
        params_add_text(&params, in->request_id);
        add_draft(&params, &change->text.draft);
        rpc_query(call, "beneficiary_register", &params, on_registered);
    }
    params_deinit(&params);
}

/* ---------------------------------------------------------------- update */

static void on_updated(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    const struct change *change = call->state;
    (void)rows;
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason,
                           reason == REASON_BENEFICIARY_NOT_FOUND ? "name"
                           : reason == REASON_STATE_CONFLICT      ? "version"
                           : reason == REASON_BANK_NOT_CONNECTED  ? field_of(change, reason)
                                                                  : NULL);
    else
        beneficiary_answer(call, change->beneficiary_id);
}

static void update_beneficiary(struct rpc_call *call, const void *request)
{
    const struct wire_update_beneficiary_request *in = request;
    struct change *change = rpc_alloc(call, 1, sizeof(*change));
    if (change == NULL)
        return;
    call->state = change;
    reason_t reason = rpc_resource_id(call, in->name, "beneficiaries", &change->beneficiary_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "name");
        return;
    }
    if (in->version < 0) {
        rpc_refuse(call, REASON_FIELD_INVALID, "version");
        return;
    }
    if (!take_details(call, &in->details, &change->text, &change->not_now))
        return;
    /* A bank that is not connected is the ledger's to refuse: the update may have been made before. */
    if (change->not_now != REASON_NONE && change->not_now != REASON_BANK_NOT_CONNECTED) {
        rpc_refuse(call, change->not_now, field_of(change, change->not_now));
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int4(&params, call->principal.principal_id);
    params_add_int8(&params, change->beneficiary_id);
    params_add_int4(&params, in->version);
    add_draft(&params, &change->text.draft);
    rpc_query(call, "beneficiary_update", &params, on_updated);
    params_deinit(&params);
}

const struct rpc_method rpc_register_beneficiary = {
    .path = "/ujrat.payout.v1.BeneficiaryService/RegisterBeneficiary",
    .roles = ROLE_PLATFORM,
    .request = &wire_register_beneficiary_request_type,
    .handle = register_beneficiary,
};

const struct rpc_method rpc_update_beneficiary = {
    .path = "/ujrat.payout.v1.BeneficiaryService/UpdateBeneficiary",
    .roles = ROLE_PLATFORM,
    .request = &wire_update_beneficiary_request_type,
    .handle = update_beneficiary,
};
