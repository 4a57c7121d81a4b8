/* A statement's payouts one by one: three lines each, and a page's titles say what stands in which. */
#include "cli/statement_pdf.h"
#include "cli/statement_words.h"

#include <stdio.h>

enum { COLUMNS = 7, LINES = 3, NAMES = 1, NET = 5 };
/* Words in Nastaliq stand on a slope. */
#define LINE_LEAST 9.6
#define LINE(p)    ((p)->lang == RECEIPT_UR ? 12.2 : LINE_LEAST)

static const struct words none = {"", ""};

static const struct column titles[LINES][COLUMNS] = {
    {{&year_paid_on, PAGES_LEFT, 76, false},
     {&year_reference, PAGES_LEFT + 76, 116, false},
     {&year_earned, PAGES_LEFT + 192, 74, true},
     {&year_mid_rate, PAGES_LEFT + 266, 58, true},
     {&year_mid_value, PAGES_LEFT + 324, 70, true},
     {&year_net, PAGES_LEFT + 394, 70, true},
     {&year_estimate, PAGES_LEFT + 464, 60, true}},
    {{&year_state, PAGES_LEFT, 76, false},
     {&year_platform_bank, PAGES_LEFT + 76, 116, false},
     {&year_fee, PAGES_LEFT + 192, 74, true},
     {&year_rate_source, PAGES_LEFT + 266, 58, true},
     {&year_margin, PAGES_LEFT + 324, 70, true},
     {&year_back, PAGES_LEFT + 394, 70, true},
     {&year_withheld, PAGES_LEFT + 464, 60, true}},
    {{&none, PAGES_LEFT, 76, false},
     {&year_eprc, PAGES_LEFT + 76, 116, false},
     {&year_channel, PAGES_LEFT + 192, 74, true},
     {&year_rate_date, PAGES_LEFT + 266, 58, true},
     {&none, PAGES_LEFT + 324, 70, true},
     {&none, PAGES_LEFT + 394, 70, true},
     {&none, PAGES_LEFT + 464, 60, true}},
};

struct cells {
    char text[LINES][COLUMNS][YEAR_TEXT_SIZE];
    bool urdu[LINES][COLUMNS];
};

static void put_titles(struct pages *p)
{
    for (int urdu = 0; urdu < 2; urdu++) {
        if ((p->lang & (urdu ? RECEIPT_UR : RECEIPT_EN)) == 0)
            continue;
        p->y += urdu ? 14 : 10;
        for (int l = 0; l < LINES; l++) {
            for (int i = 0; i < COLUMNS; i++) {
                const struct column *c = &titles[l][i];

                pen_put(&p->pen, pages_x(p, c->left, c->width - COLUMN_GAP), p->y,
                        c->width - COLUMN_GAP,
                        &(struct style){urdu ? URDU " 6.5" : LATIN " 6.8", pen_grey,
                                        c->number || p->lang == RECEIPT_UR ? AT_RIGHT : AT_LEFT,
                                        urdu != 0},
                        urdu ? c->title->ur : c->title->en);
            }
            p->y += urdu ? 12.5 : 9;
        }
        p->y -= urdu ? 10 : 8;
    }
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y + 3, pen_grey, 0.6);
    p->y += 14;
}

/* ---------------------------------------------------------------- a payout */

static void cell(struct cells *c, int line, int column, const char *text)
{
    (void)snprintf(c->text[line][column], YEAR_TEXT_SIZE, "%s", text == NULL ? "–" : text);
}

static void money_cell(struct cells *c, int line, int column, const char *sign, money_t m,
                       enum money_style style)
{
    char text[MONEY_TEXT_SIZE];

    (void)snprintf(c->text[line][column], YEAR_TEXT_SIZE, "%s%s", m.minor == 0 ? "" : sign,
                   money_format(m, style, text));
}

static void words_cell(struct cells *c, const struct pages *p, int line, int column,
                       const struct words *w)
{
    cell(c, line, column, p->lang == RECEIPT_UR ? w->ur : w->en);
    c->urdu[line][column] = p->lang == RECEIPT_UR;
}

/* What is said of a payout that came back: on which day, under its state. */
static void fill_state(struct cells *c, const struct pages *p, const struct statement_payout *o)
{
    const struct words state = words_of_state(o->state);
    char day[STATEMENT_DAY_SIZE];

    cell(c, 0, 0, statement_day(o->settled_us, day));
    words_cell(c, p, 1, 0, &state);
    if (o->returned.minor > 0)
        cell(c, 2, 0, statement_day(o->returned_us, day));
}

