/* settings.h: the configuration as a running ujrat-settle has it: file, --set, and the ledger's URI from where it may come. */
#ifndef UJRAT_SETTLE_SETTINGS_H
#define UJRAT_SETTLE_SETTINGS_H

#include <stdbool.h>

#include "base/daemon.h"
#include "settle/config_table.h"

struct settings {
    struct settle_config config;
    struct config *owner; /* of the strings */
    char uri[DAEMON_URI_SIZE];
};

/* On error *problem says what to tell the user; it never holds the URI. Settings are void then. */
MUST_CHECK err_t settings_load(const struct daemon_args *args, struct settings *out,
                               struct config_problem *problem);
void settings_deinit(struct settings *s);

/* Banks are served by files. */
static inline bool settings_files(const struct settings *s)
{
    return s->config.bank_folders[0] != '\0';
}

#endif
