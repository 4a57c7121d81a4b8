/*
 * WatchInquiries, AnswerInquiries: what a bank is asked, and its answers that settle nothing.
 *
 * A bank's questions are numbered under its row's lock, so that reading on from the last number seen misses none. Only those still
 * open are sent: one that was answered meanwhile needs no answer, and one that is asked again has a new number.
 */
#include "domain/ccy.h"
#include "domain/iso20022_reason.h"
#include "domain/text.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/rpc_watch.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { PAGE_INQUIRIES_MAX = 200, STATUS_CHARS_MAX = 35 };

/* Columns of ledger/sql/settlement_inquiries.sql. */
enum {
    COL_QUESTION_NO,
    COL_KIND,
    COL_BOOK_ID,
    COL_PAYOUT_ID,
    COL_NUMBER,
    COL_REASON_CODE,
    COL_ASKED_AT,
    COL_NET,
    COL_CCY,
};

struct watch {
    struct rpc_watch base;
    struct rpc_token cursor; /* a: the number of the last question sent */
    struct wire_inquiry inquiries[PAGE_INQUIRIES_MAX];
    char ids[PAGE_INQUIRIES_MAX][INQUIRY_ID_SIZE];
    char instruction_ids[PAGE_INQUIRIES_MAX][INSTRUCTION_ID_SIZE];
    char tokens[PAGE_INQUIRIES_MAX][RPC_TOKEN_SIZE];
};

/* ---------------------------------------------------------------- WatchInquiries */

static enum rpc_watch_next ask(struct rpc_watch *base)
{
    struct watch *w = (struct watch *)base;
    struct params params;
    params_init(&params);
    params_add_int2(&params, base->call->principal.bank_id);
    params_add_int8(&params, w->cursor.a);
    params_add_int4(&params, PAGE_INQUIRIES_MAX);
    rpc_watch_query(base, "settlement_inquiries", &params);
    return RPC_WATCH_GO_ON;
}

static void fill_inquiry(struct watch *w, int i, const struct rows *rows)
{
    struct inquiry_id id = {
        .kind = (int32_t)rows_int(rows, i, COL_KIND),
        .book_id = (int32_t)rows_int(rows, i, COL_BOOK_ID),
        .payout_id = rows_int(rows, i, COL_PAYOUT_ID),
        .number = (int16_t)rows_int(rows, i, COL_NUMBER),
    };
    w->cursor.a = rows_int(rows, i, COL_QUESTION_NO);
    w->inquiries[i] = (struct wire_inquiry){
        .present = true,
        .inquiry_id = slice_of(w->ids[i], inquiry_id_write(&id, w->ids[i])),
        .kind = id.kind,
        .instruction_id =
            slice_of(w->instruction_ids[i],
                     instruction_id_write(id.book_id, id.payout_id, w->instruction_ids[i])),
        .amount = wire_money_of(rows_int(rows, i, COL_NET), (uint16_t)rows_int(rows, i, COL_CCY)),
        .reason_code = rows_text(rows, i, COL_REASON_CODE),
        .number = id.number,
        .ask_time = wire_time_of(rows_time_us(rows, i, COL_ASKED_AT)),
        .resume_token = slice_of(w->tokens[i], rpc_token_write(&w->cursor, w->tokens[i])),
    };
}

static enum rpc_watch_next take(struct rpc_watch *base, const struct rows *rows)
{
    struct watch *w = (struct watch *)base;
    int n = rows_count(rows);
    if (n > PAGE_INQUIRIES_MAX)
        n = PAGE_INQUIRIES_MAX;
    for (int i = 0; i < n; i++)
        fill_inquiry(w, i, rows);
    if (n > 0) {
        struct wire_watch_inquiries_response answer = {.present = true};
        answer.inquiries.items = w->inquiries;
        answer.inquiries.n = (uint32_t)n;
        if (!rpc_watch_send(base, &wire_watch_inquiries_response_type, &answer))
            return RPC_WATCH_OVER;
    }
    return n == PAGE_INQUIRIES_MAX ? RPC_WATCH_GO_ON : RPC_WATCH_WAIT;
}

