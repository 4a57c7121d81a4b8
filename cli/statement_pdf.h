/* statement_pdf.h: what the pages of a statement are made of; statement_pdf.c turns them, the others fill them. */
#ifndef UJRAT_CLI_STATEMENT_PDF_H
#define UJRAT_CLI_STATEMENT_PDF_H

#include "cli/pdf_pen.h"
#include "cli/statement.h"

#define PAGES_LEFT   38.0
#define PAGES_RIGHT  (PAGE_WIDTH - PAGES_LEFT)
#define PAGES_BOTTOM (PAGE_HEIGHT - 46)
#define COLUMN_GAP   5.0
#define TABLE_ROW    13.0

struct pages {
    struct pen pen;
    enum receipt_lang lang;
    const struct statement *s;
    int page, n_pages;
    double y; /* where the next thing begins */
};

/* `left` is as if the page were read from the left. */
struct column {
    const struct words *title;
    double left, width;
    bool number;
};

/* Where something of that width stands, which in Urdu alone is counted from the right. */
double pages_x(const struct pages *p, double left, double width);
void pages_next(struct pages *p);
/* Turns the page if there is less room than that; true: it did. */
bool pages_room(struct pages *p, double height);
void pages_heading(struct pages *p, const struct words *w);
void table_titles(struct pages *p, const struct column *c, size_t n);
void table_row(struct pages *p, const struct column *c, size_t n, const char *const *cells,
               bool strong);

/* statement_front.c, statement_list.c */
void first_page(struct pages *p);
void payouts_one_by_one(struct pages *p);

#endif
