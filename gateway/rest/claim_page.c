/*
 * GET and POST /claim/{token}: the page by which a freelancer says where the money of an unclaimed item goes (docs/paypal.md).
 *
 *     token → the item as it stands → the form, or what became of it
 *     form → good details → registered, and the receiver theirs (one commit) → all that waits for the receiver is claimed → the page that says so
 *
 * The token is all the right there is, so it is in no log: what is logged of a request is the pattern of its path. Once the
 * receiver is somebody's, a link changes nothing (functions/claims.sql). Sending a form twice pays once.
 */
#include "base/clock.h"
#include "domain/ccy.h"
#include "domain/payout_state.h"
#include "domain/receiver.h"
#include "gateway/rest/claim_limit.h"
#include "gateway/rest/claim_token.h"
#include "gateway/rest/claim_view.h"
#include "gateway/rest/item_out.h"
#include "gateway/rest/routes.h"
#include "gateway/rest/target.h"
#include "gateway/rpc/claim_draft.h"
#include "ledger/pii_box.h"

enum { CLAIMS_MAX = 500, REQUEST_ID_SIZE = 64 };

/* Columns of claim_item.sql. */
enum {
    ROW_STATE,
    ROW_UNCLAIMED_ID,
    ROW_SRC_CCY,
    ROW_GROSS,
    ROW_EXPIRES_AT,
    ROW_FEE,
    ROW_NET,
    ROW_DST_CCY,
    ROW_RECEIVER_KIND,
    ROW_RECEIVER_LOOKUP,
    ROW_KEY_ID,
    ROW_SEALED,
    ROW_BATCH_FINGERPRINT,
    ROW_PLATFORM,
    ROW_KNOWN,
    ROW_LATE,
};

/* Columns of claim_results.sql. */
enum {
    RESULT_BATCH_ID,
    RESULT_ITEM_NO,
    RESULT_CCY,
    RESULT_GROSS,
    RESULT_PAYOUT_ID,
    RESULT_NET,
    RESULT_DST_CCY
};

struct page {
    struct claim_token token;
    bool sent; /* a form came, and is not dealt with yet */
    struct claim_view view;
    struct claim_form form;
    struct beneficiary_text text;
    int64_t unclaimed_id;
    struct claim *claims;
    int64_t *ids; /* of all that the page will tell of; this item's first */
    unsigned n_ids;
    char reference[REST_ID_SIZE];
    struct pricing_text rate;
};

static const char html_type[] = "text/html; charset=utf-8";

static void ask_item(struct rpc_call *call);

/* ---------------------------------------------------------------- answers */

static void show(struct rpc_call *call, unsigned status, enum claim_view_kind kind)
{
    struct page *page = call->state;
    struct buf *out = rpc_scratch(call->ctx);
    page->view.kind = kind;
    page->view.registry = call->ctx->registry;
    if (claim_view_write(&page->view, out))
        rest_reply_bytes(call, status, html_type, buf_slice(out));
    else
        rest_reply_bytes(call, 500, NULL, SLICE(""));
}

static bool wants_urdu(struct slice query, struct slice accept_language)
{
    struct slice name, value;
    while (target_next(&query, &name, &value))
        if (slice_equal_str(name, "lang"))
            return slice_equal_str(value, "ur");
    return slice_starts_with(accept_language, SLICE("ur"));
}

/* What the framework refuses, as a page. */
static void error_page(const struct rest_request *request, unsigned status, struct buf *out)
{
    const struct claim_view view = {
        .kind = status == 404 || status == 400 ? CLAIM_VIEW_WRONG
                : status == 413                ? CLAIM_VIEW_REFUSED
                                               : CLAIM_VIEW_LATER,
        .urdu = wants_urdu(request->query, SLICE("")),
    };
    if (!claim_view_write(&view, out))
        buf_reset(out);
}

