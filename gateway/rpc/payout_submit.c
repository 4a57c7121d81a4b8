/*
 * SubmitPayout and SubmitPayouts. Both are the same machine, with one item or many:
 *
 *     VALIDATE → (ASK_QUOTES → await) → POST → await the commit → REPLY → OVER
 *
 * A phase function returns the next phase and only the driver assigns it. While a phase awaits, the loop goes on
 * with other calls; the callback resumes the driver.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/payout_state.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/payout_draft.h"
#include "gateway/rpc/quote_row.h"

enum phase { PHASE_VALIDATE, PHASE_ASK_QUOTES, PHASE_POST, PHASE_REPLY, PHASE_AWAIT, PHASE_OVER };

struct submit {
    struct rpc_call *call;
    enum phase phase;
    bool is_batch;
    const struct wire_submit_payout_request *requests;
    uint32_t n;
    struct refusal *refused; /* at once, one a request; a reason here has no draft */
    uint32_t *request_of;    /* of draft i */
    struct payout_draft *drafts;
    struct payout_posted *posted;
    uint32_t n_drafts;
    uint32_t n_quoted;
    struct quote_row *quotes; /* by number; what was found of those asked for */
    uint32_t n_quotes;
    char rate_source[RATE_SOURCE_SIZE]; /* of a single payout, for its answer */
    int64_t rate_as_of_us;
};

static void drive(struct submit *s);

static void resume(struct submit *s, enum phase phase)
{
    s->phase = phase;
    drive(s);
}

/* ---------------------------------------------------------------- validate */

static void keep_rate(struct submit *s)
{
    const struct registry_rates *rates = registry_rates(s->call->ctx->registry);
    if (s->is_batch || rates == NULL)
        return;
    memcpy(s->rate_source, rates->source, sizeof(s->rate_source));
    s->rate_as_of_us = rates->as_of_us;
}

static enum phase validate(struct submit *s)
{
    struct payout_pricer pricer;
    payout_pricer_init(&pricer, s->call);
    keep_rate(s);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct wire_submit_payout_request *request = &s->requests[i];
        struct payout_draft *draft = &s->drafts[s->n_drafts];
        struct refusal no = payout_draft_check(s->call, request, draft);
        if (no.reason == REASON_NONE) {
            no.reason = payout_pricer_aim(&pricer, request->gross.currency_code);
            no.field = "gross.currency_code";
        }
        s->refused[i] = no;
        if (no.reason != REASON_NONE)
            continue;
        if (draft->quote_id == 0)
            payout_draft_price(&pricer, request->gross.currency_code, draft);
        else
            s->n_quoted++;
        s->request_of[s->n_drafts++] = i;
    }
    if (s->n_drafts == 0)
        return PHASE_REPLY;
    return s->n_quoted > 0 ? PHASE_ASK_QUOTES : PHASE_POST;
}

/* ---------------------------------------------------------------- quotes */

static int compare_quotes(const void *key, const void *element)
{
    const int64_t *id = key;
    const struct quote_row *q = element;
    return (*id > q->quote_id) - (*id < q->quote_id);
}

static enum phase price_quoted(struct submit *s)
{
    struct payout_pricer pricer;
    payout_pricer_init(&pricer, s->call);
    for (uint32_t i = 0; i < s->n_drafts; i++) {
        struct payout_draft *draft = &s->drafts[i];
        if (draft->quote_id == 0)
            continue;
        const struct quote_row *quote = s->n_quotes == 0
                                            ? NULL
                                            : bsearch(&draft->quote_id, s->quotes, s->n_quotes,
                                                      sizeof(*s->quotes), compare_quotes);
        payout_draft_quote(&pricer, quote, s->requests[s->request_of[i]].gross.currency_code,
                           draft);
        if (quote != NULL && !s->is_batch) {
            memcpy(s->rate_source, quote->rate_source, sizeof(s->rate_source));
            s->rate_as_of_us = quote->rate_as_of_us;
        }
    }
    return PHASE_POST;
}

