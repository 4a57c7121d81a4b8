/* GetTreeHead: the signed head of a book's log, and its keys. */
#include "gateway/rpc/log_book.h"
#include "gateway/rpc/methods.h"

static void answer(struct rpc_call *call)
{
    const struct log_book *book = call->state;
    struct wire_get_tree_head_response response = {.present = true, .tree_head = book->head};
    response.keys.items = book->keys.items;
    response.keys.n = book->keys.n;
    rpc_reply(call, &wire_get_tree_head_response_type, &response);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_tree_head_request *r = request;
    struct log_book *book = rpc_alloc(call, 1, sizeof(*book));
    if (book == NULL)
        return;
    call->state = book;
    reason_t reason = log_book_of(call, r->book, book);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "book");
    else if (r->tree_size < 0)
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "tree_size");
    else
        log_book_ask(call, r->tree_size, false, answer);
}

const struct rpc_method rpc_get_tree_head = {
    .path = "/ujrat.audit.v1.AuditService/GetTreeHead",
    .roles = ROLE_AUDITOR | ROLE_PLATFORM,
    .request = &wire_get_tree_head_request_type,
    .handle = handle,
};
