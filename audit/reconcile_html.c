/* reconcile_html.c: a reconciliation to print and to file: one page, nothing outside it, no scripts, all values escaped. */
#include "audit/reconcile.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/version.h"

#include <assert.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Bank reconciliation</title>\n<style>\n"
    ":root{--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--good:#17633a;--bad:#a3231f;--pale:#f4f6f9}\n"
    "*{box-sizing:border-box}\n"
    "body{font:14px/1.45 'Noto Sans','Segoe UI',Helvetica,Arial,sans-serif;color:var(--ink);max-width:76rem;"
    "margin:2rem auto;padding:0 1.5rem}\n"
    "h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.05rem;margin:2rem 0 .5rem;padding-bottom:.2rem;"
    "border-bottom:2px solid var(--ink)}\n"
    "p{margin:.3rem 0}.soft{color:var(--soft)}\n"
    ".verdict{display:inline-block;margin:1rem 0 .2rem;padding:.45rem .9rem;border-radius:.3rem;font-weight:600;"
    "color:#fff;background:var(--bad);-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    ".verdict.good{background:var(--good)}\n"
    "table{border-collapse:collapse;width:100%;margin:.4rem 0 .8rem}\n"
    "th{font-weight:600;text-align:left;color:var(--soft);font-size:.8rem;border-bottom:1px solid var(--ink)}\n"
    "th,td{padding:.28rem .55rem;vertical-align:top}td{border-bottom:1px solid var(--line)}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".d{white-space:nowrap}.id{font-family:'Noto Sans Mono',Consolas,monospace;font-size:.82rem;"
    "overflow-wrap:anywhere}\n"
    "tr.sum td{font-weight:600;border-top:1px solid var(--ink);background:var(--pale)}\n"
    "tr.cat td{font-weight:600;background:var(--pale);border-top:1px solid var(--ink)}\n"
    ".bad{color:var(--bad);font-weight:600}.good{color:var(--good)}\n"
    ".totals{max-width:36rem}.sign{display:flex;gap:3rem;margin-top:3rem}.sign div{flex:1;border-top:1px solid "
    "var(--ink);padding-top:.3rem;color:var(--soft);font-size:.8rem}\n"
    "@media print{body{margin:0;max-width:none;padding:0;font-size:10px}h2{break-after:avoid}tr{break-inside:avoid}"
    "thead{display:table-header-group}@page{size:A4 landscape;margin:14mm}}\n"
    "</style>\n</head>\n<body>\n";

static void escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
            break;
        }
}

static void cell(FILE *out, const char *css, const char *text)
{
    fprintf(out, "<td class=\"%s\">", css);
    escaped(out, text);
    fputs("</td>", out);
}

static void amount_cell(const struct recon *r, FILE *out, int64_t minor)
{
    char text[RECON_AMOUNT_SIZE];

    cell(out, "n", recon_amount_shown(r, minor, text));
}

static void count_cell(FILE *out, uint64_t n)
{
    fprintf(out, "<td class=\"n\">%llu</td>", (unsigned long long)n);
}

static void title(const struct recon *r, FILE *out)
{
    char day[2][TIMEFMT_DATE_SIZE];

    fputs("<h1>Bank reconciliation</h1>\n<p>Account <b class=\"id\">", out);
    escaped(out, r->account);
    fputs("</b> at ", out);
    escaped(out, r->bank_name);
    fprintf(out, " (%s), in %s</p>\n<p>Statements from %s to %s; books as of %s", r->bank, r->ccy,
            timefmt_date(r->statements[0].from_day, day[0]),
            timefmt_date(r->statements[r->n_statements - 1].to_day, day[1]), r->as_of);
    if (r->book != NULL) {
        fputs(", book ", out);
        escaped(out, r->book);
    }
    fprintf(out, "</p>\n<p class=\"verdict%s\">%s</p>\n", recon_is_clean(r) ? " good" : "",
            recon_is_clean(r) ? "Reconciled, without a break" : "Not reconciled");
}

