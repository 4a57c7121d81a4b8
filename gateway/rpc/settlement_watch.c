/*
 * WatchInstructions: what a bank is to pay, over all books, and the moment at which a payout becomes INSTRUCTED.
 *
 * Book by book, in turn: first what was handed out before and the client has not read; when there is none left,
 * the next payouts are handed out (a commit of its own) and then read. To a bank that settles by windows or by files the ledger
 * hands out nothing so: it is sent what was handed out when its window closed. No more is handed out than the client takes:
 * nothing is read while our buffer is not low. A hand-out whose answer is lost ends the stream; what it handed
 * out is read from the ledger by the next one.
 */
#include <stdlib.h>

#include "gateway/rpc/book_heads.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/person.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { PAGE_INSTRUCTIONS_MAX = 200, HAND_OUT_PAYOUTS_MAX = 1000 };

struct watch {
    struct rpc_call *call;
    struct book_heads *heads;
    struct book_heads_waiter waiter;
    size_t n_books;
    struct instruction_cursor cursors[INSTRUCTION_CURSORS_MAX]; /* by book */
    int64_t
        empty_at[INSTRUCTION_CURSORS_MAX]; /* the book's head when it had nothing for the bank */
    bool
        kept_back[INSTRUCTION_CURSORS_MAX]; /* a limit did: there may be room when anything moves */
    size_t book;                            /* whose turn it is */
    int64_t head_seen;                      /* of that book, before its hand-out under way began */
    bool asking;
    bool paused;
    struct wire_instruction instructions[PAGE_INSTRUCTIONS_MAX];
    char ids[PAGE_INSTRUCTIONS_MAX][INSTRUCTION_ID_SIZE];
    struct arena tokens; /* of one page */
    struct arena people; /* of one page */
};

/* Columns of ledger/sql/settlement_watch.sql. */
enum {
    COL_PAYOUT_ID,
    COL_CANCELLED,
    COL_ERASED,
    COL_NET,
    COL_DST_CCY,
    COL_CHANNEL,
    COL_PURPOSE_CODE,
    COL_ORIGINATOR,
    COL_GROSS,
    COL_SRC_CCY,
    COL_INFO,
    COL_AT,
    COL_PERSON,
};

static void go_on(struct watch *w);

static void watch_free(struct watch *w)
{
    book_heads_cancel(&w->waiter);
    arena_deinit(&w->tokens);
    arena_deinit(&w->people);
    free(w);
}

static void give_up(struct watch *w, enum ledger_outcome outcome, reason_t reason)
{
    struct rpc_call *call = w->call;
    watch_free(w);
    rpc_refuse_outcome(call, outcome, reason, NULL);
}

/* Books that were opened since the last look join the round, in their place. False: there are too many. */
static bool learn_books(struct watch *w)
{
    const struct book_head *all;
    unsigned n = book_heads_all(w->heads, &all);
    for (unsigned i = 0; i < n; i++) {
        size_t at = 0;
        while (at < w->n_books && w->cursors[at].book_id < all[i].book_id)
            at++;
        if (at < w->n_books && w->cursors[at].book_id == all[i].book_id)
            continue;
        if (w->n_books == INSTRUCTION_CURSORS_MAX)
            return false;
        for (size_t j = w->n_books; j > at; j--) {
            w->cursors[j] = w->cursors[j - 1];
            w->empty_at[j] = w->empty_at[j - 1];
            w->kept_back[j] = w->kept_back[j - 1];
        }
        w->cursors[at] = (struct instruction_cursor){all[i].book_id, 0};
        w->empty_at[at] = -1;
        w->kept_back[at] = false;
        w->n_books++;
    }
    return true;
}

