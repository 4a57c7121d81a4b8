#include "settle/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/ccy.h"
#include "settle/content.h"
#include "settle/file_out.h"
#include "settle/message_out.h"

enum {
    NAMES_PAGE = 1000,
    QUESTIONS_MAX = 1000, /* in a file */
    FUNDINGS_MAX = 1000,
    AGAIN_MS = 60000,
};

/* ---------------------------------------------------------------- from whom to whom */

/* Our account at the bank, of `nostro_accounts` ("MUCB=PK36... SCBL=..."); "" if it says none. */
static void find_account(const char *all, const char *code, char out[40])
{
    struct slice rest = slice_str(all), word, name, iban;
    out[0] = '\0';
    do {
        (void)slice_cut(rest, ' ', &word, &rest);
        if (slice_cut(slice_trim(word), '=', &name, &iban) && slice_equal_str(name, code) &&
            err_failed(slice_copy(iban, out, 40)))
            out[0] = '\0';
    } while (rest.len > 0);
}

static struct file_parties parties_of(const struct settle_ctx *ctx, const struct settle_bank *bank,
                                      char account[40])
{
    const struct settle_config *c = &ctx->settings->config;
    find_account(c->nostro_accounts, bank->code, account);
    return (struct file_parties){.from_bic = c->our_bic,
                                 .from_name = c->our_name,
                                 .from_town = c->our_town,
                                 .from_country = c->our_country,
                                 .service = c->business_service,
                                 .account = account,
                                 .to_bic = bank->bic,
                                 .to_name = bank->name};
}

/* ---------------------------------------------------------------- one file */

struct sending {
    struct settle_ctx *ctx;
    struct settle_bank *bank;
    struct message_out message;
    struct file_content content;
    struct manifest manifest;
    struct file_staged staged;
    int64_t window_no; /* 0: of none */
    int64_t started_us;
};

static void begin(struct settle_ctx *ctx, struct settle_bank *bank, struct sending *s)
{
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->bank = bank;
    s->staged.part.fd = -1;
    s->started_us = clock_monotonic_us();
    s->message = (struct message_out){.db = &ctx->db,
                                      .pii = ctx->pii,
                                      .log = ctx->log,
                                      .bank_id = bank->bank_id,
                                      .bank = bank->code,
                                      .content = &s->content};
}

static void end(struct sending *s)
{
    file_staged_drop(&s->bank->folders, &s->staged);
    file_content_deinit(&s->content);
}

/* The file cannot be made, for a reason that is ours: said once, and an alert. */
static enum settle_result cannot(struct sending *s, const char *problem)
{
    struct settle_ctx *ctx = s->ctx;
    char subject[64];
    log_error(ctx->log, "file.not_made", log_str("bank", s->bank->code),
              log_int("file_no", s->message.file_no), log_str("message", s->message.message),
              log_str("problem", problem));
    ctx->trouble = true;
    (void)snprintf(subject, sizeof subject, "%s file %lld", s->bank->code,
                   (long long)s->message.file_no);
    enum settle_result result = settle_alert(ctx, "FILE_QUARANTINED", subject, problem);
    return result == SETTLE_OK ? SETTLE_FAILED : result;
}

/* The same file could be made: whatever kept it back is over. */
static enum settle_result is_well_again(struct sending *s)
{
    char subject[64];
    struct params *p = settle_db_params(&s->ctx->db);
    (void)snprintf(subject, sizeof subject, "%s file %lld", s->bank->code,
                   (long long)s->message.file_no);
    params_add_text(p, SLICE("FILE_QUARANTINED"));
    params_add_text(p, slice_str(subject));
    params_add_text(p, SLICE("the file could be made"));
    return settle_db_do(&s->ctx->db, "settle_alert_over");
}

static enum settle_result stage(struct sending *s)
{
    char why[ERR_TEXT_SIZE];
    err_t err = file_out_stage(&s->bank->folders, message_out_body, &s->message, &s->staged);
    if (!err_failed(err))
        return SETTLE_OK;
    if (s->message.result != SETTLE_OK && s->message.result != SETTLE_FAILED)
        return s->message.result;
    return cannot(s, err.code == ERR_INVALID ? s->message.problem : err_text(err, why, sizeof why));
}

