#include "settle/receive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timefmt.h"
#include "iso20022/reader.h"
#include "iso20022/shape.h"
#include "settle/file_in.h"
#include "settle/report.h"
#include "settle/take.h"

enum {
    AGAIN_MS = 30000,
    STOP_EVERY = 1000, /* items between two looks whether we are to end */
};

struct receiving {
    struct settle_ctx *ctx;
    struct settle_bank *bank;
    struct file_in_rules rules;
    struct sign_key *key[FILE_IN_KEYS_MAX];
    struct report report;
    struct file_in file;
    char message[ISO_NAME_SIZE]; /* what it turned out to be; "": not known */
    uint64_t items;
    bool stopped; /* in the middle of looking at it */
};

/* ---------------------------------------------------------------- keys */

/* Read each time: there are few files, and a bank that changes its key need not wait for anybody. */
static void read_keys(struct receiving *r)
{
    static const char *const ending[FILE_IN_KEYS_MAX] = {".pem", ".next.pem"};
    const char *folder = r->ctx->settings->config.bank_keys;
    for (int i = 0; i < FILE_IN_KEYS_MAX && folder[0] != '\0'; i++) {
        char path[4200];
        (void)snprintf(path, sizeof path, "%s/%s%s", folder, r->bank->code, ending[i]);
        err_t err = sign_key_read_public(path, &r->key[i]);
        if (err_failed(err) && !(err.code == ERR_SYS && err.sys_errno == ENOENT))
            log_error(r->ctx->log, "file.bank_key", log_str("path", path), log_err(err));
        r->rules.key[i] = r->key[i];
    }
}

/* ---------------------------------------------------------------- where a file stays */

static enum settle_result failed(struct receiving *r, const char *stem, const char *problem)
{
    log_error(r->ctx->log, "file.not_taken", log_str("bank", r->bank->code), log_str("file", stem),
              log_str("problem", problem));
    r->ctx->trouble = true;
    return SETTLE_FAILED;
}

/* *first (or NULL): nobody had written that down before. */
static enum settle_result write_down(struct receiving *r, const char *outcome, uint64_t items,
                                     int64_t refused, bool *first)
{
    struct rows *rows;
    struct params *p = settle_db_params(&r->ctx->db);
    params_add_int2(p, r->bank->bank_id);
    params_add_text(p, slice_of(r->file.manifest.sha256, MANIFEST_SHA256_SIZE));
    params_add_text(p, slice_str(r->file.manifest.file));
    params_add_text_or_null(p, slice_str(r->message));
    params_add_text(p, slice_str(outcome));
    params_add_int8(p, (int64_t)items);
    params_add_int8(p, refused);
    params_add_text(p, report_text(&r->report));
    enum settle_result result = settle_db_ask(&r->ctx->db, "settle_file_took", &rows);
    if (result == SETTLE_OK && first != NULL)
        *first = rows_bool(rows, 0, 0);
    rows_free(&rows);
    return result == SETTLE_REFUSED ? failed(r, r->file.stem, r->ctx->db.pg.problem) : result;
}

/* It lies in quarantine/ as `where`, or err says why not: a person is called. */
static enum settle_result quarantined(struct receiving *r, const char *name, const char *where,
                                      err_t err)
{
    struct slice text = report_text(&r->report), line;
    char subject[MANIFEST_NAME_SIZE + 8], why[ERR_TEXT_SIZE], detail[400];
    if (err_failed(err))
        return failed(r, name, err_text(err, why, sizeof why));
    (void)slice_next_line(&text, &line);
    (void)snprintf(detail, sizeof detail, "%.*s", (int)(line.len > 390 ? 390 : line.len), line.p);
    (void)snprintf(subject, sizeof subject, "%s %s", r->bank->code, where);
    log_warn(r->ctx->log, "file.quarantined", log_str("bank", r->bank->code),
             log_str("file", where), log_str("problem", detail));
    return settle_alert(r->ctx, "FILE_QUARANTINED", subject, detail);
}

static enum settle_result quarantine(struct receiving *r, const char *stem)
{
    char where[MANIFEST_NAME_SIZE];
    report_line(&r->report,
                "Nothing of this file was done. Once that is put right it can be sent again, "
                "under this name or another.");
    err_t err = file_in_quarantine(&r->bank->folders, stem, report_text(&r->report), where);
    return quarantined(r, stem, where, err);
}

