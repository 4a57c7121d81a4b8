#include "gateway/rest/claim_view.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/embedded.h"
#include "base/timefmt.h"
#include "domain/purpose.h"
#include "gateway/rest/template.h"

extern const struct embedded claim_files[];

enum { BANKS_MAX = 256, UNTIL_SIZE = 128, CLAIM_MONEY_SIZE = MONEY_TEXT_SIZE + 1 };

/* Room for what values point to. */
struct texts {
    const struct claim_view *view;
    char gross[CLAIM_MONEY_SIZE], fee[CLAIM_MONEY_SIZE], net[CLAIM_MONEY_SIZE],
        total[CLAIM_MONEY_SIZE];
    char until[UNTIL_SIZE];
};

static struct slice file(const char *name)
{
    for (const struct embedded *f = claim_files; f->path != NULL; f++) {
        const char *slash = strrchr(f->path, '/');
        if (slash != NULL && strcmp(slash + 1, name) == 0)
            return slice_of(f->text, (size_t)(f->end - (const unsigned char *)f->text));
    }
    assert(!"a file of the claim page is not in the program");
    return SLICE("");
}

const char *claim_view_policy(char out[CLAIM_POLICY_SIZE])
{
    const struct slice style = file("style.css");
    unsigned char hash[EVP_MAX_MD_SIZE], text[4 * EVP_MAX_MD_SIZE / 3 + 4];
    unsigned len = 0;
    const int done = EVP_Digest(style.p, style.len, hash, &len, EVP_sha256(), NULL);
    assert(done == 1);
    (void)EVP_EncodeBlock(text, hash, (int)len);
    (void)snprintf(out, CLAIM_POLICY_SIZE,
                   "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
                   "frame-ancestors 'none'; base-uri 'none'",
                   (const char *)text);
    return out;
}

/* ---------------------------------------------------------------- values */

/* "PKR 1,234.50", whose code and number stay on one line (a no-break space, U+00A0). */
static const char *money_text(money_t money, char out[CLAIM_MONEY_SIZE])
{
    char text[MONEY_TEXT_SIZE];
    struct slice code, number;
    (void)slice_cut(slice_str(money_format(money, MONEY_CODE_THOUSANDS, text)), ' ', &code,
                    &number);
    (void)snprintf(out, CLAIM_MONEY_SIZE, "%.*s\xc2\xa0%.*s", SLICE_ARG(code), SLICE_ARG(number));
    return out;
}

static void set_money(struct template_page *page, const char *name, money_t money,
                      char text[CLAIM_MONEY_SIZE])
{
    if (money.ccy != 0)
        template_set(page, name, slice_str(money_text(money, text)));
}

/* The clock on the wall in Karachi, to the minute. */
static void write_until(const struct template_page *page, int64_t us, char out[UNTIL_SIZE])
{
    const int64_t karachi_us = 5LL * 3600 * 1000000;
    char text[TIMEFMT_SIZE], key[16];
    (void)timefmt_rfc3339(us <= TIMEFMT_US_MAX - karachi_us ? us + karachi_us : us, text);
    const int month = (text[5] - '0') * 10 + text[6] - '0',
              day = (text[8] - '0') * 10 + text[9] - '0';
    (void)snprintf(key, sizeof(key), "month.%d", month);
    const struct slice name = template_words(page, slice_str(key));
    const struct slice comma = template_words(page, SLICE("until.comma"));
    const struct slice zone = template_words(page, SLICE("until.zone"));
    (void)snprintf(out, UNTIL_SIZE, "%d %.*s %.4s%.*s %.5s %.*s", day, SLICE_ARG(name), text,
                   SLICE_ARG(comma), text + 11, SLICE_ARG(zone));
}

/* What is wrong with a field, in words. */
static struct slice fault_words(const struct template_page *page, enum claim_field field,
                                reason_t reason)
{
    char key[96];
    (void)snprintf(key, sizeof(key), "fault.%s.%s", claim_field_names[field], reason_name(reason));
    struct slice words = template_words(page, slice_str(key));
    if (words.len == 0) {
        (void)snprintf(key, sizeof(key), "fault.%s", reason_name(reason));
        words = template_words(page, slice_str(key));
    }
    return words.len == 0 ? template_words(page, SLICE("fault.other")) : words;
}

