/* Every rule refuses by its name and the path of the element, when writing and when reading. */
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

static struct maker made;
static struct buf out;

/* ---------------------------------------------------------------- writing */

static void refused_when_written(enum iso_rule rule, const char *path, int line)
{
    struct iso_refusal refusal = {0};
    char text[ISO_REFUSAL_TEXT_SIZE];

    if (write_message(&made, false, &out, &refusal))
        fail_msg("line %d: it was written, not refused with %s", line, iso_rule_name(rule));
    if (refusal.rule != rule || strcmp(refusal.path, path) != 0)
        fail_msg("line %d: wanted %s at %s, got %s", line, iso_rule_name(rule), path,
                 iso_refusal_text(&refusal, text));
}

/* Makes a plain message, does something to it, and wants it refused. */
#define WRITE_REFUSES(kind, rule, path, ...)                                                       \
    do {                                                                                           \
        make_plain(&made, kind);                                                                   \
        __VA_ARGS__;                                                                               \
        refused_when_written(ISO_RULE_##rule, path, __LINE__);                                     \
    } while (0)

#define G  made.group
#define T  made.items[0].transfer
#define F  made.items[0].follow_up
#define E  made.items[0].entry
#define TX "CdtTrfTxInf/"

static void plain_messages_of_every_kind_are_written(void **state)
{
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    (void)state;
    for (unsigned i = 0; iso_definition_at(i) != NULL; i++) {
        make_plain(&made, iso_definition_at(i)->kind);
        if (!write_message(&made, false, &out, &refusal))
            fail_msg("%s", iso_refusal_text(&refusal, text));
    }
}

static void parties_and_agents_must_be_named(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, PARTY_UNNAMED, TX "Dbtr/Nm", T.debtor = (struct iso_party){0});
    WRITE_REFUSES(ISO_PACS_008, PARTY_UNNAMED, TX "Dbtr/Nm", T.debtor.name = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, PARTY_UNNAMED, TX "Cdtr/Nm", T.creditor.name = SLICE(""));
    WRITE_REFUSES(ISO_PAIN_001, PARTY_UNNAMED, "PmtInf/Dbtr/Nm", G.payment.debtor.name = SLICE(""));
    WRITE_REFUSES(ISO_PAIN_001, PARTY_UNNAMED, "PmtInf/CdtTrfTxInf/Cdtr/Nm",
                  T.creditor.name = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, AGENT_UNNAMED, TX "CdtrAgt/FinInstnId/BICFI",
                  T.creditor_agent.bic = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, AGENT_UNNAMED, TX "DbtrAgt/FinInstnId/BICFI",
                  T.debtor_agent = (struct iso_agent){.name = SLICE("A bank")});
    WRITE_REFUSES(ISO_PACS_009, AGENT_UNNAMED, TX "Dbtr/FinInstnId/BICFI",
                  T.paying.bic = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, ACCOUNT_UNNAMED, TX "CdtrAcct/Id/IBAN",
                  T.creditor_account = (struct iso_account){0});
    /* an alias is not an account: resolve it first */
    WRITE_REFUSES(ISO_PACS_008, ACCOUNT_UNNAMED, TX "CdtrAcct/Id/IBAN",
                  T.creditor_account = (struct iso_account){.proxy_type = SLICE("MBNO"),
                                                            .proxy_id = SLICE("+92-3001234567")});
    WRITE_REFUSES(ISO_PACS_008, BOTH_GIVEN, TX "CdtrAcct/Id/Othr",
                  T.creditor_account.other_id = SLICE("1"));
    WRITE_REFUSES(ISO_PACS_008, BOTH_GIVEN, TX "Cdtr/Id/PrvtId",
                  T.creditor.organisation_bic = BANK_BR;
                  T.creditor.person_id = SLICE("3520112345671"));
}

static void addresses_need_town_and_country(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, ADDRESS_INCOMPLETE, TX "Cdtr/PstlAdr/TwnNm",
                  T.creditor.address.town = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, ADDRESS_INCOMPLETE, TX "Dbtr/PstlAdr/Ctry",
                  T.debtor.address.country = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, COUNTRY, TX "Dbtr/PstlAdr/Ctry",
                  T.debtor.address.country = SLICE("pk"));
    WRITE_REFUSES(ISO_PACS_008, ADDRESS_UNSTRUCTURED, TX "Cdtr/PstlAdr/AdrLine",
                  T.creditor.address =
                      (struct iso_address){.lines = {.n = 1, .at = {SLICE("Paris Road")}}});
    WRITE_REFUSES(ISO_PACS_008, ADDRESS_LINES, TX "Cdtr/PstlAdr/AdrLine",
                  T.creditor.address.lines =
                      ((struct iso_lines){3, {SLICE("a"), SLICE("b"), SLICE("c")}}));
}

