/* ujrat rest client: who may call the REST API, without a certificate (docs/paypal.md). */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"

enum { ID_BYTES = 24, SECRET_BYTES = 32, SALT_SIZE = 16, HASH_SIZE = 32, TOKEN_KEY_SIZE = 32 };

const char rest_client_add_help[] =
    "Makes a client of the REST API for the platform, and prints its id and its secret. The secret is\n"
    "shown this once: the ledger keeps a salted hash of it. With --secret-file it goes into a new file of\n"
    "mode 0600 and is not printed. A platform may have several clients; ujratd knows a new one within\n"
    "a second (registry_refresh).";
const struct option_row rest_client_add_options[] = {
    {"sandbox", NULL, "it is for tests: PayPal's magic values (ERRPYO001 ...) are answered", false},
    {"secret-file", "FILE", "a new file of mode 0600 for the secret, which is not printed then",
     false},
    {NULL, NULL, NULL, false},
};
const char rest_client_rotate_help[] =
    "Gives the client a new secret. The old one, and all bearer tokens made with it, end within a second.";
const struct option_row rest_client_rotate_options[] = {
    {"secret-file", "FILE", "a new file of mode 0600 for the secret, which is not printed then",
     false},
    {NULL, NULL, NULL, false},
};
const char rest_client_disable_help[] =
    "Refuses the client and ends all its bearer tokens, within a second.";

/* ---------------------------------------------------------------- a new secret */

struct secret {
    char id[2 + BASE64URL_SIZE(ID_BYTES)];
    char text[2 + BASE64URL_SIZE(SECRET_BYTES)];
    /* as bytea is written; the last signs bearer tokens */
    char salt[2 + HEX_SIZE(SALT_SIZE)], hash[2 + HEX_SIZE(HASH_SIZE)],
        token_key[2 + HEX_SIZE(TOKEN_KEY_SIZE)];
};

static void to_bytea(const void *p, size_t len, char *out)
{
    out[0] = '\\';
    out[1] = 'x';
    (void)hex_encode(p, len, out + 2);
}