static void set_form(struct template_page *page, const struct claim_form *form)
{
    static const char *const errors[CLAIM_FIELDS] = {
        "err.name", "err.iban", "err.mobile", "err.bank", "err.cnic", "err.channel", "err.pseb"};
    for (unsigned i = 0; i < CLAIM_FIELDS; i++) {
        template_set(page, claim_field_names[i], form->typed[i]);
        if (form->fault[i] == REASON_NONE)
            continue;
        template_set(page, errors[i], fault_words(page, (enum claim_field)i, form->fault[i]));
        template_set(page, "faulty", SLICE("yes"));
    }
    if (form->typed[CLAIM_MOBILE].len > 0 || form->fault[CLAIM_MOBILE] != REASON_NONE ||
        form->fault[CLAIM_BANK] != REASON_NONE)
        template_set(page, "alias", SLICE("yes"));
    if (form->details.channel == CHANNEL_EXPORT_OF_SERVICES)
        template_set(page, "on.export", SLICE("yes"));
    if (form->details.channel == CHANNEL_HOME_REMITTANCE)
        template_set(page, "on.remittance", SLICE("yes"));
}

static void set_kind(struct template_page *page, enum claim_view_kind kind)
{
    static const char *const names[] = {[CLAIM_VIEW_FORM] = "is.form",
                                        [CLAIM_VIEW_DONE] = "is.done",
                                        [CLAIM_VIEW_WRONG] = "is.wrong",
                                        [CLAIM_VIEW_BUSY] = "is.busy",
                                        [CLAIM_VIEW_LATER] = "is.later",
                                        [CLAIM_VIEW_REFUSED] = "is.refused",
                                        [CLAIM_VIEW_WAY] = "is.way",
                                        [CLAIM_VIEW_PAID] = "is.paid",
                                        [CLAIM_VIEW_BACK] = "is.back",
                                        [CLAIM_VIEW_EXPIRED] = "is.expired",
                                        [CLAIM_VIEW_CANCELLED] = "is.cancelled",
                                        [CLAIM_VIEW_KNOWN] = "is.known"};
    template_set(page, names[kind], SLICE("yes"));
}

/* Of all rows that are paid, in the currency of the first. */
static void set_total(struct template_page *page, const struct claim_view *view,
                      struct texts *texts)
{
    money_t total = {0, 0};
    for (unsigned i = 0; i < view->n_rows; i++) {
        const money_t net = view->rows[i].net;
        if (net.ccy == 0)
            template_set(page, "waiting", SLICE("yes"));
        else if (total.ccy == 0)
            total = net;
        else if (money_add(total, net, &total) != REASON_NONE)
            return; /* the rows say it */
    }
    set_money(page, "total", total, texts->total);
}

/* ---------------------------------------------------------------- parts */

static void put(struct buf *out, struct slice text, bool *failed)
{
    if (text.len > 0 && err_failed(buf_append(out, text.p, text.len)))
        *failed = true;
}

static void put_str(struct buf *out, const char *text, bool *failed)
{
    put(out, slice_str(text), failed);
}

