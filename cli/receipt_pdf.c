#include "cli/receipt_pdf.h"

#include "base/command.h"
#include "base/timefmt.h"
#include "cli/pdf_pen.h"
#include "cli/receipt_words.h"

#include <cairo-pdf.h>
#include <qrencode.h>
#include <string.h>

#define LEFT          51.0
#define RIGHT         (PAGE_WIDTH - LEFT)
#define LABEL_WIDTH   140.0
#define ROW_MAX       20.5
#define HERO_HEIGHT   60.0
#define HERO_BELOW    18.0
#define HEADING_ABOVE 5.0
#define HEADING_BELOW 5.0
#define QR_SIZE       118.0
#define PROOF_TOP     (PAGE_HEIGHT - 42 - QR_SIZE)

struct page {
    struct pen pen;
    enum receipt_lang lang;
    double value_left, value_right; /* between the labels of both languages */
    double row;                     /* height of one, so that all of them fit */
    double y;                       /* the baseline of the row to come */
};

static bool speaks(const struct page *p, enum receipt_lang lang)
{
    return (p->lang & lang) != 0;
}

/* ---------------------------------------------------------------- rows */

static void label(struct page *p, const struct words *w, const char *font_en, const char *font_ur,
                  struct colour c)
{
    if (speaks(p, RECEIPT_EN))
        pen_put(&p->pen, LEFT, p->y, LABEL_WIDTH - 8, &(struct style){font_en, c, AT_LEFT, false},
                w->en);
    if (speaks(p, RECEIPT_UR))
        pen_put(&p->pen, RIGHT - LABEL_WIDTH + 8, p->y, LABEL_WIDTH - 8,
                &(struct style){font_ur, c, AT_RIGHT, true}, w->ur);
}

static void heading(struct page *p, const struct words *w)
{
    p->y += HEADING_ABOVE;
    label(p, w, LATIN " Bold 11.5", URDU " Bold 11", pen_green);
    pen_rule(&p->pen, LEFT, RIGHT, p->y + 9, pen_line, 0.7);
    p->y += p->row + HEADING_BELOW;
}

/* A label and what it stands for. NULL: nothing is said. */
static void row(struct page *p, const struct words *w, const char *value)
{
    if (value == NULL)
        return;
    label(p, w, LATIN " 10", URDU " 10", pen_grey);
    pen_put(
        &p->pen, p->value_left, p->y, p->value_right - p->value_left,
        &(struct style){LATIN " 11", pen_ink, p->lang == RECEIPT_UR ? AT_RIGHT : AT_LEFT, false},
        value);
    p->y += p->row;
}

static void amount(struct page *p, const struct words *w, const char *note, const char *value,
                   bool strong)
{
    label(p, w, strong ? LATIN " Bold 10" : LATIN " 10", strong ? URDU " Bold 10" : URDU " 10",
          strong ? pen_ink : pen_grey);
    pen_put(&p->pen, p->lang == RECEIPT_UR ? p->value_right - 230 : p->value_left, p->y, 100,
            &(struct style){LATIN " 9", pen_grey, AT_LEFT, false}, note);
    pen_put(&p->pen, p->value_left + 100, p->y, p->value_right - p->value_left - 100,
            &(struct style){strong ? LATIN " Bold 11" : LATIN " 11", pen_ink, AT_RIGHT, false},
            value);
    p->y += p->row;
}

static void money_row(struct page *p, const struct words *w, const char *note, money_t m,
                      bool strong)
{
    char text[MONEY_TEXT_SIZE];
    amount(p, w, note, money_format(m, MONEY_CODE_THOUSANDS, text), strong);
}

static void deduction(struct page *p, const struct words *w, const char *note, money_t m)
{
    char text[MONEY_TEXT_SIZE], less[MONEY_TEXT_SIZE + 4];
    (void)snprintf(less, sizeof less, "%s%s", m.minor == 0 ? "" : "− ",
                   money_format(m, MONEY_CODE_THOUSANDS, text));
    amount(p, w, note, less, false);
}

/* ---------------------------------------------------------------- parts of the page */

static struct colour colour_of(enum payout_state state)
{
    if (state == PAYOUT_STATE_SETTLED)
        return pen_green;
    return payout_state_is_reversed(state) ? pen_red : pen_amber;
}

