#include "gateway/rpc/log_entries.h"

#include "gateway/rpc/person.h"
#include "seal/policy.h"

#include <string.h>

/* docs/accounting.md; the numbers are the schema's (journal_kind). */
enum {
    KIND_ACCEPTED = 1,
    KIND_INSTRUCTED = 2,
    KIND_DEPOSITED = 8,
    KIND_ADJUSTMENT = 9,
    KIND_UNCLAIMED = 15,
    KIND_HELD = 18,
    KIND_HOLD_REFUSED = 20,
};

/* PostgreSQL counts days from 2000-01-01. */
enum { DATE_EPOCH_DAYS = 10957 };

/* Columns of ledger/sql/log_journals.sql. */
enum {
    COL_SEQ,
    COL_BLOCK_NO,
    COL_AT,
    COL_KIND,
    COL_KIND_NAME,
    COL_ACTOR,
    COL_PAYOUT_ID,
    COL_REVERSES_SEQ,
    COL_DETAIL,
    COL_ACCOUNT,
    COL_CURRENCY,
    COL_MINOR,
    COL_FIRST_SEQ,
    COL_LAST_SEQ,
    COL_JOURNAL_ROOT,
    COL_LEAVES,
    COL_BLOCK_HASH,
    COL_KEY_ID,
    COL_SIGNATURE,
    COL_PREV,
    COL_STEP,
    COL_STATE,
    COL_REASON_CODE,
    COL_BANK_REFERENCE,
    COL_TAX_WITHHELD,
    COL_EPRC_NUMBER,
    COL_HANDED_TO,
    COL_PREV_PAYOUT_ID,
    COL_LAST_PAYOUT_ID,
    COL_DEPOSIT_REFERENCE,
    COL_DEPOSIT_CURRENCY,
    COL_DEPOSIT_AMOUNT,
    COL_PROPOSAL_ID,
    COL_REASON,
    COL_EVIDENCE,
    COL_PROPOSED_BY,
    COL_PROPOSED_AT,
    COL_UNCLAIMED_REFERENCE,
    COL_UNCLAIMED_INFO,
    COL_UNCLAIMED_CURRENCY,
    COL_UNCLAIMED_GROSS,
    COL_BATCH_ID,
    COL_ITEM_NO,
    COL_EXPIRES_AT,
    COL_OUTCOME,
    COL_CLAIMED_PAYOUT_ID,
    COL_HOLD_NO,
    COL_HOLD_REASON,
    COL_HOLD_DETAIL,
    COL_HOLD_EVIDENCE,
    COL_HOLD_DEADLINE,
    COL_ENDED_HOLD_NO,
    COL_HOLD_OUTCOME,
    COL_FIRST_BY,
    COL_SECOND_BY,
    COL_FIRST_NOTE,
    COL_SECOND_NOTE,
};

static struct seal_opt_int opt_int(const struct rows *rows, int row, int col)
{
    return (struct seal_opt_int){!rows_is_null(rows, row, col), rows_int(rows, row, col)};
}

/* ---------------------------------------------------------------- one journal */

static bool read_unclaimed(struct rpc_call *call, const struct rows *rows, int row,
                           struct seal_journal *j)
{
    struct seal_unclaimed *u = &j->of.unclaimed;
    j->subject = SEAL_SUBJECT_UNCLAIMED;
    u->gross = rows_int(rows, row, COL_UNCLAIMED_GROSS);
    u->batch_id = rows_int(rows, row, COL_BATCH_ID);
    u->item_no = rows_int(rows, row, COL_ITEM_NO);
    u->expires_at = rows_time_us(rows, row, COL_EXPIRES_AT);
    return log_keep(call, rows, row, COL_UNCLAIMED_REFERENCE, &u->reference) &&
           log_keep(call, rows, row, COL_UNCLAIMED_INFO, &u->info) &&
           log_keep(call, rows, row, COL_UNCLAIMED_CURRENCY, &u->currency);
}

