/* ujrat screen: is a name, or are names of a file, like one of the sanctions lists? (docs/screening.md) */
#include "base/buf.h"
#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/report.h"
#include "cli/sanctions_lists.h"
#include "domain/cnic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_FILE_BYTES_MAX ((size_t)64 << 20)

const char screen_help[] =
    "NAME in any script. The lists are those of the ledger, as they are now, or with --list files of them, and then no\n"
    "database is asked. Names alike are shown with a score of 0 to 1000 and what it is made of. A score is no\n"
    "probability, and a hit is no verdict: somebody has to look. docs/screening.md says what scores are worth.\n"
    "\n"
    "--file is a CSV with a column name, and if wanted dob, cnic, passport, country and kind. The exit status does\n"
    "not tell whether there are hits.";

const struct option_row screen_options[] = {
    {"list", "FILE", "look in this file (UN, OFAC, or our CSV) rather than in the ledger", true},
    {"file", "NAMES.csv", "many names, instead of NAME", false},
    {"dob", "DATE", "date of birth: 1971-04-28, 1971-04, 1971, or two with '..' between", false},
    {"cnic", "CNIC", "national identity number", false},
    {"passport", "NUMBER", "passport", false},
    {"country", "NAME", "of nationality, in English as lists write it", false},
    {"org", NULL, "NAME is an organisation's", false},
    {"threshold", "N", "show scores from N on, in thousandths (780)", false},
    {NULL, NULL, NULL, false},
};

struct screening {
    const struct args *args;
    struct sanctions_lists lists;
    struct screen_index *index;
    struct screen_search *search;
    struct report *report;
    bool many;
    size_t n_names, n_hits;
    struct screen_hit hits[SCREEN_HITS_MAX];
};

static const struct report_column columns[] = {
    {"line", REPORT_INT},       {"asked", REPORT_TEXT}, {"score", REPORT_INT},
    {"name score", REPORT_INT}, {"list", REPORT_TEXT},  {"entry", REPORT_TEXT},
    {"kind", REPORT_TEXT},      {"name", REPORT_TEXT},  {"programs", REPORT_TEXT},
    {"why", REPORT_TEXT}};
#define N_COLUMNS  (sizeof columns / sizeof *columns)
#define ONE_BEGINS 2 /* of one name, neither line nor name need be said */

/* ---------------------------------------------------------------- one name */

static void join_programs(const struct screen_entry *e, char *out, size_t out_size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < e->programs.n && len < out_size; i++)
        len += (size_t)snprintf(out + len, out_size - len, "%s%.*s", i == 0 ? "" : ", ",
                                SLICE_ARG(e->programs.p[i]));
}

static void add_hit(struct screening *s, const struct screen_query *q, unsigned line,
                    const struct screen_hit *h)
{
    char line_text[16], score[16], name_score[16], id[SCREEN_ID_MAX + 1], name[SCREEN_FIELD_MAX],
        asked[CSV_LINE_MAX], programs[256], why[SCREEN_EXPLAIN_SIZE];
    const char *cells[] = {
        line_text, asked,    score, name_score, h->list, id, screen_kind_name(h->entry->kind),
        name,      programs, why};

    snprintf(line_text, sizeof line_text, "%u", line);
    snprintf(asked, sizeof asked, "%.*s", SLICE_ARG(q->name));
    snprintf(score, sizeof score, "%d", h->score);
    snprintf(name_score, sizeof name_score, "%d", h->name_score);
    snprintf(id, sizeof id, "%.*s", SLICE_ARG(h->entry->id));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(h->name));
    join_programs(h->entry, programs, sizeof programs);
    (void)screen_explain(s->search, h, why);
    report_add(s->report, cells + (s->many ? 0 : ONE_BEGINS));
}

