#include "cli/bank_state.h"

#include "base/clock.h"
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ITEMS_MAX 10000000

/* A plan by its text: there are as many as rules, however many instructions. */
struct known_plan {
    struct known_plan *next;
    char text[PLAN_TEXT_SIZE];
    struct plan plan;
};

struct bank_state {
    const char *path;
    FILE *file;
    struct known_plan *plans;
    struct bank_item **items;
    size_t n_items, items_size;
    size_t *slots; /* index + 1 by id; a power of two of them */
    size_t n_slots;
    struct bank_entry *entries;
    size_t n_entries, entries_size;
    int64_t surprises;
    json_t *crashes;    /* "ID/STEP" */
    json_t *files_read; /* by SHA-256 */
    int64_t last_read;
    struct bank_filing filing; /* file_no 0: none is being written */
    struct bank_item **filing_items;
    int64_t last_file_no;
    char last_sha256[65];
    char our_bic[12], bank_bic[12];
    char token[BANK_TOKEN_SIZE];
    char bank[BANK_CODE_CHARS_MAX + 1];
};

static void must(bool ok, const struct bank_state *state, const char *what)
{
    if (ok)
        return;
    complain("%s: %s: %s", state->path, what, strerror(errno));
    exit(EXIT_REFUSED);
}

static void *must_grow(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n, size);

    if (p == NULL)
        abort();
    return p;
}

/* ---------------------------------------------------------------- by id */

static size_t slot_of(const struct bank_state *s, struct slice id)
{
    uint64_t h = 14695981039346656037ULL;
    size_t at;

    for (size_t i = 0; i < id.len; i++)
        h = (h ^ (unsigned char)id.p[i]) * 1099511628211ULL;
    at = (size_t)h & (s->n_slots - 1);
    while (s->slots[at] != 0 && !slice_equal_str(id, s->items[s->slots[at] - 1]->id))
        at = (at + 1) & (s->n_slots - 1);
    return at;
}

static void grow_slots(struct bank_state *s)
{
    if (s->n_items * 2 < s->n_slots)
        return;
    free(s->slots);
    s->n_slots = s->n_slots == 0 ? 1024 : s->n_slots * 2;
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    if (s->slots == NULL)
        abort();
    for (size_t i = 0; i < s->n_items; i++)
        s->slots[slot_of(s, slice_str(s->items[i]->id))] = i + 1;
}

struct bank_item *bank_state_find(const struct bank_state *state, struct slice id)
{
    size_t slot;

    if (state->n_slots == 0)
        return NULL;
    slot = slot_of(state, id);
    return state->slots[slot] == 0 ? NULL : state->items[state->slots[slot] - 1];
}

static struct bank_item *new_item(struct bank_state *s, const char *id)
{
    struct bank_item *item = calloc(1, sizeof *item);

    if (item == NULL)
        abort();
    if (s->n_items == s->items_size) {
        s->items_size = s->items_size == 0 ? 256 : s->items_size * 2;
        s->items = must_grow(s->items, s->items_size, sizeof(struct bank_item *));
    }
    snprintf(item->id, sizeof item->id, "%s", id);
    grow_slots(s);
    s->slots[slot_of(s, slice_str(item->id))] = s->n_items + 1;
    s->items[s->n_items++] = item;
    item->number = (int64_t)s->n_items;
    return item;
}

/* NULL: it is none. */
static const struct plan *plan_of(struct bank_state *s, const char *text, bool recall)
{
    struct script_error error;
    struct known_plan *known = s->plans;

    while (known != NULL && strcmp(known->text, text) != 0)
        known = known->next;
    if (known != NULL)
        return &known->plan;
    known = calloc(1, sizeof *known);
    if (known == NULL)
        abort();
    if (strlen(text) >= sizeof known->text ||
        !plan_read(slice_str(text), recall, &known->plan, &error)) {
        free(known);
        return NULL;
    }
    snprintf(known->text, sizeof known->text, "%s", text);
    known->next = s->plans;
    s->plans = known;
    return &known->plan;
}

/* ---------------------------------------------------------------- lines into memory, read or just written */

static const char *text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));

    return text == NULL ? "" : text;
}

static int64_t int_of(const json_t *line, const char *key)
{
    return json_integer_value(json_object_get(line, key));
}

