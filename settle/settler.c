#include "settle/settler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "iso20022/schema.h"
#include "settle/receive.h"
#include "settle/send.h"
#include "settle/windows.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    BANKS_MAX = 256,
    SAY_AGAIN_MS = 60000,
};

/* "ujrsettl": the advisory lock of whoever settles in a database. */
#define SETTLER_LOCK 0x756a72736574746cLL

struct settler {
    struct settle_ctx ctx;
    int stop_fd;
    bool connected, leading, stood_by;
    struct settle_bank *banks; /* BANKS_MAX of them */
    size_t n;
    int64_t alert_id; /* alerts up to this one have been told; -1: not known yet */
    int64_t backoff_ms;
    int64_t check_at_us;
    int64_t said_at_us; /* of what would be said every round */
};

err_t settler_new(const struct settings *settings, struct log *log, int stop_fd,
                  struct settler **out, struct config_problem *problem)
{
    const struct settle_config *c = &settings->config;
    struct pii_problem pii_problem = {""};
    struct settler *s = calloc(1, sizeof *s);
    char why[ERR_TEXT_SIZE];
    const char *what = "memory";
    *out = NULL;
    if (s == NULL)
        return err_make(ERR_NO_MEMORY, "settler");
    s->ctx = (struct settle_ctx){.settings = settings, .log = log};
    s->stop_fd = stop_fd;
    s->alert_id = -1;
    s->banks = calloc(BANKS_MAX, sizeof *s->banks);
    err_t err = s->banks == NULL ? err_make(ERR_NO_MEMORY, "settler") : err_none();
    if (!err_failed(err) && settings_files(settings)) {
        what = "signing_key";
        err = sign_key_read(c->signing_key, &s->ctx.signing_key);
        if (!err_failed(err)) {
            what = "pii_keys";
            err = pii_new(c->pii_keys_file, &s->ctx.pii, &pii_problem);
        }
        if (!err_failed(err) && c->xsd_folder[0] != '\0') {
            what = "xsd_folder";
            err = iso_schemas_new(c->xsd_folder, &s->ctx.schemas);
        }
    }
    if (err_failed(err)) {
        (void)snprintf(problem->text, sizeof problem->text, "%s: %.400s", what,
                       pii_problem.text[0] != '\0' ? pii_problem.text
                                                   : err_text(err, why, sizeof why));
        settler_free(&s);
        return err;
    }
    *out = s;
    return err_none();
}

static void forget_banks(struct settler *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->banks[i].folders_open)
            bank_folders_close(&s->banks[i].folders);
    s->n = 0;
}

void settler_free(struct settler **settler)
{
    struct settler *s = *settler;
    if (s == NULL)
        return;
    if (s->connected)
        settle_db_close(&s->ctx.db);
    if (s->banks != NULL)
        forget_banks(s);
    free(s->banks);
    sign_key_free(&s->ctx.signing_key);
    pii_free(&s->ctx.pii);
    iso_schemas_free(&s->ctx.schemas);
    free(s);
    *settler = NULL;
}

/* ---------------------------------------------------------------- alerts */

enum settle_result settle_alert(struct settle_ctx *ctx, const char *kind, const char *subject,
                                const char *detail)
{
    struct params *p = settle_db_params(&ctx->db);
    params_add_text(p, slice_str(kind));
    params_add_text(p, slice_str(subject));
    params_add_text(p, slice_str(detail));
    enum settle_result result = settle_db_do(&ctx->db, "settle_alert");
    if (result != SETTLE_REFUSED)
        return result;
    log_error(ctx->log, "alert.not_raised", log_str("kind", kind), log_str("subject", subject),
              log_str("problem", ctx->db.pg.problem));
    return SETTLE_OK;
}

/* What is raised and over by now; each that is new is told once, whoever raised it. */
static enum settle_result alerts(struct settler *s)
{
    struct settle_db *db = &s->ctx.db;
    struct rows *rows;
    (void)settle_db_params(db);
    enum settle_result result = settle_db_do(db, "settle_taxes_check");
    if (result != SETTLE_OK)
        return result;
    (void)settle_db_params(db);
    result = settle_db_do(db, "settle_alerts_refresh");
    if (result != SETTLE_OK)
        return result;
    if (s->alert_id < 0) {
        (void)settle_db_params(db);
        result = settle_db_ask(db, "settle_alerts_last", &rows);
        if (result == SETTLE_OK)
            s->alert_id = rows_int(rows, 0, 0);
        rows_free(&rows);
        return result;
    }
    params_add_int8(settle_db_params(db), s->alert_id);
    result = settle_db_ask(db, "settle_alerts_news", &rows);
    for (int i = 0; result == SETTLE_OK && i < rows_count(rows); i++) {
        s->alert_id = rows_int(rows, i, 0);
        log_warn(s->ctx.log, "alert.raised", log_int("alert", s->alert_id),
                 log_slice("kind", rows_text(rows, i, 1)),
                 log_slice("subject", rows_text(rows, i, 2)),
                 log_slice("detail", rows_text(rows, i, 3)));
    }
    rows_free(&rows);
    return result;
}