/* Each fault with a link to its field. */
static void part_faults(const struct template_page *page, const struct claim_view *view,
                        struct buf *out, bool *failed)
{
    for (unsigned i = 0; i < CLAIM_FIELDS; i++) {
        char key[32];
        if (view->form->fault[i] == REASON_NONE)
            continue;
        (void)snprintf(key, sizeof(key), "%s.label", claim_field_names[i]);
        put_str(out, "<li><a href=\"#", failed);
        put_str(out, claim_field_names[i], failed);
        put_str(out, "\">", failed);
        template_escape(out, template_words(page, slice_str(key)), failed);
        put_str(out, " \xe2\x80\x93 ", failed);
        template_escape(out, fault_words(page, (enum claim_field)i, view->form->fault[i]), failed);
        put_str(out, "</a></li>", failed);
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct registry_bank *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void part_banks(const struct claim_view *view, struct buf *out, bool *failed)
{
    const struct registry_bank *banks[BANKS_MAX], *bank;
    const struct slice chosen = view->form == NULL ? SLICE("") : view->form->typed[CLAIM_BANK];
    size_t n = 0;
    for (size_t i = 0; n < BANKS_MAX && (bank = registry_bank_at(view->registry, i)) != NULL; i++)
        if (bank->connected)
            banks[n++] = bank;
    qsort(banks, n, sizeof(struct registry_bank *), compare_names);
    for (size_t i = 0; i < n; i++) {
        put_str(out, "<option value=\"", failed);
        template_escape(out, slice_str(banks[i]->code), failed);
        put_str(out, slice_equal_str(chosen, banks[i]->code) ? "\" selected>" : "\">", failed);
        template_escape(out, slice_str(banks[i]->name), failed);
        put_str(out, "</option>\n", failed);
    }
}

/* The amount and, below it, the reference; what the person gets. */
static void part_rows(const struct template_page *page, const struct claim_view *view,
                      struct buf *out, bool *failed)
{
    char text[CLAIM_MONEY_SIZE];
    for (unsigned i = 0; i < view->n_rows; i++) {
        const struct claim_view_row *row = &view->rows[i];
        struct template_page in = {.words = page->words};
        put_str(out, "<tr><td><bdi>", failed);
        put_str(out, money_text(row->gross, text), failed);
        put_str(out, "</bdi><small>", failed);
        template_set(&in, "reference", slice_str(row->reference));
        template_fill(&in, SLICE("{{:note.reference}}"), out, failed);
        put_str(out, "</small></td><td><bdi>", failed);
        put_str(out, row->net.ccy == 0 ? "\xe2\x80\x93" : money_text(row->net, text), failed);
        put_str(out, "</bdi></td></tr>\n", failed);
    }
}

static void part(struct template_page *page, struct slice name, struct buf *out, bool *failed)
{
    const struct texts *texts = page->user;
    const struct claim_view *view = texts->view;
    if (slice_equal_str(name, "style"))
        put(out, file("style.css"), failed);
    else if (slice_equal_str(name, "body"))
        template_fill(page,
                      file(view->kind == CLAIM_VIEW_FORM   ? "form.html"
                           : view->kind == CLAIM_VIEW_DONE ? "done.html"
                                                           : "note.html"),
                      out, failed);
    else if (slice_equal_str(name, "faults"))
        part_faults(page, view, out, failed);
    else if (slice_equal_str(name, "banks"))
        part_banks(view, out, failed);
    else if (slice_equal_str(name, "rows"))
        part_rows(page, view, out, failed);
    else
        *failed = true;
}

bool claim_view_write(const struct claim_view *view, struct buf *out)
{
    struct texts texts = {.view = view};
    struct template_page page = {
        .words = file(view->urdu ? "words.ur" : "words.en"), .part = part, .user = &texts};
    bool failed = false;
    template_set(&page, "lang", view->urdu ? SLICE("ur") : SLICE("en"));
    template_set(&page, "other", view->urdu ? SLICE("en") : SLICE("ur"));
    template_set(&page, "dir", view->urdu ? SLICE("rtl") : SLICE("ltr"));
    template_set(&page, "platform", view->platform);
    template_set(&page, "reference", view->reference);
    template_set(&page, "rate", view->rate);
    set_money(&page, "gross", view->gross, texts.gross);
    set_money(&page, "fee", view->fee, texts.fee);
    set_money(&page, "net", view->net, texts.net);
    if (view->until_us != 0) {
        write_until(&page, view->until_us, texts.until);
        template_set(&page, "until", slice_str(texts.until));
    }
    if (view->form != NULL)
        set_form(&page, view->form);
    set_kind(&page, view->kind);
    set_total(&page, view, &texts);
    template_fill(&page, file("page.html"), out, &failed);
    return !failed;
}
