#include "settle/take.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/instruction_id.h"
#include "domain/iso20022_reason.h"
#include "domain/payout_state.h"
#include "domain/reason.h"
#include "domain/text.h"
#include "iso20022/codes.h"
#include "iso20022/ids.h"
#include "settle/question_id.h"

enum {
    BATCH_MAX = 1000,
    BANK_TEXT_SIZE = 36,
    WINDOWS_MAX = 64, /* that one account report may tell of */
    CONFIRMATION_COLUMNS = 8,
};

/* A definite answer, held until its batch is full. */
struct said {
    uint64_t item;
    int32_t book_id;
    int64_t payout_id;
    int16_t state;
    money_t amount; /* ccy 0: not said */
    int64_t tax_withheld;
    char reference[BANK_TEXT_SIZE], eprc[BANK_TEXT_SIZE], reason[ISO20022_REASON_SIZE];
    bool dropped; /* refused already */
};

/* A bank's totals of a window, as an account report tells them. */
struct window_said {
    int64_t window_no, count;
    money_t amount;
};

struct taking {
    struct settle_ctx *ctx;
    const struct settle_bank *bank;
    struct report *report;
    struct take_counts counts;
    enum settle_result result;
    struct said batch[BATCH_MAX];
    size_t n;
    struct window_said window[WINDOWS_MAX];
    size_t n_windows;
    bool told_status;  /* GrpSts */
    int64_t window_no; /* of the account report under way; 0: it is none of a window */
};

unsigned take_kinds(void)
{
    return 1U << ISO_PACS_002 | 1U << ISO_PACS_004 | 1U << ISO_CAMT_029 | 1U << ISO_CAMT_053 |
           1U << ISO_CAMT_054;
}

err_t taking_new(struct settle_ctx *ctx, const struct settle_bank *bank, struct report *report,
                 struct taking **out)
{
    struct taking *t = calloc(1, sizeof *t);
    *out = t;
    if (t == NULL)
        return err_make(ERR_NO_MEMORY, "take a file");
    t->ctx = ctx;
    t->bank = bank;
    t->report = report;
    return err_none();
}

void taking_free(struct taking **t)
{
    free(*t);
    *t = NULL;
}

/* ---------------------------------------------------------------- refusals */

static void refuse(struct taking *t, uint64_t item, struct slice id, const char *field,
                   reason_t reason, const char *more)
{
    t->counts.refused++;
    report_line(t->report, "transaction %llu, %.*s: %s%s%s: %s%s%s", (unsigned long long)item,
                (int)(id.len > 40 ? 40 : id.len), id.p == NULL ? "" : id.p, field,
                field[0] == '\0' ? "" : ": ", reason_name(reason), reason_text(reason),
                more[0] == '\0' ? "" : " ", more);
}

/* What the ledger answered of one item: 0 recorded, 1 said before, else a reason. */
static void take_verdict(struct taking *t, uint64_t item, int32_t book_id, int64_t payout_id,
                         int64_t verdict, const char *field)
{
    char id[INSTRUCTION_ID_SIZE];
    reason_t reason;
    if (verdict == 0) {
        t->counts.recorded++;
    } else if (verdict == 1) {
        t->counts.duplicates++;
    } else {
        if (!reason_from_number((int32_t)verdict, &reason))
            reason = REASON_INTERNAL;
        size_t len = instruction_id_write(book_id, payout_id, id);
        refuse(t, item, slice_of(id, len), field, reason, "");
    }
}

/* The ledger refused a whole call: what of it is an answer to the bank. False: it is none, and t->result says what. */
static bool is_answer(struct taking *t, enum settle_result result, reason_t *reason)
{
    if (result == SETTLE_REFUSED && reason_from_number(settle_db_reason(&t->ctx->db), reason)) {
        if (*reason == REASON_RESOURCE_FORBIDDEN) /* no such book */
            *reason = REASON_INSTRUCTION_NOT_FOUND;
        return true;
    }
    if (result == SETTLE_REFUSED) {
        log_error(t->ctx->log, "file.ledger_refused", log_str("bank", t->bank->code),
                  log_str("problem", t->ctx->db.pg.problem),
                  log_str("sqlstate", t->ctx->db.pg.sqlstate));
        result = SETTLE_FAILED;
    }
    t->result = result;
    return false;
}