static reason_t fill_instruction(struct watch *w, unsigned i, const struct rows *rows, int row)
{
    struct instruction_cursor *cursor = &w->cursors[w->book];
    char *token = arena_alloc(&w->tokens, INSTRUCTION_TOKEN_SIZE(w->n_books));
    struct slice value[PII_FIELDS];
    if (token == NULL)
        return REASON_QUEUE_FULL;
    reason_t reason = person_read(w->call->ctx, rows, row, COL_PERSON, &w->people, value);
    if (reason != REASON_NONE)
        return reason;
    size_t id_len = instruction_id_write(cursor->book_id, cursor->payout_id, w->ids[i]);
    size_t token_len =
        instruction_token_write(w->call->principal.bank_id, w->cursors, w->n_books, token);
    w->instructions[i] = (struct wire_instruction){
        .present = true,
        .instruction_id = slice_of(w->ids[i], id_len),
        .amount =
            wire_money_of(rows_int(rows, row, COL_NET), (uint16_t)rows_int(rows, row, COL_DST_CCY)),
        .creditor_name = value[PII_NAME],
        .creditor_iban = value[PII_IBAN],
        .creditor_mobile_alias = value[PII_MOBILE],
        .creditor_cnic = value[PII_CNIC],
        .channel = (int32_t)rows_int(rows, row, COL_CHANNEL),
        .purpose_code = rows_text(rows, row, COL_PURPOSE_CODE),
        .pseb_registration = value[PII_PSEB],
        .originator_name = rows_text(rows, row, COL_ORIGINATOR),
        .original_amount = wire_money_of(rows_int(rows, row, COL_GROSS),
                                         (uint16_t)rows_int(rows, row, COL_SRC_CCY)),
        .remittance_information = rows_text(rows, row, COL_INFO),
        .create_time = wire_time_of(rows_time_us(rows, row, COL_AT)),
        .resume_token = slice_of(token, token_len),
    };
    return REASON_NONE;
}

/* ---------------------------------------------------------------- handing out */

static void on_handed_out(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                          const struct rows *rows)
{
    struct watch *w = call->state;
    w->asking = false;
    if (outcome != LEDGER_DONE) {
        give_up(w, outcome, reason);
        return;
    }
    if (w->cursors[w->book].payout_id > rows_int(rows, 0, 0)) {
        /* A token from a future that this book does not have, as after a restore: what it skips would never be paid. */
        give_up(w, LEDGER_REFUSED, REASON_RESUME_TOKEN_INVALID);
        return;
    }
    if (!rows_bool(rows, 0, 1)) {
        /* Nothing for this bank up to there: until the book grows, the others have their turn. */
        w->empty_at[w->book] = w->head_seen;
        w->kept_back[w->book] = rows_bool(rows, 0, 2);
        w->book++;
    }
    go_on(w);
}

static void hand_out(struct watch *w)
{
    struct params params;
    int32_t book_id = w->cursors[w->book].book_id;
    w->asking = true;
    w->head_seen = book_heads_position(w->heads, book_id);
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int2(&params, w->call->principal.bank_id);
    params_add_int4(&params, w->call->principal.principal_id);
    params_add_int4(&params, HAND_OUT_PAYOUTS_MAX);
    rpc_query(w->call, "settlement_hand_out", &params, on_handed_out);
}

/* ---------------------------------------------------------------- reading */

static void on_page(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct watch *w = call->state;
    struct wire_watch_instructions_response answer = {.present = true};
    w->asking = false;
    if (outcome != LEDGER_DONE) {
        give_up(w, outcome, reason);
        return;
    }
    unsigned n = 0;
    arena_reset(&w->tokens);
    arena_reset(&w->people);
    for (int i = 0; i < rows_count(rows) && n < PAGE_INSTRUCTIONS_MAX; i++) {
        w->cursors[w->book].payout_id = rows_int(rows, i, COL_PAYOUT_ID);
        if (rows_bool(rows, i, COL_CANCELLED) || rows_bool(rows, i, COL_ERASED))
            continue;
        reason_t no = fill_instruction(w, n, rows, i);
        if (no != REASON_NONE) {
            give_up(w, no == REASON_QUEUE_FULL ? LEDGER_NOT_SENT : LEDGER_REFUSED, no);
            return;
        }
        n++;
    }
    if (n > 0) {
        answer.instructions.items = w->instructions;
        answer.instructions.n = n;
        enum rpc_send_result sent = rpc_send(call, &wire_watch_instructions_response_type, &answer);
        if (sent == RPC_SEND_FAILED) {
            watch_free(w);
            return;
        }
        w->paused = sent == RPC_SEND_PAUSE;
    }
    if (rows_count(rows) > 0)
        go_on(w);
    else
        hand_out(w);
}

