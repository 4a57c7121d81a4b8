#include "settle/message_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timefmt.h"
#include "domain/instruction_id.h"
#include "domain/text.h"
#include "iso20022/ids.h"
#include "iso20022/writer.h"
#include "settle/question_id.h"

enum { PAGE_ROWS = 500, TEXT_SIZE = 160 };

#define KARACHI_US (5LL * 3600 * US_PER_SEC) /* UTC+5, no summer time */

/* Columns of settle_file_page.sql. */
enum {
    COL_PAYOUT_ID,
    COL_CANCELLED,
    COL_NET,
    COL_CCY,
    COL_CHANNEL,
    COL_PURPOSE,
    COL_ORIGINATOR,
    COL_BOOK_CODE,
    COL_GROSS,
    COL_SRC_CCY,
    COL_INFO,
    COL_KEY_ID,
    COL_SEALED,
    COL_COMMITMENT,
    COL_ORDER_NO = COL_COMMITMENT + PII_FIELDS,
};

void message_out_id(const char *bank, int64_t file_no, char out[MESSAGE_ID_SIZE])
{
    (void)snprintf(out, MESSAGE_ID_SIZE, "%s-%08lld", bank, (long long)file_no);
}

static bool is_pain(const struct message_out *m)
{
    return strncmp(m->message, "pain.", 5) == 0;
}

/* ---------------------------------------------------------------- one instruction */

/* What its slices point into. */
struct instruction {
    union iso_item item;
    char id[INSTRUCTION_ID_SIZE], uetr[ISO_UETR_SIZE], phone[24], pseb[TEXT_SIZE];
    uint8_t person[PII_SEALED_BYTES_MAX];
};

static bool open_person(struct message_out *m, const struct rows *rows, int row,
                        struct instruction *in, struct pii_open *open)
{
    struct pii_row stored = {.key_id = (int16_t)rows_int(rows, row, COL_KEY_ID),
                             .sealed = rows_text(rows, row, COL_SEALED)};
    struct pii_problem problem;
    bool changed;
    for (int i = 0; i < PII_FIELDS; i++)
        stored.commitment[i] = rows_text(rows, row, COL_COMMITMENT + i);
    if (rows_is_null(rows, row, COL_SEALED) || stored.sealed.len > sizeof in->person) {
        (void)snprintf(m->problem, sizeof m->problem,
                       "payout %lld: whom to pay was erased, so the file cannot be made again",
                       (long long)rows_int(rows, row, COL_PAYOUT_ID));
        return false;
    }
    enum pii_result result = pii_unseal(m->pii, &stored, in->person, open);
    /* Encrypted anew with a key that is in the file since a moment ago. */
    if (result == PII_KEY_MISSING && !err_failed(pii_refresh(m->pii, &changed, &problem)))
        result = pii_unseal(m->pii, &stored, in->person, open);
    if (result == PII_OK)
        return true;
    (void)snprintf(m->problem, sizeof m->problem, "payout %lld: key %d of pii_keys %s",
                   (long long)rows_int(rows, row, COL_PAYOUT_ID), (int)stored.key_id,
                   result == PII_KEY_MISSING ? "is missing" : "does not open its row");
    return false;
}

/* "+923001234567" as ISO 20022 writes telephone numbers: "+92-3001234567". */
static struct slice phone_number(struct slice mobile, char out[24])
{
    if (mobile.len < 4 || mobile.len > 20)
        return mobile;
    int n = snprintf(out, 24, "%.3s-%.*s", mobile.p, (int)(mobile.len - 3), mobile.p + 3);
    return slice_of(out, (size_t)n);
}

static void set_creditor(struct iso_transfer *t, struct instruction *in,
                         const struct pii_open *open)
{
    struct slice mobile = open->value[PII_MOBILE];
    t->creditor.name = open->value[PII_NAME];
    t->creditor.person_id = open->value[PII_CNIC];
    if (t->creditor.person_id.len > 0)
        t->creditor.person_scheme = SLICE("NIDN");
    t->creditor_account.iban = open->value[PII_IBAN];
    if (open->value[PII_IBAN].len > 0 || mobile.len == 0)
        return;
    /* A wallet: its number is the account's. */
    t->creditor_account.other_id = mobile;
    t->creditor_account.proxy_type = SLICE("MBNO");
    t->creditor_account.proxy_id = phone_number(mobile, in->phone);
}

