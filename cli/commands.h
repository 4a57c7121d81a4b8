/* commands.h: what each command brings to the table in main.c. */
#ifndef UJRAT_CLI_COMMANDS_H
#define UJRAT_CLI_COMMANDS_H

#include "cli/command.h"

extern const char db_migrate_help[];
extern const struct option_row db_migrate_options[];
enum exit_code db_migrate_run(const struct args *args);

extern const char db_status_help[];
enum exit_code db_status_run(const struct args *args);

#endif
