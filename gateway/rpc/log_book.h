/*
 * log_book.h: what the calls about the signed log begin with: whose book it is, how far its log is, its head, its keys.
 */
#ifndef UJRAT_RPC_LOG_BOOK_H
#define UJRAT_RPC_LOG_BOOK_H

#include "gateway/rpc/log_tree.h"
#include "gateway/rpc/rpc.h"
#include "gateway/wire/audit_messages.h"
#include "seal/record.h"

typedef void log_then_fn(struct rpc_call *call);

/* Begins the state of such a call: call->state points to it. All in the call's arena. */
struct log_book {
    int32_t book_id;
    struct slice code;
    int64_t committed, sealed;  /* blocks */
    struct wire_tree_head head; /* the newest, or of the size asked for */
    struct seal_tree_head head_record;
    WIRE_LIST(struct wire_signed_record) keys;
    WIRE_LIST(struct seal_key_record) key_records; /* the same, taken apart */
    struct slice *keys_signed_by;
    struct log_nodes *nodes;
    int64_t asked_size;
    log_then_fn *then;
};

/* An auditor names any book, a platform its own: RESOURCE_FORBIDDEN before anything is looked up. */
MUST_CHECK reason_t log_book_of(const struct rpc_call *call, struct slice name,
                                struct log_book *book);
/* "platforms/upwork/payouts/42" and "books/upwork/journals/42", in the same way. */
MUST_CHECK reason_t log_payout_of(const struct rpc_call *call, struct slice name,
                                  struct log_book *book, int64_t *payout_id);
MUST_CHECK reason_t log_journal_of(const struct rpc_call *call, struct slice name,
                                   struct log_book *book, int64_t *seq);

/* Asks for the head of that size (0: the newest) and the keys, and goes on with `then`; refuses with LOG_NOT_KEPT,
 * NOT_SEALED_YET, TREE_SIZE_INVALID, TREE_HEAD_NOT_FOUND. any_size: the newest head is wanted, whatever the size, which
 * only has to be sealed. */
void log_book_ask(struct rpc_call *call, int64_t tree_size, bool any_size, log_then_fn *then);

/* Asks for what log_nodes_get was asked for in vain, and goes on with `then`. */
void log_book_ask_nodes(struct rpc_call *call, log_then_fn *then);

/* What is stored contradicts itself: a loud line in the log, and INTERNAL. */
void log_book_damaged(struct rpc_call *call, const char *what, int64_t number);

/* A copy of the record in the arena, empty if there is no room: then the call was refused. */
MUST_CHECK bool log_keep_record(struct rpc_call *call, const struct seal_record *r,
                                struct slice *out);
/* A copy of a text or bytes of a row; absent if NULL. */
MUST_CHECK bool log_keep(struct rpc_call *call, const struct rows *rows, int row, int col,
                         struct slice *out);
/* A proof's hashes, one after the other. */
MUST_CHECK bool log_keep_path(struct rpc_call *call, const struct seal_proof *path,
                              struct slice *out);

/* 32 bytes; false if they are not. */
MUST_CHECK bool log_hash_of(struct slice bytes, seal_hash_t *out);
static inline struct slice log_hash_slice(const seal_hash_t *hash)
{
    return slice_of(hash->b, sizeof(hash->b));
}

#endif
