/* The reader of bank statements: what it takes out of them, and what it refuses. */
#include "audit/camt053.h"
#include "base/buf.h"
#include "unit.h"

#include <libxml/parser.h>
#include <libxml/xmlIO.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- a sink that writes down what it is told */

struct told {
    char text[8192];
    size_t len;
    bool refuse;
};

struct bytes {
    const char *p;
    size_t len;
    int step; /* at most so many at once; 0: as many as are wanted */
};

__attribute__((format(printf, 2, 3))) static bool say(struct told *told, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(told->text + told->len, sizeof told->text - told->len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof told->text - told->len);
    told->len += (size_t)n;
    return !told->refuse;
}

static int digits(void *user, const char *ccy)
{
    (void)user;
    return strcmp(ccy, "PKR") == 0 ? 2 : (strcmp(ccy, "JPY") == 0 ? 0 : -1);
}

static bool begin(void *user, const struct camt_statement *s)
{
    say(user, "%d %s %s %s %lld %s\n", s->version, s->id, s->account, s->account_ccy,
        (long long)s->sequence, s->bic);
    for (size_t i = 0; i < s->n_balances; i++)
        say(user, " %s %lld\n", s->balances[i].code, (long long)s->balances[i].minor);
    return !((struct told *)user)->refuse;
}

static bool transaction(void *user, const struct camt_statement *s, const struct camt_entry *e,
                        const struct camt_transaction *t)
{
    (void)s;
    return say(user, "  tx %llu e2e=%s ref=%s %lld%s charges=%lld %s\n",
               (unsigned long long)e->n_transactions, t->end_to_end_id, t->bank_reference,
               (long long)t->signed_minor, t->amount.present ? "" : "?", (long long)t->charges,
               t->return_reason);
}

static bool entry(void *user, const struct camt_statement *s, const struct camt_entry *e)
{
    (void)s;
    return say(user, " entry %llu %lld status=%d day=%d ref=%s charges=%lld %s%s\n",
               (unsigned long long)e->number, (long long)e->signed_minor, (int)e->status,
               e->booking_date, e->bank_reference, (long long)e->charges, e->sub_family,
               e->reversal ? " reversal" : "");
}

static bool end(void *user, const struct camt_statement *s)
{
    return say(user, "end %llu\n", (unsigned long long)s->n_entries);
}

static int take_bytes(void *source, char *out, int len)
{
    struct bytes *b = source;
    size_t n = (size_t)len;

    if (b->step > 0 && n > (size_t)b->step)
        n = (size_t)b->step;
    if (n > b->len)
        n = b->len;
    memcpy(out, b->p, n);
    b->p += n;
    b->len -= n;
    return (int)n;
}

static bool read_text(const char *text, size_t len, int step, struct told *told,
                      struct camt_error *error)
{
    struct camt_sink sink = {told, digits, begin, transaction, entry, end};
    struct bytes bytes = {text, len, step};

    *told = (struct told){.refuse = told->refuse};
    return camt053_read(take_bytes, &bytes, &sink, error);
}

static void assert_told(const char *text, const char *expected)
{
    struct told told = {0};
    struct camt_error error;

    if (!read_text(text, strlen(text), 0, &told, &error))
        fail_msg("line %ld: %s", error.line, error.text);
    assert_string_equal(told.text, expected);
}

