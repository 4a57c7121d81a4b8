/* ujrat payout report and compare: the payouts of every platform, read from the database with the auditor's role. */
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/db.h"
#include "cli/operator.h"
#include "cli/report.h"
#include "domain/fx.h"
#include "domain/pricing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char payout_report_help[] =
    "Reads the database directly with a read-only role (UJRAT_DB), so it needs no gateway, and no\n"
    "platform's certificate.";

const struct option_row payout_report_options[] = {
    {"platform", "CODE", "one platform only (default: all)", false},
    {"limit", "N", "the newest N only (1000)", false},
    {NULL, NULL, NULL, false},
};

static const char sql_report[] =
    "SELECT * FROM (SELECT book_code, reference, src_ccy, gross, mid_rate_e10, margin_bps, margin, fee,"
    " net, dst_ccy, bank_code, state, reason_code, created_at, book_id, payout_id FROM payout_now"
    " WHERE $1 = '' OR book_code = $1 ORDER BY created_at DESC, book_id, payout_id DESC LIMIT $2::int) p"
    " ORDER BY book_id, payout_id";

static void add_payout(struct report *report, const PGresult *r, int i)
{
    uint16_t src = (uint16_t)db_int(r, i, 2);
    uint16_t dst = (uint16_t)db_int(r, i, 9);
    rate_t mid = {db_int(r, i, 4)};
    rate_t ours = {0};
    char money[4][MONEY_TEXT_SIZE];
    char rates[2][RATE_TEXT_SIZE];
    char *dot;

    if (!round_div_int64((int128_t)mid.e10 * (10000 - db_int(r, i, 5)), 10000, ROUND_HALF_EVEN,
                         &ours.e10))
        ours = mid;
    rate_format(mid, rates[0]);
    rate_format(ours, rates[1]);
    for (int k = 0; k < 2; k++) /* four decimals for the eye; all of them are in the books */
        if ((dot = strchr(rates[k], '.')) != NULL && strlen(dot) > 5)
            dot[5] = '\0';
    report_add(report,
               (const char *const[]){
                   PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), ccy_alpha(src),
                   money_format(money_of(db_int(r, i, 3), src), MONEY_PLAIN, money[0]), rates[0],
                   rates[1], money_format(money_of(db_int(r, i, 6), dst), MONEY_PLAIN, money[1]),
                   money_format(money_of(db_int(r, i, 7), src), MONEY_PLAIN, money[2]),
                   money_format(money_of(db_int(r, i, 8), dst), MONEY_PLAIN, money[3]),
                   PQgetvalue(r, i, 10), payout_state_shown((int32_t)db_int(r, i, 11)),
                   PQgetvalue(r, i, 12)});
}

enum exit_code payout_report_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"platform", REPORT_TEXT},     {"reference", REPORT_TEXT},  {"in", REPORT_TEXT},
        {"gross", REPORT_AMOUNT},      {"mid rate", REPORT_AMOUNT}, {"our rate", REPORT_AMOUNT},
        {"margin PKR", REPORT_AMOUNT}, {"fee", REPORT_AMOUNT},      {"net PKR", REPORT_AMOUNT},
        {"bank", REPORT_TEXT},         {"state", REPORT_TEXT},      {"why", REPORT_TEXT}};
    const char *platform = args_get(args, "platform");
    long long limit = 1000;
    char limit_text[24];
    struct report *report = NULL;
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (!args_int(args, "limit", 1, 90000, &limit))
        return EXIT_USAGE;
    snprintf(limit_text, sizeof limit_text, "%lld", limit);
    code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (platform != NULL && operator_find_book(&db, platform) == 0) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    r = db_query(&db, sql_report, 2,
                 (const char *const[]){platform == NULL ? "" : platform, limit_text});
    if (r != NULL) {
        report_new(columns, 12, &report);
        for (int i = 0; i < PQntuples(r); i++) {
            if (i > 0 && strcmp(PQgetvalue(r, i, 0), PQgetvalue(r, i - 1, 0)) != 0)
                report_add_rule(report);
            add_payout(report, r, i);
        }
        report_print(report, args_json(args));
    }
    code = r == NULL ? EXIT_REFUSED : EXIT_DONE;
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- compare */

