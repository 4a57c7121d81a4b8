/* What banks really send: other prefixes and wrappers, several blocks, batches, times without an offset, codes nobody knows. */
#include "iso20022/codes.h"
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

/* What was told, a line each. */
struct told {
    char text[4096];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct told *t, const char *format, ...)
{
    va_list args;
    int n = 0;
    va_start(args, format);
    n = vsnprintf(t->text + t->len, sizeof t->text - t->len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof t->text - t->len);
    t->len += (size_t)n;
}

static bool group(void *user, const struct iso_header *h, const struct iso_group *g,
                  struct iso_refusal *why)
{
    (void)why;
    say(user, "%s%.*s block=%.*s original=%.*s status=%.*s\n", h == NULL ? "" : "header ",
        SLICE_ARG(g->message_id),
        SLICE_ARG(g->kind == ISO_PAIN_001 ? g->payment.id : g->statement.id),
        SLICE_ARG(g->original.message_id), SLICE_ARG(g->status));
    return true;
}

static void say_transfer(struct told *t, const struct iso_transfer *x)
{
    say(t, " pay %.*s %lld from %.*s on %d\n", SLICE_ARG(x->ids.end_to_end_id),
        (long long)x->amount.minor, SLICE_ARG(x->debtor.name), x->settlement_date);
}

static void say_follow_up(struct told *t, enum iso_kind kind, const struct iso_follow_up *f)
{
    struct iso_code code;
    iso_reason_explain(kind, &f->reasons, &code);
    say(t, " about %.*s of %.*s: %.*s %s%s%s tax=%lld eprc=%.*s day=%d\n",
        SLICE_ARG(f->ids.end_to_end_id), SLICE_ARG(f->original.message_id), SLICE_ARG(f->status),
        code.text, code.known ? " known" : "", code.proprietary ? " own" : "",
        (long long)f->tax_withheld.minor, SLICE_ARG(f->eprc_number), f->date);
}

static void say_entry(struct told *t, const struct iso_entry *e)
{
    say(t, " entry %.*s %c%lld #%llu %.*s %lld tax=%lld eprc=%.*s return=%.*s day=%d\n",
        SLICE_ARG(e->reference), e->sign == ISO_CREDIT ? '+' : '-', (long long)e->amount.minor,
        (unsigned long long)e->details_number, SLICE_ARG(e->details.ids.end_to_end_id),
        (long long)e->details.amount.minor, (long long)e->details.tax_withheld.minor,
        SLICE_ARG(e->details.eprc_number), SLICE_ARG(e->details.return_reason), e->booking_date);
}

static bool item(void *user, const struct iso_group *g, const union iso_item *i,
                 struct iso_refusal *why)
{
    (void)why;
    switch (iso_definition(g->kind)->item) {
    case ISO_ITEM_TRANSFER:
        say_transfer(user, &i->transfer);
        break;
    case ISO_ITEM_FOLLOW_UP:
        say_follow_up(user, g->kind, &i->follow_up);
        break;
    case ISO_ITEM_ENTRY:
        say_entry(user, &i->entry);
        break;
    }
    return true;
}

/* Hands out one byte at a time: nothing may hang on how the bytes are cut. */
static int one_byte(void *user, char *out, int len)
{
    return iso_read_slice(user, out, len > 1 ? 1 : len);
}

static void tells(struct slice bytes, const char *expected)
{
    for (int way = 0; way < 2; way++) {
        struct told t = {.len = 0};
        struct iso_sink sink = {&t, group, item};
        struct iso_refusal refusal;
        struct slice rest = bytes;
        char text[ISO_REFUSAL_TEXT_SIZE];
        if (!iso_read(NULL, way == 0 ? iso_read_slice : one_byte, &rest, &sink, &refusal))
            fail_msg("%s", iso_refusal_text(&refusal, text));
        assert_string_equal(t.text, expected);
    }
}

#define TELLS(literal, expected) tells(SLICE(literal), expected)

#define NS(name)      "urn:iso:std:iso:20022:tech:xsd:" name
#define DOC(name)     "<Document xmlns=\"" NS(name) "\">"
#define STATUS_HEADER "<GrpHdr><MsgId>B1</MsgId><CreDtTm>2026-07-17T14:00:00</CreDtTm></GrpHdr>"

