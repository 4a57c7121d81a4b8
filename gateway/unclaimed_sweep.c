#include "gateway/unclaimed_sweep.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/rpc/claim_draft.h"

enum {
    PAGE_ROWS = 500,
    PAGES_MAX = 20, /* of each kind, one look; the next goes on from there */
    ARENA_BYTES_MAX = 4 * 1024 * 1024,
    REASONS_MAX = 16,
    BACKOFF_MAX = 5,      /* the interval doubles so many times while the ledger is away ... */
    WAIT_MS_MAX = 300000, /* ... to at most this, where the interval is shorter */
};

/* Where the next page begins. */
struct cursor {
    int32_t book_id;
    int64_t unclaimed_id;
};

/* Why something was left open, and how much. */
struct left {
    unsigned n;
    struct {
        reason_t reason;
        unsigned count;
    } of[REASONS_MAX];
};

struct unclaimed_sweep {
    struct rpc_ctx *ctx;
    struct event *timer;
    bool stopped, returning; /* the second half of a look: what expired */
    unsigned failures;       /* looks in a row that the ledger did not answer */
    struct cursor due, expired;

    /* of the page under way */
    struct arena arena;
    unsigned pages;
    bool last_page;
    struct claim *claims; /* by book */
    int32_t *book;        /* of each */
    int64_t *ids;
    unsigned n, at, sent;
    unsigned singly_upto; /* up to there one at a time: one of them spoils the others */

    /* of the look under way */
    unsigned claimed, returned;
    struct left left, left_before;
};

static void look_on(struct unclaimed_sweep *s);
static void ask_page(struct unclaimed_sweep *s);
static void claim_on(struct unclaimed_sweep *s);
static void return_on(struct unclaimed_sweep *s);

/* ---------------------------------------------------------------- looks */

/* Between three quarters of it and all of it, so that workers do not keep step. */
static void arm(struct unclaimed_sweep *s)
{
    const int64_t interval_ms = s->ctx->config->unclaimed_sweep_ms;
    int64_t wait_ms = interval_ms << (s->failures < BACKOFF_MAX ? s->failures : BACKOFF_MAX);
    unsigned char chance = 0;
    if (wait_ms > WAIT_MS_MAX)
        wait_ms = interval_ms > WAIT_MS_MAX ? interval_ms : WAIT_MS_MAX;
    if (RAND_bytes(&chance, 1) == 1)
        wait_ms -= wait_ms / 4 * chance / 256;
    const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (!s->stopped && event_add(s->timer, &wait) != 0)
        log_error(s->ctx->log, "unclaimed.timer");
}

static bool was_left(const struct left *left, reason_t reason)
{
    for (unsigned i = 0; i < left->n; i++)
        if (left->of[i].reason == reason)
            return true;
    return false;
}

static void leave(struct unclaimed_sweep *s, reason_t reason)
{
    struct left *left = &s->left;
    for (unsigned i = 0; i < left->n; i++) {
        if (left->of[i].reason == reason) {
            left->of[i].count++;
            return;
        }
    }
    if (left->n < REASONS_MAX) {
        left->of[left->n].reason = reason;
        left->of[left->n++].count = 1;
    }
}

static void end_look(struct unclaimed_sweep *s)
{
    struct log *log = s->ctx->log;
    if (s->claimed > 0 || s->returned > 0)
        log_info(log, "unclaimed.swept", log_uint("claimed", s->claimed),
                 log_uint("returned", s->returned));
    for (unsigned i = 0; i < s->left.n; i++)
        if (!was_left(&s->left_before, s->left.of[i].reason))
            log_warn(log, "unclaimed.left_open",
                     log_str("reason", reason_name(s->left.of[i].reason)),
                     log_uint("n", s->left.of[i].count));
    s->left_before = s->left;
    s->failures = 0;
    arena_reset(&s->arena);
    arm(s);
}

/* The ledger is away, or did not say what it did: what was left is found again at the next look. */
static void fail_look(struct unclaimed_sweep *s, reason_t reason)
{
    if (s->failures++ == 0 && !s->stopped)
        log_warn(s->ctx->log, "unclaimed.ledger", log_str("reason", reason_name(reason)));
    arena_reset(&s->arena);
    arm(s);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct unclaimed_sweep *s = user;
    (void)fd;
    (void)what;
    if (s->stopped)
        return;
    if (!registry_is_loaded(s->ctx->registry) || ledger_connections_up(s->ctx->ledger) == 0) {
        arm(s);
        return;
    }
    s->returning = false;
    s->pages = 0;
    s->claimed = 0;
    s->returned = 0;
    s->left = (struct left){0};
    ask_page(s);
}

