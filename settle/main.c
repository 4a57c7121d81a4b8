/* ujrat-settle: settles with banks. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "ledger/schema_version.h"
#include "ledger/statements.h"
#include "settle/exit_code.h"
#include "settle/settler.h"

enum action { RUN, ONCE, CHECK, PRINT_CONFIG, PRINT_CONFIG_DOCS, VERSION, HELP };

static void print_help(FILE *out)
{
    fputs(
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
        "log_level again and opens the log anew.\n\n"
        "Exit codes:\n",
        out);
#define PRINT_CODE(number, name, meaning) fprintf(out, "  %2d  %s\n", number, meaning);
    EXIT_CODE_TABLE(PRINT_CODE)
#undef PRINT_CODE
}

static void print_config_docs(FILE *out)
{
    fputs("# Settings of ujrat-settle\n\n"
          "Made by `ujrat-settle --print-config-docs` from `settle/config_table.c`; a test holds the two "
          "together.\n"
          "`ujrat-settle --print-config` prints a commented sample file.\n\n",
          out);
    config_print_reference(settle_config_rows, settle_config_rows_count, out);
    fputs("\n## How it ends\n\n| exit code | meaning |\n| --- | --- |\n", out);
#define PRINT_CODE(number, name, meaning) fprintf(out, "| %d | %s |\n", number, meaning);
    EXIT_CODE_TABLE(PRINT_CODE)
#undef PRINT_CODE
}

static bool usage(const char *problem, const char *what)
{
    fprintf(stderr, "ujrat-settle: %s%s; see ujrat-settle --help\n", problem, what);
    return false;
}

static bool parse_args(int argc, char **argv, struct settings_source *source, enum action *action)
{
    static const struct {
        const char *name;
        enum action action;
    } flags[] = {{"--once", ONCE},
                 {"--check", CHECK},
                 {"--print-config", PRINT_CONFIG},
                 {"--print-config-docs", PRINT_CONFIG_DOCS},
                 {"--version", VERSION},
                 {"--help", HELP}};
    enum { FLAGS = sizeof(flags) / sizeof(flags[0]) };
    *action = RUN;
    for (int i = 1; i < argc; i++) {
        bool takes_value = strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--set") == 0;
        unsigned f = 0;
        while (f < FLAGS && strcmp(argv[i], flags[f].name) != 0)
            f++;
        if (takes_value && i + 1 == argc)
            return usage("a value is missing behind ", argv[i]);
        if (f < FLAGS)
            *action = flags[f].action;
        else if (!takes_value)
            return usage("what is ", argv[i]);
        else if (strcmp(argv[i], "--config") == 0)
            source->file = argv[++i];
        else if (source->n_sets < SETTINGS_SETS_MAX)
            source->sets[source->n_sets++] = argv[++i];
        else
            return usage("too many ", "--set");
    }
    return true;
}

/* ---------------------------------------------------------------- running */

struct running {
    const struct settings_source *source;
    struct settings *settings;
    struct log *log;
    int stop_fd, reload_fd;
};

static int signal_fd(int first, int second)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, first);
    sigaddset(&mask, second);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) != 0)
        return -1;
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* No core dumps: they would hold people's names and accounts. Files are the bank's to read, by group. */
static bool set_limits(struct running *r)
{
    const struct rlimit none = {0, 0};
    umask(027);
    (void)signal(SIGPIPE, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    r->stop_fd = signal_fd(SIGTERM, SIGINT);
    r->reload_fd = signal_fd(SIGHUP, SIGHUP);
    if (setrlimit(RLIMIT_CORE, &none) == 0 && r->stop_fd >= 0 && r->reload_fd >= 0)
        return true;
    log_error(r->log, "start.limits", log_err(err_sys("signals and limits")));
    return false;
}

static bool is_readable(int fd, int64_t wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, (int)wait_ms) > 0;
}

