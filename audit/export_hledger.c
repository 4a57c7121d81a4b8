/* What hledger reads (its manual's JOURNAL FORMAT): accounts and commodities declared, so that `hledger check -s` has
 * something to check, and the closing balances asserted. Foreign text stands in descriptions and tag values only. */
#include "audit/export.h"

#include "audit/export_book.h"

#include <string.h>

/* What ends a description, a payee, a tag's value; brackets are dates in comments. */
#define RESERVED ";|,[]"

#define WIDTH 44

static void put_amount(FILE *out, const struct export_account *a, int64_t minor)
{
    char text[AMOUNT_TEXT_SIZE];

    fprintf(out, "    %-*s  %18s %s", WIDTH, a->name, amount_plain(minor, a->account.digits, text),
            a->account.ccy);
}

static void put_tag(FILE *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    fprintf(out, "    ; %s: ", name);
    export_escaped(out, value, RESERVED);
    (void)fputc('\n', out);
}

static void put_id_tag(FILE *out, const char *name, int64_t id)
{
    if (id != 0)
        fprintf(out, "    ; %s: %lld\n", name, (long long)id);
}

static void put_date(FILE *out, int64_t us)
{
    char date[TIMEFMT_DATE_SIZE];

    (void)fputs(timefmt_date(timefmt_day_of(us), date), out);
}

static void put_opening(struct export_writer *w)
{
    static const char *const letters[][2] = {
        {"ASSET", "A"}, {"LIABILITY", "L"}, {"INCOME", "R"}, {"EXPENSE", "X"}, {"POSITION", "E"}};
    const struct export_book *b = w->book;
    bool any = false;

    fprintf(w->out, "\n; Book %s: ", b->book->code);
    export_escaped(w->out, b->book->name, RESERVED);
    (void)fputc('\n', w->out);
    for (size_t i = 0; i < b->n_accounts; i++) {
        const struct export_account *a = &b->accounts[i];

        fprintf(w->out, "account %s  ; code: %s, book: %s", a->name, a->account.code,
                b->book->code);
        for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
            if (strcmp(letters[k][0], a->account.type) == 0)
                fprintf(w->out, ", type: %s", letters[k][1]);
        (void)fputc('\n', w->out);
        any = any || a->opening != 0;
    }
    if (!any)
        return;
    (void)fputc('\n', w->out);
    put_date(w->out, b->begins_at);
    fprintf(w->out, " * (%s) %s | opening balances\n", b->book->code, b->book->code);
    for (size_t i = 0; i < b->n_accounts; i++)
        if (b->accounts[i].opening != 0) {
            put_amount(w->out, &b->accounts[i], b->accounts[i].opening);
            (void)fputc('\n', w->out);
        }
}

static bool put_journal(void *writer, const struct export_journal *j)
{
    const struct export_writer *w = writer;
    FILE *out = w->out;
    char text[AMOUNT_TEXT_SIZE];

    fprintf(out, "\n%.10s * (%s/%lld) %s | %s", j->time, w->book->book->code, (long long)j->seq,
            w->book->book->code, j->kind);
    if (j->reference[0] != '\0') {
        (void)fputc(' ', out);
        export_escaped(out, j->reference, RESERVED);
    }
    fprintf(out, "\n    ; seq: %lld, block: %lld, time: %s\n", (long long)j->seq,
            (long long)j->block_no, j->time);
    put_tag(out, "actor", j->actor);
    put_id_tag(out, "payout", j->payout_id);
    put_tag(out, "reference", j->reference);
    put_id_tag(out, "reverses", j->reverses_seq);
    put_tag(out, "bank", j->payout_id == j->seq ? cell_text(j->row, EX_BANK) : "");
    put_tag(out, "info", j->payout_id == j->seq ? cell_text(j->row, EX_INFO) : "");
    put_tag(out, "reason-code", cell_text(j->row, EX_REASON_CODE));
    put_tag(out, "bank-reference", cell_text(j->row, EX_BANK_REFERENCE));
    if (!cell_null(j->row, EX_TAX))
        fprintf(
            out, "    ; tax-withheld: %s %s\n",
            amount_plain(cell_int(j->row, EX_TAX), (unsigned)cell_int(j->row, EX_DST_DIGITS), text),
            cell_text(j->row, EX_DST_CCY));
    put_tag(out, "eprc", cell_text(j->row, EX_EPRC));
    put_tag(out, "detail", j->detail);
    put_tag(out, "reason", cell_text(j->row, EX_PROPOSAL_REASON));
    put_tag(out, "proposed-by", cell_text(j->row, EX_PROPOSED_BY));
    for (unsigned i = 0; i < j->n_lines; i++) {
        put_amount(out, j->lines[i].account, j->lines[i].minor);
        (void)fputc('\n', out);
    }
    return true;
}

/* Postings of nil that say what the balance is: hledger adds up the postings and compares. */
static void put_closing(struct export_writer *w)
{
    const struct export_book *b = w->book;

    if (b->last_seq == 0 || b->n_accounts == 0)
        return;
    (void)fputc('\n', w->out);
    put_date(w->out, b->ends_at);
    fprintf(w->out, " * (%s) %s | closing balances after journal %lld\n", b->book->code,
            b->book->code, (long long)b->last_seq);
    for (size_t i = 0; i < b->n_accounts; i++) {
        char text[AMOUNT_TEXT_SIZE];

        put_amount(w->out, &b->accounts[i], 0);
        fprintf(w->out, " = %s %s\n",
                amount_plain(b->accounts[i].closing, b->accounts[i].account.digits, text),
                b->accounts[i].account.ccy);
    }
}

static bool write_hledger(const struct export_request *request)
{
    PGresult *currencies = export_currencies(request);
    char text[AMOUNT_TEXT_SIZE];

    if (currencies == NULL)
        return false;
    fprintf(request->out,
            "; Books of Ujrat, by ujrat-audit. Times are in UTC, debits positive.\n"
            "; In texts, %%XX is the byte of that hexadecimal number.\n\ndecimal-mark .\n");
    for (int i = 0; i < PQntuples(currencies); i++) {
        unsigned digits = (unsigned)db_int(currencies, i, 1);

        fprintf(request->out, "commodity 1%s%s %s\n", digits == 0 ? "." : "",
                amount_plain(0, digits, text) + 1, PQgetvalue(currencies, i, 0));
    }
    PQclear(currencies);
    return export_books(request, put_opening, put_journal, put_closing);
}

enum exit_code export_hledger_run(const struct args *args)
{
    return export_to_file(args, write_hledger);
}