static void fill_cells(struct cells *c, const struct pages *p, const struct statement_payout *o)
{
    const struct words channel = year_channel_name(o->channel);
    char text[YEAR_TEXT_SIZE];

    *c = (struct cells){.urdu = {{false}}};
    fill_state(c, p, o);
    cell(c, 0, 1, o->reference);
    (void)snprintf(text, sizeof text, "%s, %s", o->to->platform, o->bank);
    cell(c, 1, 1, text);
    cell(c, 2, 1, o->eprc_number);
    money_cell(c, 0, 2, "", o->price.gross, MONEY_CODE_THOUSANDS);
    money_cell(c, 1, 2, "− ", o->price.fee, MONEY_THOUSANDS);
    (void)snprintf(text, sizeof text, "%s %s", p->lang == RECEIPT_UR ? channel.ur : channel.en,
                   o->purpose);
    cell(c, 2, 2, text);
    c->urdu[2][2] = p->lang == RECEIPT_UR;
    cell(c, 0, 3, rate_format(o->price.mid, text));
    cell(c, 1, 3, o->rate_source);
    cell(c, 2, 3, o->rate_date);
    money_cell(c, 0, 4, "", o->price.mid_value, MONEY_THOUSANDS);
    money_cell(c, 1, 4, "− ", o->price.margin, MONEY_THOUSANDS);
    money_cell(c, 0, 5, "", o->price.net, MONEY_THOUSANDS);
    if (o->returned.minor > 0)
        money_cell(c, 1, 5, "− ", o->returned, MONEY_THOUSANDS);
    cell(c, 0, 6, NULL);
    if (o->has_estimate)
        money_cell(c, 0, 6, "", o->estimate, MONEY_THOUSANDS);
    cell(c, 1, 6, NULL);
    if (o->has_withheld)
        money_cell(c, 1, 6, "", o->withheld, MONEY_THOUSANDS);
}

static struct colour colour_of(int line, int column, const struct statement_payout *o)
{
    if (column == 0 && line > 0)
        return o->state == PAYOUT_STATE_SETTLED     ? pen_green
               : payout_state_is_reversed(o->state) ? pen_red
                                                    : pen_amber;
    if (column == NET && line == 1)
        return pen_red;
    return line == 0 ? pen_ink : pen_grey;
}

/* What a payout is known by can be long, and is never cut: its column takes as many lines as it needs. */
static struct style name_style(const struct pages *p, int line)
{
    return (struct style){line == 0 ? LATIN " Bold 7.5" : LATIN " 7",
                          line == 0 ? pen_ink : pen_grey,
                          p->lang == RECEIPT_UR ? AT_RIGHT : AT_LEFT, false};
}

static double names_height(struct pages *p, const struct cells *c)
{
    double height = 0;

    for (int l = 0; l < LINES; l++) {
        const struct style style = name_style(p, l);

        height += pen_lines_height(&p->pen, titles[l][NAMES].width - COLUMN_GAP, &style,
                                   c->text[l][NAMES]) +
                  LINE(p) - LINE_LEAST;
    }
    return height;
}

static void put_names(struct pages *p, const struct cells *c)
{
    const struct column *at = &titles[0][NAMES];
    const double width = at->width - COLUMN_GAP;
    double y = p->y - 8; /* its first baseline is that of the others */

    for (int l = 0; l < LINES; l++) {
        const struct style style = name_style(p, l);

        y += pen_put_lines(&p->pen, pages_x(p, at->left, width), y, width, &style,
                           c->text[l][NAMES]) +
             LINE(p) - LINE_LEAST;
    }
}

static double height_of(struct pages *p, const struct cells *c)
{
    const double names = names_height(p, c) + 4, others = LINE(p) * 2 + 14.8;

    return names > others ? names : others;
}

static void put_payout(struct pages *p, const struct cells *c, const struct statement_payout *o)
{
    put_names(p, c);
    for (int l = 0; l < LINES; l++)
        for (int i = 0; i < COLUMNS; i++) {
            const struct column *at = &titles[l][i];
            const char *font = l == 0 ? LATIN " 7.5" : c->urdu[l][i] ? URDU " 6.3" : LATIN " 7";

            if (i == NAMES)
                continue;
            pen_put(&p->pen, pages_x(p, at->left, at->width - COLUMN_GAP), p->y + l * LINE(p),
                    at->width - COLUMN_GAP,
                    &(struct style){
                        l == 0 && i == NET ? LATIN " Bold 7.5" : font, colour_of(l, i, o),
                        at->number || p->lang == RECEIPT_UR ? AT_RIGHT : AT_LEFT, c->urdu[l][i]},
                    c->text[l][i]);
        }
    p->y += height_of(p, c);
    pen_rule(&p->pen, PAGES_LEFT, PAGES_RIGHT, p->y - 10.5, pen_line, 0.4);
}

void payouts_one_by_one(struct pages *p)
{
    struct cells c;

    if (p->s->n_payouts == 0)
        return;
    pages_next(p);
    p->y -= 6;
    pages_heading(p, &year_list);
    put_titles(p);
    for (size_t i = 0; i < p->s->n_payouts; i++) {
        fill_cells(&c, p, &p->s->payouts[i]);
        if (pages_room(p, height_of(p, &c) - 6))
            put_titles(p);
        put_payout(p, &c, &p->s->payouts[i]);
    }
}
