/*
 * HTTP/1.x requests out of bytes (RFC 9112): strict, incremental, without a socket. What two readers could read in
 * two ways is refused, whatever the RFC lets a server put up with: that is what request smuggling lives on.
 *
 * Whatever the pieces that the bytes come in, the events are the same (pieces of the body apart).
 */
#ifndef UJRAT_NET_HTTP_PARSE_H
#define UJRAT_NET_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "gateway/net/http.h"

#define HTTP_LINE_BYTES_MAX       8192U  /* the request line: 414 */
#define HTTP_HEAD_BYTES_MAX       16384U /* with it and the blank line: 431 */
#define HTTP_HEADERS_MAX          100U   /* 431 */
#define HTTP_CHUNK_LINE_BYTES_MAX 256U /* a chunk's size, and extensions, which mean nothing here */
#define HTTP_TRAILER_BYTES_MAX    4096U /* trailers are read, and dropped */

enum http_event {
    HTTP_EVENT_MORE,    /* all that was given is taken; more is needed */
    HTTP_EVENT_HEAD,    /* whole and legal */
    HTTP_EVENT_BODY,    /* a piece of it, never empty */
    HTTP_EVENT_END,     /* the message is over; http_parser_next lets the next one begin */
    HTTP_EVENT_REFUSED, /* parser->status and ->why; it takes no more */
};

enum http_parse_state {
    HTTP_PARSE_START,
    HTTP_PARSE_HEADER,
    HTTP_PARSE_BODY,
    HTTP_PARSE_CHUNK_SIZE,
    HTTP_PARSE_CHUNK,
    HTTP_PARSE_CHUNK_END,
    HTTP_PARSE_TRAILER,
    HTTP_PARSE_ENDING, /* the end is not told yet */
    HTTP_PARSE_OVER,
    HTTP_PARSE_REFUSED,
};

/* A piece of the head. */
struct http_span {
    uint16_t start, length;
};

struct http_header_span {
    struct http_span name, value;
};

struct http_parser {
    enum http_parse_state state;
    struct buf head; /* as it came, but names in lower case */
    struct buf line; /* of a chunk's size or a trailer */
    size_t line_start, trailer_bytes;
    struct http_header_span headers[HTTP_HEADERS_MAX];
    unsigned headers_count;
    struct http_span path, query, authority; /* authority: of an absolute-form target */
    enum http_method method;
    bool version_1_0, crlf_skipped;

    /* what the head says, from HTTP_EVENT_HEAD on */
    bool is_chunked, keep_alive, expects_continue;
    uint64_t content_length; /* 0 if it is chunked */

    uint64_t left; /* of the body, or of the chunk */
    unsigned status;
    const char *why; /* a literal */
};

void http_parser_init(struct http_parser *parser);
void http_parser_deinit(struct http_parser *parser);

/*
 * Takes from `in` up to the next event; returns how much. To be called until it says MORE, END or REFUSED, since a
 * head that ends with the bytes given may be followed by the END without any. *body points into `in`.
 */
size_t http_parser_take(struct http_parser *parser, struct slice in, enum http_event *event,
                        struct slice *body);

/* After HTTP_EVENT_END: what the head pointed to is gone. Large memory is given back. */
void http_parser_next(struct http_parser *parser);

/* Has something of a request come that is not over? A CRLF before it does not count. */
bool http_parser_has_begun(const struct http_parser *parser);

/* From HTTP_EVENT_HEAD to http_parser_next. */
struct http_target http_parser_target(const struct http_parser *parser);
/* See http_exchange_header. */
MUST_CHECK bool http_parser_header(const struct http_parser *parser, const char *name,
                                   struct slice *value, unsigned *count);
/* The values of one name, one a call; *at begins as 0. */
MUST_CHECK bool http_parser_next_value(const struct http_parser *parser, const char *name,
                                       unsigned *at, struct slice *value);

/* Takes the next element off a comma-separated list, without blanks; empty ones are passed over. False: no more. */
MUST_CHECK bool http_list_next(struct slice *rest, struct slice *element);
/* ASCII only, whatever the locale. */
bool http_equal_ignoring_case(struct slice a, struct slice b);

#endif
