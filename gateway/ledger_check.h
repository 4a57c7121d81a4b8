/* ledger_check.h: before anything is served: is the ledger there, and is it the one this program knows? */
#ifndef UJRAT_GATEWAY_LEDGER_CHECK_H
#define UJRAT_GATEWAY_LEDGER_CHECK_H

#include "base/log.h"
#include "gateway/config_table.h"
#include "gateway/exit_code.h"

/* Waits at most db_start_timeout. EXIT_DONE, or EXIT_LEDGER, EXIT_SCHEMA, EXIT_SYSTEM with a line in the log. */
enum exit_code ledger_check(const struct gateway_config *config, struct log *log);

#endif
