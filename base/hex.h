/* hex.h: bytes as text: hexadecimal (lower case), base64url and base32 without padding (RFC 4648, sections 5 and 6). */
#ifndef UJRAT_BASE_HEX_H
#define UJRAT_BASE_HEX_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/* Size of the text of n bytes, NUL included. */
#define HEX_SIZE(n)       (2 * (n) + 1)
#define BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)
#define BASE32_SIZE(n)    (((n)*8 + 4) / 5 + 1)

/* out has room for HEX_SIZE(len); returns the length. */
size_t hex_encode(const void *p, size_t len, char *out);

/* Upper and lower case. ERR_PARSE on any other character or an odd length, ERR_LIMIT over out_size. */
MUST_CHECK err_t hex_decode(struct slice s, void *out, size_t out_size, size_t *out_len);

/* out has room for BASE64URL_SIZE(len); returns the length. */
size_t base64url_encode(const void *p, size_t len, char *out);

/* out has room for BASE32_SIZE(len); returns the length. */
size_t base32_encode(const void *p, size_t len, char *out);

/* Strict: no padding, no blanks, no stray bits at the end (one text per value). ERR_PARSE, ERR_LIMIT. */
MUST_CHECK err_t base64url_decode(struct slice s, void *out, size_t out_size, size_t *out_len);

#endif