/* SHA-256(salt, secret as it is sent): what the gateway compares. */
static bool hash_of(const unsigned char salt[SALT_SIZE], const char *text,
                    unsigned char out[HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(ctx, salt, SALT_SIZE) == 1 &&
                EVP_DigestUpdate(ctx, text, strlen(text)) == 1 &&
                EVP_DigestFinal_ex(ctx, out, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    return done;
}

static bool make_secret(struct secret *s)
{
    enum { SALT_AT = ID_BYTES + SECRET_BYTES, KEY_AT = SALT_AT + SALT_SIZE };
    unsigned char random[KEY_AT + TOKEN_KEY_SIZE], hash[EVP_MAX_MD_SIZE];
    bool done;

    if (RAND_bytes(random, sizeof random) != 1) {
        complain("no random numbers");
        return false;
    }
    /* A letter in front: neither begins with '-', which a shell would take for an option. */
    s->id[0] = 'A';
    s->text[0] = 'E';
    (void)base64url_encode(random, ID_BYTES, s->id + 1);
    (void)base64url_encode(random + ID_BYTES, SECRET_BYTES, s->text + 1);
    done = hash_of(random + SALT_AT, s->text, hash);
    to_bytea(random + SALT_AT, SALT_SIZE, s->salt);
    to_bytea(hash, HASH_SIZE, s->hash);
    to_bytea(random + KEY_AT, TOKEN_KEY_SIZE, s->token_key);
    OPENSSL_cleanse(random, sizeof random);
    if (!done)
        complain("no SHA-256");
    return done;
}

/* The file is there before the ledger knows the secret: one that is in force and lost is the worse of the two. */
static bool write_secret(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool done = fd >= 0 && write(fd, text, len) == (ssize_t)len && write(fd, "\n", 1) == 1 &&
                fsync(fd) == 0;

    if (!done)
        complain("%s: %m", path);
    if (fd >= 0 && close(fd) != 0 && done) {
        complain("%s: %m", path);
        done = false;
    }
    if (!done && fd >= 0)
        (void)unlink(path);
    return done;
}

static void show_secret(const struct args *args, const char *id, const char *secret)
{
    static const struct report_column columns[] = {{"client_id", REPORT_TEXT},
                                                   {"client_secret", REPORT_TEXT}};
    struct report *report = NULL;
    const char *file = args_get(args, "secret-file");

    if (args_json(args)) {
        report_new(columns, 2, &report);
        report_add(report, (const char *const[]){id, file == NULL ? secret : NULL});
        report_print(report, true);
        report_free(&report);
        return;
    }
    printf("client_id      %s\n", id);
    if (file == NULL)
        printf("client_secret  %s\n", secret);
    else
        printf("The secret is in %s\n", file);
}

static PGresult *add_client(const struct args *args, struct db *db, const char *platform,
                            const struct secret *s)
{
    char uri[80];
    int n = snprintf(uri, sizeof uri, "ujrat://platform/%s", platform);

    if (n < 0 || (size_t)n >= sizeof uri)
        uri[0] = '\0'; /* nobody is called that: the ledger says so */
    return db_query(db, "SELECT add_rest_credential($1, $2, $3::bytea, $4::bytea, $5::bytea, $6)",
                    6,
                    (const char *const[]){uri, s->id, s->salt, s->hash, s->token_key,
                                          args_has(args, "sandbox") ? "true" : "false"});
}

/* Makes a secret and hands it to the ledger. id NULL: of a new client, whose id is made too. */
static enum exit_code give_secret(const struct args *args, const char *id, const char *platform)
{
    const char *file = args_get(args, "secret-file");
    struct secret s;
    struct db db;
    PGresult *r = NULL;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    if (!make_secret(&s) || (file != NULL && !write_secret(file, s.text)))
        goto out;
    if (id == NULL)
        r = add_client(args, &db, platform, &s);
    else
        r = db_query(&db, "SELECT set_rest_credential($1, NULL, $2::bytea, $3::bytea, $4::bytea)",
                     4, (const char *const[]){id, s.token_key, s.salt, s.hash});
    if (r == NULL)
        code = db_failure(&db);
    else if (PQgetisnull(r, 0, 0))
        complain("there is no client %s", id);
    else
        code = EXIT_DONE;
    if (code == EXIT_DONE)
        show_secret(args, id == NULL ? s.id : id, s.text);
    else if (code == EXIT_REFUSED && file != NULL)
        (void)unlink(file);
out:
    OPENSSL_cleanse(&s, sizeof s);
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code rest_client_add_run(const struct args *args)
{
    return give_secret(args, NULL, args->operands[0]);
}

enum exit_code rest_client_rotate_run(const struct args *args)
{
    return give_secret(args, args->operands[0], NULL);
}

/* ---------------------------------------------------------------- the others */

/* Disabling also takes the key that its tokens are signed with: should it be enabled again, they stay dead. */
static enum exit_code set_enabled(const struct args *args, bool enabled)
{
    struct secret s;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    if (!make_secret(&s)) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    r = db_query(&db, "SELECT set_rest_credential($1, $2, $3::bytea, NULL, NULL)", 3,
                 (const char *const[]){args->operands[0], enabled ? "true" : "false",
                                       enabled ? NULL : s.token_key});
    OPENSSL_cleanse(&s, sizeof s);
    if (r == NULL) {
        code = db_failure(&db);
    } else if (PQgetisnull(r, 0, 0)) {
        complain("there is no client %s", args->operands[0]);
        code = EXIT_REFUSED;
    } else if (!args_quiet(args)) {
        printf("%s is %s\n", args->operands[0], enabled ? "enabled" : "disabled");
    }
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code rest_client_enable_run(const struct args *args)
{
    return set_enabled(args, true);
}

enum exit_code rest_client_disable_run(const struct args *args)
{
    return set_enabled(args, false);
}

enum exit_code rest_client_list_run(const struct args *args)
{
    static const struct report_column columns[] = {{"client_id", REPORT_TEXT},
                                                   {"platform", REPORT_TEXT},
                                                   {"sandbox", REPORT_TEXT},
                                                   {"may call", REPORT_TEXT},
                                                   {"since", REPORT_TEXT}};
    struct report *report = NULL;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    r = db_run(&db, "SELECT c.client_id, split_part(p.uri, '/', 4), "
                    "CASE WHEN c.sandbox THEN 'yes' ELSE 'no' END, "
                    "CASE WHEN c.enabled AND p.enabled THEN 'yes' ELSE 'no' END, "
                    "to_char(c.created_at, 'YYYY-MM-DD') FROM rest_credential c "
                    "JOIN principal p USING (principal_id) ORDER BY p.uri, c.credential_id");
    if (r != NULL) {
        report_new(columns, 5, &report);
        for (int i = 0; i < PQntuples(r); i++)
            report_add(report, (const char *const[]){PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                                                     PQgetvalue(r, i, 2), PQgetvalue(r, i, 3),
                                                     PQgetvalue(r, i, 4)});
        report_print(report, args_json(args));
    }
    code = r == NULL ? EXIT_REFUSED : EXIT_DONE;
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return code;
}