static void totals(const struct recon *r, FILE *out)
{
    fputs(
        "<h2>Balances</h2>\n<table class=\"totals\"><thead><tr><th></th><th class=\"n\">Items</th>"
        "<th class=\"n\">Amount</th></tr></thead><tbody>\n<tr><td>Balance per bank</td><td></td>",
        out);
    amount_cell(r, out, r->bank_balance);
    fputs("</tr>\n<tr><td>Balance per books</td><td></td>", out);
    amount_cell(r, out, r->books_balance);
    fputs("</tr>\n<tr class=\"sum\"><td>Difference</td><td></td>", out);
    amount_cell(r, out, r->bank_balance - r->books_balance);
    fputs("</tr>\n", out);
    for (enum category c = CAT_NONE + 1; c < CAT_END; c++) {
        if (r->count[c] == 0)
            continue;
        fputs("<tr>", out);
        cell(out, "", recon_category(c));
        count_cell(out, r->count[c]);
        amount_cell(r, out, r->sum[c]);
        fputs("</tr>\n", out);
    }
    fprintf(out, "<tr class=\"sum\"><td>%s</td><td></td>",
            r->unexplained == 0 ? "Unexplained" : "<span class=\"bad\">UNEXPLAINED</span>");
    amount_cell(r, out, r->unexplained);
    fputs("</tr>\n</tbody></table>\n", out);
    if (r->brought_forward != 0) {
        char text[RECON_AMOUNT_SIZE];
        fprintf(out, "<p class=\"bad\">%s is from before the first statement.</p>\n",
                recon_amount_shown(r, r->brought_forward, text));
    }
    if (r->opening_item != NULL)
        fprintf(
            out,
            "<p>What the first statement opened with was taken into the books by journal %lld.</p>\n",
            (long long)r->opening_item->seq);
}

static void statement_checks(const struct recon *r, const struct statement *s, FILE *out)
{
    char text[RECON_AMOUNT_SIZE];

    fputs("<td>", out);
    if (s->closing - s->opening != s->sum)
        fprintf(out, "<span class=\"bad\">does not add up, by %s</span> ",
                recon_amount_shown(r, s->closing - s->opening - s->sum, text));
    if (s->gap != 0)
        fprintf(out, "<span class=\"bad\">opens %s off the closing before</span> ",
                recon_amount_shown(r, s->gap, text));
    if (s->sequence_fault != NULL)
        fprintf(out, "<span class=\"bad\">%s</span>", s->sequence_fault);
    if (s->closing - s->opening == s->sum && s->gap == 0 && s->sequence_fault == NULL)
        fputs("<span class=\"good\">adds up</span>", out);
    fputs("</td>", out);
}