/* Why a payout was held, and by whom that was ended, is not for its platform. */
static bool read_hold(struct rpc_call *call, const struct rows *rows, int row,
                      struct seal_journal *j)
{
    struct seal_hold *h = &j->of.hold;
    struct seal_hold_end *e = &j->of.hold_end;
    if (call->principal.role == ROLE_PLATFORM) {
        rpc_refuse(call, REASON_RESOURCE_FORBIDDEN, NULL);
        return false;
    }
    if (!rows_is_null(rows, row, COL_HOLD_NO)) {
        j->subject = SEAL_SUBJECT_HOLD;
        h->hold_no = rows_int(rows, row, COL_HOLD_NO);
        h->deadline = rows_time_us(rows, row, COL_HOLD_DEADLINE);
        return log_keep(call, rows, row, COL_HOLD_REASON, &h->reason) &&
               log_keep(call, rows, row, COL_HOLD_DETAIL, &h->detail) &&
               log_keep(call, rows, row, COL_HOLD_EVIDENCE, &h->evidence);
    }
    j->subject = SEAL_SUBJECT_HOLD_END;
    e->hold_no = rows_int(rows, row, COL_ENDED_HOLD_NO);
    e->outcome = rows_int(rows, row, COL_HOLD_OUTCOME);
    return log_keep(call, rows, row, COL_FIRST_BY, &e->first_by) &&
           log_keep(call, rows, row, COL_SECOND_BY, &e->second_by) &&
           log_keep(call, rows, row, COL_FIRST_NOTE, &e->first_note) &&
           log_keep(call, rows, row, COL_SECOND_NOTE, &e->second_note);
}

static bool read_subject(struct rpc_call *call, const struct rows *rows, int row,
                         struct seal_journal *j)
{
    struct seal_transition *t = &j->of.transition;
    int64_t kind = rows_int(rows, row, COL_KIND);
    if (kind == KIND_ACCEPTED) {
        j->subject = SEAL_SUBJECT_PAYOUT; /* log_payout.sql has it */
        return true;
    }
    if (!rows_is_null(rows, row, COL_STEP)) {
        j->subject = SEAL_SUBJECT_TRANSITION;
        t->step = rows_int(rows, row, COL_STEP);
        t->state = rows_int(rows, row, COL_STATE);
        t->tax_withheld = opt_int(rows, row, COL_TAX_WITHHELD);
        return log_keep(call, rows, row, COL_REASON_CODE, &t->reason_code) &&
               log_keep(call, rows, row, COL_BANK_REFERENCE, &t->bank_reference) &&
               log_keep(call, rows, row, COL_EPRC_NUMBER, &t->eprc_number);
    }
    if (kind == KIND_INSTRUCTED && !rows_is_null(rows, row, COL_HANDED_TO)) {
        j->subject = SEAL_SUBJECT_HANDOUT;
        j->of.handout.prev_payout_id = rows_int(rows, row, COL_PREV_PAYOUT_ID);
        j->of.handout.last_payout_id = rows_int(rows, row, COL_LAST_PAYOUT_ID);
        return log_keep(call, rows, row, COL_HANDED_TO, &j->of.handout.bank);
    }
    if (kind == KIND_DEPOSITED && !rows_is_null(rows, row, COL_DEPOSIT_AMOUNT)) {
        j->subject = SEAL_SUBJECT_DEPOSIT;
        j->of.deposit.amount = rows_int(rows, row, COL_DEPOSIT_AMOUNT);
        return log_keep(call, rows, row, COL_DEPOSIT_REFERENCE, &j->of.deposit.reference) &&
               log_keep(call, rows, row, COL_DEPOSIT_CURRENCY, &j->of.deposit.currency);
    }
    if (kind == KIND_ADJUSTMENT && !rows_is_null(rows, row, COL_PROPOSAL_ID)) {
        struct seal_adjustment *a = &j->of.adjustment;
        j->subject = SEAL_SUBJECT_ADJUSTMENT;
        a->proposal = rows_int(rows, row, COL_PROPOSAL_ID);
        a->proposed_at = rows_time_us(rows, row, COL_PROPOSED_AT);
        return log_keep(call, rows, row, COL_REASON, &a->reason) &&
               log_keep(call, rows, row, COL_EVIDENCE, &a->evidence) &&
               log_keep(call, rows, row, COL_PROPOSED_BY, &a->proposed_by);
    }
    if (kind == KIND_UNCLAIMED && !rows_is_null(rows, row, COL_UNCLAIMED_GROSS))
        return read_unclaimed(call, rows, row, j);
    if (kind >= KIND_HELD && kind <= KIND_HOLD_REFUSED)
        return read_hold(call, rows, row, j);
    if (kind > KIND_UNCLAIMED && !rows_is_null(rows, row, COL_OUTCOME)) {
        j->subject = SEAL_SUBJECT_UNCLAIMED_END;
        j->of.unclaimed_end = (struct seal_unclaimed_end){
            rows_int(rows, row, COL_OUTCOME), opt_int(rows, row, COL_CLAIMED_PAYOUT_ID)};
        return true;
    }
    j->subject = SEAL_SUBJECT_NONE;
    return true;
}