/* ---------------------------------------------------------------- which instruction */

static struct slice some_id(const struct iso_ids *ids)
{
    return ids->end_to_end_id.len > 0    ? ids->end_to_end_id
           : ids->instruction_id.len > 0 ? ids->instruction_id
                                         : ids->tx_id;
}

/* The payment that the item is about: all the names it gives are of one. */
static bool find_instruction(struct taking *t, uint64_t item, const struct iso_ids *ids,
                             int32_t *book_id, int64_t *payout_id)
{
    const char *our_bic = t->ctx->settings->config.our_bic;
    struct slice id = some_id(ids);
    char uetr[ISO_UETR_SIZE];
    const struct slice all[] = {ids->end_to_end_id, ids->instruction_id, ids->tx_id};
    if (id.len == 0) {
        refuse(t, item, id, "OrgnlEndToEndId", REASON_FIELD_REQUIRED, "");
        return false;
    }
    if (!instruction_id_read(id, book_id, payout_id)) {
        refuse(t, item, id, "OrgnlEndToEndId", REASON_INSTRUCTION_NOT_FOUND, "");
        return false;
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].len > 0 && !slice_equal(all[i], id)) {
            refuse(t, item, id, "OrgnlInstrId", REASON_FIELD_CONFLICT,
                   "Its ids are of two payments.");
            return false;
        }
    }
    if (ids->uetr.len > 0 && (err_failed(iso_uetr_make(slice_str(our_bic), id, uetr)) ||
                              !slice_equal_str(ids->uetr, uetr))) {
        refuse(t, item, id, "OrgnlUETR", REASON_FIELD_CONFLICT, "It is of another payment.");
        return false;
    }
    return true;
}

static bool copy_text(struct taking *t, uint64_t item, struct slice id, const char *field,
                      struct slice text, char out[BANK_TEXT_SIZE])
{
    reason_t reason = text_check_ascii(text, BANK_TEXT_SIZE - 1);
    if (reason == REASON_NONE && !err_failed(slice_copy(text, out, BANK_TEXT_SIZE)))
        return true;
    refuse(t, item, id, field, reason == REASON_NONE ? REASON_FIELD_INVALID : reason, "");
    return false;
}

/* ---------------------------------------------------------------- definite answers, book by book */

