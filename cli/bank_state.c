#include "cli/bank_state.h"

#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct bank_state {
    const char *path;
    FILE *file;
    json_t *decisions; /* by instruction id */
    json_t *returns;   /* ids that are to be sent back and were not yet */
    char token[1024];
};

static void must(bool ok, const struct bank_state *state, const char *what)
{
    if (ok)
        return;
    complain("%s: %s: %s", state->path, what, strerror(errno));
    exit(EXIT_REFUSED);
}

/* ---------------------------------------------------------------- reading */

static bool take_line(struct bank_state *s, json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    const char *returned = json_string_value(json_object_get(line, "returned"));
    const char *token = json_string_value(json_object_get(line, "token"));

    if (id != NULL) {
        const char *reason = json_string_value(json_object_get(line, "return_reason"));

        if (reason != NULL && reason[0] != '\0')
            json_object_set_new(s->returns, id, json_true());
        return json_object_set(s->decisions, id, line) == 0;
    }
    if (returned != NULL) {
        json_object_del(s->returns, returned);
        return true;
    }
    if (token != NULL && strlen(token) < sizeof s->token) {
        snprintf(s->token, sizeof s->token, "%s", token);
        return true;
    }
    return false;
}

/* A last line without its end was being written when the bank died: nobody heard of it. It is cut off. */
static bool read_lines(struct bank_state *s)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    long good = 0;
    bool ok = true;

    rewind(s->file);
    while (ok && (len = getline(&line, &size, s->file)) > 0 && line[len - 1] == '\n') {
        json_t *json = json_loadb(line, (size_t)len, 0, NULL);

        ok = json != NULL && take_line(s, json);
        json_decref(json);
        good += len;
    }
    free(line);
    if (!ok) {
        complain("%s: it is not the state of a sandbox bank, or it is damaged", s->path);
        return false;
    }
    return ftruncate(fileno(s->file), good) == 0 && fseek(s->file, good, SEEK_SET) == 0;
}

bool bank_state_open(const char *path, struct bank_state **out)
{
    struct bank_state *s = calloc(1, sizeof *s);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    *out = NULL;
    if (s == NULL || fd < 0) {
        complain("%s: %s", path, strerror(errno));
        free(s);
        return false;
    }
    s->path = path;
    s->file = fdopen(fd, "r+e");
    s->decisions = json_object();
    s->returns = json_object();
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        complain("%s: another sandbox bank uses it", path);
    else if (read_lines(s))
        *out = s;
    if (*out == NULL)
        bank_state_close(&s);
    return *out != NULL;
}

void bank_state_close(struct bank_state **state)
{
    struct bank_state *s = *state;

    if (s == NULL)
        return;
    if (s->file != NULL)
        fclose(s->file);
    json_decref(s->decisions);
    json_decref(s->returns);
    free(s);
    *state = NULL;
}

/* ---------------------------------------------------------------- asking */

int64_t bank_state_count(const struct bank_state *state)
{
    return (int64_t)json_object_size(state->decisions);
}

const char *bank_state_token(const struct bank_state *state)
{
    return state->token;
}

static void take_text(const json_t *line, const char *key, char *out, size_t out_size)
{
    const char *text = json_string_value(json_object_get(line, key));

    snprintf(out, out_size, "%s", text == NULL ? "" : text);
}

bool bank_state_find(const struct bank_state *state, const char *id, struct bank_decision *out)
{
    const json_t *line = json_object_get(state->decisions, id);

    if (line == NULL)
        return false;
    *out = (struct bank_decision){0};
    take_text(line, "id", out->id, sizeof out->id);
    out->rejected = json_is_true(json_object_get(line, "rejected"));
    take_text(line, "reason", out->reason, sizeof out->reason);
    take_text(line, "reference", out->reference, sizeof out->reference);
    take_text(line, "eprc", out->eprc, sizeof out->eprc);
    take_text(line, "ccy", out->ccy, sizeof out->ccy);
    out->minor = json_integer_value(json_object_get(line, "minor"));
    out->tax_minor = json_integer_value(json_object_get(line, "tax_minor"));
    take_text(line, "return_reason", out->return_reason, sizeof out->return_reason);
    return true;
}

bool bank_state_next_return(const struct bank_state *state, struct bank_decision *out)
{
    void *first = json_object_iter(state->returns);

    return first != NULL && bank_state_find(state, json_object_iter_key(first), out);
}

/* ---------------------------------------------------------------- writing */

static void append(struct bank_state *s, json_t *line)
{
    must(line != NULL && json_dumpf(line, s->file, JSON_COMPACT) == 0 &&
             fputc('\n', s->file) == '\n',
         s, "write");
    must(take_line(s, line), s, "remember");
    json_decref(line);
}

void bank_state_decide(struct bank_state *state, const struct bank_decision *d)
{
    append(state,
           json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "id", d->id, "rejected",
                     d->rejected, "reason", d->reason, "reference", d->reference, "eprc", d->eprc,
                     "ccy", d->ccy, "minor", (json_int_t)d->minor, "tax_minor",
                     (json_int_t)d->tax_minor, "return_reason", d->return_reason));
}

void bank_state_confirmed(struct bank_state *state, const char *token)
{
    append(state, json_pack("{s:s}", "token", token));
}

void bank_state_returned(struct bank_state *state, const char *id)
{
    append(state, json_pack("{s:s}", "returned", id));
}

void bank_state_sync(struct bank_state *state)
{
    must(fflush(state->file) == 0 && fdatasync(fileno(state->file)) == 0, state, "write");
}