static void on_quotes(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    struct submit *s = call->state;
    if (outcome != LEDGER_DONE) {
        /* Nothing was sent yet: whatever became of a question, nothing was done. */
        rpc_refuse(call,
                   outcome == LEDGER_NOT_SENT && reason != REASON_NONE ? reason
                                                                       : REASON_LEDGER_UNAVAILABLE,
                   NULL);
        return;
    }
    uint32_t n = (uint32_t)rows_count(rows);
    s->quotes = rpc_alloc(call, n, sizeof(*s->quotes));
    if (s->quotes == NULL)
        return;
    for (uint32_t i = 0; i < n; i++)
        quote_row_read(rows, (int)i, &s->quotes[i]);
    s->n_quotes = n;
    resume(s, price_quoted(s));
}

static enum phase ask_quotes(struct submit *s)
{
    size_t size = (size_t)s->n_quoted * (STR_INT64_SIZE + 1) + 3;
    char *text = rpc_alloc(s->call, size, 1);
    if (text == NULL)
        return PHASE_OVER;
    char *p = text;
    *p++ = '{';
    for (uint32_t i = 0; i < s->n_drafts; i++) {
        if (s->drafts[i].quote_id == 0)
            continue;
        if (p[-1] != '{')
            *p++ = ',';
        p += str_format_int64(s->drafts[i].quote_id, p);
    }
    *p++ = '}';
    struct params params;
    params_init(&params);
    params_add_int4(&params, s->call->principal.book_id);
    params_add_text(&params, slice_of(text, (size_t)(p - text)));
    rpc_query(s->call, "quote_get", &params, on_quotes);
    params_deinit(&params);
    return PHASE_AWAIT;
}

/* ---------------------------------------------------------------- post */

static void on_posted(void *user)
{
    struct submit *s = user;
    for (uint32_t i = 0; i < s->n_drafts; i++)
        if (s->posted[i].outcome != LEDGER_REFUSED && s->posted[i].outcome != LEDGER_NOT_SENT)
            rpc_wrote(s->call);
    if (rpc_release(s->call))
        resume(s, PHASE_REPLY);
}

static enum phase post(struct submit *s)
{
    struct rpc_call *call = s->call;
    rpc_hold(call);
    ledger_post(call->ctx->ledger, call->principal.book_id, call->principal.principal_id, s->drafts,
                s->posted, s->n_drafts, call->deadline_us, on_posted, s);
    return PHASE_AWAIT;
}

/* ---------------------------------------------------------------- reply: one */

static void answer_payout(struct submit *s)
{
    struct rpc_call *call = s->call;
    const struct wire_submit_payout_request *request = &s->requests[0];
    const struct payout_draft *draft = &s->drafts[0];
    const struct payout_posted *posted = &s->posted[0];
    const struct registry_bank *bank = registry_bank(call->ctx->registry, posted->bank_id);
    struct pricing_text text;
    struct wire_payout payout = {
        .present = true,
        .name = rpc_resource_name(call, "payouts", posted->payout_id),
        .reference = draft->reference,
        .state = PAYOUT_STATE_ACCEPTED,
        .beneficiary = rpc_resource_name(call, "beneficiaries", posted->beneficiary_id),
        .bank_code = slice_str(bank == NULL ? NULL : bank->code),
        .quote = request->quote,
        .remittance_information = draft->info,
        .create_time = wire_time_of(posted->committed_us),
        .update_time = wire_time_of(posted->committed_us),
    };
    wire_pricing_fill(&(struct pricing_row){.src_ccy = (uint16_t)draft->src_ccy,
                                            .dst_ccy = (uint16_t)draft->dst_ccy,
                                            .gross = draft->gross,
                                            .fee = draft->fee,
                                            .mid_rate_e10 = draft->mid_rate_e10,
                                            .margin = draft->margin,
                                            .net = draft->net,
                                            .margin_bps = draft->margin_bps,
                                            .rate_source = slice_str(s->rate_source),
                                            .rate_as_of_us = s->rate_as_of_us,
                                            .policy_id = draft->policy_id},
                      &text, &payout.pricing);
    log_debug(call->ctx->log, "payout.accepted", log_conn(call->conn_id), log_payout(payout.name),
              log_iban("iban", request->beneficiary_details.iban),
              log_cnic("cnic", request->beneficiary_details.cnic));
    rpc_reply(call, &wire_payout_type, &payout);
}

