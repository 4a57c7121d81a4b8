/* HTTP/1.1 test routes: see http.c. */
#ifndef UJRAT_TESTS_INTEROP_HTTP_H
#define UJRAT_TESTS_INTEROP_HTTP_H

#include "gateway/net/grpc_server.h"

struct event_base;

struct interop_http {
    struct event_base *base;
    const grpc_server_t *server; /* for /stats */
    struct http_handler handler;
};

void interop_http_init(struct interop_http *http, struct event_base *base);

#endif