static void read_page(struct watch *w)
{
    struct params params;
    w->asking = true;
    params_init(&params);
    params_add_int4(&params, w->cursors[w->book].book_id);
    params_add_int2(&params, w->call->principal.bank_id);
    params_add_int8(&params, w->cursors[w->book].payout_id);
    params_add_int4(&params, PAGE_INSTRUCTIONS_MAX);
    rpc_query(w->call, "settlement_watch", &params, on_page);
}

/* ---------------------------------------------------------------- in turn */

static void on_moved(void *user)
{
    struct watch *w = user;
    /* Answers in another book, or a window's closing, may have made room under the bank's limits. */
    for (size_t i = 0; i < w->n_books; i++)
        if (w->kept_back[i])
            w->empty_at[i] = -1;
    go_on(w);
}

/* The next book that may have something; when none has, waits. */
static void go_on(struct watch *w)
{
    if (w->asking || w->paused || w->waiter.heads != NULL)
        return;
    if (!learn_books(w)) {
        give_up(w, LEDGER_REFUSED, REASON_INTERNAL);
        return;
    }
    for (size_t tried = 0; tried < w->n_books; tried++, w->book++) {
        w->book %= w->n_books;
        int64_t head = book_heads_position(w->heads, w->cursors[w->book].book_id);
        if (w->empty_at[w->book] != head) {
            read_page(w);
            return;
        }
    }
    w->book = 0;
    book_heads_wait(w->heads, &w->waiter, 0, book_heads_position(w->heads, 0));
}

static void on_writable(struct rpc_call *call)
{
    struct watch *w = call->state;
    w->paused = false;
    go_on(w);
}

static void on_gone(struct rpc_call *call)
{
    watch_free(call->state);
    call->state = NULL;
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_watch_instructions_request *r = request;
    struct book_heads *heads = book_heads_of(call->ctx);
    struct watch *w = heads == NULL ? NULL : calloc(1, sizeof(*w));
    if (w == NULL) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    if (!instruction_token_read(r->resume_token, call->principal.bank_id, w->cursors,
                                &w->n_books)) {
        free(w);
        rpc_refuse(call, REASON_RESUME_TOKEN_INVALID, "resume_token");
        return;
    }
    for (size_t i = 0; i < w->n_books; i++)
        w->empty_at[i] = -1;
    w->call = call;
    w->heads = heads;
    w->waiter.user = w;
    w->waiter.on_moved = on_moved;
    arena_init(&w->tokens, 16 * 1024,
               (PAGE_INSTRUCTIONS_MAX + 1) *
                   (INSTRUCTION_TOKEN_SIZE(INSTRUCTION_CURSORS_MAX) + 64));
    arena_init(&w->people, 64 * 1024, (PAGE_INSTRUCTIONS_MAX + 16) * PII_SEALED_BYTES_MAX);
    call->state = w;
    rpc_send_headers(call);
    go_on(w);
}

const struct rpc_method rpc_watch_instructions = {
    .path = "/ujrat.settlement.v1.SettlementService/WatchInstructions",
    .kind = GRPC_SERVER_STREAM,
    .roles = ROLE_BANK,
    .request = &wire_watch_instructions_request_type,
    .handle = handle,
    .on_writable = on_writable,
    .on_gone = on_gone,
};
