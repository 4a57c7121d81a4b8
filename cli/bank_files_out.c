/* Files from the bank: pacs.002 (what became of payments), pacs.004 (money that comes back), camt.029 (answers to recalls).
 * What goes into a file is in the bank's books before the file is; its bytes follow from that alone, so a bank that dies in
 * the middle writes the same file again. */
#include "base/clock.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "cli/bank_files.h"
#include "domain/ccy.h"
#include "iso20022/shape.h"
#include "iso20022/writer.h"
#include "settle/manifest.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define KARACHI_US (5LL * 3600 * US_PER_SEC)

/* ---------------------------------------------------------------- the message */

static enum iso_kind kind_of(const struct saying *s)
{
    switch (s->kind) {
    case SAY_CONFIRMATION:
        return ISO_PACS_002;
    case SAY_RETURN:
        return ISO_PACS_004;
    case SAY_ANSWER:
        return s->step == STEP_PENDING ? ISO_PACS_002 : ISO_CAMT_029;
    case SAY_REVERSAL: /* not in files: read_options() */
        break;
    }
    return ISO_NO_KIND;
}

static void add_reason(struct iso_follow_up *f, const char *code)
{
    if (code[0] != '\0')
        f->reasons.at[f->reasons.n++].code = slice_str(code);
}

static money_t money_in(const char *ccy, int64_t minor)
{
    const struct ccy *c = ccy_by_alpha(slice_str(ccy));

    return money_of(minor, c == NULL ? 0 : c->number);
}

static void fill_status(const struct saying *s, struct iso_follow_up *f)
{
    if (s->kind == SAY_ANSWER) {
        f->status = slice_str(s->status);
        f->original_amount = money_in(s->item->ccy, s->item->minor);
        return;
    }
    f->status = s->settled ? SLICE("ACSC") : SLICE("RJCT");
    f->bank_reference = slice_str(s->reference);
    f->original_amount = money_in(s->ccy, s->minor);
    if (s->tax_minor > 0)
        f->tax_withheld = money_in(s->ccy, s->tax_minor);
    f->eprc_number = slice_str(s->eprc);
    add_reason(f, s->code);
}

static void fill_return(const struct saying *s, const struct iso_group *g, struct iso_follow_up *f)
{
    f->id = slice_str(s->reference);
    f->original_amount = money_in(s->item->ccy, s->item->minor);
    f->amount = money_in(s->ccy, s->minor - s->charge_minor);
    if (s->charge_minor > 0) {
        f->charge_bearer = SLICE("CRED");
        f->charges.n = 1;
        f->charges.at[0] = (struct iso_charge){money_in(s->ccy, s->charge_minor), g->instructing};
    }
    add_reason(f, s->code);
}

static void fill_answer(const struct saying *s, const struct iso_group *g, struct iso_follow_up *f)
{
    f->case_id = slice_str(s->inquiry); /* the recall's own; the case is theirs who asked */
    f->case_creator = g->instructed;
    f->status = slice_str(s->status);
    if (slice_equal_str(f->status, "CNCL"))
        f->status = SLICE("ACCR");
    f->original_amount = money_in(s->item->ccy, s->item->minor);
    add_reason(f, s->code);
}

static void fill_item(const struct saying *s, const struct iso_group *g, union iso_item *item)
{
    struct iso_follow_up *f = &item->follow_up;

    memset(item, 0, sizeof *item);
    f->ids.instruction_id = slice_str(s->id);
    f->ids.end_to_end_id = slice_str(s->id);
    if (g->kind == ISO_PACS_002)
        fill_status(s, f);
    else if (g->kind == ISO_PACS_004)
        fill_return(s, g, f);
    else
        fill_answer(s, g, f);
}

static void fill_group(const struct bank_filing *filing, enum iso_kind kind, const char *id,
                       const struct saying *said, struct iso_group *g)
{
    memset(g, 0, sizeof *g);
    g->kind = kind;
    g->message_id = slice_str(id);
    g->creation_us = filing->at_us;
    g->count = filing->n;
    g->instructing.bic = slice_str(filing->from);
    g->instructed.bic = slice_str(filing->to);
    if (kind == ISO_CAMT_029)
        g->status = slice_str(strcmp(said[0].status, "CNCL") == 0 ? "CNCL" : said[0].status);
    if (kind != ISO_PACS_004)
        return;
    g->settlement_date = timefmt_day_of(filing->at_us + KARACHI_US);
    g->settlement_method = SLICE("INDA");
    g->total = money_in(said[0].ccy, 0);
    for (size_t i = 0; i < filing->n; i++)
        g->total.minor += said[i].minor - said[i].charge_minor;
}

