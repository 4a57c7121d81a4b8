/* ujrat db migrate: roles, schema, numbered migrations, then the code that is applied each time. */
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/db.h"
#include "cli/report.h"
#include "cli/schema.h"
#include "domain/bank.h"
#include "domain/ccy.h"
#include "ledger/pii_keys.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded banks_pk;

const char db_migrate_help[] =
    "Connects as an administrator (a superuser, or a role that may make roles and schemas in this\n"
    "database), from --db, --db-file or UJRAT_ADMIN_DB. Makes the roles ujrat_owner, ujrat_app,\n"
    "ujrat_settle, ujrat_sealer, ujrat_hooks, ujrat_auditor and ujrat_operator if they are missing, the\n"
    "schema `ujrat`, and applies each migration that was not applied yet in a transaction of its own; then\n"
    "functions, views and grants, and the list of currencies and banks. Safe to run again, also by\n"
    "two at once. Needs the extension pgcrypto (in Debian's postgresql-15), in the schema ujrat_crypto if the\n"
    "database has it nowhere; where the server has it not, nothing of that migration is applied.\n"
    "Refuses a database whose migrations are not the ones this program knows.";

const struct option_row db_migrate_options[] = {
    {"set-password-file", "ROLE=FILE",
     "give a role the password in FILE (mode 0600); what is sent is its SCRAM verifier", true},
    {"pii-keys", "FILE",
     "keys of personal data, where there are requests from before there were keys", false},
    {NULL, NULL, NULL, false},
};

const char db_status_help[] =
    "Exit status 1 when the database is not what this program needs: run ujrat db migrate.";

static const char *const login_roles[] = {"ujrat_app",   "ujrat_settle",  "ujrat_sealer",
                                          "ujrat_hooks", "ujrat_auditor", "ujrat_operator"};
#define N_LOGIN_ROLES (sizeof login_roles / sizeof *login_roles)

/* A row of schema_migration. Version 0 stands for the code that is applied each time. */
struct applied {
    int version;
    char sha256_hex[HEX_SIZE(SCHEMA_SHA256_SIZE)];
    char name[64];
    char at[40];
};

struct migrate {
    const struct args *args;
    struct db db;
    bool quiet;
    struct migration known[SCHEMA_MIGRATIONS_MAX];
    size_t n_known;
    struct applied applied[SCHEMA_MIGRATIONS_MAX];
    size_t n_applied;
};