const char compare_help[] =
    "What the payouts that have landed cost, and what the ways in FILE would have taken of the same money\n"
    "by their published prices: an illustration, not an offer of anyone's. FILE is CSV with the columns\n"
    "way,fee_bps,fee_max_usd,spread_bps,source: a fee on the amount, at most fee_max_usd if that is\n"
    "there, and then a worse rate than the middle one. Tax that banks withhold is left out of all rows.";

/* In paisa. */
struct way {
    char name[64];
    char source[256];
    int64_t fee_bps, spread_bps, fee_max;
    int128_t taken;
};

#define WAYS_MAX       16
#define WAYS_BYTES_MAX 65536

struct compare {
    struct way ways[WAYS_MAX];
    size_t n;
    int128_t value, net; /* of what has landed: at the mid rate, and as paid */
    size_t payouts;
    rate_t usd;
};

static bool whole(const char *text, int64_t max, int64_t *out)
{
    return !err_failed(str_parse_int64(slice_str(text), out)) && *out >= 0 && *out <= max;
}

static bool take_way(struct compare *c, const struct csv *csv, const int column[5])
{
    struct way *w = &c->ways[c->n];
    const char *cell[5];
    money_t usd = {0};
    money_t pkr = {0};

    for (int i = 0; i < 5; i++) {
        if ((size_t)column[i] >= csv->n)
            return false;
        cell[i] = csv->values[column[i]];
    }
    *w = (struct way){.taken = 0};
    snprintf(w->name, sizeof w->name, "%s", cell[0]);
    snprintf(w->source, sizeof w->source, "%s", cell[4]);
    if (!whole(cell[1], 10000, &w->fee_bps) || !whole(cell[3], 10000, &w->spread_bps))
        return false;
    if (cell[2][0] != '\0') {
        if (money_parse(slice_str(cell[2]), CCY_USD, &usd) != REASON_NONE ||
            fx_convert(usd, c->usd, CCY_PKR, ROUND_HALF_EVEN, &pkr) != REASON_NONE)
            return false;
        w->fee_max = pkr.minor;
    }
    c->n++;
    return true;
}

static bool read_ways(const char *path, struct compare *c)
{
    static const char *const names[] = {"way", "fee_bps", "fee_max_usd", "spread_bps", "source"};
    char *text = calloc(1, WAYS_BYTES_MAX);
    struct csv csv;
    const char *why = NULL;
    int column[5];
    FILE *f = fopen(path, "rbe");
    size_t len = f == NULL || text == NULL ? 0 : fread(text, 1, WAYS_BYTES_MAX, f);
    bool ok = false;

    if (f == NULL || text == NULL || ferror(f) || len == WAYS_BYTES_MAX) {
        complain("%s: %s", path, len == WAYS_BYTES_MAX ? "it is too large" : strerror(errno));
        goto out;
    }
    csv_init(&csv, slice_of(text, len));
    if (csv_next(&csv, &why) != CSV_RECORD) {
        complain("%s: it is empty", path);
        goto out;
    }
    for (int i = 0; i < 5; i++)
        if ((column[i] = csv_column(&csv, names[i])) < 0) {
            complain("%s: there is no column %s", path, names[i]);
            goto out;
        }
    while (c->n < WAYS_MAX && csv_next(&csv, &why) == CSV_RECORD)
        if (!take_way(c, &csv, column)) {
            complain("%s:%u: this line cannot be read", path, csv.line);
            goto out;
        }
    ok = true;
out:
    if (f != NULL)
        fclose(f);
    free(text);
    return ok;
}

/* What a way would take of a value, in paisa. */
static int64_t taken_by(const struct way *w, int64_t value)
{
    int64_t fee = (int64_t)((int128_t)value * w->fee_bps / 10000);

    if (w->fee_max > 0 && fee > w->fee_max)
        fee = w->fee_max;
    return fee + (int64_t)((int128_t)(value - fee) * w->spread_bps / 10000);
}

static void take_payouts(struct compare *c, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        money_t gross = {db_int(r, i, 1), (uint16_t)db_int(r, i, 0)};
        money_t value = {0};

        if (fx_convert(gross, (rate_t){db_int(r, i, 2)}, CCY_PKR, ROUND_HALF_EVEN, &value) !=
            REASON_NONE)
            continue;
        c->payouts++;
        c->value += value.minor;
        c->net += db_int(r, i, 3);
        for (size_t k = 0; k < c->n; k++)
            c->ways[k].taken += taken_by(&c->ways[k], value.minor);
    }
}