static bool take_decision(struct bank_state *s, const char *id, const json_t *line)
{
    const struct plan *plan = plan_of(s, text_of(line, "plan"), false);
    struct bank_item *item;

    if (plan == NULL || id[0] == '\0' || strlen(id) >= BANK_ID_SIZE ||
        bank_state_find(s, slice_str(id)) != NULL || s->n_items == ITEMS_MAX)
        return false;
    item = new_item(s, id);
    item->plan = plan;
    item->minor = int_of(line, "minor");
    item->tax_minor = int_of(line, "tax");
    item->with_eprc = json_is_true(json_object_get(line, "eprc"));
    item->window_no = int_of(line, "window");
    snprintf(item->ccy, sizeof item->ccy, "%s", text_of(line, "ccy"));
    return true;
}

static bool take_replan(struct bank_state *s, struct bank_item *item, const json_t *line)
{
    const struct plan *plan = plan_of(s, text_of(line, "plan"), true);

    if (plan == NULL)
        return false;
    item->done_before += (int)item->at;
    item->at = 0;
    item->plan = plan;
    item->booked = false;
    snprintf(item->recall, sizeof item->recall, "%s", text_of(line, "recall"));
    return true;
}

static const char *const entry_names[] = {"paid", "rejected", "returned", "reversed"};

static bool take_kind(const char *name, enum bank_entry_kind *kind)
{
    for (size_t i = 0; i < sizeof entry_names / sizeof entry_names[0]; i++)
        if (strcmp(name, entry_names[i]) == 0) {
            *kind = (enum bank_entry_kind)i;
            return true;
        }
    return false;
}

/* The last return before that entry which stands; plus 1, 0: none. */
static size_t standing_return(const struct bank_state *s, const struct bank_item *item)
{
    for (size_t i = s->n_entries; i > 0; i--) {
        const struct bank_entry *e = &s->entries[i - 1];

        if (e->item == item && e->kind == BANK_RETURNED && !e->refused && !e->reversed)
            return i;
    }
    return 0;
}

static bool take_booking(struct bank_state *s, struct bank_item *item, const json_t *line)
{
    struct bank_entry e = {.item = item,
                           .minor = int_of(line, "minor"),
                           .charge_minor = int_of(line, "charge"),
                           .at_us = int_of(line, "at"),
                           .step = (int)int_of(line, "step")};

    if (!take_kind(text_of(line, "booked"), &e.kind) ||
        (e.kind == BANK_REVERSED && item->last_return == 0))
        return false;
    /* A step before it that is not said (a wait) needs no line of its own. */
    if (e.step < bank_item_step(item) || e.step > item->done_before + (int)item->plan->n)
        return false;
    item->at = (size_t)(e.step - item->done_before - 1);
    item->booked = true;
    snprintf(e.code, sizeof e.code, "%s", text_of(line, "code"));
    if (e.kind == BANK_RETURNED) {
        e.nth = ++item->n_returns;
        item->returned_minor += e.minor;
        item->last_return = s->n_entries + 1;
    } else if (e.kind == BANK_REVERSED) {
        struct bank_entry *of = &s->entries[item->last_return - 1];

        e.nth = of->nth;
        of->reversed = true;
        item->returned_minor -= of->minor;
        item->last_return = standing_return(s, item);
    } else {
        item->answer = s->n_entries + 1;
    }
    if (s->n_entries == s->entries_size) {
        s->entries_size = s->entries_size == 0 ? 256 : s->entries_size * 2;
        s->entries = must_grow(s->entries, s->entries_size, sizeof *s->entries);
    }
    s->entries[s->n_entries++] = e;
    return true;
}

/* A return or a reversal that the gateway refused never was. */
static void take_refusal(struct bank_state *s, struct bank_item *item, int step)
{
    for (size_t i = s->n_entries; i > 0; i--) {
        struct bank_entry *e = &s->entries[i - 1];

        if (e->item != item || e->step != step)
            continue;
        e->refused = true;
        if (e->kind == BANK_RETURNED) {
            item->returned_minor -= e->minor;
        } else if (e->kind == BANK_REVERSED) {
            for (size_t j = i - 1; j > 0; j--)
                if (s->entries[j - 1].item == item && s->entries[j - 1].kind == BANK_RETURNED &&
                    s->entries[j - 1].nth == e->nth) {
                    s->entries[j - 1].reversed = false;
                    item->returned_minor += s->entries[j - 1].minor;
                }
        }
        item->last_return = standing_return(s, item);
        return;
    }
}

bool bank_is_surprise(enum step_kind kind, struct slice outcome)
{
    if (slice_equal_str(outcome, "REFUSED"))
        return !step_is_wrong(kind);
    return step_is_wrong(kind) &&
           (slice_equal_str(outcome, "RECORDED") || slice_equal_str(outcome, "DUPLICATE"));
}

