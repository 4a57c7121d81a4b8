#include "cli/bank_state.h"

#include "base/clock.h"
#include "base/command.h"
#include "cli/bank_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void must(bool ok, const struct bank_state *state, const char *what)
{
    if (ok)
        return;
    complain("%s: %s: %s", state->path, what, strerror(errno));
    exit(EXIT_REFUSED);
}

static void append(struct bank_state *s, json_t *line)
{
    must(line != NULL && json_dumpf(line, s->file, JSON_COMPACT) == 0 &&
             fputc('\n', s->file) == '\n',
         s, "write");
    must(bank_lines_take(s, line), s, "remember");
    json_decref(line);
}

/* ---------------------------------------------------------------- opening */

/* A last line without its end was being written when the bank died: nobody heard of it. */
static bool read_lines(struct bank_state *s, long *good)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    bool ok = true;
    long n = 0;

    *good = 0;
    rewind(s->file);
    while (ok && (len = getline(&line, &size, s->file)) > 0 && line[len - 1] == '\n') {
        json_t *json = json_loadb(line, (size_t)len, 0, NULL);

        n++;
        ok = json != NULL && bank_lines_take(s, json);
        json_decref(json);
        *good += len;
    }
    free(line);
    if (!ok)
        complain("%s: line %ld: it is not the state of a sandbox bank, or it is damaged", s->path,
                 n);
    return ok;
}

static struct bank_state *new_state(const char *path, int fd, const char *mode)
{
    struct bank_state *s = calloc(1, sizeof *s);

    if (s == NULL)
        abort();
    s->path = path;
    s->file = fdopen(fd, mode);
    s->crashes = json_object();
    s->files_read = json_object();
    if (s->file == NULL || s->crashes == NULL || s->files_read == NULL)
        abort();
    return s;
}

/* Whose it is: said on its first line. */
static bool is_of(struct bank_state *s, const char *bank)
{
    if (s->bank[0] == '\0') {
        append(s, json_pack("{s:s}", "bank", bank));
        bank_state_sync(s);
        return true;
    }
    if (strcmp(s->bank, bank) == 0)
        return true;
    complain("%s: it is the state of %s, not of %s", s->path, s->bank, bank);
    return false;
}

bool bank_state_open(const char *path, const char *bank, struct bank_state **out)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct bank_state *s;
    long good = 0;

    *out = NULL;
    if (fd < 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    s = new_state(path, fd, "r+e");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        complain("%s: another sandbox bank uses it", path);
    else if (read_lines(s, &good) && ftruncate(fd, good) == 0 &&
             fseek(s->file, good, SEEK_SET) == 0 && is_of(s, bank))
        *out = s;
    if (*out == NULL)
        bank_state_close(&s);
    return *out != NULL;
}

bool bank_state_look(const char *path, struct bank_state **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct bank_state *s;
    long good;

    *out = NULL;
    if (fd < 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    s = new_state(path, fd, "re");
    if (read_lines(s, &good))
        *out = s;
    else
        bank_state_close(&s);
    return *out != NULL;
}

void bank_state_close(struct bank_state **state)
{
    struct bank_state *s = *state;

    if (s == NULL)
        return;
    fclose(s->file);
    json_decref(s->crashes);
    json_decref(s->files_read);
    free(s->filing_items);
    for (size_t i = 0; i < s->n_items; i++)
        free(s->items[i]);
    while (s->plans != NULL) {
        struct known_plan *next = s->plans->next;

        free(s->plans);
        s->plans = next;
    }
    free(s->items);
    free(s->slots);
    free(s->entries);
    free(s);
    *state = NULL;
}

/* ---------------------------------------------------------------- asking */

size_t bank_state_count(const struct bank_state *state)
{
    return state->n_items;
}

struct bank_item *bank_state_item(const struct bank_state *state, size_t i)
{
    return state->items[i];
}

size_t bank_state_entry_count(const struct bank_state *state)
{
    return state->n_entries;
}

const struct bank_entry *bank_state_entry(const struct bank_state *state, size_t i)
{
    return &state->entries[i];
}

const char *bank_state_bank(const struct bank_state *state)
{
    return state->bank;
}

void bank_state_reference(const struct bank_state *state, const struct bank_item *item,
                          enum bank_entry_kind kind, int nth, char out[BANK_REF_SIZE])
{
    if (kind == BANK_PAID || kind == BANK_REJECTED)
        snprintf(out, BANK_REF_SIZE, "%s-%lld", state->bank, (long long)item->number);
    else
        snprintf(out, BANK_REF_SIZE, "%c%d-%s-%lld", kind == BANK_RETURNED ? 'R' : 'V', nth,
                 state->bank, (long long)item->number);
}

const char *bank_state_token(const struct bank_state *state)
{
    return state->token;
}

static void crash_key(struct slice id, int step, char out[BANK_ID_SIZE + 16])
{
    snprintf(out, BANK_ID_SIZE + 16, "%.*s/%d", SLICE_ARG(id), step);
}

bool bank_state_has_crashed(const struct bank_state *state, struct slice id, int step)
{
    char key[BANK_ID_SIZE + 16];

    crash_key(id, step, key);
    return json_object_get(state->crashes, key) != NULL;
}

static void add_entry(const struct bank_entry *e, struct bank_totals *t)
{
    switch (e->kind) {
    case BANK_PAID:
        t->paid++;
        t->paid_minor += e->minor;
        t->tax_minor += e->item->tax_minor;
        break;
    case BANK_REJECTED:
        t->rejected++;
        t->rejected_minor += e->minor;
        break;
    case BANK_RETURNED:
        if (e->refused)
            break;
        t->returns++;
        t->returned_minor += e->minor;
        t->charge_minor += e->charge_minor;
        break;
    case BANK_REVERSED:
        if (e->refused)
            break;
        t->reversals++;
        t->reversed_minor += e->minor;
        t->charge_minor -= e->charge_minor;
        break;
    }
}

void bank_state_totals(const struct bank_state *state, int64_t window_no, struct bank_totals *out)
{
    *out = (struct bank_totals){.surprises = window_no == 0 ? state->surprises : 0};
    for (size_t i = 0; i < state->n_items; i++) {
        const struct bank_item *item = state->items[i];

        if (window_no != 0 && item->window_no != window_no)
            continue;
        out->instructed++;
        out->instructed_minor += item->minor;
        if (item->answer == 0) {
            out->open++;
            out->open_minor += item->minor;
        }
    }
    for (size_t i = 0; i < state->n_entries; i++)
        if (window_no == 0 || state->entries[i].item->window_no == window_no)
            add_entry(&state->entries[i], out);
}

/* ---------------------------------------------------------------- writing */

struct bank_item *bank_state_decide(struct bank_state *state, const struct bank_item *what,
                                    const char *plan)
{
    append(state, json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:b, s:I}", "id", what->id, "decided",
                            (json_int_t)clock_realtime_us(), "plan", plan, "ccy", what->ccy,
                            "minor", (json_int_t)what->minor, "tax", (json_int_t)what->tax_minor,
                            "eprc", what->with_eprc, "window", (json_int_t)what->window_no));
    return state->items[state->n_items - 1];
}

