/* Lists as comma-separated values, RFC 4180 with a record a line: OFAC's SDN.CSV, ALT.CSV and ADD.CSV, and national lists in our own form. */
#include "screen/list.h"

#include "domain/cnic.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_MAX 16
#define RECORD_MAX  16384 /* bytes */
#define ORPHANS_MAX 1000

struct record {
    unsigned line;
    size_t n;
    struct slice values[COLUMNS_MAX];
    char store[RECORD_MAX];
};

/* ---------------------------------------------------------------- records */

/* One value from *p into *out; both are moved on. NULL, or what is wrong with it. */
static const char *take_value(const char **p, const char *end, char **out)
{
    const char *in = *p;
    char *o = *out;

    while (in < end && *in == ' ')
        in++;
    if (in < end && *in == '"') {
        for (in++;; in++) {
            if (in == end)
                return "a quote is not closed";
            if (*in == '"') {
                if (in + 1 == end || in[1] != '"')
                    break;
                in++;
            }
            *o++ = *in;
        }
        for (in++; in < end && *in == ' '; in++)
            ;
        if (in < end && *in != ',')
            return "there is text after a closing quote";
    } else
        while (in < end && *in != ',')
            *o++ = *in++;
    *p = in;
    *out = o;
    return NULL;
}

static bool take_record(struct record *r, struct slice line, struct screen_fault *fault)
{
    const char *p = line.p, *end = line.p + line.len;
    char *out = r->store;
    char where[32];

    if (line.len >= sizeof r->store)
        return screen_fail(fault, r->line, "", "the line is longer than %zu bytes",
                           sizeof r->store - 1);
    for (r->n = 0;; p++) {
        char *begin = out;
        const char *why;

        if (r->n == COLUMNS_MAX)
            return screen_fail(fault, r->line, "", "there are more than %d columns", COLUMNS_MAX);
        why = take_value(&p, end, &out);
        if (why != NULL) {
            (void)snprintf(where, sizeof where, "column %zu", r->n + 1);
            return screen_fail(fault, r->line, where, "%s", why);
        }
        r->values[r->n++] = slice_trim(slice_of(begin, (size_t)(out - begin)));
        if (p == end)
            return true;
    }
}

/* The next line that has something; false at the end (*good stays) or for a fault. OFAC's files end in Ctrl-Z. */
static bool next_record(struct slice *rest, struct record *r, struct screen_fault *fault,
                        bool *good)
{
    struct slice line;

    while (slice_next_line(rest, &line)) {
        r->line++;
        if (slice_trim(line).len == 0 || slice_equal_str(line, "\x1a"))
            continue;
        *good = take_record(r, line, fault);
        return *good;
    }
    return false;
}

static bool at(bool good, struct screen_fault *fault, const struct record *r, const char *column)
{
    if (!good && fault->line == 0) {
        fault->line = r->line;
        (void)snprintf(fault->where, sizeof fault->where, "%s", column);
    }
    return good;
}

/* ---------------------------------------------------------------- national lists */

static const char *const own_columns[] = {"id",      "type", "name",     "aliases", "dob",
                                          "country", "cnic", "passport", "program"};
#define N_OWN (sizeof own_columns / sizeof *own_columns)
enum {
    OWN_ID,
    OWN_TYPE,
    OWN_NAME,
    OWN_ALIASES,
    OWN_DOB,
    OWN_COUNTRY,
    OWN_CNIC,
    OWN_PASSPORT,
    OWN_PROGRAM
};

static bool own_dobs(const struct record *r, struct screen_draft *draft, struct screen_fault *fault)
{
    struct slice rest = r->values[OWN_DOB], one;
    struct screen_dob dob;

    while (rest.len > 0) {
        (void)slice_cut(rest, ';', &one, &rest);
        if (slice_trim(one).len == 0)
            continue;
        if (err_failed(screen_dob_parse(one, &dob)))
            return screen_fail(fault, r->line, "dob",
                               "'%.*s' is neither a date nor a year, nor two with '..' between",
                               SLICE_ARG(one));
        screen_draft_add_dob(draft, dob);
    }
    return true;
}

