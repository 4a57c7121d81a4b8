/*
 * A gRPC server on nghttp2, OpenSSL and libevent: one port, TLS 1.3, one event loop. With `http` set the same port
 * answers HTTP/1.1 too (http.h), by ALPN, under TLS 1.2 or 1.3 and without asking for a client certificate; what gRPC
 * clients must bring stays as it is.
 *
 * Everything here runs on the thread that runs the event_base. Nothing blocks. All memory that a
 * peer can make grow is bounded by struct grpc_server_config.
 *
 * The life of a call, as a handler sees it:
 *
 *   authorize (server-wide) → on_start → on_message* → on_half_close → … grpc_call_finish
 *                                  └──────────── or at any time: on_cancel
 *
 * A handle (grpc_call_t *) is valid until the handler calls grpc_call_finish or is told by
 * on_cancel; exactly one of the two ends every call that was started. After either the handle must
 * not be touched, and no further callback comes for it. Finishing is allowed inside every callback
 * but on_cancel, and from any other event of the same loop, any time later.
 *
 * Answers are not written at once: they are gathered per connection and written in one TLS record
 * when the loop has run the events that were ready. So finish many calls in one event if you can.
 */
#ifndef UJRAT_NET_GRPC_SERVER_H
#define UJRAT_NET_GRPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "gateway/net/grpc_status.h"
#include "gateway/net/http.h"

struct event_base;

typedef struct grpc_server grpc_server_t;
typedef struct grpc_call grpc_call_t;

/*
 * Why something about the set-up failed, in words for an operator. Holds no secret. Not an err_t:
 * what OpenSSL and the certificate files have to say is made at run time.
 */
struct net_error {
    char text[256];
};

/*
 * One line for the log. `event` is a fixed word ("tls_refused"), `text` the particulars;
 * connection_id is 0 when the line is about no connection. Never called for ordinary calls.
 */
typedef void (*net_log_fn)(void *user, enum log_level level, uint64_t connection_id,
                           const char *event, const char *text);

struct grpc_tls_files {
    const char *cert_file;      /* PEM chain, leaf first; RSA or ECDSA */
    const char *key_file;       /* PEM */
    const char *client_ca_file; /* PEM; NULL: no client certificate is asked for */
    const char *crl_file;       /* PEM, CRLs of the leaf's issuer; NULL: none is checked. An issuer
                                   without one, or whose is past its nextUpdate, is not trusted */
    bool client_cert_required;  /* false: a call without one goes to `authorize` all the same */
};

/* 0 means the default named in the comment. The strings are copied. */
struct grpc_server_config {
    const char *listen_address; /* IPv4 or IPv6 literal; NULL: 127.0.0.1 */
    uint16_t listen_port;       /* 0: the kernel chooses; see grpc_server_port */
    bool reuse_port;            /* SO_REUSEPORT, for N workers on one port */
    int listen_fd;              /* > 0: an already bound and listening socket, which the server then
                                   owns; address, port and reuse_port are ignored */
    struct grpc_tls_files tls;

    uint32_t connections_max;            /* 1024; over it every call is refused with RetryInfo, and
                                            over 1.1 times it the socket is closed at accept */
    uint32_t streams_per_connection_max; /* 1024; SETTINGS_MAX_CONCURRENT_STREAMS. HTTP/2 also
                                            remembers so many closed ones, ~230 bytes each */
    uint32_t calls_max;                  /* 65536 over all connections; RESOURCE_EXHAUSTED above */
    uint32_t message_bytes_max;          /* 4 MiB; for methods that name none */
    uint32_t header_bytes_max;           /* 16 KiB; all headers of one call, names and values */
    uint32_t connection_bytes_max;       /* 32 MiB; half-received messages of one connection */
    uint32_t reset_burst_max;            /* 5000 streams a client may reset at once … */
    uint32_t reset_rate_max;             /* 500 … and a second, before it is sent away */
    uint32_t handshake_timeout_ms;       /* 5000; accept to the end of the HTTP/2 preface */
    uint32_t idle_timeout_ms;            /* 900000; a connection without calls */
    uint32_t keepalive_ms;               /* 60000; silence after which we PING, and then, without
                                            an answer for 20 s, close */

    /*
     * Names of request metadata to keep for grpc_call_metadata (lower case, NULL-ended, at most 8);
     * NULL: none is kept. The array must outlive the server.
     */
    const char *const *metadata_names;

    /*
     * Asked once a call, when its headers are in and before any of its body is looked at. True lets
     * it go on. False: the hook has already finished the call with grpc_call_finish. NULL: all may.
     * The built-in services (health, reflection) are not asked about.
     */
    bool (*authorize)(void *user, grpc_call_t *call);
    void *authorize_user;

