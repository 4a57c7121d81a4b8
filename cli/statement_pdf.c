/* A statement as A4 pages: a first page for who has a minute, the payouts one by one for who has to check. In Urdu alone all is
 * the other way round. Numbers are written as they are on receipts. */
#include "cli/statement_pdf.h"

#include "base/timefmt.h"
#include "cli/statement_words.h"

#include <cairo-pdf.h>
#include <string.h>

static bool speaks(const struct pages *p, enum receipt_lang lang)
{
    return (p->lang & lang) != 0;
}

double pages_x(const struct pages *p, double left, double width)
{
    return p->lang == RECEIPT_UR ? PAGE_WIDTH - left - width : left;
}

/* ---------------------------------------------------------------- a page's edges */

static void running_head(struct pages *p)
{
    char text[YEAR_TEXT_SIZE];
    const double width = PAGES_RIGHT - PAGES_LEFT;

    pen_fill(&p->pen, 0, 0, PAGE_WIDTH, 5, pen_green);
    if (speaks(p, RECEIPT_EN)) {
        (void)snprintf(text, sizeof text, "%s · %s %d", year_title.en, year_tax_year.en,
                       p->s->year);
        pen_put(&p->pen, PAGES_LEFT, 32, width * 0.6,
                &(struct style){LATIN " 8.5", pen_grey, AT_LEFT, false}, text);
    }
    if (speaks(p, RECEIPT_UR)) {
        (void)snprintf(text, sizeof text, "%s · %s %d", year_title.ur, year_tax_year.ur,
                       p->s->year);
        pen_put(&p->pen, PAGES_LEFT + width * 0.5, 32, width * 0.5,
                &(struct style){URDU " 8.5", pen_grey, AT_RIGHT, true}, text);
    }
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, 44, pen_line, 0.7);
    p->y = 56;
}

static void foot(struct pages *p)
{
    char text[YEAR_TEXT_SIZE];
    const double y = PAGE_HEIGHT - 22, third = (PAGES_RIGHT - PAGES_LEFT) / 3;

    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, y - 16, pen_line, 0.7);
    (void)snprintf(text, sizeof text, "Page %d of %d", p->page, p->n_pages);
    if (speaks(p, RECEIPT_EN)) {
        pen_put(&p->pen, PAGES_LEFT, y, third,
                &(struct style){LATIN " 7.5", pen_grey, AT_LEFT, false}, year_no_certificate.en);
        pen_put(&p->pen, PAGES_LEFT + third, y, third,
                &(struct style){LATIN " 7.5", pen_grey, AT_CENTRE, false}, text);
    }
    if (speaks(p, RECEIPT_UR)) {
        pen_put(&p->pen, PAGES_RIGHT - third, y, third,
                &(struct style){URDU " 7.5", pen_grey, AT_RIGHT, true}, year_no_certificate.ur);
        (void)snprintf(text, sizeof text, "صفحہ %d از %d", p->page, p->n_pages);
        if (p->lang == RECEIPT_UR)
            pen_put(&p->pen, PAGES_LEFT + third, y, third,
                    &(struct style){URDU " 7.5", pen_grey, AT_CENTRE, true}, text);
    }
}

void pages_next(struct pages *p)
{
    foot(p);
    cairo_show_page(p->pen.cr);
    p->page++;
    running_head(p);
}

bool pages_room(struct pages *p, double height)
{
    if (p->y + height <= PAGES_BOTTOM)
        return false;
    pages_next(p);
    return true;
}

void pages_heading(struct pages *p, const struct words *w)
{
    const double width = (PAGES_RIGHT - PAGES_LEFT) / 2;

    p->y += 15;
    if (speaks(p, RECEIPT_EN))
        pen_put(&p->pen, PAGES_LEFT, p->y, width,
                &(struct style){LATIN " Bold 10.5", pen_green, AT_LEFT, false}, w->en);
    if (speaks(p, RECEIPT_UR))
        pen_put(&p->pen, PAGES_RIGHT - width, p->y, width,
                &(struct style){URDU " Bold 10", pen_green, AT_RIGHT, true}, w->ur);
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y + 9, pen_line, 0.7);
    p->y += 12;
}