static void head(struct page *p, const struct receipt_view *v)
{
    char time[WORDS_TIME_SIZE], text[160];

    pen_fill(&p->pen, 0, 0, PAGE_WIDTH, 7, pen_green);
    if (speaks(p, RECEIPT_EN)) {
        pen_put(&p->pen, LEFT, 54, 250, &(struct style){LATIN " Bold 23", pen_ink, AT_LEFT, false},
                words_title.en);
        (void)snprintf(text, sizeof text, "%s %s", words_upto.en,
                       words_time_en(v->signed_at_us, time));
        pen_put(&p->pen, LEFT, 74, speaks(p, RECEIPT_UR) ? 250 : 400,
                &(struct style){LATIN " 9", pen_grey, AT_LEFT, false}, text);
    }
    if (speaks(p, RECEIPT_UR)) {
        pen_put(&p->pen, RIGHT - 200, 48, 200,
                &(struct style){URDU " Bold 19", pen_ink, AT_RIGHT, true}, words_title.ur);
        (void)snprintf(text, sizeof text, "%s %s", words_upto.ur,
                       words_time_ur(v->signed_at_us, time));
        pen_put(&p->pen, RIGHT - 240 - (p->lang == RECEIPT_UR ? 160 : 0), 75,
                240 + (p->lang == RECEIPT_UR ? 160 : 0),
                &(struct style){URDU " 9", pen_grey, AT_RIGHT, true}, text);
    }
    p->y = 90;
}

/* The amount, and the state it is in, in a box. In Urdu alone all is the other way round. */
static void hero(struct page *p, const struct receipt_view *v)
{
    const struct words state = words_of_state(v->state);
    const int64_t at_us = v->events[v->n_events - 1].at_us;
    const bool ur = p->lang == RECEIPT_UR;
    const double top = p->y, inner = RIGHT - LEFT - 36;
    struct colour c = colour_of(v->state);
    char text[MONEY_TEXT_SIZE], time[WORDS_TIME_SIZE];

    pen_fill(&p->pen, LEFT, top, RIGHT - LEFT, HERO_HEIGHT, pen_pale);
    pen_fill(&p->pen, ur ? RIGHT - 4 : LEFT, top, 4, HERO_HEIGHT, c);
    pen_put(&p->pen, LEFT + 18, top + 38, inner,
            &(struct style){LATIN " Bold 26", pen_ink, ur ? AT_RIGHT : AT_LEFT, false},
            money_format(v->net, MONEY_CODE_THOUSANDS, text));
    if (ur) {
        pen_put(&p->pen, LEFT + 18, top + 24, inner,
                &(struct style){URDU " Bold 13", c, AT_LEFT, true}, state.ur);
        pen_put(&p->pen, LEFT + 18, top + 46, inner,
                &(struct style){URDU " 10", pen_grey, AT_LEFT, true}, words_time_ur(at_us, time));
        p->y = top + HERO_HEIGHT + HERO_BELOW;
        return;
    }
    pen_put(&p->pen, LEFT + 18 + inner / 2, top + 24, inner / 2,
            &(struct style){LATIN " Bold 12", c, speaks(p, RECEIPT_UR) ? AT_LEFT : AT_RIGHT, false},
            state.en);
    if (speaks(p, RECEIPT_UR))
        pen_put(&p->pen, LEFT + 18 + inner * 3 / 4, top + 23, inner / 4,
                &(struct style){URDU " Bold 12", c, AT_RIGHT, true}, state.ur);
    pen_put(
        &p->pen, LEFT + 18 + inner / 2, top + 44, inner / 2,
        &(struct style){LATIN " 10", pen_grey, speaks(p, RECEIPT_UR) ? AT_LEFT : AT_RIGHT, false},
        words_time_en(at_us, time));
    p->y = top + HERO_HEIGHT + HERO_BELOW;
}

/* What a bank said last of the payout. */
static const char *last_of(const struct receipt_view *v, size_t field_offset)
{
    const char *found = NULL;

    for (unsigned i = 0; i < v->n_events; i++) {
        const char *const *field =
            (const char *const *)(const void *)((const char *)&v->events[i] + field_offset);
        found = *field == NULL ? found : *field;
    }
    return found;
}

#define LAST(v, field) last_of(v, offsetof(struct receipt_event, field))