static bool own_values(struct screen_list *list, const struct record *r, size_t column,
                       enum screen_field field, struct screen_draft *draft,
                       struct screen_fault *fault)
{
    struct slice rest = r->values[column], one;
    char cnic[CNIC_SIZE];

    while (rest.len > 0) {
        (void)slice_cut(rest, ';', &one, &rest);
        one = slice_trim(one);
        if (field == SCREEN_CNIC && one.len > 0 && cnic_normalise(one, cnic) != REASON_NONE)
            return screen_fail(fault, r->line, "cnic",
                               "a CNIC has 13 digits, with or without dashes as 5-7-1");
        if (!at(screen_draft_add(list, draft, field, one, fault), fault, r, own_columns[column]))
            return false;
    }
    return true;
}

static bool own_record(struct screen_list *list, const struct record *r, struct screen_draft *draft,
                       struct screen_fault *fault)
{
    if (r->n != N_OWN)
        return screen_fail(fault, r->line, "", "there are %zu columns, and %zu are wanted", r->n,
                           N_OWN);
    screen_draft_init(draft);
    draft->id = r->values[OWN_ID];
    if (!screen_kind_from_name(r->values[OWN_TYPE], &draft->kind))
        return screen_fail(fault, r->line, "type",
                           "it is none of person, organisation, vessel and aircraft");
    return own_dobs(r, draft, fault) && own_values(list, r, OWN_NAME, SCREEN_NAME, draft, fault) &&
           own_values(list, r, OWN_ALIASES, SCREEN_NAME, draft, fault) &&
           own_values(list, r, OWN_COUNTRY, SCREEN_COUNTRY, draft, fault) &&
           own_values(list, r, OWN_CNIC, SCREEN_CNIC, draft, fault) &&
           own_values(list, r, OWN_PASSPORT, SCREEN_PASSPORT, draft, fault) &&
           own_values(list, r, OWN_PROGRAM, SCREEN_PROGRAM, draft, fault) &&
           at(screen_list_add(list, draft, fault), fault, r, "");
}

static bool is_header(const struct record *r, struct screen_fault *fault)
{
    for (size_t i = 0; i < N_OWN; i++)
        if (r->n != N_OWN || !slice_equal_str(r->values[i], own_columns[i]))
            return screen_fail(
                fault, r->line, "",
                "the header must be id,type,name,aliases,dob,country,cnic,passport,program");
    return true;
}

/* What reading a file of records needs, on the heap. */
struct job {
    struct record record;
    struct screen_draft draft;
};

bool screen_list_read_csv(struct screen_list *list, struct slice csv, struct screen_fault *fault)
{
    struct job *job;
    bool good = true;

    if (!screen_check_text(csv, fault))
        return false;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return screen_fail(fault, 0, "", "out of memory");
    if (slice_starts_with(csv, SLICE("\xef\xbb\xbf")))
        csv = slice_of(csv.p + 3, csv.len - 3);
    if (next_record(&csv, &job->record, fault, &good))
        good = is_header(&job->record, fault);
    else if (good)
        good = screen_fail(fault, 1, "", "it is empty");
    while (good && next_record(&csv, &job->record, fault, &good))
        good = own_record(list, &job->record, &job->draft, fault);
    free(job);
    return good;
}

/* ---------------------------------------------------------------- OFAC */

enum { SDN_ID, SDN_NAME, SDN_TYPE, SDN_PROGRAM, SDN_FLAG = 9, SDN_REMARKS = 11, SDN_COLUMNS };
enum { ALT_ID, ALT_NUMBER, ALT_TYPE, ALT_NAME, ALT_REMARKS, ALT_COLUMNS };
enum { ADD_ID, ADD_NUMBER, ADD_STREET, ADD_CITY, ADD_COUNTRY, ADD_REMARKS, ADD_COLUMNS };

static struct slice ofac_value(const struct record *r, size_t column)
{
    struct slice v = r->values[column];

    return slice_equal_str(v, "-0-") ? (struct slice){0} : v;
}