    /*
     * Who answers HTTP/1.1, and its bounds; it must outlive the server. NULL: HTTP/1.1 is answered with 505, and TLS
     * is 1.3 alone. connections_max and handshake_timeout_ms count for both.
     */
    const struct http_handler *http;
    struct http_limits http_limits;

    net_log_fn log; /* NULL: silence */
    void *log_user;
};

/* Listens at once. False: *error says why, *out is NULL. */
MUST_CHECK bool grpc_server_new(const struct grpc_server_config *config, struct event_base *base,
                                struct net_error *error, grpc_server_t **out);

/*
 * Closes every connection, with on_cancel for every call. Not from inside a callback of a handler.
 */
void grpc_server_free(grpc_server_t **server);

uint16_t grpc_server_port(const grpc_server_t *server);

/* ---------------------------------------------------------------- methods */

enum grpc_method_kind { GRPC_UNARY, GRPC_CLIENT_STREAM, GRPC_SERVER_STREAM, GRPC_BIDI };

struct grpc_method {
    const char *path; /* "/ujrat.payout.v1.PayoutService/SubmitPayout" */
    enum grpc_method_kind kind;
    uint32_t request_bytes_max; /* one message; 0: the server's message_bytes_max */

    /* Any of these but on_message may be NULL. */

    /* The call begins: its metadata is known, no message is. */
    void (*on_start)(grpc_call_t *call);
    /*
     * One whole message. The bytes are valid only during the call. For GRPC_UNARY and
     * GRPC_SERVER_STREAM it comes exactly once and only when the client has sent all it will, so
     * these need no on_half_close (a client that sends none or two is refused by the transport).
     */
    void (*on_message)(grpc_call_t *call, const uint8_t *bytes, size_t length);
    /* The client will send no more. */
    void (*on_half_close)(grpc_call_t *call);
    /*
     * The call is gone: reset by the client, past its deadline, or its connection lost. What the
     * handler had under way goes on or not as it likes, but it can not answer any more.
     */
    void (*on_cancel)(grpc_call_t *call);
    /*
     * What waits to be sent fell below the low-water mark (GRPC_SEND_LOW_BYTES) after
     * grpc_call_send had said GRPC_SEND_PAUSE, or grpc_call_want_writable was called: send more.
     */
    void (*on_writable)(grpc_call_t *call);
    void *user; /* grpc_call_method_user */
};

/*
 * The table must outlive the server. A path that is there already is a bug (assert). A service's
 * name appears in reflection if the embedded descriptors know it.
 */
void grpc_server_add_methods(grpc_server_t *server, const struct grpc_method *table, size_t count);

/* ---------------------------------------------------------------- a call */

struct grpc_peer {
    uint64_t connection_id;   /* never 0, never reused in this process */
    char address[64];         /* "127.0.0.1:40122", "[::1]:40122" */
    bool has_certificate;     /* given and verified: chain, dates, CRL */
    unsigned san_uri_count;   /* URI names in the certificate; a principal should have exactly 1 */
    char san_uri[256];        /* the first of them; "" if none, too long, or with a NUL */
    uint8_t cert_sha256[32];  /* of the DER */
    int64_t cert_not_after_s; /* Unix time; calls after it are UNAUTHENTICATED by the transport */
};

/* Valid as long as the handle is. */
const struct grpc_peer *grpc_call_peer(const grpc_call_t *call);

/*
 * A slot of the connection's own, for what `authorize` found out about its certificate, so that it
 * is looked up once a connection. Freed with `free_fn` (may be NULL) when the connection ends or
 * another value takes its place.
 */
void *grpc_call_connection_user(const grpc_call_t *call);
void grpc_call_set_connection_user(grpc_call_t *call, void *value, void (*free_fn)(void *));

/* A slot of the call's own; NULL at first. The transport never frees it. */
void *grpc_call_user(const grpc_call_t *call);
void grpc_call_set_user(grpc_call_t *call, void *value);

void *grpc_call_method_user(const grpc_call_t *call);
const struct grpc_method *grpc_call_method(const grpc_call_t *call);
const char *grpc_call_path(const grpc_call_t *call);

/* Milliseconds left of the client's deadline, never negative; INT64_MAX when it named none. */
int64_t grpc_call_deadline_left_ms(const grpc_call_t *call);

/*
 * The value of a header named in metadata_names as it came (base64 for -bin); NULL if it did not.
 * Valid as long as the handle is. *length is set in both cases.
 */
