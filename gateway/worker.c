#include "gateway/worker.h"

#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/embedded.h"
#include "gateway/fingerprint.h"
#include "gateway/handover.h"
#include "gateway/rest/rest.h"
#include "gateway/rpc/person.h"
#include "gateway/rpc/rpc.h"
#include "gateway/unclaimed_sweep.h"
#include "ledger/pii.h"

extern const struct embedded descriptors;

enum { TICK_MS = 100, KEPT_BYTES = 128 << 20, MMAP_BYTES = 32 << 20 };

static const char *const services[] = {
    "", "ujrat.payout.v1.PayoutService", "ujrat.payout.v1.BeneficiaryService",
    "ujrat.settlement.v1.SettlementService", "ujrat.audit.v1.AuditService"};

struct worker {
    const struct daemon_args *args;
    struct settings *settings;
    struct rpc_ctx ctx;
    struct rest *rest; /* NULL: HTTP/1.1 is not spoken */
    struct unclaimed_sweep *sweep;
    struct handover handover;
    struct event *sigterm, *sighup, *tick;
    int ready_fd; /* -1 once it was told */
    bool serving;
    bool stopping;
    int64_t stop_by_us;
};

/* ---------------------------------------------------------------- the transport */

static void on_net_log(void *user, enum log_level level, uint64_t connection_id, const char *event,
                       const char *text)
{
    LOG_WRITE((struct log *)user, level, event, log_conn(connection_id), log_str("text", text));
}

static const char *path_or_null(const char *path)
{
    return path[0] == '\0' ? NULL : path;
}

static struct grpc_server_config server_config(const struct settings *s, uint16_t port)
{
    const struct gateway_config *c = &s->config;
    return (struct grpc_server_config){
        .listen_address = s->listen_host,
        .listen_port = port,
        .reuse_port = true,
        .tls = {.cert_file = c->tls_cert_file,
                .key_file = c->tls_key_file,
                .client_ca_file = c->tls_client_ca_file,
                .crl_file = path_or_null(c->tls_crl_file),
                .client_cert_required = c->tls_client_cert_required},
        .connections_max = (uint32_t)c->connections_max,
        .streams_per_connection_max = (uint32_t)c->streams_per_connection_max,
        .calls_max = (uint32_t)c->calls_max,
        .message_bytes_max = (uint32_t)c->message_bytes_max,
        .header_bytes_max = (uint32_t)c->header_bytes_max,
        .connection_bytes_max = (uint32_t)c->connection_bytes_max,
        .handshake_timeout_ms = (uint32_t)c->handshake_timeout_ms,
        .idle_timeout_ms = (uint32_t)c->idle_timeout_ms,
        .keepalive_ms = (uint32_t)c->keepalive_ms,
    };
}

bool worker_try(const struct settings *settings, struct config_problem *problem)
{
    struct net_error error = {""};
    struct grpc_server_config config = server_config(settings, 0);
    struct event_base *base = event_base_new();
    grpc_server_t *server = NULL;
    bool works = base != NULL && grpc_server_new(&config, base, &error, &server);
    if (!works)
        (void)snprintf(problem->text, sizeof(problem->text), "%s", error.text);
    grpc_server_free(&server);
    if (base != NULL)
        event_base_free(base);
    return works;
}

bool worker_try_keys(const struct settings *settings, struct config_problem *problem)
{
    struct pii *pii = NULL;
    struct pii_problem inner;
    if (err_failed(pii_new(settings->config.pii_keys_file, &pii, &inner)))
        (void)snprintf(problem->text, sizeof(problem->text), "pii_keys: %.490s", inner.text);
    bool works = pii != NULL;
    pii_free(&pii);
    return works;
}

/* ---------------------------------------------------------------- health */

static void tell_ready(struct worker *w)
{
    if (w->ready_fd < 0)
        return;
    /* The master counts these; should it be gone, so are we in a moment. */
    ssize_t n = write(w->ready_fd, "R", 1);
    (void)n;
    close(w->ready_fd);
    w->ready_fd = -1;
}