/* ---------------------------------------------------------------- banks */

/* Columns of settle_banks.sql. */
enum {
    COL_BANK_ID,
    COL_CODE,
    COL_BIC,
    COL_NAME,
    COL_MODE,
    COL_CHANNEL,
    COL_FORMAT,
    COL_CCY,
    COL_PRINCIPAL,
    COL_FILE_SINCE,
};

static struct settle_bank *bank_of(struct settler *s, int16_t bank_id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->banks[i].bank_id == bank_id)
            return &s->banks[i];
    if (s->n == BANKS_MAX)
        return NULL;
    s->banks[s->n] = (struct settle_bank){.bank_id = bank_id};
    return &s->banks[s->n++];
}

static bool fill_bank(struct settle_bank *b, const struct rows *rows, int i)
{
    b->by_windows = slice_equal_str(rows_text(rows, i, COL_MODE), "windows");
    b->by_files = slice_equal_str(rows_text(rows, i, COL_CHANNEL), "file");
    b->principal_id = (int32_t)rows_int(rows, i, COL_PRINCIPAL);
    b->file_since_us = rows_time_us(rows, i, COL_FILE_SINCE);
    b->seen = true;
    struct slice name = rows_text(rows, i, COL_NAME);
    name.len = name.len < sizeof b->name ? name.len : sizeof b->name - 1;
    return !err_failed(slice_copy(rows_text(rows, i, COL_CODE), b->code, sizeof b->code)) &&
           !err_failed(slice_copy(rows_text(rows, i, COL_BIC), b->bic, sizeof b->bic)) &&
           !err_failed(slice_copy(rows_text(rows, i, COL_FORMAT), b->format, sizeof b->format)) &&
           !err_failed(slice_copy(name, b->name, sizeof b->name));
}

static enum settle_result read_banks(struct settler *s)
{
    struct rows *rows;
    (void)settle_db_params(&s->ctx.db);
    enum settle_result result = settle_db_ask(&s->ctx.db, "settle_banks", &rows);
    for (size_t i = 0; i < s->n; i++)
        s->banks[i].seen = false;
    for (int i = 0; result == SETTLE_OK && i < rows_count(rows); i++) {
        struct settle_bank *b = bank_of(s, (int16_t)rows_int(rows, i, COL_BANK_ID));
        if (b == NULL || !fill_bank(b, rows, i)) {
            log_error(s->ctx.log, "settle.bank", log_slice("bank", rows_text(rows, i, COL_CODE)),
                      log_str("problem", "it does not fit"));
            s->ctx.trouble = true;
        }
    }
    rows_free(&rows);
    return result;
}

static bool say_again(struct settler *s)
{
    int64_t now_us = clock_monotonic_us();
    if (s->said_at_us != 0 && now_us - s->said_at_us < SAY_AGAIN_MS * US_PER_MS)
        return false;
    s->said_at_us = now_us;
    return true;
}

/* Whether files can be exchanged with the bank; if not, it is said now and then. */
static bool open_folders(struct settler *s, struct settle_bank *b)
{
    const char *problem = NULL;
    err_t err = err_none();
    if (!settings_files(s->ctx.settings))
        problem = "it takes files, and bank_folders is not set here";
    else if (b->bic[0] == '\0')
        problem = "its BIC is not known, so no file can be addressed to it";
    else if (!b->folders_open)
        err = bank_folders_open(s->ctx.settings->config.bank_folders, b->code, &b->folders);
    if (problem == NULL && !err_failed(err) && !b->folders_open) {
        b->folders_open = true;
        err = bank_folders_clean(&b->folders);
    }
    if (problem == NULL && !err_failed(err))
        return true;
    s->ctx.trouble = true;
    if (say_again(s))
        log_error(s->ctx.log, "settle.no_files", log_str("bank", b->code),
                  problem != NULL ? log_str("problem", problem) : log_err(err));
    return false;
}

/* Answers come first, since they may end a window or make room; files last, of all that was decided. */
static enum settle_result settle_bank(struct settler *s, struct settle_bank *b)
{
    struct bank_plan plan;
    bool files = b->by_files && open_folders(s, b);
    enum settle_result result = windows_plan(&s->ctx, b, &plan);
    if (result == SETTLE_OK && files)
        result = receive_files(&s->ctx, b);
    if (result == SETTLE_OK)
        result = windows_turn(&s->ctx, b, &plan);
    if (result == SETTLE_OK && s->ctx.check)
        result = windows_end(&s->ctx, b, &plan);
    if (result == SETTLE_OK && s->ctx.check)
        result = windows_ask(&s->ctx, b, &plan);
    if (result == SETTLE_OK && files)
        result = send_missing(&s->ctx, b);
    if (result == SETTLE_OK && files)
        result = send_new(&s->ctx, b);
    return result;
}

