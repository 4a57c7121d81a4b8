/*
 * rpc.h: what one call is, and how a file of this folder handles one.
 *
 * One file a call (or a few that belong together). It defines, per method, one row
 *
 *     static void handle(struct rpc_call *call, const void *request) { ... }
 *
 *     const struct rpc_method rpc_get_payout = {
 *         .path = "/ujrat.payout.v1.PayoutService/GetPayout",
 *         .roles = ROLE_PLATFORM,
 *         .request = &wire_get_payout_request_type,
 *         .handle = handle,
 *     };
 *
 * and methods.c lists the row in rpc_methods[]. That is all there is to registering. Before `handle` runs, the
 * principal is known, enabled and of one of the roles, and the request is decoded (its struct is
 * gateway/wire's for that type). What handle does:
 *
 *   1. check, and on the first fault: rpc_refuse(call, REASON_..., "field.path"); return;
 *      Permission before existence: rpc_resource_id() refuses another platform's name by itself.
 *   2. ask the ledger: rpc_query(call, "payout_get", &params, on_rows); return;
 *   3. on_rows(call, outcome, reason, rows): answer, or ask again with another rpc_query.
 *      if (outcome != LEDGER_DONE) { rpc_refuse_outcome(call, outcome, reason, NULL); return; }
 *      rpc_reply(call, &wire_payout_type, &payout);
 *
 * A unary call is ended by exactly one of rpc_reply, rpc_refuse*; `call` must not be touched after.
 *
 * Memory: `request`, its slices, and all that rpc_alloc gives live until the call is over. When the client
 * goes away the call stays until what it asked of the ledger has been answered (the callback is then not
 * called; see rpc_hold for ledger_post), so nothing the ledger uses is freed under it. Registry pointers are good
 * until you return to the loop; copy what you need later. call->principal is a copy.
 *
 * Streams (kind GRPC_SERVER_STREAM): handle starts as for a unary call; rpc_send(call, type, message) sends one
 * message; after RPC_SEND_PAUSE send nothing until on_writable. It lasts until the client goes, or rpc_refuse*.
 * on_gone is called when the client has gone or the server drains (a draining server then ends the
 * call with UNAVAILABLE itself): free timers there, nothing else; rpc_is_gone(call) is true from then on.
 * Poll with a timer of ctx->config->watch_poll_ms on ctx->base.
 *
 * Not gone and waiting for a query: on_rows always comes, so one timer or one query is under way at a time.
 */
#ifndef UJRAT_RPC_RPC_H
#define UJRAT_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "gateway/config_table.h"
#include "gateway/net/grpc_server.h"
#include "gateway/registry.h"
#include "gateway/wire/wire.h"
#include "ledger/ledger.h"

struct event_base;
struct fingerprinter;
struct pii;
struct rpc_binding;
struct rpc_transport;
struct book_heads;
struct rpc_call;

/* One a worker process; outlives every call. */
struct rpc_ctx {
    struct event_base *base;
    const struct gateway_config *config;
    struct log *log;
    struct ledger *ledger;
    struct registry *registry;
    struct fingerprinter *fingerprinter;
    struct pii *pii;
    grpc_server_t *server;
    bool draining;
    struct rpc_call *open;  /* every call not over, newest first */
    struct rpc_call *spare; /* calls over, kept with their memory for the next */
    unsigned spare_count;
    unsigned batches;         /* calls with is_batch that are not over, and hold much memory */
    struct buf scratch;       /* for encoding answers */
    struct book_heads *heads; /* book_heads.h */
    struct grpc_method *net_methods;
    struct rpc_binding *bindings;
    int64_t
        refusal_window_us; /* refusals logged since then: a flood of them is counted, not written */
    unsigned refusals_logged, refusals_unlogged;
};

typedef void rpc_handler(struct rpc_call *call, const void *request);
typedef void rpc_rows_fn(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                         const struct rows *rows);

struct rpc_method {
    const char *path;
    enum grpc_method_kind kind; /* GRPC_UNARY or GRPC_SERVER_STREAM */
    unsigned roles;             /* those that may: ROLE_PLATFORM | ... */
    const struct wire_message *request;
    rpc_handler *handle;
    bool is_batch; /* takes a message of up to batch_bytes_max, and memory to match */
    void (*on_writable)(struct rpc_call *call);
    void (*on_gone)(struct rpc_call *call);
};

struct rpc_call {
    struct rpc_ctx *ctx;
    const struct rpc_method *method;
    struct principal principal;
    struct arena arena;
    int64_t
        deadline_us; /* monotonic: the client's, at most call_deadline from now; of streams INT64_MAX */
    uint64_t conn_id;
    void *state; /* the handler's own, in the arena */

    const struct rpc_transport *transport; /* rpc_transport.h */
    void *handle; /* the transport's own for the call; NULL once answered or gone */

    /* rpc.c's own */
    bool gone;
    bool writes;    /* the query under way is not one that only reads */
    bool wrote;     /* something the call asked for is in the ledger, or may be */
    unsigned holds; /* the ledger still uses its memory */
    rpc_rows_fn *on_rows;
    struct rpc_call *prev, *next;
};

/* All methods, ended by NULL (methods.c). */
extern const struct rpc_method *const rpc_methods[];

/* ---------------------------------------------------------------- for the worker */