/* Its lines are in rows from `row` on; *next is the row after the last of them. */
static bool read_lines(struct rpc_call *call, const struct rows *rows, int row,
                       struct seal_journal *j, int *next)
{
    for (; row < rows_count(rows) && rows_int(rows, row, COL_SEQ) == j->seq; row++) {
        struct seal_line *line = &j->lines[j->n_lines];
        if (rows_is_null(rows, row, COL_MINOR))
            continue;
        if (j->n_lines == SEAL_LINES_MAX) {
            log_book_damaged(call, "journal.lines", j->seq);
            return false;
        }
        line->amount = rows_int(rows, row, COL_MINOR);
        if (!log_keep(call, rows, row, COL_ACCOUNT, &line->account) ||
            !log_keep(call, rows, row, COL_CURRENCY, &line->currency))
            return false;
        j->n_lines++;
    }
    *next = row;
    return true;
}

static bool read_journal(struct rpc_call *call, const struct rows *rows, int row,
                         struct log_entry *e, int *next)
{
    const struct log_book *book = call->state;
    struct seal_journal *j = &e->journal;
    *j = (struct seal_journal){
        .book = book->code,
        .seq = rows_int(rows, row, COL_SEQ),
        .block_no = rows_int(rows, row, COL_BLOCK_NO),
        .committed_at = rows_time_us(rows, row, COL_AT),
        .payout_id = opt_int(rows, row, COL_PAYOUT_ID),
        .reverses_seq = opt_int(rows, row, COL_REVERSES_SEQ),
    };
    return log_keep(call, rows, row, COL_KIND_NAME, &j->kind) &&
           log_keep(call, rows, row, COL_ACTOR, &j->actor) &&
           log_keep(call, rows, row, COL_DETAIL, &j->detail) && read_subject(call, rows, row, j) &&
           read_lines(call, rows, row, j, next);
}

/* ---------------------------------------------------------------- its block */

/* The path among the block's journals, whose root must be the one that was sealed. */
static bool read_leaf(struct rpc_call *call, struct seal_hasher *hasher, const struct rows *rows,
                      int row, struct log_entry *e)
{
    struct slice leaves = rows_text(rows, row, COL_LEAVES);
    int64_t count = e->block.last_seq - e->block.first_seq + 1;
    struct seal_proof path;
    seal_hash_t root, *scratch;
    e->leaf_index = e->journal.seq - e->block.first_seq;
    if (count < 1 || (uint64_t)count * SEAL_HASH_SIZE != leaves.len || e->leaf_index < 0 ||
        e->leaf_index >= count) {
        log_book_damaged(call, "block_seal.leaves", e->block.block_no);
        return false;
    }
    scratch = rpc_alloc(call, (size_t)count, sizeof(*scratch));
    if (scratch == NULL)
        return false;
    memcpy(e->sealed_leaf.b, leaves.p + e->leaf_index * SEAL_HASH_SIZE, SEAL_HASH_SIZE);
    log_leaves_inclusion(hasher, leaves, e->leaf_index, scratch, &path, &root);
    if (!slice_equal(log_hash_slice(&root), log_hash_slice(&e->block.journal_root))) {
        log_book_damaged(call, "block_seal.journal_root", e->block.block_no);
        return false;
    }
    return log_keep_path(call, &path, &e->leaf_path);
}

/* The block's own record must have the hash that is in the tree. */
static bool build_block(struct rpc_call *call, struct seal_hasher *hasher, struct log_entry *e)
{
    struct seal_record record;
    seal_hash_t hash;
    bool ok;
    seal_record_init(&record);
    seal_record_block(&record, &e->block);
    ok = log_keep_record(call, &record, &e->block_record);
    if (ok) {
        seal_hash_leaf(hasher, &record, &hash);
        ok = slice_equal(log_hash_slice(&hash), log_hash_slice(&e->block_hash));
        if (!ok)
            log_book_damaged(call, "block", e->block.block_no);
    }
    seal_record_deinit(&record);
    return ok;
}