/* ---------------------------------------------------------------- tables */

static double line_of_titles(struct pages *p, const struct column *c, size_t n, bool urdu, double y)
{
    for (size_t i = 0; i < n; i++)
        pen_put(&p->pen, pages_x(p, c[i].left, c[i].width - COLUMN_GAP), y, c[i].width - COLUMN_GAP,
                &(struct style){urdu ? URDU " 6.8" : LATIN " 7", pen_grey,
                                c[i].number || (p->lang == RECEIPT_UR) ? AT_RIGHT : AT_LEFT, urdu},
                urdu ? c[i].title->ur : c[i].title->en);
    return y + (urdu ? 12 : 9);
}

void table_titles(struct pages *p, const struct column *c, size_t n)
{
    p->y += 9;
    if (speaks(p, RECEIPT_EN))
        p->y = line_of_titles(p, c, n, false, p->y);
    if (speaks(p, RECEIPT_UR))
        p->y = line_of_titles(p, c, n, true, p->y + 3);
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y - 4, pen_line, 0.5);
    p->y += 7;
}

void table_row(struct pages *p, const struct column *c, size_t n, const char *const *cells,
               bool strong)
{
    for (size_t i = 0; i < n; i++)
        pen_put(&p->pen, pages_x(p, c[i].left, c[i].width - COLUMN_GAP), p->y,
                c[i].width - COLUMN_GAP,
                &(struct style){strong ? LATIN " Bold 8" : LATIN " 8", pen_ink,
                                c[i].number || p->lang == RECEIPT_UR ? AT_RIGHT : AT_LEFT, false},
                cells[i]);
    p->y += TABLE_ROW;
}

/* ---------------------------------------------------------------- the whole */

static void draw(struct pages *p)
{
    p->page = 1;
    first_page(p);
    payouts_one_by_one(p);
    foot(p);
}

static cairo_status_t discard(void *user, const unsigned char *bytes, unsigned int n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return CAIRO_STATUS_SUCCESS;
}

/* The last moment that the statement speaks of, so that the same ledger makes the same bytes. */
static int64_t made_at(const struct statement *s)
{
    int64_t at = s->begins_us;

    for (size_t i = 0; i < s->n_to; i++)
        if (s->to[i].as_of_us > at)
            at = s->to[i].as_of_us;
    return at;
}

static void describe(cairo_surface_t *surface, const struct statement *s)
{
    char title[YEAR_TEXT_SIZE], when[TIMEFMT_SIZE];

    (void)snprintf(title, sizeof title, "%s, %s %d", year_title.en, year_tax_year.en, s->year);
    timefmt_rfc3339(made_at(s), when);
    (void)memcpy(when + 19, "Z", 2); /* cairo knows no fractions of a second */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, when);
}

/* One run over all pages; *n_pages is what the feet say, and then how many there were. */
static bool run(const struct statement *s, enum receipt_lang lang, cairo_write_func_t write,
                struct buf *out, int *n_pages)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(write, out, PAGE_WIDTH, PAGE_HEIGHT);
    struct pages p = {
        .pen = {.cr = cairo_create(surface)}, .lang = lang, .s = s, .n_pages = *n_pages};
    cairo_status_t status;
    bool ok = true;

    describe(surface, s);
    if (cairo_status(p.pen.cr) == CAIRO_STATUS_SUCCESS) {
        draw(&p);
        ok = pen_has_letters(&p.pen);
    }
    cairo_destroy(p.pen.cr);
    cairo_surface_finish(surface);
    status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (ok && status != CAIRO_STATUS_SUCCESS) {
        complain("the pages cannot be made: %s", cairo_status_to_string(status));
        ok = false;
    }
    *n_pages = p.page;
    return ok;
}

bool statement_pdf(const struct statement *s, enum receipt_lang lang, struct buf *out)
{
    int n_pages = 0; /* nobody knows before they were counted */

    return run(s, lang, discard, NULL, &n_pages) && run(s, lang, pen_append, out, &n_pages);
}