static void payment(struct page *p, const struct receipt_view *v)
{
    const char *erased = p->lang == RECEIPT_UR ? words_erased.ur : words_erased.en;

    heading(p, &words_payment);
    row(p, &words_platform, v->platform);
    row(p, &words_reference, v->reference);
    row(p, &words_payee, v->payee == NULL ? erased : v->payee);
    row(p, &words_bank, v->bank_name);
    row(p, &words_account, v->account == NULL ? erased : v->account);
    row(p, &words_info, v->info);
    row(p, &words_bank_reference, LAST(v, bank_reference));
    row(p, &words_eprc, LAST(v, eprc_number));
    row(p, &words_reason, LAST(v, reason_code));
}

/* How high a row may be for all of them to fit above the proof. */
static double row_height(const struct receipt_view *v)
{
    unsigned rows = 5 + (v->info != NULL) + (LAST(v, bank_reference) != NULL) +
                    (LAST(v, eprc_number) != NULL) + (LAST(v, reason_code) != NULL) + /* payment */
                    3 + (v->converts ? 5 : 0) + (v->has_tax ? 2 : 0) +                /* price */
                    v->n_events + 3 /* headings */;
    double room =
        PROOF_TOP - 14 - (90 + HERO_HEIGHT + HERO_BELOW) - 3 * (HEADING_ABOVE + HEADING_BELOW) - 3;

    return room / rows < ROW_MAX ? room / rows : ROW_MAX;
}

static void price(struct page *p, const struct receipt_view *v)
{
    char source[96];

    (void)snprintf(source, sizeof source, "%.32s, %.10s", v->rate_source, v->rate_date);
    heading(p, &words_price);
    money_row(p, &words_gross, "", v->gross, false);
    deduction(p, &words_fee, "", v->fee);
    if (v->converts) {
        money_row(p, &words_converted, "", v->converted, false);
        amount(p, &words_mid_rate, source, v->mid_rate, false);
        money_row(p, &words_mid_value, "", v->mid_value, false);
        deduction(p, &words_margin, v->margin_percent, v->margin);
        amount(p, &words_our_rate, "", v->our_rate, false);
    }
    pen_rule(&p->pen, LEFT, RIGHT, p->y - p->row + 7, pen_line, 0.5);
    p->y += 3;
    money_row(p, &words_net, "", v->net, true);
    if (v->has_tax) {
        deduction(p, &words_tax, "", v->tax);
        money_row(p, &words_after_tax, "", v->after_tax, true);
    }
}

/* A payment that came back and forth has more of them than a page has room for: the first and the last are shown. */
enum { HISTORY_ROWS = 8, HISTORY_FIRST = 3 };

static void history(struct page *p, const struct receipt_view *v)
{
    char time[WORDS_TIME_SIZE];

    heading(p, &words_history);
    for (unsigned i = 0; i < v->n_events; i++) {
        const struct words state = words_of_state(v->events[i].state);

        if (v->n_events > HISTORY_ROWS && i == HISTORY_FIRST) {
            row(p, &(struct words){"…", "…"}, "");
            i = v->n_events - (HISTORY_ROWS - HISTORY_FIRST - 1) - 1;
            continue;
        }
        if (p->lang != RECEIPT_UR) {
            row(p, &state, words_time_en(v->events[i].at_us, time));
            continue;
        }
        label(p, &state, LATIN " 10", URDU " 10", pen_grey);
        pen_put(&p->pen, p->value_left, p->y, p->value_right - p->value_left,
                &(struct style){URDU " 10", pen_ink, AT_RIGHT, true},
                words_time_ur(v->events[i].at_us, time));
        p->y += p->row;
    }
}

/* ---------------------------------------------------------------- the proof */

/* As squares of ink, with the four modules of quiet zone that ISO/IEC 18004 wants. */
static bool draw_qr(struct page *p, double x, double y, const char *text)
{
    QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    double module;

    if (qr == NULL)
        return false;
    module = QR_SIZE / (qr->width + 8);
    cairo_set_source_rgb(p->pen.cr, pen_white.r, pen_white.g, pen_white.b);
    cairo_rectangle(p->pen.cr, x, y, QR_SIZE, QR_SIZE);
    cairo_fill(p->pen.cr);
    cairo_set_source_rgb(p->pen.cr, 0, 0, 0);
    for (int row_no = 0; row_no < qr->width; row_no++)
        for (int col = 0; col < qr->width; col++)
            if ((qr->data[row_no * qr->width + col] & 1) != 0)
                cairo_rectangle(p->pen.cr, x + (col + 4) * module, y + (row_no + 4) * module,
                                module, module);
    cairo_fill(p->pen.cr);
    QRcode_free(qr);
    return true;
}