/* What it would come to now. Without a good rate the page says that it is fixed later. */
static void price(struct rpc_call *call)
{
    struct page *page = call->state;
    struct claim_view *view = &page->view;
    const struct ccy *ccy = ccy_by_number(view->gross.ccy);
    struct payout_pricer pricer;
    struct pricing pricing;
    struct wire_pricing told;
    payout_pricer_init(&pricer, call);
    if (ccy == NULL || payout_pricer_aim(&pricer, slice_str(ccy->alpha)) != REASON_NONE ||
        payout_pricer_price(&pricer, view->gross.minor, &pricing) != REASON_NONE)
        return;
    const struct pricing_row row = {.src_ccy = view->gross.ccy,
                                    .dst_ccy = pricing.net.ccy,
                                    .gross = view->gross.minor,
                                    .fee = pricing.fee.minor,
                                    .mid_rate_e10 = pricing.mid.e10,
                                    .margin = pricing.margin.minor,
                                    .net = pricing.net.minor,
                                    .margin_bps = pricing.margin_bps};
    wire_pricing_fill(&row, &page->rate, &told);
    view->fee = pricing.fee;
    view->net = pricing.net;
    view->rate = told.our_rate;
}

static void show_form(struct rpc_call *call, unsigned status)
{
    struct page *page = call->state;
    price(call);
    page->view.form = status == 200 ? NULL : &page->form;
    show(call, status, CLAIM_VIEW_FORM);
}

/* ---------------------------------------------------------------- what it came to */

static void on_results(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    struct page *page = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const int n = rows_count(rows);
    struct claim_view_row *shown = rpc_alloc(call, (size_t)n + 1, sizeof(*shown));
    char(*references)[REST_ID_SIZE] =
        shown == NULL ? NULL : rpc_alloc(call, (size_t)n + 1, sizeof(*references));
    if (references == NULL)
        return;
    for (int i = 0; i < n; i++) {
        const bool paid = !rows_is_null(rows, i, RESULT_PAYOUT_ID);
        shown[i] = (struct claim_view_row){
            .reference = rest_id_write(rows_int(rows, i, RESULT_BATCH_ID),
                                       (int32_t)rows_int(rows, i, RESULT_ITEM_NO), references[i]),
            .gross =
                money_of(rows_int(rows, i, RESULT_GROSS), (uint16_t)rows_int(rows, i, RESULT_CCY)),
            .net = paid ? money_of(rows_int(rows, i, RESULT_NET),
                                   (uint16_t)rows_int(rows, i, RESULT_DST_CCY))
                        : (money_t){0},
        };
    }
    page->view.rows = shown;
    page->view.n_rows = (unsigned)n;
    show(call, 200, CLAIM_VIEW_DONE);
}

static void ask_results(struct rpc_call *call)
{
    const struct page *page = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8_array(&params, page->ids, (int32_t)page->n_ids);
    rpc_query(call, "claim_results", &params, on_results);
    params_deinit(&params);
}

/* Whatever became of each: the rows say it, and what is still open is the sweeper's. */
static void on_claimed(void *user)
{
    struct rpc_call *call = user;
    if (rpc_release(call))
        ask_results(call);
}

static void on_open(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct page *page = call->state;
    struct payout_pricer pricer;
    unsigned n = 0;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    const int open = rows_count(rows);
    page->ids = rpc_alloc(call, (size_t)open + 1, sizeof(*page->ids));
    page->claims =
        page->ids == NULL ? NULL : rpc_alloc(call, (size_t)open + 1, sizeof(*page->claims));
    if (page->claims == NULL)
        return;
    page->ids[page->n_ids++] = page->unclaimed_id;
    payout_pricer_init(&pricer, call);
    for (int row = 0; row < open; row++) {
        struct claim *claim = &page->claims[n];
        if (!claim_draft(call->ctx, &pricer, &call->arena, rows, row, claim))
            break; /* no room: the sweeper's */
        if (claim->unclaimed_id != page->unclaimed_id)
            page->ids[page->n_ids++] = claim->unclaimed_id;
        n += claim->payout.refusal == REASON_NONE;
    }
    if (n == 0) {
        ask_results(call);
        return;
    }
    rpc_hold(call);
    ledger_claim(call->ctx->ledger, call->principal.book_id, call->principal.principal_id,
                 page->claims, n, call->deadline_us, on_claimed, call);
}

