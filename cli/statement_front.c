/* What a statement says before its payouts: whose it is, what it comes to, a chart, sums, tax, and what it is worth. */
#include "cli/statement_pdf.h"
#include "cli/statement_words.h"

#include <stdio.h>
#include <string.h>

#define WIDTH          (PAGES_RIGHT - PAGES_LEFT)
#define CHART          88.0
#define HERO_HEIGHT(p) ((p)->lang == RECEIPT_BOTH ? 74.0 : 64.0)

static bool is_urdu(const struct pages *p)
{
    return p->lang == RECEIPT_UR;
}

static const char *either(const struct pages *p, const struct words *w)
{
    return is_urdu(p) ? w->ur : w->en;
}

/* ---------------------------------------------------------------- whose, and when */

static void period(const struct pages *p, bool urdu, char out[YEAR_TEXT_SIZE * 2 + 64])
{
    char from[YEAR_TEXT_SIZE], until[YEAR_TEXT_SIZE];

    if (urdu)
        (void)snprintf(out, YEAR_TEXT_SIZE * 2 + 64, "%s %d: %s تا %s", year_tax_year.ur,
                       p->s->year, year_day_ur(p->s->begins_us, from),
                       year_day_ur(p->s->ends_us - 1, until));
    else
        (void)snprintf(out, YEAR_TEXT_SIZE * 2 + 64, "%s %d: %s to %s", year_tax_year.en,
                       p->s->year, year_day_en(p->s->begins_us, from),
                       year_day_en(p->s->ends_us - 1, until));
}

static void head(struct pages *p)
{
    char text[YEAR_TEXT_SIZE * 2 + 64];

    pen_fill(&p->pen, 0, 0, PAGE_WIDTH, 7, pen_green);
    if (!is_urdu(p)) {
        pen_put(&p->pen, PAGES_LEFT, 50, WIDTH * 0.62,
                &(struct style){LATIN " Bold 19", pen_ink, AT_LEFT, false}, year_title.en);
        period(p, false, text);
        pen_put(&p->pen, PAGES_LEFT, 69, WIDTH * 0.62,
                &(struct style){LATIN " 9.5", pen_grey, AT_LEFT, false}, text);
    }
    if (p->lang != RECEIPT_EN) {
        pen_put(&p->pen, PAGES_LEFT + WIDTH * 0.5, 44, WIDTH * 0.5,
                &(struct style){URDU " Bold 15", pen_ink, AT_RIGHT, true}, year_title.ur);
        period(p, true, text);
        pen_put(&p->pen, PAGES_LEFT + WIDTH * 0.4, 71, WIDTH * 0.6,
                &(struct style){URDU " 8.5", pen_grey, AT_RIGHT, true}, text);
    }
    p->y = 86;
    if (p->s->over)
        return;
    if (!is_urdu(p))
        pen_put(&p->pen, PAGES_LEFT, p->y + 2, WIDTH / 2,
                &(struct style){LATIN " Bold 8.5", pen_amber, AT_LEFT, false}, year_not_over.en);
    if (p->lang != RECEIPT_EN)
        pen_put(&p->pen, PAGES_LEFT + WIDTH / 2, p->y + 4, WIDTH / 2,
                &(struct style){URDU " Bold 8.5", pen_amber, AT_RIGHT, true}, year_not_over.ur);
    p->y += 14;
}

/* A label in one or both languages, and what it stands for between them. */
static void fact(struct pages *p, const struct words *w, const char *value, bool urdu_value)
{
    const double label = 96;

    if (!is_urdu(p))
        pen_put(&p->pen, PAGES_LEFT, p->y, label,
                &(struct style){LATIN " 9", pen_grey, AT_LEFT, false}, w->en);
    if (p->lang != RECEIPT_EN)
        pen_put(&p->pen, PAGES_RIGHT - label, p->y, label,
                &(struct style){URDU " 8.5", pen_grey, AT_RIGHT, true}, w->ur);
    pen_put(&p->pen, PAGES_LEFT + label, p->y, WIDTH - 2 * label,
            &(struct style){LATIN " 9.5", pen_ink, is_urdu(p) ? AT_RIGHT : AT_LEFT, urdu_value},
            value);
    p->y += 15.5;
}