static void set_reporting(struct iso_transfer *t, struct instruction *in, const struct rows *rows,
                          int row, const struct pii_open *open)
{
    struct slice info = rows_text(rows, row, COL_INFO), pseb = open->value[PII_PSEB];
    t->reporting_code = rows_text(rows, row, COL_PURPOSE);
    if (pseb.len > 0 && pseb.len <= 30) {
        int n = snprintf(in->pseb, sizeof in->pseb, "PSEB %.*s", SLICE_ARG(pseb));
        t->reporting_info.n = 1;
        t->reporting_info.at[0] = slice_of(in->pseb, (size_t)n);
    }
    /* What is no plain line of ASCII is not said at all: nobody is paid by it. */
    if (info.len > 0 && text_check_ascii(info, 140) == REASON_NONE) {
        t->remittance.lines.n = 1;
        t->remittance.lines.at[0] = info;
    }
}

static struct iso_party our_party(const struct file_content *c)
{
    const struct file_parties *p = &c->parties;
    return (struct iso_party){
        .name = slice_str(p->from_name),
        .address = {.town = slice_str(p->from_town), .country = slice_str(p->from_country)},
        .organisation_bic = slice_str(p->from_bic)};
}

static struct iso_agent agent_of(const char *bic)
{
    return (struct iso_agent){.bic = slice_str(bic)};
}

/* The platform, which pays, as travel rules want it said. */
static struct iso_party platform_party(const struct file_content *c, const struct rows *rows,
                                       int row)
{
    struct slice name = rows_text(rows, row, COL_ORIGINATOR);
    if (text_check_ascii(name, 140) != REASON_NONE)
        name = rows_text(rows, row, COL_BOOK_CODE);
    return (struct iso_party){.name = name,
                              .address = {.town = slice_str(c->parties.from_town),
                                          .country = slice_str(c->parties.from_country)}};
}

static bool set_ids(struct message_out *m, struct instruction *in, struct iso_ids *ids)
{
    struct slice id = slice_str(in->id);
    if (err_failed(iso_uetr_make(slice_str(m->content->parties.from_bic), id, in->uetr))) {
        (void)snprintf(m->problem, sizeof m->problem, "no UETR can be made");
        return false;
    }
    *ids = (struct iso_ids){.instruction_id = id, .end_to_end_id = id, .uetr = slice_str(in->uetr)};
    if (!is_pain(m))
        ids->tx_id = id;
    return true;
}

static bool fill_instruction(struct message_out *m, const struct rows *rows, int row,
                             struct instruction *in)
{
    struct iso_transfer *t = &in->item.transfer;
    struct pii_open open = {0};
    memset(t, 0, sizeof *t);
    if (!open_person(m, rows, row, in, &open) || !set_ids(m, in, &t->ids))
        return false;
    t->amount = money_of(rows_int(rows, row, COL_NET), (uint16_t)rows_int(rows, row, COL_CCY));
    t->creditor_agent = agent_of(m->content->parties.to_bic);
    set_creditor(t, in, &open);
    set_reporting(t, in, rows, row, &open);
    if (is_pain(m)) {
        t->ultimate_debtor = platform_party(m->content, rows, row);
        return true;
    }
    t->charge_bearer = SLICE("DEBT"); /* the beneficiary gets the whole amount */
    t->debtor = platform_party(m->content, rows, row);
    t->debtor_agent = agent_of(m->content->parties.from_bic);
    return true;
}

/* ---------------------------------------------------------------- the group */