static const struct rpc_watch_kind watch_kind = {
    .size = sizeof(struct watch),
    .ask = ask,
    .take = take,
};

static void handle_watch(struct rpc_call *call, const void *request)
{
    const struct wire_watch_inquiries_request *r = request;
    struct rpc_token cursor = {.kind = 'q', .scope = call->principal.bank_id};
    if (!rpc_token_decode(r->resume_token, &cursor)) {
        rpc_refuse(call, REASON_RESUME_TOKEN_INVALID, "resume_token");
        return;
    }
    struct watch *w = rpc_watch_new(call, &watch_kind);
    if (w == NULL)
        return;
    w->base.book_id = BOOK_HEADS_SETTLEMENT;
    w->cursor = cursor;
    rpc_watch_start(&w->base);
}

/* ---------------------------------------------------------------- AnswerInquiries */

struct item {
    const struct wire_inquiry_answer *said;
    struct refusal no;
    struct inquiry_id id;
    int32_t outcome;
};

struct answers {
    uint32_t n;
    struct item *items;
};

static struct refusal check_recall(const struct wire_inquiry_answer *said)
{
    if (!slice_equal_str(said->status_code, "CNCL") &&
        !slice_equal_str(said->status_code, "PDCR") && !slice_equal_str(said->status_code, "RJCR"))
        return (struct refusal){REASON_FIELD_INVALID, "status_code"};
    if (said->reason_code.len == 0 && slice_equal_str(said->status_code, "RJCR"))
        return (struct refusal){REASON_FIELD_REQUIRED, "reason_code"};
    if (said->reason_code.len != 0)
        return (struct refusal){iso20022_reason_check_syntax(said->reason_code), "reason_code"};
    return (struct refusal){REASON_NONE, NULL};
}

static struct refusal check_answer(struct item *item)
{
    const struct wire_inquiry_answer *said = item->said;
    reason_t reason;
    if (said->inquiry_id.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "inquiry_id"};
    /* Not one of ours, another bank's, never asked: the same answer to all. */
    if (!inquiry_id_read(said->inquiry_id, &item->id))
        return (struct refusal){REASON_INQUIRY_NOT_FOUND, "inquiry_id"};
    if (said->status_code.len == 0)
        return (struct refusal){REASON_FIELD_REQUIRED, "status_code"};
    if ((reason = text_check_ascii(said->status_code, STATUS_CHARS_MAX)) != REASON_NONE)
        return (struct refusal){reason, "status_code"};
    if ((reason = text_check_ascii(said->reason_code, STATUS_CHARS_MAX)) != REASON_NONE)
        return (struct refusal){reason, "reason_code"};
    if (item->id.kind == WIRE_INQUIRY_RECALL)
        return check_recall(said);
    /* A definite answer moves money: it is said with ConfirmInstructions. */
    if (slice_equal_str(said->status_code, "ACSC") || slice_equal_str(said->status_code, "ACCC") ||
        slice_equal_str(said->status_code, "RJCT"))
        return (struct refusal){REASON_FIELD_INVALID, "status_code"};
    return (struct refusal){REASON_NONE, NULL};
}

static void reply(struct rpc_call *call)
{
    const struct answers *a = call->state;
    struct wire_answer_inquiries_response message = {.present = true};
    struct wire_inquiry_answer_result *results = rpc_alloc(call, a->n, sizeof(*results));
    if (results == NULL)
        return;
    for (uint32_t i = 0; i < a->n; i++) {
        const struct item *item = &a->items[i];
        results[i].present = true;
        /* An answer must be valid UTF-8, or the client drops it with all its neighbours. */
        if (utf8_check(item->said->inquiry_id, NULL) == UTF8_OK)
            results[i].inquiry_id = item->said->inquiry_id;
        results[i].outcome = item->outcome;
        if (item->no.reason == REASON_NONE)
            continue;
        results[i].reason = slice_str(reason_name(item->no.reason));
        if (item->no.field != NULL)
            results[i].field = rpc_text(call, "answers[%u].%s", i, item->no.field);
        results[i].message = slice_str(reason_text(item->no.reason));
    }
    message.results.items = results;
    message.results.n = a->n;
    rpc_reply(call, &wire_answer_inquiries_response_type, &message);
}

