/* master.h: the process that holds the port, starts the workers and starts them again. It serves nobody itself. */
#ifndef UJRAT_GATEWAY_MASTER_H
#define UJRAT_GATEWAY_MASTER_H

#include "base/log.h"
#include "gateway/exit_code.h"
#include "gateway/settings.h"

/* Runs until SIGTERM or SIGINT has ended the workers (a second one hurries them). */
enum exit_code master_run(const struct daemon_args *args, struct settings *settings,
                          struct log *log);

#endif