static void assert_refused(const char *text, const char *words)
{
    struct told told = {0};
    struct camt_error error;

    if (read_text(text, strlen(text), 0, &told, &error))
        fail_msg("was not refused, for %s", words);
    if (strstr(error.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, error.text);
}

/* ---------------------------------------------------------------- statements */

#define NS(version) "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001." version "\">"
#define BALANCE(code, amount, side)                                                                \
    "<Bal><Tp><CdOrPrtry><Cd>" code "</Cd></CdOrPrtry></Tp><Amt Ccy=\"PKR\">" amount               \
    "</Amt><CdtDbtInd>" side "</CdtDbtInd><Dt><Dt>2026-07-17</Dt></Dt></Bal>"
#define HEAD                                                                                        \
    "<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-07-17T23:00:00</CreDtTm></GrpHdr><Stmt>"  \
    "<Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb><Acct><Id><IBAN>PK36SCBL0000001123456702</IBAN></Id>" \
    "<Ccy>PKR</Ccy></Acct>" BALANCE("OPBD", "10.00", "CRDT") BALANCE("CLBD", "3.5", "DBIT")
#define FOOT "</Stmt></BkToCstmrStmt></Document>"
#define ENTRY(amount, inside)                                                                      \
    "<Ntry><Amt Ccy=\"PKR\">" amount "</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"   \
    "<BookgDt><Dt>2026-07-17+05:00</Dt></BookgDt>" inside "</Ntry>"
#define TOLD_HEAD(version) version " S1 PK36SCBL0000001123456702 PKR 7 \n OPBD 1000\n CLBD -350\n"

static void reads_version_08(void **state)
{
    (void)state;
    assert_told(
        NS("08") HEAD ENTRY(
            "13.50",
            "<AcctSvcrRef>R1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT"
            "</SubFmlyCd></Fmly></Domn></BkTxCd><Chrgs><Rcrd><Amt Ccy=\"PKR\">1.00</Amt></Rcrd><Rcrd>"
            "<Amt Ccy=\"PKR\">0.25</Amt><CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs><NtryDtls><TxDtls><Refs>"
            "<EndToEndId>UJ1-2</EndToEndId></Refs><Amt Ccy=\"PKR\">13.50</Amt><CdtDbtInd>DBIT</CdtDbtInd>"
            "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>") FOOT,
        TOLD_HEAD("8") "  tx 1 e2e=UJ1-2 ref= -1350 charges=0 AC04\n"
                       " entry 1 -1350 status=0 day=20651 ref=R1 charges=75 DMCT\nend 1\n");
}

static void reads_version_02_with_plain_status_and_flat_charges(void **state)
{
    (void)state;
    assert_told(
        NS("02") HEAD
        "<Ntry><Amt Ccy=\"PKR\">5</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd>"
        "<Sts>PDNG</Sts><ValDt><DtTm>2026-07-18T01:00:00Z</DtTm></ValDt>"
        "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><AmtDtls><TxAmt>"
        "<Amt Ccy=\"PKR\">5.00</Amt></TxAmt></AmtDtls><Chrgs><Amt Ccy=\"PKR\">2.00</Amt></Chrgs>"
        "<Chrgs><Amt Ccy=\"PKR\">0.50</Amt></Chrgs></TxDtls></NtryDtls></Ntry>" FOOT,
        TOLD_HEAD("2") "  tx 1 e2e= ref= 500 charges=250 \n"
                       " entry 1 500 status=1 day=-2147483648 ref= charges=0  reversal\nend 1\n");
}

static void reads_any_namespace_style_and_several_statements(void **state)
{
    (void)state;
    assert_told("<Document>" HEAD FOOT, TOLD_HEAD("0") "end 0\n");
    assert_told("<x:Document xmlns:x=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.12\" "
                "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.12\">" HEAD
                "</Stmt></BkToCstmrStmt></x:Document>",
                TOLD_HEAD("12") "end 0\n");
    assert_told(NS("08") HEAD
                "</Stmt><Stmt><Id>S2</Id><Acct><Id><Othr><Id>1-2</Id></Othr></Id><Svcr><FinInstnId>"
                "<BICFI>SCBLPKKX</BICFI></FinInstnId></Svcr></Acct>" BALANCE("OPBD", "0", "CRDT")
                    FOOT,
                TOLD_HEAD("8") "end 0\n8 S2 1-2  -1 SCBLPKKX\n OPBD 0\nend 0\n");
}

static void takes_text_apart_from_cdata_comments_and_blanks(void **state)
{
    (void)state;
    assert_told(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c -->" NS("08") HEAD ENTRY(
            "\n 1<!-- x -->.<![CDATA[50]]>\n", "<AcctSvcrRef>A&amp;B&#x20AC;</AcctSvcrRef>") FOOT,
        TOLD_HEAD("8") " entry 1 -150 status=0 day=20651 ref=A&B\xe2\x82\xac charges=0 \nend 1\n");
}

