/* ujrat-audit: checks the books, with a read-only role or an export alone. Shares no code with what posts. */
#include "audit/commands.h"
#include "base/command.h"

#include <signal.h>

const struct program program = {
    "ujrat-audit",
    "checks the books of Ujrat without trusting those who keep them",
    "Exit status: 0 all is well, 1 something is wrong (or could not be done), 2 wrong usage.",
};

/* name, operands, summary, help, options, shared options, operands at least and at most, what runs */
const struct command commands[] = {
    {"reconcile", "STATEMENT...", "Hold a bank's statements against the books", reconcile_help,
     reconcile_options, WITH_DB | WITH_JSON, 1, COMMAND_OPERANDS_MAX, reconcile_run},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL},
};

int main(int argc, char **argv)
{
    enum exit_code code;

    /* A reader that went away (`ujrat-audit … | head`) is an ordinary write error. */
    signal(SIGPIPE, SIG_IGN);
    code = command_main(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        return code == EXIT_DONE ? EXIT_REFUSED : code;
    return code;
}