static void prefixes_marks_comments_and_cdata_change_nothing(void **state)
{
    (void)state;
    TELLS(
        "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n<!-- a bank -->\r\n"
        "<p:Document xmlns:p=\"" NS(
            "pacs.002.001.10") "\"><p:FIToFIPmtStsRpt>\r\n"
                               "<p:GrpHdr><p:MsgId><![CDATA[B1]]></p:MsgId><p:CreDtTm> 2026-07-17T09:00:00Z </p:CreDtTm></p:GrpHdr>\r\n"
                               "<p:TxInfAndSts><p:OrgnlEndToEndId>UJ7<!-- x -->-<?pi?>4&#50;</p:OrgnlEndToEndId><p:TxSts>ACSC</p:TxSts>"
                               "</p:TxInfAndSts></p:FIToFIPmtStsRpt></p:Document>\r\n",
        "B1 block= original= status=\n about UJ7-42 of : ACSC  tax=0 eprc= day=0\n");
}

static void wrappers_of_any_name_are_taken(void **state)
{
    (void)state;
    TELLS(
        "<Envelope xmlns=\"urn:bank\"><Body><AppHdr xmlns=\"" NS(
            "head.001.001.02") "\">"
                               "<Fr><OrgId><Id><OrgId><AnyBIC>DEMOPKKA</AnyBIC></OrgId></Id></OrgId></Fr>"
                               "<To><FIId><FinInstnId><BICFI>UJRTPKKAXXX</BICFI></FinInstnId></FIId></To>"
                               "<BizMsgIdr>B1</BizMsgIdr><MsgDefIdr>pacs.002.001.10</MsgDefIdr><CreDt>2026-07-17T09:00:00Z</CreDt>"
                               "</AppHdr>" DOC(
                                   "pacs.002.001.10") "<FIToFIPmtStsRpt>" STATUS_HEADER
                                                      "</FIToFIPmtStsRpt></Document></Body></Envelope>",
        "header B1 block= original= status=\n");
}

static void a_whole_file_may_be_rejected_at_once(void **state)
{
    (void)state;
    TELLS(
        DOC("pacs.002.001.10") "<FIToFIPmtStsRpt>" STATUS_HEADER
                               "<OrgnlGrpInfAndSts><OrgnlMsgId>UJ-1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId>"
                               "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
                               "</FIToFIPmtStsRpt></Document>",
        "B1 block= original=UJ-1 status=RJCT\n");
}

static void unknown_codes_are_kept_as_they_came(void **state)
{
    (void)state;
    TELLS(
        DOC("pacs.002.001.10") "<FIToFIPmtStsRpt>" STATUS_HEADER
                               "<OrgnlGrpInfAndSts><OrgnlMsgId>UJ-1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInfAndSts>"
                               "<TxInfAndSts><OrgnlEndToEndId>UJ7-1</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
                               "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed \xD8\xA8</AddtlInf></StsRsnInf></TxInfAndSts>"
                               "<TxInfAndSts><OrgnlEndToEndId>UJ7-2</OrgnlEndToEndId><TxSts>zz9</TxSts>"
                               "<StsRsnInf><Rsn><Cd>zz99</Cd></Rsn></StsRsnInf><FctvIntrBkSttlmDt><DtTm>2026-07-17T01:00:00+05:00</DtTm>"
                               "</FctvIntrBkSttlmDt></TxInfAndSts>"
                               "<TxInfAndSts><OrgnlEndToEndId>UJ7-3</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
                               "<StsRsnInf><Rsn><Prtry>our rule 7</Prtry></Rsn></StsRsnInf></TxInfAndSts>"
                               "</FIToFIPmtStsRpt></Document>",
        "B1 block= original=UJ-1 status=\n"
        " about UJ7-1 of UJ-1: RJCT AC04 known tax=0 eprc= day=0\n"
        " about UJ7-2 of UJ-1: zz9 zz99 tax=0 eprc= day=20651\n"
        " about UJ7-3 of UJ-1: RJCT our rule 7 own tax=0 eprc= day=0\n");
}

#define PART(inner) "<SplmtryData><Envlp>" inner "</Envlp></SplmtryData>"

