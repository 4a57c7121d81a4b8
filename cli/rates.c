/* ujrat rates: a day's rates into the ledger, or the reason why not; and what is in force. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/rates_file.h"
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

const char rates_import_help[] =
    "Reads a mark-to-market sheet of the State Bank of Pakistan (CSV: currency,ready,w1,...) or a JSON\n"
    "day file in the form of fawazahmed0/currency-api or openexchangerates.org. The day comes from\n"
    "the file, its name or --date, and they must agree; the rates speak of the end of that day in\n"
    "Asia/Karachi (or of the moment the file names). A file that is not what it says (HTML, a\n"
    "customer-rate sheet, a cut or absurd one, a rate far from the last good one) is refused with\n"
    "the reason, which is recorded, and the last good rates stay. Importing the same bytes again\n"
    "changes nothing.";

const struct option_row rates_import_options[] = {
    {"source", "NAME", "who published it (default: by the form of the file)", false},
    {"date", "YYYY-MM-DD", "the day it is of, when its name does not say", false},
    {"as-of", "TIME", "the moment the rates speak of, RFC 3339 (default: end of the day)", false},
    {"jump-max", "BPS",
     "how far the rate of a currency in use may be from the last one; 0: any (2000)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

const char rates_show_help[] =
    "The rates in force, or with --all the sheets that were imported or refused.";

const struct option_row rates_show_options[] = {
    {"all", NULL, "list the sheets, newest first, refused ones with the reason", false},
    {NULL, NULL, NULL, false},
};

/* Which sheet is in force: the good one that speaks of the latest moment (as the gateway takes it). */
#define SQL_LAST_GOOD                                                                              \
    "(SELECT s.* FROM rate_sheet s WHERE s.refused IS NULL "                                       \
    "ORDER BY s.as_of DESC, s.rate_id DESC LIMIT 1)"

/* What to hold the new sheet against: the one in force, in the currencies that floats are held in. What other
 * currencies do in the months between two sheets is nobody's risk. */
static bool last_good(struct db *db, struct rate_sheet *sheet)
{
    PGresult *r = db_run(
        db, "SELECT ccy, pkr_e10 FROM rate WHERE rate_id = (SELECT rate_id FROM " SQL_LAST_GOOD
            " s) AND (ccy = 840 OR ccy IN (SELECT ccy FROM account "
            "WHERE role = 'float')) ORDER BY ccy LIMIT 192");

    *sheet = (struct rate_sheet){0};
    if (r == NULL)
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        sheet->entries[sheet->n++] =
            (struct rate_sheet_entry){(uint16_t)db_int(r, i, 0), {db_int(r, i, 1)}};
    PQclear(r);
    return true;
}

/* "{840,978}" and "{2779612000000,...}": arrays as PostgreSQL reads them. */
static void sheet_arrays(const struct rate_sheet *sheet, struct buf *ccys, struct buf *rates)
{
    bool ok = !err_failed(buf_append_char(ccys, '{')) && !err_failed(buf_append_char(rates, '{'));

    for (size_t i = 0; ok && i < sheet->n; i++)
        ok = !err_failed(
                 buf_printf(ccys, "%s%u", i == 0 ? "" : ",", (unsigned)sheet->entries[i].ccy)) &&
             !err_failed(buf_printf(rates, "%s%lld", i == 0 ? "" : ",",
                                    (long long)sheet->entries[i].pkr_per_unit.e10));
    if (!ok || err_failed(buf_append(ccys, "}", 2)) || err_failed(buf_append(rates, "}", 2)))
        abort();
}

struct import {
    const struct args *args;
    struct db db;
    struct rates_file file;
    char why[RATES_WHY_SIZE];
    bool refused;
    int64_t as_of_us;
};

static enum exit_code store(struct import *im)
{
    struct buf ccys;
    struct buf rates;
    char sha256[2 + HEX_SIZE(RATES_SHA256_SIZE)] = "\\x";
    char date[TIMEFMT_DATE_SIZE];
    char as_of[TIMEFMT_SIZE];
    char author[64];
    const char *source = args_get(im->args, "source");
    bool dated = im->file.date != RATES_DATE_NONE;
    PGresult *r;

