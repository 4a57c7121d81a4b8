#include "screen/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kind_names[] = {"unknown", "person", "organisation", "vessel", "aircraft"};

const char *screen_kind_name(enum screen_kind kind)
{
    return kind_names[kind];
}

bool screen_kind_from_name(struct slice name, enum screen_kind *out)
{
    for (size_t i = 1; i < sizeof kind_names / sizeof *kind_names; i++)
        if (slice_equal_str(name, kind_names[i])) {
            *out = (enum screen_kind)i;
            return true;
        }
    return false;
}

/* ---------------------------------------------------------------- faults */

bool screen_fail(struct screen_fault *fault, unsigned line, const char *where, const char *format,
                 ...)
{
    va_list args;

    fault->line = line;
    (void)snprintf(fault->where, sizeof fault->where, "%s", where);
    va_start(args, format);
    (void)vsnprintf(fault->reason, sizeof fault->reason, format, args);
    va_end(args);
    return false;
}

const char *screen_fault_text(const struct screen_fault *fault, char out[SCREEN_FAULT_SIZE])
{
    char line[32] = "";

    if (fault->line > 0)
        (void)snprintf(line, sizeof line, "line %u%s", fault->line,
                       fault->where[0] == '\0' ? ": " : ", ");
    (void)snprintf(out, SCREEN_FAULT_SIZE, "%s%s%s%s", line, fault->where,
                   fault->where[0] == '\0' ? "" : ": ", fault->reason);
    return out;
}

bool screen_check_text(struct slice text, struct screen_fault *fault)
{
    unsigned line = 1;

    if (text.len > SCREEN_FILE_BYTES_MAX)
        return screen_fail(fault, 0, "", "the file is larger than %zu bytes",
                           SCREEN_FILE_BYTES_MAX);
    while (text.len > 0) {
        struct slice rest = text;
        uint32_t c = utf8_next(&rest);

        /* U+FFFD stands for a byte that is broken, unless it is written so. */
        if (c == 0xfffd && !slice_starts_with(text, SLICE("\xef\xbf\xbd")))
            return screen_fail(fault, line, "", "it is not UTF-8");
        if (c == 0)
            return screen_fail(fault, line, "", "there is a NUL byte in it");
        line += c == '\n';
        text = rest;
    }
    return true;
}

/* ---------------------------------------------------------------- dates of birth */

static bool take_digits(struct slice *s, size_t n, int *out)
{
    int value = 0;

    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!char_is_digit(s->p[i]))
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = slice_of(s->p + n, s->len - n);
    *out = value;
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        return 29;
    return days[month - 1];
}

/* A day, a month or a year. */
static bool parse_span(struct slice s, struct screen_dob *out)
{
    int year, month, day;

    if (!take_digits(&s, 4, &year) || year < 1800 || year > 2200)
        return false;
    *out = (struct screen_dob){year * 10000 + 101, year * 10000 + 1231};
    if (s.len == 0)
        return true;
    if (s.p[0] != '-')
        return false;
    s = slice_of(s.p + 1, s.len - 1);
    if (!take_digits(&s, 2, &month) || month < 1 || month > 12)
        return false;
    *out = (struct screen_dob){year * 10000 + month * 100 + 1,
                               year * 10000 + month * 100 + days_of(year, month)};
    if (s.len == 0)
        return true;
    if (s.p[0] != '-')
        return false;
    s = slice_of(s.p + 1, s.len - 1);
    if (!take_digits(&s, 2, &day) || s.len != 0 || day < 1 || day > days_of(year, month))
        return false;
    out->first = out->last = year * 10000 + month * 100 + day;
    return true;
}

err_t screen_dob_parse(struct slice text, struct screen_dob *out)
{
    struct screen_dob last;

    text = slice_trim(text);
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.p[i] != '.' || text.p[i + 1] != '.')
            continue;
        if (!parse_span(slice_of(text.p, i), out) ||
            !parse_span(slice_of(text.p + i + 2, text.len - i - 2), &last) ||
            last.last < out->first)
            return err_make(ERR_PARSE, "read a date of birth");
        out->last = last.last;
        return err_none();
    }
    return parse_span(text, out) ? err_none() : err_make(ERR_PARSE, "read a date of birth");
}

static void format_end(int32_t day, bool year_only, char out[12])
{
    if (year_only)
        (void)snprintf(out, 12, "%04u", (unsigned)day / 10000 % 10000);
    else
        (void)snprintf(out, 12, "%04u-%02u-%02u", (unsigned)day / 10000 % 10000,
                       (unsigned)day / 100 % 100, (unsigned)day % 100);
}

