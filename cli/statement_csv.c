/* A statement's payouts as comma-separated values (RFC 4180); docs/statement.md has the columns. */
#include "cli/statement.h"
#include "domain/fx.h"

#include <string.h>

static const char header[] =
    "platform,payout,reference,bank,settled_on,state,channel,purpose_code,currency,gross,fee,converted,mid_rate,"
    "rate_source,rate_date,mid_value_pkr,margin_pkr,net_pkr,returned_pkr,returned_on,gross_stands,fee_stands,"
    "converted_stands,mid_value_stands_pkr,margin_stands_pkr,net_stands_pkr,usd_equivalent,tax_estimated_pkr,"
    "tax_withheld_pkr,eprc_number,bank_reference\r\n";

/* A text after its comma. References and what banks say is others' text: a spreadsheet must not take it for a formula. */
static err_t put_text(struct buf *out, const char *text)
{
    err_t err = buf_append_char(out, ',');

    if (text == NULL || err_failed(err))
        return err;
    if (strpbrk(text, ",\"\r\n") == NULL && strchr("=+-@\t", text[0]) == NULL)
        return buf_append(out, text, strlen(text));
    err = buf_append_char(out, '"');
    if (!err_failed(err) && text[0] != '\0' && strchr("=+-@\t", text[0]) != NULL)
        err = buf_append_char(out, '\'');
    for (const char *p = text; *p != '\0' && !err_failed(err); p++) {
        if (*p == '"')
            err = buf_append_char(out, '"');
        if (!err_failed(err))
            err = buf_append_char(out, *p);
    }
    return err_failed(err) ? err : buf_append_char(out, '"');
}

static err_t put_money(struct buf *out, bool is_there, money_t m)
{
    char text[MONEY_TEXT_SIZE];

    return buf_printf(out, ",%s", is_there ? money_format(m, MONEY_PLAIN, text) : "");
}

static err_t put_moneys(struct buf *out, const money_t *m, size_t n)
{
    err_t err = err_none();

    for (size_t i = 0; i < n && !err_failed(err); i++)
        err = put_money(out, true, m[i]);
    return err;
}

static err_t put_texts(struct buf *out, const char *const *text, size_t n)
{
    err_t err = err_none();

    for (size_t i = 0; i < n && !err_failed(err); i++)
        err = put_text(out, text[i]);
    return err;
}

static err_t put_payout(struct buf *out, const struct statement_payout *p)
{
    char settled[STATEMENT_DAY_SIZE], returned[STATEMENT_DAY_SIZE], rate[RATE_TEXT_SIZE];
    char payout[STR_INT64_SIZE];
    const bool back = p->returned.minor > 0;
    const struct payout_standing *left = &p->stands;
    const char *const first[] = {payout,
                                 p->reference,
                                 p->bank,
                                 statement_day(p->settled_us, settled),
                                 payout_state_name(p->state),
                                 channel_name(p->channel),
                                 p->purpose,
                                 ccy_alpha(p->price.gross.ccy)};
    const char *const rates[] = {rate_format(p->price.mid, rate), p->rate_source, p->rate_date};
    const money_t source[] = {p->price.gross, p->price.fee, p->price.converted_source};
    const money_t target[] = {p->price.mid_value, p->price.margin, p->price.net, p->returned};
    const money_t stands[] = {left->gross,     left->fee,    left->converted,
                              left->mid_value, left->margin, left->net};
    const char *const said[] = {p->eprc_number, p->bank_reference};
    err_t err = buf_append(out, p->to->platform, strlen(p->to->platform));

    str_format_int64(p->payout_id, payout);
    if (!err_failed(err))
        err = put_texts(out, first, sizeof first / sizeof *first);
    if (!err_failed(err))
        err = put_moneys(out, source, 3);
    if (!err_failed(err))
        err = put_texts(out, rates, 3);
    if (!err_failed(err))
        err = put_moneys(out, target, 4);
    if (!err_failed(err))
        err = put_text(out, back ? statement_day(p->returned_us, returned) : NULL);
    if (!err_failed(err))
        err = put_moneys(out, stands, 6);
    if (!err_failed(err))
        err = put_money(out, p->has_usd, p->usd);
    if (!err_failed(err))
        err = put_money(out, p->has_estimate, p->estimate);
    if (!err_failed(err))
        err = put_money(out, p->has_withheld, p->withheld);
    if (!err_failed(err))
        err = put_texts(out, said, 2);
    return err_failed(err) ? err : buf_append(out, "\r\n", 2);
}

bool statement_csv(const struct statement *s, struct buf *out)
{
    err_t err = buf_append(out, header, sizeof header - 1);

    for (size_t i = 0; i < s->n_payouts && !err_failed(err); i++)
        err = put_payout(out, &s->payouts[i]);
    if (err_failed(err))
        complain("--csv: the statement is too large");
    return !err_failed(err);
}