static bool read_block(struct rpc_call *call, struct seal_hasher *hasher, const struct rows *rows,
                       int row, struct log_entry *e)
{
    const struct log_entries *entries = call->state;
    const int64_t block_no = e->journal.block_no;
    e->block = (struct seal_block){
        .book = entries->book.code,
        .block_no = block_no,
        .first_seq = rows_int(rows, row, COL_FIRST_SEQ),
        .last_seq = rows_int(rows, row, COL_LAST_SEQ),
        .committed_at = e->journal.committed_at,
    };
    if (rows_is_null(rows, row, COL_JOURNAL_ROOT) || block_no > entries->book.head.tree_size) {
        if (entries->book.asked_size != 0 && block_no > entries->book.asked_size)
            rpc_refuse(call, REASON_TREE_SIZE_INVALID, "tree_size");
        else
            rpc_refuse(call, REASON_NOT_SEALED_YET, NULL);
        return false;
    }
    if (!log_hash_of(rows_text(rows, row, COL_JOURNAL_ROOT), &e->block.journal_root) ||
        !log_hash_of(rows_text(rows, row, COL_BLOCK_HASH), &e->block_hash) ||
        (block_no > 1 && !log_hash_of(rows_text(rows, row, COL_PREV), &e->block.prev))) {
        log_book_damaged(call, "block_seal", block_no);
        return false;
    }
    return log_keep(call, rows, row, COL_KEY_ID, &e->block_key_id) &&
           log_keep(call, rows, row, COL_SIGNATURE, &e->block_signature) &&
           read_leaf(call, hasher, rows, row, e) && build_block(call, hasher, e);
}

/* ---------------------------------------------------------------- paths of blocks */

static void build_records(struct rpc_call *call);

static void prove_blocks(struct rpc_call *call)
{
    struct log_entries *entries = call->state;
    struct log_nodes *nodes = entries->book.nodes;
    const uint64_t size = (uint64_t)entries->book.head.tree_size;
    bool asked = nodes->n > 0, made;
    struct seal_hasher *hasher;
    struct seal_proof *paths = rpc_alloc(call, LOG_ENTRIES_MAX, sizeof(*paths));
    seal_hash_t root;
    if (paths == NULL)
        return;
    if (err_failed(seal_hasher_new(&hasher))) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    log_nodes_begin(nodes);
    made = seal_root_at(hasher, size, log_nodes_get, nodes, &root);
    for (unsigned i = 0; i < entries->n; i++)
        made = seal_prove_inclusion(hasher, (uint64_t)entries->entry[i].block.block_no - 1, size,
                                    log_nodes_get, nodes, &paths[i]) &&
               made;
    seal_hasher_free(&hasher);
    if (made && !nodes->complete && !asked) {
        log_book_ask_nodes(call, prove_blocks);
        return;
    }
    if (!made || !nodes->complete ||
        !slice_equal(log_hash_slice(&root), log_hash_slice(&entries->book.head_record.root))) {
        log_book_damaged(call, "tree_head", entries->book.head.tree_size);
        return;
    }
    for (unsigned i = 0; i < entries->n; i++)
        if (!log_keep_path(call, &paths[i], &entries->entry[i].block_path))
            return;
    build_records(call);
}

/* ---------------------------------------------------------------- what a payout points to */