static void ids_have_no_slashes_at_their_ends_or_two_in_a_row(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, SLASHES, "GrpHdr/MsgId", G.message_id = SLICE("/UJ1"));
    WRITE_REFUSES(ISO_PACS_008, SLASHES, "GrpHdr/MsgId", G.message_id = SLICE("UJ1/"));
    WRITE_REFUSES(ISO_PACS_008, SLASHES, TX "PmtId/EndToEndId",
                  T.ids.end_to_end_id = SLICE("UJ//1"));
    WRITE_REFUSES(ISO_PACS_008, SLASHES, TX "PmtId/InstrId", T.ids.instruction_id = SLICE("/"));
    WRITE_REFUSES(ISO_PACS_008, CHARSET, TX "PmtId/TxId", T.ids.tx_id = SLICE("UJ_1"));
    WRITE_REFUSES(ISO_PACS_008, BLANKS, TX "PmtId/TxId", T.ids.tx_id = SLICE("UJ1 "));
    WRITE_REFUSES(ISO_PACS_008, TOO_LONG, TX "PmtId/EndToEndId",
                  T.ids.end_to_end_id = SLICE("123456789012345678901234567890123456"));
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, TX "PmtId/EndToEndId", T.ids.end_to_end_id = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, TX "PmtId/UETR", T.ids.uetr = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, UETR, TX "PmtId/UETR",
                  T.ids.uetr = SLICE("0D1B2C3D-4E5F-4A6B-8C7D-9E0F1A2B3C4D"));
    WRITE_REFUSES(ISO_PACS_008, UETR, TX "PmtId/UETR",
                  T.ids.uetr = SLICE("0d1b2c3d-4e5f-1a6b-8c7d-9e0f1a2b3c4d"));
    WRITE_REFUSES(ISO_PACS_008, UETR, TX "PmtId/UETR",
                  T.ids.uetr = SLICE("0d1b2c3d-4e5f-4a6b-7c7d-9e0f1a2b3c4d"));
    assert_int_equal(iso_rules_id(SLICE("UJ7-42")), ISO_RULE_NONE);
    assert_int_equal(iso_rules_id(SLICE("a/b")), ISO_RULE_NONE);
    assert_int_equal(iso_rules_id(SLICE("a//b")), ISO_RULE_SLASHES);
}

static void a_name_in_urdu_is_refused_and_its_letter_named(void **state)
{
    struct iso_refusal refusal;
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, CHARSET, TX "Cdtr/Nm",
                  T.creditor.name = SLICE("\xD8\xB9\xD9\x84\xDB\x8C"));
    assert_false(write_message(&made, false, &out, &refusal));
    assert_string_equal(refusal.detail, "U+0639");
    assert_int_equal(refusal.item, 1);
    WRITE_REFUSES(ISO_PACS_008, NOT_TEXT, TX "Cdtr/Nm", T.creditor.name = SLICE("a\nb"));
    WRITE_REFUSES(ISO_PACS_008, NOT_TEXT, TX "Cdtr/Nm", T.creditor.name = SLICE("a\xFF"));
    WRITE_REFUSES(ISO_PACS_008, BLANKS, TX "Cdtr/Nm", T.creditor.name = SLICE(" a"));
    WRITE_REFUSES(ISO_PACS_008, CHARSET, TX "Cdtr/Nm", T.creditor.name = SLICE("Zo\xC3\xAB"));
    assert_int_equal(iso_rules_name(SLICE("Nobody O'Nowhere")), ISO_RULE_NONE);
    assert_int_equal(iso_rules_name(SLICE("")), ISO_RULE_REQUIRED);
    assert_int_equal(iso_rules_name(SLICE("\xD8\xB9")), ISO_RULE_CHARSET);
}

