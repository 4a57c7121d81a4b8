#include "hook/notifier.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/timefmt.h"
#include "hook/backoff.h"
#include "hook/db.h"
#include "hook/event_id.h"
#include "hook/post.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    STANDBY_MS = 1000,
    JOURNALS_AT_ONCE = 1000,
    CALLS_AT_ONCE = 32, /* for one book, then deliveries have a turn */
    HTTP_GONE = 410,
    HEADER_SIZE = 1024,
    PUBLIC_ID_SIZE = 32,
};

/* "ujrahook": the advisory lock of whoever delivers in a database. */
#define NOTIFIER_LOCK 0x756a7261686f6f6bLL

/* Columns of hook_endpoints.sql, and of hook_due.sql behind the event's own. */
enum { E_BOOK, E_WEBHOOK, E_PUBLIC_ID, E_VERSION, E_URL, E_CONCURRENCY };
enum { D_BOOK, D_EVENT, D_ATTEMPTS = 21 };

struct delivery {
    struct delivery *next;
    int32_t book_id, version;
    int64_t webhook_id, event_no;
    unsigned attempt;
    char event_id[HOOK_EVENT_ID_SIZE];
};

struct notifier {
    struct notifier_config config;
    struct hook_db db;
    bool leading, stood_by;
    int64_t backoff_ms;
    struct hook_keys *keys;
    char cert_id[HOOK_KEY_ID_SIZE];
    struct hook_poster *poster;
    struct delivery *open;
    int64_t n_open;
    struct buf body;
    unsigned turn; /* whose endpoint is first */
    bool news;     /* something has ended: somebody has room */
    int64_t looked_at_us;
};

/* ---------------------------------------------------------------- life */

err_t notifier_new(const struct notifier_config *config, struct notifier **out)
{
    struct notifier *n = calloc(1, sizeof *n);
    const char *file = "";
    *out = NULL;
    if (n == NULL)
        return err_make(ERR_NO_MEMORY, "notifier");
    n->config = *config;
    buf_init(&n->body, HOOK_BODY_BYTES_MAX);
    err_t err = hook_keys_load(config->keys_folder, &n->keys, &file);
    if (err_failed(err)) {
        log_error(config->log, "hooks.keys", log_str("folder", config->keys_folder),
                  log_str("file", file), log_err(err));
    } else {
        hook_key_id(hook_keys_cert(n->keys), n->cert_id);
        err = hook_poster_new(
            &(struct hook_post_config){.ca_file = config->ca_file,
                                       .private_targets = config->private_targets,
                                       .connections_max = (unsigned)config->concurrency},
            &n->poster);
    }
    if (err_failed(err)) {
        notifier_free(&n);
        return err;
    }
    log_info(config->log, "hooks.starting", log_bool("private_targets", config->private_targets));
    *out = n;
    return err_none();
}

/* What is under way is forgotten, and delivered anew by whoever leads next. */
static void forget(struct notifier *n)
{
    hook_poster_drop(n->poster);
    while (n->open != NULL) {
        struct delivery *d = n->open;
        n->open = d->next;
        free(d);
    }
    n->n_open = 0;
}

void notifier_free(struct notifier **notifier)
{
    struct notifier *n = *notifier;
    if (n == NULL)
        return;
    if (n->poster != NULL)
        forget(n);
    hook_poster_free(&n->poster);
    hook_keys_free(&n->keys);
    hook_db_close(&n->db);
    buf_deinit(&n->body);
    free(n);
    *notifier = NULL;
}

/* ---------------------------------------------------------------- the lead */

static enum hook_result register_keys(struct notifier *n)
{
    const struct {
        const char *kind;
        struct slice half;
    } keys[] = {{"ed25519", slice_of(hook_keys_public(n->keys), HOOK_PUBLIC_KEY_SIZE)},
                {"rsa", hook_keys_cert(n->keys)}};
    enum hook_result result = HOOK_OK;
    for (size_t i = 0; result == HOOK_OK && i < 2; i++) {
        struct params *p = hook_db_params(&n->db);
        params_add_text(p, slice_str(keys[i].kind));
        params_add_text(p, keys[i].half);
        result = hook_db_do(&n->db, "hook_key");
    }
    return result;
}

static enum hook_result take_lead(struct notifier *n)
{
    struct rows *rows;
    struct params *p = hook_db_params(&n->db);
    params_add_int8(p, NOTIFIER_LOCK);
    enum hook_result result = hook_db_ask(&n->db, "hook_lock", &rows);
    if (result != HOOK_OK)
        return result;
    n->leading = rows_bool(rows, 0, 0);
    rows_free(&rows);
    if (!n->leading) {
        if (!n->stood_by)
            log_info(n->config.log, "hooks.standing_by");
        n->stood_by = true;
        return HOOK_OK;
    }
    n->stood_by = false;
    log_info(n->config.log, "hooks.leading");
    return register_keys(n);
}