/* What nobody would ever look at, and the bank believes to have said. */
static enum settle_result quarantine_strangers(struct receiving *r)
{
    struct folder_names names;
    enum settle_result result = SETTLE_OK;
    err_t err = file_in_strangers(&r->bank->folders, &r->rules, &names);
    if (err_failed(err))
        result = failed(r, "in", "it cannot be listed");
    for (size_t i = 0; i < names.n && result == SETTLE_OK; i++) {
        char where[MANIFEST_NAME_SIZE];
        report_reset(&r->report);
        report_line(&r->report,
                    "Its name is none that is looked at: STEM.xml, STEM.sig and STEM.manifest.json "
                    "belong together, and a stem is of letters, digits, '.', '_' and '-'. Nothing "
                    "of this file was done.");
        err = file_in_quarantine_stranger(&r->bank->folders, names.name[i], report_text(&r->report),
                                          where);
        result = quarantined(r, names.name[i], where, err);
    }
    folder_names_free(&names);
    return result;
}

/* Its contents are wrong: they are written down as such, and put away. */
static enum settle_result quarantine_contents(struct receiving *r)
{
    enum settle_result result = write_down(r, "quarantined", r->items, 0, NULL);
    return result == SETTLE_OK ? quarantine(r, r->file.stem) : result;
}

static enum settle_result put_away(struct receiving *r, const char *event,
                                   const struct take_counts *counts)
{
    char where[MANIFEST_NAME_SIZE], why[ERR_TEXT_SIZE];
    err_t err = file_in_accept(&r->bank->folders, &r->file, report_text(&r->report), where);
    if (err_failed(err))
        return failed(r, r->file.stem, err_text(err, why, sizeof why));
    log_info(r->ctx->log, event, log_str("bank", r->bank->code), log_str("file", where),
             log_str("message", r->message), log_bool("signed", r->file.is_signed),
             log_int("items", counts->items), log_int("recorded", counts->recorded),
             log_int("duplicates", counts->duplicates), log_int("noted", counts->noted),
             log_int("refused", counts->refused));
    return SETTLE_OK;
}

/* ---------------------------------------------------------------- what is known of it */

struct known {
    bool processed, quarantined;
    char name[FOLDER_NAME_SIZE], at[TIMEFMT_SIZE];
};

/* Of contents. The report of those that were processed goes into the report. */
static enum settle_result ask_known(struct receiving *r, const unsigned char sha256[],
                                    struct known *out)
{
    struct rows *rows;
    struct params *p = settle_db_params(&r->ctx->db);
    memset(out, 0, sizeof *out);
    params_add_int2(p, r->bank->bank_id);
    params_add_text(p, slice_of(sha256, MANIFEST_SHA256_SIZE));
    enum settle_result result = settle_db_ask(&r->ctx->db, "settle_file_known", &rows);
    if (result != SETTLE_OK)
        return result == SETTLE_REFUSED ? failed(r, r->file.stem, r->ctx->db.pg.problem) : result;
    for (int i = rows_count(rows) - 1; i >= 0; i--) {
        out->processed = slice_equal_str(rows_text(rows, i, 1), "processed");
        out->quarantined = out->quarantined || !out->processed;
        (void)timefmt_rfc3339(rows_time_us(rows, i, 3), out->at);
        if (err_failed(slice_copy(rows_text(rows, i, 0), out->name, sizeof out->name)))
            out->name[0] = '\0';
    }
    rows_free(&rows);
    return SETTLE_OK;
}

/* The same contents again. Under the same name a crash came before they were put away, or the bank means well. */
static enum settle_result answer_known(struct receiving *r, const struct known *known)
{
    struct take_counts none = {0};
    report_line(
        &r->report,
        "The same file was processed at %s as %s. Nothing was done again; what came of it is "
        "in the report of then.",
        known->at, known->name);
    if (strcmp(known->name, r->file.manifest.file) == 0)
        report_reset(&r->report);
    return put_away(r, "file.known", &none);
}

/* The file says which one it follows, and that has not come: it may be on its way. */
static enum settle_result check_order(struct receiving *r, bool *wait)
{
    const struct manifest *m = &r->file.manifest;
    struct known before;
    char name[MANIFEST_NAME_SIZE];
    *wait = false;
    if (!m->has_previous)
        return SETTLE_OK;
    enum settle_result result = ask_known(r, m->previous_sha256, &before);
    if (result != SETTLE_OK || before.processed || before.quarantined)
        return result;
    (void)snprintf(name, sizeof name, "%.200s" MANIFEST_ENDING, r->file.stem);
    *wait = file_in_is_young(&r->bank->folders, &r->rules, name);
    if (*wait)
        return SETTLE_OK;
    char subject[MANIFEST_NAME_SIZE + 8];
    (void)snprintf(subject, sizeof subject, "%s %s", r->bank->code, r->file.stem);
    report_line(&r->report,
                "There is a gap: the file that this one says it follows (previous_sha256) has not "
                "come. This one was taken without it.");
    log_warn(r->ctx->log, "file.gap", log_str("bank", r->bank->code), log_str("file", r->file.stem),
             log_int("file_no", m->file_no));
    return settle_alert(r->ctx, "FILE_QUARANTINED", subject,
                        "it was taken, but the file it says it follows has not come");
}

