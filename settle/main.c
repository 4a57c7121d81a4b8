/* ujrat-settle: settles with banks. */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/version.h"
#include "ledger/schema_check.h"
#include "ledger/statements.h"
#include "settle/exit_code.h"
#include "settle/settler.h"

static const char help[] =
    "ujrat-settle: settles with banks: windows, hand-outs, questions, files (docs/settlement.md).\n\n"
    "  ujrat-settle --config FILE [--set NAME=VALUE ...]\n\n"
    "  --config FILE        settings, one `name = value` a line\n"
    "  --set NAME=VALUE     over what the file says; may be repeated\n"
    "  --once               do what there is to do now, once, and end: for cron\n"
    "  --check              read settings, keys and folders, say what is wrong, and end\n"
    "  --print-config       a commented sample file\n"
    "  --print-config-docs  the reference of all settings (docs/config-settle.md)\n"
    "  --version, --help\n\n"
    "Several may run on one ledger: one leads, the others stand by and take over when it goes.\n"
    "Signals: SIGTERM or SIGINT ends it within a second; it can be killed at any moment. SIGHUP reads\n"
    "log_level again and opens the log anew.\n";

struct running {
    const struct daemon_args *args;
    struct settings *settings;
    struct log *log;
    int stop_fd, reload_fd;
};

static bool set_limits(struct running *r)
{
    err_t err = daemon_protect();
    if (!err_failed(err) && ((r->stop_fd = daemon_signal_fd(SIGTERM, SIGINT)) < 0 ||
                             (r->reload_fd = daemon_signal_fd(SIGHUP, SIGHUP)) < 0))
        err = err_sys("signals");
    if (err_failed(err))
        log_error(r->log, "start.limits", log_err(err));
    return !err_failed(err);
}

static void reload(struct running *r)
{
    struct signalfd_siginfo info;
    while (read(r->reload_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        continue;
    daemon_reload(r->args, r->settings, r->log);
}

/* Waits for the next round. False: asked to end. */
static bool wait_for_next(struct running *r, int64_t wait_ms)
{
    int64_t end_us = clock_monotonic_us() + wait_ms * US_PER_MS, left_ms = wait_ms;
    do {
        struct pollfd fds[2] = {{.fd = r->stop_fd, .events = POLLIN},
                                {.fd = r->reload_fd, .events = POLLIN}};
        if (poll(fds, 2, (int)left_ms) > 0 && fds[0].revents != 0)
            return false;
        if (fds[1].revents != 0)
            reload(r);
        left_ms = (end_us - clock_monotonic_us()) / US_PER_MS;
    } while (left_ms > 0);
    return true;
}

static enum exit_code loop(struct running *r, struct settler *settler)
{
    for (;;) {
        int64_t wait_ms = 0;
        enum settler_round round = settler_step(settler, &wait_ms);
        if (round == SETTLER_STOPPED)
            return EXIT_DONE;
        if (r->args->mode == DAEMON_ONCE)
            return round == SETTLER_DONE   ? EXIT_DONE
                   : round == SETTLER_LOST ? EXIT_LEDGER
                                           : EXIT_AGAIN;
        if (!wait_for_next(r, wait_ms))
            return EXIT_DONE;
    }
}

static enum exit_code check_and_loop(struct running *r, struct settler *settler)
{
    const struct settle_config *c = &r->settings->config;
    switch (schema_check(c->db, c->db_start_timeout_ms, r->stop_fd, r->log)) {
    case SCHEMA_CHECK_GOOD:
    case SCHEMA_CHECK_STOPPED: /* the loop sees it, too */
        break;
    case SCHEMA_CHECK_OTHER:
        return EXIT_SCHEMA;
    case SCHEMA_CHECK_UNREACHABLE:
        return EXIT_LEDGER;
    }
    return loop(r, settler);
}

static enum exit_code run_settler(struct running *r)
{
    struct config_problem problem = {""};
    struct settler *settler = NULL;
    log_info(r->log, "settle.starting", log_str("version", UJRAT_VERSION),
             log_int("schema", statements_schema_version()),
             log_bool("files", settings_files(r->settings)));
    if (!set_limits(r))
        return EXIT_SYSTEM;
    if (err_failed(settler_new(r->settings, r->log, r->stop_fd, &settler, &problem))) {
        log_error(r->log, "start.config", log_str("problem", problem.text));
        return EXIT_CONFIG;
    }
    enum exit_code code = check_and_loop(r, settler);
    log_info(r->log, "settle.ended", log_int("exit", (int)code));
    settler_free(&settler);
    return code;
}

static int run(const struct daemon_args *args, void *settings, struct log *log)
{
    struct running r = {
        .args = args, .settings = settings, .log = log, .stop_fd = -1, .reload_fd = -1};
    return (int)run_settler(&r);
}

static bool check(void *settings, struct config_problem *problem)
{
    struct settler *settler = NULL;
    err_t err = settler_new(settings, NULL, -1, &settler, problem);
    settler_free(&settler);
    return !err_failed(err);
}

static err_t load(const struct daemon_args *args, void *settings, struct config_problem *problem)
{
    return settings_load(args, settings, problem);
}

static void deinit(void *settings)
{
    settings_deinit(settings);
}

int main(int argc, char **argv)
{
    static const char *const secret[] = {"db", NULL};
    static const struct daemon_flag flags[] = {
        {"--once", DAEMON_ONCE, NULL}, {"--check", DAEMON_CHECK, NULL}, {0}};
#define EXIT_ROW(number, name, meaning) {number, meaning},
    static const struct daemon_exit exits[] = {EXIT_CODE_TABLE(EXIT_ROW){0}};
#undef EXIT_ROW
    static const struct daemon ujrat_settle = {
        .name = "ujrat-settle",
        .help = help,
        .table_file = "settle/config_table.c",
        .rows = settle_config_rows,
        .n_rows = &settle_config_rows_count,
        .secret = secret,
        .flags = flags,
        .exits = exits,
        .schema_version = statements_schema_version,
        .settings_size = sizeof(struct settings),
        .load = load,
        .deinit = deinit,
        .check = check,
        .run = run,
    };
    return daemon_main(&ujrat_settle, argc, argv);
}
