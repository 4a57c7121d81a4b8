#include "ledger/schema_version.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line of a message of libpq. */
static void keep_problem(const char *message, char *problem, size_t problem_size)
{
    (void)snprintf(problem, problem_size, "%s", message == NULL ? "out of memory" : message);
    problem[strcspn(problem, "\r\n")] = '\0';
}

enum schema_answer schema_version_ask(const char *uri, int *version, char *problem,
                                      size_t problem_size)
{
    enum schema_answer answer = SCHEMA_UNREACHABLE;
    PGresult *result = NULL;
    PGconn *conn = PQconnectdbParams(
        (const char *const[]){"fallback_application_name", "connect_timeout", "dbname", NULL},
        (const char *const[]){"ujratd", "5", uri, NULL}, 1);
    problem[0] = '\0';
    if (PQstatus(conn) != CONNECTION_OK) {
        keep_problem(conn == NULL ? NULL : PQerrorMessage(conn), problem, problem_size);
        goto out;
    }
    result = PQexec(conn, "SELECT coalesce(max(version), 0) FROM ujrat.schema_migration");
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) {
        *version = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        answer = SCHEMA_VERSION;
        goto out;
    }
    /* An answer with an SQLSTATE other than a shutdown (class 57) comes from a database that is up. */
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != NULL && strncmp(state, "57", 2) != 0)
        answer = SCHEMA_MISSING;
    keep_problem(PQerrorMessage(conn), problem, problem_size);
out:
    PQclear(result);
    PQfinish(conn);
    return answer;
}
