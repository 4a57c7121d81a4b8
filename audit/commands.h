/* commands.h: what each command brings to the table in main.c. */
#ifndef UJRAT_AUDIT_COMMANDS_H
#define UJRAT_AUDIT_COMMANDS_H

#include "base/command.h"

extern const char reconcile_help[];
extern const struct option_row reconcile_options[];
enum exit_code reconcile_run(const struct args *args);

#endif
