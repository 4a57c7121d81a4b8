/* The statements of ledger/sql, carried in the program: each is prepared under its file's name. */
#ifndef UJRAT_LEDGER_STATEMENTS_H
#define UJRAT_LEDGER_STATEMENTS_H

#include <stdbool.h>

int statements_count(void);
/* By the name of its file without ".sql"; -1 if there is none. */
int statements_find(const char *name);
/* The name of its file, which is what it is prepared as. */
const char *statements_name(int i);
const char *statements_text(int i);
/* Its file begins with "-- read-only": running it again does no harm. */
bool statements_is_read_only(int i);

/* What `ujrat db migrate` installs: the number of ledger/schema/NNNN_*.sql this program was built with. */
int statements_schema_version(void);

#endif
