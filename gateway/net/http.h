/*
 * HTTP/1.1 on the port of the gRPC server, chosen by ALPN: whoever offers "http/1.1", with or without "h2", or no ALPN at
 * all (browsers and most HTTP libraries offer both, and have no client certificate; gRPC clients offer h2 alone). One
 * request at a time a connection, in order, each whole before it is handed over. TLS 1.2 or 1.3, no client certificate.
 *
 * The life of an exchange, as its handler sees it:
 *
 *   on_head → on_request → … http_reply
 *      └── http_reply (refused: the body is not taken)          or at any time: on_gone
 *
 * A handle (http_exchange_t *) is valid until http_reply or on_gone; exactly one of the two ends every exchange
 * that on_head saw. Replying is allowed inside on_head and on_request, and from any other event of the loop later (then
 * also before the body is whole). There is no time-out between on_request and the reply: that is the handler's.
 * Malformed requests, time-outs and overload are answered by the transport itself, through `transport_error`, so that
 * every error body has one shape.
 */
#ifndef UJRAT_NET_HTTP_H
#define UJRAT_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef struct http_exchange http_exchange_t;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER, /* a legal token that is none of these */
};

/* What the request line said. path is as it came (percent-encoded, begins with '/'); query is without its '?'. */
struct http_target {
    enum http_method method;
    struct slice path, query;
};

struct http_handler {
    /*
     * The head is whole and legal, none of the body was taken. True: *body_bytes_max says how much body may come (a larger
     * one is 413; 0: none). False: the handler has replied already; then what follows of the body is thrown away in
     * bounds, or the connection is closed after the answer.
     */
    bool (*on_head)(void *user, http_exchange_t *exchange, size_t *body_bytes_max);
    /* All of it. body is valid until the exchange ends. */
    void (*on_request)(void *user, http_exchange_t *exchange, struct slice body);
    /* The client went away, its body is refused (too large, too slow, malformed), or the server closes: no reply any
     * more. Only for exchanges whose on_head was called. Not to be called back with http_reply. */
    void (*on_gone)(void *user, http_exchange_t *exchange);
    /*
     * Writes the body of an answer that the transport itself gives: status is 400, 408, 413, 414, 417, 421, 431, 501, 503, 505; why is a
     * literal for people ("Content-Length and Transfer-Encoding together"). *content_type is a literal. NULL: a line of
     * plain text.
     */
    void (*transport_error)(void *user, unsigned status, const char *why, struct buf *body,
                            const char **content_type);
    void *user;
};

/* 0 means the default named in the comment. */
struct http_limits {
    uint32_t
        header_timeout_ms; /* 10000; a head, from its first byte to its last; and the first byte of all */
    uint32_t
        idle_timeout_ms; /* 75000; between an answer and the next request; told in Keep-Alive */
    uint32_t bytes_per_s_min; /* 4096; what a body must come at, and an answer be taken at … */
    uint32_t grace_ms;     /* 10000 … after so long; and how long an answer may not move at all */
    uint32_t requests_max; /* 10000 a connection; the last answer says close */
    uint32_t body_bytes_max; /* 16 MiB; over whatever on_head says */
    uint64_t
        body_bytes_max_total; /* 128 MiB; bodies half received or being handled, all connections of the loop;
                                      503 above */
};

struct http_stats {
    uint64_t connections_open, connections_total;
    uint64_t requests_total; /* heads that were whole and legal */
    uint64_t exchanges_open;
    uint64_t requests_refused;   /* by the transport, for any reason */
    uint64_t requests_timed_out; /* of these, by 408 */
    uint64_t requests_gone;      /* ended by on_gone */
    uint64_t body_bytes;         /* held now */
};

const struct http_target *http_exchange_target(const http_exchange_t *exchange);
/* The value of a header (name in lower case), without surrounding blanks; of several, the first, and *count says how
 * many there were (count may be NULL). False: it did not come. Valid as long as the handle is. */
MUST_CHECK bool http_exchange_header(const http_exchange_t *exchange, const char *name,
                                     struct slice *value, unsigned *count);
uint64_t http_exchange_connection_id(const http_exchange_t *exchange);
const char *http_exchange_peer_address(const http_exchange_t *exchange); /* "127.0.0.1:40122" */

/* The handler's own; NULL at first. */
void *http_exchange_user(const http_exchange_t *exchange);
void http_exchange_set_user(http_exchange_t *exchange, void *value);

/* A header of the answer besides Content-Type, -Length, -Encoding, Transfer-Encoding, Date, Connection and Keep-Alive,
 * which are the transport's (asserted). Copied. Names must be legal (asserted); values with CR, LF, NUL or another control
 * character are refused: false. At most 16, of 8 KB together: false. */
MUST_CHECK bool http_reply_header(http_exchange_t *exchange, const char *name, struct slice value);
/* Ends the exchange. content_type NULL: no body. The body is copied (or compressed, if the client takes gzip and it is
 * worth it: from 1 KiB on; then and only then Vary: Accept-Encoding is said). For HEAD the body is left out. A status from
 * 200 to 599; 204 and 304 have no body. */
void http_reply(http_exchange_t *exchange, unsigned status, const char *content_type,
                struct slice body);

#endif