static void statements(const struct recon *r, FILE *out)
{
    fputs(
        "<h2>Statements</h2>\n<table><thead><tr><th>Statement</th><th>File</th><th>From</th><th>To</th>"
        "<th class=\"n\">Number</th><th class=\"n\">Entries</th><th class=\"n\">Pending</th>"
        "<th class=\"n\">Opening</th><th class=\"n\">Movements</th><th class=\"n\">Closing</th><th>Checks</th>"
        "</tr></thead><tbody>\n",
        out);
    for (size_t i = 0; i < r->n_statements; i++) {
        const struct statement *s = &r->statements[i];
        const char *slash = strrchr(s->file, '/');
        char day[TIMEFMT_DATE_SIZE];

        fputs("<tr>", out);
        cell(out, "id", s->id);
        cell(out, "", slash == NULL ? s->file : slash + 1);
        cell(out, "d", timefmt_date(s->from_day, day));
        cell(out, "d", timefmt_date(s->to_day, day));
        if (s->sequence >= 0)
            count_cell(out, (uint64_t)s->sequence);
        else
            fputs("<td></td>", out);
        count_cell(out, s->n_entries);
        count_cell(out, s->n_pending);
        amount_cell(r, out, s->opening);
        amount_cell(r, out, s->sum);
        amount_cell(r, out, s->closing);
        statement_checks(r, s, out);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

static void matches(const struct recon *r, FILE *out)
{
    fputs("<h2>Matched</h2>\n<table class=\"totals\"><tbody>\n", out);
    for (enum match m = MATCH_NONE + 1; m < MATCH_END; m++) {
        fputs("<tr>", out);
        cell(out, "", recon_match_name(m));
        count_cell(out, r->matched[m]);
        fputs("</tr>\n", out);
    }
    fputs("<tr class=\"sum\"><td>our postings matched</td>", out);
    count_cell(out, r->matched_ours);
    fputs("</tr>\n</tbody></table>\n", out);
}

static void ages(const struct recon *r, FILE *out)
{
    static const int32_t bands[] = {2, 5, 30, 60, INT32_MAX};
    size_t n_bands = sizeof bands / sizeof *bands;

    if (r->n_breaks == 0)
        return;
    fputs(
        "<h2>Age of the breaks</h2>\n<table class=\"totals\"><thead><tr><th>Days</th><th class=\"n\">Breaks</th>"
        "<th class=\"n\">Amount</th></tr></thead><tbody>\n",
        out);
    for (size_t i = 0; i < n_bands; i++) {
        uint64_t count = 0;
        int64_t sum = 0;

        for (size_t j = 0; j < r->n_breaks; j++)
            if (r->breaks[j].age_days <= bands[i] &&
                (i == 0 || r->breaks[j].age_days > bands[i - 1])) {
                count++;
                sum += r->breaks[j].effect;
            }
        fputs("<tr>", out);
        cell(out, "", recon_band(i + 1 == n_bands ? 61 : bands[i]));
        count_cell(out, count);
        amount_cell(r, out, sum);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

static void names_cell(const struct brk *b, FILE *out)
{
    const struct item *m = b->item;
    const struct line *l = b->line;

    fputs("<td class=\"id\">", out);
    if (m != NULL) {
        escaped(out, m->book);
        fprintf(out, " journal %lld", (long long)m->seq);
        if (m->payout_id > 0)
            fprintf(out, ", payout %lld ", (long long)m->payout_id);
        escaped(out, m->reference);
    }
    if (l != NULL) {
        fputs(m == NULL ? "" : "<br>", out);
        escaped(out, l->statement->id);
        fprintf(out, " entry %llu ", (unsigned long long)l->entry);
        escaped(out, l->end_to_end_id);
    }
    fputs("</td>", out);
}

static void break_row(const struct recon *r, size_t i, FILE *out)
{
    const struct brk *b = &r->breaks[i];
    const struct line *l = b->line;
    char day[TIMEFMT_DATE_SIZE];

    assert(l != NULL || b->item != NULL);
    fputs("<tr>", out);
    count_cell(out, i + 1);
    cell(out, "d", timefmt_date(b->date, day));
    count_cell(out, (uint64_t)b->age_days);
    cell(out, "", recon_band(b->age_days));
    if (l != NULL)
        amount_cell(r, out, l->minor);
    else
        fputs("<td></td>", out);
    if (b->item != NULL)
        amount_cell(r, out, b->item->minor);
    else
        fputs("<td></td>", out);
    amount_cell(r, out, b->effect);
    names_cell(b, out);
    cell(out, "id",
         l == NULL                            ? b->item->bank_reference
         : l->bank_reference[0] != '\0'       ? l->bank_reference
         : l->entry_bank_reference[0] != '\0' ? l->entry_bank_reference
                                              : l->entry_reference);
    cell(out, "", b->note == NULL ? "" : b->note);
    fputs("</tr>\n", out);
}

static void breaks(const struct recon *r, FILE *out)
{
    enum category shown = CAT_NONE;

    if (r->n_breaks == 0)
        return;
    fputs(
        "<h2>Breaks</h2>\n<p class=\"soft\">Money in is positive. The difference is what the bank has and the "
        "books have not.</p>\n<table><thead><tr><th class=\"n\">No</th><th>Date</th><th class=\"n\">Days</th>"
        "<th>Band</th><th class=\"n\">Bank</th><th class=\"n\">Books</th><th class=\"n\">Difference</th>"
        "<th>Payment</th><th>Bank's reference</th><th>Note</th></tr></thead><tbody>\n",
        out);
    for (size_t i = 0; i < r->n_breaks; i++) {
        if (r->breaks[i].category != shown) {
            shown = r->breaks[i].category;
            fprintf(out, "<tr class=\"cat\"><td colspan=\"6\">%s (%llu)</td>",
                    recon_category(shown), (unsigned long long)r->count[shown]);
            amount_cell(r, out, r->sum[shown]);
            fputs("<td colspan=\"3\"></td></tr>\n", out);
        }
        break_row(r, i, out);
    }
    fputs("</tbody></table>\n", out);
}

void recon_write_html(const struct recon *r, FILE *out)
{
    char now[TIMEFMT_SIZE];

    fputs(head, out);
    title(r, out);
    totals(r, out);
    statements(r, out);
    matches(r, out);
    ages(r, out);
    breaks(r, out);
    fprintf(
        out,
        "<div class=\"sign\"><div>Prepared by, date</div><div>Reviewed by, date</div></div>\n"
        "<p class=\"soft\">Made by ujrat-audit %s at %s. It reads the books and the statements, and posts "
        "nothing.</p>\n</body>\n</html>\n",
        UJRAT_VERSION, timefmt_rfc3339(clock_realtime_us(), now));
}