static void tax_and_certificate_stand_in_supplementary_data_among_others(void **state)
{
    (void)state;
    TELLS(
        DOC("pacs.002.001.10") "<FIToFIPmtStsRpt>" STATUS_HEADER
                               "<TxInfAndSts><OrgnlEndToEndId>UJ7-1</OrgnlEndToEndId><TxSts>ACCC</TxSts>" PART(
                                   "<x xmlns=\"urn:bank\"><TaxWthld>9</TaxWthld></x>")
                                   PART(
                                       "<Rlstn xmlns=\"urn:ujrat:settlement:realisation:1\"><TaxWthld Ccy=\"PKR\">278.13</TaxWthld>"
                                       "<EPrcNb>EPRC-1</EPrcNb></Rlstn>")
                                       PART(
                                           "<Rlstn><EPrcNb>not ours</EPrcNb></Rlstn>") "</TxInfAndSts></FIToFIPmtStsRpt></Document>",
        "B1 block= original= status=\n about UJ7-1 of : ACCC  tax=27813 eprc=EPRC-1 day=0\n");
}

#define BLOCK(id, n, name, txs)                                                                    \
    "<PmtInf><PmtInfId>" id "</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>" n                           \
    "</NbOfTxs><ReqdExctnDt><Dt>2026-07-17+05:00</Dt></ReqdExctnDt>"                               \
    "<Dbtr><Nm>" name "</Nm></Dbtr><DbtrAcct><Id><Othr><Id>1</Id></Othr></Id></DbtrAcct>"          \
    "<DbtrAgt><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></DbtrAgt>" txs "</PmtInf>"
#define PAY(id)                                                                                              \
    "<CdtTrfTxInf><PmtId><InstrId>" id "</InstrId><EndToEndId>" id "</EndToEndId>"                           \
    "<UETR>0d1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d</UETR></PmtId><Amt><InstdAmt Ccy=\"PKR\">1</InstdAmt></Amt>" \
    "<CdtrAgt><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>N</Nm></Cdtr>"             \
    "<CdtrAcct><Id><Othr><Id>2</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"

static void each_payment_block_has_its_own_debtor(void **state)
{
    (void)state;
    TELLS(
        DOC("pain.001.001.09") "<CstmrCdtTrfInitn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-07-17T14:00:00</CreDtTm>"
                               "<NbOfTxs>3</NbOfTxs><CtrlSum>3.000</CtrlSum><InitgPty><Nm>I</Nm></InitgPty></GrpHdr>" BLOCK(
                                   "P1", "2", "First", PAY("a") PAY("b"))
                                   BLOCK("P2", "1", "Second",
                                         PAY("c")) "</CstmrCdtTrfInitn></Document>",
        "M block=P1 original= status=\n pay a 100 from First on 20651\n pay b 100 from First on 20651\n"
        "M block=P2 original= status=\n pay c 100 from Second on 20651\n");
}

#define RECALL(original, id)                                                                       \
    "<Undrlyg><OrgnlGrpInfAndCxl><OrgnlMsgId>" original                                            \
    "</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId>"                                    \
    "<GrpCxl>false</GrpCxl></OrgnlGrpInfAndCxl><TxInf><OrgnlEndToEndId>" id "</OrgnlEndToEndId>"   \
    "<CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg>"

static void recalls_of_several_files_keep_theirs_apart(void **state)
{
    (void)state;
    TELLS(
        DOC("camt.056.001.08") "<FIToFIPmtCxlReq><Assgnmt><Id>C1</Id>"
                               "<Assgnr><Agt><FinInstnId><BICFI>UJRTPKKAXXX</BICFI></FinInstnId></Agt></Assgnr>"
                               "<Assgne><Agt><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></Agt></Assgne>"
                               "<CreDtTm>2026-07-17T14:00:00</CreDtTm></Assgnmt><CtrlData><NbOfTxs>2</NbOfTxs></CtrlData>" RECALL(
                                   "UJ-1", "UJ7-1")
                                   RECALL("UJ-2", "UJ7-2") "</FIToFIPmtCxlReq></Document>",
        "C1 block= original=UJ-1 status=\n about UJ7-1 of UJ-1:  DUPL known tax=0 eprc= day=0\n"
        "C1 block= original=UJ-2 status=\n about UJ7-2 of UJ-2:  DUPL known tax=0 eprc= day=0\n");
}

