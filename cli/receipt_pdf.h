/* receipt_pdf.h: a receipt as one A4 page, in English, Urdu, or both side by side. */
#ifndef UJRAT_CLI_RECEIPT_PDF_H
#define UJRAT_CLI_RECEIPT_PDF_H

#include "base/buf.h"
#include "cli/receipt_view.h"
#include "cli/receipt_words.h"

/* Appends the PDF; the same receipt makes the same page. Complains and returns false: no font of this machine has the
 * letters, or there is no room. */
bool receipt_pdf_make(const struct receipt_view *view, enum receipt_lang lang, struct buf *out);

#endif