/* Columns of ledger/sql/log_payout.sql. */
enum {
    PAY_REFERENCE,
    PAY_INFO,
    PAY_BANK,
    PAY_SRC,
    PAY_DST,
    PAY_GROSS,
    PAY_FEE,
    PAY_MID_RATE,
    PAY_MID_VALUE,
    PAY_MARGIN_BPS,
    PAY_MARGIN,
    PAY_NET,
    PAY_DIGIT_SHIFT,
    PAY_FINGERPRINT,
    PAY_BENEFICIARY_ID,
    PAY_BENEFICIARY_VERSION,
    PAY_RATE_ID,
    BEN_BANK,
    BEN_CHANNEL,
    BEN_PURPOSE,
    BEN_PII_KEY_ID,
    BEN_PII_SEALED,
    BEN_COMMITMENTS,
    BEN_ACTOR = BEN_COMMITMENTS + SEAL_COMMITMENTS,
    BEN_CREATED_AT,
    QUOTE_ID,
    QUOTE_REQUEST_ID,
    QUOTE_FINGERPRINT,
    QUOTE_SRC,
    QUOTE_DST,
    QUOTE_DIGIT_SHIFT,
    QUOTE_RATE_ID,
    QUOTE_GROSS,
    QUOTE_FEE,
    QUOTE_MID_RATE,
    QUOTE_MID_VALUE,
    QUOTE_MARGIN_BPS,
    QUOTE_MARGIN,
    QUOTE_NET,
    QUOTE_ACTOR,
    QUOTE_CREATED_AT,
    QUOTE_EXPIRES_AT,
    PAY_POLICY_ID,
    QUOTE_POLICY_ID,
};

/* Columns of ledger/sql/seal_rate_sheet.sql. */
enum {
    SHEET_SOURCE,
    SHEET_DATE,
    SHEET_AS_OF,
    SHEET_IMPORTED_AT,
    SHEET_FILE_NAME,
    SHEET_FILE_SHA256,
    SHEET_AUTHOR,
    SHEET_CURRENCY,
    SHEET_PKR_E10,
};

static bool read_payout(struct rpc_call *call, const struct rows *rows, struct seal_payout *p)
{
    p->gross = rows_int(rows, 0, PAY_GROSS);
    p->fee = rows_int(rows, 0, PAY_FEE);
    p->mid_rate_e10 = rows_int(rows, 0, PAY_MID_RATE);
    p->mid_value = rows_int(rows, 0, PAY_MID_VALUE);
    p->margin_bps = rows_int(rows, 0, PAY_MARGIN_BPS);
    p->margin = rows_int(rows, 0, PAY_MARGIN);
    p->net = rows_int(rows, 0, PAY_NET);
    p->digit_shift = rows_int(rows, 0, PAY_DIGIT_SHIFT);
    p->beneficiary_id = rows_int(rows, 0, PAY_BENEFICIARY_ID);
    p->beneficiary_version = rows_int(rows, 0, PAY_BENEFICIARY_VERSION);
    return log_keep(call, rows, 0, PAY_REFERENCE, &p->reference) &&
           log_keep(call, rows, 0, PAY_INFO, &p->info) &&
           log_keep(call, rows, 0, PAY_BANK, &p->bank) &&
           log_keep(call, rows, 0, PAY_SRC, &p->src_ccy) &&
           log_keep(call, rows, 0, PAY_DST, &p->dst_ccy) &&
           log_keep(call, rows, 0, PAY_FINGERPRINT, &p->fingerprint);
}

static bool read_beneficiary(struct rpc_call *call, const struct rows *rows,
                             struct log_entries *entries, const struct seal_payout *p)
{
    struct seal_beneficiary *b = &entries->beneficiary;
    *b = (struct seal_beneficiary){
        .book = entries->book.code,
        .beneficiary_id = p->beneficiary_id,
        .version = p->beneficiary_version,
        .channel = rows_int(rows, 0, BEN_CHANNEL),
        .created_at = rows_time_us(rows, 0, BEN_CREATED_AT),
    };
    for (int i = 0; i < SEAL_COMMITMENTS; i++)
        if (!log_keep(call, rows, 0, BEN_COMMITMENTS + i, &b->commitments[i]))
            return false;
    return log_keep(call, rows, 0, BEN_BANK, &b->bank) &&
           log_keep(call, rows, 0, BEN_PURPOSE, &b->purpose_code) &&
           log_keep(call, rows, 0, BEN_ACTOR, &b->actor);
}