const char *grpc_call_metadata(const grpc_call_t *call, const char *name, size_t *length);

/*
 * Metadata to send: the initial before the first grpc_call_send (or finish), the trailing before
 * finish. A -bin value must be base64 already. False: too much, too late, or not a legal header.
 */
bool grpc_call_add_initial_metadata(grpc_call_t *call, const char *name, const char *value,
                                    size_t value_length);
bool grpc_call_add_trailing_metadata(grpc_call_t *call, const char *name, const char *value,
                                     size_t value_length);

enum grpc_send_result {
    GRPC_SEND_OK,
    GRPC_SEND_PAUSE, /* sent, but much is waiting: no more until on_writable */
    GRPC_SEND_FULL,  /* NOT sent: GRPC_SEND_MAX_BYTES would wait; also when the call is over */
};
#define GRPC_SEND_LOW_BYTES  ((size_t)32 * 1024)
#define GRPC_SEND_HIGH_BYTES ((size_t)128 * 1024)
#define GRPC_SEND_MAX_BYTES  ((size_t)16 * 1024 * 1024)

/* Frames and copies one message. */
enum grpc_send_result grpc_call_send(grpc_call_t *call, const uint8_t *bytes, size_t length);

/* Sends the response headers now, before any message (a stream that may be silent for long). */
void grpc_call_send_headers(grpc_call_t *call);

/* Asks for one on_writable from the loop (at once if little is waiting). */
void grpc_call_want_writable(grpc_call_t *call);

/*
 * Stops and resumes taking messages in (by HTTP/2 flow control): for a bidirectional handler whose
 * client does not read. A few messages that are already here may still come.
 */
void grpc_call_pause_reading(grpc_call_t *call);
void grpc_call_resume_reading(grpc_call_t *call);

/*
 * Ends the call after what was sent. `message` (UTF-8, NULL: none; we percent-encode it) and
 * `details` (a serialized google.rpc.Status; NULL: none) are copied. The handle is void afterwards.
 */
void grpc_call_finish(grpc_call_t *call, enum grpc_status status, const char *message,
                      const uint8_t *details, size_t details_length);

/* The usual end of a unary call: one message and OK, in fewer steps. */
void grpc_call_reply(grpc_call_t *call, const uint8_t *bytes, size_t length);

/* RESOURCE_EXHAUSTED with a RetryInfo of that delay: some queue of ours is full. */
void grpc_call_finish_busy(grpc_call_t *call, const char *message, uint32_t retry_ms);

/* ---------------------------------------------------------------- running it */

/*
 * Ends politely: stops listening at once, tells clients (shutdown notice, 200 ms later the GOAWAY
 * with the last stream), lets calls under way finish, then calls `done` once. Streams that never
 * end by themselves are the handlers' to finish.
 */
void grpc_server_drain(grpc_server_t *server, void (*done)(void *user), void *user);

/*
 * Reads the TLS files again (the same names) into a fresh context for connections to come, and
 * sends away those connections whose certificate no longer verifies (revoked, expired, other CA).
 * False: *error says why and the old context stays.
 */
MUST_CHECK bool grpc_server_reload_tls(grpc_server_t *server, struct net_error *error);

struct grpc_server_stats {
    uint64_t connections_open, connections_total, connections_refused;
    uint64_t handshakes_failed;
    uint64_t calls_open, calls_total, calls_refused, calls_cancelled, calls_timed_out;
    uint64_t bytes_in, bytes_out; /* HTTP bytes, inside TLS */
    struct http_stats http;       /* of HTTP/1.1; its connections are counted above too */
};
void grpc_server_stats(const grpc_server_t *server, struct grpc_server_stats *out);

/* ---------------------------------------------------------------- built-in services */

enum grpc_health { GRPC_HEALTH_UNKNOWN, GRPC_HEALTH_SERVING, GRPC_HEALTH_NOT_SERVING };

/*
 * grpc.health.v1.Health (Check, Watch) is always there; "" is the server as a whole, SERVING at
 * first, and NOT_SERVING as soon as it drains. At most 64 services.
 */
void grpc_health_set(grpc_server_t *server, const char *service, enum grpc_health health);

/*
 * grpc.reflection.v1 and v1alpha. `descriptor_set` is a google.protobuf.FileDescriptorSet, which
 * must outlive the server; may be called more than once. Services listed are those with methods.
 * False: it does not parse.
 */
MUST_CHECK bool grpc_reflection_add(grpc_server_t *server, const uint8_t *descriptor_set,
                                    size_t length);

#endif
