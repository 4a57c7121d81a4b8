/* GetConsistencyProof: the log of some blocks begins with the log of fewer. */
#include "gateway/rpc/log_book.h"
#include "gateway/rpc/methods.h"

struct consistency {
    struct log_book book;
    int64_t old_size, new_size;
};

static void prove(struct rpc_call *call);

static void reply(struct rpc_call *call, const seal_hash_t *old_root, const seal_hash_t *new_root,
                  const struct seal_proof *path)
{
    const struct consistency *c = call->state;
    struct wire_get_consistency_proof_response response = {
        .present = true,
        .old_size = c->old_size,
        .new_size = c->new_size,
        .old_root = log_hash_slice(old_root),
        .new_root = log_hash_slice(new_root),
        .tree_head = c->book.head,
    };
    if (log_keep_path(call, path, &response.path))
        rpc_reply(call, &wire_get_consistency_proof_response_type, &response);
}

static void prove(struct rpc_call *call)
{
    struct consistency *c = call->state;
    struct log_nodes *nodes = c->book.nodes;
    bool asked = nodes->n > 0;
    struct seal_hasher *hasher;
    seal_hash_t old_root, new_root, head_root;
    struct seal_proof path;
    if (err_failed(seal_hasher_new(&hasher))) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    log_nodes_begin(nodes);
    bool made =
        seal_root_at(hasher, (uint64_t)c->old_size, log_nodes_get, nodes, &old_root) &&
        seal_root_at(hasher, (uint64_t)c->new_size, log_nodes_get, nodes, &new_root) &&
        seal_root_at(hasher, (uint64_t)c->book.head.tree_size, log_nodes_get, nodes, &head_root) &&
        seal_prove_consistency(hasher, (uint64_t)c->old_size, (uint64_t)c->new_size, log_nodes_get,
                               nodes, &path);
    seal_hasher_free(&hasher);
    if (made && nodes->complete &&
        slice_equal(log_hash_slice(&head_root), log_hash_slice(&c->book.head_record.root)))
        reply(call, &old_root, &new_root, &path);
    else if (!made || asked)
        log_book_damaged(call, "block_seal.nodes", c->new_size);
    else
        log_book_ask_nodes(call, prove);
}

static void on_head(struct rpc_call *call)
{
    struct consistency *c = call->state;
    if (c->new_size == 0)
        c->new_size = c->book.head.tree_size;
    if (c->new_size > c->book.committed || c->old_size > c->book.committed)
        rpc_refuse(call, REASON_TREE_SIZE_INVALID,
                   c->old_size > c->book.committed ? "old_size" : "new_size");
    else if (c->new_size > c->book.sealed || c->old_size > c->book.sealed)
        rpc_refuse(call, REASON_NOT_SEALED_YET, NULL);
    else if (c->old_size > c->new_size)
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "old_size");
    else
        prove(call);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_consistency_proof_request *r = request;
    struct consistency *c = rpc_alloc(call, 1, sizeof(*c));
    if (c == NULL)
        return;
    call->state = c;
    c->old_size = r->old_size;
    c->new_size = r->new_size;
    reason_t reason = log_book_of(call, r->book, &c->book);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, "book");
    else if (r->new_size < 0)
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "new_size");
    else if (r->old_size < 1 || (r->new_size != 0 && r->old_size > r->new_size))
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "old_size");
    else
        log_book_ask(call, 0, true, on_head);
}

const struct rpc_method rpc_get_consistency_proof = {
    .path = "/ujrat.audit.v1.AuditService/GetConsistencyProof",
    .roles = ROLE_AUDITOR | ROLE_PLATFORM,
    .request = &wire_get_consistency_proof_request_type,
    .handle = handle,
};