static bool read_quote(struct rpc_call *call, const struct rows *rows, struct log_entries *entries)
{
    struct seal_quote *q = &entries->quote;
    *q = (struct seal_quote){
        .book = entries->book.code,
        .quote_id = rows_int(rows, 0, QUOTE_ID),
        .digit_shift = rows_int(rows, 0, QUOTE_DIGIT_SHIFT),
        .gross = rows_int(rows, 0, QUOTE_GROSS),
        .fee = rows_int(rows, 0, QUOTE_FEE),
        .mid_rate_e10 = rows_int(rows, 0, QUOTE_MID_RATE),
        .mid_value = rows_int(rows, 0, QUOTE_MID_VALUE),
        .margin_bps = rows_int(rows, 0, QUOTE_MARGIN_BPS),
        .margin = rows_int(rows, 0, QUOTE_MARGIN),
        .net = rows_int(rows, 0, QUOTE_NET),
        .created_at = rows_time_us(rows, 0, QUOTE_CREATED_AT),
        .expires_at = rows_time_us(rows, 0, QUOTE_EXPIRES_AT),
    };
    return log_keep(call, rows, 0, QUOTE_REQUEST_ID, &q->request_id) &&
           log_keep(call, rows, 0, QUOTE_FINGERPRINT, &q->fingerprint) &&
           log_keep(call, rows, 0, QUOTE_SRC, &q->src_ccy) &&
           log_keep(call, rows, 0, QUOTE_DST, &q->dst_ccy) &&
           log_keep(call, rows, 0, QUOTE_ACTOR, &q->actor);
}

/* What opens the commitments, if somebody wants it and the person was not erased. */
static bool open_person(struct rpc_call *call, const struct rows *rows)
{
    struct log_entries *entries = call->state;
    struct pii_row stored = {.key_id = (int16_t)rows_int(rows, 0, BEN_PII_KEY_ID),
                             .sealed = rows_text(rows, 0, BEN_PII_SEALED)};
    enum pii_result result;
    uint8_t *room;
    if (!entries->wants_person || rows_is_null(rows, 0, BEN_PII_SEALED))
        return true;
    for (int i = 0; i < PII_FIELDS; i++)
        stored.commitment[i] = rows_text(rows, 0, BEN_COMMITMENTS + i);
    room = rpc_alloc(call, stored.sealed.len + 1, 1);
    if (room == NULL)
        return false;
    result = pii_unseal(call->ctx->pii, &stored, room, &entries->person);
    if (result ==
        PII_KEY_MISSING) { /* encrypted anew with a key that is in the file since a moment ago */
        person_refresh_keys(call->ctx);
        result = pii_unseal(call->ctx->pii, &stored, room, &entries->person);
    }
    entries->has_person = result == PII_OK;
    if (!entries->has_person) {
        log_error(call->ctx->log, "log.person_not_opened", log_slice("book", entries->book.code),
                  log_int("beneficiary", entries->beneficiary.beneficiary_id));
        rpc_refuse(call, REASON_INTERNAL, NULL);
    }
    return entries->has_person;
}

/* ---------------------------------------------------------------- rate sheets */

static bool read_sheet(struct rpc_call *call, const struct rows *rows, struct log_sheet *s)
{
    int n = 0;
    s->sheet.sheet_date = rows_int(rows, 0, SHEET_DATE) + DATE_EPOCH_DAYS;
    s->sheet.as_of = rows_time_us(rows, 0, SHEET_AS_OF);
    s->sheet.imported_at = rows_time_us(rows, 0, SHEET_IMPORTED_AT);
    for (int row = 0; row < rows_count(rows); row++) {
        if (rows_is_null(rows, row, SHEET_PKR_E10))
            continue;
        if (n == LOG_RATES_MAX) {
            rpc_refuse(call, REASON_MESSAGE_TOO_LARGE, NULL);
            return false;
        }
        s->rates[n].pkr_e10 = rows_int(rows, row, SHEET_PKR_E10);
        if (!log_keep(call, rows, row, SHEET_CURRENCY, &s->rates[n++].currency))
            return false;
    }
    s->sheet.n_rates = n;
    return log_keep(call, rows, 0, SHEET_SOURCE, &s->sheet.source) &&
           log_keep(call, rows, 0, SHEET_FILE_NAME, &s->sheet.file_name) &&
           log_keep(call, rows, 0, SHEET_FILE_SHA256, &s->sheet.file_sha256) &&
           log_keep(call, rows, 0, SHEET_AUTHOR, &s->sheet.author);
}

static void ask_sheet(struct rpc_call *call, int64_t rate_id, rpc_rows_fn *on_rows)
{
    struct params params;
    params_init(&params);
    params_add_int4(&params, (int32_t)rate_id);
    rpc_query(call, "seal_rate_sheet", &params, on_rows);
    params_deinit(&params);
}

