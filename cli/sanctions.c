/* ujrat sanctions: lists of sanctioned people and organisations, version by version (docs/screening.md). */
#include "base/hex.h"
#include "base/timefmt.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/sanctions_lists.h"
#include "cli/show.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char sanctions_import_help[] =
    "SOURCE is a name in capitals for the list: UN, OFAC, NACTA ... FILE is the UN's consolidated list (XML), OFAC's\n"
    "SDN.CSV with ALT.CSV and ADD.CSV behind it, or a national list in our own form (CSV; docs/screening.md). It\n"
    "becomes the list's next version, and what it changed is shown. Importing the same bytes again changes\n"
    "nothing. A list with more than a tenth fewer entries than before is refused: it may have been cut.";

const struct option_row sanctions_import_options[] = {
    {"format", "un|ofac|csv", "what FILE is (default: by the look of it)", false},
    {"published", "YYYY-MM-DD", "the day it was published, where the file does not say", false},
    {"allow-shrink", NULL, "take it though it has many fewer entries", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

const char sanctions_list_help[] = "Newest first.";

const char sanctions_show_help[] =
    "ENTRY is the publisher's id, as `ujrat screen` shows it. Newest first. Of CNICs the last four digits are shown.";

const struct option_row sanctions_show_options[] = {
    {"source", "SOURCE", "of this list only", false},
    {NULL, NULL, NULL, false},
};

const char sanctions_diff_help[] =
    "VERSION is a number (default: the last one). Entries added, changed (and in what), and removed.";

/* ---------------------------------------------------------------- import */

static void must(bool ok)
{
    if (ok)
        return;
    complain("out of memory");
    exit(EXIT_REFUSED);
}

static json_t *texts_json(struct screen_texts texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < texts.n; i++)
        must(json_array_append_new(list, json_stringn(texts.p[i].p, texts.p[i].len)) == 0);
    return list;
}

static json_t *entry_json(const struct screen_entry *e)
{
    char text[SCREEN_DOB_SIZE];
    json_t *dobs = json_array();
    json_t *entry;

    for (size_t i = 0; i < e->n_dobs; i++)
        must(json_array_append_new(dobs, json_string(screen_dob_format(e->dobs[i], text))) == 0);
    entry = json_pack("{s:s%, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", e->id.p, e->id.len,
                      "kind", screen_kind_name(e->kind), "names", texts_json(e->names),
                      "weak_names", texts_json(e->weak_names), "dobs", dobs, "countries",
                      texts_json(e->countries), "cnics", texts_json(e->cnics), "passports",
                      texts_json(e->passports), "programs", texts_json(e->programs));
    must(entry != NULL);
    return entry;
}

static char *list_json(const struct screen_list *list)
{
    json_t *entries = json_array();
    char *text;

    for (size_t i = 0; i < list->n; i++)
        must(json_array_append_new(entries, entry_json(&list->entries[i])) == 0);
    text = json_dumps(entries, JSON_COMPACT);
    must(text != NULL);
    json_decref(entries);
    return text;
}

static bool show_diff(const struct args *args, struct db *db, const char *source,
                      const char *version)
{
    static const struct report_column columns[] = {{"change", REPORT_TEXT},
                                                   {"entry", REPORT_TEXT},
                                                   {"kind", REPORT_TEXT},
                                                   {"name", REPORT_TEXT},
                                                   {"what", REPORT_TEXT}};

    return show_rows(
        args, db,
        "SELECT lower(c.change), c.entry_id, c.kind, c.names[1], CASE WHEN c.change = 'CHANGED' THEN concat_ws(', ',"
        " CASE WHEN c.kind <> b.kind THEN 'kind' END, CASE WHEN c.names <> b.names THEN 'names' END,"
        " CASE WHEN c.weak_names <> b.weak_names THEN 'weak names' END, CASE WHEN c.dobs <> b.dobs THEN 'dates of birth' END,"
        " CASE WHEN c.countries <> b.countries THEN 'countries' END, CASE WHEN c.cnics <> b.cnics THEN 'CNICs' END,"
        " CASE WHEN c.passports <> b.passports THEN 'passports' END, CASE WHEN c.programs <> b.programs THEN 'programs' END) END"
        "  FROM sanctions_change c LEFT JOIN LATERAL (SELECT * FROM sanctions_change o WHERE o.source = c.source"
        "   AND o.entry_id = c.entry_id AND o.version < c.version ORDER BY o.version DESC LIMIT 1) b ON true"
        " WHERE c.source = $1 AND c.version = $2 ORDER BY c.change, c.entry_id LIMIT 100000",
        2, (const char *const[]){source, version}, columns, 5);
}

static enum exit_code tell_import(const struct args *args, struct db *db,
                                  const struct screen_list *list, const PGresult *r)
{
    const char *source = args->operands[0];
    bool is_new = strcmp(PQgetvalue(r, 0, 0), "1") == 0;

    if (!args_json(args) && !args_quiet(args)) {
        if (is_new)
            printf("%s: version %s, %zu entries; %s added, %s changed, %s removed\n", source,
                   PQgetvalue(r, 0, 1), list->n, PQgetvalue(r, 0, 2), PQgetvalue(r, 0, 3),
                   PQgetvalue(r, 0, 4));
        else
            printf("%s: version %s has these very bytes; nothing was changed\n", source,
                   PQgetvalue(r, 0, 1));
        if (list->n_orphans > 0)
            printf("%zu aliases or addresses belong to no entry, and were left out\n",
                   list->n_orphans);
    }
    /* The first version is all new: nobody wants to read it. */
    if (args_json(args) || (!args_quiet(args) && is_new && strcmp(PQgetvalue(r, 0, 1), "1") != 0))
        return show_diff(args, db, source, PQgetvalue(r, 0, 1)) ? EXIT_DONE : EXIT_REFUSED;
    return EXIT_DONE;
}

/* Names without their folders. */
static void join_names(const char *const *paths, size_t n, char *out, size_t out_size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n && len < out_size; i++) {
        const char *slash = strrchr(paths[i], '/');

        len += (size_t)snprintf(out + len, out_size - len, "%s%.200s", i == 0 ? "" : ", ",
                                slash == NULL ? paths[i] : slash + 1);
    }
}

