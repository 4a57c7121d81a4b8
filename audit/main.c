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
    {"verify", "[FILE]", "Check everything: the books of a database, or a log export", verify_help,
     verify_options, WITH_DB | WITH_JSON | WITH_QUIET, 0, 1, verify_run},
    {"witness", "", "Keep the signed heads of the books outside of the database", witness_help,
     witness_options, WITH_DB, 0, 0, witness_run},
    {"receipt-verify", "FILE", "Check a payout's receipt, offline", receipt_verify_help,
     receipt_verify_options, WITH_JSON, 1, 1, receipt_verify_run},
    {"reconcile", "STATEMENT...", "Hold a bank's statements against the books", reconcile_help,
     reconcile_options, WITH_DB | WITH_JSON, 1, COMMAND_OPERANDS_MAX, reconcile_run},
    {"safeguard", "", "Hold clients' money against the money at banks, day by day", safeguard_help,
     safeguard_options, WITH_DB | WITH_JSON, 0, 0, safeguard_run},
    {"trial-balance", "", "Show every account's balance; each currency must sum to nil",
     trial_balance_help, trial_balance_options, WITH_DB | WITH_JSON, 0, 0, trial_balance_run},
    {"statement", "BOOK/ACCOUNT", "Show an account's postings and what they make of its balance",
     statement_help, statement_options, WITH_DB | WITH_JSON, 1, 1, statement_run},
    {"trail", "PAYOUT | BOOK REFERENCE", "Show all that became of a payout, with its proof",
     trail_help, trail_options, WITH_DB | WITH_JSON, 1, 2, trail_run},
    {"export", "", "Write the books as files for other programs", export_help, export_options,
     WITH_DB, 0, 0, export_run},
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
