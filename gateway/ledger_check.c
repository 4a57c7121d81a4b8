#include "gateway/ledger_check.h"

#include <event2/event.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/statements.h"

enum { RETRY_MS = 100 };

struct check {
    struct event_base *base;
    struct ledger *ledger;
    int64_t deadline_us;
    enum ledger_outcome outcome;
    int version;
};

static void ask(struct check *check);

static void on_rows(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct check *check = user;
    (void)reason;
    check->outcome = outcome;
    if (outcome == LEDGER_DONE && rows_count(rows) == 1)
        check->version = (int)rows_int(rows, 0, 0);
    event_base_loopbreak(check->base);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    ask(user);
}

static void ask(struct check *check)
{
    if (ledger_connections_up(check->ledger) == 0) {
        struct timeval pause = {0, RETRY_MS * US_PER_MS};
        if (clock_monotonic_us() >= check->deadline_us ||
            event_base_once(check->base, -1, EV_TIMEOUT, on_timer, check, &pause) != 0)
            event_base_loopbreak(check->base);
        return;
    }
    struct params params;
    params_init(&params);
    ledger_query(check->ledger, "schema_version", &params, check->deadline_us, on_rows, check);
    params_deinit(&params);
}

static enum exit_code judge(const struct check *check, struct log *log)
{
    int known = statements_schema_version();
    if (check->outcome == LEDGER_DONE && check->version == known)
        return EXIT_DONE;
    if (check->outcome == LEDGER_DONE)
        log_error(log, "schema.other_version", log_int("in_ledger", check->version),
                  log_int("known", known), log_str("hint", "run: ujrat db migrate"));
    else if (check->outcome == LEDGER_REFUSED)
        log_error(log, "schema.missing",
                  log_str("hint",
                          "this database has no schema of ours, or the role may not read it; "
                          "run: ujrat db migrate"));
    else
        log_error(log, "ledger.unreachable",
                  log_str("hint", "is PostgreSQL running, and db right?"));
    return check->outcome == LEDGER_DONE || check->outcome == LEDGER_REFUSED ? EXIT_SCHEMA
                                                                             : EXIT_LEDGER;
}

enum exit_code ledger_check(const struct gateway_config *config, struct log *log)
{
    enum exit_code code = EXIT_SYSTEM;
    struct check check = {
        .base = event_base_new(),
        .deadline_us = clock_monotonic_us() + config->db_start_timeout_ms * US_PER_MS,
        .outcome = LEDGER_NOT_SENT,
    };
    struct ledger_config lc = {
        .uri = config->db,
        .connections = 1,
        .batch_payouts_max = 1,
        .queue_payouts_max = 1,
        .queue_statements_max = 4,
        .statement_timeout_ms = (unsigned)config->statement_timeout_ms,
        .log = log,
    };
    err_t err = err_make(ERR_NO_MEMORY, "event loop");
    if (check.base != NULL)
        err = ledger_new(check.base, &lc, &check.ledger);
    if (err_failed(err)) {
        log_error(log, "start.failed", log_err(err));
        goto out;
    }
    ask(&check);
    (void)event_base_dispatch(check.base);
    code = judge(&check, log);
out:
    ledger_free(&check.ledger);
    if (check.base != NULL)
        event_base_free(check.base);
    return code;
}
