/*
 * The bytes of HTTP answers: dates, what statuses are called, and gzip. No socket.
 */
#ifndef UJRAT_NET_HTTP_ANSWER_H
#define UJRAT_NET_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/net/http_parse.h"

/* A smaller body is not worth compressing. */
#define HTTP_GZIP_BYTES_MIN 1024U

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), whatever the locale. */
#define HTTP_DATE_SIZE 30
void http_format_date(int64_t unix_s, char out[HTTP_DATE_SIZE]);

/* "Not Found"; "" for a status that has no name here. */
const char *http_status_phrase(unsigned status);

/* Does Accept-Encoding take gzip (RFC 9110, 12.5.3)? Not when it is absent. */
bool http_takes_gzip(const struct http_parser *request);

/* One compressor for all connections of a loop; made at its first use. */
struct http_gzip {
    void *stream; /* z_stream */
};
/* False: it would be no smaller, or there is no memory; *out is empty then. */
bool http_gzip_compress(struct http_gzip *gzip, struct slice body, struct buf *out);
void http_gzip_deinit(struct http_gzip *gzip);

#endif
