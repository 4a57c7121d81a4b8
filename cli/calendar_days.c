/* ujrat calendar: days on which banks do not work as on others. */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/show.h"

#include <string.h>

const char calendar_add_help[] =
    "DAY is a date (2026-03-20) or a span of them (2026-02-18..2026-03-19). KIND is holiday, working (after\n"
    "all: banks work, though it is a weekend or was said to be a holiday) or ramadan (works as its\n"
    "weekday does, with the cut-offs of Ramadan). It counts from the moment it is recorded; a day is\n"
    "never changed, the newest record counts. Recording the same again changes nothing.";

const struct option_row calendar_add_options[] = {
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

enum exit_code calendar_add_run(const struct args *args)
{
    const char *dots = strstr(args->operands[0], "..");
    char first[16], last[16], author[64];
    struct db db;
    PGresult *r;
    enum exit_code code;
    struct slice day = slice_str(args->operands[0]);
    struct slice begin = dots == NULL ? day : slice_of(day.p, (size_t)(dots - day.p));

    if (err_failed(slice_copy(begin, first, sizeof first)) ||
        err_failed(slice_copy(dots == NULL ? begin : slice_str(dots + 2), last, sizeof last))) {
        complain("'%s' is neither a day (2026-03-20) nor a span (2026-02-18..2026-03-19)",
                 args->operands[0]);
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(
        &db,
        "SELECT count(*), count(*) FILTER (WHERE news) FROM (SELECT "
        "record_calendar_day(d::date, $3, $4, $5) AS news"
        "  FROM generate_series($1::date, least($2::date, $1::date + 366), '1 day') d OFFSET 0) t",
        5,
        (const char *const[]){first, last, args->operands[1], args->operands[2],
                              author_of(args, author, sizeof author)});
    if (r == NULL)
        code = db_failure(&db);
    else if (db_int(r, 0, 0) == 0) {
        complain("the span ends before it begins");
        code = EXIT_REFUSED;
    } else if (!args_quiet(args))
        printf("%s of %s days recorded, the others were so already\n", PQgetvalue(r, 0, 1),
               PQgetvalue(r, 0, 0));
    PQclear(r);
    db_close(&db);
    return code;
}

const char calendar_list_help[] =
    "Days from today on that are not like others, as known now. What is not listed is Monday to Friday.";

const struct option_row calendar_list_options[] = {
    {"all", NULL, "days that have passed, and records that others followed, too", false},
    {NULL, NULL, NULL, false},
};

enum exit_code calendar_list_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"day", REPORT_TEXT},  {"weekday", REPORT_TEXT},     {"kind", REPORT_TEXT},
        {"name", REPORT_TEXT}, {"recorded at", REPORT_TEXT}, {"author", REPORT_TEXT}};

    return show_query(
        args,
        "SELECT d.day, to_char(d.day, 'FMDay'), d.kind, d.name,"
        " to_char(d.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), d.author"
        "  FROM calendar_day d"
        " WHERE $1 = 'yes' OR (d.day >= (clock_timestamp() AT TIME ZONE INTERVAL '5 hours')::date AND"
        "       NOT EXISTS (SELECT 1 FROM calendar_day e WHERE e.day = d.day AND e.recorded_at > d.recorded_at))"
        " ORDER BY d.day, d.recorded_at",
        1, (const char *const[]){args_has(args, "all") ? "yes" : "no"}, columns,
        sizeof columns / sizeof *columns);
}
