#include "cli/pdf_pen.h"

#include "base/command.h"

#include <pango/pangocairo.h>

const struct colour pen_ink = {0.11, 0.13, 0.16}, pen_grey = {0.42, 0.45, 0.49},
                    pen_line = {0.85, 0.87, 0.89}, pen_green = {0.04, 0.38, 0.25},
                    pen_red = {0.66, 0.13, 0.13}, pen_amber = {0.60, 0.38, 0.02},
                    pen_white = {1, 1, 1}, pen_pale = {0.955, 0.965, 0.96};

static PangoLayout *lay_out(struct pen *p, const struct style *s, const char *text)
{
    PangoLayout *layout = pango_cairo_create_layout(p->cr);
    PangoFontDescription *font = pango_font_description_from_string(s->font);

    pango_cairo_context_set_resolution(pango_layout_get_context(layout), 72);
    pango_context_set_base_dir(pango_layout_get_context(layout),
                               s->rtl ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_LTR);
    pango_layout_set_auto_dir(layout, false);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

double pen_put(struct pen *p, double x, double y, double width, const struct style *s,
               const char *text)
{
    PangoLayout *layout = lay_out(p, s, text);
    PangoRectangle extent;
    double free;

    pango_layout_set_single_paragraph_mode(layout, true);
    pango_layout_get_extents(layout, NULL, &extent);
    if ((double)extent.width / PANGO_SCALE > width) {
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
        pango_layout_get_extents(layout, NULL, &extent);
    }
    p->no_letters = p->no_letters || pango_layout_get_unknown_glyphs_count(layout) > 0;
    free = width - (double)extent.width / PANGO_SCALE;
    x += s->side == AT_RIGHT ? free : s->side == AT_CENTRE ? free / 2 : 0;
    cairo_set_source_rgb(p->cr, s->colour.r, s->colour.g, s->colour.b);
    cairo_move_to(p->cr, x - (double)extent.x / PANGO_SCALE,
                  y - (double)pango_layout_get_baseline(layout) / PANGO_SCALE);
    pango_cairo_show_layout(p->cr, layout);
    g_object_unref(layout);
    return width - free;
}

double pen_put_lines(struct pen *p, double x, double y, double width, const struct style *s,
                     const char *text)
{
    PangoLayout *layout = lay_out(p, s, text);
    PangoRectangle extent;

    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, s->rtl || s->side == AT_RIGHT ? PANGO_ALIGN_RIGHT
                                                                     : PANGO_ALIGN_LEFT);
    pango_layout_get_extents(layout, NULL, &extent);
    p->no_letters = p->no_letters || pango_layout_get_unknown_glyphs_count(layout) > 0;
    cairo_set_source_rgb(p->cr, s->colour.r, s->colour.g, s->colour.b);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, layout);
    g_object_unref(layout);
    return (double)extent.height / PANGO_SCALE;
}

void pen_rule(struct pen *p, double left, double right, double y, struct colour c, double thickness)
{
    cairo_set_source_rgb(p->cr, c.r, c.g, c.b);
    cairo_set_line_width(p->cr, thickness);
    cairo_move_to(p->cr, left, y);
    cairo_line_to(p->cr, right, y);
    cairo_stroke(p->cr);
}

double pen_lines_height(struct pen *p, double width, const struct style *s, const char *text)
{
    PangoLayout *layout = lay_out(p, s, text);
    PangoRectangle extent;

    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_get_extents(layout, NULL, &extent);
    g_object_unref(layout);
    return (double)extent.height / PANGO_SCALE;
}

void pen_fill(struct pen *p, double x, double y, double width, double height, struct colour c)
{
    cairo_set_source_rgb(p->cr, c.r, c.g, c.b);
    cairo_rectangle(p->cr, x, y, width, height);
    cairo_fill(p->cr);
}

bool pen_has_letters(const struct pen *p)
{
    if (p->no_letters) {
        complain(
            "no font of this machine has all the letters: install Noto Sans and Noto Nastaliq Urdu "
            "(Debian: fonts-noto-core)");
        return false;
    }
    return true;
}

cairo_status_t pen_append(void *user, const unsigned char *bytes, unsigned int n)
{
    return err_failed(buf_append(user, bytes, n)) ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}