static void reply_one(struct submit *s)
{
    struct rpc_call *call = s->call;
    if (s->refused[0].reason != REASON_NONE) {
        rpc_refuse(call, s->refused[0].reason, s->refused[0].field);
        return;
    }
    const struct payout_posted *posted = &s->posted[0];
    switch (posted->outcome) {
    case LEDGER_DONE:
        answer_payout(s);
        break;
    case LEDGER_DUPLICATE:
        rpc_answer_payout(call, posted->payout_id);
        break;
    case LEDGER_REFUSED:
    case LEDGER_NOT_SENT:
    case LEDGER_UNKNOWN:
        rpc_refuse_outcome(call, posted->outcome, posted->reason,
                           payout_draft_field(posted->reason, &s->requests[0]));
        break;
    }
}

/* ---------------------------------------------------------------- reply: many */

static void say_no(struct submit *s, uint32_t item, reason_t reason, const char *field,
                   struct wire_submit_payout_result *out)
{
    out->reason = slice_str(reason_name(reason));
    out->message = slice_str(reason_text(reason));
    if (field != NULL)
        out->field = rpc_text(s->call, "payouts[%u].%s", item, field);
}

static void fill_result(struct submit *s, uint32_t item, const struct payout_posted *posted,
                        struct wire_submit_payout_result *out)
{
    const struct wire_submit_payout_request *request = &s->requests[item];
    switch (posted->outcome) {
    case LEDGER_DONE:
    case LEDGER_DUPLICATE:
        out->outcome =
            posted->outcome == LEDGER_DONE ? WIRE_OUTCOME_ACCEPTED : WIRE_OUTCOME_DUPLICATE;
        out->payout = rpc_resource_name(s->call, "payouts", posted->payout_id);
        out->fee = (struct wire_money){true, request->gross.currency_code, posted->fee};
        out->net = wire_money_of(posted->net, (uint16_t)posted->dst_ccy);
        break;
    case LEDGER_REFUSED:
        out->outcome = WIRE_OUTCOME_REFUSED;
        say_no(s, item, posted->reason, payout_draft_field(posted->reason, request), out);
        break;
    case LEDGER_NOT_SENT:
        out->outcome = WIRE_OUTCOME_NOT_DONE;
        say_no(s, item, posted->reason == REASON_NONE ? REASON_LEDGER_UNAVAILABLE : posted->reason,
               NULL, out);
        break;
    case LEDGER_UNKNOWN:
        out->outcome = WIRE_OUTCOME_UNKNOWN;
        say_no(s, item, REASON_OUTCOME_UNKNOWN, NULL, out);
        break;
    }
}

/* The whole call is overload when the ledger took none of it for want of room. */
static bool is_overload(const struct submit *s)
{
    for (uint32_t i = 0; i < s->n_drafts; i++)
        if (s->posted[i].outcome != LEDGER_NOT_SENT || s->posted[i].reason != REASON_QUEUE_FULL)
            return false;
    return s->n_drafts == s->n;
}

/* What the client sent as its reference, if it can be said again: an answer must be valid UTF-8. */
static struct slice say_reference(struct slice reference)
{
    return utf8_check(reference, NULL) == UTF8_OK ? reference : SLICE("");
}

