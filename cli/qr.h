/* qr.h: a QR code on a terminal, or as a PNG file. */
#ifndef UJRAT_CLI_QR_H
#define UJRAT_CLI_QR_H

#include <stdbool.h>

/* To standard output, in half blocks, black on white whatever the terminal's colours are. False: the text is too long. */
bool qr_print(const char *text);

/* To the file that fd is open to write. False: it could not be written. */
bool qr_write_png(const char *text, int fd);

#endif
