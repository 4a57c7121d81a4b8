/* sqlstate.h: what PostgreSQL's error codes mean to us (its manual, appendix A). */
#ifndef UJRAT_LEDGER_SQLSTATE_H
#define UJRAT_LEDGER_SQLSTATE_H

#include <stdbool.h>

/*
 * Of an error that rolled back: it was nobody's item or statement, and may well work another time: conflicts, lack of memory,
 * disk or connections, an operator's stop, a server that only reads (a demoted one). NULL and "" are none.
 */
bool sqlstate_is_passing(const char *sqlstate);

#endif
