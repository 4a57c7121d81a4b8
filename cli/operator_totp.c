/* ujrat operator: operators' second factor, which the database judges (ledger/schema/functions/operators.sql). */
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/operator_code.h"
#include "cli/qr.h"
#include "cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECRET_SIZE 20
#define URI_SIZE    256

#define SQL_AT(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* ---------------------------------------------------------------- enrolling */

const char operator_enroll_help[] =
    "Makes a secret for your authenticator app (TOTP, RFC 6238) and shows it this once, as an otpauth://\n"
    "URI and, on a terminal, as a QR code; or writes the QR code to a PNG file of mode 0600, which is to be\n"
    "removed when it was scanned. Who you are is your database login. It counts once you have shown a first\n"
    "code: ujrat operator confirm. Until then enrolling again makes another secret; from then on two other\n"
    "operators, or an administrator, must revoke it first.";

const struct option_row operator_enroll_options[] = {
    {"qr", "FILE", "write the QR code to this PNG file, which must not exist, and show no secret",
     false},
    {NULL, NULL, NULL, false},
};

/* The URI that authenticator apps read (github.com/google/google-authenticator/wiki/Key-Uri-Format). */
static bool make_uri(const PGresult *r, char out[URI_SIZE])
{
    unsigned char secret[SECRET_SIZE];
    char base32[BASE32_SIZE(SECRET_SIZE)];
    size_t len;
    int n = -1;

    if (!err_failed(hex_decode(slice_str(PQgetvalue(r, 0, 0)), secret, sizeof secret, &len)) &&
        len == SECRET_SIZE) {
        base32_encode(secret, len, base32);
        n = snprintf(
            out, URI_SIZE,
            "otpauth://totp/Ujrat:%s?secret=%s&issuer=Ujrat&algorithm=SHA1&digits=6&period=30",
            PQgetvalue(r, 0, 1), base32);
    }
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(base32, sizeof base32);
    return n > 0 && n < URI_SIZE;
}

static bool tell_secret(const struct args *args, const char *uri, int png)
{
    const char *file = args_get(args, "qr");

    if (png >= 0) {
        if (!qr_write_png(uri, png) || fsync(png) != 0) {
            complain("%s: it cannot be written; enrol again", file);
            return false;
        }
        if (!args_quiet(args))
            printf("Scan %s with your authenticator app, and remove it.\n", file);
    } else if (args_quiet(args)) {
        printf("%s\n", uri);
    } else {
        printf("Scan this with your authenticator app; it is shown this once.\n\n");
        if (isatty(STDOUT_FILENO) && qr_print(uri))
            printf("\n");
        printf("%s\n\n", uri);
    }
    if (!args_quiet(args))
        printf("Then show its code: ujrat operator confirm\n");
    return true;
}

enum exit_code operator_enroll_run(const struct args *args)
{
    const char *file = args_get(args, "qr");
    char uri[URI_SIZE];
    struct db db;
    PGresult *r = NULL;
    int png = -1;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    /* before there is a secret to lose */
    if (file != NULL && (png = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        complain("%s: %s", file, strerror(errno));
        code = EXIT_REFUSED;
        goto out;
    }
    r = db_run(&db, "SELECT encode(enroll_operator(), 'hex'), session_user");
    if (r == NULL)
        code = db_failure(&db);
    else if (!make_uri(r, uri) || !tell_secret(args, uri, png))
        code = EXIT_REFUSED;
    explicit_bzero(uri, sizeof uri);
    if (png >= 0 && code != EXIT_DONE)
        unlink(file);
out:
    if (png >= 0)
        close(png);
    PQclear(r);
    db_close(&db);
    return code;
}

const char operator_confirm_help[] =
    "Shows that the secret has arrived: from then on your codes count.\n" HELP_OPERATOR_CODE;

const struct option_row operator_confirm_options[] = {
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

enum exit_code operator_confirm_run(const struct args *args)
{
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r = NULL;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    if (!operator_code_read(args, shown)) {
        code = EXIT_USAGE;
        goto out;
    }
    r = db_query(&db, "SELECT confirm_operator($1), session_user", 1, (const char *const[]){shown});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("The second factor of %s %s\n", PQgetvalue(r, 0, 1),
               PQgetvalue(r, 0, 0)[0] == 't' ? "is confirmed." : "was confirmed already.");
out:
    PQclear(r);
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- revoking */

const char operator_revoke_help[] =
    "Ends an operator's second factor, when a phone was lost or a person has left: LOGIN is his database\n"
    "login. Two other operators say so, one after the other; or an administrator (a member of ujrat_owner),\n"
    "who needs no code. The operator may enrol again then; to keep him out, disable his principal too.\n" HELP_OPERATOR_CODE;

const struct option_row operator_revoke_options[] = {
    {"reason", "TEXT", "why (required)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

enum exit_code operator_revoke_run(const struct args *args)
{
    const char *reason = args_get(args, "reason"), *login = args->operands[0];
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r;
    bool admin;
    enum exit_code code;

    if (reason == NULL || reason[0] == '\0') {
        complain("--reason is required");
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_run(&db, "SELECT pg_has_role(session_user, 'ujrat_owner', 'MEMBER')");
    admin = r != NULL && PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    if (!admin && !operator_code_read(args, shown)) {
        db_close(&db);
        return EXIT_USAGE;
    }
    r = db_query(&db, "SELECT revoke_operator($1, $2, $3)", 3,
                 (const char *const[]){login, reason, admin ? NULL : shown});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        printf("The second factor of %s %s\n", login,
               PQgetvalue(r, 0, 0)[0] == 't' ? "has ended; he may enrol again."
                                             : "ends when a second operator says so too.");
    PQclear(r);
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- listing */

const char operator_list_help[] =
    "Who has a second factor, how many codes in a row were wrong, and who is to lose it. --acts: what was\n"
    "done with them instead, newest first, at most 1000. Times are of UTC.";

const struct option_row operator_list_options[] = {
    {"acts", NULL, "what was done with second factors", false},
    {NULL, NULL, NULL, false},
};

static const char sql_list[] =
    "SELECT uri, CASE WHEN enabled THEN state ELSE 'DISABLED' END, " SQL_AT("enrolled_at") ", " SQL_AT(
        "confirmed_at") ", failures, " SQL_AT("last_failure_at") ", " SQL_AT("locked_until") ","
                                                                                             " revocation_by, revocation_reason FROM operators_now()";

static const char sql_acts[] = "SELECT " SQL_AT(
    "a.at") ", p.uri, a.act, a.what, a.login FROM operator_act a"
            "  JOIN principal p USING (principal_id) ORDER BY a.act_no DESC LIMIT 1000";

enum exit_code operator_list_run(const struct args *args)
{
    static const struct report_column now[] = {
        {"operator", REPORT_TEXT},      {"state", REPORT_TEXT},
        {"enrolled at", REPORT_TEXT},   {"confirmed at", REPORT_TEXT},
        {"wrong codes", REPORT_INT},    {"last wrong code at", REPORT_TEXT},
        {"locked until", REPORT_TEXT},  {"revocation by", REPORT_TEXT},
        {"revocation why", REPORT_TEXT}};
    static const struct report_column acts[] = {{"at", REPORT_TEXT},
                                                {"operator", REPORT_TEXT},
                                                {"act", REPORT_TEXT},
                                                {"what", REPORT_TEXT},
                                                {"login", REPORT_TEXT}};

    if (args_has(args, "acts"))
        return show_query(args, sql_acts, 0, NULL, acts, sizeof acts / sizeof *acts);
    return show_query(args, sql_list, 0, NULL, now, sizeof now / sizeof *now);
}