/* "28 Jul 1963", "Jul 1963", "1963", "circa 1963", "1963 to 1965". */
static bool ofac_day(struct slice text, struct screen_dob *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct slice parts[3], word;
    char iso[16];
    int64_t day = 0;
    size_t n = 0, month = 0;

    for (text = slice_trim(text); text.len > 0 && n < 3;) {
        (void)slice_cut(text, ' ', &word, &text);
        if (word.len > 0)
            parts[n++] = word;
    }
    if (n == 0 || text.len > 0)
        return false;
    for (size_t i = 0; n > 1 && i < 12; i++)
        if (parts[n - 2].len == 3 && memcmp(parts[n - 2].p, months + i * 3, 3) == 0)
            month = i + 1;
    if ((n > 1 && month == 0) || (n == 3 && err_failed(str_parse_int64(parts[0], &day))) ||
        day < 0 || day > 31)
        return false;
    if (n == 1)
        (void)snprintf(iso, sizeof iso, "%.*s", SLICE_ARG(parts[0]));
    else
        (void)snprintf(iso, sizeof iso, n == 2 ? "%.*s-%02zu" : "%.*s-%02zu-%02d",
                       SLICE_ARG(parts[n - 1]), month, (int)day);
    return !err_failed(screen_dob_parse(slice_str(iso), out));
}

static void ofac_dob(struct slice text, struct screen_draft *draft)
{
    struct screen_dob dob, last;
    const char *to = memmem(text.p, text.len, " to ", 4);
    bool circa = slice_starts_with(text, SLICE("circa "));

    if (circa)
        text = slice_of(text.p + 6, text.len - 6);
    if (to != NULL && to >= text.p) {
        struct slice first = slice_of(text.p, (size_t)(to - text.p));

        if (!ofac_day(first, &dob) ||
            !ofac_day(slice_of(to + 4, text.len - first.len - 4), &last) || last.last < dob.first)
            return;
        dob.last = last.last;
    } else if (!ofac_day(text, &dob))
        return;
    dob.first -= circa ? 10000 : 0;
    dob.last += circa ? 10000 : 0;
    screen_draft_add_dob(draft, dob);
}

static bool after(struct slice text, const char *word, struct slice *rest)
{
    if (!slice_starts_with(text, slice_str(word)))
        return false;
    *rest = slice_trim(slice_of(text.p + strlen(word), text.len - strlen(word)));
    return true;
}

/* One remark: what we know of them. */
static bool ofac_remark(struct screen_list *list, struct slice text, struct screen_draft *draft,
                        struct screen_fault *fault)
{
    struct slice rest, number;
    char cnic[CNIC_SIZE];

    (void)after(text, "alt. ", &text);
    if (after(text, "DOB ", &rest))
        ofac_dob(rest, draft);
    else if (after(text, "nationality ", &rest) || after(text, "citizen ", &rest))
        return screen_draft_add(list, draft, SCREEN_COUNTRY, rest, fault);
    else if (after(text, "Passport ", &rest)) {
        (void)slice_cut(rest, ' ', &number, &rest);
        return screen_draft_add(list, draft, SCREEN_PASSPORT, number, fault);
    } else if (after(text, "National ID No. ", &rest) ||
               after(text, "Identification Number ", &rest)) {
        (void)slice_cut(rest, ' ', &number, &rest);
        if (cnic_normalise(number, cnic) == REASON_NONE)
            return screen_draft_add(list, draft, SCREEN_CNIC, number, fault);
    } else if (after(text, "a.k.a. '", &rest)) {
        (void)slice_cut(rest, '\'', &number, &rest);
        return screen_draft_add(list, draft, SCREEN_WEAK_NAME, number, fault);
    }
    return true;
}

static bool ofac_programs(struct screen_list *list, struct slice text, struct screen_draft *draft,
                          struct screen_fault *fault)
{
    struct slice one;

    while (text.len > 0) {
        (void)slice_cut(text, ']', &one, &text);
        one = slice_trim(one);
        if (one.len > 0 && one.p[0] == '[')
            one = slice_of(one.p + 1, one.len - 1);
        if (!screen_draft_add(list, draft, SCREEN_PROGRAM, one, fault))
            return false;
    }
    return true;
}

static bool sdn_record(struct screen_list *list, const struct record *r, struct screen_draft *draft,
                       struct screen_fault *fault)
{
    struct slice type = ofac_value(r, SDN_TYPE), remarks = ofac_value(r, SDN_REMARKS), one;