static bool sheet_answered(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                           const struct rows *rows, struct log_sheet *sheet)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return false;
    }
    if (rows_count(rows) == 0) {
        log_book_damaged(call, "rate_sheet", sheet->sheet.rate_id);
        return false;
    }
    return read_sheet(call, rows, sheet);
}

/* ---------------------------------------------------------------- the version of the policy */

static bool read_policy(struct rpc_call *call, const struct rows *rows)
{
    struct log_entries *entries = call->state;
    struct seal_hasher *hasher;
    struct seal_record aside, record;
    if (err_failed(seal_hasher_new(&hasher))) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return false;
    }
    seal_record_init(&aside);
    seal_record_init(&record);
    bool ok = seal_policy_record(hasher, entries->policy_id, rows, &aside, &record);
    if (!ok)
        log_book_damaged(call, "policy", entries->policy_id);
    else if ((ok = log_keep_record(call, &record, &entries->policy_record)))
        seal_hash(hasher, entries->policy_record, &entries->policy_hash);
    seal_record_deinit(&record);
    seal_record_deinit(&aside);
    seal_hasher_free(&hasher);
    return ok;
}

static void on_policy(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE)
        rpc_refuse_outcome(call, outcome, reason, NULL);
    else if (read_policy(call, rows))
        prove_blocks(call);
}

static void ask_policy(struct rpc_call *call)
{
    const struct log_entries *entries = call->state;
    struct params params;
    if (entries->policy_id == 0) {
        prove_blocks(call);
        return;
    }
    params_init(&params);
    params_add_int4(&params, (int32_t)entries->policy_id);
    rpc_query(call, "seal_policy", &params, on_policy);
    params_deinit(&params);
}

static void on_quote_sheet(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                           const struct rows *rows)
{
    struct log_entries *entries = call->state;
    if (sheet_answered(call, outcome, reason, rows, &entries->quote_sheet))
        ask_policy(call);
}

static void on_sheet(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    struct log_entries *entries = call->state;
    if (!sheet_answered(call, outcome, reason, rows, &entries->sheet))
        return;
    if (entries->has_quote)
        ask_sheet(call, entries->quote_sheet.sheet.rate_id, on_quote_sheet);
    else
        ask_policy(call);
}

static void on_payout(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    struct log_entries *entries = call->state;
    struct seal_payout *p = &entries->accepted->journal.of.payout;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        log_book_damaged(call, "payout", entries->accepted->journal.seq);
        return;
    }
    entries->has_quote = !rows_is_null(rows, 0, QUOTE_ID);
    entries->sheet.sheet.rate_id = rows_int(rows, 0, PAY_RATE_ID);
    entries->quote_sheet.sheet.rate_id = rows_int(rows, 0, QUOTE_RATE_ID);
    entries->policy_id = rows_int(rows, 0, PAY_POLICY_ID);
    entries->quote_has_policy = rows_int(rows, 0, QUOTE_POLICY_ID) != 0;
    if (read_payout(call, rows, p) && read_beneficiary(call, rows, entries, p) &&
        (!entries->has_quote || read_quote(call, rows, entries)) && open_person(call, rows))
        ask_sheet(call, entries->sheet.sheet.rate_id, on_sheet);
}

/* ---------------------------------------------------------------- records */

static bool keep_hashed(struct rpc_call *call, struct seal_hasher *hasher,
                        const struct seal_record *record, struct slice *out, seal_hash_t *hash)
{
    if (!log_keep_record(call, record, out))
        return false;
    seal_hash(hasher, *out, hash);
    return true;
}

static bool build_sheet(struct rpc_call *call, struct seal_hasher *hasher, struct seal_record *r,
                        struct log_sheet *s)
{
    seal_record_rate_sheet(r, &s->sheet);
    for (int64_t i = 0; i < s->sheet.n_rates; i++)
        seal_record_rate(r, s->rates[i].currency, s->rates[i].pkr_e10);
    return keep_hashed(call, hasher, r, &s->record, &s->hash);
}