static bool to_buf(void *user, const char *p, size_t len)
{
    return !err_failed(buf_append(user, p, len));
}

static bool write_message(const struct bank_filing *filing, const char *id,
                          const struct saying *said, struct buf *out)
{
    const struct iso_writer_options options = {.write = to_buf, .user = out};
    struct iso_writer *w = NULL;
    struct iso_refusal refusal = {0};
    struct iso_group g;
    union iso_item item;
    char text[ISO_REFUSAL_TEXT_SIZE];
    bool ok;

    if (err_failed(iso_writer_new(&options, &w)))
        abort();
    fill_group(filing, kind_of(&said[0]), id, said, &g);
    ok = iso_writer_begin(w, &g, &refusal);
    for (size_t i = 0; ok && i < filing->n; i++) {
        fill_item(&said[i], &g, &item);
        ok = iso_writer_add(w, &item, &refusal);
    }
    ok = ok && iso_writer_end(w, &refusal);
    iso_writer_free(&w);
    if (!ok)
        complain("%s cannot be written: %s", filing->message, iso_refusal_text(&refusal, text));
    return ok;
}

/* ---------------------------------------------------------------- the file, its signature, its manifest */

static void fill_manifest(const struct bank_files *f, const struct bank_filing *filing,
                          const char *stem, struct slice message, struct manifest *m)
{
    size_t len = 0;

    *m = (struct manifest){.file_no = filing->file_no,
                           .bytes = (int64_t)message.len,
                           .created_us = filing->at_us,
                           .has_count = true,
                           .count = (int64_t)filing->n};
    snprintf(m->bank, sizeof m->bank, "%s", f->bank->code);
    snprintf(m->file, sizeof m->file, "%s.xml", stem);
    snprintf(m->message, sizeof m->message, "%s", filing->message);
    SHA256((const unsigned char *)message.p, message.len, m->sha256);
    m->has_previous =
        !err_failed(hex_decode(slice_str(bank_state_last_sha256(f->bank->state)),
                               m->previous_sha256, sizeof m->previous_sha256, &len)) &&
        len == sizeof m->previous_sha256;
}

/* The manifest last: whoever sees it sees the other two. */
static bool publish(struct bank_files *f, const char *stem, const struct manifest *m,
                    struct slice message)
{
    char name[MANIFEST_NAME_SIZE];
    unsigned char signature[SIGN_SIZE];
    char text[ERR_TEXT_SIZE];
    struct buf manifest;
    err_t err;

    buf_init(&manifest, MANIFEST_BYTES_MAX);
    err = manifest_write(m, &manifest);
    if (!err_failed(err))
        err = sign_key_sign(f->key, buf_slice(&manifest), signature);
    if (!err_failed(err))
        err = bank_folders_write(&f->folders, FOLDER_IN, m->file, message);
    snprintf(name, sizeof name, "%s.sig", stem);
    if (!err_failed(err))
        err =
            bank_folders_write(&f->folders, FOLDER_IN, name, slice_of(signature, sizeof signature));
    snprintf(name, sizeof name, "%s" MANIFEST_ENDING, stem);
    if (!err_failed(err))
        err = bank_folders_write(&f->folders, FOLDER_IN, name, buf_slice(&manifest));
    buf_deinit(&manifest);
    if (err_failed(err))
        complain("%s: %s", stem, err_text(err, text, sizeof text));
    return !err_failed(err);
}

static void tell_all(const struct bank *b, const struct bank_filing *filing,
                     const struct saying *said)
{
    for (size_t i = 0; i < filing->n; i++) {
        const struct saying *s = &said[i];
        const char *word = s->kind == SAY_RETURN   ? "RETURNED"
                           : s->kind == SAY_ANSWER ? "ANSWERED"
                           : s->settled            ? "SETTLED"
                                                   : "REJECTED";

        bank_tell(b, step_is_wrong(s->step) ? "wrong" : word, s,
                  s->kind == SAY_ANSWER    ? s->status
                  : step_is_wrong(s->step) ? step_name(s->step)
                                           : "");
    }
}

static void crash_any(struct bank *b, const struct bank_filing *filing, const struct saying *said,
                      enum crash_point point)
{
    for (size_t i = 0; i < filing->n; i++)
        bank_crash_at(b, said[i].item, point);
}

static bool is_there(const struct bank_files *f, const char *stem, const char *ending)
{
    char name[MANIFEST_NAME_SIZE];

    snprintf(name, sizeof name, "%s%s", stem, ending);
    return bank_folders_has(&f->folders, FOLDER_IN, name);
}

/* Of a file that was being written when the bank died. It may be whole, and even taken already, which cannot be seen: so
 * it is written under another name then, which is safe, since a file is known by its contents; under the same name it
 * could be written while the first is being taken away. False: it is there, whole. */