static void a_batch_tells_each_of_its_transactions(void **state)
{
    (void)state;
    assert_told(
        NS("08") HEAD ENTRY(
            "3.00", "<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch><TxDtls><Refs><EndToEndId>a"
                    "</EndToEndId></Refs></TxDtls><TxDtls><Refs><AcctSvcrRef>b</AcctSvcrRef>"
                    "</Refs><Amt Ccy=\"PKR\">1.00</Amt></TxDtls></NtryDtls>") FOOT,
        TOLD_HEAD("8") "  tx 1 e2e=a ref= 0? charges=0 \n  tx 2 e2e= ref=b -100 charges=0 \n"
                       " entry 1 -300 status=0 day=20651 ref= charges=0 \nend 1\n");
}

static void bytes_may_come_one_by_one(void **state)
{
    static const char text[] = NS("08") HEAD ENTRY("13.50", "<NtryRef>N</NtryRef>") FOOT;
    struct told whole = {0};
    struct told parts = {0};
    struct camt_error error;

    (void)state;
    assert_true(read_text(text, sizeof text - 1, 0, &whole, &error));
    assert_true(read_text(text, sizeof text - 1, 1, &parts, &error));
    assert_string_equal(whole.text, parts.text);
}

/* ---------------------------------------------------------------- what is refused */

