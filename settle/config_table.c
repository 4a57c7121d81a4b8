#include "settle/config_table.h"

#include "base/log.h"

typedef struct settle_config cfg;

/* clang-format off: a row a setting */
const struct config_row settle_config_rows[] = {
    CONFIG_STRING(
        cfg, db, "db", 0, 2000, "", CONFIG_AT_START,
        "The ledger as the role ujrat_settle, as a libpq URI. Not taken from --set, since everyone can read a command "
        "line. A URI with a password in it belongs in db_file."),
    CONFIG_PATH(
        cfg, db_file, "db_file", "", CONFIG_AT_START,
        "A file of mode 0600 whose first line is that URI. With neither, UJRAT_SETTLE_DB of the environment is used."),
    CONFIG_STRING(
        cfg, principal, "principal", 1, 63, "ujrat://system/settle", CONFIG_AT_START,
        "Who this is in the journals of hand-outs and windows: `ujrat principal add` makes it."),
    CONFIG_DURATION(cfg, db_start_timeout_ms, "db_start_timeout", 100, 3600000, "30s", CONFIG_AT_START,
                    "How long a start waits for the ledger before it gives up (exit code 69)."),
    CONFIG_DURATION(cfg, statement_timeout_ms, "statement_timeout", 100, 3600000, "60s", CONFIG_AT_START,
                    "One answer of the ledger; the connection, and with it the lead, is given up after it."),
    CONFIG_DURATION(cfg, interval_ms, "interval", 10, 3600000, "1s", CONFIG_AT_START,
                    "How often everything is looked at: windows, deadlines, folders, alerts."),
    CONFIG_DURATION(cfg, standby_ms, "standby", 10, 3600000, "1s", CONFIG_AT_START,
                    "How often one that does not lead tries to."),
    CONFIG_DURATION(
        cfg, hand_out_interval_ms, "hand_out_interval", 10, 86400000, "1m", CONFIG_AT_START,
        "How often payouts are handed out to a bank of mode instant that takes files. Each time makes a file, if there "
        "are any; until then they may still be cancelled."),
    CONFIG_INT(cfg, hand_out_payouts_max, "hand_out_payouts_max", 1, 15000, "5000", CONFIG_AT_START,
               "Payouts in one commit that hands out."),

    CONFIG_PATH(
        cfg, bank_folders, "bank_folders", "", CONFIG_AT_START,
        "The folder in which every bank that takes files has its own, CODE/in, out, archive and quarantine, which are "
        "made when they are missing. Empty: this program serves no bank by files."),
    CONFIG_PATH(
        cfg, signing_key, "signing_key", "", CONFIG_AT_START,
        "PEM, of mode 0600: the Ed25519 key that files to banks are signed with (openssl genpkey -algorithm ed25519). "
        "Needed with bank_folders."),
    CONFIG_PATH(
        cfg, bank_keys, "bank_keys", "", CONFIG_AT_START,
        "A folder with the banks' public Ed25519 keys, CODE.pem, and CODE.next.pem while a bank changes its own: a file "
        "from a bank is signed with either. Looked at with every file."),
    CONFIG_BOOL(
        cfg, unsigned_files, "unsigned_files", "false", CONFIG_AT_START,
        "true: files from banks are taken without a signature too. For sandboxes: whoever can write into the folder can "
        "then say what was paid."),
    CONFIG_PATH(
        cfg, pii_keys_file, "pii_keys", "", CONFIG_AT_START,
        "A file of mode 0600 with the keys that personal data is encrypted with (docs/personal-data.md): files name "
        "those who are to be paid. Needed with bank_folders. Read again when it changes."),
    CONFIG_PATH(
        cfg, xsd_folder, "xsd_folder", "", CONFIG_AT_START,
        "The ISO 20022 schemas, as pacs.008.001.08.xsd: files in both directions are held against them too. Empty: "
        "against our own rules alone."),
    CONFIG_SIZE(cfg, file_bytes_max, "file_bytes_max", 4096, 1LL << 30, "64MiB", CONFIG_AT_START,
                "The largest file that is taken from a bank."),
    CONFIG_INT(cfg, file_instructions_max, "file_instructions_max", 1, 100000, "15000", CONFIG_AT_START,
               "Instructions in a file to a bank; what one hand-out told is never split."),
    CONFIG_DURATION(
        cfg, manifest_wait_ms, "manifest_wait", 0, 86400000, "15m", CONFIG_AT_START,
        "How long a file from a bank may be without its manifest, a manifest without its file, and a file without the "
        "one it says it follows."),

    CONFIG_STRING(cfg, our_bic, "our_bic", 0, 11, "", CONFIG_AT_START,
                  "Our BIC, which files are from. Needed with bank_folders."),
    CONFIG_STRING(cfg, our_name, "our_name", 0, 70, "", CONFIG_AT_START,
                  "Our name in files to banks. Needed with bank_folders."),
    CONFIG_STRING(cfg, our_town, "our_town", 0, 35, "", CONFIG_AT_START,
                  "The town of our address, and of the platforms that pay through us. Needed with bank_folders."),
    CONFIG_STRING(cfg, our_country, "our_country", 2, 2, "PK", CONFIG_AT_START,
                  "The country of that address (ISO 3166-1 alpha-2)."),
    CONFIG_STRING(
        cfg, nostro_accounts, "nostro_accounts", 0, 4000, "", CONFIG_AT_START,
        "Our accounts at the banks that take files, as `CODE=IBAN` with blanks between: what pain.001 debits, and where "
        "pacs.008 and pacs.009 settle. Needed for banks that take pain.001."),
    CONFIG_STRING(cfg, business_service, "business_service", 1, 35, "ujrat.settlement.1", CONFIG_AT_START,
                  "What the header of a file calls the service it belongs to (BizSvc)."),

    CONFIG_PATH(cfg, log_file, "log_file", "", CONFIG_AT_START,
                "Appended to; opened anew on SIGHUP. Empty: standard error."),
    CONFIG_ENUM(cfg, log_level, "log_level", log_level_names, "info", CONFIG_AT_RELOAD,
                "What is written."),
};
/* clang-format on */

const size_t settle_config_rows_count = sizeof(settle_config_rows) / sizeof(settle_config_rows[0]);