static void say(const struct migrate *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct migrate *m, const char *format, ...)
{
    va_list list;

    if (m->quiet)
        return;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

/* ---------------------------------------------------------------- before the first migration */

static const char sql_roles[] =
    "DO $$\n"
    "DECLARE r text;\n"
    "BEGIN\n"
    "    FOREACH r IN ARRAY ARRAY['ujrat_owner', 'ujrat_app', 'ujrat_settle', 'ujrat_sealer', "
    "'ujrat_hooks', 'ujrat_auditor', 'ujrat_operator'] LOOP\n"
    "        BEGIN\n"
    "            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN\n"
    "                EXECUTE format('CREATE ROLE %I %s', r,\n"
    "                    CASE r WHEN 'ujrat_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);\n"
    "            END IF;\n"
    /* Roles are shared by all databases of a cluster: another one may be migrating at this moment. */
    "        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;\n"
    "        END;\n"
    "    END LOOP;\n"
    "    IF NOT pg_has_role('ujrat_owner', 'MEMBER') THEN\n"
    "        EXECUTE format('GRANT ujrat_owner TO %I', current_user);\n"
    "    END IF;\n"
    "    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'ujrat') THEN\n"
    "        CREATE SCHEMA ujrat AUTHORIZATION ujrat_owner;\n"
    "    END IF;\n"
    "    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'ujrat'\n"
    "                      AND nspowner = 'ujrat_owner'::regrole) THEN\n"
    "        RAISE EXCEPTION 'there is a schema ujrat that does not belong to ujrat_owner';\n"
    "    END IF;\n"
    "END $$";

static const char sql_table[] = "CREATE TABLE IF NOT EXISTS schema_migration (\n"
                                "    version     integer PRIMARY KEY,\n"
                                "    name        text NOT NULL,\n"
                                "    sha256      bytea NOT NULL CHECK (length(sha256) = 32),\n"
                                "    applied_at  timestamptz NOT NULL DEFAULT clock_timestamp())";

static bool prepare(struct migrate *m)
{
    /* One migration of a database at a time, for as long as this connection lives. */
    return db_do(&m->db, "SELECT pg_advisory_lock(x'756a726174'::bigint)") &&
           db_do(&m->db, sql_roles) &&
           db_do(&m->db, "SET ROLE ujrat_owner; SET search_path = ujrat; "
                         "SET check_function_bodies = off; SET statement_timeout = 0") &&
           db_do(&m->db, sql_table);
}

/* The fingerprint key in the form that SQL can make an HMAC with (RFC 2104): 0003_personal_data.sql. */
static bool set_fingerprint_pads(struct migrate *m, const struct pii_keys *keys)
{
    enum { BLOCK = 64 };
    static const char *const names[] = {"ujrat.fingerprint_inner", "ujrat.fingerprint_outer"};
    const uint8_t masks[] = {0x36, 0x5c};
    uint8_t pad[BLOCK];
    char hex[HEX_SIZE(BLOCK)];
    bool ok = true;

    for (int i = 0; i < 2 && ok; i++) {
        PGresult *r;

        for (size_t k = 0; k < BLOCK; k++)
            pad[k] = (uint8_t)(masks[i] ^ (k < PII_KEY_SIZE ? keys->fingerprint[k] : 0));
        hex_encode(pad, sizeof pad, hex);
        r = db_query(&m->db, "SELECT set_config($1, $2, false) IS NULL", 2,
                     (const char *const[]){names[i], hex});
        ok = r != NULL;
        PQclear(r);
    }
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(hex, sizeof hex);
    return ok;
}

static bool take_pii_keys(struct migrate *m)
{
    const char *file = args_get(m->args, "pii-keys");
    struct pii_keys keys = {0};
    struct pii_problem problem;
    struct stat seen;
    bool ok = true;

    if (file == NULL)
        return true;
    if (err_failed(pii_keys_read(file, &keys, &seen, &problem))) {
        complain("%s", problem.text);
        ok = false;
    }
    ok = ok && set_fingerprint_pads(m, &keys);
    pii_keys_wipe(&keys);
    return ok;
}

static bool read_applied(struct migrate *m)
{
    PGresult *r = db_run(&m->db, "SELECT version, name, encode(sha256, 'hex'), "
                                 "to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                                 "FROM ujrat.schema_migration ORDER BY version LIMIT 512");

    if (r == NULL)
        return false;
    m->n_applied = (size_t)PQntuples(r);
    for (size_t i = 0; i < m->n_applied; i++) {
        struct applied *a = &m->applied[i];

        a->version = (int)db_int(r, (int)i, 0);
        snprintf(a->name, sizeof a->name, "%s", PQgetvalue(r, (int)i, 1));
        snprintf(a->sha256_hex, sizeof a->sha256_hex, "%s", PQgetvalue(r, (int)i, 2));
        snprintf(a->at, sizeof a->at, "%s", PQgetvalue(r, (int)i, 3));
    }
    PQclear(r);
    return true;
}

static const struct applied *find_applied(const struct migrate *m, int version)
{
    for (size_t i = 0; i < m->n_applied; i++)
        if (m->applied[i].version == version)
            return &m->applied[i];
    return NULL;
}

static bool same_sha256(const struct applied *a, const unsigned char sha256[SCHEMA_SHA256_SIZE])
{
    char hex[HEX_SIZE(SCHEMA_SHA256_SIZE)];

    hex_encode(sha256, SCHEMA_SHA256_SIZE, hex);
    return strcmp(hex, a->sha256_hex) == 0;
}

/* Whether what was applied is what we would have applied. */
static bool check_applied(const struct migrate *m)
{
    for (size_t i = 0; i < m->n_applied; i++) {
        const struct applied *a = &m->applied[i];

        if (a->version == 0)
            continue;
        if (a->version < 0 || (size_t)a->version > m->n_known) {
            complain("the database has migration %d (%s), but this program only knows %zu: "
                     "use the newer program",
                     a->version, a->name, m->n_known);
            return false;
        }
        if (!same_sha256(a, m->known[a->version - 1].sha256)) {
            complain("migration %04d (%s) was applied from another text than this program has: "
                     "a migration that was applied is never changed",
                     a->version, a->name);
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- applying */

static bool record(struct migrate *m, int version, const char *name,
                   const unsigned char sha256[SCHEMA_SHA256_SIZE])
{
    char hex[2 + HEX_SIZE(SCHEMA_SHA256_SIZE)] = "\\x";
    char number[12];
    PGresult *r;

    hex_encode(sha256, SCHEMA_SHA256_SIZE, hex + 2);
    snprintf(number, sizeof number, "%d", version);
    r = db_query(&m->db,
                 "INSERT INTO ujrat.schema_migration (version, name, sha256) VALUES ($1, $2, $3) "
                 "ON CONFLICT (version) DO UPDATE SET name = EXCLUDED.name, "
                 "sha256 = EXCLUDED.sha256, applied_at = clock_timestamp()",
                 3, (const char *const[]){number, name, hex});
    PQclear(r);
    return r != NULL;
}

static bool apply_migration(struct migrate *m, const struct migration *step)
{
    if (find_applied(m, step->version) != NULL)
        return true;
    if (!db_do(&m->db, "BEGIN") || !db_do(&m->db, step->file->text) ||
        !record(m, step->version, step->name, step->sha256) || !db_do(&m->db, "COMMIT")) {
        complain("migration %04d (%s) was not applied", step->version, step->name);
        return false;
    }
    say(m, "  applied   %04d %s", step->version, step->name);
    return true;
}

static bool apply_code_once(struct migrate *m)
{
    unsigned char sha256[SCHEMA_SHA256_SIZE];
    const struct embedded *file;
    bool is_roles;

    if (!db_do(&m->db, "BEGIN"))
        return false;
    for (size_t i = 0; (file = schema_code_at(i, &is_roles)) != NULL; i++)
        if ((is_roles && !db_do(&m->db, "RESET ROLE")) || !db_do(&m->db, file->text)) {
            if (!m->db.will_retry || !db_may_retry(&m->db))
                complain("in %s", file->path);
            return false;
        }
    schema_code_sha256(sha256);
    return record(m, 0, "functions, views and grants", sha256) && db_do(&m->db, "COMMIT") &&
           db_do(&m->db, "SET ROLE ujrat_owner");
}

/* Grants and role settings are in catalogues that all databases share: two at once may meet there
 * ("tuple concurrently updated", a deadlock), and then the whole of it is simply done again. */
static bool apply_code(struct migrate *m)
{
    for (int tries_left = 9;; tries_left--) {
        m->db.will_retry = tries_left > 0;
        if (apply_code_once(m))
            break;
        if (tries_left == 0 || !db_may_retry(&m->db) ||
            !db_do(&m->db, "ROLLBACK; SET ROLE ujrat_owner"))
            return false;
    }
    m->db.will_retry = false;
    say(m, "  applied   functions, views and grants");
    return true;
}

/* ---------------------------------------------------------------- reference data */

static int rows_changed(PGresult *r)
{
    int64_t n = 0;

    if (r == NULL || err_failed(str_parse_int64(slice_str(PQcmdTuples(r)), &n)))
        n = -1;
    PQclear(r);
    return (int)n;
}

static bool seed_currencies(struct migrate *m)
{
    const struct ccy *c;
    int added = 0;

    for (unsigned i = 0; (c = ccy_at(i)) != NULL; i++) {
        char number[8];
        char digits[8];
        int n;

        snprintf(number, sizeof number, "%u", c->number);
        snprintf(digits, sizeof digits, "%u", c->digits);
        n = rows_changed(db_query(&m->db,
                                  "INSERT INTO currency (ccy, code, digits) VALUES ($1, $2, $3) "
                                  "ON CONFLICT DO NOTHING",
                                  3, (const char *const[]){number, c->alpha, digits}));
        if (n < 0)
            return false;
        added += n;
    }
    say(m, "  currencies %d new", added);
    return true;
}

/* Numbers are given in the order of first sight, and stay. A name or BIC that changed is the operator's to correct. */
static const char sql_bank[] =
    "INSERT INTO bank (bank_id, code, bic, name) "
    "SELECT coalesce(max(bank_id), 0) + 1, $1, nullif($2, ''), $3 FROM bank "
    "HAVING NOT EXISTS (SELECT FROM bank WHERE code = $1) ON CONFLICT DO NOTHING";

static bool seed_banks(struct migrate *m)
{
    struct csv csv;
    const char *why = NULL;
    enum csv_result read;
    int code;
    int bic;
    int name;
    int added = 0;

    csv_init(&csv, slice_of(banks_pk.text, (size_t)((const char *)banks_pk.end - banks_pk.text)));
    read = csv_next(&csv, &why);
    code = csv_column(&csv, "code");
    bic = csv_column(&csv, "bic");
    name = csv_column(&csv, "name");
    assert(read == CSV_RECORD && code >= 0 && bic >= 0 && name >= 0);
    while ((read = csv_next(&csv, &why)) == CSV_RECORD) {
        int n;

        assert(csv.n > (size_t)code && csv.n > (size_t)bic && csv.n > (size_t)name);
        n = rows_changed(
            db_query(&m->db, sql_bank, 3,
                     (const char *const[]){csv.values[code], csv.values[bic], csv.values[name]}));
        if (n < 0)
            return false;
        added += n;
    }
    assert(read == CSV_END);
    say(m, "  banks      %d new", added);
    return true;
}

static bool seed(struct migrate *m)
{
    return db_do(&m->db, "BEGIN") && seed_currencies(m) && seed_banks(m) && db_do(&m->db, "COMMIT");
}

/* ---------------------------------------------------------------- passwords */

static bool set_password(struct migrate *m, const char *role, const char *file)
{
    char password[512];
    char *verifier = NULL;
    char *literal = NULL;
    char sql[1024];
    bool ok = false;

    if (!read_secret_file(file, password, sizeof password))
        goto out;
    verifier = PQencryptPasswordConn(m->db.conn, password, role, "scram-sha-256");
    if (verifier == NULL) {
        complain("%s", PQerrorMessage(m->db.conn));
        goto out;
    }
    literal = PQescapeLiteral(m->db.conn, verifier, strlen(verifier));
    if (literal == NULL)
        goto out;
    snprintf(sql, sizeof sql, "ALTER ROLE %s PASSWORD %s", role, literal);
    if (!db_do(&m->db, sql))
        goto out;
    say(m, "  password   of %s set", role);
    ok = true;
out:
    PQfreemem(literal);
    PQfreemem(verifier);
    OPENSSL_cleanse(password, sizeof password);
    OPENSSL_cleanse(sql, sizeof sql);
    return ok;
}

/* "ROLE=FILE" of a role of ours; NULL otherwise. */
static const char *login_role(const char *assignment, const char **file)
{
    struct slice role;
    struct slice rest;

    if (slice_cut(slice_str(assignment), '=', &role, &rest) && rest.len > 0)
        for (size_t i = 0; i < N_LOGIN_ROLES; i++)
            if (slice_equal_str(role, login_roles[i])) {
                *file = rest.p;
                return login_roles[i];
            }
    complain("--set-password-file wants ROLE=FILE, with ujrat_app, ujrat_settle, ujrat_sealer, "
             "ujrat_hooks, ujrat_auditor or ujrat_operator for ROLE, not '%s'",
             assignment);
    return NULL;
}

static bool set_passwords(struct migrate *m)
{
    const char *assignment;
    const char *file = NULL;
    size_t at = 0;

    if (args_has(m->args, "set-password-file") && !db_do(&m->db, "RESET ROLE"))
        return false;
    while ((assignment = args_next(m->args, "set-password-file", &at)) != NULL) {
        const char *role = login_role(assignment, &file);

        if (role == NULL || !set_password(m, role, file))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- the commands */

static struct migrate *migrate_new(const struct args *args)
{
    struct migrate *m = calloc(1, sizeof *m);

    if (m == NULL)
        abort();
    m->args = args;
    m->n_known = schema_migrations(m->known);
    return m;
}

static bool migrate_all(struct migrate *m)
{
    if (!prepare(m) || !read_applied(m) || !check_applied(m) || !take_pii_keys(m))
        return false;
    for (size_t i = 0; i < m->n_known; i++)
        if (!apply_migration(m, &m->known[i]))
            return false;
    return apply_code(m) && seed(m) && set_passwords(m);
}

enum exit_code db_migrate_run(const struct args *args)
{
    struct migrate *m = migrate_new(args);
    const char *assignment;
    const char *file = NULL;
    size_t at = 0;
    enum exit_code code = EXIT_USAGE;

    while ((assignment = args_next(args, "set-password-file", &at)) != NULL)
        if (login_role(assignment, &file) == NULL)
            goto out;
    m->quiet = args_quiet(args);
    code = db_open(args, DB_AS_ADMIN, &m->db);
    if (code != EXIT_DONE)
        goto out;
    say(m, "Database %s on port %s", PQdb(m->db.conn), PQport(m->db.conn));
    if (migrate_all(m))
        say(m, "The schema is at version %zu", m->n_known);
    else
        code = EXIT_REFUSED;
out:
    db_close(&m->db);
    free(m);
    return code;
}

static const char *state_of(const struct migrate *m, int version,
                            const unsigned char sha256[SCHEMA_SHA256_SIZE], const char *otherwise)
{
    const struct applied *a = find_applied(m, version);

    return a == NULL ? "missing" : same_sha256(a, sha256) ? "applied" : otherwise;
}

/* Rows into the report; answers whether the database is just what this program needs. */
static bool list_status(const struct migrate *m, struct report *report)
{
    unsigned char sha256[SCHEMA_SHA256_SIZE];
    const struct applied *a;
    const char *state;
    char version[16];
    bool current = true;

    for (size_t i = 0; i < m->n_known; i++) {
        const struct migration *k = &m->known[i];

        a = find_applied(m, k->version);
        state = state_of(m, k->version, k->sha256, "DIFFERENT");
        current = current && strcmp(state, "applied") == 0;
        snprintf(version, sizeof version, "%04d", k->version);
        report_add(report,
                   (const char *const[]){version, k->name, state, a == NULL ? NULL : a->at});
    }
    for (size_t i = 0; i < m->n_applied; i++) {
        a = &m->applied[i];
        if (a->version <= (int)m->n_known)
            continue;
        current = false;
        snprintf(version, sizeof version, "%04d", a->version);
        report_add(report,
                   (const char *const[]){version, a->name, "newer than this program", a->at});
    }
    schema_code_sha256(sha256);
    a = find_applied(m, 0);
    state = state_of(m, 0, sha256, "outdated");
    report_add(report, (const char *const[]){"code", "functions, views and grants", state,
                                             a == NULL ? NULL : a->at});
    return current && strcmp(state, "applied") == 0;
}

static enum exit_code print_status(const struct migrate *m)
{
    static const struct report_column columns[] = {{"version", REPORT_TEXT},
                                                   {"name", REPORT_TEXT},
                                                   {"state", REPORT_TEXT},
                                                   {"applied at", REPORT_TEXT}};
    struct report *report = NULL;
    bool current;

    report_new(columns, 4, &report);
    current = list_status(m, report);
    report_print(report, args_json(m->args));
    report_free(&report);
    if (!args_json(m->args))
        puts(current ? "\nThe database is what this program needs."
                     : "\nThe database is NOT what this program needs: run ujrat db migrate.");
    return current ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code db_status_run(const struct args *args)
{
    struct migrate *m = migrate_new(args);
    PGresult *r = NULL;
    enum exit_code code = db_open(args, DB_AS_ADMIN, &m->db);

    if (code != EXIT_DONE)
        goto out;
    r = db_run(&m->db, "SELECT to_regclass('ujrat.schema_migration') IS NOT NULL");
    if (r == NULL || (strcmp(PQgetvalue(r, 0, 0), "t") == 0 && !read_applied(m)))
        code = EXIT_REFUSED;
    else
        code = print_status(m);
out:
    PQclear(r);
    db_close(&m->db);
    free(m);
    return code;
}
