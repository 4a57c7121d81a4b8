/* bank_statement.h: a sandbox bank's statement of our account with it: camt.053.001.08. */
#ifndef UJRAT_CLI_BANK_STATEMENT_H
#define UJRAT_CLI_BANK_STATEMENT_H

#include "cli/bank_state.h"

/* account: an IBAN, or another number; bic: the bank's, NULL: not said. Opens with nothing on the day of the first entry,
 * and goes to the end of today (Asia/Karachi). False: complained. */
bool bank_statement_write(const struct bank_state *state, const char *account, const char *bic,
                          const char *path);

#endif