static double proof_line(struct page *p, double x, double y, const char *name, const char *value)
{
    pen_put(&p->pen, x, y, 50, &(struct style){LATIN " 7.5", pen_grey, AT_LEFT, false}, name);
    pen_put(&p->pen, x + 50, y, RIGHT - x - 50,
            &(struct style){LATIN " 7.5", pen_ink, AT_LEFT, false}, value);
    return y + 11;
}

static bool proof(struct page *p, const struct receipt_view *v)
{
    double x = LEFT + QR_SIZE + 10, y = PROOF_TOP + 4;
    char text[2][160], time[WORDS_TIME_SIZE];

    pen_rule(&p->pen, LEFT, RIGHT, PROOF_TOP - 3, pen_line, 0.7);
    if (!draw_qr(p, LEFT - 7, PROOF_TOP + 1, v->qr)) {
        complain("the QR code cannot be drawn");
        return false;
    }
    if (speaks(p, RECEIPT_EN))
        y += pen_put_lines(&p->pen, x, y, RIGHT - x,
                           &(struct style){LATIN " 8.5", pen_grey, AT_LEFT, false},
                           words_proof_text.en);
    if (speaks(p, RECEIPT_UR))
        (void)pen_put_lines(&p->pen, x, y - 1, RIGHT - x,
                            &(struct style){URDU " 8.5", pen_grey, AT_LEFT, true},
                            words_proof_text.ur);
    y = PROOF_TOP + QR_SIZE + 2 - 3 * 11;
    (void)snprintf(text[0], sizeof text[0], "%s, payout %lld, journal %lld in block %lld",
                   v->platform, (long long)v->payout_id, (long long)v->seq, (long long)v->block_no);
    (void)snprintf(text[1], sizeof text[1], "%lld blocks, signed with key %s, %s",
                   (long long)v->tree_size, v->key_id, words_time_en(v->signed_at_us, time));
    y = proof_line(p, x, y, "Book", text[0]);
    y = proof_line(p, x, y, "Leaf hash", v->leaf);
    y = proof_line(p, x, y, "Log", text[1]);
    (void)proof_line(p, x, y, "Log root", v->root);
    return true;
}

static bool draw(struct page *p, const struct receipt_view *v)
{
    p->value_left = LEFT + (speaks(p, RECEIPT_EN) ? LABEL_WIDTH : 0);
    p->value_right = RIGHT - (speaks(p, RECEIPT_UR) ? LABEL_WIDTH : 0);
    p->row = row_height(v);
    head(p, v);
    hero(p, v);
    payment(p, v);
    price(p, v);
    history(p, v);
    if (!proof(p, v))
        return false;
    if (!pen_has_letters(&p->pen))
        return false;
    return true;
}

bool receipt_pdf_make(const struct receipt_view *view, enum receipt_lang lang, struct buf *out)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(pen_append, out, PAGE_WIDTH, PAGE_HEIGHT);
    struct page page = {.pen = {.cr = cairo_create(surface)}, .lang = lang};
    char title[128], when[TIMEFMT_SIZE];
    cairo_status_t status;
    bool ok = true;

    (void)snprintf(title, sizeof title, "%s: %.64s", words_title.en, view->reference);
    timefmt_rfc3339(view->signed_at_us, when);
    (void)memcpy(when + 19, "Z", 2); /* cairo knows no fractions of a second */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, view->qr);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, when);
    if (cairo_status(page.pen.cr) == CAIRO_STATUS_SUCCESS)
        ok = draw(&page, view);
    cairo_destroy(page.pen.cr);
    cairo_surface_finish(surface);
    status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (ok && status != CAIRO_STATUS_SUCCESS) {
        complain("the page cannot be made: %s", cairo_status_to_string(status));
        ok = false;
    }
    return ok;
}