static enum exit_code store(const struct args *args, struct db *db, const struct screen_list *list,
                            const unsigned char sha256[SANCTIONS_SHA256_SIZE],
                            const char *published)
{
    char hex[2 + HEX_SIZE(SANCTIONS_SHA256_SIZE)] = "\\x", names[1000], author[64];
    char *entries = list_json(list);
    enum exit_code code;
    PGresult *r;

    hex_encode(sha256, SANCTIONS_SHA256_SIZE, hex + 2);
    join_names(args->operands + 1, args->n_operands - 1, names, sizeof names);
    r = db_query(
        db,
        "SELECT verdict, version, added, changed, removed FROM import_sanctions($1, $2, $3, $4, $5, $6, $7)",
        7,
        (const char *const[]){args->operands[0], hex, names, published,
                              author_of(args, author, sizeof author),
                              args_has(args, "allow-shrink") ? "t" : "f", entries});
    free(entries);
    if (r == NULL)
        return db_failure(db);
    code = tell_import(args, db, list, r);
    PQclear(r);
    return code;
}

static bool is_source(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n < SCREEN_LIST_NAME_SIZE && char_is_upper(name[0]) &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

enum exit_code sanctions_import_run(const struct args *args)
{
    unsigned char sha256[SANCTIONS_SHA256_SIZE];
    const char *format_name = args_get(args, "format"), *published = args_get(args, "published");
    enum sanctions_format format = SANCTIONS_BY_LOOK;
    struct screen_list list;
    struct db db;
    enum exit_code code;
    int32_t day;

    if (!is_source(args->operands[0])) {
        complain("'%s': a source is capitals, digits and dashes, at most 31, such as UN",
                 args->operands[0]);
        return EXIT_USAGE;
    }
    if (format_name != NULL && !sanctions_format_from_name(format_name, &format)) {
        complain("--format: un, ofac or csv is wanted, not '%s'", format_name);
        return EXIT_USAGE;
    }
    if (published != NULL && err_failed(timefmt_parse_date(slice_str(published), &day))) {
        complain("--published: a date such as 2026-02-27 is wanted, not '%s'", published);
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    if (sanctions_read_files(format, args->operands + 1, args->n_operands - 1, &list, sha256)) {
        if (published == NULL && !err_failed(timefmt_parse_date(slice_str(list.published), &day)))
            published = list.published;
        code = store(args, &db, &list, sha256, published);
        screen_list_deinit(&list);
    }
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- list, show, diff */

enum exit_code sanctions_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"source", REPORT_TEXT}, {"version", REPORT_INT}, {"published", REPORT_TEXT},
        {"entries", REPORT_INT}, {"names", REPORT_INT},   {"added", REPORT_INT},
        {"changed", REPORT_INT}, {"removed", REPORT_INT}, {"imported at", REPORT_TEXT},
        {"by", REPORT_TEXT},     {"files", REPORT_TEXT},  {"sha256", REPORT_TEXT}};

    return show_query(
        args,
        "SELECT source, version, published, entries, names, added, changed, removed,"
        " to_char(imported_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), imported_by, file_names, encode(sha256, 'hex')"
        "  FROM sanctions_version ORDER BY imported_at DESC LIMIT 1000",
        0, NULL, columns, 12);
}