const char *screen_dob_format(struct screen_dob dob, char out[SCREEN_DOB_SIZE])
{
    bool years = dob.first % 10000 == 101 && dob.last % 10000 == 1231;
    bool one = years ? dob.first / 10000 == dob.last / 10000 : dob.first == dob.last;
    char first[12], last[12];

    format_end(dob.first, years, first);
    format_end(dob.last, years, last);
    (void)snprintf(out, SCREEN_DOB_SIZE, "%s%s%s", first, one ? "" : "..", one ? "" : last);
    return out;
}

/* ---------------------------------------------------------------- drafts */

void screen_list_init(struct screen_list *list)
{
    *list = (struct screen_list){0};
    arena_init(&list->arena, (size_t)1 << 20, SCREEN_LIST_BYTES_MAX);
}

void screen_list_deinit(struct screen_list *list)
{
    arena_deinit(&list->arena);
    free(list->entries);
    *list = (struct screen_list){0};
}

void screen_draft_init(struct screen_draft *draft)
{
    draft->id = (struct slice){0};
    draft->kind = SCREEN_UNKNOWN;
    draft->n_dobs = 0;
    for (size_t i = 0; i < 6; i++)
        draft->lists[i] = (struct screen_texts){draft->room[i], 0};
}

struct slice screen_bare_number(struct slice text, char out[SCREEN_FIELD_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len && n < SCREEN_FIELD_MAX; i++) {
        char c = text.p[i];

        if (char_is_lower(c))
            c = (char)(c - 'a' + 'A');
        if (char_is_digit(c) || char_is_upper(c) || (unsigned char)c >= 0x80)
            out[n++] = c;
    }
    return slice_of(out, n);
}

/* A copy in which line breaks and what else drives a terminal are blanks. */
static bool keep_text(struct arena *arena, struct slice text, struct slice *out)
{
    char *copy = arena_strndup(arena, text.p, text.len);

    for (size_t i = 0; copy != NULL && i < text.len; i++)
        if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
            copy[i] = ' ';
    *out = slice_of(copy, text.len);
    return copy != NULL;
}

bool screen_draft_add(struct screen_list *list, struct screen_draft *draft, enum screen_field field,
                      struct slice text, struct screen_fault *fault)
{
    struct screen_texts *texts = &draft->lists[field];
    char number[SCREEN_FIELD_MAX];

    text = slice_trim(text);
    if (text.len >= SCREEN_FIELD_MAX)
        return screen_fail(fault, 0, "", "a value is longer than %d bytes", SCREEN_FIELD_MAX - 1);
    if (field == SCREEN_PASSPORT || field == SCREEN_CNIC)
        text = screen_bare_number(text, number);
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < texts->n; i++)
        if (slice_equal(texts->p[i], text))
            return true;
    if (texts->n == SCREEN_VALUES_MAX)
        return screen_fail(fault, 0, "", "there are more than %d values of one kind",
                           SCREEN_VALUES_MAX);
    if (!keep_text(&list->arena, text, &texts->p[texts->n]))
        return screen_fail(fault, 0, "", "the list is too large");
    texts->n++;
    return true;
}

static bool add_name(struct screen_list *list, struct screen_draft *draft, bool weak,
                     struct slice text, struct screen_fault *fault)
{
    struct slice before, inside, after;

    if (!slice_cut(text, '(', &before, &inside) || slice_trim(before).len == 0)
        return screen_draft_add(list, draft, weak ? SCREEN_WEAK_NAME : SCREEN_NAME, text, fault);
    (void)slice_cut(inside, ')', &inside, &after);
    return screen_draft_add(list, draft, weak ? SCREEN_WEAK_NAME : SCREEN_NAME, before, fault) &&
           (slice_trim(inside).len < 3 ||
            screen_draft_add(list, draft, SCREEN_WEAK_NAME, inside, fault)) &&
           (slice_trim(after).len < 3 ||
            screen_draft_add(list, draft, SCREEN_WEAK_NAME, after, fault));
}

bool screen_draft_add_names(struct screen_list *list, struct screen_draft *draft, bool weak,
                            struct slice text, struct screen_fault *fault)
{
    struct slice one;

    while (text.len > 0) {
        (void)slice_cut(text, ';', &one, &text);
        if (!add_name(list, draft, weak, one, fault))
            return false;
    }
    return true;
}