    buf_init(&ccys, 65536);
    buf_init(&rates, 65536);
    sheet_arrays(&im->file.sheet, &ccys, &rates);
    hex_encode(im->file.sha256, RATES_SHA256_SIZE, sha256 + 2);
    r = db_query(&im->db, "SELECT import_rates($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9,
                 (const char *const[]){
                     source == NULL ? im->file.source : source,
                     dated ? timefmt_date(im->file.date, date) : NULL,
                     dated ? timefmt_rfc3339(im->as_of_us, as_of) : NULL, im->file.name, sha256,
                     author_of(im->args, author, sizeof author), im->refused ? im->why : NULL,
                     im->refused ? "{}" : (const char *)buf_data(&ccys),
                     im->refused ? "{}" : (const char *)buf_data(&rates)});
    PQclear(r);
    buf_deinit(&ccys);
    buf_deinit(&rates);
    return r == NULL ? db_failure(&im->db) : EXIT_DONE;
}

static void tell_last_good(struct db *db)
{
    PGresult *r = db_run(db, "SELECT source, sheet_date FROM " SQL_LAST_GOOD " s");

    if (r != NULL && PQntuples(r) > 0)
        complain("the last good rates stay in force: %s of %s", PQgetvalue(r, 0, 0),
                 PQgetvalue(r, 0, 1));
    else if (r != NULL)
        complain("there are no good rates yet");
    PQclear(r);
}

static enum exit_code tell_import(struct import *im)
{
    char date[TIMEFMT_DATE_SIZE];
    char rate[RATE_TEXT_SIZE];
    rate_t usd = {0};
    reason_t reason;

    if (im->refused) {
        complain("%s refused: %s", im->file.name, im->why);
        tell_last_good(&im->db);
        return EXIT_REFUSED;
    }
    reason = rate_sheet_pkr(&im->file.sheet, CCY_USD, &usd);
    if (!args_quiet(im->args))
        printf("%s: %zu rates of %s from %s, PKR %s for a dollar (%zu not available, %zu unknown "
               "codes left out)\n",
               im->file.name, im->file.sheet.n, timefmt_date(im->file.date, date), im->file.source,
               reason == REASON_NONE ? rate_format(usd, rate) : "?", im->file.sheet.n_unavailable,
               im->file.sheet.n_ignored);
    return EXIT_DONE;
}

/* Options that are times; false: told. */
static bool read_times(const struct args *args, int32_t *date, int64_t *as_of_us)
{
    const char *date_text = args_get(args, "date");
    const char *as_of_text = args_get(args, "as-of");

    *date = RATES_DATE_NONE;
    *as_of_us = 0;
    if (date_text != NULL && err_failed(timefmt_parse_date(slice_str(date_text), date))) {
        complain("--date: a date such as 2026-07-17 is wanted, not '%s'", date_text);
        return false;
    }
    if (as_of_text != NULL && err_failed(timefmt_parse_rfc3339(slice_str(as_of_text), as_of_us))) {
        complain("--as-of: RFC 3339 is wanted, such as 2026-07-17T19:00:00Z, not '%s'", as_of_text);
        return false;
    }
    return true;
}

static enum exit_code import_file(struct import *im, int32_t date, int64_t as_of_us, int jump_max)
{
    struct rate_sheet previous;
    struct rate_sheet_guard guard = {&previous, jump_max};
    int64_t now = clock_realtime_us();
    enum rates_result result;
    enum exit_code code;

