#include "gateway/rpc/log_book.h"

#include "gateway/rpc/audit_name.h"

enum { KEYS_MAX = 1000 };

/* ---------------------------------------------------------------- names */

static reason_t find_book(const struct rpc_call *call, struct slice code, struct log_book *book)
{
    const struct registry_book *found;
    if (call->principal.role == ROLE_PLATFORM) {
        if (!slice_equal_str(code, call->principal.code))
            return REASON_RESOURCE_FORBIDDEN;
        book->book_id = call->principal.book_id;
        book->code = code;
        return REASON_NONE;
    }
    found = registry_book_by_code(call->ctx->registry, code);
    if (found == NULL)
        return REASON_BOOK_NOT_FOUND;
    book->book_id = found->book_id;
    book->code = code;
    return REASON_NONE;
}

/* Takes "<first>/" off. */
static bool cut_prefix(struct slice *name, const char *first)
{
    struct slice head, rest;
    if (!slice_cut(*name, '/', &head, &rest) || !slice_equal_str(head, first))
        return false;
    *name = rest;
    return true;
}

reason_t log_book_of(const struct rpc_call *call, struct slice name, struct log_book *book)
{
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!cut_prefix(&name, "books"))
        return REASON_FIELD_INVALID;
    return find_book(call, name, book);
}

/* "<first>/<code>/<collection>/<number>" */
static reason_t numbered(const struct rpc_call *call, struct slice name, const char *first,
                         const char *collection, struct log_book *book, int64_t *number)
{
    struct slice code, rest;
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!cut_prefix(&name, first) || !slice_cut(name, '/', &code, &rest) ||
        !cut_prefix(&rest, collection) || rest.len == 0 || rest.p[0] < '1' || rest.p[0] > '9' ||
        err_failed(str_parse_int64(rest, number)))
        return REASON_FIELD_INVALID;
    return find_book(call, code, book);
}

reason_t log_payout_of(const struct rpc_call *call, struct slice name, struct log_book *book,
                       int64_t *payout_id)
{
    return numbered(call, name, "platforms", "payouts", book, payout_id);
}

reason_t log_journal_of(const struct rpc_call *call, struct slice name, struct log_book *book,
                        int64_t *seq)
{
    return numbered(call, name, "books", "journals", book, seq);
}

/* ---------------------------------------------------------------- copies */

static bool full(struct rpc_call *call)
{
    rpc_refuse(call, REASON_QUEUE_FULL, NULL);
    return false;
}

bool log_keep_record(struct rpc_call *call, const struct seal_record *r, struct slice *out)
{
    struct slice bytes = seal_record_bytes(r);
    if (bytes.len == 0 || !arena_slice_dup(&call->arena, bytes, out))
        return full(call);
    return true;
}

bool log_keep(struct rpc_call *call, const struct rows *rows, int row, int col, struct slice *out)
{
    *out = slice_of(NULL, 0);
    if (rows_is_null(rows, row, col))
        return true;
    return arena_slice_dup(&call->arena, rows_text(rows, row, col), out) || full(call);
}

bool log_keep_path(struct rpc_call *call, const struct seal_proof *path, struct slice *out)
{
    return arena_slice_dup(&call->arena, slice_of(path->hash, path->n * sizeof(path->hash[0])),
                           out) ||
           full(call);
}

bool log_hash_of(struct slice bytes, seal_hash_t *out)
{
    if (bytes.len != SEAL_HASH_SIZE)
        return false;
    memcpy(out->b, bytes.p, SEAL_HASH_SIZE);
    return true;
}

void log_book_damaged(struct rpc_call *call, const char *what, int64_t number)
{
    const struct log_book *book = call->state;
    log_error(call->ctx->log, "log.damaged", log_slice("book", book->code), log_str("what", what),
              log_int("number", number),
              log_str("meaning", "rows were changed after they were sealed"));
    rpc_refuse(call, REASON_INTERNAL, NULL);
}

/* ---------------------------------------------------------------- head and keys */

enum {
    HEAD_COMMITTED,
    HEAD_SEALED,
    HEAD_HAS_KEY,
    HEAD_SIZE,
    HEAD_ROOT,
    HEAD_AT,
    HEAD_KEY,
    HEAD_SIG
};
enum { KEY_ID, KEY_PUBLIC, KEY_FROM, KEY_CREATED, KEY_SIGNED_BY, KEY_SIGNATURE };

static void on_keys(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows);

static bool keep_head(struct rpc_call *call, const struct rows *rows)
{
    struct log_book *book = call->state;
    struct wire_tree_head *head = &book->head;
    struct seal_record record;
    bool ok;
    book->head_record = (struct seal_tree_head){
        .book = book->code,
        .tree_size = rows_int(rows, 0, HEAD_SIZE),
        .signed_at = rows_time_us(rows, 0, HEAD_AT),
    };
    *head = (struct wire_tree_head){
        .present = true,
        .book = audit_book_name(call, book->code),
        .tree_size = book->head_record.tree_size,
        .sign_time = wire_time_of(book->head_record.signed_at),
        .signed_record.present = true,
    };
    if (!log_keep(call, rows, 0, HEAD_ROOT, &head->root) ||
        !log_keep(call, rows, 0, HEAD_KEY, &head->signed_record.key_id) ||
        !log_keep(call, rows, 0, HEAD_SIG, &head->signed_record.signature))
        return false;
    if (!log_hash_of(head->root, &book->head_record.root)) {
        log_book_damaged(call, "tree_head.root", head->tree_size);
        return false;
    }
    seal_record_init(&record);
    seal_record_tree_head(&record, &book->head_record);
    ok = log_keep_record(call, &record, &head->signed_record.record);
    seal_record_deinit(&record);
    return ok;
}

