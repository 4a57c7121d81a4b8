/* ujratd: the gateway. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/version.h"
#include "gateway/exit_code.h"
#include "gateway/ledger_check.h"
#include "gateway/master.h"
#include "gateway/rpc/error.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "ledger/statements.h"

enum action { RUN, CHECK, PRINT_CONFIG, PRINT_CONFIG_DOCS, PRINT_ERRORS, VERSION, HELP };

static void print_help(FILE *out)
{
    fputs(
        "ujratd: takes payouts over gRPC and posts them to the ledger.\n\n"
        "  ujratd --config FILE [--set NAME=VALUE ...]\n\n"
        "  --config FILE        settings, one `name = value` a line\n"
        "  --set NAME=VALUE     over what the file says; may be repeated\n"
        "  --check-config       read settings and certificates, say what is wrong, and end\n"
        "  --print-config       a commented sample file\n"
        "  --print-config-docs  the reference of all settings (docs/config.md)\n"
        "  --print-errors       the reference of all refusals (docs/errors.md)\n"
        "  --version, --help\n\n"
        "Signals: SIGTERM or SIGINT ends it when the calls under way are answered, a second one at once;\n"
        "SIGHUP reads certificates, CRL and log_level again and opens the log anew.\n\n"
        "Exit codes:\n",
        out);
#define PRINT_CODE(number, name, meaning) fprintf(out, "  %2d  %s\n", number, meaning);
    EXIT_CODE_TABLE(PRINT_CODE)
#undef PRINT_CODE
}

static void print_config_docs(FILE *out)
{
    fputs(
        "# Settings of ujratd\n\n"
        "Made by `ujratd --print-config-docs` from `gateway/config_table.c`; a test holds the two together.\n"
        "`ujratd --print-config` prints a commented sample file.\n\n",
        out);
    config_print_reference(gateway_config_rows, gateway_config_rows_count, out);
    fputs("\n## How it ends\n\n| exit code | meaning |\n| --- | --- |\n", out);
#define PRINT_CODE(number, name, meaning) fprintf(out, "| %d | %s |\n", number, meaning);
    EXIT_CODE_TABLE(PRINT_CODE)
#undef PRINT_CODE
}

static bool usage(const char *problem, const char *what)
{
    fprintf(stderr, "ujratd: %s%s; see ujratd --help\n", problem, what);
    return false;
}

static bool parse_args(int argc, char **argv, struct settings_source *source, enum action *action)
{
    static const struct {
        const char *name;
        enum action action;
    } flags[] = {{"--check-config", CHECK},
                 {"--print-config", PRINT_CONFIG},
                 {"--print-config-docs", PRINT_CONFIG_DOCS},
                 {"--print-errors", PRINT_ERRORS},
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

/* Files enough for what the settings promise, no core dumps (they would hold clients' data). */
static bool set_limits(const struct gateway_config *config, struct log *log)
{
    enum { OTHER_FILES = 64 };
    rlim_t wanted = (rlim_t)(config->connections_max + config->connections_max / 10 +
                             config->db_connections + OTHER_FILES);
    struct rlimit files;
    const struct rlimit none = {0, 0};
    umask(027);
    (void)signal(SIGPIPE, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    if (setrlimit(RLIMIT_CORE, &none) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0) {
        log_error(log, "start.limits", log_err(err_sys("setrlimit")));
        return false;
    }
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= wanted)
        return true;
    log_error(
        log, "start.too_few_files", log_uint("wanted", wanted), log_uint("allowed", files.rlim_max),
        log_str("hint", "raise the limit (ulimit -Hn, LimitNOFILE=) or lower connections_max"));
    return false;
}

static enum exit_code run(const struct settings_source *source, struct settings *settings,
                          struct log *log)
{
    struct config_problem problem;
    log_info(log, "master.starting", log_str("version", UJRAT_VERSION),
             log_int("schema", statements_schema_version()));
    if (!set_limits(&settings->config, log))
        return EXIT_SYSTEM;
    if (!worker_try(settings, &problem)) {
        log_error(log, "start.tls", log_str("problem", problem.text));
        return EXIT_CONFIG;
    }
    if (!worker_try_keys(settings, &problem)) {
        log_error(log, "start.pii_keys", log_str("problem", problem.text));
        return EXIT_CONFIG;
    }
    enum exit_code code = ledger_check(&settings->config, log);
    return code == EXIT_DONE ? master_run(source, settings, log) : code;
}

static enum exit_code start(const struct settings_source *source, enum action action)
{
    struct settings settings;
    struct config_problem problem;
    if (err_failed(settings_load(source, &settings, &problem))) {
        fprintf(stderr, "ujratd: %s%s\n", problem.text,
                source->file == NULL ? " (no --config FILE was given)" : "");
        return EXIT_CONFIG;
    }
    enum exit_code code = EXIT_CONFIG;
    struct log *log = NULL;
    if (action == CHECK) {
        if (worker_try(&settings, &problem) && worker_try_keys(&settings, &problem))
            code = EXIT_DONE;
        else
            fprintf(stderr, "ujratd: %s\n", problem.text);
        goto out;
    }
    const char *log_file = settings.config.log_file;
    err_t err = log_new(log_file[0] == '\0' ? NULL : log_file,
                        (enum log_level)settings.config.log_level, &log);
    if (err_failed(err)) {
        char text[ERR_TEXT_SIZE];
        fprintf(stderr, "ujratd: log_file: %s\n", err_text(err, text, sizeof(text)));
        goto out;
    }
    code = run(source, &settings, log);
    if (code != EXIT_DONE && log_file[0] != '\0') /* whoever typed this does not see the log */
        fprintf(stderr, "ujratd: it did not go well (exit %d); why is in %s\n", (int)code,
                log_file);
out:
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
        config_print_sample(gateway_config_rows, gateway_config_rows_count, stdout);
        break;
    case PRINT_CONFIG_DOCS:
        print_config_docs(stdout);
        break;
    case PRINT_ERRORS:
        rpc_error_print_reference(stdout);
        break;
    case VERSION:
        printf("ujratd %s (schema %d)\n", UJRAT_VERSION, statements_schema_version());
        break;
    case HELP:
        print_help(stdout);
        break;
    case RUN:
    case CHECK:
        return (int)start(&source, action);
    }
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}
