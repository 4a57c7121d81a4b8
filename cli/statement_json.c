/* A statement for programs, and as a table for a terminal. */
#include "cli/report.h"
#include "cli/statement.h"

#include <stdio.h>
#include <stdlib.h>

/* Out of memory ends the program, as in report.h. */
static json_t *need(json_t *value)
{
    if (value == NULL)
        abort();
    return value;
}

static void set(json_t *object, const char *field, json_t *value)
{
    if (json_object_set_new(object, field, need(value)) != 0)
        abort();
}

static json_t *text(const char *value)
{
    return value == NULL || value[0] == '\0' ? json_null() : json_string(value);
}

static json_t *amount(money_t m)
{
    char out[MONEY_TEXT_SIZE];

    return json_string(money_format(m, MONEY_PLAIN, out));
}

static json_t *day(int64_t us)
{
    char out[STATEMENT_DAY_SIZE];

    return us == 0 ? json_null() : json_string(statement_day(us, out));
}

static json_t *person(const struct statement_beneficiary *to)
{
    char name[96];
    json_t *o = need(json_object());

    (void)snprintf(name, sizeof name, "platforms/%s/beneficiaries/%lld", to->platform,
                   (long long)to->id);
    set(o, "name", json_string(name));
    set(o, "display_name", text(to->name));
    set(o, "cnic", text(to->cnic_masked));
    set(o, "erased", json_boolean(to->erased));
    set(o, "last_block", json_integer(to->block_no));
    set(o, "last_block_on", day(to->as_of_us));
    return o;
}

static json_t *standing(const struct payout_standing *s)
{
    json_t *o = need(json_object());

    set(o, "gross", amount(s->gross));
    set(o, "fee", amount(s->fee));
    set(o, "converted", amount(s->converted));
    set(o, "mid_value", amount(s->mid_value));
    set(o, "margin", amount(s->margin));
    set(o, "net", amount(s->net));
    return o;
}

static json_t *payout(const struct statement_payout *p)
{
    char name[96], rate[RATE_TEXT_SIZE];
    json_t *o = need(json_object());

    (void)snprintf(name, sizeof name, "platforms/%s/payouts/%lld", p->to->platform,
                   (long long)p->payout_id);
    set(o, "name", json_string(name));
    set(o, "platform", json_string(p->to->platform));
    set(o, "reference", json_string(p->reference));
    set(o, "bank", json_string(p->bank));
    set(o, "settled_on", day(p->settled_us));
    set(o, "state", json_string(payout_state_name(p->state)));
    set(o, "channel", json_string(channel_name(p->channel)));
    set(o, "purpose_code", json_string(p->purpose));
    set(o, "currency", json_string(ccy_alpha(p->price.gross.ccy)));
    set(o, "gross", amount(p->price.gross));
    set(o, "fee", amount(p->price.fee));
    set(o, "converted", amount(p->price.converted_source));
    set(o, "mid_rate", json_string(rate_format(p->price.mid, rate)));
    set(o, "rate_source", text(p->rate_source));
    set(o, "rate_date", text(p->rate_date));
    set(o, "mid_value", amount(p->price.mid_value));
    set(o, "margin", amount(p->price.margin));
    set(o, "net", amount(p->price.net));
    set(o, "returned", amount(p->returned));
    set(o, "returned_on", day(p->returned_us));
    set(o, "stands", standing(&p->stands));
    set(o, "usd_equivalent", p->has_usd ? amount(p->usd) : json_null());
    set(o, "tax_estimate_bps", p->has_estimate ? json_integer(p->estimate_bps) : json_null());
    set(o, "tax_estimated", p->has_estimate ? amount(p->estimate) : json_null());
    set(o, "tax_withheld", p->has_withheld ? amount(p->withheld) : json_null());
    set(o, "eprc_number", text(p->eprc_number));
    set(o, "bank_reference", text(p->bank_reference));
    return o;
}

static json_t *sum(const char *field, const char *label, const struct statement_sum *t)
{
    json_t *o = need(json_object());

    if (field != NULL)
        set(o, field, json_string(label));
    set(o, "payouts", json_integer(t->payouts));
    set(o, "came_back", json_integer(t->came_back));
    if (t->ccy != 0) {
        set(o, "gross", amount(t->gross));
        set(o, "fee", amount(t->fee));
        set(o, "converted", amount(t->converted));
    }
    set(o, "mid_value", amount(t->mid_value));
    set(o, "margin", amount(t->margin));
    set(o, "net", amount(t->net));
    set(o, "returned", amount(t->returned));
    set(o, "usd_equivalent", amount(t->usd));
    set(o, "tax_estimated", amount(t->estimate));
    set(o, "tax_withheld", amount(t->withheld));
    set(o, "tax_withheld_of_what_came_back", amount(t->withheld_came_back));
    return o;
}

static json_t *sums(const char *field, const struct statement_sum *rows, size_t n)
{
    json_t *list = need(json_array());

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, sum(field, rows[i].label, &rows[i])) != 0)
            abort();
    return list;
}

static json_t *months(const struct statement *s)
{
    json_t *list = need(json_array());
    char name[STATEMENT_DAY_SIZE];

    for (int m = 0; m < TAX_YEAR_MONTHS; m++)
        if (json_array_append_new(list, sum("month", statement_month(s, m, name), &s->month[m])) !=
            0)
            abort();
    return list;
}

static json_t *exemption(const struct statement *s)
{
    json_t *o = need(json_object());

    set(o, "currency", json_string("USD"));
    set(o, "threshold", amount(s->exemption));
    set(o, "usd_equivalent", amount(s->all.usd));
    set(o, "payouts_without_rate", json_integer(s->without_usd));
    set(o, "outcome", json_string(statement_exemption_name(statement_exemption(s))));
    return o;
}