static void update_health(struct worker *w)
{
    bool serving = !w->stopping && registry_is_loaded(w->ctx.registry) &&
                   ledger_connections_up(w->ctx.ledger) > 0;
    if (serving)
        tell_ready(w);
    if (serving == w->serving)
        return;
    w->serving = serving;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        grpc_health_set(w->ctx.server, services[i],
                        serving ? GRPC_HEALTH_SERVING : GRPC_HEALTH_NOT_SERVING);
    log_info(w->ctx.log, serving ? "worker.serving" : "worker.not_serving");
}

static void on_registry(void *user, bool loaded)
{
    (void)loaded;
    update_health(user);
}

static void on_registry_load(void *user)
{
    struct worker *w = user;
    rpc_recheck_streams(&w->ctx);
    person_refresh_keys(&w->ctx);
}

/* ---------------------------------------------------------------- the end, politely */

static void on_drained(void *user)
{
    struct worker *w = user;
    event_base_loopbreak(w->ctx.base);
}

static void on_sigterm(evutil_socket_t sig, short what, void *user)
{
    struct worker *w = user;
    (void)sig;
    (void)what;
    if (w->stopping) {
        log_info(w->ctx.log, "worker.stop_at_once");
        event_base_loopbreak(w->ctx.base);
        return;
    }
    w->stopping = true;
    w->stop_by_us = clock_monotonic_us() + w->settings->config.drain_timeout_ms * US_PER_MS;
    log_info(w->ctx.log, "worker.draining");
    update_health(w);
    unclaimed_sweep_stop(w->sweep);
    grpc_server_drain(w->ctx.server, on_drained, w);
    rpc_drain(&w->ctx);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    struct worker *w = user;
    (void)fd;
    (void)what;
    update_health(w);
    if (w->stopping && clock_monotonic_us() >= w->stop_by_us) {
        log_warn(w->ctx.log, "worker.drain_timed_out");
        event_base_loopbreak(w->ctx.base);
    }
}

static void on_sighup(evutil_socket_t sig, short what, void *user)
{
    struct worker *w = user;
    struct log *log = w->ctx.log;
    (void)sig;
    (void)what;
    daemon_reload(w->args, w->settings, log);
    struct net_error error;
    if (!grpc_server_reload_tls(w->ctx.server, &error))
        log_error(log, "reload.tls", log_str("problem", error.text));
    log_info(log, "worker.reloaded");
}

/* ---------------------------------------------------------------- set-up */

static err_t open_ledger(struct worker *w)
{
    const struct gateway_config *c = &w->settings->config;
    struct ledger_config lc = {
        .uri = c->db,
        .connections = (unsigned)c->db_connections,
        .batch_payouts_max = (unsigned)c->batch_payouts_max,
        .queue_payouts_max = (unsigned)c->queue_payouts_max,
        .queue_statements_max = (unsigned)c->queue_statements_max,
        .statement_timeout_ms = (unsigned)c->statement_timeout_ms,
        .log = w->ctx.log,
        .on_block = w->handover.fd < 0 ? NULL : handover_block,
        .on_block_user = &w->handover,
    };
    err_t err = ledger_new(w->ctx.base, &lc, &w->ctx.ledger);
    if (err_failed(err))
        return err;
    struct registry_config rc = {
        .base = w->ctx.base,
        .ledger = w->ctx.ledger,
        .log = w->ctx.log,
        .refresh_ms = (uint32_t)c->registry_refresh_ms,
        .on_state = on_registry,
        .on_load = on_registry_load,
        .user = w,
    };
    return registry_new(&rc, &w->ctx.registry);
}

static err_t open_keys(struct worker *w)
{
    struct pii_problem problem;
    err_t err = pii_new(w->settings->config.pii_keys_file, &w->ctx.pii, &problem);
    if (err_failed(err)) {
        log_error(w->ctx.log, "worker.pii_keys", log_str("problem", problem.text));
        return err;
    }
    return fingerprinter_new(pii_fingerprint_key(w->ctx.pii), &w->ctx.fingerprinter);
}