static bool take_done(struct bank_state *s, struct bank_item *item, const json_t *line)
{
    int step = (int)int_of(line, "step");
    const char *outcome = text_of(line, "done");
    bool refused = strcmp(outcome, "REFUSED") == 0;
    const struct step *what;

    if (step < bank_item_step(item) || step > item->done_before + (int)item->plan->n)
        return false;
    item->at = (size_t)(step - item->done_before - 1);
    what = &item->plan->steps[item->at];
    if (bank_is_surprise(what->kind, slice_str(outcome)))
        s->surprises++;
    if (refused)
        take_refusal(s, item, step);
    item->at++;
    item->booked = false;
    return true;
}

static bool take_filing(struct bank_state *s, const json_t *line)
{
    const json_t *ids = json_object_get(line, "items");
    struct bank_filing f = {.file_no = int_of(line, "file"), .at_us = int_of(line, "at")};

    f.n = json_array_size(ids);
    if (f.file_no != s->last_file_no + 1 || s->filing.file_no != 0 || f.n == 0)
        return false;
    snprintf(f.message, sizeof f.message, "%s", text_of(line, "message"));
    snprintf(f.from, sizeof f.from, "%s", text_of(line, "from"));
    snprintf(f.to, sizeof f.to, "%s", text_of(line, "to"));
    free(s->filing_items);
    s->filing_items = must_grow(NULL, f.n, sizeof(struct bank_item *));
    for (size_t i = 0; i < f.n; i++) {
        const char *id = json_string_value(json_array_get(ids, i));

        s->filing_items[i] = id == NULL ? NULL : bank_state_find(s, slice_str(id));
        if (s->filing_items[i] == NULL)
            return false;
    }
    s->filing = f;
    return true;
}

/* Its steps are those that are said next: those before them that nobody hears of are passed. */
static bool take_filed(struct bank_state *s, const json_t *line)
{
    if (s->filing.file_no == 0 || s->filing.file_no != int_of(line, "filed"))
        return false;
    for (size_t i = 0; i < s->filing.n; i++) {
        struct bank_item *item = s->filing_items[i];

        while (item->at < item->plan->n && !step_is_said(item->plan->steps[item->at].kind))
            item->at++;
        if (item->at == item->plan->n)
            return false;
        item->at++;
        item->booked = false;
    }
    snprintf(s->last_sha256, sizeof s->last_sha256, "%s", text_of(line, "sha256"));
    s->last_file_no = s->filing.file_no;
    s->filing.file_no = 0;
    return true;
}

static bool take_read(struct bank_state *s, const char *sha256, const json_t *line)
{
    s->last_read = int_of(line, "file_no");
    snprintf(s->our_bic, sizeof s->our_bic, "%s", text_of(line, "from"));
    snprintf(s->bank_bic, sizeof s->bank_bic, "%s", text_of(line, "to"));
    return json_object_set_new(s->files_read, sha256, json_true()) == 0;
}

static bool take_line(struct bank_state *s, const json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    const char *token = json_string_value(json_object_get(line, "token"));
    const char *crashed = json_string_value(json_object_get(line, "crashed"));
    const char *bank = json_string_value(json_object_get(line, "bank"));
    struct bank_item *item;

    if (bank != NULL) {
        snprintf(s->bank, sizeof s->bank, "%s", bank);
        return strlen(bank) < sizeof s->bank;
    }
    if (token != NULL) {
        if (strlen(token) >= sizeof s->token)
            return false;
        snprintf(s->token, sizeof s->token, "%s", token);
        return true;
    }
    if (json_object_get(line, "file") != NULL)
        return take_filing(s, line);
    if (json_object_get(line, "filed") != NULL)
        return take_filed(s, line);
    if (json_object_get(line, "read") != NULL)
        return take_read(s, text_of(line, "read"), line);
    if (crashed != NULL)
        return json_object_set_new(s->crashes, crashed, json_true()) == 0;
    if (id == NULL)
        return false;
    if (json_object_get(line, "decided") != NULL)
        return take_decision(s, id, line);
    item = bank_state_find(s, slice_str(id));
    if (item == NULL)
        return false;
    if (json_object_get(line, "booked") != NULL)
        return take_booking(s, item, line);
    if (json_object_get(line, "done") != NULL)
        return take_done(s, item, line);
    return json_object_get(line, "recall") != NULL && take_replan(s, item, line);
}

static void append(struct bank_state *s, json_t *line)
{
    must(line != NULL && json_dumpf(line, s->file, JSON_COMPACT) == 0 &&
             fputc('\n', s->file) == '\n',
         s, "write");
    must(take_line(s, line), s, "remember");
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
        ok = json != NULL && take_line(s, json);
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
                            entry_names[kind], "step", bank_item_step(item), "minor",
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
