/* RFC 4180: comma, CRLF, quotes doubled. Cells that a spreadsheet would take for a formula have an apostrophe in front;
 * so have those that begin with one, so that the apostrophe can be taken away again. */
#include "audit/export.h"

#include "audit/export_book.h"

#include <string.h>

/* What OWASP's page on CSV injection names, the wide forms too, also behind blanks. */
static bool looks_like_formula(const char *text)
{
    struct slice rest = slice_str(text);
    uint32_t point = 0;

    if (text[0] == '\'')
        return true;
    while (rest.len > 0) {
        point = utf8_next(&rest);
        if (point != ' ' && point != 0xa0)
            break;
    }
    return point == '=' || point == '+' || point == '-' || point == '@' || point == '\t' ||
           point == '\r' || point == '\n' || point == 0xff1d || point == 0xff0b ||
           point == 0xff0d || point == 0xff20;
}

/* Text from outside. The first cell of a row has no comma in front: those are numbers and codes. */
static void put_text(FILE *out, const char *text)
{
    bool formula = looks_like_formula(text);
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;

    fprintf(out, ",%s%s", quoted ? "\"" : "", formula ? "'" : "");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)fputc('"', out);
        (void)fputc(*text, out);
    }
    if (quoted)
        (void)fputc('"', out);
}

static void put_id(FILE *out, int64_t id)
{
    if (id == 0)
        (void)fputc(',', out);
    else
        fprintf(out, ",%lld", (long long)id);
}

static bool put_journal(void *writer, const struct export_journal *j)
{
    const struct export_writer *c = writer;
    FILE *out = c->out;
    char text[AMOUNT_TEXT_SIZE];

    for (unsigned i = 0; i < j->n_lines; i++) {
        const struct account *a = &j->lines[i].account->account;
        amount_t minor = j->lines[i].minor;

        fprintf(out, "%s,%lld,%u,%lld,%s,%s,%s,%s,%s,%s", c->book->book->code, (long long)j->seq,
                i + 1, (long long)j->block_no, j->time, j->kind, a->code, a->type, a->ccy,
                amount_plain(minor, a->digits, text));
        fprintf(out, ",%s", minor > 0 ? text : "");
        fprintf(out, ",%s", minor < 0 ? text + 1 : "");
        put_id(out, j->payout_id);
        put_text(out, j->reference);
        put_id(out, j->reverses_seq);
        put_text(out, j->actor);
        put_text(out, cell_text(j->row, EX_BANK));
        put_text(out, cell_text(j->row, EX_BANK_REFERENCE));
        put_text(out, cell_text(j->row, EX_REASON_CODE));
        fprintf(out, ",%s",
                cell_null(j->row, EX_TAX)
                    ? ""
                    : amount_plain(cell_int(j->row, EX_TAX),
                                   (unsigned)cell_int(j->row, EX_DST_DIGITS), text));
        put_text(out, cell_text(j->row, EX_EPRC));
        put_text(out, j->payout_id == j->seq ? cell_text(j->row, EX_INFO) : "");
        put_text(out, j->detail);
        (void)fputs("\r\n", out);
    }
    return true;
}

static bool write_csv(const struct export_request *request)
{
    (void)fputs(
        "book,seq,line,block,committed_at,kind,account,type,currency,amount,debit,credit,payout,"
        "reference,reverses,actor,bank,bank_reference,reason_code,tax_withheld,eprc_number,"
        "remittance_info,detail\r\n",
        request->out);
    return export_books(request, NULL, put_journal, NULL);
}

enum exit_code export_csv_run(const struct args *args)
{
    return export_to_file(args, write_csv);
}