static void accounts_and_institutions_are_checked(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, IBAN, TX "CdtrAcct/Id/IBAN",
                  T.creditor_account.iban = SLICE("PK76NBPA1234567890000999"));
    WRITE_REFUSES(ISO_PACS_008, IBAN, TX "DbtrAcct/Id/IBAN",
                  T.debtor_account.iban = SLICE("GB82WEST12345698765433"));
    WRITE_REFUSES(ISO_PACS_008, BIC, TX "CdtrAgt/FinInstnId/BICFI",
                  T.creditor_agent.bic = SLICE("DEMOPKK"));
    WRITE_REFUSES(ISO_PACS_008, LEI, TX "CdtrAgt/FinInstnId/LEI",
                  T.creditor_agent.lei = SLICE("ZZZZ"));
    WRITE_REFUSES(ISO_PACS_008, CURRENCY_UNKNOWN, TX "CdtrAcct/Ccy",
                  T.creditor_account.ccy = SLICE("XXX"));
    WRITE_REFUSES(ISO_PACS_008, VALUE, "GrpHdr/SttlmInf/SttlmMtd",
                  G.settlement_method = SLICE("CASH"));
    WRITE_REFUSES(ISO_PACS_008, NUMBER, TX "XchgRate", T.exchange_rate = SLICE("1e3"));
    WRITE_REFUSES(ISO_PACS_008, DATE, "GrpHdr/IntrBkSttlmDt", G.settlement_date = 5);
    WRITE_REFUSES(ISO_PACS_008, DATE, "GrpHdr/CreDtTm", G.creation_us = 5);
}

static void amounts_are_positive_and_of_one_currency(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, AMOUNT_NOT_POSITIVE, TX "IntrBkSttlmAmt", T.amount.minor = 0);
    WRITE_REFUSES(ISO_PACS_008, AMOUNT_NOT_POSITIVE, TX "IntrBkSttlmAmt", T.amount.minor = -1);
    WRITE_REFUSES(ISO_PACS_008, CURRENCY_UNKNOWN, TX "IntrBkSttlmAmt", T.amount.ccy = 999);
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, TX "IntrBkSttlmAmt", T.amount = money_of(0, 0));
    WRITE_REFUSES(ISO_PACS_008, COUNT_MISMATCH, "GrpHdr/NbOfTxs", G.count = 2);
    WRITE_REFUSES(ISO_PACS_008, SUM_MISMATCH, "GrpHdr/CtrlSum", G.total.minor++);
    WRITE_REFUSES(ISO_PACS_008, SUM_MISMATCH, "GrpHdr/TtlIntrBkSttlmAmt",
                  G.control_sum = SLICE("27812.5");
                  G.total.minor++);
    WRITE_REFUSES(ISO_PACS_004, SUM_MISMATCH, "GrpHdr/TtlRtrdIntrBkSttlmAmt",
                  G.control_sum = SLICE("27812.5");
                  G.total.ccy = CCY_USD);
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, "GrpHdr/CtrlSum", G.total = money_of(0, 0));
    WRITE_REFUSES(ISO_CAMT_056, SUM_MISMATCH, "CtrlData/CtrlSum", G.total.minor++);
    WRITE_REFUSES(ISO_PAIN_001, COUNT_MISMATCH, "PmtInf/NbOfTxs", G.payment.count = 7);
    WRITE_REFUSES(ISO_PAIN_001, SUM_MISMATCH, "PmtInf/CtrlSum", G.payment.control_sum = SLICE("1"));
    WRITE_REFUSES(ISO_PACS_008, CURRENCY_MIXED, "", made.n = 2; made.items[1] = made.items[0];
                  made.items[1].transfer.amount.ccy = CCY_USD);
}

static void charges_and_remittance(void **state)
{
    struct iso_charge charge = {money_of(0, CCY_PKR), {.bic = BANK_BR}};
    (void)state;
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, TX "ChrgBr", T.charge_bearer = SLICE(""));
    WRITE_REFUSES(ISO_PACS_008, VALUE, TX "ChrgBr", T.charge_bearer = SLICE("OUR"));
    WRITE_REFUSES(ISO_PACS_008, CHARGES_MISSING, TX "ChrgsInf", T.charge_bearer = SLICE("CRED"));
    WRITE_REFUSES(ISO_PACS_008, CHARGES_UNEXPECTED, TX "ChrgsInf", T.charge_bearer = SLICE("SLEV");
                  T.charges.n = 1; T.charges.at[0] = charge);
    WRITE_REFUSES(ISO_PACS_004, CHARGES_MISSING, "TxInf/ChrgsInf", F.charge_bearer = SLICE("CRED"));
    WRITE_REFUSES(ISO_PACS_008, REMITTANCE_BOTH, TX "RmtInf/Strd",
                  T.remittance.lines = ((struct iso_lines){1, {SLICE("a")}});
                  T.remittance.references = ((struct iso_lines){1, {SLICE("b")}}));
    WRITE_REFUSES(ISO_PACS_008, REMITTANCE_LINES, TX "RmtInf/Ustrd",
                  T.remittance.lines = ((struct iso_lines){2, {SLICE("a"), SLICE("b")}}));
    WRITE_REFUSES(ISO_PACS_008, REPEATED, TX "ChrgsInf", T.charges.n = ISO_CHARGES_MAX + 1;
                  for (size_t i = 0; i < ISO_CHARGES_MAX; i++) T.charges.at[i] = charge);
}