/* This half is done: the other, or the end. */
static void end_half(struct unclaimed_sweep *s)
{
    if (s->returning || s->stopped) {
        end_look(s);
        return;
    }
    s->returning = true;
    s->pages = 0;
    ask_page(s);
}

/* After a page. */
static void look_on(struct unclaimed_sweep *s)
{
    if (s->last_page)
        *(s->returning ? &s->expired : &s->due) = (struct cursor){0};
    if (s->last_page || s->pages >= PAGES_MAX || s->stopped)
        end_half(s);
    else
        ask_page(s);
}

/* ---------------------------------------------------------------- pages */

static bool take_claims(struct unclaimed_sweep *s, const struct rows *rows, int n)
{
    struct payout_pricer pricer = {0};
    s->claims = arena_array(&s->arena, (size_t)n, sizeof(*s->claims));
    if (s->claims == NULL)
        return false;
    for (int row = 0; row < n; row++) {
        const int32_t book_id = (int32_t)rows_int(rows, row, CLAIM_BOOK_ID);
        struct claim *claim = &s->claims[s->n];
        if (row == 0 || pricer.book_id != book_id)
            payout_pricer_init_book(&pricer, s->ctx, book_id);
        if (!claim_draft(s->ctx, &pricer, &s->arena, rows, row, claim))
            return false;
        if (claim->payout.refusal != REASON_NONE)
            leave(s, claim->payout.refusal);
        else
            s->book[s->n++] = book_id;
    }
    return true;
}

static bool take_page(struct unclaimed_sweep *s, const struct rows *rows)
{
    const int n = rows_count(rows);
    struct cursor *cursor = s->returning ? &s->expired : &s->due;
    arena_reset(&s->arena);
    s->n = s->at = s->sent = s->singly_upto = 0;
    s->last_page = n < PAGE_ROWS;
    if (n == 0)
        return true;
    s->book = arena_array(&s->arena, (size_t)n, sizeof(*s->book));
    s->ids = arena_array(&s->arena, (size_t)n, sizeof(*s->ids));
    if (s->book == NULL || s->ids == NULL)
        return false;
    *cursor = (struct cursor){(int32_t)rows_int(rows, n - 1, CLAIM_BOOK_ID),
                              rows_int(rows, n - 1, CLAIM_UNCLAIMED_ID)};
    if (!s->returning)
        return take_claims(s, rows, n);
    for (int row = 0; row < n; row++) {
        s->book[s->n] = (int32_t)rows_int(rows, row, CLAIM_BOOK_ID);
        s->ids[s->n++] = rows_int(rows, row, CLAIM_UNCLAIMED_ID);
    }
    return true;
}

static void on_page(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct unclaimed_sweep *s = user;
    if (outcome != LEDGER_DONE)
        fail_look(s, reason);
    else if (!take_page(s, rows))
        fail_look(s, REASON_QUEUE_FULL);
    else if (s->returning)
        return_on(s);
    else
        claim_on(s);
}

static int64_t deadline_us(const struct unclaimed_sweep *s)
{
    return clock_monotonic_us() + s->ctx->config->call_deadline_ms * US_PER_MS;
}

static void ask_page(struct unclaimed_sweep *s)
{
    const struct cursor *cursor = s->returning ? &s->expired : &s->due;
    struct params params;
    s->pages++;
    params_init(&params);
    params_add_int4(&params, cursor->book_id);
    params_add_int8(&params, cursor->unclaimed_id);
    params_add_int4(&params, PAGE_ROWS);
    ledger_query(s->ctx->ledger, s->returning ? "unclaimed_expired" : "unclaimed_due", &params,
                 deadline_us(s), on_page, s);
    params_deinit(&params);
}

/* How many from s->at on are of one book. */
static unsigned run_length(const struct unclaimed_sweep *s)
{
    unsigned end = s->at;
    while (end < s->n && s->book[end] == s->book[s->at])
        end++;
    return end - s->at;
}

/* ---------------------------------------------------------------- claims */

