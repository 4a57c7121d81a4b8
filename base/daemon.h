/*
 * daemon.h: what the long-running programs have in common: their command line, what they print, where their settings come
 * from, and what SIGHUP reads again. A program says who it is in one row; daemon_main() is its main().
 */
#ifndef UJRAT_BASE_DAEMON_H
#define UJRAT_BASE_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/config.h"
#include "base/log.h"

enum { DAEMON_SETS_MAX = 64, DAEMON_URI_SIZE = 4096 };

/* Exit codes that daemon_main() itself gives: those of sysexits(3), the same for every program. */
enum { DAEMON_DONE = 0, DAEMON_USAGE = 64, DAEMON_SYSTEM = 71, DAEMON_CONFIG = 78 };

/* What a flag asks for. The last one on the command line counts. */
enum daemon_mode {
    DAEMON_RUN,   /* no flag */
    DAEMON_CHECK, /* read everything, say what is wrong, and end */
    DAEMON_PRINT, /* what the flag prints */
    DAEMON_PRINT_CONFIG,
    DAEMON_PRINT_CONFIG_DOCS,
    DAEMON_PRINT_VERSION,
    DAEMON_PRINT_HELP,
    DAEMON_ONCE, /* run, but not for ever */
};

/* A flag of the program's own. */
struct daemon_flag {
    const char *name; /* with its dashes */
    enum daemon_mode mode;
    void (*print)(FILE *out); /* of DAEMON_PRINT */
};

struct daemon_exit {
    int code;
    const char *meaning;
};

/* What the command line said. The strings are argv's. */
struct daemon_args {
    const struct daemon *daemon;
    const char *file; /* or NULL */
    const char *sets[DAEMON_SETS_MAX];
    unsigned n_sets;
    enum daemon_mode mode;
    void (*print)(FILE *out); /* of DAEMON_PRINT */
};

/* A program. Its settings are a struct of its own whose first member is what the rows fill in; two of the rows are log_file
 * (a path) and log_level (an enum log_level). */
struct daemon {
    const char *name;                /* "ujratd" */
    const char *help;                /* --help, up to the exit codes */
    const char *table_file;          /* where the rows are written */
    const struct config_row *rows;   /* those of CONFIG_AT_RELOAD hold no strings */
    const size_t *n_rows;            /* theirs */
    const char *const *secret;       /* settings that --set does not take; ended by NULL */
    const struct daemon_flag *flags; /* ended by a NULL name */
    const struct daemon_exit *exits; /* how it ends; ended by a NULL meaning */
    int (*schema_version)(void);     /* of the ledger, for --version */

    size_t settings_size;
    /* daemon_config(), and what else there is to do. On error *problem says what to tell the user, and nothing is held. */
    err_t (*load)(const struct daemon_args *args, void *settings, struct config_problem *problem);
    void (*deinit)(void *settings);
    /* Whether it could run with them, as far as can be seen without running. */
    bool (*check)(void *settings, struct config_problem *problem);
    /* Returns the exit code; why it is not zero is in the log. */
    int (*run)(const struct daemon_args *args, void *settings, struct log *log);
};

/* The whole program, less the process. Returns the exit code. */
int daemon_main(const struct daemon *d, int argc, char **argv);

/* Its first step. False: the command line is not understood, and standard error says why. */
MUST_CHECK bool daemon_parse(const struct daemon *d, int argc, char **argv,
                             struct daemon_args *out);

/* Reads the settings into zeroed ones; their strings are *owner's. On error *problem says what to tell the user, and there
 * is no owner. */
MUST_CHECK err_t daemon_config(const struct daemon_args *args, void *settings,
                               struct config **owner, struct config_problem *problem);

/* Where the ledger is: in the setting db, in the file that db_file names, or in the environment's variable. ERR_INVALID,
 * and *problem says why; it never holds the URI. */
MUST_CHECK err_t daemon_find_uri(const char *db, const char *db_file, const char *variable,
                                 char uri[DAEMON_URI_SIZE], struct config_problem *problem);
/* The first line of a file that nobody else may read, and that `setting` names. As above. */
MUST_CHECK err_t daemon_read_uri(const char *setting, const char *path, char uri[DAEMON_URI_SIZE],
                                 struct config_problem *problem);

/* No core dumps, which would hold people's data; files are the group's to read and nobody else's; writing to a line that
 * has gone kills nobody. */
MUST_CHECK err_t daemon_protect(void);

/* A descriptor that these signals are read from, as struct signalfd_siginfo, instead of doing what they do; the same twice is one.
 * -1: errno says why. */
int daemon_signal_fd(int first, int second);

/* At SIGHUP: opens the log anew, reads the settings again and takes over what may change while running (rows of
 * CONFIG_AT_RELOAD). What fails is told in the log, and stays as it was. */
void daemon_reload(const struct daemon_args *args, void *settings, struct log *log);

#endif