static void header_and_agents_agree(void **state)
{
    struct iso_header header = {.from_bic = US_BR,
                                .to_bic = BANK_BR,
                                .message_id = SLICE("UJ-2026-07-17-1"),
                                .definition = SLICE("pacs.008.001.08"),
                                .creation_us = 1784278800123000};
    struct iso_header h;
    struct iso_refusal refusal;
    (void)state;
    make_plain(&made, ISO_PACS_008);
    made.group.version = 8;
    assert_true(iso_rules_header(&header, &made.group, &made.items[0], &refusal));
    h = header;
    h.message_id = SLICE("other");
    assert_false(iso_rules_header(&h, &made.group, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_HEADER_ID);
    assert_string_equal(refusal.path, "AppHdr/BizMsgIdr");
    h = header;
    h.definition = SLICE("pacs.008.001.10");
    assert_false(iso_rules_header(&h, &made.group, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_HEADER_DEFINITION);
    h = header;
    h.to_bic = SLICE("ZZZZPKKA");
    assert_false(iso_rules_header(&h, &made.group, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_HEADER_BIC);
    assert_string_equal(refusal.path, "AppHdr/To/FIId/FinInstnId/BICFI");
    h = header;
    h.from_bic = SLICE("ZZZZPKKA");
    assert_false(iso_rules_header(&h, &made.group, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_HEADER_BIC);

    WRITE_REFUSES(ISO_PACS_008, AGENT_CONFLICT, TX "InstgAgt", T.instructing.bic = BANK_BR);
    WRITE_REFUSES(ISO_PACS_002, AGENT_CONFLICT, "TxInfAndSts/InstdAgt", F.instructed.bic = US_BR);
    WRITE_REFUSES(ISO_PACS_008, DATE_MISSING, TX "IntrBkSttlmDt", G.settlement_date = 0);
    WRITE_REFUSES(ISO_PACS_004, DATE_MISSING, "TxInf/IntrBkSttlmDt", G.settlement_date = 0);
    /* nothing to put into the header */
    WRITE_REFUSES(ISO_PACS_008, REQUIRED, "AppHdr/Fr", G.instructing = (struct iso_agent){0});
}

static void follow_ups_say_about_what_and_why(void **state)
{
    (void)state;
    WRITE_REFUSES(ISO_PACS_002, ORIGINAL_UNNAMED, "TxInfAndSts/OrgnlEndToEndId",
                  F.ids.end_to_end_id = SLICE(""));
    WRITE_REFUSES(ISO_PACS_002, REASON_MISSING, "TxInfAndSts/StsRsnInf", F.reasons.n = 0);
    WRITE_REFUSES(ISO_PACS_004, REASON_MISSING, "TxInf/RtrRsnInf", F.reasons.at[0].code = SLICE("");
                  F.reasons.at[0].info.n = 1; F.reasons.at[0].info.at[0] = SLICE("because"));
    WRITE_REFUSES(ISO_CAMT_056, REASON_MISSING, "Undrlyg/TxInf/CxlRsnInf", F.reasons.n = 0);
    WRITE_REFUSES(ISO_CAMT_029, REASON_MISSING, "CxlDtls/TxInfAndSts/CxlStsRsnInf",
                  F.reasons.n = 0);
    WRITE_REFUSES(ISO_CAMT_029, VALUE, "CxlDtls/TxInfAndSts/TxCxlSts", F.status = SLICE("RJCT"));
    WRITE_REFUSES(ISO_PACS_002, NARRATIVE_MISSING, "TxInfAndSts/StsRsnInf/AddtlInf",
                  F.reasons.at[0].code = SLICE("NARR"));
    WRITE_REFUSES(ISO_PACS_002, BOTH_GIVEN, "TxInfAndSts/StsRsnInf/Rsn/Prtry",
                  F.reasons.at[0].proprietary = SLICE("own"));
    WRITE_REFUSES(ISO_PACS_002, REQUIRED, "TxInfAndSts/TxSts", F.status = SLICE(""));
    WRITE_REFUSES(ISO_PACS_004, REQUIRED, "TxInf/RtrId", F.id = SLICE(""));
    WRITE_REFUSES(ISO_CAMT_056, AGENT_UNNAMED, "Undrlyg/TxInf/Case/Cretr/Agt/FinInstnId/BICFI",
                  F.case_id = SLICE("C1"));
    WRITE_REFUSES(ISO_CAMT_054, REQUIRED, "Ntfctn/Ntry/CdtDbtInd", E.sign = ISO_NO_SIGN);
    WRITE_REFUSES(ISO_CAMT_053, REQUIRED, "Stmt/Bal", G.statement.balances.n = 0);
}

/* ---------------------------------------------------------------- reading */

static void refused_when_read(enum iso_kind kind, const char *from, const char *to,
                              enum iso_rule rule, const char *path, int line)
{
    struct iso_refusal refusal = {0};
    struct iso_refusal unread = {0};
    char text[ISO_REFUSAL_TEXT_SIZE];
    char changed[16384];
    const char *at = NULL;
    int n = 0;

    make_plain(&made, kind);
    assert_true(write_message(&made, false, &out, &refusal));
    assert_ok(buf_append_char(&out, '\0'));
    at = strstr((const char *)buf_data(&out), from);
    if (at == NULL)
        fail_msg("line %d: there is no %s in it", line, from);
    n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - (const char *)buf_data(&out)),
                 (const char *)buf_data(&out), to, at + strlen(from));
    assert_true(n > 0 && (size_t)n < sizeof changed);
    if (read_bytes(slice_of(changed, (size_t)n), NULL, NULL, &unread))
        fail_msg("line %d: it was read, not refused with %s", line, iso_rule_name(rule));
    if (unread.rule != rule || strcmp(unread.path, path) != 0 || unread.line == 0)
        fail_msg("line %d: wanted %s at %s, got %s", line, iso_rule_name(rule), path,
                 iso_refusal_text(&unread, text));
}

#define READ_REFUSES(kind, from, to, rule, path)                                                   \
    refused_when_read(kind, from, to, ISO_RULE_##rule, path, __LINE__)

static void what_the_xsd_lets_pass_is_refused_when_read(void **state)
{
    (void)state;
    READ_REFUSES(ISO_PACS_008, "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50<",
                 "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50000<", AMOUNT_SHAPE, TX "IntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50<",
                 "<IntrBkSttlmAmt Ccy=\"JPY\">27812.50<", AMOUNT_SHAPE, TX "IntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50<",
                 "<IntrBkSttlmAmt Ccy=\"PKR\">-1<", AMOUNT_NOT_POSITIVE, TX "IntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50<",
                 "<IntrBkSttlmAmt Ccy=\"ZZZ\">1<", CURRENCY_UNKNOWN, TX "IntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50<", "<IntrBkSttlmAmt>1<",
                 CURRENCY_UNKNOWN, TX "IntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "PK24MUCB0646609971000177", "PK25MUCB0646609971000177", IBAN,
                 TX "CdtrAcct/Id/IBAN");
    READ_REFUSES(ISO_PACS_008, "<Nm>Made Up Platform Inc</Nm>", "", PARTY_UNNAMED, TX "Dbtr/Nm");
    READ_REFUSES(ISO_PACS_008, "<TwnNm>Sialkot</TwnNm><Ctry>PK</Ctry>", "<AdrLine>x</AdrLine>",
                 ADDRESS_UNSTRUCTURED, TX "Dbtr/PstlAdr/AdrLine");
    READ_REFUSES(ISO_PACS_008, "<EndToEndId>UJ7-42", "<EndToEndId>UJ7//42", SLASHES,
                 TX "PmtId/EndToEndId");
    READ_REFUSES(ISO_PACS_008, "<UETR>0d1b", "<UETR>0D1B", UETR, TX "PmtId/UETR");
    READ_REFUSES(ISO_PACS_008, "<BizMsgIdr>UJ", "<BizMsgIdr>XX", HEADER_ID, "AppHdr/BizMsgIdr");
    READ_REFUSES(ISO_PACS_008, "<MsgDefIdr>pacs.008", "<MsgDefIdr>pacs.009", HEADER_DEFINITION,
                 "AppHdr/MsgDefIdr");
    READ_REFUSES(ISO_PACS_008, "<To><FIId><FinInstnId><BICFI>DEMO",
                 "<To><FIId><FinInstnId><BICFI>ZZZZ", HEADER_BIC,
                 "AppHdr/To/FIId/FinInstnId/BICFI");
    READ_REFUSES(ISO_PACS_008, "SHAR", "CRED", CHARGES_MISSING, TX "ChrgsInf");
    READ_REFUSES(ISO_PACS_008, "<NbOfTxs>1<", "<NbOfTxs>2<", COUNT_MISMATCH, "GrpHdr/NbOfTxs");
    READ_REFUSES(ISO_PACS_008, "<CtrlSum>27812.50<", "<CtrlSum>27812.51<", SUM_MISMATCH,
                 "GrpHdr/CtrlSum");
    READ_REFUSES(ISO_PACS_008, "<TtlIntrBkSttlmAmt Ccy=\"PKR\">27812.50",
                 "<TtlIntrBkSttlmAmt Ccy=\"PKR\">1", SUM_MISMATCH, "GrpHdr/TtlIntrBkSttlmAmt");
    READ_REFUSES(ISO_PACS_008, "<Nm>Nobody Anywhere", "<Nm>\xD8\xB9\xD9\x84\xDB\x8C", CHARSET,
                 TX "Cdtr/Nm");
    READ_REFUSES(ISO_PACS_008, "<CreDtTm>2026-07-17T", "<CreDtTm>2026-02-30T", DATE,
                 "GrpHdr/CreDtTm");
    READ_REFUSES(ISO_PAIN_001, "<PmtMtd>TRF", "<PmtMtd>CHK", VALUE, "PmtInf/PmtMtd");
}

#define AGENT(name, bic) "<" name "><FinInstnId><BICFI>" bic "</BICFI></FinInstnId></" name ">"

static void agents_that_stand_with_a_payment_are_held_against_the_header(void **state)
{
    char from[200];
    struct buf changed;
    struct iso_refusal refusal;
    const char *at = NULL;
    (void)state;
    (void)snprintf(from, sizeof from, "%s%s", AGENT("InstgAgt", "UJRTPKKAXXX"),
                   AGENT("InstdAgt", "DEMOPKKA"));
    make_plain(&made, ISO_PACS_008);
    assert_true(write_message(&made, false, &out, &refusal));
    assert_ok(buf_append_char(&out, '\0'));
    for (int wrong = 0; wrong < 2; wrong++) {
        buf_init(&changed, 1 << 16);
        at = strstr((const char *)buf_data(&out), from);
        assert_non_null(at);
        assert_ok(
            buf_append(&changed, buf_data(&out), (size_t)(at - (const char *)buf_data(&out))));
        at += strlen(from);
        assert_ok(buf_append(&changed, at, (size_t)(strstr(at, "<Dbtr>") - at)));
        assert_ok(buf_printf(&changed, "%s%s%s", AGENT("InstgAgt", "UJRTPKKAXXX"),
                             wrong ? AGENT("InstdAgt", "ZZZZPKKA") : AGENT("InstdAgt", "DEMOPKKA"),
                             strstr(at, "<Dbtr>")));
        assert_int_equal(read_bytes(buf_slice(&changed), NULL, NULL, &refusal), !wrong);
        assert_int_equal(refusal.rule, wrong ? ISO_RULE_HEADER_BIC : ISO_RULE_NONE);
        buf_deinit(&changed);
    }
    /* the second payment's as well as the first's */
    READ_REFUSES(ISO_PACS_002,
                 AGENT("InstdAgt", "DEMOPKKA") "</GrpHdr>\n<TxInfAndSts><StsId>B-1</StsId>",
                 "</GrpHdr>\n"
                 "<TxInfAndSts><OrgnlTxId>1</OrgnlTxId><TxSts>ACSC</TxSts></TxInfAndSts>"
                 "<TxInfAndSts><OrgnlTxId>1</OrgnlTxId><TxSts>ACSC</TxSts>" AGENT(
                     "InstdAgt", "ZZZZPKKA") "</TxInfAndSts><TxInfAndSts><StsId>B-1</StsId>",
                 HEADER_BIC, "AppHdr/To/FIId/FinInstnId/BICFI");
    READ_REFUSES(ISO_PACS_008, AGENT("InstdAgt", "DEMOPKKA"), "", AGENT_MISSING, TX "InstdAgt");
}

static void elements_stand_where_they_belong_and_as_often(void **state)
{
    (void)state;
    READ_REFUSES(ISO_PACS_008, "<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>1</NbOfTxs><NbOfTxs>1</NbOfTxs>",
                 REPEATED, "GrpHdr/NbOfTxs");
    READ_REFUSES(ISO_PACS_008, "<MsgId>UJ-2026-07-17-1</MsgId>", "", REQUIRED, "GrpHdr/MsgId");
    READ_REFUSES(ISO_PACS_008, "<CdtrAgt>", "<UltmtCdtr><Nm>x</Nm></UltmtCdtr><CdtrAgt>",
                 OUT_OF_PLACE, TX "CdtrAgt");
    READ_REFUSES(ISO_PACS_008, "<EndToEndId>UJ7-42", "<EndToEndId><b/>UJ7-42", OUT_OF_PLACE,
                 TX "PmtId/EndToEndId");
    READ_REFUSES(ISO_PACS_008, "<EndToEndId>UJ7-42", "<EndToEndId>", REQUIRED,
                 TX "PmtId/EndToEndId");
}

static void whole_groups_are_not_recalled_or_returned_unseen(void **state)
{
    (void)state;
    READ_REFUSES(ISO_PACS_004, "<TtlRtrdIntrBkSttlmAmt",
                 "<GrpRtr>true</GrpRtr><TtlRtrdIntrBkSttlmAmt", VALUE, "GrpHdr/GrpRtr");
    READ_REFUSES(ISO_CAMT_056, "<Undrlyg>",
                 "<Undrlyg><OrgnlGrpInfAndCxl><OrgnlMsgId>1</OrgnlMsgId><OrgnlMsgNmId>pacs.008"
                 "</OrgnlMsgNmId><GrpCxl>true</GrpCxl></OrgnlGrpInfAndCxl>",
                 VALUE, "Undrlyg/OrgnlGrpInfAndCxl/GrpCxl");
}

static void refusals_read_like_sentences(void **state)
{
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    (void)state;
    assert_false(
        iso_refuse(&refusal, ISO_RULE_IBAN, "CdtTrfTxInf/CdtrAcct/Id/IBAN", "%s", "mod 97\n"));
    refusal.item = 17;
    refusal.line = 19;
    assert_string_equal(
        iso_refusal_text(&refusal, text),
        "IBAN at CdtTrfTxInf/CdtrAcct/Id/IBAN, transaction 17, line 19: It is not an IBAN "
        "with right check digits (ISO 13616). (mod 97?)");
    assert_string_equal(iso_rule_name(ISO_RULE_NONE), "NONE");
    for (int rule = 1; rule <= ISO_RULE_NO_MEMORY; rule++)
        assert_true(iso_rule_text((enum iso_rule)rule)[0] != '\0');
}

static int start(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    buf_deinit(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages_of_every_kind_are_written),
        cmocka_unit_test(parties_and_agents_must_be_named),
        cmocka_unit_test(addresses_need_town_and_country),
        cmocka_unit_test(ids_have_no_slashes_at_their_ends_or_two_in_a_row),
        cmocka_unit_test(a_name_in_urdu_is_refused_and_its_letter_named),
        cmocka_unit_test(accounts_and_institutions_are_checked),
        cmocka_unit_test(amounts_are_positive_and_of_one_currency),
        cmocka_unit_test(charges_and_remittance),
        cmocka_unit_test(header_and_agents_agree),
        cmocka_unit_test(follow_ups_say_about_what_and_why),
        cmocka_unit_test(what_the_xsd_lets_pass_is_refused_when_read),
        cmocka_unit_test(agents_that_stand_with_a_payment_are_held_against_the_header),
        cmocka_unit_test(elements_stand_where_they_belong_and_as_often),
        cmocka_unit_test(whole_groups_are_not_recalled_or_returned_unseen),
        cmocka_unit_test(refusals_read_like_sentences),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
