/* GetInclusionProof: journals are in the signed log, with what they say. */
#include "gateway/rpc/audit_name.h"
#include "gateway/rpc/log_entries.h"
#include "gateway/rpc/methods.h"

static void answer(struct rpc_call *call)
{
    const struct log_entries *entries = call->state;
    struct wire_get_inclusion_proof_response response = {
        .present = true,
        .tree_head = entries->book.head,
    };
    response.keys.items = entries->book.keys.items;
    response.keys.n = entries->book.keys.n;
    response.journals.items = rpc_alloc(call, entries->n, sizeof(*response.journals.items));
    if (response.journals.items == NULL)
        return;
    for (unsigned i = 0; i < entries->n; i++) {
        const struct log_entry *e = &entries->entry[i];
        response.journals.items[response.journals.n++] = (struct wire_journal_proof){
            .present = true,
            .journal = audit_journal_name(call, entries->book.code, e->journal.seq),
            .record = e->record,
            .leaf_index = e->leaf_index,
            .leaf_path = e->leaf_path,
            .block_number = e->block.block_no,
            .block = {true, e->block_record, e->block_key_id, e->block_signature},
            .block_path = e->block_path,
        };
    }
    rpc_reply(call, &wire_get_inclusion_proof_response_type, &response);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_inclusion_proof_request *r = request;
    struct log_entries *entries = rpc_alloc(call, 1, sizeof(*entries));
    reason_t reason;
    if (entries == NULL)
        return;
    call->state = entries;
    entries->field = r->payout.len > 0 ? "payout" : "journal";
    if (r->payout.len > 0 && r->journal.len > 0)
        reason = REASON_FIELD_CONFLICT;
    else if (r->payout.len > 0)
        reason = log_payout_of(call, r->payout, &entries->book, &entries->payout_id);
    else
        reason = log_journal_of(call, r->journal, &entries->book, &entries->seq);
    if (reason != REASON_NONE)
        rpc_refuse(call, reason, entries->field);
    else if (r->tree_size < 0)
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "tree_size");
    else
        log_entries_ask(call, r->tree_size, answer);
}

const struct rpc_method rpc_get_inclusion_proof = {
    .path = "/ujrat.audit.v1.AuditService/GetInclusionProof",
    .roles = ROLE_AUDITOR | ROLE_PLATFORM,
    .request = &wire_get_inclusion_proof_request_type,
    .handle = handle,
};