static bool tell_cases(void *user, const struct iso_group *g, const union iso_item *i,
                       struct iso_refusal *why)
{
    (void)why;
    say(user, "%.*s: message %.*s, block %.*s %.*s, own %.*s\n",
        SLICE_ARG(i->follow_up.ids.end_to_end_id), SLICE_ARG(g->case_id),
        SLICE_ARG(g->block_case_id), SLICE_ARG(g->block_cancel_id),
        SLICE_ARG(i->follow_up.case_id));
    return true;
}

#define AGENT_OF(bic) "<Agt><FinInstnId><BICFI>" bic "</BICFI></FinInstnId></Agt>"
#define CASE(id)      "<RslvdCase><Id>" id "</Id><Cretr>" AGENT_OF("UJRTPKKA") "</Cretr></RslvdCase>"
#define ANSWER(before, id)                                                                         \
    "<TxInfAndSts>" before "<OrgnlEndToEndId>" id "</OrgnlEndToEndId><TxCxlSts>ACCR</TxCxlSts>"    \
    "</TxInfAndSts>"
#define OF_MESSAGE "<OrgnlMsgId>UJ-1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId>"

/* A case may stand in three places. What one block says is not said of the next. */
static void the_case_of_an_answer_is_told_from_wherever_it_stands(void **state)
{
    struct told told = {0};
    const struct iso_sink sink = {&told, NULL, tell_cases};
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];
    (void)state;
    if (!read_bytes(
            slice_str(DOC("camt.029.001.09") "<RsltnOfInvstgtn><Assgnmt><Id>A1</Id><Assgnr>" AGENT_OF("DEMOPKKA") "</Assgnr><Assgne>" AGENT_OF(
                "UJRTPKKA") "</Assgne><CreDtTm>2026-07-17T14:00:00</CreDtTm></Assgnmt>" CASE("UJQ-DEMO-1") "<Sts><Conf>CNCL</Conf></Sts>"
                                                                                                           "<CxlDtls><OrgnlGrpInfAndSts><OrgnlGrpCxlId>UJQ-DEMO-2</OrgnlGrpCxlId>" CASE(
                                                                                                               "UJQ-DEMO-3")
                                                                                                               OF_MESSAGE
                      "</OrgnlGrpInfAndSts>" ANSWER(CASE("UJQ-DEMO-4"), "UJ7-1") ANSWER(
                          "", "UJ7-2") "</CxlDtls>"
                                       "<CxlDtls><OrgnlGrpInfAndSts>" OF_MESSAGE
                                       "</OrgnlGrpInfAndSts>" ANSWER(
                                           "", "UJ7-3") "</CxlDtls></RsltnOfInvstgtn></Document>"),
            NULL, &sink, &refusal))
        fail_msg("%s", iso_refusal_text(&refusal, text));
    assert_string_equal(told.text,
                        "UJ7-1: message UJQ-DEMO-1, block UJQ-DEMO-3 UJQ-DEMO-2, own UJQ-DEMO-4\n"
                        "UJ7-2: message UJQ-DEMO-1, block UJQ-DEMO-3 UJQ-DEMO-2, own \n"
                        "UJ7-3: message UJQ-DEMO-1, block  , own \n");
}

#define ENTRY(ref, amount, sign, details)                                                          \
    "<Ntry><NtryRef>" ref "</NtryRef><Amt Ccy=\"PKR\">" amount "</Amt><CdtDbtInd>" sign            \
    "</CdtDbtInd>"                                                                                 \
    "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-07-17</Dt></BookgDt><BkTxCd/>" details "</Ntry>"
#define DETAILS(id, rest) "<TxDtls><Refs><EndToEndId>" id "</EndToEndId></Refs>" rest "</TxDtls>"

