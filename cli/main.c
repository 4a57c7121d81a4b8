/* ujrat: what operators, platforms, auditors and sandbox banks type. */
#include "base/command.h"
#include "cli/commands.h"

#include <signal.h>

const struct program program = {
    "ujrat",
    "pays freelancers' foreign earnings into their bank accounts at home",
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the outcome is unknown (the same\n"
    "command again is safe, and finds out).",
};

/* name, operands, summary, help, options, shared options, operands at least and at most, what runs */
const struct command commands[] = {
    {"db migrate", "", "Make or update the ledger's schema in a database", db_migrate_help,
     db_migrate_options, WITH_DB | WITH_QUIET, 0, 0, db_migrate_run},
    {"db status", "", "Show which migrations a database has", db_status_help, NULL,
     WITH_DB | WITH_JSON, 0, 0, db_status_run},
    {"platform add", "CODE", "Open a platform's book, its currencies and its tariff",
     platform_add_help, platform_add_options, WITH_DB | WITH_QUIET, 1, 1, platform_add_run},
    {"bank connect", "CODE", "Let a bank take instructions", bank_connect_help, NULL,
     WITH_DB | WITH_QUIET, 1, 1, bank_connect_run},
    {"bank list", "", "List the banks we know", NULL, NULL, WITH_DB | WITH_JSON, 0, 0,
     bank_list_run},
    {"bank fund", "CODE", "Book money with which a bank was made good", bank_fund_help,
     bank_fund_options, WITH_DB | WITH_QUIET, 1, 1, bank_fund_run},
    {"principal add", "URI", "Let an auditor, an operator or a program call", principal_add_help,
     NULL, WITH_DB | WITH_QUIET, 1, 1, principal_add_run},
    {"principal enable", "URI", "Let a principal call again", NULL, NULL, WITH_DB | WITH_QUIET, 1,
     1, principal_enable_run},
    {"principal disable", "URI", "Refuse a principal's calls from now on", NULL, NULL,
     WITH_DB | WITH_QUIET, 1, 1, principal_disable_run},
    {"principal list", "", "List who may call", NULL, NULL, WITH_DB | WITH_JSON, 0, 0,
     principal_list_run},
    {"float deposit", "PLATFORM AMOUNT CCY", "Book money that a platform has paid in",
     float_deposit_help, float_deposit_options, WITH_DB | WITH_QUIET, 3, 3, float_deposit_run},
    {"rates import", "FILE", "Import a day's exchange rates", rates_import_help,
     rates_import_options, WITH_DB | WITH_QUIET, 1, 1, rates_import_run},
    {"rates show", "", "Show the rates in force", rates_show_help, rates_show_options,
     WITH_DB | WITH_JSON, 0, 0, rates_show_run},
    {"log key add", "BOOK", "Make a key that a book is signed with, or its successor",
     log_key_add_help, log_key_add_options, WITH_DB | WITH_QUIET, 1, 1, log_key_add_run},
    {"log key list", "[BOOK]", "Show which keys sign which blocks", log_key_list_help, NULL,
     WITH_DB | WITH_JSON, 0, 1, log_key_list_run},
    {"log key export", "BOOK", "Print a book's public keys for its auditors", log_key_export_help,
     NULL, WITH_DB, 1, 1, log_key_export_run},
    {"log status", "", "Show how far books are sealed", log_status_help, NULL, WITH_DB | WITH_JSON,
     0, 0, log_status_run},
    {"pii key new", "FILE", "Make a file of keys for personal data, or add a key to it",
     pii_key_new_help, NULL, WITH_QUIET, 1, 1, pii_key_new_run},
    {"pii rotate", "", "Encrypt personal data anew with the newest key", pii_rotate_help,
     pii_rotate_options, WITH_DB | WITH_QUIET, 0, 0, pii_rotate_run},
    {"pii status", "", "Show which keys personal data is encrypted with", pii_status_help,
     pii_status_options, WITH_DB | WITH_JSON, 0, 0, pii_status_run},
    {"pii erase", "PLATFORM BENEFICIARY", "Erase what a person is called and paid by",
     pii_erase_help, pii_erase_options, WITH_DB | WITH_QUIET, 2, 2, pii_erase_run},
    {"trial-balance", "", "Show every account's balance, which sum to nil", trial_balance_help,
     trial_balance_options, WITH_DB | WITH_JSON, 0, 0, trial_balance_run},
    {"recon accept", "PLATFORM", "Propose the journal that a break calls for", recon_accept_help,
     recon_accept_options, WITH_DB | WITH_QUIET, 1, 1, recon_accept_run},
    {"recon adjust", "PLATFORM", "Propose a journal, for a second person to approve",
     recon_adjust_help, recon_adjust_options, WITH_DB | WITH_QUIET, 1, 1, recon_adjust_run},
    {"recon list", "", "List proposed journals that nobody has decided", NULL, recon_list_options,
     WITH_DB | WITH_JSON, 0, 0, recon_list_run},
    {"recon approve", "PLATFORM PROPOSAL", "Make a proposed journal, as the second person",
     recon_approve_help, NULL, WITH_DB | WITH_QUIET, 2, 2, recon_approve_run},
    {"recon refuse", "PLATFORM PROPOSAL", "End a proposal without a journal", recon_refuse_help,
     NULL, WITH_DB | WITH_QUIET, 2, 2, recon_refuse_run},
    {"payout submit", "FILE", "Pay a file of payouts; safe to run twice", payout_submit_help,
     payout_submit_options, WITH_CALL | WITH_JSON | WITH_QUIET, 1, 1, payout_submit_run},
    {"payout get", "NAME|REFERENCE", "Show a payout", payout_get_help, NULL, WITH_CALL | WITH_JSON,
     1, 1, payout_get_run},
    {"payout list", "", "List the platform's payouts, oldest first", NULL, payout_list_options,
     WITH_CALL | WITH_JSON, 0, 0, payout_list_run},
    {"payout watch", "", "Follow what becomes of the platform's payouts", payout_watch_help,
     payout_watch_options, WITH_CALL | WITH_JSON, 0, 0, payout_watch_run},
    {"payout cancel", "NAME|REFERENCE", "Cancel a payout no bank knows of yet", payout_cancel_help,
     NULL, WITH_CALL | WITH_JSON, 1, 1, payout_cancel_run},
    {"payout report", "", "List every platform's payouts, as the auditor sees them",
     payout_report_help, payout_report_options, WITH_DB | WITH_JSON, 0, 0, payout_report_run},
    {"receipt", "[PAYOUT]", "Get what proves a payout, and print it", receipt_help, receipt_options,
     WITH_CALL, 0, 1, receipt_run},
    {"compare", "FILE", "Show what others would have taken of the same money", compare_help, NULL,
     WITH_DB | WITH_JSON, 1, 1, compare_run},
    {"quote", "AMOUNT CCY", "Price an amount and lock the price", quote_help, quote_options,
     WITH_CALL | WITH_JSON, 2, 2, quote_run},
    {"balance", "", "Show the platform's float", NULL, NULL, WITH_CALL | WITH_JSON, 0, 0,
     balance_run},
    {"beneficiary add", "REQUEST-ID", "Register a freelancer who can be paid", beneficiary_add_help,
     beneficiary_add_options, WITH_CALL | WITH_JSON, 1, 1, beneficiary_add_run},
    {"beneficiary list", "", "List the platform's beneficiaries", NULL, NULL, WITH_CALL | WITH_JSON,
     0, 0, beneficiary_list_run},
    {"bank run", "", "Be a sandbox bank: confirm, reject, return", bank_run_help, bank_run_options,
     WITH_CALL | WITH_QUIET, 0, 0, bank_run_run},
    {"bank position", "", "Show what a bank is owed and told to pay", NULL, NULL,
     WITH_CALL | WITH_JSON, 0, 0, bank_position_run},
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
