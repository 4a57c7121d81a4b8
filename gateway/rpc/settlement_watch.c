/*
 * WatchInstructions: what a bank is to pay, over all books, and the moment at which a payout becomes INSTRUCTED.
 *
 * Book by book, in turn: first what was handed out before and the client has not read; when there is none left,
 * the next payouts are handed out (a commit of its own) and then read. To a bank that settles by windows or by files the ledger
 * hands out nothing so: it is sent what was handed out when its window closed. No more is handed out than the client takes:
 * nothing is read while our buffer is not low. A hand-out whose answer is lost ends the stream; what it handed
 * out is read from the ledger by the next one.
 */
#include "gateway/rpc/methods.h"
#include "gateway/rpc/person.h"
#include "gateway/rpc/rpc_watch.h"
#include "gateway/rpc/settlement_id.h"
#include "gateway/wire/settlement_messages.h"

enum { PAGE_INSTRUCTIONS_MAX = 200, HAND_OUT_PAYOUTS_MAX = 1000 };

struct watch {
    struct rpc_watch base;
    size_t n_books;
    struct instruction_cursor cursors[INSTRUCTION_CURSORS_MAX]; /* by book */
    int64_t
        empty_at[INSTRUCTION_CURSORS_MAX]; /* the book's head when it had nothing for the bank */
    bool
        kept_back[INSTRUCTION_CURSORS_MAX]; /* a limit did: there may be room when anything moves */
    size_t book;                            /* whose turn it is */
    int64_t head_seen;                      /* of that book, before its hand-out under way began */
    bool all_read;                          /* of what was handed out there before */
    bool handing_out;
    struct wire_instruction instructions[PAGE_INSTRUCTIONS_MAX];
    char ids[PAGE_INSTRUCTIONS_MAX][INSTRUCTION_ID_SIZE];
    struct arena tokens; /* of one page */
    struct arena people; /* of one page */
};

/* Columns of ledger/sql/settlement_watch.sql. */
enum {
    COL_ORDER_NO,
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
    COL_WINDOW_NO,
    COL_PERSON,
};

/* Books that were opened since the last look join the round, in their place. False: there are too many. */
static bool learn_books(struct watch *w)
{
    const struct book_head *all;
    unsigned n = book_heads_all(w->base.heads, &all);
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
    reason_t reason = person_read(w->base.call->ctx, rows, row, COL_PERSON, &w->people, value);
    if (reason != REASON_NONE)
        return reason;
    size_t id_len =
        instruction_id_write(cursor->book_id, rows_int(rows, row, COL_PAYOUT_ID), w->ids[i]);
    size_t token_len =
        instruction_token_write(w->base.call->principal.bank_id, w->cursors, w->n_books, token);
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
        .window_no =
            rows_is_null(rows, row, COL_WINDOW_NO) ? 0 : rows_int(rows, row, COL_WINDOW_NO),
        .resume_token = slice_of(token, token_len),
    };
    return REASON_NONE;
}

/* ---------------------------------------------------------------- handing out */

static void hand_out(struct watch *w)
{
    struct params params;
    int32_t book_id = w->cursors[w->book].book_id;
    w->handing_out = true;
    w->head_seen = book_heads_position(w->base.heads, book_id);
    params_init(&params);
    params_add_int4(&params, book_id);
    params_add_int2(&params, w->base.call->principal.bank_id);
    params_add_int4(&params, w->base.call->principal.principal_id);
    params_add_int4(&params, HAND_OUT_PAYOUTS_MAX);
    rpc_watch_query(&w->base, "settlement_hand_out", &params);
}

static enum rpc_watch_next take_hand_out(struct watch *w, const struct rows *rows)
{
    w->handing_out = w->all_read = false;
    if (w->cursors[w->book].order_no > rows_int(rows, 0, 0)) {
        /* A token from a future that this book does not have, as after a restore: what it skips would never be paid. */
        rpc_watch_refuse(&w->base, REASON_RESUME_TOKEN_INVALID, NULL);
        return RPC_WATCH_OVER;
    }
    if (!rows_bool(rows, 0, 1)) {
        /* Nothing for this bank up to there: until the book grows, the others have their turn. */
        w->empty_at[w->book] = w->head_seen;
        w->kept_back[w->book] = rows_bool(rows, 0, 2);
        w->book++;
    }
    return RPC_WATCH_GO_ON;
}

/* ---------------------------------------------------------------- reading */