static void add_way(struct report *report, const struct compare *c, const char *name,
                    int128_t taken)
{
    char money[3][MONEY_TEXT_SIZE];
    char percent[DECIMAL_SIZE];
    int64_t bps = 0;
    int128_t received = c->value - taken;
    int128_t less = c->net - received;

    if (c->value > 0 && round_div_int64(taken * 10000, c->value, ROUND_HALF_EVEN, &bps))
        decimal_format(bps, 2, 0, percent);
    else
        percent[0] = '\0';
    report_add(
        report,
        (const char *const[]){
            name, money_format(money_of((int64_t)taken, CCY_PKR), MONEY_PLAIN, money[0]), percent,
            money_format(money_of((int64_t)received, CCY_PKR), MONEY_PLAIN, money[1]),
            less == 0 ? ""
                      : money_format(money_of((int64_t)-less, CCY_PKR), MONEY_PLAIN, money[2])});
}

/* Broken between words, so that a narrow terminal shows it well. */
static void print_source(const struct way *w)
{
    enum { COLUMNS_MAX = 78, INDENT = 4 };
    struct slice rest = slice_str(w->source);
    struct slice word;
    size_t column = (size_t)printf("  %s:", w->name);
    bool more = true;

    while (more) {
        more = slice_cut(rest, ' ', &word, &rest);
        if (column + 1 + word.len > COLUMNS_MAX)
            column = (size_t)printf("\n%*s", INDENT - 1, "") - 1;
        column += (size_t)printf(" %.*s", SLICE_ARG(word));
    }
    putchar('\n');
}

static void print_comparison(const struct args *args, const struct compare *c)
{
    static const struct report_column columns[] = {{"way", REPORT_TEXT},
                                                   {"taken PKR", REPORT_AMOUNT},
                                                   {"% of it", REPORT_AMOUNT},
                                                   {"received PKR", REPORT_AMOUNT},
                                                   {"difference PKR", REPORT_AMOUNT}};
    struct report *report = NULL;

    report_new(columns, 5, &report);
    add_way(report, c, "Ujrat (fee and margin)", c->value - c->net);
    for (size_t k = 0; k < c->n; k++)
        add_way(report, c, c->ways[k].name, c->ways[k].taken);
    report_print(report, args_json(args));
    report_free(&report);
    if (args_json(args))
        return;
    printf("\n%zu payouts that have landed. ILLUSTRATIVE: the others' rows are computed from\n"
           "published or reported prices, which change; what a person pays depends on\n"
           "account, country and day.\n",
           c->payouts);
    for (size_t k = 0; k < c->n; k++)
        print_source(&c->ways[k]);
}

enum exit_code compare_run(const struct args *args)
{
    struct compare *c = calloc(1, sizeof *c);
    struct db db;
    PGresult *usd = NULL;
    PGresult *r = NULL;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (c == NULL || code != EXIT_DONE)
        goto out;
    code = EXIT_REFUSED;
    usd =
        db_run(&db, "SELECT r.pkr_e10 FROM rate r JOIN rate_sheet s USING (rate_id) WHERE r.ccy = "
                    "840 AND s.refused IS NULL ORDER BY s.as_of DESC, s.rate_id DESC LIMIT 1");
    if (usd == NULL)
        goto out;
    if (PQntuples(usd) == 0) {
        complain("there are no rates: ujrat rates import FILE");
        goto out;
    }
    c->usd = (rate_t){db_int(usd, 0, 0)};
    if (!read_ways(args->operands[0], c))
        goto out;
    r = db_run(&db, "SELECT src_ccy, gross, mid_rate_e10, net FROM payout_now "
                    "WHERE state = 4 AND dst_ccy = 586 LIMIT 1000000");
    if (r == NULL)
        goto out;
    take_payouts(c, r);
    print_comparison(args, c);
    code = EXIT_DONE;
out:
    PQclear(r);
    PQclear(usd);
    db_close(&db);
    free(c);
    return code;
}
