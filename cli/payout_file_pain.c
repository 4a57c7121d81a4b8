/*
 * Payouts as ISO 20022 pain.001.001.09, which a treasury system can write. The whole file is held against the rules of
 * iso20022/rules.h before anything is sent (not against the XSD, which is not ours to ship): NbOfTxs and CtrlSum must be
 * given, and be what is inside.
 *
 *   reference     PmtId/EndToEndId
 *   amount        Amt/InstdAmt with its Ccy: what the platform pays
 *   name          Cdtr/Nm
 *   cnic          Cdtr/Id/PrvtId/Othr/Id, of the scheme NIDN
 *   iban          CdtrAcct/Id/IBAN
 *   mobile, bank  CdtrAcct/Prxy/Id, of the type MBNO; and CdtrAgt/FinInstnId/ClrSysMmbId/MmbId, the bank's four letters
 *   beneficiary   CdtrAcct/Id/Othr/Id, if it is `beneficiaries/5`
 *   purpose       RgltryRptg/Dtls/Cd: 9186 (export) or 9471 (remittance), from which the channel follows
 *   pseb          RgltryRptg/Dtls/Inf
 *   info          RmtInf/Ustrd
 */
#include "base/command.h"
#include "cli/payout_file_reader.h"
#include "iso20022/reader.h"

#include <string.h>

#define PURPOSE_EXPORT     "9186"
#define PURPOSE_REMITTANCE "9471"

struct pain_reader {
    struct payout_reader *reader;
    unsigned n;
};

static const char *channel_of(struct slice purpose)
{
    if (slice_equal_str(purpose, PURPOSE_EXPORT))
        return "export";
    return slice_equal_str(purpose, PURPOSE_REMITTANCE) ? "remittance" : "";
}

/* "+92-3001234567" is how the message writes it. */
static struct slice mobile_of(const struct iso_account *account, char out[32])
{
    size_t len = 0;

    if (!slice_equal_str(account->proxy_type, "MBNO"))
        return (struct slice){0};
    for (size_t i = 0; i < account->proxy_id.len && len < 31; i++)
        if (account->proxy_id.p[i] != '-')
            out[len++] = account->proxy_id.p[i];
    return slice_of(out, len);
}

static bool take_transfer(void *user, const struct iso_group *group, const union iso_item *item,
                          struct iso_refusal *why)
{
    struct pain_reader *p = user;
    const struct iso_transfer *t = &item->transfer;
    char amount[MONEY_TEXT_SIZE];
    char mobile[32];
    struct payout_line line = {.number = ++p->n};

    (void)group;
    (void)why;
    line.at[COL_REFERENCE] = t->ids.end_to_end_id;
    line.at[COL_AMOUNT] = slice_str(money_format(t->amount, MONEY_PLAIN, amount));
    line.at[COL_CURRENCY] = slice_str(ccy_by_number(t->amount.ccy)->alpha);
    line.at[COL_INFO] = t->remittance.lines.n > 0 ? t->remittance.lines.at[0] : (struct slice){0};
    if (slice_starts_with(t->creditor_account.other_id, SLICE("beneficiaries/"))) {
        line.at[COL_BENEFICIARY] = t->creditor_account.other_id;
    } else {
        line.at[COL_NAME] = t->creditor.name;
        if (slice_equal_str(t->creditor.person_scheme, "NIDN"))
            line.at[COL_CNIC] = t->creditor.person_id;
        line.at[COL_MOBILE] = mobile_of(&t->creditor_account, mobile);
        if (line.at[COL_MOBILE].len > 0)
            line.at[COL_BANK] = t->creditor_agent.member_id;
        else
            line.at[COL_IBAN] = t->creditor_account.iban;
        line.at[COL_PURPOSE] = t->reporting_code;
        line.at[COL_PSEB] = t->reporting_info.n > 0 ? t->reporting_info.at[0] : (struct slice){0};
        line.at[COL_CHANNEL] = slice_str(channel_of(t->reporting_code));
    }
    payout_reader_add(p->reader, &line);
    return true;
}

bool payout_file_read_pain(struct payout_reader *r, struct slice text)
{
    struct pain_reader p = {.reader = r};
    const struct iso_reader_options options = {.kinds = 1U << ISO_PAIN_001};
    const struct iso_sink sink = {.user = &p, .item = take_transfer};
    struct iso_refusal why = {0};
    char said[ISO_REFUSAL_TEXT_SIZE];

    if (iso_read(&options, iso_read_slice, &text, &sink, &why))
        return true;
    complain("%s: %s", r->path, iso_refusal_text(&why, said));
    return false;
}
