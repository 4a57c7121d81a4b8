#include "cli/bank_lines.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 10000000

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

const char *const bank_lines_kinds[BANK_REVERSED + 1] = {"paid", "rejected", "returned",
                                                         "reversed"};

static bool take_kind(const char *name, enum bank_entry_kind *kind)
{
    for (size_t i = 0; i < sizeof bank_lines_kinds / sizeof *bank_lines_kinds; i++)
        if (strcmp(name, bank_lines_kinds[i]) == 0) {
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

bool bank_lines_take(struct bank_state *s, const json_t *line)
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
