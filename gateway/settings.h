/* settings.h: the configuration as a running daemon has it: file, --set, and the ledger's URI from where it may come. */
#ifndef UJRAT_GATEWAY_SETTINGS_H
#define UJRAT_GATEWAY_SETTINGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/config_table.h"

enum { SETTINGS_SETS_MAX = 64, SETTINGS_URI_SIZE = 4096 };

/* What the command line said. The strings are argv's. */
struct settings_source {
    const char *file; /* or NULL */
    const char *sets[SETTINGS_SETS_MAX];
    unsigned n_sets;
};

struct settings {
    struct gateway_config config;
    struct config *owner; /* of the strings */
    char uri[SETTINGS_URI_SIZE];
    char listen_host[INET6_ADDRSTRLEN];
    uint16_t listen_port;
};

/* On error *problem says what to tell the user; it never holds the URI. Settings are void then. */
MUST_CHECK err_t settings_load(const struct settings_source *source, struct settings *out,
                               struct config_problem *problem);
void settings_deinit(struct settings *s);

/* The sealer's URI, read when it is wanted: it stays out of the memory of the other processes. ERR_INVALID, and *problem
 * says why, without the URI. */
MUST_CHECK err_t settings_seal_uri(const struct settings *s, char out[SETTINGS_URI_SIZE],
                                   struct config_problem *problem);
static inline bool settings_seal(const struct settings *s)
{
    return s->config.seal_keys[0] != '\0';
}

/* The same of the process that delivers webhooks. */
MUST_CHECK err_t settings_hooks_uri(const struct settings *s, char out[SETTINGS_URI_SIZE],
                                    struct config_problem *problem);

/* Takes over what may change while running (rows of CONFIG_AT_RELOAD). */
MUST_CHECK err_t settings_reload(const struct settings_source *source, struct settings *s,
                                 struct config_problem *problem);

#endif