static bool choose_stem(const struct bank_files *f, char stem[MANIFEST_STEM_MAX + 1])
{
    char again[MANIFEST_STEM_MAX + 1];

    snprintf(again, sizeof again, "%.*s-2", MANIFEST_STEM_MAX - 2, stem);
    if (is_there(f, stem, MANIFEST_ENDING) || is_there(f, again, MANIFEST_ENDING))
        return false;
    if (!is_there(f, stem,
                  ".xml")) /* else it is ours to end: nobody looks at it without its manifest */
        memcpy(stem, again, sizeof again);
    return true;
}

/* What stands in the books as being written. */
static bool write_file(struct bank_files *f, struct saying *said, bool interrupted)
{
    struct bank *b = f->bank;
    struct bank_item *const *items;
    struct bank_filing filing;
    char id[BANK_ID_SIZE], stem[MANIFEST_STEM_MAX + 1], hex[2 * MANIFEST_SHA256_SIZE + 1];
    struct manifest m;
    struct buf message;
    bool ok = bank_state_filing(b->state, &filing, &items);

    assert(ok);
    snprintf(id, sizeof id, "%s-B%08lld", b->code, (long long)filing.file_no);
    snprintf(stem, sizeof stem, "%s-%s", id, filing.message);
    buf_init(&message, BANK_FILE_BYTES_MAX);
    crash_any(b, &filing, said, CRASH_BOOKED);
    ok = write_message(&filing, id, said, &message);
    if (ok) {
        bool wanted = !interrupted || choose_stem(f, stem);

        fill_manifest(f, &filing, stem, buf_slice(&message), &m);
        ok = !wanted || publish(f, stem, &m, buf_slice(&message));
    }
    buf_deinit(&message);
    if (!ok)
        return false;
    crash_any(b, &filing, said, CRASH_SENT);
    hex_encode(m.sha256, sizeof m.sha256, hex);
    tell_all(b, &filing, said);
    bank_state_filed(b->state, hex);
    bank_state_sync(b->state);
    crash_any(b, &filing, said, CRASH_NOTED);
    for (size_t i = 0; i < filing.n; i++) {
        said[i].item->crash = CRASH_NEVER;
        bank_work_filed(&b->work, &said[i]);
    }
    return true;
}

/* ---------------------------------------------------------------- what there is to say */

/* Those of the first one's message go into the file; others wait for the next. */
static size_t keep_one_message(struct bank *b, struct saying *said, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool same =
            kind_of(&said[i]) == kind_of(&said[0]) &&
            (kind_of(&said[0]) == ISO_PACS_002 || strcmp(said[i].ccy, said[0].ccy) == 0) &&
            (kind_of(&said[0]) != ISO_CAMT_029 || strcmp(said[i].status, said[0].status) == 0);

        if (same)
            said[kept++] = said[i];
        else
            bank_work_again(&b->work, &said[i], 0);
    }
    return kept;
}

static bool write_new(struct bank_files *f, size_t n)
{
    struct bank *b = f->bank;
    struct bank_item *items[BANK_BATCH_MAX];
    struct bank_filing filing = {.at_us = clock_realtime_us() / US_PER_MS * US_PER_MS};

    filing.n = keep_one_message(b, b->said, n);
    for (size_t i = 0; i < filing.n; i++)
        items[i] = b->said[i].item;
    iso_message_name(kind_of(&b->said[0]), 0, filing.message);
    snprintf(filing.from, sizeof filing.from, "%s", bank_state_bank_bic(b->state));
    snprintf(filing.to, sizeof filing.to, "%s", bank_state_our_bic(b->state));
    bank_state_file(b->state, &filing, items);
    bank_state_sync(b->state);
    return write_file(f, b->said, false);
}

static bool write_interrupted(struct bank_files *f)
{
    struct bank *b = f->bank;
    struct bank_item *const *items;
    struct bank_filing filing;

    if (!bank_state_filing(b->state, &filing, &items))
        return true;
    assert(filing.n <= BANK_BATCH_MAX);
    for (size_t i = 0; i < filing.n; i++)
        bank_work_repeat(&b->work, items[i], &b->said[i]);
    return write_file(f, b->said, true);
}

bool bank_files_write(struct bank_files *f, int64_t *due_us)
{
    struct bank *b = f->bank;
    size_t n;

    if (!write_interrupted(f))
        return false;
    while ((n = bank_work_next(&b->work, clock_monotonic_us(), (size_t)b->batch, b->said, due_us)) >
           0)
        if (!write_new(f, n))
            return false;
    return true;
}
