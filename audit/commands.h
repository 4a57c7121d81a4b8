/* commands.h: what each command brings to the table in main.c. */
#ifndef UJRAT_AUDIT_COMMANDS_H
#define UJRAT_AUDIT_COMMANDS_H

#include "base/command.h"

#endif