static err_t open_server(struct worker *w, uint16_t port)
{
    struct net_error error;
    struct grpc_server_config config = server_config(w->settings, port);
    config.authorize = rpc_authorize;
    config.authorize_user = &w->ctx;
    config.log = on_net_log;
    config.log_user = w->ctx.log;
    if (w->settings->config.rest) {
        err_t err = rest_new(&w->ctx, &w->rest);
        if (err_failed(err))
            return err;
        config.http = rest_handler(w->rest);
        config.http_limits.body_bytes_max = (uint32_t)w->settings->config.rest_body_bytes_max;
    }
    if (!grpc_server_new(&config, w->ctx.base, &error, &w->ctx.server)) {
        log_error(w->ctx.log, "worker.listen", log_str("problem", error.text));
        return err_make(ERR_TLS, "listen");
    }
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        grpc_health_set(w->ctx.server, services[i], GRPC_HEALTH_NOT_SERVING);
    if (!grpc_reflection_add(w->ctx.server, (const uint8_t *)descriptors.text,
                             (size_t)(descriptors.end - (const unsigned char *)descriptors.text)))
        return err_make(ERR_INVALID, "descriptors");
    return rpc_register(&w->ctx);
}

static err_t add_events(struct worker *w)
{
    struct timeval tick = {0, TICK_MS * US_PER_MS};
    w->sigterm = evsignal_new(w->ctx.base, SIGTERM, on_sigterm, w);
    w->sighup = evsignal_new(w->ctx.base, SIGHUP, on_sighup, w);
    w->tick = event_new(w->ctx.base, -1, EV_PERSIST, on_tick, w);
    if (w->sigterm == NULL || w->sighup == NULL || w->tick == NULL ||
        event_add(w->sigterm, NULL) != 0 || event_add(w->sighup, NULL) != 0 ||
        event_add(w->tick, &tick) != 0)
        return err_make(ERR_NO_MEMORY, "events of the worker");
    return err_none();
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void worker_deinit(struct worker *w)
{
    /* The server first: it cancels the calls. Then the ledger, which answers what was asked for them; then
     * nothing holds on to the calls or the registry any more. */
    grpc_server_free(&w->ctx.server);
    ledger_free(&w->ctx.ledger);
    unclaimed_sweep_free(&w->sweep);
    rest_free(&w->rest);
    handover_deinit(&w->handover);
    if (w->handover.fd >= 0)
        close(w->handover.fd);
    registry_free(&w->ctx.registry);
    fingerprinter_free(&w->ctx.fingerprinter);
    pii_free(&w->ctx.pii);
    rpc_ctx_deinit(&w->ctx);
    free_event(w->sigterm);
    free_event(w->sighup);
    free_event(w->tick);
    if (w->ctx.base != NULL)
        event_base_free(w->ctx.base);
}

enum exit_code worker_run(const struct daemon_args *args, struct settings *settings,
                          struct log *log, uint16_t port, int ready_fd, int handover_fd)
{
    enum exit_code code = EXIT_SYSTEM;
    struct worker w = {
        .args = args,
        .settings = settings,
        .ctx = {.config = &settings->config, .log = log},
        .ready_fd = ready_fd,
    };
    /* A batch takes tens of megabytes for a moment. Left alone, malloc would give them back to the system each
     * time, and a quarter of a batch's cost would be page faults. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    handover_init(&w.handover, handover_fd, log);
    rpc_ctx_init(&w.ctx);
    w.ctx.base = event_base_new();
    err_t err = w.ctx.base == NULL ? err_make(ERR_NO_MEMORY, "event loop") : open_ledger(&w);
    if (!err_failed(err))
        err = open_keys(&w);
    if (!err_failed(err))
        err = open_server(&w, port);
    if (!err_failed(err))
        err = unclaimed_sweep_new(&w.ctx, &w.sweep);
    if (!err_failed(err))
        err = add_events(&w);
    if (err_failed(err)) {
        log_error(log, "worker.failed", log_err(err));
        goto out;
    }
    log_info(log, "worker.started", log_uint("port", port));
    (void)event_base_dispatch(w.ctx.base);
    code = EXIT_DONE;
    log_info(log, "worker.stopped");
out:
    worker_deinit(&w);
    return code;
}