/* Whoever has lost the connection has lost the lead: another one may send already what is under way here. */
static int64_t lost(struct notifier *n)
{
    if (n->db.pg.problem[0] != '\0')
        log_warn(n->config.log, "hooks.ledger", log_str("problem", n->db.pg.problem));
    forget(n);
    n->leading = false;
    hook_db_close(&n->db);
    n->backoff_ms = n->backoff_ms == 0                    ? BACKOFF_FIRST_MS
                    : n->backoff_ms * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS
                                                          : n->backoff_ms * 2;
    return n->backoff_ms;
}

/* ---------------------------------------------------------------- events */

static enum hook_result make_events_of(struct notifier *n, int32_t book_id, bool *more)
{
    enum hook_result result = HOOK_OK;
    bool book_more = true;
    for (unsigned calls = 0; result == HOOK_OK && book_more && calls < CALLS_AT_ONCE; calls++) {
        struct rows *rows;
        struct params *p = hook_db_params(&n->db);
        params_add_int4(p, book_id);
        params_add_int4(p, JOURNALS_AT_ONCE);
        result = hook_db_ask(&n->db, "hook_make", &rows);
        if (result != HOOK_OK)
            break;
        book_more = rows_bool(rows, 0, 1);
        if (rows_int(rows, 0, 0) > 0)
            log_debug(n->config.log, "hooks.events", log_int("book", book_id),
                      log_int("events", rows_int(rows, 0, 0)));
        rows_free(&rows);
    }
    *more |= book_more;
    return result;
}

static enum hook_result make_events(struct notifier *n, bool *more)
{
    struct rows *rows;
    (void)hook_db_params(&n->db);
    enum hook_result result = hook_db_ask(&n->db, "hook_books", &rows);
    if (result != HOOK_OK)
        return result;
    for (int i = 0; result == HOOK_OK && i < rows_count(rows); i++) {
        result = make_events_of(n, (int32_t)rows_int(rows, i, 0), more);
        if (result == HOOK_REFUSED) { /* one book's trouble is not the others' */
            log_error(n->config.log, "hooks.events", log_int("book", rows_int(rows, i, 0)),
                      log_str("problem", n->db.pg.problem));
            result = HOOK_OK;
        }
    }
    rows_free(&rows);
    return result;
}

/* ---------------------------------------------------------------- what has ended */

static uint64_t random64(void)
{
    uint64_t value = 0;
    if (RAND_bytes((unsigned char *)&value, sizeof value) != 1)
        value = (uint64_t)clock_monotonic_us() *
                0x9e3779b97f4a7c15U; /* a pause without chance is still a pause */
    return value;
}

static enum hook_result record(struct notifier *n, const struct delivery *d,
                               const struct hook_posted *posted)
{
    bool good = posted->status >= 200 && posted->status < 300;
    bool over = !good && d->attempt >= HOOK_ATTEMPTS_MAX;
    char answered[HOOK_ERROR_SIZE];
    (void)snprintf(answered, sizeof answered, "answered %ld", posted->status);
    const char *error = good ? "" : posted->error[0] != '\0' ? posted->error : answered;
    int64_t wait_ms = good || over ? 0
                                   : hook_backoff_ms(d->attempt, n->config.retry_first_ms,
                                                     random64(), posted->retry_after_s);
    struct params *p = hook_db_params(&n->db);
    params_add_int4(p, d->book_id);
    params_add_int8(p, d->webhook_id);
    params_add_int8(p, d->event_no);
    params_add_int2(p, (int16_t)d->attempt);
    params_add_text(p, slice_str(good ? "DELIVERED" : over ? "FAILED" : "PENDING"));
    if (posted->status > 0 && posted->status <= INT16_MAX)
        params_add_int2(p, (int16_t)posted->status);
    else
        params_add_null(p);
    params_add_text_or_null(p, slice_str(error));
    params_add_int8(p, wait_ms);
    if (!good)
        log_write(n->config.log, over ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
                  over ? "hooks.given_up" : "hooks.failed",
                  (struct log_field[]){log_str("event_id", d->event_id),
                                       log_int("webhook", d->webhook_id),
                                       log_uint("attempt", d->attempt),
                                       log_str("problem", error),
                                       log_int("again_in_ms", wait_ms),
                                       {0}});
    return hook_db_do(&n->db, "hook_record");
}

