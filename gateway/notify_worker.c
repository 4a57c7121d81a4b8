#include "gateway/notify_worker.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/rest/webhook_event.h"
#include "hook/notifier.h"

enum { ANSWER_TIMEOUT_MS = 30000, LAST_PASS_MS = 2000 };

struct notify_worker {
    const struct daemon_args *args;
    struct settings *settings;
    struct log *log;
    struct notifier *notifier;
    int signal_fd;
    bool stopping;
};

static void read_signals(struct notify_worker *w)
{
    struct signalfd_siginfo info;
    while (read(w->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            daemon_reload(w->args, w->settings, w->log);
        else
            w->stopping = true;
    }
}

static enum exit_code run(struct notify_worker *w, const char *uri)
{
    const struct gateway_config *c = &w->settings->config;
    struct notifier_config config = {.uri = uri,
                                     .keys_folder = c->hooks_keys,
                                     .base_url = c->hooks_base_url,
                                     .ca_file =
                                         c->hooks_ca_file[0] == '\0' ? NULL : c->hooks_ca_file,
                                     .private_targets = c->hooks_private_targets,
                                     .interval_ms = c->hooks_poll_ms,
                                     .timeout_ms = ANSWER_TIMEOUT_MS,
                                     .retry_first_ms = c->hooks_retry_first_ms,
                                     .concurrency = c->hooks_concurrency,
                                     .log = w->log,
                                     .stop_fd = w->signal_fd,
                                     .write_event = webhook_event_text};
    err_t err = notifier_new(&config, &w->notifier);
    if (err_failed(err)) {
        log_error(w->log, "hooks.not_started", log_err(err));
        return EXIT_CONFIG;
    }
    while (!w->stopping) {
        int64_t wait_ms = notifier_step(w->notifier);
        if (notifier_wait(w->notifier, wait_ms))
            read_signals(w);
    }
    notifier_finish(w->notifier, LAST_PASS_MS);
    notifier_free(&w->notifier);
    return EXIT_DONE;
}

enum exit_code notify_worker_run(const struct daemon_args *args, struct settings *settings,
                                 struct log *log)
{
    struct notify_worker w = {.args = args, .settings = settings, .log = log};
    char uri[DAEMON_URI_SIZE];
    struct config_problem problem = {""};
    (void)prctl(PR_SET_NAME, "ujratd-hooks"); /* who it is among ps's ujratds */
    w.signal_fd = daemon_signal_fd(SIGTERM, SIGHUP);
    if (w.signal_fd < 0) {
        log_error(log, "hooks.signals", log_err(err_sys("signalfd")));
        return EXIT_SYSTEM;
    }
    enum exit_code code = EXIT_CONFIG;
    if (err_failed(settings_hooks_uri(settings, uri, &problem)))
        log_error(log, "hooks.config", log_str("problem", problem.text));
    else
        code = run(&w, uri);
    explicit_bzero(uri, sizeof(uri));
    close(w.signal_fd);
    return code;
}