json_t *statement_json(const struct statement *s)
{
    json_t *o = need(json_object()), *people = need(json_array()), *payouts = need(json_array());

    for (size_t i = 0; i < s->n_to; i++)
        if (json_array_append_new(people, person(&s->to[i])) != 0)
            abort();
    for (size_t i = 0; i < s->n_payouts; i++)
        if (json_array_append_new(payouts, payout(&s->payouts[i])) != 0)
            abort();
    set(o, "format", json_string("ujrat/statement/1"));
    set(o, "tax_year", json_integer(s->year));
    set(o, "from", day(s->begins_us));
    set(o, "until", day(s->ends_us - 1));
    set(o, "over", json_boolean(s->over));
    set(o, "currency", json_string("PKR"));
    set(o, "beneficiaries", people);
    set(o, "payouts", payouts);
    set(o, "total", sum(NULL, NULL, &s->all));
    set(o, "by_currency", sums("currency", s->ccy, s->n_ccys));
    set(o, "by_platform", sums("platform", s->platform, s->n_platforms));
    set(o, "by_month", months(s));
    set(o, "exemption", exemption(s));
    return o;
}

/* ---------------------------------------------------------------- the table */

static void print_payouts(const struct statement *s)
{
    static const struct report_column columns[] = {
        {"paid", REPORT_TEXT},      {"platform", REPORT_TEXT},    {"reference", REPORT_TEXT},
        {"in", REPORT_TEXT},        {"gross", REPORT_AMOUNT},     {"mid rate", REPORT_AMOUNT},
        {"fee", REPORT_AMOUNT},     {"value PKR", REPORT_AMOUNT}, {"margin PKR", REPORT_AMOUNT},
        {"net PKR", REPORT_AMOUNT}, {"back PKR", REPORT_AMOUNT},  {"tax PKR", REPORT_AMOUNT},
        {"e-PRC", REPORT_TEXT},     {"state", REPORT_TEXT}};
    struct report *report = NULL;

    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (size_t i = 0; i < s->n_payouts; i++) {
        const struct statement_payout *p = &s->payouts[i];
        char paid[STATEMENT_DAY_SIZE], rate[RATE_TEXT_SIZE], m[7][MONEY_TEXT_SIZE];

        report_add(
            report,
            (const char *const[]){
                statement_day(p->settled_us, paid), p->to->platform, p->reference,
                ccy_alpha(p->price.gross.ccy), money_format(p->price.gross, MONEY_PLAIN, m[0]),
                rate_format(p->price.mid, rate), money_format(p->price.fee, MONEY_PLAIN, m[1]),
                money_format(p->price.mid_value, MONEY_PLAIN, m[2]),
                money_format(p->price.margin, MONEY_PLAIN, m[3]),
                money_format(p->price.net, MONEY_PLAIN, m[4]),
                p->returned.minor == 0 ? "" : money_format(p->returned, MONEY_PLAIN, m[5]),
                p->has_withheld ? money_format(p->withheld, MONEY_PLAIN, m[6]) : "",
                p->eprc_number == NULL ? "" : p->eprc_number, payout_state_name(p->state)});
    }
    report_print(report, false);
    report_free(&report);
}

static void print_exemption(const struct statement *s)
{
    char value[MONEY_TEXT_SIZE], threshold[MONEY_TEXT_SIZE];

    printf("Worth %s at each payout's own mid rate; the yearly threshold of %s ",
           money_format(s->all.usd, MONEY_CODE_THOUSANDS, value),
           money_format(s->exemption, MONEY_CODE_THOUSANDS, threshold));
    switch (statement_exemption(s)) {
    case EXEMPTION_REACHED:
        puts("is reached.");
        break;
    case EXEMPTION_NOT_REACHED:
        puts(s->over ? "is not reached." : "is not reached yet.");
        break;
    case EXEMPTION_UNKNOWN:
        printf("cannot be told: for %lld payouts there was no rate of the dollar.\n",
               (long long)s->without_usd);
        break;
    }
}

void statement_print(const struct statement *s)
{
    char from[STATEMENT_DAY_SIZE], until[STATEMENT_DAY_SIZE], m[4][MONEY_TEXT_SIZE];

    printf("Tax year %d: %s to %s%s\n", s->year, statement_day(s->begins_us, from),
           statement_day(s->ends_us - 1, until), s->over ? "" : " (not over yet)");
    for (size_t i = 0; i < s->n_to; i++)
        printf("  platforms/%s/beneficiaries/%lld%s%s%s\n", s->to[i].platform,
               (long long)s->to[i].id, s->to[i].erased ? " (erased)" : "",
               s->to[i].name[0] == '\0' ? "" : "  ", s->to[i].name);
    putchar('\n');
    if (s->n_payouts == 0) {
        puts("Nothing was paid in this year.");
        return;
    }
    print_payouts(s);
    putchar('\n');
    if (s->all.came_back > 0)
        printf("Of %lld of these %lld all or a part came back, and that is not in the sums.\n",
               (long long)s->all.came_back, (long long)s->all.payouts);
    printf("What stands: value at the mid rate %s, margin %s, net %s; tax withheld %s.\n",
           money_format(s->all.mid_value, MONEY_CODE_THOUSANDS, m[0]),
           money_format(s->all.margin, MONEY_CODE_THOUSANDS, m[1]),
           money_format(s->all.net, MONEY_CODE_THOUSANDS, m[2]),
           money_format(s->all.withheld, MONEY_CODE_THOUSANDS, m[3]));
    print_exemption(s);
    puts("This is no tax certificate: the bank's e-PRC is.");
}