/* As whom, and up to where that book was read. The Urdu is isolated, or its numbers would go to the Latin beside it. */
static void registration(struct pages *p, const struct statement_beneficiary *to)
{
    char text[YEAR_TEXT_SIZE * 2], day[YEAR_TEXT_SIZE];
    int n = snprintf(text, sizeof text, "platforms/%s/beneficiaries/%lld", to->platform,
                     (long long)to->id);

    if (to->block_no > 0 && n > 0 && !is_urdu(p))
        (void)snprintf(text + n, sizeof text - (size_t)n, " · books up to %s, block %lld",
                       year_day_en(to->as_of_us, day), (long long)to->block_no);
    else if (to->block_no > 0 && n > 0)
        (void)snprintf(text + n, sizeof text - (size_t)n, " · \u2067%s، بلاک %lld\u2069",
                       year_day_ur(to->as_of_us, day), (long long)to->block_no);
    fact(p, &year_record, text, false);
}

static void whose(struct pages *p)
{
    const struct statement_beneficiary *first = &p->s->to[0];

    pages_heading(p, &year_freelancer);
    p->y += 10;
    fact(p, &year_name,
         first->name[0] != '\0' ? first->name
         : first->erased        ? either(p, &words_erased)
                                : either(p, &year_not_shown),
         first->name[0] == '\0' && is_urdu(p));
    if (first->cnic_masked[0] != '\0')
        fact(p, &year_cnic, first->cnic_masked, false);
    for (size_t i = 0; i < p->s->n_to; i++)
        registration(p, &p->s->to[i]);
}

/* ---------------------------------------------------------------- what it comes to */

enum { SAID_SIZE = 256 };

static const struct words *threshold(const struct statement *s)
{
    switch (statement_exemption(s)) {
    case EXEMPTION_REACHED:
        return &year_reached;
    case EXEMPTION_UNKNOWN:
        return &year_unknown;
    case EXEMPTION_NOT_REACHED:
        break;
    }
    return s->over ? &year_not_reached : &year_not_reached_yet;
}

/* The words with the threshold in the place of {}. */
static const char *said(const char *words, const struct statement *s, char out[SAID_SIZE])
{
    char amount[MONEY_TEXT_SIZE];
    const char *at = strstr(words, "{}");

    (void)snprintf(out, SAID_SIZE, "%.*s%s%s", (int)(at - words), words,
                   money_format(s->exemption, MONEY_CODE_THOUSANDS, amount), at + 2);
    return out;
}

