/* Files to the bank: pacs.008 and pain.001 (to be paid), pacs.028 (what became of it?), camt.056 (give it back). */
#include "base/hex.h"
#include "cli/bank_files.h"
#include "domain/ccy.h"
#include "domain/text.h"
#include "iso20022/reader.h"
#include "settle/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is kept while a file is read. */
struct reading {
    struct bank_files *files;
    char from[12], to[12]; /* BICs of its header */
    uint64_t n;
};

static bool wrong(const char *stem, const char *what)
{
    complain("%s: %s; a person must look", stem, what);
    return false;
}

/* ---------------------------------------------------------------- items */

static void take_transfer(struct bank *b, const struct iso_transfer *t)
{
    struct bank_item what = {.minor = t->amount.minor};
    const struct ccy *ccy = ccy_by_number(t->amount.ccy);
    struct slice iban = t->creditor_account.iban;
    char shown[sizeof what.shown], account[48];
    bool pseb =
        t->reporting_info.n > 0 && slice_starts_with(t->reporting_info.at[0], SLICE("PSEB "));

    slice_text(t->ids.end_to_end_id, what.id, sizeof what.id);
    snprintf(what.ccy, sizeof what.ccy, "%s", ccy == NULL ? "" : ccy->alpha);
    if (iban.len > 0)
        mask_iban(iban, account, sizeof account);
    else
        mask_tail(t->creditor_account.other_id, account, sizeof account);
    snprintf(shown, sizeof shown, "%.*s  %s",
             (int)(t->creditor.name.len > 100 ? 100 : t->creditor.name.len),
             t->creditor.name.p == NULL ? "" : t->creditor.name.p, account);
    bank_take(b, &what, iban, slice_equal_str(t->reporting_code, "9186"), pseb, shown);
}

static void take_question(struct bank *b, enum iso_kind kind, const struct iso_follow_up *f)
{
    struct bank_item *item = bank_state_find(b->state, f->ids.end_to_end_id);

    if (item == NULL)
        complain("%.*s: asked about %.*s, which nobody told us to pay", SLICE_ARG(f->id),
                 SLICE_ARG(f->ids.end_to_end_id));
    else if (kind == ISO_PACS_028)
        bank_work_asked(&b->work, item, f->id);
    else
        bank_recalled(b, item, f->id);
}

static bool on_group(void *user, const struct iso_header *header, const struct iso_group *group,
                     struct iso_refusal *why)
{
    struct reading *r = user;

    (void)group;
    if (header == NULL)
        return iso_refuse(why, ISO_RULE_REQUIRED, "AppHdr", "files to banks have one");
    slice_text(header->from_bic, r->from, sizeof r->from);
    slice_text(header->to_bic, r->to, sizeof r->to);
    return true;
}

static bool on_item(void *user, const struct iso_group *group, const union iso_item *item,
                    struct iso_refusal *why)
{
    struct reading *r = user;

    (void)why;
    r->n++;
    if (group->kind == ISO_PACS_008 || group->kind == ISO_PAIN_001)
        take_transfer(r->files->bank, &item->transfer);
    else if (group->kind == ISO_PACS_028 || group->kind == ISO_CAMT_056)
        take_question(r->files->bank, group->kind, &item->follow_up);
    return true; /* a pacs.009 funds our account: nothing is to be said of it */
}

/* The whole file twice: nothing of it is done before all of it is known to be good. */
static bool read_message(struct bank_files *f, int fd, const char *stem, struct reading *r)
{
    const struct iso_reader_options options = {.header_required = true,
                                               .bytes_max = BANK_FILE_BYTES_MAX};
    char text[ISO_REFUSAL_TEXT_SIZE];
    struct iso_refusal refusal = {0};

    *r = (struct reading){.files = f};
    for (int pass = 0; pass < 2; pass++) {
        struct iso_sink sink = {r, on_group, pass == 0 ? NULL : on_item};

        if (lseek(fd, 0, SEEK_SET) != 0 || !iso_read(&options, iso_read_fd, &fd, &sink, &refusal))
            return wrong(stem, iso_refusal_text(&refusal, text));
    }
    return true;
}