static enum hook_result disable(struct notifier *n, const struct delivery *d)
{
    struct params *p = hook_db_params(&n->db);
    params_add_int4(p, d->book_id);
    params_add_int8(p, d->webhook_id);
    params_add_int4(p, d->version);
    params_add_text(p, SLICE("it answered 410 Gone"));
    log_warn(n->config.log, "hooks.disabled", log_int("book", d->book_id),
             log_int("webhook", d->webhook_id));
    return hook_db_do(&n->db, "hook_disable");
}

static enum hook_result take_ended(struct notifier *n)
{
    struct hook_posted posted;
    enum hook_result result = HOOK_OK;
    while (result == HOOK_OK && hook_poster_next(n->poster, &posted)) {
        struct delivery *d = posted.user;
        result = record(n, d, &posted);
        if (result == HOOK_OK && posted.status == HTTP_GONE)
            result = disable(n, d);
        for (struct delivery **at = &n->open; *at != NULL; at = &(*at)->next)
            if (*at == d) {
                *at = d->next;
                break;
            }
        free(d);
        n->n_open--;
        n->news = true;
    }
    return result;
}

/* ---------------------------------------------------------------- sending */

struct headers {
    char text[8][HEADER_SIZE];
    unsigned n;
};

static void add_header(struct headers *h, struct hook_post *post, const char *name,
                       const char *value)
{
    (void)snprintf(h->text[h->n], HEADER_SIZE, "%s: %s", name, value);
    post->headers[h->n] = h->text[h->n];
    h->n++;
    post->headers[h->n] = NULL;
}

/* "2026-07-17T09:00:00Z" */
static void whole_seconds(int64_t unix_us, char out[TIMEFMT_SIZE])
{
    (void)timefmt_rfc3339(unix_us, out);
    (void)snprintf(out + 19, TIMEFMT_SIZE - 19, "Z");
}

static err_t sign(struct notifier *n, const struct delivery *d, struct slice public_id,
                  struct headers *h, struct hook_post *post)
{
    char standard[HOOK_STANDARD_SIZE], paypal[HOOK_PAYPAL_SIZE],
        transmission[HOOK_TRANSMISSION_ID_SIZE];
    char time[TIMEFMT_SIZE], unix_s[STR_INT64_SIZE], url[HEADER_SIZE - 64];
    int64_t now_us = clock_realtime_us();
    whole_seconds(now_us, time);
    (void)str_format_int64(now_us / US_PER_SEC, unix_s);
    hook_transmission_id(slice_str(d->event_id), public_id, transmission);
    err_t err = hook_sign_standard(n->keys, slice_str(d->event_id), now_us / US_PER_SEC, post->body,
                                   standard);
    if (!err_failed(err))
        err = hook_sign_paypal(n->keys, slice_str(transmission), slice_str(time), public_id,
                               post->body, paypal);
    if (err_failed(err))
        return err;
    (void)snprintf(url, sizeof url, "%s/v1/notifications/certs/%s", n->config.base_url, n->cert_id);
    add_header(h, post, "webhook-id", d->event_id);
    add_header(h, post, "webhook-timestamp", unix_s);
    add_header(h, post, "webhook-signature", standard);
    add_header(h, post, "PAYPAL-TRANSMISSION-ID", transmission);
    add_header(h, post, "PAYPAL-TRANSMISSION-TIME", time);
    add_header(h, post, "PAYPAL-TRANSMISSION-SIG", paypal);
    add_header(h, post, "PAYPAL-CERT-URL", url);
    add_header(h, post, "PAYPAL-AUTH-ALGO", "SHA256withRSA");
    return err_none();
}

static bool is_open(const struct notifier *n, int32_t book_id, int64_t webhook_id, int64_t event_no,
                    int64_t *of_endpoint)
{
    bool found = false;
    *of_endpoint = 0;
    for (const struct delivery *d = n->open; d != NULL; d = d->next)
        if (d->book_id == book_id && d->webhook_id == webhook_id) {
            ++*of_endpoint;
            found |= d->event_no == event_no;
        }
    return found;
}

