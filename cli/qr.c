#include "cli/qr.h"

#include <cairo.h>
#include <qrencode.h>
#include <stdio.h>
#include <unistd.h>

/* Modules of white around it (ISO/IEC 18004 asks for four), and the pixels of a module in a file. */
enum { QUIET = 4, PIXELS = 8 };

static QRcode *encode(const char *text)
{
    return QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
}

static bool is_dark(const QRcode *qr, int x, int y)
{
    return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
           (qr->data[y * qr->width + x] & 1) != 0;
}

bool qr_print(const char *text)
{
    /* what is white: nothing, the lower half, the upper half, both */
    static const char *const blocks[] = {" ", "\u2584", "\u2580", "\u2588"};
    QRcode *qr = encode(text);

    if (qr == NULL)
        return false;
    for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
        printf("\033[40;97m");
        for (int x = -QUIET; x < qr->width + QUIET; x++)
            printf("%s", blocks[(is_dark(qr, x, y) ? 0 : 2) + (is_dark(qr, x, y + 1) ? 0 : 1)]);
        printf("\033[0m\n");
    }
    QRcode_free(qr);
    return true;
}

static cairo_status_t write_some(void *fd, const unsigned char *p, unsigned len)
{
    while (len > 0) {
        ssize_t n = write(*(const int *)fd, p, len);

        if (n <= 0)
            return CAIRO_STATUS_WRITE_ERROR;
        p += n;
        len -= (unsigned)n;
    }
    return CAIRO_STATUS_SUCCESS;
}

bool qr_write_png(const char *text, int fd)
{
    QRcode *qr = encode(text);
    int side = qr == NULL ? 0 : (qr->width + 2 * QUIET) * PIXELS;
    cairo_surface_t *surface;
    cairo_t *cr;
    bool good;

    if (qr == NULL)
        return false;
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);
    cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    for (int y = 0; y < qr->width; y++)
        for (int x = 0; x < qr->width; x++)
            if (is_dark(qr, x, y))
                cairo_rectangle(cr, (x + QUIET) * PIXELS, (y + QUIET) * PIXELS, PIXELS, PIXELS);
    cairo_fill(cr);
    good = cairo_status(cr) == CAIRO_STATUS_SUCCESS &&
           cairo_surface_write_to_png_stream(surface, write_some, &fd) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    QRcode_free(qr);
    return good;
}