static void amounts_are_exact_or_refused(void **state)
{
    (void)state;
    assert_refused(NS("08") HEAD ENTRY("1.005", "") FOOT,
                   "'1.005' is no amount with at most 2 decimals");
    assert_refused(NS("08") HEAD ENTRY("1.500", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("-1.00", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("+1", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY(".5", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("1.", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("1e3", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("1,00", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("", "") FOOT, "no amount");
    assert_refused(NS("08") HEAD ENTRY("999999999999999999.99", "") FOOT, "too large");
    assert_told(
        NS("08") HEAD ENTRY("9999999999999999.99", "") FOOT,
        TOLD_HEAD("8") " entry 1 -999999999999999999 status=0 day=20651 ref= charges=0 \nend 1\n");
}

static void a_doctype_is_refused_wherever_it_hides(void **state)
{
    (void)state;
    assert_refused("<!DOCTYPE Document>" NS("08") HEAD FOOT, "DOCTYPE");
    assert_refused("<!DOCTYPE Document [<!ENTITY a \"b\">]>" NS("08") HEAD FOOT, "DOCTYPE");
    assert_refused("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-!DOCTYPE Document+AD4-" NS("08")
                       HEAD FOOT,
                   "");
    assert_refused("<?xml version=\"1.0\" encoding=\"UTF-7\"?>" NS("08") HEAD FOOT, "not UTF-8");
    assert_refused("<<!DOCTYPE Document>" NS("08") HEAD FOOT, "DOCTYPE");
    assert_refused(NS("08") HEAD ENTRY("1", "<AcctSvcrRef>&lol;</AcctSvcrRef>") FOOT,
                   "not well-formed");
}

static void only_utf_8_is_read(void **state)
{
    struct told told = {0};
    struct camt_error error;

    (void)state;
    assert_refused(NS("08") HEAD ENTRY("1", "<AcctSvcrRef>M\xfcnze</AcctSvcrRef>") FOOT,
                   "not UTF-8");
    assert_refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" NS("08")
                       HEAD ENTRY("1", "<AcctSvcrRef>M\xfcnze</AcctSvcrRef>") FOOT,
                   "not UTF-8");
    assert_false(read_text("\xff\xfe<\0D\0", 6, 0, &told, &error));
    assert_non_null(strstr(error.text, "not UTF-8"));
    assert_false(read_text("<\0D\0o\0", 6, 0, &told, &error));
    assert_non_null(strstr(error.text, "not UTF-8"));
    assert_told("\xef\xbb\xbf" NS("08") HEAD FOOT, TOLD_HEAD("8") "end 0\n");
}

static void texts_are_bounded_and_for_people(void **state)
{
    char *text = malloc(200000);
    char filler[1001];

    (void)state;
    assert_non_null(text);
    memset(filler, 'x', 1000);
    filler[1000] = '\0';
    snprintf(text, 200000, NS("08") HEAD ENTRY("1", "<AcctSvcrRef>%s</AcctSvcrRef>") FOOT, filler);
    assert_refused(text, "longer than 140 bytes");
    memset(text, 'x', 199999);
    text[199999] = '\0';
    memcpy(text, "<Document>", 10);
    assert_refused(text, "without a tag");
    free(text);
    assert_refused(NS("08") HEAD ENTRY("1", "<AcctSvcrRef>a\xe2\x80\xae"
                                            "b</AcctSvcrRef>") FOOT,
                   "control character");
}

static void depth_is_bounded(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 20);
    assert_false(err_failed(buf_printf(&buf, "<Document><BkToCstmrStmt>")));
    for (int i = 0; i < 5000; i++)
        assert_false(err_failed(buf_append(&buf, "<a>", 3)));
    assert_false(err_failed(buf_append_char(&buf, '\0')));
    assert_refused((const char *)buf_data(&buf), "nested more than 64 deep");
    buf_deinit(&buf);
}

static void a_sink_that_refuses_ends_it(void **state)
{
    static const char text[] = NS("08") HEAD ENTRY("13.50", "") FOOT;
    struct told told = {.refuse = true};
    struct camt_error error;

    (void)state;
    assert_false(read_text(text, sizeof text - 1, 0, &told, &error));
    assert_string_equal(told.text, TOLD_HEAD("8"));
}

/* ---------------------------------------------------------------- nothing else is opened */

static int opened;

static int count_match(const char *name)
{
    (void)name;
    opened++;
    return 0; /* leave it to the others */
}

static const char *const outside[] = {
    "<!DOCTYPE Document SYSTEM \"file:///nowhere/x.dtd\">" NS("08") HEAD FOOT,
    "<!DOCTYPE Document [<!ENTITY x SYSTEM \"file:///nowhere/x\">]>" NS("08")
        HEAD ENTRY("1", "<AcctSvcrRef>&x;</AcctSvcrRef>") FOOT,
    "<!DOCTYPE Document [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x\"> %p;]>" NS("08") HEAD FOOT,
};

static void nothing_outside_is_opened(void **state)
{
    (void)state;
    xmlRegisterInputCallbacks(count_match, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        xmlDocPtr doc;

        opened = 0;
        assert_refused(outside[i], "DOCTYPE");
        assert_int_equal(opened, 0);
        /* and the counter would have counted */
        doc = xmlReadMemory(outside[i], (int)strlen(outside[i]), NULL, NULL,
                            XML_PARSE_NOENT | XML_PARSE_DTDLOAD | XML_PARSE_NOERROR |
                                XML_PARSE_NOWARNING | XML_PARSE_RECOVER);
        xmlFreeDoc(doc);
        assert_true(opened > 0);
    }
    xmlPopInputCallbacks();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_version_08),
        cmocka_unit_test(reads_version_02_with_plain_status_and_flat_charges),
        cmocka_unit_test(reads_any_namespace_style_and_several_statements),
        cmocka_unit_test(takes_text_apart_from_cdata_comments_and_blanks),
        cmocka_unit_test(a_batch_tells_each_of_its_transactions),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(amounts_are_exact_or_refused),
        cmocka_unit_test(a_doctype_is_refused_wherever_it_hides),
        cmocka_unit_test(only_utf_8_is_read),
        cmocka_unit_test(texts_are_bounded_and_for_people),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_sink_that_refuses_ends_it),
        cmocka_unit_test(nothing_outside_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