static int by_book(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    if (x->book_id != y->book_id)
        return x->book_id < y->book_id ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* A message need not say the amount: then it is what we know. False: t->result. */
static bool fill_amounts(struct taking *t, struct said *said, size_t n)
{
    int64_t ids[BATCH_MAX];
    size_t of[BATCH_MAX], wanted = 0;
    struct rows *rows;
    for (size_t i = 0; i < n; i++) {
        if (said[i].amount.ccy != 0)
            continue;
        said[i].dropped = true; /* until it is found */
        of[wanted] = i;
        ids[wanted++] = said[i].payout_id;
    }
    if (wanted == 0)
        return true;
    struct params *p = settle_db_params(&t->ctx->db);
    params_add_int4(p, said[0].book_id);
    params_add_int2(p, t->bank->bank_id);
    params_add_int8_array(p, ids, (int32_t)wanted);
    t->result = settle_db_ask(&t->ctx->db, "settle_instructions", &rows);
    if (t->result != SETTLE_OK)
        return false;
    for (int r = 0; r < rows_count(rows); r++) {
        struct said *s = &said[of[rows_int(rows, r, 0) - 1]];
        s->amount = money_of(rows_int(rows, r, 1), (uint16_t)rows_int(rows, r, 2));
        s->dropped = false;
    }
    rows_free(&rows);
    for (size_t i = 0; i < n; i++)
        if (said[i].dropped)
            take_verdict(t, said[i].item, said[i].book_id, said[i].payout_id,
                         REASON_INSTRUCTION_NOT_FOUND, "OrgnlEndToEndId");
    return true;
}

static void add_confirmations(struct taking *t, const struct said *said, size_t n)
{
    struct params *p = settle_db_params(&t->ctx->db);
    params_add_int4(p, said[0].book_id);
    params_add_int2(p, t->bank->bank_id);
    params_add_int4(p, t->bank->principal_id);
    params_array_begin(p, LEDGER_TYPE_CONFIRMATION_DRAFT);
    for (size_t i = 0; i < n; i++) {
        const struct said *s = &said[i];
        if (s->dropped)
            continue;
        params_row_begin(p, CONFIRMATION_COLUMNS);
        params_row_int8(p, s->payout_id);
        params_row_int2(p, s->state);
        params_row_int2(p, (int16_t)s->amount.ccy);
        params_row_int8(p, s->amount.minor);
        params_row_text_or_null(p, slice_str(s->reference));
        params_row_int8_or_null(p, s->tax_withheld);
        params_row_text_or_null(p, slice_str(s->eprc));
        params_row_text_or_null(p, slice_str(s->reason));
        params_row_end(p);
    }
    params_array_end(p);
}

static const char *field_of(int64_t verdict)
{
    switch (verdict) {
    case REASON_INSTRUCTION_NOT_FOUND:
        return "OrgnlEndToEndId";
    case REASON_AMOUNT_OVER_LIMIT:
        return "TaxWthld";
    case REASON_FIELD_INVALID:
    case REASON_CURRENCY_MISMATCH:
        return "OrgnlTxRef/IntrBkSttlmAmt";
    default:
        return "TxSts";
    }
}

/* Those of one book. */
static void confirm_book(struct taking *t, struct said *said, size_t n)
{
    int64_t verdicts[BATCH_MAX];
    struct rows *rows;
    reason_t reason;
    if (!fill_amounts(t, said, n))
        return;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        kept += !said[i].dropped;
    if (kept == 0)
        return;
    add_confirmations(t, said, n);
    int64_t began_us = clock_monotonic_us();
    enum settle_result result = settle_db_ask(&t->ctx->db, "settlement_confirm", &rows);
    int answered = result == SETTLE_OK ? rows_int_array(rows, 0, 0, verdicts, BATCH_MAX) : 0;
    rows_free(&rows);
    log_debug(t->ctx->log, "file.confirmed", log_str("bank", t->bank->code),
              log_int("book", said[0].book_id), log_uint("items", kept),
              log_int("ms", (clock_monotonic_us() - began_us) / US_PER_MS));
    if (result == SETTLE_OK && answered != (int)kept)
        result = SETTLE_LOST;
    if (result != SETTLE_OK && !is_answer(t, result, &reason))
        return;
    for (size_t i = 0, k = 0; i < n; i++) {
        if (said[i].dropped)
            continue;
        int64_t verdict = result == SETTLE_OK ? verdicts[k++] : (int64_t)reason;
        take_verdict(t, said[i].item, said[i].book_id, said[i].payout_id, verdict,
                     field_of(verdict));
    }
}

static bool flush(struct taking *t)
{
    qsort(t->batch, t->n, sizeof *t->batch, by_book);
    for (size_t from = 0, to; from < t->n && t->result == SETTLE_OK; from = to) {
        for (to = from; to < t->n && t->batch[to].book_id == t->batch[from].book_id;)
            to++;
        confirm_book(t, t->batch + from, to - from);
    }
    t->n = 0;
    if (t->result == SETTLE_OK && settle_db_stop(&t->ctx->db))
        t->result = SETTLE_STOPPED;
    return t->result == SETTLE_OK;
}

/* ---------------------------------------------------------------- pacs.002 */

static bool check_settled(struct taking *t, const struct iso_follow_up *f, struct said *s,
                          struct slice id)
{
    struct slice reference = f->bank_reference.len > 0           ? f->bank_reference
                             : f->ids.clearing_reference.len > 0 ? f->ids.clearing_reference
                                                                 : f->id;
    if (reference.len == 0) {
        refuse(t, s->item, id, "AcctSvcrRef", REASON_FIELD_REQUIRED, "");
        return false;
    }
    if (f->tax_withheld.ccy != 0 && s->amount.ccy != 0 && f->tax_withheld.ccy != s->amount.ccy) {
        refuse(t, s->item, id, "TaxWthld", REASON_CURRENCY_MISMATCH, "");
        return false;
    }
    s->state = PAYOUT_STATE_SETTLED;
    s->tax_withheld = f->tax_withheld.minor;
    return copy_text(t, s->item, id, "AcctSvcrRef", reference, s->reference) &&
           copy_text(t, s->item, id, "EPrcNb", f->eprc_number, s->eprc);
}

/* A code that we do not know is kept as it is: that the bank will never pay is what counts. */
static bool check_rejected(struct taking *t, const struct iso_follow_up *f, struct said *s,
                           struct slice id)
{
    struct slice code = f->reasons.n == 0 ? slice_of(NULL, 0) : f->reasons.at[0].code;
    reason_t reason = iso20022_reason_check_syntax(code);
    s->state = PAYOUT_STATE_REJECTED;
    if (reason == REASON_NONE && !err_failed(slice_copy(code, s->reason, sizeof s->reason)))
        return true;
    refuse(t, s->item, id, "StsRsnInf/Rsn/Cd",
           reason == REASON_NONE ? REASON_REASON_CODE_UNKNOWN : reason, "");
    return false;
}

static bool note(struct taking *t, uint64_t item, int32_t book_id, int64_t payout_id,
                 const struct iso_follow_up *f)
{
    struct rows *rows;
    reason_t reason;
    struct slice code = f->reasons.n == 0               ? slice_of(NULL, 0)
                        : f->reasons.at[0].code.len > 0 ? f->reasons.at[0].code
                                                        : f->reasons.at[0].proprietary;
    struct params *p = settle_db_params(&t->ctx->db);
    params_add_int2(p, t->bank->bank_id);
    params_add_int4(p, book_id);
    params_add_int8(p, payout_id);
    params_add_text(p, f->status);
    params_add_text_or_null(p, code);
    enum settle_result result = settle_db_ask(&t->ctx->db, "settle_note", &rows);
    int64_t verdict = result == SETTLE_OK ? rows_int(rows, 0, 0) : 0;
    rows_free(&rows);
    if (result != SETTLE_OK) {
        if (!is_answer(t, result, &reason))
            return false;
        verdict = reason;
    }
    if (verdict == 0)
        t->counts.noted++;
    else
        take_verdict(t, item, book_id, payout_id, verdict, "TxSts");
    return true;
}

static bool take_status(struct taking *t, const struct iso_follow_up *f)
{
    struct said s = {.item = (uint64_t)t->counts.items, .amount = f->original_amount};
    struct slice id = some_id(&f->ids);
    if (!find_instruction(t, s.item, &f->ids, &s.book_id, &s.payout_id))
        return true;
    switch (iso_status_outcome(f->status)) {
    case ISO_OUTCOME_SETTLED:
        if (!check_settled(t, f, &s, id))
            return true;
        break;
    case ISO_OUTCOME_REJECTED:
        if (!check_rejected(t, f, &s, id))
            return true;
        break;
    case ISO_OUTCOME_PENDING:
    case ISO_OUTCOME_UNKNOWN:
        return note(t, s.item, s.book_id, s.payout_id, f);
    }
    t->batch[t->n++] = s;
    return t->n < BATCH_MAX || flush(t);
}

/* ---------------------------------------------------------------- pacs.004 */

/* What of the payment is undone: what comes back, and what the bank kept of it. */
static bool sum_of_charges(const struct iso_follow_up *f, money_t *charge)
{
    *charge = money_of(0, f->amount.ccy);
    for (size_t i = 0; i < f->charges.n; i++)
        if (money_add(*charge, f->charges.at[i].amount, charge) != REASON_NONE)
            return false;
    return true;
}

static bool take_return(struct taking *t, const struct iso_group *group,
                        const struct iso_follow_up *f)
{
    const struct iso_reasons *reasons = f->reasons.n > 0 ? &f->reasons : &group->reasons;
    struct slice id = some_id(&f->ids),
                 code = reasons->n == 0 ? slice_of(NULL, 0) : reasons->at[0].code;
    uint64_t item = (uint64_t)t->counts.items;
    char reference[BANK_TEXT_SIZE];
    int32_t book_id;
    int64_t payout_id;
    money_t charge, undone;
    reason_t reason;
    if (!find_instruction(t, item, &f->ids, &book_id, &payout_id) ||
        !copy_text(t, item, id, "RtrId", f->id, reference))
        return true;
    if ((reason = iso20022_reason_check_syntax(code)) != REASON_NONE) {
        refuse(t, item, id, "RtrRsnInf/Rsn/Cd", reason, "");
        return true;
    }
    if (!sum_of_charges(f, &charge) || money_add(f->amount, charge, &undone) != REASON_NONE) {
        refuse(t, item, id, "ChrgsInf/Amt", REASON_CURRENCY_MISMATCH, "");
        return true;
    }
    struct params *p = settle_db_params(&t->ctx->db);
    params_add_int4(p, book_id);
    params_add_int2(p, t->bank->bank_id);
    params_add_int4(p, t->bank->principal_id);
    params_add_int8(p, payout_id);
    params_add_int2(p, (int16_t)undone.ccy);
    params_add_int8(p, undone.minor);
    params_add_int8(p, charge.minor);
    params_add_text(p, code);
    params_add_text(p, slice_str(reference));
    enum settle_result result = settle_db_do(&t->ctx->db, "settle_return");
    if (result == SETTLE_OK)
        t->counts.recorded++;
    else if (is_answer(t, result, &reason))
        refuse(t, item, id,
               reason == REASON_INSTRUCTION_NOT_FOUND ? "OrgnlEndToEndId"
               : reason == REASON_STATE_CONFLICT      ? ""
                                                      : "RtrdIntrBkSttlmAmt",
               reason,
               reason == REASON_STATE_CONFLICT
                   ? "What is not settled is rejected (pacs.002), not returned; or it came back "
                     "too often."
                   : "");
    return t->result == SETTLE_OK;
}

/* ---------------------------------------------------------------- camt.029 */

/* Which recall the item says it answers: the nearest case around it, and CxlStsId and OrgnlGrpCxlId where they repeat an
 * id of ours (they may be the bank's own). *question_no 0: it says none. */
static bool find_recall(struct taking *t, const struct iso_group *g, const struct iso_follow_up *f,
                        int64_t *question_no)
{
    uint64_t item = (uint64_t)t->counts.items;
    struct slice id = some_id(&f->ids), named = f->case_id;
    const struct slice repeated[] = {f->id, g->block_cancel_id};
    char text[100];
    int64_t no;
    *question_no = 0;
    if (named.len == 0)
        named = g->block_case_id.len > 0 ? g->block_case_id : g->case_id;
    if (named.len > 0 && !question_id_read(named, t->bank->code, question_no)) {
        (void)snprintf(text, sizeof text, "Cases of ours are Case/Id of our camt.056: UJQ-%s-...",
                       t->bank->code);
        refuse(t, item, id, "RslvdCase/Id", REASON_INQUIRY_NOT_FOUND, text);
        return false;
    }
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        if (!question_id_read(repeated[i], t->bank->code, &no))
            continue;
        if (*question_no != 0 && no != *question_no) {
            refuse(t, item, id, i == 0 ? "CxlStsId" : "OrgnlGrpCxlId", REASON_FIELD_CONFLICT,
                   "Its names are of two recalls.");
            return false;
        }
        *question_no = no;
    }
    return true;
}