/* The same for the first time: what cannot be said is nearly never there, and is looked for only when it is. */
static enum settle_result stage_new(struct sending *s)
{
    struct file_handout h;
    if (!file_content_handout(&s->content, 0, &h))
        return stage(s);
    err_t err = file_out_stage(&s->bank->folders, message_out_body, &s->message, &s->staged);
    if (!err_failed(err))
        return SETTLE_OK;
    if (err.code != ERR_INVALID || s->message.result != SETTLE_OK)
        return stage(s);
    enum settle_result result = message_out_plan(&s->message);
    if (result == SETTLE_FAILED)
        return cannot(s, s->message.problem);
    return result == SETTLE_OK && s->content.count > 0 ? stage(s) : result;
}

static void fill_manifest(struct sending *s, struct slice previous)
{
    struct manifest *m = &s->manifest;
    char stem[MANIFEST_NAME_SIZE], sum[MONEY_TEXT_SIZE];
    file_out_stem(s->bank->code, s->message.file_no, s->message.message, stem);
    memset(m, 0, sizeof *m);
    (void)snprintf(m->bank, sizeof m->bank, "%s", s->bank->code);
    m->to_bank = true;
    (void)snprintf(m->file, sizeof m->file, "%.*s.xml", MANIFEST_STEM_MAX, stem);
    m->file_no = s->message.file_no;
    (void)snprintf(m->message, sizeof m->message, "%s", s->message.message);
    m->bytes = s->staged.bytes;
    memcpy(m->sha256, s->staged.sha256, sizeof m->sha256);
    m->has_previous = previous.len == sizeof m->previous_sha256;
    if (m->has_previous)
        memcpy(m->previous_sha256, previous.p, sizeof m->previous_sha256);
    m->created_us = s->message.created_us;
    m->has_count = true;
    m->count = s->content.count;
    if (s->content.sum.ccy == 0)
        return;
    (void)snprintf(m->sum, sizeof m->sum, "%s", money_format(s->content.sum, MONEY_PLAIN, sum));
    (void)snprintf(m->currency, sizeof m->currency, "%.3s", ccy_alpha(s->content.sum.ccy));
}

static enum settle_result publish(struct sending *s, struct slice previous, const char *event)
{
    char why[ERR_TEXT_SIZE];
    fill_manifest(s, previous);
    err_t err = file_out_publish(&s->bank->folders, s->ctx->signing_key, &s->manifest, &s->staged);
    if (err_failed(err))
        return cannot(s, err_text(err, why, sizeof why));
    log_info(s->ctx->log, event, log_str("bank", s->bank->code), log_str("file", s->manifest.file),
             log_int("bytes", s->manifest.bytes), log_int("count", s->manifest.count),
             log_str("sum", s->manifest.sum), log_int("window", s->window_no),
             log_int("ms", (clock_monotonic_us() - s->started_us) / US_PER_MS));
    return SETTLE_OK;
}

/* ---------------------------------------------------------------- again */

/* A row whose file never was whole, as far as is known. */
static enum settle_result make_again(struct settle_ctx *ctx, struct settle_bank *bank,
                                     int64_t file_no)
{
    struct rows *rows;
    struct sending s;
    char message[BANK_MESSAGE_SIZE];
    struct params *p = settle_db_params(&ctx->db);
    params_add_int2(p, bank->bank_id);
    params_add_int8(p, file_no);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_file_row", &rows);
    if (result != SETTLE_OK || rows_count(rows) != 1) {
        rows_free(&rows);
        return result == SETTLE_OK ? SETTLE_LOST : result;
    }
    begin(ctx, bank, &s);
    s.message.file_no = file_no;
    s.message.message = message;
    s.message.created_us = rows_time_us(rows, 0, 5);
    s.window_no = rows_int(rows, 0, 2);
    if (err_failed(slice_copy(rows_text(rows, 0, 1), message, sizeof message)) ||
        err_failed(file_content_read(rows_text(rows, 0, 3), &s.content)))
        result = cannot(&s, "its row cannot be read");
    if (result == SETTLE_OK)
        result = stage(&s);
    struct slice sha256 = slice_of(s.staged.sha256, sizeof s.staged.sha256);
    if (result == SETTLE_OK && !slice_equal(sha256, rows_text(rows, 0, 4)))
        result = cannot(&s, "what its row names is no longer what it was: the bytes come out "
                            "otherwise, and are not sent");
    if (result == SETTLE_OK)
        result = publish(&s, rows_text(rows, 0, 6), "file.made_again");
    if (result == SETTLE_OK)
        result = is_well_again(&s);
    end(&s);
    rows_free(&rows);
    return result;
}