/* What became of one. False: it is not known, or nothing could be asked. */
static bool note_claim(struct unclaimed_sweep *s, const struct claimed *claimed)
{
    switch (claimed->outcome) {
    case LEDGER_DONE:
        s->claimed++;
        return true;
    case LEDGER_DUPLICATE:
        return true;
    case LEDGER_REFUSED:
        /* Those two: it ended meanwhile, by another worker or by the platform. */
        if (claimed->reason != REASON_STATE_CONFLICT && claimed->reason != REASON_PAYOUT_NOT_FOUND)
            leave(s, claimed->reason);
        return true;
    case LEDGER_NOT_SENT:
    case LEDGER_UNKNOWN:
        break;
    }
    return false;
}

/* The call as a whole was refused, not its items. */
static bool all_failed(const struct claim *claims, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (claims[i].claimed.outcome != LEDGER_REFUSED ||
            claims[i].claimed.reason != REASON_INTERNAL)
            return false;
    return true;
}

static void on_claimed(void *user)
{
    struct unclaimed_sweep *s = user;
    const struct claim *claims = &s->claims[s->at];
    if (s->sent > 1 && all_failed(claims, s->sent)) {
        s->singly_upto = s->at + s->sent;
        claim_on(s);
        return;
    }
    for (unsigned i = 0; i < s->sent; i++) {
        if (!note_claim(s, &claims[i].claimed)) {
            fail_look(s, claims[i].claimed.reason);
            return;
        }
    }
    s->at += s->sent;
    claim_on(s);
}

static void claim_on(struct unclaimed_sweep *s)
{
    if (s->at >= s->n || s->stopped) {
        look_on(s);
        return;
    }
    s->sent = s->at < s->singly_upto ? 1 : run_length(s);
    ledger_claim(s->ctx->ledger, s->book[s->at], 0, &s->claims[s->at], s->sent, deadline_us(s),
                 on_claimed, s);
}

/* ---------------------------------------------------------------- returns */

static void on_returned(void *user, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    struct unclaimed_sweep *s = user;
    int64_t outcomes[PAGE_ROWS];
    if (outcome == LEDGER_REFUSED) {
        leave(s, reason); /* of this book; the others are not to wait for it */
    } else if (outcome != LEDGER_DONE) {
        fail_look(s, reason);
        return;
    } else {
        const int n = rows_count(rows) == 1 ? rows_int_array(rows, 0, 0, outcomes, PAGE_ROWS) : 0;
        for (int i = 0; i < n; i++)
            s->returned += outcomes[i] == 0;
    }
    s->at += s->sent;
    return_on(s);
}

static void return_on(struct unclaimed_sweep *s)
{
    if (s->at >= s->n || s->stopped) {
        look_on(s);
        return;
    }
    struct params params;
    s->sent = run_length(s);
    params_init(&params);
    params_add_int4(&params, s->book[s->at]);
    params_add_int4(&params, 0);
    params_add_int8_array(&params, &s->ids[s->at], (int32_t)s->sent);
    ledger_query(s->ctx->ledger, "unclaimed_return", &params, deadline_us(s), on_returned, s);
    params_deinit(&params);
}

/* ---------------------------------------------------------------- life */

err_t unclaimed_sweep_new(struct rpc_ctx *ctx, struct unclaimed_sweep **out)
{
    struct unclaimed_sweep *s = calloc(1, sizeof(*s));
    *out = s;
    if (s == NULL)
        return err_make(ERR_NO_MEMORY, "sweep");
    s->ctx = ctx;
    arena_init(&s->arena, 64 * 1024, ARENA_BYTES_MAX);
    s->timer = evtimer_new(ctx->base, on_timer, s);
    if (s->timer == NULL) {
        unclaimed_sweep_free(out);
        return err_make(ERR_NO_MEMORY, "sweep's timer");
    }
    arm(s);
    return err_none();
}

void unclaimed_sweep_stop(struct unclaimed_sweep *s)
{
    s->stopped = true;
    (void)event_del(s->timer);
}

void unclaimed_sweep_free(struct unclaimed_sweep **out)
{
    struct unclaimed_sweep *s = *out;
    if (s == NULL)
        return;
    if (s->timer != NULL)
        event_free(s->timer);
    arena_deinit(&s->arena);
    free(s);
    *out = NULL;
}
