/* ujrat: what operators, platforms, auditors and sandbox banks type. */
#include "cli/command.h"
#include "cli/commands.h"

#include <signal.h>

const struct command commands[] = {
    {"db migrate", "", "Make or update the ledger's schema in a database", db_migrate_help,
     db_migrate_options, WITH_DB | WITH_QUIET, 0, 0, db_migrate_run},
    {"db status", "", "Show which migrations a database has", db_status_help, NULL,
     WITH_DB | WITH_JSON, 0, 0, db_status_run},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL},
};

int main(int argc, char **argv)
{
    enum exit_code code;

    /* A reader that went away (`ujrat … | head`) is an ordinary write error. */
    signal(SIGPIPE, SIG_IGN);
    code = command_main(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        return code == EXIT_DONE ? EXIT_REFUSED : code;
    return code;
}
