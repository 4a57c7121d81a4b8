/* What the files of the server share. Nobody else includes this (but its fuzz target). */
#ifndef UJRAT_NET_GRPC_SERVER_INTERNAL_H
#define UJRAT_NET_GRPC_SERVER_INTERNAL_H

#include "gateway/net/byte_queue.h"
#include "gateway/net/grpc_frame.h"
#include "gateway/net/grpc_server.h"
#include "gateway/net/h2_io.h"
#include "gateway/net/http_conn.h"
#include "gateway/net/timers.h"

#define CALL_METADATA_MAX 8

struct call_header {
    char *name, *value; /* one block, owned through name; NULL: free slot */
    size_t name_length, value_length;
};

/* What only some calls need, so that most stay small. */
struct call_extra {
    struct call_header initial[CALL_METADATA_MAX];
    struct call_header trailing[CALL_METADATA_MAX];
    char *kept[CALL_METADATA_MAX]; /* request metadata, by index in config.metadata_names */
    size_t kept_length[CALL_METADATA_MAX];
    char *message; /* percent-encoded */
    size_t message_length;
    char *details; /* base64 */
    size_t details_length;
};

struct grpc_call {
    struct grpc_call *prev, *next;   /* of the connection's calls */
    struct grpc_call *next_writable; /* of the connection's list of calls to be told */
    struct grpc_conn *conn;
    const struct grpc_method *method;
    void *user;
    struct call_extra *extra;
    struct net_timer timer; /* deadline, and later: how long the end may take */
    int64_t deadline_ms;    /* CLOCK_MONOTONIC; 0: none */
    int64_t timeout_ms;     /* as the header said; -1: none */
    int32_t stream_id;
    enum grpc_status status;
    struct grpc_frame_reader reader;
    struct byte_queue held; /* a unary call's message that waits for the end of its stream */
    struct byte_queue out;
    size_t unconsumed; /* withheld from the stream's window while reading is paused */
    uint32_t header_bytes;

    /* the request's headers */
    bool is_post, is_head, type_is_grpc, type_is_known, encoding_is_bad, timeout_is_bad, builtin;
    bool headers_seen; /* what follows are trailers */

    const char *http_code, *http_text; /* the answer to what is not gRPC; literals */
    size_t discarded;

    bool engaged;     /* a handler holds the handle */
    bool half_closed; /* the client's side */
    bool has_held, delivered;
    bool discard; /* refused: the rest of the request is thrown away */
    bool plain;   /* answered as HTTP, without trailers */
    bool headers_sent, finished, deferred, end_sent;
    bool paused, want_writable, in_writable_list;
};

/* Stream ids that a client passed over, which it may not use any more (RFC 9113, 5.1.1). */
struct stream_gap {
    int32_t first, last;
};
#define STREAM_GAPS_MAX 4

struct grpc_conn {
    struct h2_io io; /* first: casts go both ways */
    struct grpc_server *server;
    struct grpc_conn *prev, *next;
    struct grpc_call *calls, *writable;
    uint32_t calls_open;
    size_t held_bytes; /* memory of half-received messages */
    struct grpc_peer peer;
    void *user;
    void (*user_free)(void *);
    struct net_timer timer;
    int64_t accepted_ms, idle_since_ms, ping_ms;
    bool over_limit, preface_seen, ping_waits, goaway_said;
    int32_t last_stream_id; /* the highest the client used */
    struct stream_gap gaps[STREAM_GAPS_MAX];
    uint32_t gaps_count;    /* ever; the oldest are forgotten */
    uint8_t http1_newlines; /* how much of the blank line that ends a request was seen */
    uint32_t http1_bytes;
    struct http_conn *http; /* HTTP/1.1, if somebody answers it */
};

struct method_slot {
    const struct grpc_method *method;
    size_t path_length;
    uint32_t hash;
    bool builtin;
};

struct grpc_health_state;
struct grpc_reflection_state;

struct grpc_server {
    struct grpc_server_config config; /* with defaults filled in; strings are ours */
    struct event_base *base;
    struct h2_scratch *scratch;
    SSL_CTX *tls;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    int listen_fd;
    uint16_t port;
    struct event accept_event, accept_pause_event, drain_event;
    struct timers call_timers, conn_timers;
    struct method_slot *methods;
    size_t methods_count, methods_capacity; /* capacity is a power of two */
    struct grpc_conn *conns;
    struct grpc_call *free_calls;
    uint32_t free_calls_count;
    uint64_t next_conn_id;
    size_t metadata_names_count;
    bool draining, goaway_said;
    void (*drained)(void *);
    void *drained_user;
    struct grpc_health_state *health;
    struct grpc_reflection_state *reflection;
    struct grpc_server_stats stats;
    struct http_server http; /* in use if config.http is set */
    int64_t refusals_second; /* the log tells of so many failed handshakes a second, then counts */
    uint32_t refusals_in_second;
};
#define REFUSALS_LOGGED_MAX 20U

