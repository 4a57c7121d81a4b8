#include "base/daemon.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/secret_file.h"
#include "base/version.h"

#define COMPLAIN(problem, ...) (void)snprintf((problem)->text, sizeof((problem)->text), __VA_ARGS__)

static err_t invalid(void)
{
    return err_make(ERR_INVALID, "configuration");
}

/* ---------------------------------------------------------------- the command line */

static bool usage(const struct daemon *d, const char *problem, const char *what)
{
    fprintf(stderr, "%s: %s%s; see %s --help\n", d->name, problem, what, d->name);
    return false;
}

static const struct daemon_flag *find_flag(const struct daemon_flag *flags, const char *name)
{
    while (flags->name != NULL && strcmp(flags->name, name) != 0)
        flags++;
    return flags->name == NULL ? NULL : flags;
}

bool daemon_parse(const struct daemon *d, int argc, char **argv, struct daemon_args *out)
{
    static const struct daemon_flag common[] = {
        {"--print-config", DAEMON_PRINT_CONFIG, NULL},
        {"--print-config-docs", DAEMON_PRINT_CONFIG_DOCS, NULL},
        {"--version", DAEMON_PRINT_VERSION, NULL},
        {"--help", DAEMON_PRINT_HELP, NULL},
        {0}};
    *out = (struct daemon_args){.daemon = d};
    for (int i = 1; i < argc; i++) {
        bool takes_value = strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--set") == 0;
        const struct daemon_flag *flag = find_flag(common, argv[i]);
        if (flag == NULL)
            flag = find_flag(d->flags, argv[i]);
        if (takes_value && i + 1 == argc)
            return usage(d, "a value is missing behind ", argv[i]);
        if (flag != NULL) {
            out->mode = flag->mode;
            out->print = flag->print;
        } else if (!takes_value) {
            return usage(d, "what is ", argv[i]);
        } else if (strcmp(argv[i], "--config") == 0) {
            out->file = argv[++i];
        } else if (out->n_sets < DAEMON_SETS_MAX) {
            out->sets[out->n_sets++] = argv[++i];
        } else {
            return usage(d, "too many ", "--set");
        }
    }
    return true;
}

/* ---------------------------------------------------------------- what it prints */

static void print_help(const struct daemon *d, FILE *out)
{
    fprintf(out, "%s\nExit codes:\n", d->help);
    for (const struct daemon_exit *e = d->exits; e->meaning != NULL; e++)
        fprintf(out, "  %2d  %s\n", e->code, e->meaning);
}

static void print_config_docs(const struct daemon *d, FILE *out)
{
    fprintf(out,
            "# Settings of %s\n\n"
            "Made by `%s --print-config-docs` from `%s`; a test holds the two together.\n"
            "`%s --print-config` prints a commented sample file.\n\n",
            d->name, d->name, d->table_file, d->name);
    config_print_reference(d->rows, *d->n_rows, out);
    fputs("\n## How it ends\n\n| exit code | meaning |\n| --- | --- |\n", out);
    for (const struct daemon_exit *e = d->exits; e->meaning != NULL; e++)
        fprintf(out, "| %d | %s |\n", e->code, e->meaning);
}

/* ---------------------------------------------------------------- settings */

/* One --set. A secret is not taken from where everyone on the machine can read it. */
static err_t set(const struct daemon *d, struct config *config, const char *assignment,
                 struct config_problem *problem)
{
    struct slice name, value;
    (void)slice_cut(slice_str(assignment), '=', &name, &value);
    name = slice_trim(name);
    for (const char *const *secret = d->secret; *secret != NULL; secret++) {
        if (slice_equal_str(name, *secret)) {
            COMPLAIN(problem,
                     "%s: not from the command line, which everyone on this machine can read",
                     *secret);
            return invalid();
        }
    }
    return config_set(config, slice_str(assignment), problem);
}

err_t daemon_config(const struct daemon_args *args, void *settings, struct config **owner,
                    struct config_problem *problem)
{
    const struct daemon *d = args->daemon;
    COMPLAIN(problem, "out of memory");
    err_t err = config_new(d->rows, *d->n_rows, settings, owner);
    if (!err_failed(err) && args->file != NULL)
        err = config_read_file(*owner, args->file, problem);
    for (unsigned i = 0; !err_failed(err) && i < args->n_sets; i++)
        err = set(d, *owner, args->sets[i], problem);
    if (!err_failed(err))
        err = config_finish(*owner, problem);
    if (err_failed(err))
        config_free(owner);
    return err;
}

err_t daemon_read_uri(const char *setting, const char *path, char uri[DAEMON_URI_SIZE],
                      struct config_problem *problem)
{
    size_t len;
    err_t err = secret_file_read(path, uri, DAEMON_URI_SIZE, &len, NULL);
    if (err_failed(err)) {
        COMPLAIN(problem, "%s: %s: %s", setting, path, secret_file_fault(err));
        return invalid();
    }
    uri[strcspn(uri, "\r\n")] = '\0';
    return err_none();
}

err_t daemon_find_uri(const char *db, const char *db_file, const char *variable,
                      char uri[DAEMON_URI_SIZE], struct config_problem *problem)
{
    const char *env = getenv(variable);
    if (db[0] != '\0' && db_file[0] != '\0') {
        COMPLAIN(problem, "db and db_file are both set; one of them is enough");
        return invalid();
    }
    if (db_file[0] != '\0') {
        err_t err = daemon_read_uri("db_file", db_file, uri, problem);
        if (err_failed(err))
            return err;
    } else {
        const char *text = db[0] != '\0' ? db : env != NULL ? env : "";
        if (err_failed(slice_copy(slice_str(text), uri, DAEMON_URI_SIZE)))
            uri[0] = '\0';
    }
    if (uri[0] == '\0') {
        COMPLAIN(problem, "where is the ledger? Set db, db_file, or %s in the environment",
                 variable);
        return invalid();
    }
    return err_none();
}

