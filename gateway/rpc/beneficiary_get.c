/* GetBeneficiary, ListBeneficiaries. */
#include "gateway/rpc/beneficiary_get.h"

#include "gateway/rpc/methods.h"
#include "gateway/rpc/person.h"
#include "gateway/wire/payout_messages.h"

/* Columns of beneficiary_get and beneficiary_list. */
enum {
    COL_ID,
    COL_VERSION,
    COL_CREATED_AT,
    COL_UPDATED_AT,
    COL_BANK_CODE,
    COL_CHANNEL,
    COL_PURPOSE_CODE,
    COL_ERASED,
    COL_PERSON,
};

/* Slices point into the rows and the call's arena. False: the call was refused and is over. */
static bool read_row(struct rpc_call *call, const struct rows *rows, int row,
                     struct wire_beneficiary *out)
{
    struct slice value[PII_FIELDS] = {[PII_NAME] = SLICE("(erased)")};
    reason_t reason = REASON_NONE;
    if (!rows_bool(rows, row, COL_ERASED))
        reason = person_read(call->ctx, rows, row, COL_PERSON, &call->arena, value);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, NULL);
        return false;
    }
    *out = (struct wire_beneficiary){
        .present = true,
        .name = rpc_resource_name(call, "beneficiaries", rows_int(rows, row, COL_ID)),
        .version = (int32_t)rows_int(rows, row, COL_VERSION),
        .create_time = wire_time_of(rows_time_us(rows, row, COL_CREATED_AT)),
        .update_time = wire_time_of(rows_time_us(rows, row, COL_UPDATED_AT)),
        .details = {.present = true,
                    .display_name = value[PII_NAME],
                    .iban = value[PII_IBAN],
                    .mobile_alias = value[PII_MOBILE],
                    .bank_code = rows_text(rows, row, COL_BANK_CODE),
                    .cnic = value[PII_CNIC],
                    .pseb_registration = value[PII_PSEB],
                    .channel = (int32_t)rows_int(rows, row, COL_CHANNEL),
                    .purpose_code = rows_text(rows, row, COL_PURPOSE_CODE)},
    };
    return true;
}

static void on_beneficiary(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                           const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        rpc_refuse(call, REASON_BENEFICIARY_NOT_FOUND, "name");
        return;
    }
    struct wire_beneficiary answer;
    if (read_row(call, rows, 0, &answer))
        rpc_reply(call, &wire_beneficiary_type, &answer);
}

void beneficiary_answer(struct rpc_call *call, int64_t beneficiary_id)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, beneficiary_id);
    rpc_query(call, "beneficiary_get", &params, on_beneficiary);
    params_deinit(&params);
}

static void get_beneficiary(struct rpc_call *call, const void *request)
{
    const struct wire_get_beneficiary_request *in = request;
    int64_t id;
    reason_t reason = rpc_resource_id(call, in->name, "beneficiaries", &id);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "name");
    else
        beneficiary_answer(call, id);
}

/* ---------------------------------------------------------------- a page of them */

struct page {
    int32_t size;
};

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    const struct page *page = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    /* One more was asked for than is shown: whether there is a next page. */
    bool more = rows_count(rows) > page->size;
    uint32_t n = (uint32_t)(more ? page->size : rows_count(rows));
    struct wire_list_beneficiaries_response answer = {.present = true};
    answer.beneficiaries.items = rpc_alloc(call, n, sizeof(*answer.beneficiaries.items));
    if (answer.beneficiaries.items == NULL)
        return;
    answer.beneficiaries.n = n;
    for (uint32_t i = 0; i < n; i++)
        if (!read_row(call, rows, (int)i, &answer.beneficiaries.items[i]))
            return;
    if (more)
        answer.next_page_token =
            rpc_token_encode(call, &(struct rpc_token){.kind = 'b',
                                                       .scope = call->principal.book_id,
                                                       .a = rows_int(rows, (int)n - 1, COL_ID)});
    rpc_reply(call, &wire_list_beneficiaries_response_type, &answer);
}

static void list_beneficiaries(struct rpc_call *call, const void *request)
{
    const struct wire_list_beneficiaries_request *in = request;
    struct rpc_token after = {.kind = 'b', .scope = call->principal.book_id};
    struct page *page = rpc_alloc(call, 1, sizeof(*page));
    if (page == NULL)
        return;
    call->state = page;
    reason_t reason = rpc_page_size(in->page_size, &page->size);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "page_size");
        return;
    }
    if (!rpc_token_decode(in->page_token, &after)) {
        rpc_refuse(call, REASON_PAGE_TOKEN_INVALID, "page_token");
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, after.a);
    params_add_int4(&params, page->size + 1);
    rpc_query(call, "beneficiary_list", &params, on_page);
    params_deinit(&params);
}

const struct rpc_method rpc_get_beneficiary = {
    .path = "/ujrat.payout.v1.BeneficiaryService/GetBeneficiary",
    .roles = ROLE_PLATFORM,
    .request = &wire_get_beneficiary_request_type,
    .handle = get_beneficiary,
};

const struct rpc_method rpc_list_beneficiaries = {
    .path = "/ujrat.payout.v1.BeneficiaryService/ListBeneficiaries",
    .roles = ROLE_PLATFORM,
    .request = &wire_list_beneficiaries_request_type,
    .handle = list_beneficiaries,
};