/* grpc_server.c */
__attribute__((format(printf, 5, 6))) void
grpc_server_log(const struct grpc_server *server, enum log_level level, uint64_t connection_id,
                const char *event, const char *format, ...);
const struct method_slot *grpc_server_find_method(const struct grpc_server *server,
                                                  const char *path, size_t length);
void grpc_server_add_builtin(grpc_server_t *server, const struct grpc_method *table, size_t count);
/* Called by a connection that is gone, last of all: the server may be gone after it too. */
void grpc_server_conn_gone(struct grpc_server *server);

/* grpc_conn.c */
bool grpc_conn_callbacks_new(nghttp2_session_callbacks **out);
/* Takes fd and ssl over, also on failure. ssl NULL: fed by h2_io_feed. */
struct grpc_conn *grpc_conn_new(struct grpc_server *server, int fd, SSL *ssl, const char *address);
/* Everything at once, without callbacks of the loop. */
void grpc_conn_free(struct grpc_conn *conn);
void grpc_conn_shutdown_notice(struct grpc_conn *conn);
void grpc_conn_goaway(struct grpc_conn *conn);

/* grpc_call.c: life and time */

/* How long a unary request may take to arrive, and an answer to be taken, without a deadline. */
#define GRPC_SLOW_PEER_MS 60000

struct grpc_call *grpc_call_new(struct grpc_conn *conn, int32_t stream_id);
/* Tells the handler, if one holds it, and takes it off its connection. */
void grpc_call_gone(struct grpc_call *call);
void grpc_call_free_list(struct grpc_server *server);
/* Ends the handler's part: after this nobody but the transport knows the call. */
void grpc_call_disengage(struct grpc_call *call);
/* Made at the first use; NULL: no memory. */
struct call_extra *grpc_call_extra(struct grpc_call *call);
/* Half-received messages are counted, so that one connection can not hold all our memory. */
size_t grpc_call_held_bytes(const struct grpc_call *call);
/* on_cancel for the handler, and this status for the client. */
void grpc_call_refuse(struct grpc_call *call, enum grpc_status status, const char *message);
/* The same with RESOURCE_EXHAUSTED and a RetryInfo. */
void grpc_call_refuse_busy(struct grpc_call *call, const char *message, uint32_t retry_ms);
/* Its kind has one request: unary and server streaming. */
bool grpc_call_takes_one_message(const struct grpc_call *call);
/* The call's one timer, on net_now_ms()'s clock; takes the place of the one that was set. */
void grpc_call_set_timer(struct grpc_call *call, int64_t due_ms);
/* The headers are in: the client's deadline begins, and our limit on the arrival of one request. */
void grpc_call_start_clock(struct grpc_call *call);
/* The request is whole: from here only the client's own deadline counts. */
void grpc_call_request_arrived(struct grpc_call *call);

/* grpc_call_receive.c */
void grpc_call_take_header(struct grpc_call *call, const uint8_t *name, size_t name_length,
                           const uint8_t *value, size_t value_length);
void grpc_call_begin(struct grpc_call *call);
void grpc_call_take_data(struct grpc_call *call, const uint8_t *bytes, size_t length,
                         bool end_of_stream);
void grpc_call_half_closed(struct grpc_call *call);

/* grpc_call_send.c */
/* Tells those that may send more. True: there were any. */
bool grpc_conn_run_writable(struct grpc_conn *conn);
/*
 * What is not gRPC gets an HTTP answer, with a line of text for whoever looks at it: when the
 * request is over, or when enough of it was thrown away. answer_http says which (literals), send_…
 * sends it.
 */
void grpc_call_answer_http(struct grpc_call *call, const char *code, const char *text);
void grpc_call_send_http_answer(struct grpc_call *call);

/* health.c, reflection.c */
bool grpc_health_new(grpc_server_t *server);
void grpc_health_free(grpc_server_t *server);
/* All NOT_SERVING; then, with `finish`, the end of every Watch. */
void grpc_health_drain(grpc_server_t *server, bool finish);
bool grpc_reflection_new(grpc_server_t *server);
void grpc_reflection_free(grpc_server_t *server);
void grpc_reflection_drain(grpc_server_t *server);

#endif