/* ---------------------------------------------------------------- manifest and signature */

static bool read_manifest(const struct bank_files *f, const char *stem, struct manifest *m)
{
    char name[MANIFEST_NAME_SIZE], text[MANIFEST_BYTES_MAX], signature[SIGN_SIZE + 1];
    struct manifest_problem problem;
    size_t len, signature_len;

    snprintf(name, sizeof name, "%s" MANIFEST_ENDING, stem);
    if (err_failed(bank_folders_read(&f->folders, FOLDER_OUT, name, text, sizeof text, &len)))
        return wrong(stem, "its manifest cannot be read");
    if (err_failed(manifest_read(slice_of(text, len), m, &problem)))
        return wrong(stem, problem.text);
    if (!m->to_bank || strcmp(m->bank, f->bank->code) != 0)
        return wrong(stem, "it is not for this bank");
    if (f->our_key == NULL)
        return true;
    snprintf(name, sizeof name, "%s.sig", stem);
    if (err_failed(bank_folders_read(&f->folders, FOLDER_OUT, name, signature, sizeof signature,
                                     &signature_len)))
        return wrong(stem, "its signature cannot be read");
    return sign_key_verify(f->our_key, slice_of(text, len), slice_of(signature, signature_len)) ||
           wrong(stem, "the signature of its manifest is not the gateway's");
}

static bool hash_fd(int fd, int64_t *bytes, unsigned char sha256[MANIFEST_SHA256_SIZE])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    unsigned char block[65536];
    ssize_t n = 0;
    bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

    *bytes = 0;
    while (ok && (n = read(fd, block, sizeof block)) > 0) {
        ok = EVP_DigestUpdate(hash, block, (size_t)n) == 1;
        *bytes += n;
    }
    ok = ok && n == 0 && EVP_DigestFinal_ex(hash, sha256, NULL) == 1;
    EVP_MD_CTX_free(hash);
    return ok;
}

/* A file that is what its manifest says, and the next one. */
static bool take_file(struct bank_files *f, const char *stem, const struct manifest *m,
                      const char *hex)
{
    struct bank_state *state = f->bank->state;
    unsigned char sha256[MANIFEST_SHA256_SIZE];
    struct reading r;
    int64_t bytes;
    bool ok;
    int fd;

    if (m->file_no != bank_state_last_read(state) + 1)
        return wrong(stem, "a file before it is missing");
    fd = openat(f->folders.fd[FOLDER_OUT], m->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return wrong(stem, strerror(errno));
    if (!hash_fd(fd, &bytes, sha256))
        ok = wrong(stem, "it cannot be read");
    else if (bytes != m->bytes || memcmp(sha256, m->sha256, sizeof sha256) != 0)
        ok = wrong(stem, "it is not what its manifest says (SHA-256)");
    else
        ok = read_message(f, fd, stem, &r);
    close(fd);
    if (!ok)
        return false;
    if (!f->bank->quiet) {
        printf("%s: %llu transactions\n", stem, (unsigned long long)r.n);
        fflush(stdout);
    }
    bank_state_read_file(state, hex, m->file_no, r.from, r.to);
    bank_state_sync(state);
    return true;
}

bool bank_files_read(struct bank_files *f)
{
    struct folder_names names = {0};
    bool ok = true;

    if (err_failed(bank_folders_list(&f->folders, FOLDER_OUT, MANIFEST_ENDING, &names))) {
        complain("the folder out/ cannot be read");
        return false;
    }
    for (size_t i = 0; ok && i < names.n; i++) {
        char stem[MANIFEST_STEM_MAX + 1], hex[2 * MANIFEST_SHA256_SIZE + 1];
        struct manifest m;

        slice_text(manifest_stem_of(slice_str(names.name[i]), MANIFEST_ENDING), stem, sizeof stem);
        if (stem[0] == '\0')
            continue;
        ok = read_manifest(f, stem, &m);
        if (!ok)
            break;
        hex_encode(m.sha256, sizeof m.sha256, hex);
        if (!bank_state_has_read(f->bank->state, hex))
            ok = take_file(f, stem, &m, hex);
    }
    folder_names_free(&names);
    return ok;
}