static void ask_open(struct rpc_call *call)
{
    const struct page *page = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, page->unclaimed_id);
    params_add_int4(&params, CLAIMS_MAX);
    rpc_query(call, "unclaimed_for", &params, on_open);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- registering */

static enum claim_field bank_field(const struct page *page)
{
    return page->form.details.iban.len > 0 ? CLAIM_IBAN : CLAIM_BANK;
}

static void refuse_bank(struct rpc_call *call, reason_t reason)
{
    struct page *page = call->state;
    page->form.fault[bank_field(page)] = reason;
    show_form(call, 422);
}

static void on_registered(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                          const struct rows *rows)
{
    enum { VERDICT_DONE = 0, VERDICT_KNOWN = 2 };
    struct page *page = call->state;
    if (outcome == LEDGER_REFUSED && reason == REASON_BANK_NOT_CONNECTED) {
        refuse_bank(call, reason);
        return;
    }
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    switch (rows_int(rows, 0, 0)) {
    case VERDICT_DONE:
        ask_open(call);
        break;
    case VERDICT_KNOWN:
        show(call, 200, CLAIM_VIEW_KNOWN);
        break;
    default: /* it ended meanwhile: how */
        page->sent = false;
        ask_item(call);
        break;
    }
}

/* The receiver that the item was sent to, encrypted for the table of receivers. */
static reason_t seal_receiver(struct rpc_call *call, const struct rows *rows, struct params *params)
{
    const struct page *page = call->state;
    const int kind = (int)rows_int(rows, 0, ROW_RECEIVER_KIND);
    const struct slice wanted = rows_text(rows, 0, ROW_RECEIVER_LOOKUP);
    char normal[RECEIVER_SIZE];
    uint8_t lookup[PII_LOOKUP_SIZE], box[RECEIVER_BYTES_MAX + PII_BOX_OVERHEAD];
    int16_t key_id = 0;
    struct slice receiver, note;
    const struct item_box stored = {.batch_id = page->token.batch_id,
                                    .item_no = page->token.item_no,
                                    .key_id = (int16_t)rows_int(rows, 0, ROW_KEY_ID),
                                    .sealed = rows_text(rows, 0, ROW_SEALED),
                                    .fingerprint = rows_text(rows, 0, ROW_BATCH_FINGERPRINT)};
    item_box_open(call, &stored, &receiver, &note);
    if (!(kind == RECEIVER_KIND_EMAIL ? receiver_email(receiver, normal)
                                      : receiver_phone(receiver, normal)) ||
        err_failed(pii_receiver_lookup(call->ctx->pii, kind, slice_str(normal), lookup)) ||
        !slice_equal(slice_of(lookup, sizeof(lookup)), wanted))
        return REASON_INTERNAL;
    const struct pii_place place = {.table = "receiver",
                                    .a = call->principal.book_id,
                                    .b = kind,
                                    .key = slice_of(lookup, sizeof(lookup))};
    if (err_failed(pii_box_seal(call->ctx->pii, &place, slice_str(normal), box, &key_id)))
        return REASON_INTERNAL;
    params_add_text(params, wanted);
    params_add_int2(params, key_id);
    params_add_text(params, slice_of(box, strlen(normal) + PII_BOX_OVERHEAD));
    return REASON_NONE;
}