static void fill_group(const struct message_out *m, enum iso_kind kind, char id[MESSAGE_ID_SIZE],
                       struct iso_group *g)
{
    const struct file_parties *p = &m->content->parties;
    struct iso_account account = {.iban = slice_str(p->account)};
    message_out_id(m->bank, m->file_no, id);
    memset(g, 0, sizeof *g);
    g->kind = kind;
    g->message_id = slice_str(id);
    g->creation_us = m->created_us;
    g->count = (uint64_t)m->content->count;
    g->total = m->content->sum;
    g->instructing = agent_of(p->from_bic);
    g->instructed = agent_of(p->to_bic);
    int32_t day = timefmt_day_of(m->created_us + KARACHI_US);
    switch (kind) {
    case ISO_PACS_008:
    case ISO_PACS_009:
        g->settlement_date = day;
        g->settlement_method = SLICE("INDA"); /* over our account with the instructed agent */
        g->settlement_account = account;
        break;
    case ISO_PAIN_001:
        g->initiator = our_party(m->content);
        g->payment = (struct iso_payment_block){.id = g->message_id,
                                                .count = g->count,
                                                .execution_date = day,
                                                .debtor = our_party(m->content),
                                                .debtor_account = account,
                                                .debtor_agent = agent_of(p->to_bic),
                                                .charge_bearer = SLICE("DEBT")};
        break;
    case ISO_NO_KIND:
    case ISO_PACS_028:
    case ISO_CAMT_056:
    case ISO_PACS_002:
    case ISO_PACS_004:
    case ISO_CAMT_029:
    case ISO_CAMT_053:
    case ISO_CAMT_054:
    case ISO_KIND_END:
        break;
    }
}

static enum iso_kind kind_of(const char *message)
{
    static const struct {
        const char *family;
        enum iso_kind kind;
    } kinds[] = {{"pacs.008.", ISO_PACS_008},
                 {"pain.001.", ISO_PAIN_001},
                 {"pacs.009.", ISO_PACS_009},
                 {"pacs.028.", ISO_PACS_028},
                 {"camt.056.", ISO_CAMT_056}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(message, kinds[i].family, strlen(kinds[i].family)) == 0)
            return kinds[i].kind;
    return ISO_NO_KIND;
}

/* ---------------------------------------------------------------- all instructions, page by page */

typedef bool each_fn(struct message_out *m, void *user, struct instruction *in);

static bool each_of_page(struct message_out *m, const struct file_handout *h,
                         const struct rows *rows, struct instruction *in, each_fn *each, void *user)
{
    for (int i = 0; i < rows_count(rows); i++) {
        if (rows_bool(rows, i, COL_CANCELLED))
            continue;
        (void)instruction_id_write(h->book_id, rows_int(rows, i, COL_PAYOUT_ID), in->id);
        if (file_content_is_left_out(m->content, in->id))
            continue;
        if (!fill_instruction(m, rows, i, in) || !each(m, user, in))
            return false;
    }
    return true;
}

/* False: result and problem say why. */
static bool each_of_handout(struct message_out *m, struct file_handout h, struct instruction *in,
                            each_fn *each, void *user)
{
    int n;
    do {
        struct rows *rows;
        struct params *p = settle_db_params(m->db);
        params_add_int4(p, h.book_id);
        params_add_int2(p, m->bank_id);
        params_add_int8(p, h.after);
        params_add_int8(p, h.upto);
        params_add_int4(p, PAGE_ROWS);
        m->result = settle_db_stop(m->db) ? SETTLE_STOPPED
                                          : settle_db_ask(m->db, "settle_file_page", &rows);
        if (m->result != SETTLE_OK) {
            (void)snprintf(m->problem, sizeof m->problem, "%s", m->db->pg.problem);
            return false;
        }
        n = rows_count(rows);
        bool good = each_of_page(m, &h, rows, in, each, user);
        if (n > 0)
            h.after = rows_int(rows, n - 1, COL_ORDER_NO);
        rows_free(&rows);
        if (!good)
            return false;
    } while (n == PAGE_ROWS);
    return true;
}

static bool each_instruction(struct message_out *m, each_fn *each, void *user)
{
    struct instruction in;
    struct file_handout h;
    m->result = SETTLE_OK;
    bool good = true;
    for (size_t i = 0; good && file_content_handout(m->content, i, &h); i++)
        good = each_of_handout(m, h, &in, each, user);
    explicit_bzero(&in, sizeof in);
    return good;
}