/* ---------------------------------------------------------------- what it says */

static bool look_group(void *user, const struct iso_header *header, const struct iso_group *group,
                       struct iso_refusal *why)
{
    struct receiving *r = user;
    const char *ours = r->ctx->settings->config.our_bic;
    (void)header; /* the reader holds it against the group */
    (void)iso_message_name(group->kind, group->version, r->message);
    if (group->instructing.bic.len > 0 && !slice_equal_str(group->instructing.bic, r->bank->bic))
        return iso_refuse(why, ISO_RULE_REFUSED, "GrpHdr/InstgAgt",
                          "it says %.*s: not from this bank, whose BIC is %s",
                          SLICE_ARG(group->instructing.bic), r->bank->bic);
    if (group->instructed.bic.len > 0 && !slice_equal_str(group->instructed.bic, ours))
        return iso_refuse(why, ISO_RULE_REFUSED, "GrpHdr/InstdAgt",
                          "it says %.*s: not to us, whose BIC is %s",
                          SLICE_ARG(group->instructed.bic), ours);
    return true;
}

static bool look_item(void *user, const struct iso_group *group, const union iso_item *item,
                      struct iso_refusal *why)
{
    struct receiving *r = user;
    (void)group, (void)item, (void)why;
    if (++r->items % STOP_EVERY == 0)
        r->stopped = settle_db_stop(&r->ctx->db);
    return !r->stopped;
}

static struct iso_reader_options reader_options(const struct receiving *r)
{
    return (struct iso_reader_options){.schemas = r->ctx->schemas,
                                       .bytes_max = (uint64_t)r->rules.bytes_max,
                                       .kinds = take_kinds()};
}

/* Which messages would be, to whoever sent another. */
static void report_what_is_taken(struct receiving *r)
{
    const struct iso_definition *d;
    for (unsigned i = 0; (d = iso_definition_at(i)) != NULL; i++) {
        struct slice versions = slice_str(d->versions), version;
        while ((take_kinds() & (1U << d->kind)) != 0 && versions.len > 0) {
            (void)slice_cut(versions, ' ', &version, &versions);
            report_line(&r->report, "  taken is %s%.*s", d->family, SLICE_ARG(version));
        }
    }
}

/* All of it, before anything is done: true if nothing is wrong with it. */
static bool look_at(struct receiving *r)
{
    const struct iso_reader_options options = reader_options(r);
    const struct iso_sink sink = {.user = r, .group = look_group, .item = look_item};
    const struct manifest *m = &r->file.manifest;
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    if (!iso_read(&options, iso_read_fd, &r->file.copy.fd, &sink, &refusal)) {
        report_line(&r->report, "%s: %s", m->file, iso_refusal_text(&refusal, text));
        if (refusal.rule == ISO_RULE_MESSAGE_UNKNOWN)
            report_what_is_taken(r);
        return false;
    }
    if (strcmp(m->message, r->message) != 0) {
        report_line(&r->report, "manifest, member \"message\": it says %s, and the file is %s",
                    m->message, r->message);
        return false;
    }
    if (m->has_count && (uint64_t)m->count != r->items) {
        report_line(&r->report,
                    "manifest, member \"count\": it says %lld, and %llu are in the file",
                    (long long)m->count, (unsigned long long)r->items);
        return false;
    }
    return true;
}

static enum settle_result take_items(struct receiving *r, struct take_counts *counts)
{
    struct iso_reader_options options = reader_options(r);
    struct taking *t;
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    options.schemas = NULL; /* it has been held against them */
    if (lseek(r->file.copy.fd, 0, SEEK_SET) != 0 ||
        err_failed(taking_new(r->ctx, r->bank, &r->report, &t)))
        return failed(r, r->file.stem, "it cannot be read again");
    const struct iso_sink sink = {.user = t, .group = taking_group, .item = taking_item};
    bool good = iso_read(&options, iso_read_fd, &r->file.copy.fd, &sink, &refusal);
    enum settle_result result = taking_end(t, counts);
    taking_free(&t);
    if (result == SETTLE_OK && !good)
        return failed(r, r->file.stem, iso_refusal_text(&refusal, text));
    return result == SETTLE_FAILED || result == SETTLE_REFUSED
               ? failed(r, r->file.stem, r->ctx->db.pg.problem)
               : result;
}

/* ---------------------------------------------------------------- one file */