/* config, log, base are set by the caller. ledger, registry, fingerprinter, pii and server too, before the first call. */
void rpc_ctx_init(struct rpc_ctx *ctx);
/* After the server and the ledger were freed. */
void rpc_ctx_deinit(struct rpc_ctx *ctx);
/* grpc_server_config.authorize; user is the ctx. */
bool rpc_authorize(void *user, grpc_call_t *call);
/* Adds every method to ctx->server. */
MUST_CHECK err_t rpc_register(struct rpc_ctx *ctx);
/* Ends the open streams (UNAVAILABLE), so that a drain can finish. */
void rpc_drain(struct rpc_ctx *ctx);
/* Ends the open streams of those who may not call any more: when the registry has been read again. */
void rpc_recheck_streams(struct rpc_ctx *ctx);

/* ---------------------------------------------------------------- for handlers */

/* Zeroed, from the call's arena. NULL: too much; the call has then been refused and is over: just return. */
void *rpc_alloc(struct rpc_call *call, size_t count, size_t size);
/* printf into the arena; an empty slice if there is no room. */
struct slice rpc_text(struct rpc_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Something the call asked for is in the ledger, or may be. Of queries rpc_query knows it by itself. */
static inline void rpc_wrote(struct rpc_call *call)
{
    call->wrote = true;
}

/* Asks the ledger (params are moved from). on_rows comes from the loop, unless the client has gone by then.
 * For streams each query has call_deadline of its own. */
void rpc_query(struct rpc_call *call, const char *statement, struct params *params,
               rpc_rows_fn *on_rows);

/* Around a ledger_post of one's own: the call's memory stays until rpc_release, which is the first thing the
 * callback does; false: the client has gone and `call` is no more: return. */
void rpc_hold(struct rpc_call *call);
MUST_CHECK bool rpc_release(struct rpc_call *call);

static inline bool rpc_is_gone(const struct rpc_call *call)
{
    return call->gone;
}

/* Ends the call with an answer. */
void rpc_reply(struct rpc_call *call, const struct wire_message *type, const void *message);

/* Ends the call with a refusal: status, message and details from the reason (domain/reason.h). field: its path
 * in the request, or NULL. Logged at info. Adds RetryInfo for those reasons that pass. Once the call has written
 * (unary calls only), whatever fails after it is told as OUTCOME_UNKNOWN: no other reason would be true. */
void rpc_refuse(struct rpc_call *call, reason_t reason, const char *field);
/* The same for a refusal that the ledger answered with, having done nothing; and a sentence more ("PKR 12.00 is left."). */
void rpc_refuse_saying(struct rpc_call *call, reason_t reason, const char *field, const char *more);
/* What became of a query that is not LEDGER_DONE. */
void rpc_refuse_outcome(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const char *field);

enum rpc_send_result { RPC_SEND_OK, RPC_SEND_PAUSE, RPC_SEND_FAILED /* the call is over */ };
enum rpc_send_result rpc_send(struct rpc_call *call, const struct wire_message *type,
                              const void *message);
/* Sends the response headers, for a stream that has nothing to say yet. */
void rpc_send_headers(struct rpc_call *call);

/* ---------------------------------------------------------------- names, pages, tokens */

/*
 * The id in a name "platforms/<own code>/<collection>/<id>". FIELD_REQUIRED (empty), FIELD_INVALID (not such a
 * name), RESOURCE_FORBIDDEN (of another platform: before anything is looked up).
 */
MUST_CHECK reason_t rpc_resource_id(const struct rpc_call *call, struct slice name,
                                    const char *collection, int64_t *id);
/* "platforms/<own code>/<collection>/<id>", in the arena. */
struct slice rpc_resource_name(struct rpc_call *call, const char *collection, int64_t id);

/* 0 gives 100; PAGE_SIZE_INVALID below zero and above 1,000. */
MUST_CHECK reason_t rpc_page_size(int32_t asked, int32_t *rows);

/*
 * Opaque tokens (page_token, resume_token): two numbers, bound to a kind and a scope, so that one of another
 * method, book or bank is refused. kind: a letter the method chooses, unique in this folder:
 *   'b' ListBeneficiaries  'p' ListPayouts  'w' WatchPayouts  'j' ListJournals  's' GetAccountStatement
 *   'n' ListWindows  'q' WatchInquiries
 * ('i', of WatchInstructions, has a form of its own: settlement_id.h)
 */
struct rpc_token {
    char kind;
    int64_t scope;
    int64_t a, b;
};
struct slice rpc_token_encode(struct rpc_call *call, const struct rpc_token *token);
/* The same into memory of one's own, with a NUL behind; returns the length. */
#define RPC_TOKEN_SIZE 41
size_t rpc_token_write(const struct rpc_token *token, char out[RPC_TOKEN_SIZE]);
/* kind and scope are given and compared; a and b are filled in: all zero for an empty text. False: not one of ours. */
MUST_CHECK bool rpc_token_decode(struct slice text, struct rpc_token *token);

/*
 * Answers with the payout as it stands (statement payout_get), by id; PAYOUT_NOT_FOUND. In payout_get.c, for every
 * call that ends with a Payout.
 */
void rpc_answer_payout(struct rpc_call *call, int64_t payout_id);

#endif
