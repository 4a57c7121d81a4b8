#include "cli/db.h"

#include "base/secret_file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define URI_SIZE 4096

bool read_secret_file(const char *path, char *out, size_t out_size)
{
    size_t len;
    err_t err = secret_file_read(path, out, out_size, &len, NULL);

    if (err_failed(err)) {
        complain("%s: %s", path, secret_file_fault(err));
        return false;
    }
    out[strcspn(out, "\r\n")] = '\0';
    if (out[0] == '\0') {
        complain("%s: its first line is empty", path);
        return false;
    }
    return true;
}

static bool has_password(const char *uri)
{
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    bool found = false;

    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if ((strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0) &&
            o->val != NULL && o->val[0] != '\0')
            found = true;
    PQconninfoFree(options);
    return found;
}

static const char *from_environment(enum db_as as, const char **name)
{
    const char *uri = NULL;

    switch (as) {
    case DB_AS_ADMIN:
        *name = "UJRAT_ADMIN_DB";
        uri = getenv(*name);
        break;
    case DB_AS_OPERATOR:
        *name = "UJRAT_OPERATOR_DB";
        uri = getenv(*name);
        break;
    case DB_AS_READER:
        *name = "UJRAT_DB";
        uri = getenv(*name);
        if (uri == NULL)
            uri = getenv("UJRAT_OPERATOR_DB");
        break;
    }
    return uri != NULL && uri[0] != '\0' ? uri : NULL;
}

static void on_notice(void *user, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    (void)user;
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        complain("the database warns: %s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

enum exit_code db_open(const struct args *args, enum db_as as, struct db *db)
{
    char from_file[URI_SIZE];
    const char *name = NULL;
    const char *uri = args_get(args, "db");
    const char *file = args_get(args, "db-file");
    PGconn *conn;

    *db = (struct db){0};
    if (uri != NULL && file != NULL) {
        complain("--db or --db-file, not both");
        return EXIT_USAGE;
    }
    if (uri != NULL && has_password(uri)) {
        complain("--db has a password in it, which everyone on this machine could read. "
                 "Put the URI into a file of mode 0600 and say --db-file FILE, or use PGPASSFILE");
        return EXIT_USAGE;
    }
    if (file != NULL) {
        if (!read_secret_file(file, from_file, sizeof from_file))
            return EXIT_REFUSED;
        uri = from_file;
    }
    if (uri == NULL)
        uri = from_environment(as, &name);
    if (uri == NULL) {
        complain("which database? Say --db URI or --db-file FILE, or set %s", name);
        return EXIT_USAGE;
    }
    conn = PQconnectdbParams(
        (const char *const[]){"fallback_application_name", "dbname", "options", "connect_timeout",
                              NULL},
        (const char *const[]){"ujrat", uri,
                              "-c search_path=ujrat -c client_min_messages=warning -c timezone=UTC",
                              "10", NULL},
        1);
    if (PQstatus(conn) != CONNECTION_OK) {
        complain("%s", conn == NULL ? "out of memory" : PQerrorMessage(conn));
        PQfinish(conn);
        return EXIT_REFUSED;
    }
    PQsetNoticeReceiver(conn, on_notice, NULL);
    db->conn = conn;
    return EXIT_DONE;
}

void db_close(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}

/* ---------------------------------------------------------------- statements */

bool db_may_retry(const struct db *db)
{
    static const char *const states[] = {
        "40001", "40P01", "XX000", /* tuple concurrently updated */
        "UJ409",                   /* the state has moved on meanwhile */
        "23505", /* two that insert the same row of a shared catalogue, such as a role's setting */
    };

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(db->sqlstate, states[i]) == 0)
            return true;
    return false;
}

/* 109 of "UJ109": the number of one of our reasons. */
static int32_t number_of(const char *sqlstate)
{
    int64_t number = 0;

    if (err_failed(str_parse_int64(slice_str(sqlstate + 2), &number)))
        return -1;
    return (int32_t)number;
}

static void tell_failure(struct db *db, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    reason_t reason = REASON_NONE;

    snprintf(db->sqlstate, sizeof db->sqlstate, "%s", state == NULL ? "" : state);
    if (db->will_retry && db_may_retry(db))
        return;
    if (text == NULL)
        complain("%s", PQerrorMessage(db->conn));
    else if (strncmp(db->sqlstate, "UJ", 2) == 0 &&
             reason_from_number(number_of(db->sqlstate), &reason))
        complain("refused: %s (%s)", text, reason_name(reason));
    else
        complain("the database says: %s (SQLSTATE %s)%s%s", text, db->sqlstate,
                 hint == NULL ? "" : ". ", hint == NULL ? "" : hint);
}

static PGresult *checked(struct db *db, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    tell_failure(db, result);
    PQclear(result);
    return NULL;
}

PGresult *db_run(struct db *db, const char *sql)
{
    return checked(db, PQexec(db->conn, sql));
}

PGresult *db_query(struct db *db, const char *sql, int n, const char *const *values)
{
    return checked(db, PQexecParams(db->conn, sql, n, NULL, values, NULL, NULL, 0));
}

bool db_do(struct db *db, const char *sql)
{
    PGresult *result = db_run(db, sql);

    PQclear(result);
    return result != NULL;
}

int64_t db_int(const PGresult *result, int row, int col)
{
    int64_t value = 0;

    if (err_failed(str_parse_int64(slice_str(PQgetvalue(result, row, col)), &value)))
        return 0;
    return value;
}

enum exit_code db_failure(const struct db *db)
{
    return PQstatus(db->conn) == CONNECTION_BAD ? EXIT_UNKNOWN : EXIT_REFUSED;
}
