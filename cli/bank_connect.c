/* ujrat bank connect: a bank begins to take instructions. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"

const char bank_connect_help[] =
    "CODE is the four letters that the bank's IBANs carry. Makes its principal ujrat://bank/CODE and\n"
    "the accounts every book needs to pay into it. Running it again changes nothing.";

enum exit_code bank_connect_run(const struct args *args)
{
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_query(&db,
                 "SELECT b.code, b.name FROM connect_bank($1) AS id JOIN bank b ON b.bank_id = id",
                 1, (const char *const[]){args->operands[0]});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("%s takes instructions (%s)\n", args->operands[0],
               PQntuples(r) > 0 ? PQgetvalue(r, 0, 1) : "");
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code bank_list_run(const struct args *args)
{
    static const struct report_column columns[] = {{"code", REPORT_TEXT},
                                                   {"BIC", REPORT_TEXT},
                                                   {"name", REPORT_TEXT},
                                                   {"takes payouts", REPORT_TEXT}};
    struct report *report = NULL;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_run(&db,
               "SELECT code, bic, name, CASE WHEN connected THEN 'yes' ELSE 'no' END FROM bank "
               "ORDER BY connected DESC, code");
    if (r != NULL) {
        report_new(columns, 4, &report);
        for (int i = 0; i < PQntuples(r); i++)
            report_add(report, (const char *const[]){PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                                                     PQgetvalue(r, i, 2), PQgetvalue(r, i, 3)});
        report_print(report, args_json(args));
    }
    code = r == NULL ? EXIT_REFUSED : EXIT_DONE;
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return code;
}
