/*
 * config.h: a program's settings from one table of its own: parsing, ranges, defaults, the sample file and
 * the reference page all come from the same rows.
 *
 *   static const struct config_row rows[] = {
 *       CONFIG_INT(struct settings, workers, "workers", 1, 64, "2", CONFIG_AT_START, "Worker ..."),
 *       CONFIG_DURATION(struct settings, idle_ms, "idle_timeout", 1000, 3600000, "5m", CONFIG_AT_START, "Close ..."),
 *       CONFIG_ENUM(struct settings, log_level, "log_level", log_level_names, "info", CONFIG_AT_RELOAD, "What ..."),
 *   };
 *
 * File: `name = value`, one a line; '#' begins a comment (at the start of a line or after a blank); a value in
 * double quotes keeps blanks and '#', with \" and \\ inside. No sections, no includes. An unknown name, a
 * name set twice, a value out of range: refused, naming file, line, name and reason.
 *
 * Values: int `12`; bool `true`/`false`; duration `250ms`, `30s`, `5m`, `2h`, `1d` (a unit is needed); size
 * `4096`, `64KiB`, `1MiB`, `2GiB`; enum: one of its choices; string and path: text without control characters.
 */
#ifndef UJRAT_BASE_CONFIG_H
#define UJRAT_BASE_CONFIG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_TYPE_STRING,      /* const char *; min and max are its length in bytes */
    CONFIG_TYPE_INT,         /* int64_t */
    CONFIG_TYPE_BOOL,        /* bool */
    CONFIG_TYPE_DURATION_MS, /* int64_t, milliseconds */
    CONFIG_TYPE_SIZE,        /* int64_t, bytes */
    CONFIG_TYPE_ENUM,        /* int: index in choices */
    CONFIG_TYPE_PATH,        /* const char *, as written; like a string */
};

enum config_when { CONFIG_AT_START, CONFIG_AT_RELOAD };

struct config_row {
    const char *name; /* lower case, digits, '_' and '.' */
    enum config_type type;
    size_t offset;              /* where in the program's own struct the value goes */
    int64_t min, max;           /* inclusive; in the type's own unit */
    const char *const *choices; /* of an enum, ended by NULL */
    const char *value_default;  /* as one would write it in the file; NULL: must be set */
    const char *help;           /* sentences, for people; wrapped when printed */
    enum config_when when;      /* whether a reload (SIGHUP) takes a new value */
};

/* An offset that does not compile if the member has another type than the row says. */
#define CONFIG_OFFSET(s, member, ctype)                                                            \
    (offsetof(s, member) +                                                                         \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((s *)0)->member), ctype) ? 1 : -1]))

#define CONFIG_STRING(s, member, name, len_min, len_max, dflt, when, help)                         \
    {                                                                                              \
        name, CONFIG_TYPE_STRING, CONFIG_OFFSET(s, member, const char *), len_min, len_max, NULL,  \
            dflt, help, when                                                                       \
    }
#define CONFIG_PATH(s, member, name, dflt, when, help)                                             \
    {                                                                                              \
        name, CONFIG_TYPE_PATH, CONFIG_OFFSET(s, member, const char *), 0, 4095, NULL, dflt, help, \
            when                                                                                   \
    }
#define CONFIG_INT(s, member, name, min, max, dflt, when, help)                                    \
    {                                                                                              \
        name, CONFIG_TYPE_INT, CONFIG_OFFSET(s, member, int64_t), min, max, NULL, dflt, help, when \
    }
#define CONFIG_BOOL(s, member, name, dflt, when, help)                                             \
    {                                                                                              \
        name, CONFIG_TYPE_BOOL, CONFIG_OFFSET(s, member, bool), 0, 1, NULL, dflt, help, when       \
    }
#define CONFIG_DURATION(s, member, name, min_ms, max_ms, dflt, when, help)                         \
    {                                                                                              \
        name, CONFIG_TYPE_DURATION_MS, CONFIG_OFFSET(s, member, int64_t), min_ms, max_ms, NULL,    \
            dflt, help, when                                                                       \
    }
#define CONFIG_SIZE(s, member, name, min_bytes, max_bytes, dflt, when, help)                       \
    {                                                                                              \
        name, CONFIG_TYPE_SIZE, CONFIG_OFFSET(s, member, int64_t), min_bytes, max_bytes, NULL,     \
            dflt, help, when                                                                       \
    }
#define CONFIG_ENUM(s, member, name, choices, dflt, when, help)                                    \
    {                                                                                              \
        name, CONFIG_TYPE_ENUM, CONFIG_OFFSET(s, member, int), 0, 0, choices, dflt, help, when     \
    }

#define CONFIG_PROBLEM_SIZE 512

/* "/etc/ujrat.conf:12: workers: 99: over the maximum of 64" */
struct config_problem {
    char text[CONFIG_PROBLEM_SIZE];
};

struct config;

/* Puts the defaults into *target (a zeroed struct of the program's own). rows and target must outlive the
 * config; strings in *target belong to the config and go with it. Asserts that the table itself is sound. */
MUST_CHECK err_t config_new(const struct config_row *rows, size_t n_rows, void *target,
                            struct config **out);
void config_free(struct config **config);

/* On error *problem says what to tell the user. A file over 1 MiB is refused. */
MUST_CHECK err_t config_read_file(struct config *config, const char *path,
                                  struct config_problem *problem);
MUST_CHECK err_t config_read_text(struct config *config, const char *file_name, struct slice text,
                                  struct config_problem *problem);

/* One `name=value` from the command line (--set); goes over what the file said, whatever came first. */
MUST_CHECK err_t config_set(struct config *config, struct slice assignment,
                            struct config_problem *problem);

/* After all reading: refuses if a setting without default was never set. */
MUST_CHECK err_t config_finish(struct config *config, struct config_problem *problem);

/* Prints what is in force, as a file that reads back the same. */
void config_print_effective(const struct config *config, FILE *out);

/* A commented sample file: every row with help, range and default (defaults commented out). */
void config_print_sample(const struct config_row *rows, size_t n_rows, FILE *out);

/* The reference as a Markdown table: name, type, range, default, meaning. */
void config_print_reference(const struct config_row *rows, size_t n_rows, FILE *out);

#endif