enum { WHICH_RECALL = -1 }; /* it cannot be told which recall is answered */

static void take_recall_verdict(struct taking *t, const struct said *s, struct slice id,
                                int64_t verdict, bool named)
{
    if (verdict == WHICH_RECALL)
        refuse(t, s->item, id, "RslvdCase/Id", REASON_FIELD_REQUIRED,
               "The payment was recalled more than once: this is to be Case/Id of the camt.056 "
               "that is answered.");
    else if (verdict == REASON_INQUIRY_NOT_FOUND)
        refuse(t, s->item, id, named ? "RslvdCase/Id" : "TxCxlSts", REASON_INQUIRY_NOT_FOUND,
               named ? "It names no recall of this payment." : "The payment was never recalled.");
    else if (verdict == REASON_FIELD_REQUIRED || verdict == REASON_REASON_CODE_UNKNOWN)
        refuse(t, s->item, id, "CxlStsRsnInf/Rsn/Cd", (reason_t)verdict, "");
    else
        take_verdict(t, s->item, s->book_id, s->payout_id, verdict, "TxCxlSts");
}

static bool take_recall_answer(struct taking *t, const struct iso_group *group,
                               const struct iso_follow_up *f)
{
    struct slice code = f->reasons.n == 0 ? slice_of(NULL, 0) : f->reasons.at[0].code;
    struct said s = {.item = (uint64_t)t->counts.items};
    struct slice status = f->status;
    int64_t question_no, verdict = WHICH_RECALL;
    struct rows *rows;
    reason_t reason;
    if (!find_instruction(t, s.item, &f->ids, &s.book_id, &s.payout_id) ||
        !find_recall(t, group, f, &question_no))
        return true;
    if (iso_recall_answer(status) == ISO_RECALL_ACCEPTED)
        status = SLICE("CNCL"); /* as the API and the ledger have it */
    struct params *p = settle_db_params(&t->ctx->db);
    params_add_int2(p, t->bank->bank_id);
    params_add_int4(p, s.book_id);
    params_add_int8(p, s.payout_id);
    params_add_text(p, status);
    params_add_text_or_null(p, code);
    params_add_int4(p, t->bank->principal_id);
    if (question_no > 0)
        params_add_int8(p, question_no);
    else
        params_add_null(p);
    enum settle_result result = settle_db_ask(&t->ctx->db, "settle_recall_answer", &rows);
    if (result == SETTLE_OK && !rows_is_null(rows, 0, 0))
        verdict = rows_int(rows, 0, 0);
    rows_free(&rows);
    if (result != SETTLE_OK) {
        if (!is_answer(t, result, &reason))
            return false;
        verdict = reason;
    }
    take_recall_verdict(t, &s, some_id(&f->ids), verdict, question_no > 0);
    return true;
}