static enum settle_result look_at(struct settle_ctx *ctx, struct settle_bank *bank, int64_t file_no,
                                  const char *message)
{
    char stem[MANIFEST_NAME_SIZE], why[ERR_TEXT_SIZE];
    err_t err;
    file_out_stem(bank->code, file_no, message, stem);
    switch (file_out_state(&bank->folders, stem)) {
    case FILE_OUT_DONE:
        break;
    case FILE_OUT_BEGUN:
        err = file_out_finish(&bank->folders, stem);
        if (!err_failed(err))
            break;
        log_error(ctx->log, "file.archive", log_str("file", stem),
                  log_str("problem", err_text(err, why, sizeof why)));
        return SETTLE_FAILED;
    case FILE_OUT_MISSING:
        return make_again(ctx, bank, file_no);
    }
    return SETTLE_OK;
}

enum settle_result send_missing(struct settle_ctx *ctx, struct settle_bank *bank)
{
    int64_t upto = bank->files_done_upto;
    bool all = true;
    int n;
    if (clock_monotonic_us() < bank->files_again_at_us)
        return SETTLE_OK;
    do {
        struct rows *rows;
        struct params *p = settle_db_params(&ctx->db);
        params_add_int2(p, bank->bank_id);
        params_add_int8(p, upto);
        params_add_int4(p, NAMES_PAGE);
        enum settle_result result = settle_db_ask(&ctx->db, "settle_file_names", &rows);
        if (result != SETTLE_OK)
            return result;
        n = rows_count(rows);
        for (int i = 0; i < n; i++) {
            char message[BANK_MESSAGE_SIZE];
            upto = rows_int(rows, i, 0);
            result = err_failed(slice_copy(rows_text(rows, i, 1), message, sizeof message))
                         ? SETTLE_FAILED
                         : look_at(ctx, bank, upto, message);
            if (result != SETTLE_OK && result != SETTLE_FAILED) {
                rows_free(&rows);
                return result;
            }
            all = all && result == SETTLE_OK;
            if (all)
                bank->files_done_upto = upto;
        }
        rows_free(&rows);
    } while (n == NAMES_PAGE);
    if (!all) {
        ctx->trouble = true;
        bank->files_again_at_us = clock_monotonic_us() + AGAIN_MS * US_PER_MS;
    }
    return SETTLE_OK;
}

/* ---------------------------------------------------------------- new ones */

static enum settle_result next_number(struct sending *s, unsigned char previous[32],
                                      struct slice *previous_out)
{
    struct rows *rows;
    struct params *p = settle_db_params(&s->ctx->db);
    params_add_int2(p, s->bank->bank_id);
    enum settle_result result = settle_db_ask(&s->ctx->db, "settle_file_last", &rows);
    if (result != SETTLE_OK)
        return result;
    s->message.file_no = 1;
    *previous_out = slice_of(NULL, 0);
    if (rows_count(rows) == 1) {
        struct slice sha256 = rows_text(rows, 0, 1);
        s->message.file_no = rows_int(rows, 0, 0) + 1;
        memcpy(previous, sha256.p, sha256.len < 32 ? sha256.len : 32);
        *previous_out = slice_of(previous, 32);
    }
    rows_free(&rows);
    return SETTLE_OK;
}

static enum settle_result add_row(struct sending *s)
{
    char *content = file_content_text(&s->content);
    struct params *p = settle_db_params(&s->ctx->db);
    params_add_int2(p, s->bank->bank_id);
    params_add_int8(p, s->message.file_no);
    params_add_text(p, slice_str(s->message.message));
    if (s->window_no > 0)
        params_add_int8(p, s->window_no);
    else
        params_add_null(p);
    params_add_text(p, slice_str(content));
    params_add_text(p, slice_of(s->staged.sha256, sizeof s->staged.sha256));
    params_add_time_us(p, s->message.created_us);
    enum settle_result result =
        content == NULL ? SETTLE_LOST : settle_db_do(&s->ctx->db, "settle_file_add");
    free(content);
    if (result == SETTLE_REFUSED) {
        /* Somebody else was first; or the rows are not as we think, and the next round sees how they are. */
        log_warn(s->ctx->log, "file.not_added", log_str("bank", s->bank->code),
                 log_int("file_no", s->message.file_no), log_str("problem", s->ctx->db.pg.problem));
        return SETTLE_FAILED;
    }
    return result;
}

