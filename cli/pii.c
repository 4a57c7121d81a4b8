/* ujrat pii: the keys of personal data, and the erasure of a person (docs/personal-data.md). Encryption anew: pii_rotate.c. */
#include "ledger/pii.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/pii_keys_file.h"
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

const char pii_key_new_help[] =
    "Makes FILE (mode 0600) with a fingerprint key and key 1, or adds the next key to it, with which the\n"
    "gateway encrypts from then on; then run `ujrat pii rotate`. Each host that runs ujratd needs the\n"
    "same file. Keep a copy where the database's backups are not: without it they are worth nothing, and\n"
    "with it beside them encryption is worth nothing.";
const char pii_status_help[] =
    "Shows how many rows each key has encrypted, and with --keys whether it is in the file. Key 0: not\n"
    "encrypted yet, run `ujrat pii rotate`. Exit status 1 when a key is missing.";
const char pii_erase_help[] =
    "BENEFICIARY is its number, or its name such as platforms/upwork/beneficiaries/5. What it is called\n"
    "and paid by is deleted, in all its versions; journals, blocks and seals stay as they are. Refused\n"
    "while a payout to it is not finished. It cannot be undone. Running it again changes nothing.\n"
    "TEXT is kept, and so is who ran this: write nothing of the person into it.";

const struct option_row pii_status_options[] = {OPTION_KEYS, {NULL, NULL, NULL, false}};
const struct option_row pii_erase_options[] = {
    {"reason", "TEXT", "why (required)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

const char *pii_keys_file(const struct args *args)
{
    const char *file = args_get(args, "keys");
    const char *env = getenv("UJRAT_PII_KEYS");

    if (file == NULL && env != NULL && env[0] != '\0')
        file = env;
    return file;
}

/* ---------------------------------------------------------------- key new */

enum exit_code pii_key_new_run(const struct args *args)
{
    struct pii_problem problem = {""};
    int16_t id = 0;

    if (err_failed(pii_keys_add(args->operands[0], &id, &problem))) {
        complain("%s", problem.text);
        return EXIT_REFUSED;
    }
    if (!args_quiet(args))
        printf("%s has key %d\n", args->operands[0], id);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- status */

static const char *in_file(const struct pii *pii, int16_t id)
{
    if (pii == NULL)
        return "";
    return id == PII_KEY_NONE ? "not encrypted" : pii_has(pii, id) ? "yes" : "no";
}

/* True: every row can be read. */
static bool show_keys(const struct args *args, const struct pii *pii, const PGresult *r)
{
    static const struct report_column columns[] = {
        {"key", REPORT_INT}, {"rows", REPORT_INT}, {"in the file", REPORT_TEXT}};
    struct report *report = NULL;
    bool all = true;

    report_new(columns, pii == NULL ? 2 : 3, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        int16_t id = (int16_t)db_int(r, i, 0);

        all = all && (pii == NULL || id == PII_KEY_NONE || pii_has(pii, id));
        report_add(report, (const char *const[]){PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                                                 in_file(pii, id)});
    }
    report_print(report, args_json(args));
    report_free(&report);
    return all;
}

enum exit_code pii_status_run(const struct args *args)
{
    const char *file = pii_keys_file(args);
    struct pii *pii = NULL;
    struct pii_problem problem;
    struct db db;
    PGresult *r = NULL;
    enum exit_code code;

    if (file != NULL && err_failed(pii_new(file, &pii, &problem))) {
        complain("%s", problem.text);
        return EXIT_REFUSED;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code == EXIT_DONE) {
        r = db_run(&db, "SELECT key_id, sum(boxes)::bigint FROM pii_key_use GROUP BY 1 ORDER BY 1");
        if (r == NULL)
            code = db_failure(&db);
        else if (!show_keys(args, pii, r))
            code = EXIT_REFUSED;
        PQclear(r);
        db_close(&db);
    }
    pii_free(&pii);
    return code;
}

/* ---------------------------------------------------------------- erase */

/* "5", or the name that ends with it if it is this platform's. */
static bool beneficiary_number(const char *platform, const char *text, const char **number)
{
    char prefix[96];
    int64_t id;
    int len = snprintf(prefix, sizeof prefix, "platforms/%s/beneficiaries/", platform);

    *number = text;
    if (len > 0 && (size_t)len < sizeof prefix && strncmp(text, prefix, (size_t)len) == 0)
        *number = text + len;
    if (!err_failed(str_parse_int64(slice_str(*number), &id)) && id > 0)
        return true;
    complain("'%s' is no beneficiary of %s: a number, or %sNUMBER", text, platform, prefix);
    return false;
}

enum exit_code pii_erase_run(const struct args *args)
{
    const char *platform = args->operands[0];
    const char *reason = args_get(args, "reason");
    const char *number;
    char author[128];
    char book[12];
    struct db db;
    PGresult *r;
    int book_id;
    enum exit_code code;

    if (reason == NULL || reason[0] == '\0') {
        complain("why? Say --reason TEXT");
        return EXIT_USAGE;
    }
    if (!beneficiary_number(platform, args->operands[1], &number))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    book_id = operator_find_book(&db, platform);
    snprintf(book, sizeof book, "%d", book_id);
    r = book_id == 0 ? NULL
                     : db_query(&db, "SELECT erase_beneficiary($1, $2, $3, $4)", 4,
                                (const char *const[]){
                                    book, number, author_of(args, author, sizeof author), reason});
    if (r == NULL)
        code = book_id == 0 ? EXIT_REFUSED : db_failure(&db);
    else if (!args_quiet(args) && db_int(r, 0, 0) == 0)
        printf("platforms/%s/beneficiaries/%s was erased before\n", platform, number);
    else if (!args_quiet(args))
        printf("platforms/%s/beneficiaries/%s is erased (versions: %s)\n", platform, number,
               PQgetvalue(r, 0, 0));
    PQclear(r);
    db_close(&db);
    return code;
}