static enum exit_code check_schema(struct running *r)
{
    enum { RETRY_MS = 200 };
    int64_t deadline_us =
        clock_monotonic_us() + r->settings->config.db_start_timeout_ms * US_PER_MS;
    int known = statements_schema_version(), found = 0;
    char problem[512];
    enum schema_answer answer;
    while ((answer = schema_version_ask(r->settings->config.db, &found, problem,
                                        sizeof(problem))) == SCHEMA_UNREACHABLE &&
           clock_monotonic_us() < deadline_us)
        if (is_readable(r->stop_fd, RETRY_MS))
            return EXIT_DONE; /* the loop sees it, too */
    switch (answer) {
    case SCHEMA_VERSION:
        if (found == known)
            return EXIT_DONE;
        log_error(r->log, "schema.other_version", log_int("in_ledger", found),
                  log_int("known", known),
                  log_str("hint", found < known ? "run: ujrat db migrate"
                                                : "this program is older than the ledger"));
        return EXIT_SCHEMA;
    case SCHEMA_MISSING:
        log_error(r->log, "schema.missing", log_str("problem", problem),
                  log_str("hint", "run: ujrat db migrate"));
        return EXIT_SCHEMA;
    case SCHEMA_UNREACHABLE:
        break;
    }
    log_error(r->log, "ledger.unreachable", log_str("problem", problem),
              log_str("hint", "is PostgreSQL running, and db right?"));
    return EXIT_LEDGER;
}

static void reload(struct running *r)
{
    struct signalfd_siginfo info;
    struct config_problem problem;
    while (read(r->reload_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        continue;
    err_t err = log_reopen(r->log);
    if (err_failed(err))
        log_error(r->log, "reload.log", log_err(err));
    if (err_failed(settings_reload(r->source, r->settings, &problem)))
        log_error(r->log, "reload.config", log_str("problem", problem.text));
    log_set_level(r->log, (enum log_level)r->settings->config.log_level);
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

static enum exit_code loop(struct running *r, struct settler *settler, enum action action)
{
    for (;;) {
        int64_t wait_ms = 0;
        enum settler_round round = settler_step(settler, &wait_ms);
        if (round == SETTLER_STOPPED)
            return EXIT_DONE;
        if (action == ONCE)
            return round == SETTLER_DONE   ? EXIT_DONE
                   : round == SETTLER_LOST ? EXIT_LEDGER
                                           : EXIT_AGAIN;
        if (!wait_for_next(r, wait_ms))
            return EXIT_DONE;
    }
}

static enum exit_code run(struct running *r, enum action action)
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
    enum exit_code code = check_schema(r);
    if (code == EXIT_DONE)
        code = loop(r, settler, action);
    log_info(r->log, "settle.ended", log_int("exit", (int)code));
    settler_free(&settler);
    return code;
}

static enum exit_code check(struct settings *settings)
{
    struct config_problem problem = {""};
    struct settler *settler = NULL;
    if (err_failed(settler_new(settings, NULL, -1, &settler, &problem))) {
        fprintf(stderr, "ujrat-settle: %s\n", problem.text);
        return EXIT_CONFIG;
    }
    settler_free(&settler);
    return EXIT_DONE;
}

static enum exit_code start(const struct settings_source *source, enum action action)
{
    struct settings settings;
    struct config_problem problem;
    struct log *log = NULL;
    if (err_failed(settings_load(source, &settings, &problem))) {
        fprintf(stderr, "ujrat-settle: %s%s\n", problem.text,
                source->file == NULL ? " (no --config FILE was given)" : "");
        return EXIT_CONFIG;
    }
    enum exit_code code = EXIT_CONFIG;
    const char *log_file = settings.config.log_file;
    err_t err = action == CHECK ? err_none()
                                : log_new(log_file[0] == '\0' ? NULL : log_file,
                                          (enum log_level)settings.config.log_level, &log);
    if (action == CHECK) {
        code = check(&settings);
    } else if (err_failed(err)) {
        char text[ERR_TEXT_SIZE];
        fprintf(stderr, "ujrat-settle: log_file: %s\n", err_text(err, text, sizeof(text)));
    } else {
        struct running r = {
            .source = source, .settings = &settings, .log = log, .stop_fd = -1, .reload_fd = -1};
        code = run(&r, action);
        if (code != EXIT_DONE && log_file[0] != '\0') /* whoever typed this does not see the log */
            fprintf(stderr, "ujrat-settle: it did not go well (exit %d); why is in %s\n", (int)code,
                    log_file);
    }
    log_free(&log);
    settings_deinit(&settings);
    return code;
}

int main(int argc, char **argv)
{
    struct settings_source source = {0};
    enum action action;
    if (!parse_args(argc, argv, &source, &action))
        return EXIT_USAGE;
    switch (action) {
    case PRINT_CONFIG:
        config_print_sample(settle_config_rows, settle_config_rows_count, stdout);
        break;
    case PRINT_CONFIG_DOCS:
        print_config_docs(stdout);
        break;
    case VERSION:
        printf("ujrat-settle %s (schema %d)\n", UJRAT_VERSION, statements_schema_version());
        break;
    case HELP:
        print_help(stdout);
        break;
    case RUN:
    case ONCE:
    case CHECK:
        return (int)start(&source, action);
    }
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}