/* What the payout's record points to, and then the pointers in it. */
static bool build_payout(struct rpc_call *call, struct seal_hasher *hasher, struct seal_record *r,
                         struct seal_payout *p)
{
    struct log_entries *entries = call->state;
    seal_hash_t unused;
    if (!build_sheet(call, hasher, r, &entries->sheet))
        return false;
    p->rate_sheet = log_hash_slice(&entries->sheet.hash);
    seal_record_beneficiary(r, &entries->beneficiary);
    if (!keep_hashed(call, hasher, r, &entries->beneficiary_record, &entries->beneficiary_hash))
        return false;
    p->beneficiary = log_hash_slice(&entries->beneficiary_hash);
    p->policy = entries->policy_id == 0 ? slice_of(NULL, 0) : log_hash_slice(&entries->policy_hash);
    if (!entries->has_quote)
        return true;
    if (!build_sheet(call, hasher, r, &entries->quote_sheet))
        return false;
    entries->quote.rate_sheet = log_hash_slice(&entries->quote_sheet.hash);
    if (entries->quote_has_policy)
        entries->quote.policy = p->policy; /* the ledger takes no other */
    seal_record_quote(r, &entries->quote);
    if (!keep_hashed(call, hasher, r, &entries->quote_record, &unused))
        return false;
    p->quote = entries->quote_record;
    return true;
}

static bool build_record(struct rpc_call *call, struct seal_hasher *hasher, struct seal_record *r,
                         struct log_entry *e)
{
    seal_hash_t hash;
    if (e->journal.subject == SEAL_SUBJECT_PAYOUT &&
        !build_payout(call, hasher, r, &e->journal.of.payout))
        return false;
    seal_record_journal(r, &e->journal);
    if (!log_keep_record(call, r, &e->record))
        return false;
    seal_hash_leaf(hasher, r, &hash);
    if (slice_equal(log_hash_slice(&hash), log_hash_slice(&e->sealed_leaf)))
        return true;
    log_book_damaged(call, "journal", e->journal.seq);
    return false;
}

static void build_records(struct rpc_call *call)
{
    struct log_entries *entries = call->state;
    struct seal_hasher *hasher;
    struct seal_record record;
    bool ok = true;
    if (err_failed(seal_hasher_new(&hasher))) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return;
    }
    seal_record_init(&record);
    for (unsigned i = 0; i < entries->n && ok; i++)
        ok = build_record(call, hasher, &record, &entries->entry[i]);
    seal_record_deinit(&record);
    seal_hasher_free(&hasher);
    if (ok)
        entries->done(call);
}

/* ---------------------------------------------------------------- in order */

static bool read_entries(struct rpc_call *call, const struct rows *rows)
{
    struct log_entries *entries = call->state;
    struct seal_hasher *hasher;
    bool ok = true;
    if (err_failed(seal_hasher_new(&hasher))) {
        rpc_refuse(call, REASON_QUEUE_FULL, NULL);
        return false;
    }
    for (int row = 0, next = 0; row < rows_count(rows) && ok; row = next) {
        struct log_entry *e = &entries->entry[entries->n];
        if (entries->n == LOG_ENTRIES_MAX) {
            log_book_damaged(call, "payout_transition", entries->payout_id);
            ok = false;
            break;
        }
        entries->n++;
        ok = read_journal(call, rows, row, e, &next) && read_block(call, hasher, rows, row, e);
        if (e->journal.subject == SEAL_SUBJECT_PAYOUT)
            entries->accepted = e;
    }
    seal_hasher_free(&hasher);
    return ok;
}

static void on_journals(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    struct log_entries *entries = call->state;
    struct params params;
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        rpc_refuse(call,
                   entries->payout_id != 0 ? REASON_PAYOUT_NOT_FOUND : REASON_JOURNAL_NOT_FOUND,
                   entries->field);
        return;
    }
    if (!read_entries(call, rows))
        return;
    if (entries->accepted == NULL) {
        prove_blocks(call);
        return;
    }
    params_init(&params);
    params_add_int4(&params, entries->book.book_id);
    params_add_int8(&params, entries->accepted->journal.seq);
    rpc_query(call, "log_payout", &params, on_payout);
    params_deinit(&params);
}

static void on_head(struct rpc_call *call)
{
    struct log_entries *entries = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, entries->book.book_id);
    params_add_int8(&params, entries->payout_id);
    params_add_int8(&params, entries->seq);
    rpc_query(call, "log_journals", &params, on_journals);
    params_deinit(&params);
}

void log_entries_ask(struct rpc_call *call, int64_t tree_size, log_then_fn *done)
{
    struct log_entries *entries = call->state;
    entries->done = done;
    log_book_ask(call, tree_size, false, on_head);
}
