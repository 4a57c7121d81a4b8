/* What beancount reads (its Language Syntax): commodities and accounts declared, each account in its currency alone, and
 * the closing balances as directives it checks without tolerance. Foreign text stands in strings only. */
#include "audit/export.h"

#include "audit/export_book.h"

#include "base/timefmt.h"

#include <string.h>

/* Ends a string, or begins an escape in one. */
#define RESERVED "\"\\"

#define WIDTH 44

static void put_amount(FILE *out, const struct export_account *a, int64_t minor)
{
    char text[AMOUNT_TEXT_SIZE];

    fprintf(out, "  %-*s  %18s %s\n", WIDTH, a->name, amount_plain(minor, a->account.digits, text),
            a->account.ccy);
}

static void put_meta(FILE *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    fprintf(out, "  %s: \"", name);
    export_escaped(out, value, RESERVED);
    (void)fputs("\"\n", out);
}

static void put_id_meta(FILE *out, const char *name, int64_t id)
{
    if (id != 0)
        fprintf(out, "  %s: %lld\n", name, (long long)id);
}

/* What may stand in a link or a tag; every other byte is _XX. */
static void put_word(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (char_is_digit(*text) || char_is_upper(*text) || char_is_lower(*text) || *text == '-' ||
            *text == '/' || *text == '.')
            (void)fputc(*text, out);
        else
            fprintf(out, "_%02X", (unsigned char)*text);
    }
}

static void put_date(FILE *out, int32_t days)
{
    char date[TIMEFMT_DATE_SIZE];

    (void)fputs(timefmt_date(days, date), out);
}

static void put_opening(struct export_writer *w)
{
    const struct export_book *b = w->book;
    bool any = false;

    fprintf(w->out, "\n; Book %s: ", b->book->code);
    export_escaped(w->out, b->book->name, RESERVED);
    (void)fputc('\n', w->out);
    for (size_t i = 0; i < b->n_accounts; i++) {
        const struct export_account *a = &b->accounts[i];

        put_date(w->out, timefmt_day_of(b->opened_at));
        fprintf(w->out, " open %-*s  %s\n", WIDTH, a->name, a->account.ccy);
        put_meta(w->out, "book", b->book->code);
        put_meta(w->out, "code", a->account.code);
        any = any || a->opening != 0;
    }
    if (!any)
        return;
    (void)fputc('\n', w->out);
    put_date(w->out, timefmt_day_of(b->begins_at));
    fprintf(w->out, " * \"%s\" \"opening balances\"\n", b->book->code);
    for (size_t i = 0; i < b->n_accounts; i++)
        if (b->accounts[i].opening != 0)
            put_amount(w->out, &b->accounts[i], b->accounts[i].opening);
}

static bool put_journal(void *writer, const struct export_journal *j)
{
    const struct export_writer *w = writer;
    FILE *out = w->out;

    fprintf(out, "\n%.10s * \"%s\" \"%s", j->time, w->book->book->code, j->kind);
    if (j->reference[0] != '\0') {
        (void)fputc(' ', out);
        export_escaped(out, j->reference, RESERVED);
    }
    (void)fputs("\"", out);
    if (j->payout_id != 0) {
        fprintf(out, " ^%s/payouts/%lld ^%s/", w->book->book->code, (long long)j->payout_id,
                w->book->book->code);
        put_word(out, j->reference);
    }
    fprintf(out, "\n  seq: %lld\n  block: %lld\n  time: \"%s\"\n", (long long)j->seq,
            (long long)j->block_no, j->time);
    put_meta(out, "actor", j->actor);
    put_id_meta(out, "payout", j->payout_id);
    put_meta(out, "reference", j->reference);
    put_id_meta(out, "reverses", j->reverses_seq);
    put_meta(out, "bank", j->payout_id == j->seq ? cell_text(j->row, EX_BANK) : "");
    put_meta(out, "info", j->payout_id == j->seq ? cell_text(j->row, EX_INFO) : "");
    put_meta(out, "reason-code", cell_text(j->row, EX_REASON_CODE));
    put_meta(out, "bank-reference", cell_text(j->row, EX_BANK_REFERENCE));
    if (!cell_null(j->row, EX_TAX)) {
        char text[AMOUNT_TEXT_SIZE];

        fprintf(
            out, "  tax-withheld: %s %s\n",
            amount_plain(cell_int(j->row, EX_TAX), (unsigned)cell_int(j->row, EX_DST_DIGITS), text),
            cell_text(j->row, EX_DST_CCY));
    }
    put_meta(out, "eprc", cell_text(j->row, EX_EPRC));
    put_meta(out, "detail", j->detail);
    put_meta(out, "reason", cell_text(j->row, EX_PROPOSAL_REASON));
    put_meta(out, "proposed-by", cell_text(j->row, EX_PROPOSED_BY));
    for (unsigned i = 0; i < j->n_lines; i++)
        put_amount(out, j->lines[i].account, j->lines[i].minor);
    return true;
}

/* A balance holds at the beginning of its day: the one after the last journal's. */
static void put_closing(struct export_writer *w)
{
    const struct export_book *b = w->book;

    if (b->n_accounts > 0)
        fprintf(w->out, "\n; Closing balances of %s after journal %lld\n", b->book->code,
                (long long)b->last_seq);
    for (size_t i = 0; i < b->n_accounts; i++) {
        const struct export_account *a = &b->accounts[i];
        char text[AMOUNT_TEXT_SIZE];

        put_date(w->out, timefmt_day_of(b->ends_at) + 1);
        fprintf(w->out, " balance %-*s  %18s ~ 0 %s\n", WIDTH, a->name,
                amount_plain(a->closing, a->account.digits, text), a->account.ccy);
    }
}

static bool write_beancount(const struct export_request *request)
{
    PGresult *currencies = export_currencies(request);

    if (currencies == NULL)
        return false;
    fprintf(request->out, "; Books of Ujrat, by ujrat-audit. Times are in UTC, debits positive.\n"
                          "; In texts, %%XX is the byte of that hexadecimal number.\n\n"
                          "option \"title\" \"Books of Ujrat\"\n\n");
    for (int i = 0; i < PQntuples(currencies); i++)
        fprintf(request->out, "1970-01-01 commodity %s\n  digits: %s\n",
                PQgetvalue(currencies, i, 0), PQgetvalue(currencies, i, 1));
    PQclear(currencies);
    return export_books(request, put_opening, put_journal, put_closing);
}

enum exit_code export_beancount_run(const struct args *args)
{
    return export_to_file(args, write_beancount);
}