static void on_head(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct log_book *book = call->state;
    struct params params;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    book->committed = rows_int(rows, 0, HEAD_COMMITTED);
    book->sealed = rows_int(rows, 0, HEAD_SEALED);
    if (!rows_bool(rows, 0, HEAD_HAS_KEY)) {
        rpc_refuse(call, REASON_LOG_NOT_KEPT, NULL);
    } else if (book->asked_size > book->committed) {
        rpc_refuse(call, REASON_TREE_SIZE_INVALID, "tree_size");
    } else if (book->asked_size > book->sealed || book->sealed == 0) {
        rpc_refuse(call, REASON_NOT_SEALED_YET, NULL);
    } else if (rows_is_null(rows, 0, HEAD_SIZE) ||
               (book->asked_size != 0 && rows_int(rows, 0, HEAD_SIZE) != book->asked_size)) {
        rpc_refuse(call, REASON_TREE_HEAD_NOT_FOUND, "tree_size");
    } else if (keep_head(call, rows)) {
        params_init(&params);
        params_add_int4(&params, book->book_id);
        rpc_query(call, "log_keys", &params, on_keys);
        params_deinit(&params);
    }
}

static bool keep_key(struct rpc_call *call, const struct rows *rows, int row)
{
    struct log_book *book = call->state;
    struct wire_signed_record *key = &book->keys.items[row];
    struct seal_key_record *taken = &book->key_records.items[row];
    struct seal_record record;
    bool ok;
    *taken = (struct seal_key_record){
        .book = book->code,
        .from_block = rows_int(rows, row, KEY_FROM),
        .created_at = rows_time_us(rows, row, KEY_CREATED),
    };
    key->present = true;
    if (!log_keep(call, rows, row, KEY_ID, &taken->key_id) ||
        !log_keep(call, rows, row, KEY_PUBLIC, &taken->public_key) ||
        !log_keep(call, rows, row, KEY_SIGNED_BY, &key->key_id) ||
        !log_keep(call, rows, row, KEY_SIGNATURE, &key->signature))
        return false;
    seal_record_init(&record);
    seal_record_key(&record, taken);
    ok = log_keep_record(call, &record, &key->record);
    seal_record_deinit(&record);
    return ok;
}

static void on_keys(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct log_book *book = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    uint32_t n = (uint32_t)rows_count(rows);
    if (n > KEYS_MAX) {
        rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
        return;
    }
    book->keys.items = rpc_alloc(call, n, sizeof(*book->keys.items));
    if (book->keys.items == NULL)
        return;
    book->key_records.items = rpc_alloc(call, n, sizeof(*book->key_records.items));
    if (book->key_records.items == NULL)
        return;
    book->keys.n = book->key_records.n = n;
    for (uint32_t i = 0; i < n; i++)
        if (!keep_key(call, rows, (int)i))
            return;
    book->then(call);
}

void log_book_ask(struct rpc_call *call, int64_t tree_size, bool any_size, log_then_fn *then)
{
    struct log_book *book = call->state;
    struct params params;
    book->nodes = rpc_alloc(call, 1, sizeof(*book->nodes));
    if (book->nodes == NULL)
        return;
    book->asked_size = any_size ? 0 : tree_size;
    book->then = then;
    params_init(&params);
    params_add_int4(&params, book->book_id);
    params_add_int8(&params, book->asked_size);
    rpc_query(call, "log_head", &params, on_head);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- nodes */

enum { NODE_BLOCK_NO, NODE_NODES };

static void on_nodes(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    struct log_book *book = call->state;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    for (int row = 0; row < rows_count(rows); row++)
        log_nodes_fill(book->nodes, rows_int(rows, row, NODE_BLOCK_NO),
                       rows_text(rows, row, NODE_NODES));
    book->then(call);
}

void log_book_ask_nodes(struct rpc_call *call, log_then_fn *then)
{
    struct log_book *book = call->state;
    struct params params;
    struct buf list; /* "{2,4,8}" */
    err_t err;
    buf_init(&list, LOG_NODES_MAX * STR_INT64_SIZE);
    err = buf_append_char(&list, '{');
    for (unsigned i = 0; i < book->nodes->n && !err_failed(err); i++)
        err = buf_printf(&list, "%s%lld", i == 0 ? "" : ",", (long long)book->nodes->node[i].end);
    if (err_failed(err) || err_failed(buf_append_char(&list, '}'))) {
        buf_deinit(&list);
        (void)full(call);
        return;
    }
    book->then = then;
    params_init(&params);
    params_add_int4(&params, book->book_id);
    params_add_text(&params, buf_slice(&list));
    rpc_query(call, "log_nodes", &params, on_nodes);
    params_deinit(&params);
    buf_deinit(&list);
}
