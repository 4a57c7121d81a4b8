#include "audit/db.h"

#include "base/secret_file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define URI_SIZE 4096

/* A URI with a password is nobody else's to read. */
static bool read_uri_file(const char *path, char out[URI_SIZE])
{
    size_t len;
    err_t err = secret_file_read(path, out, URI_SIZE, &len, NULL);

    if (err_failed(err))
        complain("%s: %s", path, secret_file_fault(err));
    out[strcspn(out, "\r\n")] = '\0';
    return !err_failed(err);
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

/* EXIT_DONE and the URI in text. */
static enum exit_code find_uri(const struct args *args, char text[URI_SIZE])
{
    const char *uri = args_get(args, "db");
    const char *file = args_get(args, "db-file");

    if (uri != NULL && file != NULL) {
        complain("--db or --db-file, not both");
        return EXIT_USAGE;
    }
    if (uri != NULL && has_password(uri)) {
        complain("--db has a password in it, which everyone on this machine could read. "
                 "Put the URI into a file of mode 0600 and say --db-file FILE, or use PGPASSFILE");
        return EXIT_USAGE;
    }
    if (file != NULL)
        return read_uri_file(file, text) ? EXIT_DONE : EXIT_REFUSED;
    if (uri == NULL)
        uri = getenv("UJRAT_DB");
    if (uri == NULL || uri[0] == '\0' || strlen(uri) >= URI_SIZE) {
        complain("which database? Say --db URI or --db-file FILE, or set UJRAT_DB");
        return EXIT_USAGE;
    }
    snprintf(text, URI_SIZE, "%s", uri);
    return EXIT_DONE;
}

static PGresult *checked(struct db *db, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_SINGLE_TUPLE)
        return result;
    complain("the database says: %s", text != NULL ? text : PQerrorMessage(db->conn));
    PQclear(result);
    return NULL;
}

enum exit_code db_open(const struct args *args, struct db *db)
{
    char uri[URI_SIZE];
    PGresult *begun;
    enum exit_code code = find_uri(args, uri);

    db->conn = NULL;
    if (code != EXIT_DONE)
        return code;
    db->conn = PQconnectdbParams(
        (const char *const[]){"fallback_application_name", "dbname", "options", "connect_timeout",
                              NULL},
        (const char *const[]){"ujrat-audit", uri,
                              "-c search_path=ujrat -c client_min_messages=warning -c timezone=UTC",
                              "10", NULL},
        1);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        complain("%s", db->conn == NULL ? "out of memory" : PQerrorMessage(db->conn));
        db_close(db);
        return EXIT_REFUSED;
    }
    begun = checked(
        db, PQexec(db->conn, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    PQclear(begun);
    if (begun == NULL) {
        db_close(db);
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

void db_close(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}

PGresult *db_query(struct db *db, const char *sql, int n, const char *const *values)
{
    return checked(db, PQexecParams(db->conn, sql, n, NULL, values, NULL, NULL, 0));
}

bool db_stream(struct db *db, const char *sql, int n, const char *const *values)
{
    if (PQsendQueryParams(db->conn, sql, n, NULL, values, NULL, NULL, 1) == 1 &&
        PQsetSingleRowMode(db->conn) == 1)
        return true;
    complain("the database: %s", PQerrorMessage(db->conn));
    return false;
}

int db_row(struct db *db, PGresult **row)
{
    for (;;) {
        PGresult *result = PQgetResult(db->conn);
        if (result == NULL)
            return 0;
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
            *row = result;
            return 1;
        }
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            (void)checked(db, result);
            while ((result = PQgetResult(db->conn)) != NULL)
                PQclear(result);
            return -1;
        }
        PQclear(result); /* the end, an empty result; the next one is NULL */
    }
}

int64_t db_int(const PGresult *result, int row, int col)
{
    int64_t value = 0;

    if (err_failed(str_parse_int64(slice_str(PQgetvalue(result, row, col)), &value)))
        return 0;
    return value;
}
