#include "audit/output.h"

#include "base/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_open(const char *path, struct output *out)
{
    int fd;

    *out = (struct output){stdout, NULL, ""};
    if (path == NULL || strcmp(path, "-") == 0)
        return true;
    out->file = NULL;
    if ((size_t)snprintf(out->temporary, sizeof out->temporary, "%s.XXXXXX", path) >=
        sizeof out->temporary) {
        complain("%s: the name is too long", path);
        return false;
    }
    fd = mkstemp(out->temporary);
    if (fd >= 0)
        out->file = fdopen(fd, "w");
    if (out->file == NULL) {
        complain("%s: cannot be written: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(out->temporary);
        }
        return false;
    }
    out->path = path;
    return true;
}

bool output_commit(struct output *out)
{
    bool done;

    if (out->path == NULL) {
        done = fflush(out->file) == 0 && !ferror(out->file);
        if (!done)
            complain("standard output: %s", strerror(errno));
        return done;
    }
    done = fflush(out->file) == 0 && !ferror(out->file) && fsync(fileno(out->file)) == 0 &&
           rename(out->temporary, out->path) == 0;
    if (!done)
        complain("%s: cannot be written: %s", out->path, strerror(errno));
    if (fclose(out->file) != 0 && done) {
        complain("%s: cannot be written: %s", out->path, strerror(errno));
        done = false;
    }
    if (!done)
        unlink(out->temporary);
    *out = (struct output){stdout, NULL, ""};
    return done;
}

void output_abandon(struct output *out)
{
    if (out->path == NULL)
        return;
    (void)fclose(out->file);
    unlink(out->temporary);
    *out = (struct output){stdout, NULL, ""};
}

bool output_json(FILE *file, json_t *value, unsigned indent)
{
    bool done = value != NULL && json_dumpf(value, file, JSON_INDENT(indent)) == 0;

    if (value == NULL)
        complain("out of memory");
    (void)fputc('\n', file);
    json_decref(value);
    return done;
}

bool output_row(struct table *table, const char *const *cells)
{
    err_t err = cells == NULL ? table_add_rule(table) : table_add(table, cells);
    char text[ERR_TEXT_SIZE];

    if (err_failed(err))
        complain("%s", err_text(err, text, sizeof text));
    return !err_failed(err);
}

const char *output_sided(amount_t minor, unsigned digits, char out[SIDED_SIZE])
{
    char text[AMOUNT_TEXT_SIZE];

    amount_shown(minor, digits, text);
    snprintf(out, SIDED_SIZE, "%s%s", text + (minor < 0),
             minor == 0  ? ""
             : minor > 0 ? " Dr"
                         : " Cr");
    return out;
}

const char *output_clean(const char *text, char *out, size_t out_size)
{
    struct slice rest = slice_str(text);
    size_t n = 0;

    while (rest.len > 0) {
        struct slice one = rest;
        bool fine;

        (void)utf8_next(&rest);
        one.len -= rest.len;
        fine = utf8_check(one, NULL) == UTF8_OK;
        if (n + (fine ? one.len : 1) >= out_size)
            break;
        memcpy(out + n, fine ? one.p : "?", fine ? one.len : 1);
        n += fine ? one.len : 1;
    }
    out[n] = '\0';
    return out;
}