/* What is known of one, as texts; "" or NULL is nothing. Names the field that is wrong, and returns false. */
struct asked {
    const char *name, *dob, *cnic, *passport, *country, *kind;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool make_query(const struct asked *a, unsigned threshold, char cnic[CNIC_SIZE],
                       struct screen_query *q, const char **wrong)
{
    *q = (struct screen_query){.name = slice_str(a->name),
                               .passport = slice_str(a->passport),
                               .country = slice_str(a->country),
                               .threshold = threshold};
    *wrong = "name: it is empty";
    if (!given(a->name) && !given(a->cnic) && !given(a->passport))
        return false;
    *wrong = "name: it is longer than 1023 bytes";
    if (q->name.len >= SCREEN_FIELD_MAX)
        return false;
    *wrong = "dob: a date such as 1971-04-28 is wanted, a month, a year, or two with '..' between";
    if (given(a->dob) && err_failed(screen_dob_parse(slice_str(a->dob), &q->dob)))
        return false;
    *wrong = "cnic: 13 digits are wanted, with or without dashes as 5-7-1";
    if (given(a->cnic) && cnic_normalise(slice_str(a->cnic), cnic) != REASON_NONE)
        return false;
    if (given(a->cnic))
        q->cnic = slice_str(cnic);
    *wrong = "kind: person, organisation, vessel or aircraft is wanted";
    return !given(a->kind) || screen_kind_from_name(slice_str(a->kind), &q->kind);
}

static bool ask(struct screening *s, const struct screen_query *q, unsigned line)
{
    size_t n;

    if (err_failed(screen_search_run(s->search, q, s->hits, &n))) {
        if (s->many)
            complain("line %u: name: it is not UTF-8", line);
        else
            complain("name: it is not UTF-8");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        add_hit(s, q, line, &s->hits[i]);
    s->n_hits += n;
    s->n_names++;
    return true;
}

/* ---------------------------------------------------------------- many */

static const char *cell(const struct csv *csv, int column)
{
    return column < 0 || (size_t)column >= csv->n ? NULL : csv->values[column];
}

static bool ask_records(struct screening *s, struct csv *csv, unsigned threshold)
{
    static const char *const names[] = {"name", "dob", "cnic", "passport", "country", "kind"};
    const char *why = NULL, *wrong;
    enum csv_result result = csv_next(csv, &why);
    int at[6];

    for (size_t i = 0; i < 6; i++)
        at[i] = result == CSV_RECORD ? csv_column(csv, names[i]) : -1;
    if (result != CSV_BROKEN && at[0] < 0) {
        complain("line %u: there is no column 'name' in the header", csv->line);
        return false;
    }
    while (result != CSV_BROKEN && (result = csv_next(csv, &why)) == CSV_RECORD) {
        const struct asked asked = {cell(csv, at[0]), cell(csv, at[1]), cell(csv, at[2]),
                                    cell(csv, at[3]), cell(csv, at[4]), cell(csv, at[5])};
        char cnic[CNIC_SIZE];
        struct screen_query q;

        if (!make_query(&asked, threshold, cnic, &q, &wrong)) {
            complain("line %u: %s", csv->line, wrong);
            return false;
        }
        if (!ask(s, &q, csv->line))
            return false;
    }
    if (result == CSV_BROKEN)
        complain("line %u: %s", csv->line, why);
    return result == CSV_END;
}

static bool ask_file(struct screening *s, const char *path, unsigned threshold)
{
    struct csv *csv = malloc(sizeof *csv);
    FILE *file = fopen(path, "rb");
    struct buf text;
    bool good = false;

    buf_init(&text, NAMES_FILE_BYTES_MAX);
    if (file == NULL || csv == NULL) {
        complain("%s: %s", path, strerror(errno));
        goto out;
    }
    for (size_t n = 1; n > 0; buf_commit(&text, n)) {
        unsigned char *room;

        if (err_failed(buf_reserve(&text, 65536, &room))) {
            complain("%s: it is larger than %zu bytes", path, NAMES_FILE_BYTES_MAX);
            goto out;
        }
        n = fread(room, 1, 65536, file);
    }
    if (ferror(file)) {
        complain("%s: %s", path, strerror(errno));
        goto out;
    }
    csv_init(csv, buf_slice(&text));
    good = ask_records(s, csv, threshold);
out:
    if (file != NULL)
        (void)fclose(file);
    buf_deinit(&text);
    free(csv);
    return good;
}

/* ---------------------------------------------------------------- the lists */

static bool read_list_files(struct screening *s)
{
    const char *path;

    for (size_t at = 0; (path = args_next(s->args, "list", &at)) != NULL;) {
        const char *slash = strrchr(path, '/');

        if (s->lists.n == SCREEN_LISTS_MAX) {
            complain("--list: at most %d", SCREEN_LISTS_MAX);
            return false;
        }
        if (!sanctions_read_files(SANCTIONS_BY_LOOK, &path, 1, &s->lists.lists[s->lists.n], NULL))
            return false;
        snprintf(s->lists.names[s->lists.n++], SCREEN_LIST_NAME_SIZE, "%.31s",
                 slash == NULL ? path : slash + 1);
    }
    return true;
}

static enum exit_code read_lists(struct screening *s)
{
    struct db db;
    enum exit_code code;

    if (args_has(s->args, "list"))
        return read_list_files(s) ? EXIT_DONE : EXIT_REFUSED;
    code = db_open(s->args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (!sanctions_read_ledger(&db, &s->lists))
        code = EXIT_REFUSED;
    db_close(&db);
    return code;
}

static bool make_index(struct screening *s)
{
    const struct screen_list *lists[SCREEN_LISTS_MAX];
    const char *names[SCREEN_LISTS_MAX];
    char text[ERR_TEXT_SIZE];
    err_t err;

    for (size_t i = 0; i < s->lists.n; i++) {
        lists[i] = &s->lists.lists[i];
        names[i] = s->lists.names[i];
    }
    err = screen_index_new(lists, names, s->lists.n, &s->index);
    if (!err_failed(err))
        err = screen_search_new(s->index, &s->search);
    if (err_failed(err))
        complain("%s", err_text(err, text, sizeof text));
    return !err_failed(err);
}

static void tell(const struct screening *s, unsigned threshold)
{
    struct screen_index_size size = screen_index_size(s->index);

    if (s->n_hits > 0 || args_json(s->args))
        report_print(s->report, args_json(s->args));
    if (!args_json(s->args))
        printf("%zu hit%s of %u or more for %zu name%s, in %zu entries with %zu names\n", s->n_hits,
               s->n_hits == 1 ? "" : "s", threshold, s->n_names, s->n_names == 1 ? "" : "s",
               size.entries, size.names);
}

static bool ask_all(struct screening *s, unsigned threshold)
{
    const struct asked asked = {s->args->n_operands > 0 ? s->args->operands[0] : NULL,
                                args_get(s->args, "dob"),
                                args_get(s->args, "cnic"),
                                args_get(s->args, "passport"),
                                args_get(s->args, "country"),
                                args_has(s->args, "org") ? "organisation" : NULL};
    const char *wrong;
    char cnic[CNIC_SIZE];
    struct screen_query q;

    if (s->many)
        return ask_file(s, args_get(s->args, "file"), threshold);
    if (!make_query(&asked, threshold, cnic, &q, &wrong)) {
        complain("%s", wrong);
        return false;
    }
    return ask(s, &q, 0);
}

enum exit_code screen_run(const struct args *args)
{
    struct screening *s;
    long long threshold = SCREEN_THRESHOLD;
    enum exit_code code;

    if (!args_int(args, "threshold", 1, SCREEN_SCORE_MAX, &threshold))
        return EXIT_USAGE;
    if (args_has(args, "file") &&
        (args->n_operands > 0 || args_has(args, "dob") || args_has(args, "cnic") ||
         args_has(args, "passport") || args_has(args, "country") || args_has(args, "org"))) {
        complain(
            "--file has names and what is known of them: no NAME, and nothing about one, beside it");
        return EXIT_USAGE;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return EXIT_REFUSED;
    s->args = args;
    s->many = args_has(args, "file");
    report_new(columns + (s->many ? 0 : ONE_BEGINS), N_COLUMNS - (s->many ? 0 : ONE_BEGINS),
               &s->report);
    code = read_lists(s);
    if (code == EXIT_DONE) {
        code = make_index(s) && ask_all(s, (unsigned)threshold) ? EXIT_DONE : EXIT_REFUSED;
        if (code == EXIT_DONE)
            tell(s, (unsigned)threshold);
    }
    screen_search_free(&s->search);
    screen_index_free(&s->index);
    sanctions_lists_deinit(&s->lists);
    report_free(&s->report);
    free(s);
    return code;
}