enum exit_code sanctions_show_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"source", REPORT_TEXT},    {"version", REPORT_INT},    {"change", REPORT_TEXT},
        {"kind", REPORT_TEXT},      {"names", REPORT_TEXT},     {"weak names", REPORT_TEXT},
        {"born", REPORT_TEXT},      {"countries", REPORT_TEXT}, {"CNICs", REPORT_TEXT},
        {"passports", REPORT_TEXT}, {"programs", REPORT_TEXT}};
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);
    PGresult *r;

    if (code != EXIT_DONE)
        return code;
    r = db_query(
        &db,
        "SELECT 1 FROM sanctions_change WHERE entry_id = $1 AND ($2::text IS NULL OR source = $2) LIMIT 1",
        2, (const char *const[]){args->operands[0], args_get(args, "source")});
    code = EXIT_REFUSED;
    if (r != NULL && PQntuples(r) == 0)
        complain("no list has an entry '%s'", args->operands[0]);
    else if (
        r != NULL &&
        show_rows(
            args, &db,
            "SELECT source, version, lower(change), kind, array_to_string(names, '; '), array_to_string(weak_names, '; '),"
            " array_to_string(dobs, '; '), array_to_string(countries, '; '),"
            " (SELECT string_agg('*********' || right(c, 4), '; ') FROM unnest(cnics) c), array_to_string(passports, '; '),"
            " array_to_string(programs, '; ') FROM sanctions_change"
            " WHERE entry_id = $1 AND ($2::text IS NULL OR source = $2) ORDER BY source, version DESC LIMIT 1000",
            2, (const char *const[]){args->operands[0], args_get(args, "source")}, columns, 11))
        code = EXIT_DONE;
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code sanctions_diff_run(const struct args *args)
{
    struct db db;
    enum exit_code code;
    PGresult *r;

    if (args->n_operands > 1 && !is_number("VERSION", args->operands[1]))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(
        &db,
        "SELECT max(version) FROM sanctions_version WHERE source = $1 AND ($2::integer IS NULL OR version = $2::integer)",
        2,
        (const char *const[]){args->operands[0], args->n_operands > 1 ? args->operands[1] : NULL});
    code = EXIT_REFUSED;
    if (r != NULL && PQgetisnull(r, 0, 0))
        complain("there is no such version of %s", args->operands[0]);
    else if (r != NULL && show_diff(args, &db, args->operands[0], PQgetvalue(r, 0, 0)))
        code = EXIT_DONE;
    PQclear(r);
    db_close(&db);
    return code;
}