static enum settle_result process(struct receiving *r)
{
    struct known known;
    struct take_counts counts = {0};
    bool wait = false;
    enum settle_result result = ask_known(r, r->file.manifest.sha256, &known);
    if (result == SETTLE_OK && known.processed)
        return answer_known(r, &known);
    if (result == SETTLE_OK)
        result = check_order(r, &wait);
    if (result != SETTLE_OK || wait)
        return result;
    if (r->bank->principal_id == 0)
        return failed(r, r->file.stem, "the bank has no principal: run ujrat bank connect");
    if (!look_at(r))
        return r->stopped ? SETTLE_STOPPED : quarantine_contents(r);
    result = take_items(r, &counts);
    if (result == SETTLE_OK)
        result = write_down(r, "processed", (uint64_t)counts.items, counts.refused, NULL);
    return result == SETTLE_OK ? put_away(r, "file.processed", &counts) : result;
}

/* A manifest whose file is gone. Where the file is known, a crash came while it was put away. */
static enum settle_result leftover(struct receiving *r, const char *problem)
{
    struct known known;
    char name[MANIFEST_NAME_SIZE], why[ERR_TEXT_SIZE];
    enum settle_result result = ask_known(r, r->file.manifest.sha256, &known);
    if (result != SETTLE_OK)
        return result;
    if (known.processed) {
        err_t err = file_in_tidy(&r->bank->folders, r->file.stem);
        return err_failed(err) ? failed(r, r->file.stem, err_text(err, why, sizeof why))
                               : SETTLE_OK;
    }
    (void)snprintf(name, sizeof name, "%.200s" MANIFEST_ENDING, r->file.stem);
    if (!known.quarantined && file_in_is_young(&r->bank->folders, &r->rules, name))
        return SETTLE_OK;
    report_line(&r->report, "%s", problem);
    return quarantine(r, r->file.stem);
}

static enum settle_result receive_one(struct receiving *r, const char *stem)
{
    struct file_in_problem problem;
    enum settle_result result = SETTLE_OK;
    report_reset(&r->report);
    r->message[0] = '\0';
    r->items = 0;
    switch (file_in_open(&r->bank->folders, &r->rules, stem, &r->file, &problem)) {
    case FILE_IN_READY:
        result = process(r);
        break;
    case FILE_IN_WAIT:
        log_debug(r->ctx->log, "file.waits", log_str("file", stem),
                  log_str("problem", problem.text));
        break;
    case FILE_IN_LEFTOVER:
        result = leftover(r, problem.text);
        break;
    case FILE_IN_WRONG:
        report_line(&r->report, "%s", problem.text);
        result = quarantine(r, stem);
        break;
    case FILE_IN_FAILED:
        result = failed(r, stem, problem.text);
        break;
    }
    file_in_close(&r->bank->folders, &r->file);
    return result;
}

enum settle_result receive_files(struct settle_ctx *ctx, struct settle_bank *bank)
{
    const struct settle_config *c = &ctx->settings->config;
    struct receiving r = {.ctx = ctx,
                          .bank = bank,
                          .rules = {.bank = bank->code,
                                    .unsigned_allowed = c->unsigned_files,
                                    .bytes_max = c->file_bytes_max,
                                    .wait_us = c->manifest_wait_ms * US_PER_MS,
                                    .now_us = clock_realtime_us()}};
    struct folder_names stems;
    enum settle_result result = SETTLE_OK;
    if (clock_monotonic_us() < bank->receive_again_at_us)
        return SETTLE_OK;
    err_t err = file_in_stems(&bank->folders, &r.rules, &stems);
    if (err_failed(err)) {
        log_error(ctx->log, "file.folder", log_str("bank", bank->code), log_err(err));
        ctx->trouble = true;
    }
    report_init(&r.report);
    if (stems.n > 0)
        read_keys(&r);
    for (size_t i = 0; i < stems.n && (result == SETTLE_OK || result == SETTLE_FAILED); i++) {
        if (result == SETTLE_FAILED)
            bank->receive_again_at_us = clock_monotonic_us() + AGAIN_MS * US_PER_MS;
        result = settle_db_stop(&ctx->db) ? SETTLE_STOPPED : receive_one(&r, stems.name[i]);
    }
    if (result == SETTLE_OK)
        result = quarantine_strangers(&r);
    if (result == SETTLE_FAILED)
        bank->receive_again_at_us = clock_monotonic_us() + AGAIN_MS * US_PER_MS;
    for (int i = 0; i < FILE_IN_KEYS_MAX; i++)
        sign_key_free(&r.key[i]);
    report_deinit(&r.report);
    folder_names_free(&stems);
    return result == SETTLE_FAILED ? SETTLE_OK : result;
}