/* ---------------------------------------------------------------- camt.053, camt.054 */

/* "MUCB-W17": the bank's totals of its window 17. Other reports of accounts are ujrat-audit's to read. 0: none. */
static int64_t window_of(const struct taking *t, struct slice id)
{
    struct slice bank, number;
    int64_t no;
    if (!slice_cut(id, '-', &bank, &number) || !slice_equal_str(bank, t->bank->code) ||
        number.len < 2 || number.p[0] != 'W' ||
        err_failed(str_parse_int64(slice_of(number.p + 1, number.len - 1), &no)) || no <= 0)
        return 0;
    return no;
}

static struct window_said *window_said(struct taking *t)
{
    for (size_t i = 0; i < t->n_windows; i++)
        if (t->window[i].window_no == t->window_no)
            return &t->window[i];
    if (t->n_windows == WINDOWS_MAX)
        return NULL;
    t->window[t->n_windows] =
        (struct window_said){.window_no = t->window_no, .amount = {0, CCY_PKR}};
    return &t->window[t->n_windows++];
}

/* A bank speaks of a message as a whole. It is a definite answer to nothing: each payment has its own, with its reference. So
 * a refusal of the whole is a person's to see to. */
static bool take_group_status(struct taking *t, const struct iso_group *group)
{
    char subject[80], detail[300], text[ISO20022_REASON_SIZE * 8] = "";
    struct iso_code why;
    if (group->status.len == 0 || t->told_status)
        return true;
    t->told_status = true;
    iso_reason_explain(group->kind, &group->reasons, &why);
    (void)snprintf(text, sizeof text, "%s", why.text);
    (void)snprintf(subject, sizeof subject, "%s %.*s", t->bank->code,
                   (int)(group->original.message_id.len > 35 ? 35 : group->original.message_id.len),
                   group->original.message_id.p == NULL ? "" : group->original.message_id.p);
    (void)snprintf(
        detail, sizeof detail,
        "the bank says %.4s%s%s of the whole message; only what it says of each transaction "
        "counts",
        group->status.p, text[0] == '\0' ? "" : ", ", text);
    report_line(t->report, "GrpSts: %s", detail);
    log_info(t->ctx->log, "file.group_status", log_str("bank", t->bank->code),
             log_str("message", subject), log_slice("status", group->status),
             log_str("reason", text));
    if (iso_status_outcome(group->status) == ISO_OUTCOME_REJECTED)
        t->result = settle_alert(t->ctx, "FILE_QUARANTINED", subject, detail);
    return t->result == SETTLE_OK;
}

