/*
 * One connection's bytes: a non-blocking socket, TLS, and an nghttp2 session between them. The same
 * for server and client. It knows nothing of gRPC.
 *
 * Writing: anything that gives nghttp2 something to send calls h2_io_want_flush; one event of the
 * loop, after those that are ready now, then gathers all of it into whole TLS records.
 *
 * Nothing here is freed while its own callbacks run: h2_io_close only marks, and on_closed comes
 * from the loop, after which the owner may free everything.
 */
#ifndef UJRAT_NET_H2_IO_H
#define UJRAT_NET_H2_IO_H

#include <event2/event_struct.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/net/byte_queue.h"
#include "gateway/net/tls.h"

struct event_base;

/* Scratch memory of one loop, shared by its connections. */
struct h2_scratch {
    uint8_t in[TLS_RECORD_BYTES];
    uint8_t out[TLS_RECORD_BYTES];
};

enum h2_io_phase {
    H2_IO_CONNECTING, /* client: TCP */
    H2_IO_HANDSHAKE,
    H2_IO_OPEN,
    H2_IO_LINGER, /* our side is shut; what comes is thrown away, so that no RST eats our last words */
    H2_IO_CLOSED, /* on_closed is about to be called, or was */
};

struct h2_io;

struct h2_io_owner {
    /* TLS stands. The owner sets io->session for h2, or leaves it NULL to get on_raw. */
    void (*on_open)(struct h2_io *io, enum tls_alpn alpn);
    /* Plaintext of a connection without a session. */
    void (*on_raw)(struct h2_io *io, const uint8_t *bytes, size_t length);
    /* What to say, unencrypted, to a plaintext HTTP request on the TLS port. NULL: just close. */
    const char *plain_http_answer;
    /* After the session's output was taken, before it is known that there is no more: return true
     * if more was made. Raw: when all that was written is taken. NULL: none. */
    bool (*on_drained)(struct h2_io *io);
    /* The end. `why` is for the log. The owner frees io's memory after h2_io_deinit. */
    void (*on_closed)(struct h2_io *io, const char *why);
};

struct h2_io {
    const struct h2_io_owner *owner;
    struct event_base *base;
    struct h2_scratch *scratch;
    int fd;
    SSL *ssl; /* NULL: bytes are fed by h2_io_feed and output is dropped (tests) */
    nghttp2_session *session;
    enum h2_io_phase phase;
    bool accepting; /* server side */
    bool flush_wanted, writing_blocked, read_wants_write;
    bool shut_when_flushed; /* raw connections: linger when all is written */
    bool read_paused;
    bool failed_handshake;
    struct event read_event, write_event, flush_event;
    struct byte_queue pending; /* what TLS did not take yet */
    int64_t last_read_ms;      /* when the peer last said anything */
    int64_t last_write_ms;     /* when the socket last took anything, or had nothing to take */
    uint64_t bytes_in, bytes_out;
    char why[160];
};

/* The socket must be non-blocking; io owns fd and ssl from now on. connecting: TCP connect() is
 * still under way. */
void h2_io_init(struct h2_io *io, const struct h2_io_owner *owner, struct event_base *base,
                struct h2_scratch *scratch, int fd, SSL *ssl, bool accepting, bool connecting);
void h2_io_deinit(struct h2_io *io);

void h2_io_want_flush(struct h2_io *io);

/* Closes from the loop, soon, once; output that waits is lost. */
void h2_io_close(struct h2_io *io, const char *why);

/* Raw output (HTTP/1.1 answers), copied and written soon. */
void h2_io_write_raw(struct h2_io *io, const void *bytes, size_t length);
/* The same, and then the connection lingers and closes. */
void h2_io_write_raw_and_close(struct h2_io *io, const void *bytes, size_t length);

/* Takes nothing more from the socket, beyond the record that is being handed over, until resumed. A peer that goes
 * away meanwhile is not noticed. */
void h2_io_pause_reading(struct h2_io *io);
void h2_io_resume_reading(struct h2_io *io);

/* Is there output that the peer does not take? */
static inline bool h2_io_is_stalled(const struct h2_io *io)
{
    return byte_queue_length(&io->pending) > 0;
}

/* Tests and fuzzing: bytes as if from TLS. Output goes nowhere. */
void h2_io_feed(struct h2_io *io, const uint8_t *bytes, size_t length);

#endif
