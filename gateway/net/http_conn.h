/*
 * One HTTP/1.1 connection on h2_io's raw side: time-outs, bounds, answers. What a handler sees is http.h.
 *
 * Bounds: one request at a time. What a client sends ahead waits in `held`, at most a record of it, and then the socket is
 * not read. The next request begins only when the answer before it was taken, so a client that does not read makes nothing
 * grow.
 */
#ifndef UJRAT_NET_HTTP_CONN_H
#define UJRAT_NET_HTTP_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "gateway/net/h2_io.h"
#include "gateway/net/http.h"
#include "gateway/net/http_answer.h"
#include "gateway/net/http_parse.h"
#include "gateway/net/timers.h"

/* What the connections of one loop share. */
struct http_server {
    const struct http_handler *handler;
    struct http_limits limits; /* with defaults filled in */
    struct timers *timers;
    struct http_stats stats;
    struct http_gzip gzip;
    bool draining;
    net_log_fn log; /* NULL: silence */
    void *log_user;
    int64_t date_s; /* of the text below */
    char date[HTTP_DATE_SIZE];
};

/* handler and timers must outlive the server. */
void http_server_init(struct http_server *server, const struct http_handler *handler,
                      const struct http_limits *limits, struct timers *timers, net_log_fn log,
                      void *log_user);
void http_server_deinit(struct http_server *server);

struct http_conn;

struct http_conn_peer {
    uint64_t connection_id;
    const char *address; /* lives as long as the connection */
    bool over_limit;     /* too many connections: whatever it asks, 503 */
};

/* io is open and has no session; on_raw and on_drained go to the two below. NULL: no memory. */
struct http_conn *http_conn_new(struct http_server *server, struct h2_io *io,
                                const struct http_conn_peer *peer);
/* Before io's end. The handler hears on_gone if it holds an exchange. */
void http_conn_free(struct http_conn **conn);

void http_conn_take(struct http_conn *conn, const uint8_t *bytes, size_t length);
void http_conn_drained(struct http_conn *conn);

/* After server->draining was set: closes if no request is under way; else its answer closes. */
void http_conn_close_if_idle(struct http_conn *conn);

#endif