bool taking_group(void *user, const struct iso_header *header, const struct iso_group *group,
                  struct iso_refusal *why)
{
    struct taking *t = user;
    (void)header, (void)why;
    if (group->kind == ISO_PACS_002)
        return take_group_status(t, group);
    if (group->kind != ISO_CAMT_053 && group->kind != ISO_CAMT_054)
        return true;
    t->window_no = window_of(t, group->statement.id);
    if (t->window_no == 0)
        report_line(t->report,
                    "report %.*s: not of a window (its Id would be %s-W and the window's number): "
                    "nothing was done with it",
                    (int)(group->statement.id.len > 35 ? 35 : group->statement.id.len),
                    group->statement.id.p, t->bank->code);
    else if (window_said(t) == NULL)
        report_line(t->report, "report of window %lld: more windows than a file may tell of",
                    (long long)t->window_no);
    return true;
}

/* A payment that the bank made: booked, and a debit of our account. */
static bool take_entry(struct taking *t, const struct iso_entry *e)
{
    struct window_said *w = t->window_no == 0 ? NULL : window_said(t);
    const struct iso_entry_details *d = &e->details;
    money_t amount = d->amount.ccy == 0 ? e->amount : d->amount;
    uint64_t item = (uint64_t)t->counts.items;
    enum iso_sign sign = d->sign == ISO_NO_SIGN ? e->sign : d->sign;
    if (w == NULL || sign != ISO_DEBIT || e->reversal || !slice_equal_str(e->status, "BOOK"))
        return true;
    if (money_add(w->amount, amount, &w->amount) != REASON_NONE)
        refuse(t, item, e->bank_reference, "Amt", REASON_CURRENCY_MISMATCH, "");
    else
        w->count++;
    return true;
}