static void register_claimant(struct rpc_call *call, const struct rows *rows)
{
    struct page *page = call->state;
    char fingerprint[HEX_SIZE(FINGERPRINT_SIZE)], request_id[REQUEST_ID_SIZE];
    struct params params;
    beneficiary_fingerprint(call->ctx->fingerprinter, &page->text);
    reason_t reason = beneficiary_seal(call->ctx->pii, &call->arena, &page->text);
    (void)hex_encode(page->text.fingerprint, FINGERPRINT_SIZE, fingerprint);
    (void)snprintf(request_id, sizeof(request_id), "claim-%s-%s", page->reference, fingerprint);
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, page->unclaimed_id);
    params_add_text(&params, slice_str(request_id));
    params_array_begin(&params, LEDGER_TYPE_BENEFICIARY_DRAFT);
    params_row_begin(&params, BENEFICIARY_DRAFT_COLUMNS);
    beneficiary_draft_columns(&params, &page->text.draft);
    params_row_end(&params);
    params_array_end(&params);
    if (reason == REASON_NONE)
        reason = seal_receiver(call, rows, &params);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, NULL);
    else
        rpc_query(call, "claimant_register", &params, on_registered);
    params_deinit(&params);
}

static void take_form(struct rpc_call *call, const struct rows *rows)
{
    struct page *page = call->state;
    bool good = claim_form_check(&page->form, &page->text);
    if (page->form.fault[CLAIM_IBAN] == REASON_NONE &&
        page->form.fault[CLAIM_MOBILE] == REASON_NONE &&
        page->form.fault[CLAIM_BANK] == REASON_NONE) {
        const reason_t bank =
            beneficiary_bank(call->ctx->registry, &page->form.details, &page->text);
        page->form.fault[bank_field(page)] = bank;
        good = good && bank == REASON_NONE;
    }
    if (good) {
        page->form.fault[CLAIM_CHANNEL] = beneficiary_purpose(call->ctx->registry, &page->text);
        good = page->form.fault[CLAIM_CHANNEL] == REASON_NONE;
    }
    if (good)
        register_claimant(call, rows);
    else
        show_form(call, 422);
}

/* ---------------------------------------------------------------- the item */

static void show_payout(struct rpc_call *call, const struct rows *rows, int state)
{
    struct page *page = call->state;
    page->view.reference = slice_str(page->reference);
    page->view.net = money_of(rows_int(rows, 0, ROW_NET), (uint16_t)rows_int(rows, 0, ROW_DST_CCY));
    switch (state) {
    case PAYOUT_STATE_ACCEPTED:
    case PAYOUT_STATE_HELD:
    case PAYOUT_STATE_INSTRUCTED:
        show(call, 200, CLAIM_VIEW_WAY);
        break;
    case PAYOUT_STATE_SETTLED:
        show(call, 200, CLAIM_VIEW_PAID);
        break;
    case PAYOUT_STATE_CANCELLED:
        show(call, 410, CLAIM_VIEW_CANCELLED);
        break;
    default: /* rejected, refused, returned */
        show(call, 200, CLAIM_VIEW_BACK);
        break;
    }
}

static void show_state(struct rpc_call *call, const struct rows *rows)
{
    const struct page *page = call->state;
    const int state = (int)rows_int(rows, 0, ROW_STATE);
    if (state == BATCH_ITEM_EXPIRED ||
        (state == PAYOUT_STATE_UNCLAIMED && rows_bool(rows, 0, ROW_LATE)))
        show(call, 410, CLAIM_VIEW_EXPIRED);
    else if (state == BATCH_ITEM_CANCELLED)
        show(call, 410, CLAIM_VIEW_CANCELLED);
    else if (state != PAYOUT_STATE_UNCLAIMED)
        show_payout(call, rows, state);
    else if (rows_bool(rows, 0, ROW_KNOWN))
        show(call, 200, CLAIM_VIEW_KNOWN);
    else if (page->sent)
        take_form(call, rows);
    else
        show_form(call, 200);
}

static void on_item(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct page *page = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0 || rows_is_null(rows, 0, ROW_UNCLAIMED_ID)) {
        page->view = (struct claim_view){.urdu = page->view.urdu};
        show(call, 404, CLAIM_VIEW_WRONG);
        return;
    }
    page->unclaimed_id = rows_int(rows, 0, ROW_UNCLAIMED_ID);
    page->view.gross =
        money_of(rows_int(rows, 0, ROW_GROSS), (uint16_t)rows_int(rows, 0, ROW_SRC_CCY));
    page->view.until_us = rows_time_us(rows, 0, ROW_EXPIRES_AT);
    (void)rest_id_write(page->token.batch_id, page->token.item_no, page->reference);
    if (arena_slice_dup(&call->arena, rows_text(rows, 0, ROW_PLATFORM), &page->view.platform))
        show_state(call, rows);
    else
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
}