/* ---------------------------------------------------------------- planning */

struct plan {
    struct iso_group group;
    struct iso_totals totals;
};

static bool plan_one(struct message_out *m, void *user, struct instruction *in)
{
    struct plan *plan = user;
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    if (iso_rules_item(&plan->group, &in->item, &refusal)) {
        if (iso_totals_add(&plan->group, &in->item, &plan->totals, &refusal))
            return true;
        (void)snprintf(m->problem, sizeof m->problem, "%s: %.300s", in->id,
                       iso_refusal_text(&refusal, text));
        return false;
    }
    err_t err = file_content_leave_out(m->content, in->id, iso_refusal_text(&refusal, text));
    return !err_failed(err);
}

enum settle_result message_out_plan(struct message_out *m)
{
    struct plan plan = {0};
    struct file_handout h;
    char id[MESSAGE_ID_SIZE];
    if (!file_content_handout(m->content, 0, &h))
        return SETTLE_OK;
    m->content->count = 1; /* a group is of something; how much is what is found out here */
    fill_group(m, kind_of(m->message), id, &plan.group);
    if (!each_instruction(m, plan_one, &plan))
        return m->result == SETTLE_OK ? SETTLE_FAILED : m->result;
    err_t err = file_content_set_totals(m->content, (int64_t)plan.totals.count, plan.totals.sum);
    return err_failed(err) ? SETTLE_FAILED : SETTLE_OK;
}

/* ---------------------------------------------------------------- writing */

struct writing {
    struct iso_writer *writer;
    struct file_sink *sink;
};

static bool write_bytes(void *user, const char *p, size_t len)
{
    return !err_failed(file_sink_write(user, p, len));
}

static bool refused(struct message_out *m, const struct iso_refusal *refusal)
{
    char text[ISO_REFUSAL_TEXT_SIZE];
    (void)snprintf(m->problem, sizeof m->problem, "%.500s", iso_refusal_text(refusal, text));
    return false;
}

static bool add_item(struct message_out *m, struct writing *w, const union iso_item *item)
{
    struct iso_refusal refusal;
    return iso_writer_add(w->writer, item, &refusal) || refused(m, &refusal);
}

static bool write_one(struct message_out *m, void *user, struct instruction *in)
{
    return add_item(m, user, &in->item);
}

/* Columns of settle_file_question_items.sql. */
enum {
    COL_QUESTION_NO,
    COL_Q_BOOK,
    COL_Q_PAYOUT,
    COL_Q_NUMBER,
    COL_Q_REASON,
    COL_Q_NET,
    COL_Q_CCY,
    COL_Q_FILE_NO,
    COL_Q_MESSAGE,
    COL_Q_CREATED,
};

static bool write_question(struct message_out *m, struct writing *w, const struct rows *rows, int i)
{
    struct instruction in;
    char id[QUESTION_ID_SIZE], original[MESSAGE_ID_SIZE];
    struct iso_follow_up *f = &in.item.follow_up;
    memset(f, 0, sizeof *f);
    question_id_write(m->bank, rows_int(rows, i, COL_QUESTION_NO), id);
    (void)instruction_id_write((int32_t)rows_int(rows, i, COL_Q_BOOK),
                               rows_int(rows, i, COL_Q_PAYOUT), in.id);
    if (!set_ids(m, &in, &f->ids))
        return false;
    f->id = slice_str(id);
    if (!rows_is_null(rows, i, COL_Q_FILE_NO)) {
        message_out_id(m->bank, rows_int(rows, i, COL_Q_FILE_NO), original);
        f->original = (struct iso_original){.message_id = slice_str(original),
                                            .message_name = rows_text(rows, i, COL_Q_MESSAGE),
                                            .creation_us = rows_time_us(rows, i, COL_Q_CREATED)};
    }
    f->original_amount =
        money_of(rows_int(rows, i, COL_Q_NET), (uint16_t)rows_int(rows, i, COL_Q_CCY));
    if (!rows_is_null(rows, i, COL_Q_REASON)) {
        f->case_id = f->id;
        f->case_creator = agent_of(m->content->parties.from_bic);
        f->reasons.n = 1;
        f->reasons.at[0].code = rows_text(rows, i, COL_Q_REASON);
    }
    return add_item(m, w, &in.item);
}

