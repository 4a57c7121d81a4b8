#include "seal/sealer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    STANDBY_MS = 1000,
    KEY_RETRY_MS = 1000,     /* a missing key is looked for again */
    BROKEN_RETRY_MS = 60000, /* a broken chain is looked at again */
    SAY_AGAIN_MS = 60000,
    AGAIN_MS = 20,
    HOLD_MS = 100, /* what a block that was not handed over has to be old before rows are read */
    RECEIVE_AT_ONCE = 64, /* messages of one descriptor, then others have a turn */
};

/* "ujraseal": the advisory lock of whoever seals in a database. */
#define SEALER_LOCK 0x756a72617365616cLL

struct member {
    struct seal_chain chain;
    int64_t retry_at_us; /* not before: a key is missing, or the chain is broken */
    int64_t said_at_us;
    bool was_broken;
    /* Blocks up to ripe_upto were there HOLD_MS ago, those up to seen_upto at seen_at_us. */
    int64_t ripe_upto, seen_upto, seen_at_us;
};

struct sealer {
    struct sealer_config config;
    struct seal_db db;
    bool leading, stood_by;
    struct seal_keyring ring;
    int64_t keys_read_at_us;
    struct seal_bench bench;
    struct member *members; /* by book */
    size_t n;
    int64_t backoff_ms;
    bool done;
    bool held; /* some blocks are to be handed over yet, or will be read in a moment */
    struct seal_handed *handed; /* NULL: nothing is */
    unsigned char *message;     /* room for one */
};

/* ---------------------------------------------------------------- what is handed over */

/* What has come at the descriptors. Who stands by for another sealer has no use for it. */
static void receive(void *user)
{
    struct sealer *s = user;
    for (unsigned i = 0; i < s->config.n_handover_fds; i++) {
        int *fd = &s->config.handover_fds[i];
        for (unsigned k = 0; *fd >= 0 && k < RECEIVE_AT_ONCE; k++) {
            struct iovec room = {s->message, SEAL_HANDOVER_BYTES_MAX};
            struct msghdr header = {.msg_iov = &room, .msg_iovlen = 1};
            ssize_t n = recvmsg(*fd, &header, MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                break;
            if (n <= 0) { /* everybody at the other end is gone */
                close(*fd);
                *fd = -1;
            } else if (!s->stood_by && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
                seal_handed_put(s->handed, slice_of(s->message, (size_t)n));
            }
        }
    }
}

/* Sealed, or not to be sealed soon, or of a book that is not there. */
static bool is_useless(void *user, int32_t book_id, int64_t block_no)
{
    const struct sealer *s = user;
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].chain.book.book_id == book_id)
            return block_no <= s->members[i].chain.last.block_no ||
                   s->members[i].retry_at_us > clock_monotonic_us() + AGAIN_MS * US_PER_MS;
    return true;
}

static err_t open_handover(struct sealer *s)
{
    if (s->config.n_handover_fds == 0)
        return err_none();
    s->message = malloc(SEAL_HANDOVER_BYTES_MAX);
    if (s->message == NULL)
        return err_make(ERR_NO_MEMORY, "sealer");
    s->db.meanwhile = (struct pgblock_meanwhile){
        .fds = s->config.handover_fds, .n = s->config.n_handover_fds, .ready = receive, .user = s};
    err_t err = seal_handed_new(SEAL_HANDED_BYTES_MAX, &s->handed);
    s->bench.handed = s->handed;
    return err;
}

bool sealer_wait(struct sealer *s, int fd, int64_t wait_ms)
{
    return pgblock_wait(&s->db.meanwhile, fd, clock_monotonic_us() + wait_ms * US_PER_MS);
}

/* ---------------------------------------------------------------- life */

err_t sealer_new(const struct sealer_config *config, struct sealer **out)
{
    struct sealer *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return err_make(ERR_NO_MEMORY, "sealer");
    s->config = *config;
    err_t err = seal_bench_init(&s->bench);
    s->bench.log = config->log;
    if (!err_failed(err))
        err = open_handover(s);
    if (!err_failed(err))
        err = seal_keyring_load(&s->ring, config->keys_folder, config->log);
    s->keys_read_at_us = clock_monotonic_us();
    if (err_failed(err)) {
        sealer_free(&s);
        return err;
    }
    log_info(config->log, "seal.starting", log_uint("keys", s->ring.n));
    *out = s;
    return err_none();
}

static void forget_books(struct sealer *s)
{
    for (size_t i = 0; i < s->n; i++)
        seal_chain_deinit(&s->members[i].chain);
    free(s->members);
    s->members = NULL;
    s->n = 0;
}

