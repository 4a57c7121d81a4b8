/* settings.h: the configuration as a running ujrat-settle has it: file, --set, and the ledger's URI from where it may come. */
#ifndef UJRAT_SETTLE_SETTINGS_H
#define UJRAT_SETTLE_SETTINGS_H

#include <stdbool.h>

#include "settle/config_table.h"

enum { SETTINGS_SETS_MAX = 64, SETTINGS_URI_SIZE = 4096 };

/* What the command line said. The strings are argv's. */
struct settings_source {
    const char *file; /* or NULL */
    const char *sets[SETTINGS_SETS_MAX];
    unsigned n_sets;
};

struct settings {
    struct settle_config config;
    struct config *owner; /* of the strings */
    char uri[SETTINGS_URI_SIZE];
};

/* On error *problem says what to tell the user; it never holds the URI. Settings are void then. */
MUST_CHECK err_t settings_load(const struct settings_source *source, struct settings *out,
                               struct config_problem *problem);
void settings_deinit(struct settings *s);

/* Takes over what may change while running (rows of CONFIG_AT_RELOAD). */
MUST_CHECK err_t settings_reload(const struct settings_source *source, struct settings *s,
                                 struct config_problem *problem);

/* Banks are served by files. */
static inline bool settings_files(const struct settings *s)
{
    return s->config.bank_folders[0] != '\0';
}

#endif