/* Columns of settle_file_funding_items.sql. */
enum { COL_F_BOOK, COL_F_REFERENCE, COL_F_AMOUNT, COL_F_CCY, COL_F_PLATFORM };

static bool write_funding(struct message_out *m, struct writing *w, const struct rows *rows, int i)
{
    const struct file_parties *p = &m->content->parties;
    struct instruction in;
    struct iso_transfer *t = &in.item.transfer;
    memset(t, 0, sizeof *t);
    (void)snprintf(in.id, sizeof in.id, "UJF-%s-%lld-%d", m->bank, (long long)m->file_no, i + 1);
    if (!set_ids(m, &in, &t->ids))
        return false;
    t->amount = money_of(rows_int(rows, i, COL_F_AMOUNT), (uint16_t)rows_int(rows, i, COL_F_CCY));
    t->paying = agent_of(p->from_bic);
    t->paid = agent_of(p->to_bic);
    t->paid_account.iban = slice_str(p->account);
    return add_item(m, w, &in.item);
}

typedef bool write_row_fn(struct message_out *m, struct writing *w, const struct rows *rows, int i);

/* What a statement reads from the content, a row an item. */
static bool write_rows(struct message_out *m, struct writing *w, const char *statement,
                       write_row_fn *write_row)
{
    struct rows *rows;
    char *content = file_content_text(m->content);
    struct params *p = settle_db_params(m->db);
    params_add_int2(p, m->bank_id);
    params_add_text(p, slice_str(content));
    m->result = content == NULL ? SETTLE_FAILED : settle_db_ask(m->db, statement, &rows);
    free(content);
    if (m->result != SETTLE_OK) {
        (void)snprintf(m->problem, sizeof m->problem, "%s", m->db->pg.problem);
        return false;
    }
    bool good = true;
    for (int i = 0; good && i < rows_count(rows); i++)
        good = write_row(m, w, rows, i);
    rows_free(&rows);
    return good;
}

static bool write_items(struct message_out *m, struct writing *w, enum iso_kind kind)
{
    switch (kind) {
    case ISO_PACS_008:
    case ISO_PAIN_001:
        return each_instruction(m, write_one, w);
    case ISO_PACS_028:
    case ISO_CAMT_056:
        return write_rows(m, w, "settle_file_question_items", write_question);
    case ISO_PACS_009:
        return write_rows(m, w, "settle_file_funding_items", write_funding);
    case ISO_NO_KIND:
    case ISO_PACS_002:
    case ISO_PACS_004:
    case ISO_CAMT_029:
    case ISO_CAMT_053:
    case ISO_CAMT_054:
    case ISO_KIND_END:
        break;
    }
    (void)snprintf(m->problem, sizeof m->problem, "no such message: %.30s", m->message);
    return false;
}

err_t message_out_body(void *user, struct file_sink *sink)
{
    struct message_out *m = user;
    struct writing w = {.sink = sink};
    struct iso_group group;
    struct iso_refusal refusal;
    char id[MESSAGE_ID_SIZE];
    enum iso_kind kind = kind_of(m->message);
    const struct iso_writer_options options = {
        .write = write_bytes, .user = sink, .service = slice_str(m->content->parties.service)};
    m->result = SETTLE_OK;
    err_t err = iso_writer_new(&options, &w.writer);
    if (err_failed(err))
        return err;
    fill_group(m, kind, id, &group);
    bool good = iso_writer_begin(w.writer, &group, &refusal) || refused(m, &refusal);
    good = good && write_items(m, &w, kind);
    good = good && (iso_writer_end(w.writer, &refusal) || refused(m, &refusal));
    iso_writer_free(&w.writer);
    if (good)
        return err_none();
    return err_failed(sink->err) ? sink->err
                                 : err_make(ERR_INVALID, "the message cannot be written");
}