    if (!last_good(&im->db, &previous))
        return EXIT_REFUSED;
    result = rates_file_read(im->args->operands[0], date, previous.n > 0 ? &guard : NULL, &im->file,
                             im->why);
    if (result == RATES_UNREADABLE) {
        complain("%s: %s", im->args->operands[0], im->why);
        return EXIT_REFUSED;
    }
    im->refused = result == RATES_REFUSED;
    if (im->file.date != RATES_DATE_NONE)
        im->as_of_us = as_of_us != 0            ? as_of_us
                       : im->file.as_of_us != 0 ? im->file.as_of_us
                                                : rates_end_of_day_us(im->file.date);
    /* A sheet of today does not speak of tonight. */
    if (im->as_of_us > now)
        im->as_of_us = now;
    code = store(im);
    return code == EXIT_DONE ? tell_import(im) : code;
}

enum exit_code rates_import_run(const struct args *args)
{
    struct import *im;
    long long jump_max = 2000;
    int32_t date;
    int64_t as_of_us;
    enum exit_code code;

    if (!read_times(args, &date, &as_of_us) || !args_int(args, "jump-max", 0, 100000, &jump_max))
        return EXIT_USAGE;
    im = calloc(1, sizeof *im);
    if (im == NULL)
        return EXIT_REFUSED;
    im->args = args;
    code = db_open(args, DB_AS_OPERATOR, &im->db);
    if (code == EXIT_DONE)
        code = import_file(im, date, as_of_us, (int)jump_max);
    db_close(&im->db);
    free(im);
    return code;
}

/* ---------------------------------------------------------------- show */

static enum exit_code show_sheets(struct db *db, bool json)
{
    static const struct report_column columns[] = {
        {"sheet", REPORT_INT},  {"source", REPORT_TEXT},      {"day", REPORT_TEXT},
        {"rates", REPORT_INT},  {"imported at", REPORT_TEXT}, {"file", REPORT_TEXT},
        {"state", REPORT_TEXT}, {"why", REPORT_TEXT}};
    struct report *report = NULL;
    PGresult *r = db_run(
        db,
        "SELECT s.rate_id, source, sheet_date, (SELECT count(*) FROM rate x WHERE x.rate_id = "
        "s.rate_id), to_char(imported_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), file_name, refused "
        "FROM rate_sheet s ORDER BY s.rate_id DESC LIMIT 1000");

    if (r == NULL)
        return EXIT_REFUSED;
    report_new(columns, 8, &report);
    for (int i = 0; i < PQntuples(r); i++)
        report_add(report, (const char *const[]){
                               PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2),
                               PQgetvalue(r, i, 3), PQgetvalue(r, i, 4), PQgetvalue(r, i, 5),
                               PQgetisnull(r, i, 6) ? "good" : "refused", PQgetvalue(r, i, 6)});
    report_print(report, json);
    report_free(&report);
    PQclear(r);
    return EXIT_DONE;
}

static enum exit_code show_rates(struct db *db, bool json)
{
    static const struct report_column columns[] = {{"currency", REPORT_TEXT},
                                                   {"PKR for one", REPORT_AMOUNT},
                                                   {"source", REPORT_TEXT},
                                                   {"day", REPORT_TEXT},
                                                   {"as of", REPORT_TEXT}};
    struct report *report = NULL;
    PGresult *r =
        db_run(db, "SELECT c.code, r.pkr_e10, s.source, s.sheet_date, "
                   "to_char(s.as_of, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM " SQL_LAST_GOOD " s "
                   "JOIN rate r USING (rate_id) JOIN currency c USING (ccy) ORDER BY c.code");
    enum exit_code code = EXIT_REFUSED;

    if (r == NULL)
        return EXIT_REFUSED;
    report_new(columns, 5, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        char rate[RATE_TEXT_SIZE];

        report_add(report, (const char *const[]){
                               PQgetvalue(r, i, 0), rate_format((rate_t){db_int(r, i, 1)}, rate),
                               PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4)});
    }
    if (PQntuples(r) == 0)
        complain("there are no rates: ujrat rates import FILE");
    else
        code = EXIT_DONE;
    report_print(report, json);
    report_free(&report);
    PQclear(r);
    return code;
}

enum exit_code rates_show_run(const struct args *args)
{
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    code = args_has(args, "all") ? show_sheets(&db, args_json(args))
                                 : show_rates(&db, args_json(args));
    db_close(&db);
    return code;
}
