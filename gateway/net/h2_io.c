#include "gateway/net/h2_io.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/net/timers.h"

/* Fairness: what one connection may do before the others get their turn. */
#define RECORDS_PER_EVENT     16
#define FLUSH_BYTES_PER_EVENT ((size_t)256 * 1024)
#define LINGER_S              1

static void read_input(struct h2_io *io);
static void flush(struct h2_io *io);

/* ---------------------------------------------------------------- the end */

void h2_io_close(struct h2_io *io, const char *why)
{
    if (io->phase == H2_IO_CLOSED)
        return;
    io->phase = H2_IO_CLOSED;
    if (io->why[0] == 0)
        snprintf(io->why, sizeof io->why, "%s", why);
    if (io->fd >= 0) {
        event_del(&io->read_event);
        event_del(&io->write_event);
    }
    event_active(&io->flush_event, EV_TIMEOUT, 0);
}

static void linger(struct h2_io *io, const char *why)
{
    if (io->phase == H2_IO_LINGER || io->phase == H2_IO_CLOSED)
        return;
    if (io->fd < 0) {
        h2_io_close(io, why);
        return;
    }
    if (io->why[0] == 0)
        snprintf(io->why, sizeof io->why, "%s", why);
    if (io->ssl != NULL && io->phase == H2_IO_OPEN) {
        ERR_clear_error();
        (void)SSL_shutdown(io->ssl);
    }
    io->phase = H2_IO_LINGER;
    shutdown(io->fd, SHUT_WR);
    event_del(&io->write_event);
    event_add(&io->read_event, NULL); /* it may have been paused */
    struct timeval limit = {.tv_sec = LINGER_S};
    event_del(&io->flush_event);
    event_add(&io->flush_event, &limit);
}

static void discard_input(struct h2_io *io)
{
    for (int i = 0; i < RECORDS_PER_EVENT; i++) {
        ssize_t n = recv(io->fd, io->scratch->in, sizeof io->scratch->in, 0);
        if (n > 0)
            continue;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            h2_io_close(io, io->why);
        return;
    }
}

/* ---------------------------------------------------------------- TLS */

enum tls_step { TLS_DONE, TLS_WAIT, TLS_LOST };

static void want_write_event(struct h2_io *io)
{
    event_add(&io->write_event, NULL);
}

/* What a TLS call that did not do all it should means; closes on TLS_LOST. */
static enum tls_step tls_step(struct h2_io *io, int result, bool reading)
{
    if (result > 0)
        return TLS_DONE;
    int code = SSL_get_error(io->ssl, result);
    if (code == SSL_ERROR_WANT_READ)
        return TLS_WAIT;
    if (code == SSL_ERROR_WANT_WRITE) {
        if (reading)
            io->read_wants_write = true;
        want_write_event(io);
        return TLS_WAIT;
    }
    if (code == SSL_ERROR_ZERO_RETURN) {
        h2_io_close(io, "closed by peer");
    } else {
        char text[160];
        if (ERR_peek_error() == 0 && code == SSL_ERROR_SYSCALL && errno != 0)
            snprintf(text, sizeof text, "connection lost: %s", strerror(errno));
        else
            tls_error_text(NULL, text, sizeof text);
        h2_io_close(io, text);
    }
    return TLS_LOST;
}

static void answer_plain_http(struct h2_io *io)
{
    const char *answer = io->owner->plain_http_answer;
    ERR_clear_error();
    if (answer != NULL)
        (void)!send(io->fd, answer, strlen(answer), MSG_NOSIGNAL);
    linger(io, "plaintext HTTP on the TLS port");
}

static void shake_hands(struct h2_io *io)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(io->ssl);
    if (result == 1) {
        io->phase = H2_IO_OPEN;
        io->owner->on_open(io, tls_alpn_selected(io->ssl));
        if (io->phase != H2_IO_OPEN)
            return;
        h2_io_want_flush(io);
        read_input(io);
        return;
    }
    int code = SSL_get_error(io->ssl, result);
    if (code == SSL_ERROR_WANT_READ)
        return;
    if (code == SSL_ERROR_WANT_WRITE) {
        want_write_event(io);
        return;
    }
    io->failed_handshake = true;
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
        answer_plain_http(io);
        return;
    }
    char text[160];
    if (ERR_peek_error() == 0 && errno != 0)
        snprintf(text, sizeof text, "%s", strerror(errno));
    else
        tls_error_text(io->ssl, text, sizeof text);
    linger(io, text); /* so that our alert is read */
}

/* ---------------------------------------------------------------- input */

static void deliver(struct h2_io *io, const uint8_t *bytes, size_t length)
{
    io->bytes_in += length;
    if (io->session == NULL) {
        io->owner->on_raw(io, bytes, length);
        return;
    }
    ssize_t taken = nghttp2_session_mem_recv(io->session, bytes, length);
    if (taken < 0 && io->phase == H2_IO_OPEN) {
        /* What nghttp2 made of it (a GOAWAY, often) should still go out. */
        flush(io);
        linger(io, nghttp2_strerror((int)taken));
        return;
    }
    h2_io_want_flush(io);
}

