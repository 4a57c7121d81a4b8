#include "settle/settings.h"

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

static err_t find_uri(struct settings *s, struct config_problem *problem)
{
    const struct settle_config *c = &s->config;
    const char *env = getenv("UJRAT_SETTLE_DB");
    size_t len;
    if (c->db[0] != '\0' && c->db_file[0] != '\0') {
        COMPLAIN(problem, "db and db_file are both set; one of them is enough");
        return invalid();
    }
    if (c->db_file[0] != '\0') {
        err_t err = secret_file_read(c->db_file, s->uri, sizeof(s->uri), &len, NULL);
        if (err_failed(err)) {
            COMPLAIN(problem, "db_file: %s: %s", c->db_file, secret_file_fault(err));
            return invalid();
        }
        s->uri[strcspn(s->uri, "\r\n")] = '\0';
    } else {
        const char *uri = c->db[0] != '\0' ? c->db : env != NULL ? env : "";
        if (err_failed(slice_copy(slice_str(uri), s->uri, sizeof(s->uri))))
            s->uri[0] = '\0';
    }
    if (s->uri[0] == '\0') {
        COMPLAIN(problem,
                 "where is the ledger? Set db, db_file, or UJRAT_SETTLE_DB in the environment");
        return invalid();
    }
    s->config.db = s->uri;
    return err_none();
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

static err_t read_all(const struct settings_source *source, struct settle_config *target,
                      struct config **out, struct config_problem *problem)
{
    COMPLAIN(problem, "out of memory");
    err_t err = config_new(settle_config_rows, settle_config_rows_count, target, out);
    if (!err_failed(err) && source->file != NULL)
        err = config_read_file(*out, source->file, problem);
    for (unsigned i = 0; !err_failed(err) && i < source->n_sets; i++) {
        struct slice name, value;
        (void)slice_cut(slice_str(source->sets[i]), '=', &name, &value);
        if (slice_equal_str(slice_trim(name), "db")) {
            COMPLAIN(problem,
                     "db: not from the command line, which everyone on this machine can read");
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

err_t settings_reload(const struct settings_source *source, struct settings *s,
                      struct config_problem *problem)
{
    struct settle_config fresh = {0};
    struct config *owner = NULL;
    err_t err = read_all(source, &fresh, &owner, problem);
    if (err_failed(err))
        return err;
    s->config.log_level = fresh.log_level;
    config_free(&owner);
    return err_none();
}
