#include "gateway/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret_file.h"

#define COMPLAIN(problem, ...) (void)snprintf((problem)->text, sizeof((problem)->text), __VA_ARGS__)

static err_t invalid(void)
{
    return err_make(ERR_INVALID, "configuration");
}

/* The first line of a file that nobody else may read. */
static err_t read_uri_file(const char *setting, const char *path, char out[SETTINGS_URI_SIZE],
                           struct config_problem *problem)
{
    size_t len;
    err_t err = secret_file_read(path, out, SETTINGS_URI_SIZE, &len, NULL);
    if (err_failed(err)) {
        COMPLAIN(problem, "%s: %s: %s", setting, path, secret_file_fault(err));
        return invalid();
    }
    out[strcspn(out, "\r\n")] = '\0';
    return err_none();
}

static err_t find_uri(struct settings *s, struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    const char *env = getenv("UJRAT_APP_DB");
    if (c->db[0] != '\0' && c->db_file[0] != '\0') {
        COMPLAIN(problem, "db and db_file are both set; one of them is enough");
        return invalid();
    }
    if (c->db_file[0] != '\0') {
        err_t err = read_uri_file("db_file", c->db_file, s->uri, problem);
        if (err_failed(err))
            return err;
    } else {
        const char *uri = c->db[0] != '\0' ? c->db : env != NULL ? env : "";
        if (err_failed(slice_copy(slice_str(uri), s->uri, sizeof(s->uri))))
            s->uri[0] = '\0';
    }
    if (s->uri[0] == '\0') {
        COMPLAIN(problem,
                 "where is the ledger? Set db, db_file, or UJRAT_APP_DB in the environment");
        return invalid();
    }
    s->config.db = s->uri;
    return err_none();
}

err_t settings_seal_uri(const struct settings *s, char out[SETTINGS_URI_SIZE],
                        struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    if (c->seal_db_file[0] != '\0')
        return read_uri_file("seal_db_file", c->seal_db_file, out, problem);
    return slice_copy(slice_str(c->seal_db), out, SETTINGS_URI_SIZE);
}

/* Half a sealer is none, and nobody would notice. */
static err_t check_seal(const struct settings *s, struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    char uri[SETTINGS_URI_SIZE] = "";
    struct stat st;
    bool has_db = c->seal_db[0] != '\0' || c->seal_db_file[0] != '\0';
    err_t err = invalid();
    if (c->seal_db[0] != '\0' && c->seal_db_file[0] != '\0') {
        COMPLAIN(problem, "seal_db and seal_db_file are both set; one of them is enough");
    } else if (settings_seal(s) != has_db) {
        COMPLAIN(problem, has_db
                              ? "seal_keys: seal_db needs it: the folder of the keys to sign with"
                              : "seal_db: seal_keys needs it, or seal_db_file: the ledger as "
                                "the role ujrat_sealer");
    } else if (has_db && (stat(c->seal_keys, &st) != 0 || !S_ISDIR(st.st_mode))) {
        COMPLAIN(problem, "seal_keys: %s: not a folder", c->seal_keys);
    } else {
        err = has_db ? settings_seal_uri(s, uri, problem) : err_none();
    }
    explicit_bzero(uri, sizeof(uri));
    return err;
}

err_t settings_hooks_uri(const struct settings *s, char out[SETTINGS_URI_SIZE],
                         struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    if (c->hooks_db_file[0] != '\0')
        return read_uri_file("hooks_db_file", c->hooks_db_file, out, problem);
    return slice_copy(slice_str(c->hooks_db), out, SETTINGS_URI_SIZE);
}