void sealer_free(struct sealer **sealer)
{
    struct sealer *s = *sealer;
    if (s == NULL)
        return;
    seal_db_close(&s->db);
    seal_keyring_deinit(&s->ring);
    forget_books(s);
    seal_bench_deinit(&s->bench);
    seal_handed_free(&s->handed);
    for (unsigned i = 0; i < s->config.n_handover_fds; i++)
        if (s->config.handover_fds[i] >= 0)
            close(s->config.handover_fds[i]);
    free(s->message);
    free(s);
    *sealer = NULL;
}

void sealer_reload_keys(struct sealer *s)
{
    err_t err = seal_keyring_load(&s->ring, s->config.keys_folder, s->config.log);
    s->keys_read_at_us = clock_monotonic_us();
    if (err_failed(err))
        log_error(s->config.log, "seal.keys_folder", log_str("path", s->config.keys_folder),
                  log_err(err));
}

bool sealer_is_done(const struct sealer *s)
{
    return s->done;
}

/* ---------------------------------------------------------------- a book */

static struct member *member_of(struct sealer *s, int32_t book_id, struct slice code)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].chain.book.book_id == book_id)
            return &s->members[i];
    struct member *members = realloc(s->members, (s->n + 1) * sizeof *members);
    if (members == NULL)
        return NULL;
    s->members = members;
    struct member *m = &members[s->n];
    *m = (struct member){.chain.book.book_id = book_id};
    if (err_failed(slice_copy(code, m->chain.book.code, sizeof m->chain.book.code)))
        return NULL; /* a CHECK of the table: it fits */
    s->n++;
    return m;
}

/* Whether to log what has been logged before. */
static bool say_again(struct member *m, int64_t now_us)
{
    if (m->said_at_us != 0 && now_us - m->said_at_us < SAY_AGAIN_MS * US_PER_MS)
        return false;
    m->said_at_us = now_us;
    return true;
}

/* A file may have come since the folder was read: true if it has, and there is nothing to wait for. */
static bool look_for_key(struct sealer *s, const struct seal_key_row *missing)
{
    int64_t now_us = clock_monotonic_us();
    if (missing->key_id[0] == '\0' || now_us - s->keys_read_at_us < KEY_RETRY_MS * US_PER_MS)
        return false;
    err_t err = seal_keyring_load(&s->ring, s->config.keys_folder, NULL);
    s->keys_read_at_us = now_us;
    if (err_failed(err))
        log_debug(s->config.log, "seal.keys_folder", log_err(err));
    return seal_keyring_find(&s->ring, missing->key_id) != NULL;
}

static void wait_for_key(struct sealer *s, struct member *m, const struct seal_key_row *missing,
                         bool *more)
{
    int64_t now_us = clock_monotonic_us();
    if (look_for_key(s, missing)) {
        *more = true;
        return;
    }
    if (say_again(m, now_us))
        log_warn(s->config.log, "seal.key_missing", log_str("book", m->chain.book.code),
                 log_int("block", m->chain.last.block_no + 1), log_str("key", missing->key_id),
                 log_str("hint", missing->key_id[0] == '\0'
                                     ? "run: ujrat log key add BOOK --keys FOLDER"
                                     : "its file is not in the folder that seal_keys names"));
    m->retry_at_us = now_us + KEY_RETRY_MS * US_PER_MS;
    m->chain.loaded = false; /* the next look reads the book's keys again */
}

/* SEAL_OK: the other books go on. */
static enum seal_result take_result(struct sealer *s, struct member *m, enum seal_result result)
{
    const char *state = s->db.pg.sqlstate;
    switch (result) {
    case SEAL_OK:
    case SEAL_LOST:
        return result;
    case SEAL_REFUSED:
        /* Somebody else has sealed these blocks, or a key has come into force: look again. */
        if (strcmp(state, "23505") != 0 && strcmp(state, "UJ409") != 0)
            return SEAL_LOST;
        log_info(s->config.log, "seal.again", log_str("book", m->chain.book.code),
                 log_str("problem", s->db.pg.problem));
        m->retry_at_us = clock_monotonic_us() + AGAIN_MS * US_PER_MS;
        return SEAL_OK;
    case SEAL_BROKEN:
        break;
    }
    m->retry_at_us = clock_monotonic_us() + BROKEN_RETRY_MS * US_PER_MS;
    m->was_broken = true;
    log_error(s->config.log, "seal.broken", log_str("book", m->chain.book.code),
              log_str("problem", s->db.pg.problem),
              log_str("hint", "nothing more of this book is sealed; run: ujrat-audit verify"));
    return SEAL_OK;
}

/* The newest blocks of a book that is handed over may be on their way to us: these are left for the next look. */
static int64_t leave_newest(struct sealer *s, struct member *m, int64_t upto)
{
    const int64_t now_us = clock_monotonic_us();
    const int32_t book_id = m->chain.book.book_id;
    if (now_us - m->seen_at_us >= HOLD_MS * US_PER_MS) {
        m->ripe_upto = m->seen_upto;
        m->seen_upto = upto;
        m->seen_at_us = now_us;
    }
    if (s->handed == NULL || !seal_handed_is_trusted(s->handed) || m->chain.checked_for_key == 0)
        return upto;
    while (upto > m->ripe_upto && !seal_handed_has(s->handed, book_id, upto)) {
        s->held = true;
        upto--;
    }
    return upto;
}

