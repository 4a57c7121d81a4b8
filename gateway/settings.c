#include "gateway/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COMPLAIN(problem, ...) (void)snprintf((problem)->text, sizeof((problem)->text), __VA_ARGS__)

static err_t invalid(void)
{
    return err_make(ERR_INVALID, "configuration");
}

err_t settings_seal_uri(const struct settings *s, char out[DAEMON_URI_SIZE],
                        struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    if (c->seal_db_file[0] != '\0')
        return daemon_read_uri("seal_db_file", c->seal_db_file, out, problem);
    return slice_copy(slice_str(c->seal_db), out, DAEMON_URI_SIZE);
}

/* Half a sealer is none, and nobody would notice. */
static err_t check_seal(const struct settings *s, struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    char uri[DAEMON_URI_SIZE] = "";
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

err_t settings_hooks_uri(const struct settings *s, char out[DAEMON_URI_SIZE],
                         struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    if (c->hooks_db_file[0] != '\0')
        return daemon_read_uri("hooks_db_file", c->hooks_db_file, out, problem);
    return slice_copy(slice_str(c->hooks_db), out, DAEMON_URI_SIZE);
}

static err_t check_hooks(const struct settings *s, struct config_problem *problem)
{
    const struct gateway_config *c = &s->config;
    char uri[DAEMON_URI_SIZE] = "";
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

err_t settings_load(const struct daemon_args *args, struct settings *out,
                    struct config_problem *problem)
{
    memset(out, 0, sizeof(*out));
    err_t err = daemon_config(args, &out->config, &out->owner, problem);
    if (!err_failed(err))
        err =
            daemon_find_uri(out->config.db, out->config.db_file, "UJRAT_APP_DB", out->uri, problem);
    out->config.db = out->uri;
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
