/* ujratd: the gateway. */
#include <sys/resource.h>

#include "base/daemon.h"
#include "base/version.h"
#include "gateway/exit_code.h"
#include "gateway/master.h"
#include "gateway/rpc/error.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "ledger/schema_check.h"
#include "ledger/statements.h"

static const char help[] =
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
    "SIGHUP reads certificates, CRL and log_level again and opens the log anew.\n";

/* Files enough for what the settings promise. */
static bool set_limits(const struct gateway_config *config, struct log *log)
{
    enum { OTHER_FILES = 64 };
    rlim_t wanted = (rlim_t)(config->connections_max + config->connections_max / 10 +
                             config->db_connections + OTHER_FILES);
    struct rlimit files;
    err_t err = daemon_protect();
    if (!err_failed(err) && getrlimit(RLIMIT_NOFILE, &files) != 0)
        err = err_sys("getrlimit");
    if (err_failed(err)) {
        log_error(log, "start.limits", log_err(err));
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

static enum exit_code run_master(const struct daemon_args *args, struct settings *settings,
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
    switch (schema_check(settings->config.db, settings->config.db_start_timeout_ms, -1, log)) {
    case SCHEMA_CHECK_GOOD:
    case SCHEMA_CHECK_STOPPED:
        break;
    case SCHEMA_CHECK_OTHER:
        return EXIT_SCHEMA;
    case SCHEMA_CHECK_UNREACHABLE:
        return EXIT_LEDGER;
    }
    return master_run(args, settings, log);
}

static int run(const struct daemon_args *args, void *settings, struct log *log)
{
    return (int)run_master(args, settings, log);
}

static err_t load(const struct daemon_args *args, void *settings, struct config_problem *problem)
{
    return settings_load(args, settings, problem);
}

static void deinit(void *settings)
{
    settings_deinit(settings);
}

static bool check(void *settings, struct config_problem *problem)
{
    return worker_try(settings, problem) && worker_try_keys(settings, problem);
}

int main(int argc, char **argv)
{
    static const char *const secret[] = {"db", "seal_db", "hooks_db", NULL};
    static const struct daemon_flag flags[] = {
        {"--check-config", DAEMON_CHECK, NULL},
        {"--print-errors", DAEMON_PRINT, rpc_error_print_reference},
        {0}};
#define EXIT_ROW(number, name, meaning) {number, meaning},
    static const struct daemon_exit exits[] = {EXIT_CODE_TABLE(EXIT_ROW){0}};
#undef EXIT_ROW
    static const struct daemon ujratd = {
        .name = "ujratd",
        .help = help,
        .table_file = "gateway/config_table.c",
        .rows = gateway_config_rows,
        .n_rows = &gateway_config_rows_count,
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
    return daemon_main(&ujratd, argc, argv);
}