static void reply_batch(struct submit *s)
{
    struct rpc_call *call = s->call;
    if (is_overload(s)) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    struct wire_submit_payouts_response response = {.present = true};
    response.results.items = rpc_alloc(call, s->n, sizeof(*response.results.items));
    if (response.results.items == NULL)
        return;
    response.results.n = s->n;
    uint32_t draft = 0, done = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        struct wire_submit_payout_result *result = &response.results.items[i];
        result->reference = say_reference(s->requests[i].reference);
        if (s->refused[i].reason == REASON_NONE) {
            const struct payout_posted *posted = &s->posted[draft++];
            done += posted->outcome == LEDGER_DONE;
            fill_result(s, i, posted, result);
        } else {
            result->outcome = WIRE_OUTCOME_REFUSED;
            say_no(s, i, s->refused[i].reason, s->refused[i].field, result);
        }
    }
    assert(draft == s->n_drafts);
    log_info(call->ctx->log, "payouts.submitted", log_conn(call->conn_id),
             log_str("principal", call->principal.uri), log_uint("items", s->n),
             log_uint("accepted", done));
    rpc_reply(call, &wire_submit_payouts_response_type, &response);
}

static enum phase reply(struct submit *s)
{
    if (s->is_batch)
        reply_batch(s);
    else
        reply_one(s);
    return PHASE_OVER;
}

/* ---------------------------------------------------------------- the driver */

/* After PHASE_OVER the call, and with it `s`, may be gone. */
static void drive(struct submit *s)
{
    enum phase phase = s->phase;
    while (phase != PHASE_AWAIT && phase != PHASE_OVER) {
        s->phase = phase;
        switch (phase) {
        case PHASE_VALIDATE:
            phase = validate(s);
            break;
        case PHASE_ASK_QUOTES:
            phase = ask_quotes(s);
            break;
        case PHASE_POST:
            phase = post(s);
            break;
        case PHASE_REPLY:
            phase = reply(s);
            break;
        case PHASE_AWAIT:
        case PHASE_OVER:
            break;
        }
    }
}

static void begin(struct rpc_call *call, const struct wire_submit_payout_request *requests,
                  uint32_t n, bool is_batch)
{
    struct submit *s = rpc_alloc(call, 1, sizeof(*s));
    if (s == NULL)
        return;
    *s = (struct submit){.call = call, .is_batch = is_batch, .requests = requests, .n = n};
    /* Written before they are read: not zeroed, for a large batch is megabytes of it. */
    s->refused = arena_alloc(&call->arena, n * sizeof(*s->refused));
    s->request_of = arena_alloc(&call->arena, n * sizeof(*s->request_of));
    s->drafts = arena_alloc(&call->arena, n * sizeof(*s->drafts));
    s->posted = rpc_alloc(call, n, sizeof(*s->posted));
    if (s->posted == NULL)
        return;
    if (s->refused == NULL || s->request_of == NULL || s->drafts == NULL) {
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
        return;
    }
    call->state = s;
    resume(s, PHASE_VALIDATE);
}

static void submit_payout(struct rpc_call *call, const void *request)
{
    begin(call, request, 1, false);
}

static void submit_payouts(struct rpc_call *call, const void *request)
{
    const struct wire_submit_payouts_request *batch = request;
    if (batch->payouts.n == 0) {
        rpc_refuse(call, REASON_BATCH_EMPTY, "payouts");
        return;
    }
    begin(call, batch->payouts.items, batch->payouts.n, true);
}

const struct rpc_method rpc_submit_payout = {
    .path = "/ujrat.payout.v1.PayoutService/SubmitPayout",
    .roles = ROLE_PLATFORM,
    .request = &wire_submit_payout_request_type,
    .handle = submit_payout,
};

const struct rpc_method rpc_submit_payouts = {
    .path = "/ujrat.payout.v1.PayoutService/SubmitPayouts",
    .roles = ROLE_PLATFORM,
    .request = &wire_submit_payouts_request_type,
    .handle = submit_payouts,
    .is_batch = true,
};