static void read_input(struct h2_io *io)
{
    if (io->read_paused)
        return;
    io->last_read_ms = net_now_ms();
    io->read_wants_write = false;
    for (int i = 0; i < RECORDS_PER_EVENT; i++) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_read(io->ssl, io->scratch->in, sizeof io->scratch->in);
        if (tls_step(io, n, true) != TLS_DONE)
            return;
        deliver(io, io->scratch->in, (size_t)n);
        if (io->phase != H2_IO_OPEN || io->read_paused)
            return;
        /* The socket tells by itself when more comes; asking it now would cost a system call. */
        if (!SSL_has_pending(io->ssl))
            return;
    }
    event_active(&io->read_event, EV_READ, 0);
}

void h2_io_feed(struct h2_io *io, const uint8_t *bytes, size_t length)
{
    assert(io->ssl == NULL);
    if (io->phase != H2_IO_OPEN)
        return;
    io->last_read_ms = net_now_ms();
    deliver(io, bytes, length);
}

static void finish_connect(struct h2_io *io)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
        code = errno;
    if (code != 0) {
        h2_io_close(io, strerror(code));
        return;
    }
    io->phase = H2_IO_HANDSHAKE;
    shake_hands(io);
}

static void on_read_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct h2_io *io = arg;
    switch (io->phase) {
    case H2_IO_CONNECTING:
        finish_connect(io);
        break;
    case H2_IO_HANDSHAKE:
        shake_hands(io);
        break;
    case H2_IO_OPEN:
        read_input(io);
        break;
    case H2_IO_LINGER:
        discard_input(io);
        break;
    case H2_IO_CLOSED:
        break;
    }
}

static void on_write_event(evutil_socket_t fd, short what, void *arg)
{
    struct h2_io *io = arg;
    io->writing_blocked = false;
    if (io->phase == H2_IO_OPEN) {
        if (io->read_wants_write)
            read_input(io);
        if (io->phase == H2_IO_OPEN)
            flush(io);
    } else if (io->phase != H2_IO_LINGER) {
        on_read_event(fd, what, arg);
    }
}

/* ---------------------------------------------------------------- output */

/* Gives TLS what it takes. False: keep the rest, or the connection is gone. */
static bool write_tls(struct h2_io *io, const uint8_t *bytes, size_t length, size_t *written)
{
    *written = 0;
    io->bytes_out += length;
    if (io->ssl == NULL) {
        *written = length;
        return true;
    }
    while (*written < length) {
        size_t left = length - *written;
        ERR_clear_error();
        errno = 0;
        int n = SSL_write(io->ssl, bytes + *written, left < INT32_MAX ? (int)left : INT32_MAX);
        switch (tls_step(io, n, false)) {
        case TLS_DONE:
            *written += (size_t)n;
            io->last_write_ms = net_now_ms();
            break;
        case TLS_WAIT:
            io->writing_blocked = true;
            return false;
        case TLS_LOST:
            return false;
        }
    }
    return true;
}

static bool write_pending(struct h2_io *io)
{
    size_t length = byte_queue_length(&io->pending), written;
    if (length == 0)
        return true;
    io->bytes_out -= length; /* counted when it was queued */
    bool all = write_tls(io, byte_queue_front(&io->pending), length, &written);
    byte_queue_take(&io->pending, written);
    if (all)
        byte_queue_reset(&io->pending);
    return all;
}

/* One record; what TLS does not take is kept, with `more` behind it. */
static bool write_record(struct h2_io *io, size_t length, const uint8_t *more, size_t more_length)
{
    size_t written;
    if (write_tls(io, io->scratch->out, length, &written))
        return true;
    if (io->phase != H2_IO_OPEN)
        return false;
    io->bytes_out += more_length;
    if (!byte_queue_append(&io->pending, io->scratch->out + written, length - written) ||
        !byte_queue_append(&io->pending, more, more_length))
        h2_io_close(io, "out of memory");
    return false;
}