static void batches_of_entries_are_told_one_by_one(void **state)
{
    (void)state;
    TELLS(
        DOC("camt.054.001.08") "<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-07-17T14:00:00</CreDtTm></GrpHdr>"
                               "<Ntfctn><Id>N1</Id><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>" ENTRY(
                                   "1", "3.00", "DBIT",
                                   "<NtryDtls>" DETAILS(
                                       "UJ7-1",
                                       "<Amt Ccy=\"PKR\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Tax><TtlTaxAmt Ccy=\"PKR\">0.01"
                                       "</TtlTaxAmt><Rcrd><CertId>E//1</CertId></Rcrd></Tax>")
                                       DETAILS("UJ7-2", "<Amt Ccy=\"PKR\">2</Amt>") "</NtryDtls>")
                                   ENTRY("2", "0", "CRDT", "") ENTRY(
                                       "3", "5.00", "CRDT",
                                       "<NtryDtls>" DETAILS(
                                           "NOTPROVIDED",
                                           "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>") "</NtryDtls>"
                                                                                        "<NtryDtls>" DETAILS(
                                                                                            "UJ7-4",
                                                                                            "") "</NtryDtls>") "</Ntfctn><Ntfctn><Id>N2</Id><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct></Ntfctn>"
                                                                                                               "</BkToCstmrDbtCdtNtfctn></Document>",
        "M block=N1 original= status=\n"
        " entry 1 -300 #1 UJ7-1 100 tax=1 eprc=E//1 return= day=20651\n"
        " entry 1 -300 #2 UJ7-2 200 tax=0 eprc= return= day=20651\n"
        " entry 2 +0 #0  0 tax=0 eprc= return= day=20651\n"
        " entry 3 +500 #1 NOTPROVIDED 0 tax=0 eprc= return=AC04 day=20651\n"
        " entry 3 +500 #2 UJ7-4 0 tax=0 eprc= return= day=20651\n"
        "M block=N2 original= status=\n");
}

static bool count(void *user, const struct iso_group *g, const union iso_item *i,
                  struct iso_refusal *why)
{
    (void)g;
    (void)i;
    (void)why;
    ++*(int *)user;
    return true;
}

/* head, n times the middle, tail: all told. */
static void tells_many(const char *head, const char *middle, int n, const char *tail)
{
    int told = 0;
    struct iso_sink sink = {&told, NULL, count};
    struct iso_refusal refusal;
    struct buf b;
    char text[ISO_REFUSAL_TEXT_SIZE];
    buf_init(&b, 16U << 20);
    assert_ok(buf_append(&b, head, strlen(head)));
    for (int i = 0; i < n; i++)
        assert_ok(buf_append(&b, middle, strlen(middle)));
    assert_ok(buf_append(&b, tail, strlen(tail)));
    if (!read_bytes(buf_slice(&b), NULL, &sink, &refusal))
        fail_msg("%s", iso_refusal_text(&refusal, text));
    assert_int_equal(told, n);
    buf_deinit(&b);
}

/* More text than the reader keeps at once. */
static void neither_many_details_nor_many_blocks_fill_memory(void **state)
{
    (void)state;
    tells_many(
        DOC("camt.054.001.08") "<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-07-17T14:00:00"
                               "</CreDtTm></GrpHdr><Ntfctn><Id>N1</Id><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct><Ntry><Amt Ccy=\"PKR\">"
                               "1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BkTxCd/><NtryDtls>",
        DETAILS("12345678901234567890123456789012345", ""), 3000,
        "</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>");
    tells_many(
        DOC("pain.001.001.09") "<CstmrCdtTrfInitn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-07-17T14:00:00</CreDtTm>"
                               "<NbOfTxs>3000</NbOfTxs><CtrlSum>3000</CtrlSum><InitgPty><Nm>I</Nm></InitgPty></GrpHdr>",
        BLOCK("P1", "1", "A name that takes some room in memory", PAY("a")), 3000,
        "</CstmrCdtTrfInitn></Document>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_marks_comments_and_cdata_change_nothing),
        cmocka_unit_test(wrappers_of_any_name_are_taken),
        cmocka_unit_test(a_whole_file_may_be_rejected_at_once),
        cmocka_unit_test(unknown_codes_are_kept_as_they_came),
        cmocka_unit_test(tax_and_certificate_stand_in_supplementary_data_among_others),
        cmocka_unit_test(each_payment_block_has_its_own_debtor),
        cmocka_unit_test(recalls_of_several_files_keep_theirs_apart),
        cmocka_unit_test(the_case_of_an_answer_is_told_from_wherever_it_stands),
        cmocka_unit_test(batches_of_entries_are_told_one_by_one),
        cmocka_unit_test(neither_many_details_nor_many_blocks_fill_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
