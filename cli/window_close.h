/* window_close.h: an operator closes a window before its time. */
#ifndef UJRAT_CLI_WINDOW_CLOSE_H
#define UJRAT_CLI_WINDOW_CLOSE_H

#include "cli/db.h"

/* operands: the bank's code and the window's number; bank: the bank's number. */
enum exit_code window_close(const struct args *args, struct db *db, const char *bank);

#endif
