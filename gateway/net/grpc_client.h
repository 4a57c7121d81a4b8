/*
 * A gRPC client on the same HTTP/2 and TLS code as the server: one connection, many calls.
 *
 * Everything runs on the thread that runs the event_base; callbacks come from the loop, never from
 * inside the function that starts a call. A lost connection fails its calls with UNAVAILABLE; the
 * next call that is started opens another one.
 */
#ifndef UJRAT_NET_GRPC_CLIENT_H
#define UJRAT_NET_GRPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/net/grpc_server.h" /* struct net_error */
#include "gateway/net/grpc_status.h"

struct event_base;

typedef struct grpc_client grpc_client_t;
typedef struct grpc_client_call grpc_client_call_t;

/* The strings are copied. 0 means the default. */
struct grpc_client_config {
    const char *target;          /* "host:port", "[::1]:8443"; a name is looked up, which blocks */
    const char *authority;       /* the name the server's certificate must carry and that is sent as
                                :authority; NULL: the host of target */
    const char *ca_file;         /* PEM; must be given: the server is always verified */
    const char *cert_file;       /* PEM; NULL: no client certificate */
    const char *key_file;        /* PEM */
    uint32_t connect_timeout_ms; /* 5000; TCP and TLS */
    uint32_t message_bytes_max;  /* 16 MiB; a longer answer ends the call RESOURCE_EXHAUSTED */
    uint32_t calls_max;          /* 65536 open calls; more are UNAVAILABLE at once. Those above the
                                    server's stream limit wait their turn here */
};

/* How a call ended. The pointers are valid only during the callback (see grpc_reply_t below). */
struct grpc_result {
    enum grpc_status status;
    const char *message; /* percent-decoded, never NULL */
    size_t message_length;
    const uint8_t *details; /* google.rpc.Status, base64-decoded; NULL when there is none */
    size_t details_length;
    const uint8_t *bytes; /* unary: the answer; NULL when there is none */
    size_t bytes_length;
    /*
     * False: certainly no server has looked at the call (it never left, or HTTP/2 says so), and it
     * may be sent again without a thought. True: it may have been done, whatever the status says.
     */
    bool may_have_been_processed;
};

/* False: *error says why. Nothing is connected yet. base NULL: the client makes one of its own. */
MUST_CHECK bool grpc_client_new(const struct grpc_client_config *config, struct event_base *base,
                                struct net_error *error, grpc_client_t **out);

/* Calls still open end with CANCELLED (their on_done is called). Not from inside a callback. */
void grpc_client_free(grpc_client_t **client);

struct event_base *grpc_client_base(grpc_client_t *client);

/* Starts to connect without a call. */
void grpc_client_connect(grpc_client_t *client);
bool grpc_client_is_connected(const grpc_client_t *client);
/* Why the last connection failed or ended; "" if none did. */
const char *grpc_client_last_error(const grpc_client_t *client);

typedef void (*grpc_done_fn)(void *user, const struct grpc_result *result);
typedef void (*grpc_message_fn)(void *user, grpc_client_call_t *call, const uint8_t *bytes,
                                size_t length);

/*
 * One request, one answer. `path` is a literal or outlives the call; the request is copied.
 * deadline_ms 0: none. `done` comes exactly once, from the loop.
 */
void grpc_client_unary(grpc_client_t *client, const char *path, const uint8_t *request,
                       size_t request_length, uint32_t deadline_ms, grpc_done_fn done, void *user);

struct grpc_stream_handler {
    grpc_message_fn on_message; /* one whole message; bytes valid during the callback */
    grpc_done_fn on_done;       /* exactly once, the last; bytes is NULL */
    void *user;
};

/* One request, many answers. The handle is valid until on_done. */
grpc_client_call_t *grpc_client_server_stream(grpc_client_t *client, const char *path,
                                              const uint8_t *request, size_t request_length,
                                              uint32_t deadline_ms,
                                              const struct grpc_stream_handler *handler);

/* Both ways: send as much as you like, then half-close. The handle is valid until on_done. */
grpc_client_call_t *grpc_client_stream(grpc_client_t *client, const char *path,
                                       uint32_t deadline_ms,
                                       const struct grpc_stream_handler *handler);
/* Copies. False: the call is over or too much waits (GRPC_SEND_MAX_BYTES). */
bool grpc_client_call_send(grpc_client_call_t *call, const uint8_t *bytes, size_t length);
void grpc_client_call_half_close(grpc_client_call_t *call);

/* Ends the call with CANCELLED; on_done comes from the loop. */
void grpc_client_call_cancel(grpc_client_call_t *call);

/* ---------------------------------------------------------------- blocking, for the CLI */

/* A result of its own memory. */
typedef struct grpc_reply {
    enum grpc_status status;
    bool may_have_been_processed;
    char *message; /* NUL-ended, never NULL after a call */
    uint8_t *details;
    size_t details_length;
    uint8_t *bytes;
    size_t bytes_length;
} grpc_reply_t;

/*
 * Runs the client's event_base until the answer is there. `reply` is filled in every case;
 * true: status is GRPC_OK. Free it with grpc_reply_deinit either way.
 */
bool grpc_client_call_blocking(grpc_client_t *client, const char *path, const uint8_t *request,
                               size_t request_length, uint32_t deadline_ms, grpc_reply_t *reply);
void grpc_reply_deinit(grpc_reply_t *reply);

#endif