static void report_windows(struct taking *t)
{
    for (size_t i = 0; i < t->n_windows && t->result == SETTLE_OK; i++) {
        const struct window_said *w = &t->window[i];
        reason_t reason;
        struct params *p = settle_db_params(&t->ctx->db);
        params_add_int2(p, t->bank->bank_id);
        params_add_int8(p, w->window_no);
        params_add_int4(p, t->bank->principal_id);
        params_add_int2(p, (int16_t)w->amount.ccy);
        params_add_int8(p, w->count);
        params_add_int8(p, w->amount.minor);
        enum settle_result result = settle_db_do(&t->ctx->db, "settle_window_report");
        if (result == SETTLE_OK) {
            t->counts.recorded++;
        } else if (is_answer(t, result, &reason)) {
            t->counts.refused++;
            report_line(t->report, "report of window %lld: %s: %s", (long long)w->window_no,
                        reason_name(reason), t->ctx->db.pg.problem);
        }
    }
}

/* ---------------------------------------------------------------- items */

bool taking_item(void *user, const struct iso_group *group, const union iso_item *item,
                 struct iso_refusal *why)
{
    struct taking *t = user;
    bool good = true;
    (void)why;
    t->counts.items++;
    switch (group->kind) {
    case ISO_PACS_002:
        good = take_status(t, &item->follow_up);
        break;
    case ISO_PACS_004:
        good = take_return(t, group, &item->follow_up);
        break;
    case ISO_CAMT_029:
        good = take_recall_answer(t, group, &item->follow_up);
        break;
    case ISO_CAMT_053:
    case ISO_CAMT_054:
        good = take_entry(t, &item->entry);
        break;
    case ISO_NO_KIND:
    case ISO_PACS_008:
    case ISO_PACS_009:
    case ISO_PAIN_001:
    case ISO_PACS_028:
    case ISO_CAMT_056:
    case ISO_KIND_END:
        assert(!"a kind that is not taken"); /* take_kinds() */
    }
    return good && t->result == SETTLE_OK;
}

enum settle_result taking_end(struct taking *t, struct take_counts *counts)
{
    if (t->result == SETTLE_OK)
        (void)flush(t);
    if (t->result == SETTLE_OK)
        report_windows(t);
    *counts = t->counts;
    return t->result;
}