/* Where a setting's value is. */
static const void *value_of(const struct daemon *d, const void *settings, const char *name)
{
    for (size_t i = 0; i < *d->n_rows; i++)
        if (strcmp(d->rows[i].name, name) == 0)
            return (const char *)settings + d->rows[i].offset;
    assert(!"every program has it");
    return NULL;
}

static enum log_level level_of(const struct daemon *d, const void *settings)
{
    return (enum log_level) * (const int *)value_of(d, settings, "log_level");
}

/* ---------------------------------------------------------------- reading again */

static size_t value_size(enum config_type type)
{
    switch (type) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_DURATION_MS:
    case CONFIG_TYPE_SIZE:
        return sizeof(int64_t);
    case CONFIG_TYPE_BOOL:
        return sizeof(bool);
    case CONFIG_TYPE_ENUM:
        return sizeof(int);
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
        break;
    }
    assert(!"strings belong to what was read at the start");
    return 0;
}

static err_t read_again(const struct daemon_args *args, void *settings,
                        struct config_problem *problem)
{
    const struct daemon *d = args->daemon;
    struct config *owner = NULL;
    void *fresh = calloc(1, d->settings_size);
    COMPLAIN(problem, "out of memory");
    err_t err = fresh == NULL ? err_make(ERR_NO_MEMORY, "configuration")
                              : daemon_config(args, fresh, &owner, problem);
    for (size_t i = 0; !err_failed(err) && i < *d->n_rows; i++) {
        const struct config_row *row = &d->rows[i];
        if (row->when == CONFIG_AT_RELOAD)
            memcpy((char *)settings + row->offset, (const char *)fresh + row->offset,
                   value_size(row->type));
    }
    config_free(&owner);
    free(fresh);
    return err;
}

void daemon_reload(const struct daemon_args *args, void *settings, struct log *log)
{
    struct config_problem problem;
    err_t err = log_reopen(log);
    if (err_failed(err))
        log_error(log, "reload.log", log_err(err));
    if (err_failed(read_again(args, settings, &problem)))
        log_error(log, "reload.config", log_str("problem", problem.text));
    log_set_level(log, level_of(args->daemon, settings));
}

/* ---------------------------------------------------------------- running */

err_t daemon_protect(void)
{
    const struct rlimit none = {0, 0};
    umask(027);
    (void)signal(SIGPIPE, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    return setrlimit(RLIMIT_CORE, &none) == 0 ? err_none() : err_sys("setrlimit");
}

int daemon_signal_fd(int first, int second)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, first);
    sigaddset(&mask, second);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) != 0)
        return -1;
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int check(const struct daemon *d, void *settings)
{
    struct config_problem problem = {""};
    if (d->check(settings, &problem))
        return DAEMON_DONE;
    fprintf(stderr, "%s: %s\n", d->name, problem.text);
    return DAEMON_CONFIG;
}

static int run(const struct daemon_args *args, void *settings)
{
    const struct daemon *d = args->daemon;
    const char *log_file = *(const char *const *)value_of(d, settings, "log_file");
    struct log *log = NULL;
    err_t err = log_new(log_file[0] == '\0' ? NULL : log_file, level_of(d, settings), &log);
    if (err_failed(err)) {
        char text[ERR_TEXT_SIZE];
        fprintf(stderr, "%s: log_file: %s\n", d->name, err_text(err, text, sizeof(text)));
        return DAEMON_CONFIG;
    }
    int code = d->run(args, settings, log);
    if (code != DAEMON_DONE && log_file[0] != '\0') /* whoever typed this does not see the log */
        fprintf(stderr, "%s: it did not go well (exit %d); why is in %s\n", d->name, code,
                log_file);
    log_free(&log);
    return code;
}

static int start(const struct daemon_args *args)
{
    const struct daemon *d = args->daemon;
    struct config_problem problem = {"out of memory"};
    void *settings = calloc(1, d->settings_size);
    if (settings == NULL || err_failed(d->load(args, settings, &problem))) {
        fprintf(stderr, "%s: %s%s\n", d->name, problem.text,
                args->file == NULL ? " (no --config FILE was given)" : "");
        free(settings);
        return DAEMON_CONFIG;
    }
    int code = args->mode == DAEMON_CHECK ? check(d, settings) : run(args, settings);
    d->deinit(settings);
    free(settings);
    return code;
}

int daemon_main(const struct daemon *d, int argc, char **argv)
{
    struct daemon_args args;
    if (!daemon_parse(d, argc, argv, &args))
        return DAEMON_USAGE;
    switch (args.mode) {
    case DAEMON_PRINT:
        args.print(stdout);
        break;
    case DAEMON_PRINT_CONFIG:
        config_print_sample(d->rows, *d->n_rows, stdout);
        break;
    case DAEMON_PRINT_CONFIG_DOCS:
        print_config_docs(d, stdout);
        break;
    case DAEMON_PRINT_VERSION:
        printf("%s %s (schema %d)\n", d->name, UJRAT_VERSION, d->schema_version());
        break;
    case DAEMON_PRINT_HELP:
        print_help(d, stdout);
        break;
    case DAEMON_RUN:
    case DAEMON_ONCE:
    case DAEMON_CHECK:
        return start(&args);
    }
    return fflush(stdout) == 0 ? DAEMON_DONE : DAEMON_SYSTEM;
}