void screen_draft_add_dob(struct screen_draft *draft, struct screen_dob dob)
{
    if (draft->n_dobs < sizeof draft->dobs / sizeof *draft->dobs)
        draft->dobs[draft->n_dobs++] = dob;
}

/* ---------------------------------------------------------------- entries */

static bool keep(struct arena *arena, struct screen_texts from, struct screen_texts *to)
{
    *to = (struct screen_texts){arena_array(arena, from.n, sizeof *from.p), from.n};
    if (to->p == NULL)
        return false;
    if (from.n > 0)
        memcpy(to->p, from.p, from.n * sizeof *from.p);
    return true;
}

bool screen_list_put(struct screen_list *list, const struct screen_draft *draft,
                     struct screen_entry *e, struct screen_fault *fault)
{
    const struct screen_texts *from = draft->lists;
    struct screen_entry made = {.kind = draft->kind, .n_dobs = draft->n_dobs};

    if (draft->id.len == 0)
        return screen_fail(fault, 0, "", "an entry has no id");
    if (draft->id.len > SCREEN_ID_MAX)
        return screen_fail(fault, 0, "", "an id is longer than %d bytes", SCREEN_ID_MAX);
    if (from[SCREEN_NAME].n == 0)
        return screen_fail(fault, 0, "", "entry %.*s has no name", SLICE_ARG(draft->id));
    made.dobs = arena_array(&list->arena, draft->n_dobs, sizeof *draft->dobs);
    if (made.dobs == NULL || !arena_slice_dup(&list->arena, draft->id, &made.id) ||
        !keep(&list->arena, from[SCREEN_NAME], &made.names) ||
        !keep(&list->arena, from[SCREEN_WEAK_NAME], &made.weak_names) ||
        !keep(&list->arena, from[SCREEN_COUNTRY], &made.countries) ||
        !keep(&list->arena, from[SCREEN_CNIC], &made.cnics) ||
        !keep(&list->arena, from[SCREEN_PASSPORT], &made.passports) ||
        !keep(&list->arena, from[SCREEN_PROGRAM], &made.programs))
        return screen_fail(fault, 0, "", "the list is too large");
    memcpy(made.dobs, draft->dobs, draft->n_dobs * sizeof *draft->dobs);
    *e = made;
    return true;
}

bool screen_list_add(struct screen_list *list, const struct screen_draft *draft,
                     struct screen_fault *fault)
{
    if (list->n == SCREEN_ENTRIES_MAX)
        return screen_fail(fault, 0, "", "there are more than %d entries", SCREEN_ENTRIES_MAX);
    if (list->n == list->size) {
        size_t size = list->size == 0 ? 1024 : list->size * 2;
        struct screen_entry *entries = reallocarray(list->entries, size, sizeof *entries);

        if (entries == NULL)
            return screen_fail(fault, 0, "", "out of memory");
        list->entries = entries;
        list->size = size;
    }
    if (!screen_list_put(list, draft, &list->entries[list->n], fault))
        return false;
    list->n++;
    return true;
}

void screen_draft_of(const struct screen_entry *e, struct screen_draft *draft)
{
    const struct screen_texts from[6] = {e->names, e->weak_names, e->countries,
                                         e->cnics, e->passports,  e->programs};

    screen_draft_init(draft);
    draft->id = e->id;
    draft->kind = e->kind;
    for (size_t i = 0; i < 6; i++) {
        draft->lists[i].n = from[i].n;
        memcpy(draft->room[i], from[i].p, from[i].n * sizeof *from[i].p);
    }
    draft->n_dobs = e->n_dobs;
    memcpy(draft->dobs, e->dobs, e->n_dobs * sizeof *e->dobs);
}

static int by_id(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

bool screen_list_end(struct screen_list *list, struct screen_fault *fault)
{
    struct slice *ids;
    bool good = true;

    if (list->n == 0)
        return screen_fail(fault, 0, "", "there is no entry in it");
    ids = calloc(list->n, sizeof *ids);
    if (ids == NULL)
        return screen_fail(fault, 0, "", "out of memory");
    for (size_t i = 0; i < list->n; i++)
        ids[i] = list->entries[i].id;
    qsort(ids, list->n, sizeof *ids, by_id);
    for (size_t i = 1; good && i < list->n; i++)
        if (slice_equal(ids[i - 1], ids[i]))
            good = screen_fail(fault, 0, "", "two entries have the id %.*s", SLICE_ARG(ids[i]));
    free(ids);
    return good;
}
