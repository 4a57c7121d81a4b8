#include "ledger/sqlstate.h"

#include <stddef.h>
#include <string.h>

bool sqlstate_is_passing(const char *sqlstate)
{
    /* Classes: invalid transaction state, transaction rollback, insufficient resources, operator intervention, system
     * error. */
    static const char *const classes[] = {"25", "40", "53", "57", "58"};
    for (size_t i = 0; sqlstate != NULL && i < sizeof classes / sizeof *classes; i++)
        if (strncmp(sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}