/* What cannot be said to the bank is a person's to see to: nobody else will ever tell it. */
static enum settle_result alert_left_out(struct sending *s)
{
    enum settle_result result = SETTLE_OK;
    for (size_t i = 0; i < file_content_left_out(&s->content) && result == SETTLE_OK; i++) {
        const char *id, *why;
        char detail[480];
        file_content_left_out_at(&s->content, i, &id, &why);
        (void)snprintf(detail, sizeof detail,
                       "it was handed out and cannot be said in a %s: %.300s", s->message.message,
                       why);
        log_error(s->ctx->log, "file.left_out", log_str("bank", s->bank->code),
                  log_str("instruction", id), log_str("problem", why));
        result = settle_alert(s->ctx, "FILE_QUARANTINED", id, detail);
    }
    return result;
}

/* `chosen`: what a statement chose to go into it. */
static enum settle_result make_new(struct settle_ctx *ctx, struct settle_bank *bank,
                                   const char *message, int64_t window_no, struct slice chosen,
                                   int64_t count, money_t sum)
{
    struct sending s;
    char account[40];
    unsigned char previous_bytes[32];
    struct slice previous;
    struct file_parties parties = parties_of(ctx, bank, account);
    begin(ctx, bank, &s);
    s.message.message = message;
    s.message.created_us = clock_realtime_us() / US_PER_MS * US_PER_MS;
    s.window_no = window_no;
    enum settle_result result = next_number(&s, previous_bytes, &previous);
    if (result == SETTLE_OK && account[0] == '\0' && strncmp(message, "pain.", 5) == 0)
        result = cannot(&s, "a file of this format debits our account at the bank, and "
                            "nostro_accounts names none there");
    if (result == SETTLE_OK && err_failed(file_content_new(chosen, &parties, &s.content)))
        result = cannot(&s, "what goes into it cannot be read");
    if (result == SETTLE_OK && err_failed(file_content_set_totals(&s.content, count, sum)))
        result = SETTLE_FAILED;
    if (result == SETTLE_OK)
        result = stage_new(&s);
    /* Nothing that can be said: it waits for what comes next. */
    bool empty = result == SETTLE_OK && s.content.count == 0;
    if (result == SETTLE_OK && !empty)
        result = add_row(&s);
    if (result == SETTLE_OK)
        result = alert_left_out(&s);
    if (result == SETTLE_OK)
        result = empty ? SETTLE_FAILED : publish(&s, previous, "file.made");
    if (result == SETTLE_OK)
        result = is_well_again(&s);
    end(&s);
    return result;
}

/* One more file of what the statement chooses. *made: there was something. */
static enum settle_result send_chosen(struct settle_ctx *ctx, struct settle_bank *bank,
                                      const char *statement, int64_t max, bool *made)
{
    struct rows *rows;
    struct params *p = settle_db_params(&ctx->db);
    bool handouts = strcmp(statement, "settle_file_handouts") == 0;
    bool questions = strcmp(statement, "settle_file_questions") == 0;
    params_add_int2(p, bank->bank_id);
    params_add_time_us(p, bank->file_since_us);
    if (handouts)
        params_add_int8(p, max);
    else
        params_add_int4(p, (int32_t)max);
    enum settle_result result = settle_db_ask(&ctx->db, statement, &rows);
    if (result != SETTLE_OK)
        return result;
    *made = rows_count(rows) > 0;
    const char *message = bank->format;
    /* The columns end with the content, how many, and what they come to. */
    int col = handouts || questions ? 1 : 0;
    money_t sum = {0};
    if (*made && questions)
        message = rows_int(rows, 0, 0) == 1 ? "pacs.028.001.03" : "camt.056.001.08";
    else if (!handouts)
        message = "pacs.009.001.08";
    if (*made && !questions)
        sum = money_of(rows_int(rows, 0, col + 2), (uint16_t)rows_int(rows, 0, col + 3));
    if (*made)
        result = make_new(ctx, bank, message, handouts ? rows_int(rows, 0, 0) : 0,
                          rows_text(rows, 0, col), rows_int(rows, 0, col + 1), sum);
    rows_free(&rows);
    return result;
}

enum settle_result send_new(struct settle_ctx *ctx, struct settle_bank *bank)
{
    const struct {
        const char *statement;
        int64_t max;
    } kinds[] = {{"settle_file_handouts", ctx->settings->config.file_instructions_max},
                 {"settle_file_questions", QUESTIONS_MAX},
                 {"settle_file_fundings", FUNDINGS_MAX}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool made = true;
        while (made) {
            enum settle_result result =
                settle_db_stop(&ctx->db)
                    ? SETTLE_STOPPED
                    : send_chosen(ctx, bank, kinds[i].statement, kinds[i].max, &made);
            if (result == SETTLE_FAILED)
                break; /* said; the other kinds go on */
            if (result != SETTLE_OK)
                return result;
        }
    }
    return SETTLE_OK;
}