void bank_state_replan(struct bank_state *state, struct bank_item *item, struct slice recall,
                       const char *plan)
{
    append(state, json_pack("{s:s, s:s%, s:s}", "id", item->id, "recall", recall.p, recall.len,
                            "plan", plan));
}

void bank_state_book(struct bank_state *state, struct bank_item *item, enum bank_entry_kind kind,
                     int64_t minor, int64_t charge_minor, const char *code)
{
    append(state, json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:I}", "id", item->id, "booked",
                            bank_lines_kinds[kind], "step", bank_item_step(item), "minor",
                            (json_int_t)minor, "charge", (json_int_t)charge_minor, "code", code,
                            "at", (json_int_t)clock_realtime_us()));
}

void bank_state_done(struct bank_state *state, struct bank_item *item, struct slice outcome,
                     struct slice reason)
{
    append(state, json_pack("{s:s, s:s%, s:i, s:s%}", "id", item->id, "done", outcome.p,
                            outcome.len, "step", bank_item_step(item), "reason",
                            reason.len == 0 ? "" : reason.p, reason.len));
}

void bank_state_take_token(struct bank_state *state, struct slice token)
{
    append(state, json_pack("{s:s%}", "token", token.p, token.len));
}

void bank_state_file(struct bank_state *state, struct bank_filing *filing,
                     struct bank_item *const *items)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < filing->n; i++)
        json_array_append_new(ids, json_string(items[i]->id));
    filing->file_no = state->last_file_no + 1;
    append(state, json_pack("{s:I, s:s, s:I, s:s, s:s, s:o}", "file", (json_int_t)filing->file_no,
                            "message", filing->message, "at", (json_int_t)filing->at_us, "from",
                            filing->from, "to", filing->to, "items", ids));
}

bool bank_state_filing(const struct bank_state *state, struct bank_filing *out,
                       struct bank_item *const **items)
{
    *out = state->filing;
    *items = state->filing_items;
    return state->filing.file_no != 0;
}

void bank_state_filed(struct bank_state *state, const char *sha256)
{
    append(state,
           json_pack("{s:I, s:s}", "filed", (json_int_t)state->filing.file_no, "sha256", sha256));
}

const char *bank_state_last_sha256(const struct bank_state *state)
{
    return state->last_sha256;
}

void bank_state_read_file(struct bank_state *state, const char *sha256, int64_t file_no,
                          const char *our_bic, const char *bank_bic)
{
    append(state, json_pack("{s:s, s:I, s:s, s:s}", "read", sha256, "file_no", (json_int_t)file_no,
                            "from", our_bic, "to", bank_bic));
}

bool bank_state_has_read(const struct bank_state *state, const char *sha256)
{
    return json_object_get(state->files_read, sha256) != NULL;
}

int64_t bank_state_last_read(const struct bank_state *state)
{
    return state->last_read;
}

const char *bank_state_our_bic(const struct bank_state *state)
{
    return state->our_bic;
}

const char *bank_state_bank_bic(const struct bank_state *state)
{
    return state->bank_bic;
}

void bank_state_crash(struct bank_state *state, struct slice id, int step)
{
    char key[BANK_ID_SIZE + 16];

    crash_key(id, step, key);
    append(state, json_pack("{s:s}", "crashed", key));
}

void bank_state_sync(struct bank_state *state)
{
    must(fflush(state->file) == 0 && fdatasync(fileno(state->file)) == 0, state, "write");
}
