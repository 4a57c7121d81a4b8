/* notify_worker.h: the process beside the workers that delivers webhooks (hook/notifier.h). It alone signs them, and it alone speaks to
 * whom platforms name. */
#ifndef UJRAT_GATEWAY_NOTIFY_WORKER_H
#define UJRAT_GATEWAY_NOTIFY_WORKER_H

#include "base/log.h"
#include "gateway/exit_code.h"
#include "gateway/settings.h"

/* Delivers until SIGTERM, and then lets what is under way end if that takes no longer than a moment. SIGHUP opens the log anew and
 * reads log_level again. Signals it waits for are blocked by the caller. */
enum exit_code notify_worker_run(const struct daemon_args *args, struct settings *settings,
                                 struct log *log);

#endif
