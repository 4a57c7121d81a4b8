/*
 * WatchPayouts: what happened to the platform's payouts, from the ledger itself, page by page.
 *
 * Numbers are given under the book's lock in the order of commits, so reading on from the last number seen misses
 * nothing.
 */
#include <stdio.h>

#include "gateway/rpc/methods.h"
#include "gateway/rpc/rpc_watch.h"
#include "gateway/wire/payout_messages.h"

enum { PAGE_EVENTS_MAX = 256, PAYOUT_NAME_SIZE = PRINCIPAL_CODE_SIZE + 40 };

struct watch {
    struct rpc_watch base;
    struct rpc_token cursor; /* a: seq, b: payout of the last event sent */
    struct wire_payout_event events[PAGE_EVENTS_MAX];
    char names[PAGE_EVENTS_MAX][PAYOUT_NAME_SIZE];
    char tokens[PAGE_EVENTS_MAX][RPC_TOKEN_SIZE];
};

/* Columns of ledger/sql/payout_watch.sql. */
enum { COL_SEQ, COL_PAYOUT_ID, COL_REFERENCE, COL_STATE, COL_AT, COL_REASON_CODE, COL_BANK_REF };

static enum rpc_watch_next ask(struct rpc_watch *base)
{
    struct watch *w = (struct watch *)base;
    struct params params;
    params_init(&params);
    params_add_int4(&params, base->call->principal.book_id);
    params_add_int8(&params, w->cursor.a);
    params_add_int8(&params, w->cursor.b);
    params_add_int4(&params, PAGE_EVENTS_MAX);
    rpc_watch_query(base, "payout_watch", &params);
    return RPC_WATCH_GO_ON;
}

static void fill_event(struct watch *w, unsigned i, const struct rows *rows, int row)
{
    int64_t payout_id = rows_int(rows, row, COL_PAYOUT_ID);
    w->cursor.a = rows_int(rows, row, COL_SEQ);
    w->cursor.b = payout_id;
    int n = snprintf(w->names[i], PAYOUT_NAME_SIZE, "platforms/%s/payouts/%lld",
                     w->base.call->principal.code, (long long)payout_id);
    w->events[i] = (struct wire_payout_event){
        .present = true,
        .payout = slice_of(w->names[i], (size_t)n),
        .reference = rows_text(rows, row, COL_REFERENCE),
        .state = (int32_t)rows_int(rows, row, COL_STATE),
        .event_time = wire_time_of(rows_time_us(rows, row, COL_AT)),
        .reason_code = rows_text(rows, row, COL_REASON_CODE),
        .bank_reference = rows_text(rows, row, COL_BANK_REF),
        .resume_token = slice_of(w->tokens[i], rpc_token_write(&w->cursor, w->tokens[i])),
    };
}

static enum rpc_watch_next take(struct rpc_watch *base, const struct rows *rows)
{
    struct watch *w = (struct watch *)base;
    unsigned n = 0;
    int64_t looked_upto = 0; /* the page ended before the book did, though it is not full */
    for (int i = 0; i < rows_count(rows) && n < PAGE_EVENTS_MAX; i++) {
        if (rows_is_null(rows, i, COL_PAYOUT_ID))
            looked_upto = rows_int(rows, i, COL_SEQ);
        else
            fill_event(w, n++, rows, i);
    }
    bool more = n == PAGE_EVENTS_MAX || looked_upto != 0;
    if (n < PAGE_EVENTS_MAX && looked_upto != 0) {
        w->cursor.a = looked_upto;
        w->cursor.b = INT64_MAX;
    }
    if (n > 0) {
        struct wire_watch_payouts_response answer = {.present = true};
        answer.events.items = w->events;
        answer.events.n = n;
        if (!rpc_watch_send(base, &wire_watch_payouts_response_type, &answer))
            return RPC_WATCH_OVER;
    }
    return more ? RPC_WATCH_GO_ON : RPC_WATCH_WAIT;
}

static const struct rpc_watch_kind kind = {
    .size = sizeof(struct watch),
    .ask = ask,
    .take = take,
};

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_watch_payouts_request *r = request;
    struct rpc_token cursor = {.kind = 'w', .scope = call->principal.book_id};
    if (!rpc_token_decode(r->resume_token, &cursor)) {
        rpc_refuse(call, REASON_RESUME_TOKEN_INVALID, "resume_token");
        return;
    }
    struct watch *w = rpc_watch_new(call, &kind);
    if (w == NULL)
        return;
    w->base.book_id = call->principal.book_id;
    w->cursor = cursor;
    rpc_watch_start(&w->base);
}

const struct rpc_method rpc_watch_payouts = {
    .path = "/ujrat.payout.v1.PayoutService/WatchPayouts",
    .kind = GRPC_SERVER_STREAM,
    .roles = ROLE_PLATFORM,
    .request = &wire_watch_payouts_request_type,
    .handle = handle,
    .on_writable = rpc_watch_on_writable,
    .on_gone = rpc_watch_on_gone,
};