static void hero(struct pages *p)
{
    const double top = p->y, inner = WIDTH - 32, half = inner / 2, left = PAGES_LEFT + 16;
    const double a = pages_x(p, left, half), b = pages_x(p, left + half, half);
    const enum side near = is_urdu(p) ? AT_RIGHT : AT_LEFT, far = is_urdu(p) ? AT_LEFT : AT_RIGHT;
    char text[MONEY_TEXT_SIZE], sentence[SAID_SIZE];

    pen_fill(&p->pen, PAGES_LEFT, top, WIDTH, HERO_HEIGHT(p), pen_pale);
    pen_fill(&p->pen, pages_x(p, PAGES_LEFT, 4), top, 4, HERO_HEIGHT(p), pen_green);
    pen_put(&p->pen, a, top + 17, half, &(struct style){LATIN " 8.5", pen_grey, near, is_urdu(p)},
            either(p, &year_paid));
    pen_put(&p->pen, a, top + 42, half, &(struct style){LATIN " Bold 19", pen_ink, near, false},
            money_format(p->s->all.net, MONEY_CODE_THOUSANDS, text));
    pen_put(&p->pen, b, top + 17, half, &(struct style){LATIN " 8.5", pen_grey, far, is_urdu(p)},
            either(p, &year_worth));
    pen_put(&p->pen, b, top + 37, half, &(struct style){LATIN " Bold 13", pen_ink, far, false},
            money_format(p->s->all.usd, MONEY_CODE_THOUSANDS, text));
    if (p->lang == RECEIPT_BOTH) {
        pen_put(&p->pen, a, top + 61, half, &(struct style){URDU " 7", pen_grey, near, true},
                year_paid.ur);
        pen_put(&p->pen, b, top + 51, half, &(struct style){LATIN " 7.5", pen_grey, far, false},
                said(threshold(p->s)->en, p->s, sentence));
        pen_put(&p->pen, b, top + 65, half, &(struct style){URDU " 6.5", pen_grey, far, true},
                said(threshold(p->s)->ur, p->s, sentence));
    } else {
        pen_put(&p->pen, b, top + 54, half, &(struct style){LATIN " 8", pen_grey, far, is_urdu(p)},
                said(either(p, threshold(p->s)), p->s, sentence));
    }
    p->y = top + HERO_HEIGHT(p) + 8;
}

/* ---------------------------------------------------------------- month by month */

static int64_t largest_month(const struct statement *s)
{
    int64_t most = 1;

    for (int m = 0; m < TAX_YEAR_MONTHS; m++)
        if (s->month[m].net.minor > most)
            most = s->month[m].net.minor;
    return most;
}

/* Whole rupees: there is room for no more over a bar. */
static const char *rupees(money_t m, char out[MONEY_TEXT_SIZE])
{
    char *dot;

    money_format(m, MONEY_THOUSANDS, out);
    if ((dot = strchr(out, '.')) != NULL)
        *dot = '\0';
    return out;
}

static void bar(struct pages *p, int month, double base, int64_t most)
{
    const money_t net = p->s->month[month].net;
    const double slot = WIDTH / TAX_YEAR_MONTHS;
    const double x = pages_x(p, PAGES_LEFT + month * slot, slot);
    const double height = (double)net.minor / (double)most * (CHART - 14);
    int32_t year, of_year;
    struct words name;
    char text[MONEY_TEXT_SIZE];

    tax_year_month(p->s->year, month, &year, &of_year);
    name = words_month(of_year);
    if (net.minor > 0) {
        pen_fill(&p->pen, x + slot * 0.2, base - height, slot * 0.6, height, pen_green);
        pen_put(&p->pen, x - 4, base - height - 3, slot + 8,
                &(struct style){LATIN " 6.2", pen_ink, AT_CENTRE, false}, rupees(net, text));
    }
    (void)snprintf(text, sizeof text, "%.3s %02d", name.en, year % 100);
    if (!is_urdu(p))
        pen_put(&p->pen, x, base + 10, slot,
                &(struct style){LATIN " 7", pen_grey, AT_CENTRE, false}, text);
    if (p->lang != RECEIPT_EN)
        pen_put(&p->pen, x, base + (is_urdu(p) ? 13 : 22), slot,
                &(struct style){URDU " 7", pen_grey, AT_CENTRE, true}, name.ur);
}

static void chart(struct pages *p)
{
    const int64_t most = largest_month(p->s);
    double base;

    pages_room(p, CHART + 60);
    pages_heading(p, &year_by_month);
    base = p->y + CHART;
    for (int m = 0; m < TAX_YEAR_MONTHS; m++)
        bar(p, m, base, most);
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, base, pen_grey, 0.6);
    p->y = base + (p->lang == RECEIPT_BOTH ? 30 : is_urdu(p) ? 24 : 18);
}

/* ---------------------------------------------------------------- sums */

