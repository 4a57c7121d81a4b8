/* worker.h: one worker process: one event loop, its own ledger connections, its own listening socket. */
#ifndef UJRAT_GATEWAY_WORKER_H
#define UJRAT_GATEWAY_WORKER_H

#include "base/log.h"
#include "gateway/exit_code.h"
#include "gateway/settings.h"

/*
 * Serves until SIGTERM, then drains. ready_fd: a byte is written to it once calls are answered, then it is closed.
 * handover_fd: where the sealer is told what was posted (gateway/handover.h); -1: nowhere. It is closed in the end.
 * SIGHUP reads certificates, CRL and reloadable settings again and opens the log anew.
 */
enum exit_code worker_run(const struct daemon_args *args, struct settings *settings,
                          struct log *log, uint16_t port, int ready_fd, int handover_fd);

/* Whether the TLS files and bounds make a server; nothing is listened to for long. False: *problem says why. */
bool worker_try(const struct settings *settings, struct config_problem *problem);
/* The same of the file of keys. */
bool worker_try_keys(const struct settings *settings, struct config_problem *problem);

#endif
