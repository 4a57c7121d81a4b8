/*
 * WatchPayouts: what happened to the platform's payouts, from the ledger itself, page by page.
 *
 * Numbers are given under the book's lock in the order of commits, so reading on from the last number seen misses
 * nothing. The client pulls: a page is read when the one before has left our buffer. Where there is nothing more,
 * the stream waits for the book to grow.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/rpc/book_heads.h"
#include "gateway/rpc/methods.h"
#include "gateway/wire/payout_messages.h"

enum { PAGE_EVENTS_MAX = 256, PAYOUT_NAME_SIZE = PRINCIPAL_CODE_SIZE + 40 };

struct watch {
    struct rpc_call *call;
    struct book_heads *heads;
    struct book_heads_waiter waiter;
    struct rpc_token cursor; /* a: seq, b: payout of the last event sent */
    int64_t position;        /* of the book, before the read under way began */
    bool reading;
    bool paused;
    struct wire_payout_event events[PAGE_EVENTS_MAX];
    char names[PAGE_EVENTS_MAX][PAYOUT_NAME_SIZE];
    char tokens[PAGE_EVENTS_MAX][RPC_TOKEN_SIZE];
};

/* Columns of ledger/sql/payout_watch.sql. */
enum { COL_SEQ, COL_PAYOUT_ID, COL_REFERENCE, COL_STATE, COL_AT, COL_REASON_CODE, COL_BANK_REF };

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows);

static void watch_free(struct watch *w)
{
    book_heads_cancel(&w->waiter);
    free(w);
}

static void read_page(struct watch *w)
{
    struct params params;
    if (w->reading || w->paused)
        return;
    w->reading = true;
    w->position = book_heads_position(w->heads, w->call->principal.book_id);
    params_init(&params);
    params_add_int4(&params, w->call->principal.book_id);
    params_add_int8(&params, w->cursor.a);
    params_add_int8(&params, w->cursor.b);
    params_add_int4(&params, PAGE_EVENTS_MAX);
    rpc_query(w->call, "payout_watch", &params, on_page);
}

static void on_moved(void *user)
{
    read_page(user);
}

static void fill_event(struct watch *w, unsigned i, const struct rows *rows, int row)
{
    int64_t payout_id = rows_int(rows, row, COL_PAYOUT_ID);
    w->cursor.a = rows_int(rows, row, COL_SEQ);
    w->cursor.b = payout_id;
    int n = snprintf(w->names[i], PAYOUT_NAME_SIZE, "platforms/%s/payouts/%lld",
                     w->call->principal.code, (long long)payout_id);
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

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct watch *w = call->state;
    w->reading = false;
    if (outcome != LEDGER_DONE) {
        watch_free(w);
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
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
        enum rpc_send_result sent = rpc_send(call, &wire_watch_payouts_response_type, &answer);
        if (sent == RPC_SEND_FAILED) {
            watch_free(w);
            return;
        }
        w->paused = sent == RPC_SEND_PAUSE;
    }
    if (more || w->paused)
        read_page(w);
    else
        book_heads_wait(w->heads, &w->waiter, call->principal.book_id, w->position);
}

static void on_writable(struct rpc_call *call)
{
    struct watch *w = call->state;
    w->paused = false;
    if (w->waiter.heads == NULL)
        read_page(w);
}

static void on_gone(struct rpc_call *call)
{
    watch_free(call->state);
    call->state = NULL;
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_watch_payouts_request *r = request;
    struct rpc_token cursor = {.kind = 'w', .scope = call->principal.book_id};
    if (!rpc_token_decode(r->resume_token, &cursor)) {
        rpc_refuse(call, REASON_RESUME_TOKEN_INVALID, "resume_token");
        return;
    }
    struct book_heads *heads = book_heads_of(call->ctx);
    struct watch *w = heads == NULL ? NULL : calloc(1, sizeof(*w));
    if (w == NULL) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    w->call = call;
    w->heads = heads;
    w->cursor = cursor;
    w->waiter.user = w;
    w->waiter.on_moved = on_moved;
    call->state = w;
    rpc_send_headers(call);
    read_page(w);
}

const struct rpc_method rpc_watch_payouts = {
    .path = "/ujrat.payout.v1.PayoutService/WatchPayouts",
    .kind = GRPC_SERVER_STREAM,
    .roles = ROLE_PLATFORM,
    .request = &wire_watch_payouts_request_type,
    .handle = handle,
    .on_writable = on_writable,
    .on_gone = on_gone,
};
