/* seal_worker.h: the process beside the workers that seals blocks (seal/sealer.h). It alone has private keys in memory. */
#ifndef UJRAT_GATEWAY_SEAL_WORKER_H
#define UJRAT_GATEWAY_SEAL_WORKER_H

#include "base/log.h"
#include "gateway/exit_code.h"
#include "gateway/settings.h"
#include "seal/sealer.h"

/* Seals until SIGTERM, and then what is committed by then, if that takes no longer than a moment. SIGHUP reads keys and
 * log_level again. Signals it waits for are blocked by the caller. handover_fds: n sockets, at most
 * SEALER_HANDOVER_FDS_MAX, at which workers hand over blocks: its own from here on. */
enum exit_code seal_worker_run(const struct daemon_args *args, struct settings *settings,
                               struct log *log, const int *handover_fds, unsigned n);

#endif
