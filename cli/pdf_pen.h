/*
 * pdf_pen.h: writing and drawing on the pages that people are given: text in English and Urdu, rules, boxes. Positions are in points
 * of 1/72 inch, from the page's upper left corner.
 */
#ifndef UJRAT_CLI_PDF_PEN_H
#define UJRAT_CLI_PDF_PEN_H

#include "base/buf.h"

#include <cairo.h>
#include <stdbool.h>

/* A4. */
#define PAGE_WIDTH  595.28
#define PAGE_HEIGHT 841.89

/* Urdu is written in Nastaliq, which stands on a slope: it takes more height than Latin of the same size. */
#define LATIN "Noto Sans, Noto Nastaliq Urdu"
#define URDU  "Noto Sans, Noto Nastaliq Urdu"

struct colour {
    double r, g, b;
};
extern const struct colour pen_ink, pen_grey, pen_line, pen_green, pen_red, pen_amber, pen_white,
    pen_pale;

enum side { AT_LEFT, AT_RIGHT, AT_CENTRE };

struct style {
    const char *font; /* family and size as Pango reads them, "Noto Sans Bold 9" */
    struct colour colour;
    enum side side;
    bool rtl;
};

struct pen {
    cairo_t *cr;
    bool no_letters; /* a text had some that no font of this machine has */
};

/* One line between x and x + width, on the baseline y; cut with an ellipsis if it is longer. Returns its width. */
double pen_put(struct pen *p, double x, double y, double width, const struct style *s,
               const char *text);

/* Lines of at most `width`, from the top y on. Returns the height. */
double pen_put_lines(struct pen *p, double x, double y, double width, const struct style *s,
                     const char *text);

/* The height that pen_put_lines() would take. */
double pen_lines_height(struct pen *p, double width, const struct style *s, const char *text);

void pen_rule(struct pen *p, double left, double right, double y, struct colour c,
              double thickness);
void pen_fill(struct pen *p, double x, double y, double width, double height, struct colour c);

/* False, and the user is told, if some letters were missing. */
bool pen_has_letters(const struct pen *p);

/* For cairo: appends to the struct buf that `user` is. */
cairo_status_t pen_append(void *user, const unsigned char *bytes, unsigned int n);

#endif