/* Sends the event of that row to that endpoint. What cannot be sent for a reason of our own is tried again later. */
static enum hook_result send_one(struct notifier *n, const struct rows *endpoints, int e,
                                 const struct rows *due, int row)
{
    struct headers headers = {.n = 0};
    char url[2049];
    struct delivery *d = calloc(1, sizeof *d);
    if (d == NULL || err_failed(slice_copy(rows_text(endpoints, e, E_URL), url, sizeof url))) {
        free(d);
        return HOOK_OK;
    }
    *d = (struct delivery){.book_id = (int32_t)rows_int(due, row, D_BOOK),
                           .version = (int32_t)rows_int(endpoints, e, E_VERSION),
                           .webhook_id = rows_int(endpoints, e, E_WEBHOOK),
                           .event_no = rows_int(due, row, D_EVENT),
                           .attempt = (unsigned)rows_int(due, row, D_ATTEMPTS) + 1};
    (void)hook_event_id_write(d->book_id, d->event_no, d->event_id);
    buf_reset(&n->body);
    err_t err = n->config.write_event(due, row, n->config.base_url, &n->body);
    struct hook_post post = {.url = url, .body = buf_slice(&n->body), .user = d};
    if (!err_failed(err))
        err = sign(n, d, rows_text(endpoints, e, E_PUBLIC_ID), &headers, &post);
    if (!err_failed(err))
        err = hook_poster_add(n->poster, &post);
    if (err_failed(err)) {
        struct hook_posted posted = {.error = "it could not be sent"};
        log_error(n->config.log, "hooks.not_sent", log_str("event_id", d->event_id), log_err(err));
        enum hook_result result = record(n, d, &posted);
        free(d);
        return result;
    }
    d->next = n->open;
    n->open = d;
    n->n_open++;
    return HOOK_OK;
}

static enum hook_result send_to(struct notifier *n, const struct rows *endpoints, int e)
{
    int32_t book_id = (int32_t)rows_int(endpoints, e, E_BOOK);
    int64_t webhook_id = rows_int(endpoints, e, E_WEBHOOK),
            cap = rows_int(endpoints, e, E_CONCURRENCY), open;
    struct rows *due;
    (void)is_open(n, book_id, webhook_id, 0, &open);
    if (open >= cap || n->n_open >= n->config.concurrency)
        return HOOK_OK;
    struct params *p = hook_db_params(&n->db);
    params_add_int4(p, book_id);
    params_add_int8(p, webhook_id);
    params_add_int4(p, (int32_t)cap); /* those that are open are among them */
    enum hook_result result = hook_db_ask(&n->db, "hook_due", &due);
    if (result != HOOK_OK)
        return result;
    for (int i = 0; result == HOOK_OK && i < rows_count(due) && n->n_open < n->config.concurrency;
         i++)
        if (!is_open(n, book_id, webhook_id, rows_int(due, i, D_EVENT), &open) && open < cap)
            result = send_one(n, endpoints, e, due, i);
    rows_free(&due);
    return result;
}

static enum hook_result send_due(struct notifier *n)
{
    struct rows *endpoints;
    (void)hook_db_params(&n->db);
    enum hook_result result = hook_db_ask(&n->db, "hook_endpoints", &endpoints);
    if (result != HOOK_OK)
        return result;
    int count = rows_count(endpoints);
    n->turn++;
    for (int i = 0; result == HOOK_OK && i < count; i++)
        result = send_to(n, endpoints, (int)((n->turn + (unsigned)i) % (unsigned)count));
    rows_free(&endpoints);
    return result;
}

/* ---------------------------------------------------------------- the loop */

int64_t notifier_step(struct notifier *n)
{
    enum hook_result result = HOOK_OK;
    bool more = false;
    int64_t now_us = clock_monotonic_us();
    if (n->db.pg.conn == NULL)
        result = hook_db_open(&n->db, n->config.uri, n->config.timeout_ms, n->config.stop_fd);
    if (result == HOOK_OK && !n->leading)
        result = take_lead(n);
    if (result == HOOK_OK && !n->leading)
        return STANDBY_MS;
    if (result == HOOK_OK)
        result = take_ended(n);
    bool look = now_us - n->looked_at_us >= n->config.interval_ms * US_PER_MS;
    if (result == HOOK_OK && look) {
        n->looked_at_us = now_us;
        result = make_events(n, &more);
    }
    if (result == HOOK_OK && (look || n->news)) {
        n->news = false;
        result = send_due(n);
    }
    if (result == HOOK_STOPPED)
        return 0;
    if (result != HOOK_OK)
        return lost(n);
    n->backoff_ms = 0;
    if (more) {
        n->looked_at_us = 0;
        return 0;
    }
    return n->config.interval_ms;
}

bool notifier_wait(struct notifier *n, int64_t wait_ms)
{
    return hook_poster_wait(n->poster, n->config.stop_fd, wait_ms);
}

void notifier_finish(struct notifier *n, int64_t patience_ms)
{
    int64_t until_us = clock_monotonic_us() + patience_ms * US_PER_MS;
    n->db.pg.config.stop_fd = -1;
    while (n->leading && n->open != NULL && clock_monotonic_us() < until_us) {
        (void)hook_poster_wait(n->poster, -1, 50);
        if (take_ended(n) != HOOK_OK)
            return;
    }
}