/* Packs frames into records until the session has no more. False: stopped early. */
static bool write_session(struct h2_io *io)
{
    size_t filled = 0, total = 0, chunk_length = 0;
    const uint8_t *chunk = NULL;
    for (;;) {
        if (chunk_length == 0) {
            ssize_t n = nghttp2_session_mem_send(io->session, &chunk);
            if (n < 0) {
                h2_io_close(io, nghttp2_strerror((int)n));
                return false;
            }
            chunk_length = (size_t)n;
            if (n == 0) {
                if (total < FLUSH_BYTES_PER_EVENT && io->owner->on_drained != NULL &&
                    io->owner->on_drained(io))
                    continue;
                break;
            }
        }
        size_t room = TLS_RECORD_BYTES - filled;
        size_t take = chunk_length < room ? chunk_length : room;
        memcpy(io->scratch->out + filled, chunk, take);
        filled += take;
        total += take;
        chunk += take;
        chunk_length -= take;
        if (filled < TLS_RECORD_BYTES)
            continue;
        if (!write_record(io, filled, chunk, chunk_length))
            return false;
        filled = 0;
        if (total >= FLUSH_BYTES_PER_EVENT && chunk_length == 0) {
            h2_io_want_flush(io);
            return false;
        }
    }
    if (filled > 0 && !write_record(io, filled, NULL, 0))
        return false;
    if (total >= FLUSH_BYTES_PER_EVENT)
        h2_io_want_flush(io); /* on_drained may have been passed over */
    return true;
}

static void flush(struct h2_io *io)
{
    if (io->phase != H2_IO_OPEN || io->writing_blocked || !write_pending(io))
        return;
    if (io->session == NULL) {
        if (io->shut_when_flushed)
            linger(io, "answered");
        else if (io->owner->on_drained != NULL)
            (void)io->owner->on_drained(io);
        return;
    }
    if (!write_session(io))
        return;
    if (nghttp2_session_want_read(io->session) == 0 && nghttp2_session_want_write(io->session) == 0)
        linger(io, "done");
}

static void on_flush_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct h2_io *io = arg;
    io->flush_wanted = false;
    if (io->phase == H2_IO_LINGER)
        h2_io_close(io, io->why);
    if (io->phase == H2_IO_CLOSED) {
        io->owner->on_closed(io, io->why);
        return;
    }
    flush(io);
}

void h2_io_want_flush(struct h2_io *io)
{
    if (io->flush_wanted || io->phase != H2_IO_OPEN)
        return;
    io->flush_wanted = true;
    event_active(&io->flush_event, EV_TIMEOUT, 0);
}

void h2_io_write_raw(struct h2_io *io, const void *bytes, size_t length)
{
    if (io->phase != H2_IO_OPEN)
        return;
    if (!h2_io_is_stalled(io))
        io->last_write_ms = net_now_ms(); /* patience begins now */
    io->bytes_out += length;
    if (!byte_queue_append(&io->pending, bytes, length))
        h2_io_close(io, "out of memory");
    h2_io_want_flush(io);
}

void h2_io_write_raw_and_close(struct h2_io *io, const void *bytes, size_t length)
{
    io->shut_when_flushed = true;
    h2_io_write_raw(io, bytes, length);
}

void h2_io_pause_reading(struct h2_io *io)
{
    if (io->phase != H2_IO_OPEN || io->read_paused)
        return;
    io->read_paused = true;
    if (io->fd >= 0)
        event_del(&io->read_event);
}

void h2_io_resume_reading(struct h2_io *io)
{
    if (io->phase != H2_IO_OPEN || !io->read_paused)
        return;
    io->read_paused = false;
    if (io->fd < 0)
        return;
    event_add(&io->read_event, NULL);
    event_active(&io->read_event, EV_READ, 0); /* TLS may hold what the socket gave already */
}

/* ---------------------------------------------------------------- birth and death */

void h2_io_init(struct h2_io *io, const struct h2_io_owner *owner, struct event_base *base,
                struct h2_scratch *scratch, int fd, SSL *ssl, bool accepting, bool connecting)
{
    memset(io, 0, sizeof *io);
    io->owner = owner;
    io->base = base;
    io->scratch = scratch;
    io->fd = fd;
    io->ssl = ssl;
    io->accepting = accepting;
    io->last_read_ms = net_now_ms();
    io->last_write_ms = io->last_read_ms;
    event_assign(&io->flush_event, base, -1, 0, on_flush_event, io);
    if (ssl == NULL) {
        io->phase = H2_IO_OPEN;
        io->fd = -1;
        return;
    }
    io->phase = connecting ? H2_IO_CONNECTING : H2_IO_HANDSHAKE;
    event_assign(&io->read_event, base, fd, EV_READ | EV_PERSIST, on_read_event, io);
    event_assign(&io->write_event, base, fd, EV_WRITE, on_write_event, io);
    event_add(&io->read_event, NULL);
    if (connecting || !accepting)
        event_add(&io->write_event, NULL); /* connected, or: say hello */
}

void h2_io_deinit(struct h2_io *io)
{
    event_del(&io->flush_event);
    if (io->fd >= 0) {
        event_del(&io->read_event);
        event_del(&io->write_event);
    }
    nghttp2_session_del(io->session);
    io->session = NULL;
    SSL_free(io->ssl);
    io->ssl = NULL;
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
    byte_queue_deinit(&io->pending);
    io->phase = H2_IO_CLOSED;
}