static enum seal_result seal_book(struct sealer *s, struct member *m, int64_t upto, bool *more)
{
    unsigned sealed = 0;
    const uint64_t handed = s->bench.from_handed, checked = s->bench.checked;
    const struct seal_key_row *missing = NULL;
    int64_t now_us = clock_monotonic_us();
    if (now_us < m->retry_at_us)
        return SEAL_OK;
    enum seal_result result =
        m->chain.loaded ? SEAL_OK : seal_chain_load(&m->chain, &s->bench, &s->db);
    if (result == SEAL_OK && m->was_broken) {
        log_warn(s->config.log, "seal.whole_again", log_str("book", m->chain.book.code));
        m->was_broken = false;
    }
    if (result == SEAL_OK)
        upto = leave_newest(s, m, upto);
    if (result == SEAL_OK)
        result = seal_chain_advance(&m->chain, &s->bench, &s->db, &s->ring, upto,
                                    clock_realtime_us(), &sealed, &missing);
    if (result != SEAL_OK) {
        *more = true;
        return take_result(s, m, result);
    }
    if (sealed > 0) {
        log_debug(s->config.log, "seal.sealed", log_str("book", m->chain.book.code),
                  log_int("block", m->chain.last.block_no), log_uint("blocks", sealed),
                  log_uint("handed_over", s->bench.from_handed - handed),
                  log_uint("checked", s->bench.checked - checked),
                  log_int("us", clock_monotonic_us() - now_us));
        *more = *more || m->chain.last.block_no < upto;
    }
    if (missing != NULL)
        wait_for_key(s, m, missing, more);
    return SEAL_OK;
}

/* ---------------------------------------------------------------- all books */

static enum seal_result seal_books(struct sealer *s, bool *more)
{
    struct rows *rows;
    params_reset(&s->bench.params);
    enum seal_result result = seal_db_ask(&s->db, "seal_heads", &s->bench.params, &rows);
    for (int i = 0; result == SEAL_OK && i < rows_count(rows); i++) {
        struct member *m = member_of(s, (int32_t)rows_int(rows, i, 0), rows_text(rows, i, 1));
        result = m == NULL ? SEAL_LOST : seal_book(s, m, rows_int(rows, i, 2), more);
    }
    rows_free(&rows);
    return result;
}

static int64_t lost(struct sealer *s)
{
    s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * s->backoff_ms;
    if (s->backoff_ms > BACKOFF_LAST_MS)
        s->backoff_ms = BACKOFF_LAST_MS;
    log_warn(s->config.log, "seal.lost", log_str("problem", s->db.pg.problem),
             log_str("sqlstate", s->db.pg.sqlstate), log_int("again_in_ms", s->backoff_ms));
    seal_db_close(&s->db);
    forget_books(s);
    s->leading = false;
    s->done = true; /* nothing that a stop could wait for */
    return s->backoff_ms;
}

static enum seal_result try_to_lead(struct sealer *s)
{
    struct rows *rows;
    params_reset(&s->bench.params);
    params_add_int8(&s->bench.params, SEALER_LOCK);
    enum seal_result result = seal_db_ask(&s->db, "seal_lock", &s->bench.params, &rows);
    if (result == SEAL_OK)
        s->leading = rows_count(rows) == 1 && rows_bool(rows, 0, 0);
    rows_free(&rows);
    if (result == SEAL_OK && (s->leading || !s->stood_by))
        log_info(s->config.log, s->leading ? "seal.leading" : "seal.standing_by",
                 log_int("backend", PQbackendPID(s->db.pg.conn)));
    s->stood_by = !s->leading;
    return result;
}

int64_t sealer_step(struct sealer *s)
{
    bool more = false;
    if (s->db.pg.conn == NULL &&
        seal_db_open(&s->db, s->config.uri, s->config.timeout_ms) != SEAL_OK)
        return lost(s);
    if (!s->leading && try_to_lead(s) != SEAL_OK)
        return lost(s);
    if (!s->leading) {
        s->done = true;
        return STANDBY_MS;
    }
    s->held = false;
    if (seal_books(s, &more) != SEAL_OK)
        return lost(s);
    if (s->handed != NULL && seal_handed_blocks(s->handed) > 0)
        seal_handed_sweep(s->handed, is_useless, s);
    s->backoff_ms = 0;
    s->done = !more && !s->held;
    if (more)
        return 0;
    return s->held && s->config.interval_ms > HOLD_MS ? HOLD_MS : s->config.interval_ms;
}
