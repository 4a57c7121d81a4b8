/* ujrat principal: who may call. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"

const char principal_add_help[] =
    "URI is what the client certificate carries as its SAN URI: ujrat://auditor/NAME,\n"
    "ujrat://operator/NAME or ujrat://system/NAME. Those of platforms and banks come with\n"
    "ujrat platform add and ujrat bank connect.";

/* "auditor" of "ujrat://auditor/demo". */
static bool role_of(const char *uri, char *role, size_t role_size)
{
    struct slice rest = slice_str(uri);
    struct slice before;
    struct slice name;

    if (slice_starts_with(rest, SLICE("ujrat://"))) {
        rest = slice_of(rest.p + 8, rest.len - 8);
        if (slice_cut(rest, '/', &before, &name) && name.len > 0 &&
            !err_failed(slice_copy(before, role, role_size)))
            return true;
    }
    complain("'%s' is not of the form ujrat://ROLE/NAME", uri);
    return false;
}

enum exit_code principal_add_run(const struct args *args)
{
    const char *uri = args->operands[0];
    char role[16];
    struct slice r;
    struct db db;
    PGresult *result;
    enum exit_code code;

    if (!role_of(uri, role, sizeof role))
        return EXIT_USAGE;
    r = slice_str(role);
    if (slice_equal_str(r, "platform") || slice_equal_str(r, "bank")) {
        complain("a %s is added with: ujrat %s CODE", role,
                 slice_equal_str(r, "bank") ? "bank connect" : "platform add");
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    result = db_query(&db, "SELECT add_principal($1, $2)", 2, (const char *const[]){uri, role});
    if (result == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("%s may call\n", uri);
    PQclear(result);
    db_close(&db);
    return code;
}

static enum exit_code set_enabled(const struct args *args, const char *enabled)
{
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, "SELECT set_principal_enabled($1, $2)", 2,
                 (const char *const[]){args->operands[0], enabled});
    if (r == NULL) {
        code = db_failure(&db);
    } else if (PQgetisnull(r, 0, 0)) {
        complain("there is no principal %s", args->operands[0]);
        code = EXIT_REFUSED;
    } else if (!args_quiet(args)) {
        printf("%s is %s\n", args->operands[0], enabled[0] == 't' ? "enabled" : "disabled");
    }
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code principal_enable_run(const struct args *args)
{
    return set_enabled(args, "true");
}

enum exit_code principal_disable_run(const struct args *args)
{
    return set_enabled(args, "false");
}

enum exit_code principal_list_run(const struct args *args)
{
    static const struct report_column columns[] = {{"URI", REPORT_TEXT},
                                                   {"role", REPORT_TEXT},
                                                   {"may call", REPORT_TEXT},
                                                   {"since", REPORT_TEXT}};
    struct report *report = NULL;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_run(&db, "SELECT uri, role, CASE WHEN enabled THEN 'yes' ELSE 'no' END, "
                    "to_char(created_at, 'YYYY-MM-DD') FROM principal ORDER BY role, uri");
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