static void read_page(struct watch *w)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, w->cursors[w->book].book_id);
    params_add_int2(&params, w->base.call->principal.bank_id);
    params_add_int8(&params, w->cursors[w->book].order_no);
    params_add_int4(&params, PAGE_INSTRUCTIONS_MAX);
    rpc_watch_query(&w->base, "settlement_watch", &params);
}

static enum rpc_watch_next take_page(struct watch *w, const struct rows *rows)
{
    struct wire_watch_instructions_response answer = {.present = true};
    unsigned n = 0;
    arena_reset(&w->tokens);
    arena_reset(&w->people);
    for (int i = 0; i < rows_count(rows) && n < PAGE_INSTRUCTIONS_MAX; i++) {
        w->cursors[w->book].order_no = rows_int(rows, i, COL_ORDER_NO);
        if (rows_bool(rows, i, COL_CANCELLED) || rows_bool(rows, i, COL_ERASED))
            continue;
        reason_t no = fill_instruction(w, n, rows, i);
        if (no != REASON_NONE) {
            rpc_watch_refuse(&w->base, no, NULL);
            return RPC_WATCH_OVER;
        }
        n++;
    }
    if (n > 0) {
        answer.instructions.items = w->instructions;
        answer.instructions.n = n;
        if (!rpc_watch_send(&w->base, &wire_watch_instructions_response_type, &answer))
            return RPC_WATCH_OVER;
    }
    w->all_read = rows_count(rows) == 0;
    return RPC_WATCH_GO_ON;
}

static enum rpc_watch_next take(struct rpc_watch *base, const struct rows *rows)
{
    struct watch *w = (struct watch *)base;
    return w->handing_out ? take_hand_out(w, rows) : take_page(w, rows);
}

/* ---------------------------------------------------------------- in turn */

/* Answers in another book, or a window's closing, may have made room under the bank's limits. */
static void moved(struct rpc_watch *base)
{
    struct watch *w = (struct watch *)base;
    for (size_t i = 0; i < w->n_books; i++)
        if (w->kept_back[i])
            w->empty_at[i] = -1;
}

/* The book whose turn it is, or the next one that may have something. */
static enum rpc_watch_next ask(struct rpc_watch *base)
{
    struct watch *w = (struct watch *)base;
    if (w->all_read) {
        hand_out(w);
        return RPC_WATCH_GO_ON;
    }
    if (!learn_books(w)) {
        rpc_watch_refuse(base, REASON_INTERNAL, NULL);
        return RPC_WATCH_OVER;
    }
    for (size_t tried = 0; tried < w->n_books; tried++, w->book++) {
        w->book %= w->n_books;
        int64_t head = book_heads_position(base->heads, w->cursors[w->book].book_id);
        if (w->empty_at[w->book] != head) {
            read_page(w);
            return RPC_WATCH_GO_ON;
        }
    }
    w->book = 0;
    return RPC_WATCH_WAIT;
}

static void deinit(struct rpc_watch *base)
{
    struct watch *w = (struct watch *)base;
    arena_deinit(&w->tokens);
    arena_deinit(&w->people);
}

static const struct rpc_watch_kind kind = {
    .size = sizeof(struct watch),
    .ask = ask,
    .take = take,
    .moved = moved,
    .deinit = deinit,
};

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_watch_instructions_request *r = request;
    struct watch *w = rpc_watch_new(call, &kind);
    if (w == NULL)
        return;
    arena_init(&w->tokens, 16 * 1024,
               (PAGE_INSTRUCTIONS_MAX + 1) *
                   (INSTRUCTION_TOKEN_SIZE(INSTRUCTION_CURSORS_MAX) + 64));
    arena_init(&w->people, 64 * 1024, (PAGE_INSTRUCTIONS_MAX + 16) * PII_SEALED_BYTES_MAX);
    if (!instruction_token_read(r->resume_token, call->principal.bank_id, w->cursors,
                                &w->n_books)) {
        rpc_watch_refuse(&w->base, REASON_RESUME_TOKEN_INVALID, "resume_token");
        return;
    }
    for (size_t i = 0; i < w->n_books; i++)
        w->empty_at[i] = -1;
    rpc_watch_start(&w->base);
}

const struct rpc_method rpc_watch_instructions = {
    .path = "/ujrat.settlement.v1.SettlementService/WatchInstructions",
    .kind = GRPC_SERVER_STREAM,
    .roles = ROLE_BANK,
    .request = &wire_watch_instructions_request_type,
    .handle = handle,
    .on_writable = rpc_watch_on_writable,
    .on_gone = rpc_watch_on_gone,
};