/* Of one currency: also what was earned and the fee. */
static void by_currency(struct pages *p)
{
    static const struct column columns[] = {
        {&year_currency, PAGES_LEFT, 62, false},       {&year_payouts, PAGES_LEFT + 62, 50, true},
        {&year_earned, PAGES_LEFT + 112, 88, true},    {&year_fee, PAGES_LEFT + 200, 70, true},
        {&year_mid_value, PAGES_LEFT + 270, 90, true}, {&year_margin, PAGES_LEFT + 360, 70, true},
        {&year_net, PAGES_LEFT + 430, 94, true}};
    char m[5][MONEY_TEXT_SIZE], count[STR_INT64_SIZE];

    pages_room(p, 60 + (double)(p->s->n_ccys + 1) * TABLE_ROW);
    pages_heading(p, &year_by_currency);
    table_titles(p, columns, 7);
    for (size_t i = 0; i < p->s->n_ccys; i++) {
        const struct statement_sum *t = &p->s->ccy[i];

        str_format_int64(t->payouts, count);
        table_row(p, columns, 7,
                  (const char *const[]){t->label, count,
                                        money_format(t->gross, MONEY_THOUSANDS, m[0]),
                                        money_format(t->fee, MONEY_THOUSANDS, m[1]),
                                        money_format(t->mid_value, MONEY_THOUSANDS, m[2]),
                                        money_format(t->margin, MONEY_THOUSANDS, m[3]),
                                        money_format(t->net, MONEY_THOUSANDS, m[4])},
                  false);
    }
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y - 9.5, pen_line, 0.5);
    str_format_int64(p->s->all.payouts, count);
    p->y += 1;
    table_row(p, columns, 7,
              (const char *const[]){either(p, &year_total), count, "", "",
                                    money_format(p->s->all.mid_value, MONEY_THOUSANDS, m[2]),
                                    money_format(p->s->all.margin, MONEY_THOUSANDS, m[3]),
                                    money_format(p->s->all.net, MONEY_THOUSANDS, m[4])},
              true);
}

static void rupee_row(struct pages *p, const struct column *columns, const char *label,
                      const struct statement_sum *t, bool strong)
{
    static const char nothing[] = "–";
    char m[5][MONEY_TEXT_SIZE], count[STR_INT64_SIZE];

    if (t->payouts == 0) {
        table_row(
            p, columns, 7,
            (const char *const[]){label, nothing, nothing, nothing, nothing, nothing, nothing},
            strong);
        return;
    }
    str_format_int64(t->payouts, count);
    table_row(p, columns, 7,
              (const char *const[]){label, count, money_format(t->mid_value, MONEY_THOUSANDS, m[0]),
                                    money_format(t->margin, MONEY_THOUSANDS, m[1]),
                                    money_format(t->net, MONEY_THOUSANDS, m[2]),
                                    money_format(t->returned, MONEY_THOUSANDS, m[3]),
                                    money_format(t->withheld, MONEY_THOUSANDS, m[4])},
              strong);
}

static const struct column *rupee_columns(const struct words *label, struct column out[7])
{
    static const struct column columns[] = {{NULL, PAGES_LEFT, 92, false},
                                            {&year_payouts, PAGES_LEFT + 92, 46, true},
                                            {&year_mid_value, PAGES_LEFT + 138, 92, true},
                                            {&year_margin, PAGES_LEFT + 230, 68, true},
                                            {&year_net, PAGES_LEFT + 298, 88, true},
                                            {&year_came_back, PAGES_LEFT + 386, 70, true},
                                            {&year_withheld, PAGES_LEFT + 456, 68, true}};

    memcpy(out, columns, sizeof columns);
    out[0].title = label;
    return out;
}

static void end_of_table(struct pages *p, const struct column *columns)
{
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y - 9.5, pen_line, 0.5);
    p->y += 1;
    rupee_row(p, columns, either(p, &year_total), &p->s->all, true);
}

