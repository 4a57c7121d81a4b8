/*
 * command.h: the commands of the program in one table, and how their command lines are read.
 *
 * A command is one or two words, options (`--name VALUE` or `--name=VALUE`, anywhere) and operands. What it can be
 * asked is in its row; `PROGRAM --help` and `PROGRAM COMMAND --help` print the same row.
 */
#ifndef UJRAT_BASE_COMMAND_H
#define UJRAT_BASE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the program tells its caller. UNKNOWN: it may have been done; the same command again finds out. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_UNKNOWN = 3,
};

/* An option's own row; a list ends with a NULL name. */
struct option_row {
    const char *name;  /* without the dashes */
    const char *value; /* what stands for its value in the help; NULL: a flag */
    const char *help;
    bool repeats;
};

/* Options that many commands share. */
enum {
    WITH_DB = 1,   /* --db, --db-file */
    WITH_CALL = 2, /* --addr, --ca, --as, --cert, --key, --timeout */
    WITH_JSON = 4, /* --json */
    WITH_QUIET = 8 /* --quiet */
};

#define COMMAND_VALUES_MAX   256
#define COMMAND_OPERANDS_MAX 400 /* a year of daily statements */

struct args;

struct command {
    const char *name;                 /* "db migrate" */
    const char *operands;             /* as the help shows them: "PLATFORM AMOUNT CCY" */
    const char *summary;              /* one line */
    const char *help;                 /* more, or NULL; wrapped by hand */
    const struct option_row *options; /* or NULL */
    unsigned with;
    unsigned operands_min, operands_max;
    enum exit_code (*run)(const struct args *args);
};

/* Each program that links this defines its commands, ended by a NULL name, and says who it is. */
extern const struct command commands[];
extern const struct program {
    const char *name;          /* "ujrat" */
    const char *summary;       /* what it is, without the full stop */
    const char *exit_statuses; /* what they mean; ends --help */
} program;

/* A command line that was understood. Strings are argv's. */
struct args {
    const struct command *command;
    struct {
        const struct option_row *option;
        const char *value; /* "" for a flag */
    } values[COMMAND_VALUES_MAX];
    size_t n_values;
    const char *operands[COMMAND_OPERANDS_MAX];
    unsigned n_operands;
};

/* Value of an option of the command (asserted), the last one given; NULL if it was not given. */
const char *args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);

/* Values of an option that may be repeated: the next one from *at (begin with 0); NULL at the end. */
const char *args_next(const struct args *args, const char *name, size_t *at);

/* The option as a whole number in min..max. Complains and returns false if it is none. */
bool args_int(const struct args *args, const char *name, long long min, long long max,
              long long *out);

bool args_json(const struct args *args);
bool args_quiet(const struct args *args);

/* The whole program, less the process: reads the command line, runs the command. */
enum exit_code command_main(int argc, char **argv);

/* "PROGRAM: text" on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