/* What is refused for one bank does not keep the others from their turn. */
static enum settle_result settle_banks(struct settler *s)
{
    enum settle_result result = read_banks(s);
    for (size_t i = 0; result == SETTLE_OK && i < s->n; i++) {
        struct settle_bank *b = &s->banks[i];
        if (!b->seen)
            continue;
        result = settle_db_stop(&s->ctx.db) ? SETTLE_STOPPED : settle_bank(s, b);
        if (result != SETTLE_REFUSED && result != SETTLE_FAILED)
            continue;
        log_error(s->ctx.log, "settle.refused", log_str("bank", b->code),
                  log_str("problem", s->ctx.db.pg.problem),
                  log_str("sqlstate", s->ctx.db.pg.sqlstate));
        s->ctx.trouble = true;
        result = SETTLE_OK;
    }
    return result == SETTLE_OK && s->ctx.check ? alerts(s) : result;
}

/* ---------------------------------------------------------------- leading */

static enum settler_round lost(struct settler *s, int64_t *wait_ms)
{
    s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * s->backoff_ms;
    if (s->backoff_ms > BACKOFF_LAST_MS)
        s->backoff_ms = BACKOFF_LAST_MS;
    log_warn(s->ctx.log, "settle.lost", log_str("problem", s->ctx.db.pg.problem),
             log_str("sqlstate", s->ctx.db.pg.sqlstate), log_bool("led", s->leading),
             log_int("again_in_ms", s->backoff_ms));
    settle_db_close(&s->ctx.db);
    s->connected = s->leading = s->stood_by = false;
    forget_banks(s);
    *wait_ms = s->backoff_ms;
    return SETTLER_LOST;
}

static enum settle_result find_principal(struct settler *s)
{
    const char *uri = s->ctx.settings->config.principal;
    struct rows *rows;
    params_add_text(settle_db_params(&s->ctx.db), slice_str(uri));
    enum settle_result result = settle_db_ask(&s->ctx.db, "settle_principal", &rows);
    bool good = result == SETTLE_OK && rows_count(rows) == 1 && rows_bool(rows, 0, 1);
    if (good)
        s->ctx.principal_id = (int32_t)rows_int(rows, 0, 0);
    rows_free(&rows);
    if (result == SETTLE_OK && !good) {
        log_error(
            s->ctx.log, "settle.principal", log_str("uri", uri),
            log_str("hint", "it must be a system's and enabled; run: ujrat principal add URI"));
        (void)snprintf(s->ctx.db.pg.problem, sizeof s->ctx.db.pg.problem,
                       "no such principal: %.100s", uri);
        result = SETTLE_LOST;
    }
    return result;
}

static enum settle_result try_to_lead(struct settler *s)
{
    struct rows *rows;
    params_add_int8(settle_db_params(&s->ctx.db), SETTLER_LOCK);
    enum settle_result result = settle_db_ask(&s->ctx.db, "settle_lock", &rows);
    if (result == SETTLE_OK)
        s->leading = rows_bool(rows, 0, 0);
    rows_free(&rows);
    if (result == SETTLE_OK && (s->leading || !s->stood_by))
        log_info(s->ctx.log, s->leading ? "settle.leading" : "settle.standing_by",
                 log_int("backend", PQbackendPID(s->ctx.db.pg.conn)));
    s->stood_by = !s->leading;
    return result == SETTLE_OK && s->leading ? find_principal(s) : result;
}

static void refresh_keys(struct settler *s)
{
    struct pii_problem problem;
    bool changed;
    if (s->ctx.pii == NULL)
        return;
    if (err_failed(pii_refresh(s->ctx.pii, &changed, &problem)))
        log_error(s->ctx.log, "pii.keys_unreadable", log_str("problem", problem.text));
    else if (changed)
        log_info(s->ctx.log, "pii.keys_read", log_int("newest", pii_newest(s->ctx.pii)));
}

enum settler_round settler_step(struct settler *s, int64_t *wait_ms)
{
    const struct settle_config *c = &s->ctx.settings->config;
    enum settle_result result = SETTLE_OK;
    *wait_ms = c->interval_ms;
    if (!s->connected) {
        s->connected = true; /* there is something to close from here on */
        result = settle_db_open(&s->ctx.db, c->db, c->statement_timeout_ms, s->stop_fd);
    }
    if (result == SETTLE_OK && !s->leading)
        result = try_to_lead(s);
    if (result == SETTLE_OK && !s->leading) {
        *wait_ms = c->standby_ms;
        return SETTLER_STANDBY;
    }
    s->ctx.trouble = false;
    s->ctx.check = clock_monotonic_us() >= s->check_at_us;
    if (result == SETTLE_OK) {
        refresh_keys(s);
        result = settle_banks(s);
    }
    if (result == SETTLE_OK && s->ctx.check)
        s->check_at_us = clock_monotonic_us() + c->check_interval_ms * US_PER_MS;
    switch (result) {
    case SETTLE_OK:
        s->backoff_ms = 0;
        return s->ctx.trouble ? SETTLER_TROUBLE : SETTLER_DONE;
    case SETTLE_STOPPED:
        return SETTLER_STOPPED;
    case SETTLE_LOST:
    case SETTLE_REFUSED:
    case SETTLE_FAILED:
        break;
    }
    return lost(s, wait_ms);
}