static void ask_item(struct rpc_call *call)
{
    const struct page *page = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, page->token.batch_id);
    params_add_int4(&params, page->token.item_no);
    rpc_query(call, "claim_item", &params, on_item);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- requests */

/* The credential that a link was made with, or NULL. As much work for those that there are as for those there are not. */
static const struct registry_credential *check_token(struct rpc_call *call, struct slice text)
{
    static const uint8_t no_key[CLAIM_TOKEN_KEY_SIZE];
    struct page *page = call->state;
    struct claim_token *t = &page->token;
    if (!claim_token_read(text, t))
        return NULL;
    const struct registry_credential *c =
        registry_credential_by_id(call->ctx->registry, t->credential_id);
    const bool made = claim_token_check(t, c == NULL ? no_key : c->token_key);
    return made && c != NULL && c->enabled && c->principal->enabled &&
                   c->principal->book_id == t->book_id && t->batch_id >= 1 &&
                   t->batch_id <= REST_BATCH_ID_MAX && t->item_no >= 1 &&
                   t->item_no <= REST_ITEM_NO_MAX
               ? c
               : NULL;
}

/* The call goes on in the name of the system: who holds a link is no principal. */
static bool take_principal(struct rpc_call *call)
{
    const struct page *page = call->state;
    const struct principal *p =
        registry_principal(call->ctx->registry, SLICE("ujrat://system/unclaimed"));
    if (p == NULL)
        return false;
    call->principal = *p;
    call->principal.book_id = page->token.book_id;
    return true;
}

/* False: the call is over. */
static bool begin(struct rpc_call *call, struct rest_request *request, bool sent)
{
    struct page *page = rpc_alloc(call, 1, sizeof(*page));
    if (page == NULL)
        return false;
    call->state = page;
    page->sent = sent;
    page->view.urdu = wants_urdu(request->query, rest_header(call, "accept-language"));
    const struct registry_credential *c = check_token(call, request->param[0]);
    if (c == NULL) {
        show(call, 404, CLAIM_VIEW_WRONG);
        return false;
    }
    memcpy(request->client_id, c->client_id, sizeof(request->client_id));
    if (!claim_limit_take(rest_claim_limits(request->rest), page->token.mac, sent,
                          clock_realtime_us() / US_PER_SEC)) {
        rest_answer_header(call, "Retry-After", SLICE("600"));
        show(call, 429, CLAIM_VIEW_BUSY);
        return false;
    }
    if (!take_principal(call)) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
        return false;
    }
    return true;
}

static void handle_get(struct rpc_call *call, struct rest_request *request)
{
    if (begin(call, request, false))
        ask_item(call);
}

static void handle_post(struct rpc_call *call, struct rest_request *request)
{
    if (!begin(call, request, true))
        return;
    struct page *page = call->state;
    struct slice type, parameters;
    (void)slice_cut(rest_header(call, "content-type"), ';', &type, &parameters);
    type = slice_trim(type);
    if (type.len != strlen("application/x-www-form-urlencoded") ||
        strncasecmp(type.p, "application/x-www-form-urlencoded", type.len) != 0)
        show(call, 415, CLAIM_VIEW_REFUSED);
    else if (!claim_form_read(&call->arena, request->body, &page->form))
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
    else
        ask_item(call);
}

const struct rest_route rest_claim_get = {
    .method = HTTP_GET,
    .who = REST_ANYONE,
    .rpc = {.path = "/claim/{token}"},
    .handle = handle_get,
    .error_page = error_page,
};

const struct rest_route rest_claim_post = {
    .method = HTTP_POST,
    .who = REST_ANYONE,
    .body = REST_BODY_FORM,
    .rpc = {.path = "/claim/{token}"},
    .handle = handle_post,
    .error_page = error_page,
};