    screen_draft_init(draft);
    draft->id = ofac_value(r, SDN_ID);
    draft->kind = SCREEN_ORGANISATION;
    if (slice_equal_str(type, "individual"))
        draft->kind = SCREEN_PERSON;
    else if (type.len > 0 && !screen_kind_from_name(type, &draft->kind))
        return screen_fail(fault, r->line, "SDN_Type",
                           "it is none of individual, vessel and aircraft");
    if (!at(screen_draft_add(list, draft, SCREEN_NAME, ofac_value(r, SDN_NAME), fault), fault, r,
            "SDN_Name") ||
        !at(ofac_programs(list, ofac_value(r, SDN_PROGRAM), draft, fault), fault, r, "Program") ||
        !at(screen_draft_add(list, draft, SCREEN_COUNTRY, ofac_value(r, SDN_FLAG), fault), fault, r,
            "Vess_flag"))
        return false;
    while (remarks.len > 0) {
        (void)slice_cut(remarks, ';', &one, &remarks);
        one = slice_trim(one);
        if (one.len > 0 && one.p[one.len - 1] == '.')
            one.len--;
        if (!at(ofac_remark(list, one, draft, fault), fault, r, "Remarks"))
            return false;
    }
    return at(screen_list_add(list, draft, fault), fault, r, "");
}

/* Rows of a list of OFAC's come in the order of their numbers, so the one sought is near the last one found. */
static struct screen_entry *find_entry(struct screen_list *list, struct slice id, size_t *near)
{
    for (size_t i = 0; i < list->n; i++) {
        size_t k = (*near + i) % list->n;

        if (slice_equal(list->entries[k].id, id)) {
            *near = k;
            return &list->entries[k];
        }
    }
    return NULL;
}

static bool ofac_more(struct screen_list *list, const struct record *r, struct screen_draft *draft,
                      size_t *near, struct screen_fault *fault)
{
    bool alias = r->n == ALT_COLUMNS;
    struct slice value = ofac_value(r, alias ? ALT_NAME : ADD_COUNTRY);
    struct screen_entry *e = find_entry(list, ofac_value(r, ALT_ID), near);

    if (e == NULL) {
        return ++list->n_orphans <= ORPHANS_MAX ||
               screen_fail(fault, r->line, "ent_num", "more than %d rows belong to nobody in SDN",
                           ORPHANS_MAX);
    }
    if (value.len == 0 || (!alias && e->countries.n > 0))
        return true;
    screen_draft_of(e, draft);
    return at(screen_draft_add(list, draft, alias ? SCREEN_NAME : SCREEN_COUNTRY, value, fault),
              fault, r, alias ? "alt_name" : "Country") &&
           at(screen_list_put(list, draft, e, fault), fault, r, "");
}

bool screen_list_read_ofac(struct screen_list *list, struct slice csv, struct screen_fault *fault)
{
    struct job *job;
    size_t columns = 0, near = 0;
    bool good = true;

    if (!screen_check_text(csv, fault))
        return false;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return screen_fail(fault, 0, "", "out of memory");
    while (good && next_record(&csv, &job->record, fault, &good)) {
        struct record *r = &job->record;
        int64_t number;

        if (columns == 0)
            columns = r->n;
        if (r->n != columns || (r->n != SDN_COLUMNS && r->n != ALT_COLUMNS && r->n != ADD_COLUMNS))
            good = screen_fail(fault, r->line, "",
                               "there are %zu columns: SDN has 12, ALT 5 and ADD 6", r->n);
        else if (err_failed(str_parse_int64(r->values[SDN_ID], &number)) || number <= 0)
            good = screen_fail(fault, r->line, "ent_num", "it is no number above zero");
        else if (columns != SDN_COLUMNS && list->n == 0)
            good = screen_fail(fault, r->line, "",
                               "aliases or addresses came before the list: SDN first");
        else
            good = columns == SDN_COLUMNS ? sdn_record(list, r, &job->draft, fault)
                                          : ofac_more(list, r, &job->draft, &near, fault);
    }
    if (good && columns == 0)
        good = screen_fail(fault, 1, "", "it is empty");
    free(job);
    return good;
}
