#include "settle/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COMPLAIN(problem, ...) (void)snprintf((problem)->text, sizeof((problem)->text), __VA_ARGS__)

static err_t invalid(void)
{
    return err_make(ERR_INVALID, "configuration");
}

/* Half of what files need is none, and nobody would notice before the first cut-off. */
static err_t check_files(const struct settings *s, struct config_problem *problem)
{
    const struct settle_config *c = &s->config;
    const struct {
        const char *name, *value;
    } needed[] = {{"signing_key", c->signing_key}, {"pii_keys", c->pii_keys_file},
                  {"our_bic", c->our_bic},         {"our_name", c->our_name},
                  {"our_town", c->our_town},       {"our_country", c->our_country}};
    struct stat st;
    if (!settings_files(s))
        return err_none();
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (needed[i].value[0] == '\0') {
            COMPLAIN(problem, "%s: bank_folders needs it", needed[i].name);
            return invalid();
        }
    }
    if (c->bank_keys[0] == '\0' && !c->unsigned_files) {
        COMPLAIN(problem, "bank_keys: bank_folders needs it: the folder of the banks' public keys");
        return invalid();
    }
    const char *const folders[][2] = {{"bank_folders", c->bank_folders},
                                      {"bank_keys", c->bank_keys},
                                      {"xsd_folder", c->xsd_folder}};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i][1][0] != '\0' && (stat(folders[i][1], &st) != 0 || !S_ISDIR(st.st_mode))) {
            COMPLAIN(problem, "%s: %s: not a folder", folders[i][0], folders[i][1]);
            return invalid();
        }
    }
    return err_none();
}

err_t settings_load(const struct daemon_args *args, struct settings *out,
                    struct config_problem *problem)
{
    memset(out, 0, sizeof(*out));
    err_t err = daemon_config(args, &out->config, &out->owner, problem);
    if (!err_failed(err))
        err = daemon_find_uri(out->config.db, out->config.db_file, "UJRAT_SETTLE_DB", out->uri,
                              problem);
    out->config.db = out->uri;
    if (!err_failed(err))
        err = check_files(out, problem);
    if (err_failed(err))
        settings_deinit(out);
    return err;
}

void settings_deinit(struct settings *s)
{
    config_free(&s->owner);
    explicit_bzero(s->uri, sizeof(s->uri));
}
