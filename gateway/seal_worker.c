#include "gateway/seal_worker.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    ANSWER_TIMEOUT_MS = 30000,
    LAST_PASS_MS = 2000, /* what SIGTERM leaves for sealing what is there */
};

struct seal_worker {
    const struct daemon_args *args;
    struct settings *settings;
    struct log *log;
    struct sealer *sealer;
    int signal_fd;
    int64_t stop_at_us; /* 0: nobody asked */
    unsigned stops;
};

static void reload(struct seal_worker *w)
{
    daemon_reload(w->args, w->settings, w->log);
    sealer_reload_keys(w->sealer);
}

static void read_signals(struct seal_worker *w)
{
    struct signalfd_siginfo info;
    while (read(w->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            reload(w);
        } else {
            w->stops++;
            w->stop_at_us = clock_monotonic_us() + LAST_PASS_MS * US_PER_MS;
        }
    }
}

static void run(struct seal_worker *w)
{
    for (;;) {
        /* A step that begins after the signal sees all that was committed before it. */
        bool stopping = w->stop_at_us != 0;
        int64_t wait_ms = sealer_step(w->sealer);
        if (stopping &&
            (sealer_is_done(w->sealer) || w->stops > 1 || clock_monotonic_us() >= w->stop_at_us))
            return;
        if (sealer_wait(w->sealer, w->signal_fd, wait_ms))
            read_signals(w);
    }
}

enum exit_code seal_worker_run(const struct daemon_args *args, struct settings *settings,
                               struct log *log, const int *handover_fds, unsigned n)
{
    struct seal_worker w = {.args = args, .settings = settings, .log = log};
    char uri[DAEMON_URI_SIZE];
    struct config_problem problem = {""};
    (void)prctl(PR_SET_NAME, "ujratd-sealer"); /* who it is among ps's ujratds */
    w.signal_fd = daemon_signal_fd(SIGTERM, SIGHUP);
    if (w.signal_fd < 0) {
        log_error(log, "seal.signals", log_err(err_sys("signalfd")));
        return EXIT_SYSTEM;
    }
    enum exit_code code = EXIT_CONFIG;
    if (err_failed(settings_seal_uri(settings, uri, &problem))) {
        log_error(log, "seal.config", log_str("problem", problem.text));
    } else {
        struct sealer_config config = {.uri = uri,
                                       .keys_folder = settings->config.seal_keys,
                                       .interval_ms = settings->config.seal_interval_ms,
                                       .timeout_ms = ANSWER_TIMEOUT_MS,
                                       .log = log,
                                       .n_handover_fds = n};
        for (unsigned i = 0; i < n; i++)
            config.handover_fds[i] = handover_fds[i];
        err_t err = sealer_new(&config, &w.sealer);
        if (err_failed(err)) {
            log_error(log, "seal.not_started", log_str("keys", config.keys_folder), log_err(err));
        } else {
            run(&w);
            code = EXIT_DONE;
        }
    }
    sealer_free(&w.sealer);
    explicit_bzero(uri, sizeof(uri));
    close(w.signal_fd);
    return code;
}
