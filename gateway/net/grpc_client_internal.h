/* What the two files of the client share. */
#ifndef UJRAT_NET_GRPC_CLIENT_INTERNAL_H
#define UJRAT_NET_GRPC_CLIENT_INTERNAL_H

#include <sys/socket.h>

#include "gateway/net/byte_queue.h"
#include "gateway/net/grpc_client.h"
#include "gateway/net/grpc_frame.h"
#include "gateway/net/h2_io.h"
#include "gateway/net/timers.h"

struct client_conn {
    struct h2_io io; /* first: casts go both ways */
    struct grpc_client *client;
    struct client_conn *next; /* of those that are draining */
    struct net_timer timer;   /* connect time-out, then keepalive */
    size_t calls_open;
    int64_t ping_ms;
    bool ping_waits;
};

struct grpc_client_call {
    struct grpc_client_call *prev, *next; /* of the client's calls */
    struct grpc_client_call *next_waiting, *next_doomed;
    struct grpc_client *client;
    struct client_conn *conn; /* NULL: not given to HTTP/2 yet */
    const char *path;
    struct net_timer timer;
    uint32_t deadline_ms;
    int32_t stream_id;
    grpc_done_fn done;
    grpc_message_fn on_message; /* NULL: unary */
    void *user;
    struct byte_queue out;
    struct grpc_frame_reader reader;
    struct byte_queue answer;
    unsigned messages;

    bool half_closed, deferred, headers_sent, waiting, doomed, has_status, refused;
    int http_status;
    enum grpc_status status;
    char *message, *details; /* as on the wire; NULL: none */
    size_t message_length, details_length;
    const char *local_message; /* a literal of ours */
};

enum { CLIENT_ADDRESSES_MAX = 8 };

struct grpc_client {
    struct event_base *base;
    bool owns_base, freeing;
    char *target, *host, *authority, *verify_name;
    /* What the name stands for: often [::1] and 127.0.0.1, of which a server may listen on one alone. */
    struct client_address {
        struct sockaddr_storage address;
        socklen_t size;
    } addresses[CLIENT_ADDRESSES_MAX];
    unsigned n_addresses, address_at;
    unsigned untried; /* how many others are tried before calls are told that there is nobody */
    uint32_t connect_timeout_ms, message_bytes_max, calls_max;
    SSL_CTX *tls;
    nghttp2_session_callbacks *callbacks;
    struct h2_scratch *scratch;
    struct timers call_timers, conn_timers;
    struct event kick_event;
    struct client_conn *conn;     /* the one that takes new calls */
    struct client_conn *draining; /* those that the server told to go */
    bool connected;               /* conn is ready for calls */
    struct grpc_client_call *calls, *free_calls, *doomed;
    struct grpc_client_call *waiting_first, *waiting_last;
    size_t calls_open, free_calls_count;
    char last_error[256];
};

/* grpc_client_call.c */
bool client_callbacks_new(nghttp2_session_callbacks **out);
/* Gives it to HTTP/2, or dooms it. */
void client_call_submit(struct grpc_client_call *call, struct client_conn *conn);
/* Ends it now, with the callback. Only from the loop. */
void client_call_complete(struct grpc_client_call *call);
/* Sets the end and takes the call off its stream; it is completed by the kick event. */
void client_call_doom(struct grpc_client_call *call, enum grpc_status status, const char *literal);
void client_call_free_list(struct grpc_client *client);

/* grpc_client.c */
void client_kick(struct grpc_client *client);
/* Puts the call where it can go now: on the connection, or among those that wait for one. */
void client_place_call(struct grpc_client_call *call);
/* The server said it takes no more on this connection. */
void client_conn_retire(struct client_conn *conn);

#endif