static void take_verdict(struct item *item, int64_t verdict)
{
    reason_t reason;
    if (verdict == 0 || verdict == 1) {
        item->outcome = verdict == 0 ? WIRE_RESULT_RECORDED : WIRE_RESULT_DUPLICATE;
        return;
    }
    if (!reason_from_number((int32_t)verdict, &reason))
        reason = REASON_INTERNAL;
    item->outcome = WIRE_RESULT_REFUSED;
    item->no = (struct refusal){reason, reason == REASON_INQUIRY_NOT_FOUND ? "inquiry_id" : NULL};
}

static void on_verdicts(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    struct answers *a = call->state;
    int64_t verdicts[WIRE_INQUIRY_ANSWERS_MAX];
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL); /* none was recorded, or all may be */
        return;
    }
    int n = rows_int_array(rows, 0, 0, verdicts, WIRE_INQUIRY_ANSWERS_MAX), at = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->items[i].no.reason == REASON_NONE) {
            take_verdict(&a->items[i], at < n ? verdicts[at] : REASON_INTERNAL);
            at++;
        }
    }
    reply(call);
}

static void add_row(struct params *params, const struct item *item)
{
    params_row_begin(params, 6);
    params_row_int2(params, (int16_t)item->id.kind);
    params_row_int4(params, item->id.book_id);
    params_row_int8(params, item->id.payout_id);
    params_row_int2(params, item->id.number);
    params_row_text(params, item->said->status_code);
    params_row_text_or_null(params, item->said->reason_code);
    params_row_end(params);
}

static void handle_answer(struct rpc_call *call, const void *request)
{
    const struct wire_answer_inquiries_request *r = request;
    uint32_t n = r->answers.n, good = 0;
    if (n == 0) {
        rpc_refuse(call, REASON_BATCH_EMPTY, "answers");
        return;
    }
    struct answers *a = rpc_alloc(call, 1, sizeof(*a));
    if (a == NULL || (a->items = rpc_alloc(call, n, sizeof(*a->items))) == NULL)
        return;
    call->state = a;
    a->n = n;
    struct params params;
    params_init(&params);
    params_add_int2(&params, call->principal.bank_id);
    params_add_int4(&params, call->principal.principal_id);
    params_array_begin(&params, LEDGER_TYPE_QUESTION_ANSWER);
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = &a->items[i];
        item->said = &r->answers.items[i];
        item->outcome = WIRE_RESULT_REFUSED;
        item->no = check_answer(item);
        if (item->no.reason != REASON_NONE)
            continue;
        add_row(&params, item);
        good++;
    }
    params_array_end(&params);
    if (good == 0) {
        params_deinit(&params);
        reply(call);
        return;
    }
    rpc_query(call, "settlement_answer", &params, on_verdicts);
}

const struct rpc_method rpc_watch_inquiries = {
    .path = "/ujrat.settlement.v1.SettlementService/WatchInquiries",
    .kind = GRPC_SERVER_STREAM,
    .roles = ROLE_BANK,
    .request = &wire_watch_inquiries_request_type,
    .handle = handle_watch,
    .on_writable = rpc_watch_on_writable,
    .on_gone = rpc_watch_on_gone,
};

const struct rpc_method rpc_answer_inquiries = {
    .path = "/ujrat.settlement.v1.SettlementService/AnswerInquiries",
    .roles = ROLE_BANK,
    .request = &wire_answer_inquiries_request_type,
    .handle = handle_answer,
};