static err_t check_hooks(const struct settings *s, struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    char uri[SETTINGS_URI_SIZE] = "";
    struct stat st;
    err_t err = invalid();
    if (!c->hooks)
        return err_none();
    if (c->hooks_db[0] != '\0' && c->hooks_db_file[0] != '\0')
        COMPLAIN(problem, "hooks_db and hooks_db_file are both set; one of them is enough");
    else if (c->hooks_db[0] == '\0' && c->hooks_db_file[0] == '\0')
        COMPLAIN(problem,
                 "hooks_db: hooks needs it, or hooks_db_file: the ledger as the role ujrat_hooks");
    else if (stat(c->hooks_keys, &st) != 0 || !S_ISDIR(st.st_mode))
        COMPLAIN(problem, "hooks_keys: %s: not a folder", c->hooks_keys);
    else if (strncmp(c->hooks_base_url, "https://", 8) != 0 ||
             c->hooks_base_url[strlen(c->hooks_base_url) - 1] == '/')
        COMPLAIN(problem, "hooks_base_url: https://, a name, perhaps a port, and no slash behind");
    else
        err = settings_hooks_uri(s, uri, problem);
    explicit_bzero(uri, sizeof(uri));
    return err;
}

/* "127.0.0.1:8443", "[::1]:0" */
static err_t parse_listen(struct settings *s, struct config_problem *problem)
{
    const char *text = s->config.listen;
    const char *colon = strrchr(text, ':');
    int64_t port = -1;
    struct slice host = slice_of(text, colon == NULL ? 0 : (size_t)(colon - text));
    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
        host = slice_of(host.p + 1, host.len - 2);
    unsigned char address[sizeof(struct in6_addr)];
    if (colon == NULL || err_failed(str_parse_int64(slice_str(colon + 1), &port)) || port < 0 ||
        port > UINT16_MAX || err_failed(slice_copy(host, s->listen_host, sizeof(s->listen_host))) ||
        (inet_pton(AF_INET, s->listen_host, address) != 1 &&
         inet_pton(AF_INET6, s->listen_host, address) != 1)) {
        COMPLAIN(problem,
                 "listen: %.80s: not an address and port such as 127.0.0.1:8443 or [::]:8443",
                 text);
        return invalid();
    }
    s->listen_port = (uint16_t)port;
    return err_none();
}

static err_t read_all(const struct settings_source *source, struct gateway_config *target,
                      struct config **out, struct config_problem *problem)
{
    COMPLAIN(problem, "out of memory");
    err_t err = config_new(gateway_config_rows, gateway_config_rows_count, target, out);
    if (!err_failed(err) && source->file != NULL)
        err = config_read_file(*out, source->file, problem);
    for (unsigned i = 0; !err_failed(err) && i < source->n_sets; i++) {
        struct slice name, value;
        (void)slice_cut(slice_str(source->sets[i]), '=', &name, &value);
        name = slice_trim(name);
        if (slice_equal_str(name, "db") || slice_equal_str(name, "seal_db") ||
            slice_equal_str(name, "hooks_db")) {
            COMPLAIN(problem,
                     "%.*s: not from the command line, which everyone on this machine can read",
                     SLICE_ARG(name));
            err = invalid();
        } else {
            err = config_set(*out, slice_str(source->sets[i]), problem);
        }
    }
    if (!err_failed(err))
        err = config_finish(*out, problem);
    if (err_failed(err))
        config_free(out);
    return err;
}

err_t settings_load(const struct settings_source *source, struct settings *out,
                    struct config_problem *problem)
{
    memset(out, 0, sizeof(*out));
    err_t err = read_all(source, &out->config, &out->owner, problem);
    if (!err_failed(err))
        err = find_uri(out, problem);
    if (!err_failed(err))
        err = parse_listen(out, problem);
    if (!err_failed(err))
        err = check_seal(out, problem);
    if (!err_failed(err))
        err = check_hooks(out, problem);
    if (err_failed(err))
        settings_deinit(out);
    return err;
}

void settings_deinit(struct settings *s)
{
    config_free(&s->owner);
    explicit_bzero(s->uri, sizeof(s->uri));
}

err_t settings_reload(const struct settings_source *source, struct settings *s,
                      struct config_problem *problem)
{
    struct gateway_config fresh = {0};
    struct config *owner = NULL;
    err_t err = read_all(source, &fresh, &owner, problem);
    if (err_failed(err))
        return err;
    s->config.log_level = fresh.log_level;
    config_free(&owner);
    return err_none();
}