static void by_platform(struct pages *p)
{
    struct column columns[7];

    pages_room(p, 60 + (double)(p->s->n_platforms + 1) * TABLE_ROW);
    pages_heading(p, &year_by_platform);
    table_titles(p, rupee_columns(&year_platform, columns), 7);
    for (size_t i = 0; i < p->s->n_platforms; i++)
        rupee_row(p, columns, p->s->platform[i].label, &p->s->platform[i], false);
    end_of_table(p, columns);
}

static void by_month(struct pages *p)
{
    struct column columns[7];

    pages_room(p, 60 + (TAX_YEAR_MONTHS + 1) * TABLE_ROW);
    pages_heading(p, &year_months);
    table_titles(p, rupee_columns(&year_month, columns), 7);
    for (int m = 0; m < TAX_YEAR_MONTHS; m++) {
        char name[YEAR_TEXT_SIZE];
        int32_t year, of_year;

        tax_year_month(p->s->year, m, &year, &of_year);
        (void)snprintf(name, sizeof name, "%s %d",
                       is_urdu(p) ? words_month(of_year).ur : words_month(of_year).en, year);
        rupee_row(p, columns, name, &p->s->month[m], false);
    }
    end_of_table(p, columns);
}

/* ---------------------------------------------------------------- tax, and what all this is */

static void tax_row(struct pages *p, const struct words *w, money_t m)
{
    const double width = WIDTH - 100;
    char text[MONEY_TEXT_SIZE];

    p->y += 13;
    pen_put(&p->pen, pages_x(p, PAGES_LEFT, width), p->y, width,
            &(struct style){LATIN " 8.5", pen_ink, is_urdu(p) ? AT_RIGHT : AT_LEFT, is_urdu(p)},
            either(p, w));
    pen_put(&p->pen, pages_x(p, PAGES_RIGHT - 100, 100), p->y, 100,
            &(struct style){LATIN " 8.5", pen_ink, AT_RIGHT, false},
            money_format(m, MONEY_THOUSANDS, text));
    if (p->lang == RECEIPT_BOTH) {
        p->y += 15;
        pen_put(&p->pen, PAGES_LEFT, p->y, width,
                &(struct style){URDU " 7.5", pen_grey, AT_LEFT, true}, w->ur);
        p->y += 3;
    }
}

static void tax(struct pages *p)
{
    pages_room(p, 130);
    pages_heading(p, &year_tax);
    tax_row(p, &year_tax_estimate, p->s->all.estimate);
    tax_row(p, &year_tax_withheld, p->s->all.withheld);
    tax_row(p, &year_tax_came_back, p->s->all.withheld_came_back);
    p->y += 8;
}

static void what_it_is(struct pages *p)
{
    const struct style en = {LATIN " 8", pen_ink, AT_LEFT, false};
    const struct style ur = {URDU " 8", pen_ink, AT_RIGHT, true};
    double room = 40;

    if (!is_urdu(p))
        room += pen_lines_height(&p->pen, WIDTH, &en, year_what_text.en);
    if (p->lang != RECEIPT_EN)
        room += pen_lines_height(&p->pen, WIDTH, &ur, year_what_text.ur);
    pages_room(p, room);
    pages_heading(p, &year_what);
    p->y += 4;
    if (!is_urdu(p))
        p->y += pen_put_lines(&p->pen, PAGES_LEFT, p->y, WIDTH, &en, year_what_text.en) + 4;
    if (p->lang != RECEIPT_EN)
        p->y += pen_put_lines(&p->pen, PAGES_LEFT, p->y, WIDTH, &ur, year_what_text.ur) + 4;
}

void first_page(struct pages *p)
{
    head(p);
    whose(p);
    hero(p);
    if (p->s->n_payouts == 0) {
        pages_heading(p, &year_list);
        p->y += 14;
        fact(p, &year_payouts, either(p, &year_nothing), is_urdu(p));
    } else {
        chart(p);
        by_currency(p);
        by_platform(p);
        by_month(p);
        tax(p);
    }
    what_it_is(p);
}
