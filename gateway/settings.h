/* settings.h: the configuration as a running daemon has it: file, --set, and the ledger's URI from where it may come. */
#ifndef UJRAT_GATEWAY_SETTINGS_H
#define UJRAT_GATEWAY_SETTINGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/daemon.h"
#include "gateway/config_table.h"

struct settings {
    struct gateway_config config;
    struct config *owner; /* of the strings */
    char uri[DAEMON_URI_SIZE];
    char listen_host[INET6_ADDRSTRLEN];
    uint16_t listen_port;
};

/* On error *problem says what to tell the user; it never holds the URI. Settings are void then. */
MUST_CHECK err_t settings_load(const struct daemon_args *args, struct settings *out,
                               struct config_problem *problem);
void settings_deinit(struct settings *s);

/* The sealer's URI, read when it is wanted: it stays out of the memory of the other processes. ERR_INVALID, and *problem
 * says why, without the URI. */
MUST_CHECK err_t settings_seal_uri(const struct settings *s, char out[DAEMON_URI_SIZE],
                                   struct config_problem *problem);
static inline bool settings_seal(const struct settings *s)
{
    return s->config.seal_keys[0] != '\0';
}

/* The same of the process that delivers webhooks. */
MUST_CHECK err_t settings_hooks_uri(const struct settings *s, char out[DAEMON_URI_SIZE],
                                    struct config_problem *problem);

#endif
