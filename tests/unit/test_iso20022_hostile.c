/* Files that mean harm, and files that are broken: each is refused by name, in bounded memory, and nothing is fetched. */
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

#include <sys/resource.h>

static struct maker made;

#define PACS_008 "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08\">"
#define PACS_002 "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10\">"

static void refused(struct slice bytes, enum iso_rule rule)
{
    struct iso_refusal refusal = {0};
    char text[ISO_REFUSAL_TEXT_SIZE];
    if (read_bytes(bytes, NULL, NULL, &refusal))
        fail_msg("it was read, not refused with %s", iso_rule_name(rule));
    if (refusal.rule != rule)
        fail_msg("wanted %s, got %s for %.*s", iso_rule_name(rule),
                 iso_refusal_text(&refusal, text), (int)(bytes.len < 300 ? bytes.len : 300),
                 bytes.p);
    for (const char *c = refusal.detail; *c != '\0'; c++)
        assert_in_range(*c, ' ', '~');
}

#define REFUSED(literal, rule) refused(SLICE(literal), ISO_RULE_##rule)

static void every_doctype_is_refused(void **state)
{
    (void)state;
    REFUSED("<!DOCTYPE Document>" PACS_008 "</Document>", XML_DOCTYPE);
    REFUSED(
        "<!DOCTYPE d [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>" PACS_008
        "<x>&d;</x></Document>",
        XML_DOCTYPE);
    REFUSED("<!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>" PACS_008
            "<x>&a;</x></Document>",
            XML_DOCTYPE);
    REFUSED("<!DOCTYPE d SYSTEM \"http://127.0.0.1:1/x.dtd\">" PACS_008 "</Document>", XML_DOCTYPE);
    REFUSED(
        "<!DOCTYPE d PUBLIC \"a\" \"http://127.0.0.1:1/x.dtd\" [<!ENTITY % p SYSTEM \"file:///x\"> %p;]>" PACS_008
        "</Document>",
        XML_DOCTYPE);
    REFUSED(PACS_008 "&lol;</Document>", XML);
}

static void other_encodings_are_refused(void **state)
{
    (void)state;
    REFUSED("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" PACS_008 "</Document>", XML_ENCODING);
    REFUSED("<?xml version=\"1.0\" encoding='UTF-16'?>" PACS_008 "</Document>", XML_ENCODING);
    REFUSED("\xFF\xFE<\0D\0o\0c\0", XML_ENCODING);
    REFUSED("\xFE\xFF\0<\0D\0o\0c", XML_ENCODING);
    REFUSED("<\0D\0o\0c\0u\0m\0", XML_ENCODING);
    REFUSED("\x4C\x6F\xA7\x94\x93", XML_ENCODING); /* EBCDIC */
    REFUSED("\0\0\0<\0\0\0D", XML_ENCODING);
    REFUSED(PACS_008 "<FIToFICstmrCdtTrf><x>\xE9</x></FIToFICstmrCdtTrf></Document>", XML_ENCODING);
    REFUSED(PACS_008 "<FIToFICstmrCdtTrf><x>\xC0\xAF</x></FIToFICstmrCdtTrf></Document>",
            XML_ENCODING);
    REFUSED(PACS_008 "<x>a\0b</x></Document>", XML_ENCODING);
    REFUSED(PACS_008 "<FIToFICstmrCdtTrf><x>&#0;</x></FIToFICstmrCdtTrf></Document>", XML);
    REFUSED(PACS_008 "<FIToFICstmrCdtTrf><x>\x01</x></FIToFICstmrCdtTrf></Document>", XML);
    REFUSED("hello", XML_ENCODING);
}

static void unknown_messages_and_versions_are_refused_by_name(void **state)
{
    struct iso_refusal refusal;
    struct iso_reader_options only = {.kinds = 1U << ISO_PACS_002};
    (void)state;
    REFUSED("<Document/>", MESSAGE_UNKNOWN);
    REFUSED("<Document xmlns=\"urn:x\"/>", MESSAGE_UNKNOWN);
    REFUSED("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.09\"/>",
            MESSAGE_UNKNOWN);
    REFUSED("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.0\"/>", MESSAGE_UNKNOWN);
    REFUSED("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08 10\"/>", XML);
    REFUSED("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.010.001.03\"/>",
            MESSAGE_UNKNOWN);
    REFUSED("<AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.01\"/>", MESSAGE_UNKNOWN);
    REFUSED("<html><body/></html>", MESSAGE_UNKNOWN);
    REFUSED("<a><b><c><d/></c></b></a>", MESSAGE_UNKNOWN);
    REFUSED(PACS_008 "<FIToFIPmtStsRpt/></Document>", MESSAGE_UNKNOWN);
    /* the right name in a foreign namespace is not the message */
    REFUSED(PACS_008 "<FIToFICstmrCdtTrf xmlns=\"urn:x\"/></Document>", MESSAGE_UNKNOWN);
    assert_false(read_bytes(SLICE(PACS_008 "</Document>"), &only, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_MESSAGE_UNKNOWN);
    assert_string_equal(refusal.detail, "it is 'pacs.008.001.08'");
    only.header_required = true;
    assert_false(read_bytes(SLICE(PACS_002 "</Document>"), &only, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_REQUIRED);
    REFUSED("<b>" PACS_002 "</Document></b>", REQUIRED);
    REFUSED(PACS_002 "<FIToFIPmtStsRpt/></Document>", REQUIRED);
    REFUSED(PACS_008
            "<FIToFICstmrCdtTrf><x:GrpHdr xmlns:x=\"urn:x\"/></FIToFICstmrCdtTrf></Document>",
            REQUIRED);
}

static void a_file_cut_anywhere_is_refused_with_its_line(void **state)
{
    struct buf out;
    struct iso_refusal refusal;
    size_t truncated = 0;
    (void)state;
    buf_init(&out, 1 << 20);
    make_plain(&made, ISO_PACS_008);
    assert_true(write_message(&made, false, &out, &refusal));
    for (size_t len = 0; len + 1 < buf_len(&out); len++) {
        assert_false(read_bytes(slice_of(buf_data(&out), len), NULL, NULL, &refusal));
        truncated += refusal.rule == ISO_RULE_XML_TRUNCATED;
        assert_true(refusal.rule == ISO_RULE_XML_TRUNCATED ||
                    (refusal.rule == ISO_RULE_XML && len < 45));
        assert_true(len == 0 || refusal.line > 0);
    }
    assert_true(truncated + 20 > buf_len(&out)); /* but for some cuts within the XML declaration */
    assert_true(read_bytes(buf_slice(&out), NULL, NULL, &refusal));
    assert_ok(buf_append(&out, "<x/>", 4));
    assert_false(read_bytes(buf_slice(&out), NULL, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_XML);
    buf_deinit(&out);
}

/* head, then `times` times the middle, then tail. */
static void refused_many(const char *head, const char *middle, size_t times, const char *tail,
                         enum iso_rule rule)
{
    struct buf b;
    buf_init(&b, 64U << 20);
    assert_ok(buf_append(&b, head, strlen(head)));
    for (size_t i = 0; i < times; i++)
        assert_ok(buf_append(&b, middle, strlen(middle)));
    assert_ok(buf_append(&b, tail, strlen(tail)));
    refused(buf_slice(&b), rule);
    buf_deinit(&b);
}

#define GROUP_HEADER                                                                               \
    "<FIToFIPmtStsRpt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-07-17T14:00:00+05:00</CreDtTm></GrpHdr>"

static void depth_length_and_numbers_are_bounded(void **state)
{
    struct iso_reader_options small = {.bytes_max = 100};
    struct iso_refusal refusal;
    (void)state;
    refused_many(PACS_008, "<a>", 100000, "", ISO_RULE_MESSAGE_UNKNOWN);
    refused_many(PACS_008 "<FIToFICstmrCdtTrf>", "<a>", 100000, "", ISO_RULE_XML_TOO_DEEP);
    refused_many("", "<a>", 100000, "", ISO_RULE_MESSAGE_UNKNOWN);
    refused_many(PACS_008 "<FIToFICstmrCdtTrf><GrpHdr><MsgId>", "aaaaaaaaaa", 1U << 20,
                 "</MsgId></GrpHdr></FIToFICstmrCdtTrf></Document>", ISO_RULE_XML_TOO_LARGE);
    refused_many(PACS_008 "<FIToFICstmrCdtTrf><GrpHdr><MsgId>", "aaaaaaaaaa", 10,
                 "</MsgId></GrpHdr></FIToFICstmrCdtTrf></Document>", ISO_RULE_TOO_LONG);
    refused_many(PACS_008 "<FIToFICstmrCdtTrf><GrpHdr><MsgId>", "aaaaaaaaaa", 1000,
                 "</MsgId></GrpHdr></FIToFICstmrCdtTrf></Document>", ISO_RULE_TOO_LONG);
    refused_many(PACS_008 "<x a=\"", "aaaaaaaaaa", 10000, "\"/></Document>",
                 ISO_RULE_XML_TOO_LARGE);
    refused_many(PACS_002 GROUP_HEADER "<TxInfAndSts><TxSts>RJCT</TxSts>",
                 "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>", 5, "</TxInfAndSts>",
                 ISO_RULE_REPEATED);
    refused_many(PACS_002 GROUP_HEADER "<TxInfAndSts><TxSts>RJCT</TxSts><StsRsnInf>",
                 "<AddtlInf>a</AddtlInf>", 8, "</StsRsnInf></TxInfAndSts>", ISO_RULE_REPEATED);
    refused_many(PACS_002 GROUP_HEADER "<TxInfAndSts><TxSts>RJCT</TxSts>",
                 "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>", 100000, "</TxInfAndSts>",
                 ISO_RULE_REPEATED);
    refused_many(
        PACS_002 GROUP_HEADER "<TxInfAndSts><OrgnlTxId>1</OrgnlTxId><TxSts>ACSC</TxSts>",
        "<SplmtryData><Envlp><Rlstn xmlns=\"urn:ujrat:settlement:realisation:1\"><EPrcNb>1</EPrcNb>"
        "</Rlstn></Envlp></SplmtryData>",
        2, "</TxInfAndSts></FIToFIPmtStsRpt></Document>", ISO_RULE_REPEATED);
    refused_many(PACS_002, GROUP_HEADER "</FIToFIPmtStsRpt>", 2, "</Document>", ISO_RULE_REPEATED);
    refused_many("<x>", PACS_002 GROUP_HEADER "</FIToFIPmtStsRpt></Document>", 2, "</x>",
                 ISO_RULE_OUT_OF_PLACE);
    assert_false(read_bytes(SLICE(PACS_002 GROUP_HEADER "</FIToFIPmtStsRpt></Document>"), &small,
                            NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_XML_TOO_LARGE);
    assert_true(read_bytes(SLICE(PACS_002 GROUP_HEADER "</FIToFIPmtStsRpt></Document>"), NULL, NULL,
                           &refusal));
}

static void unknown_elements_are_passed_over_without_filling_memory(void **state)
{
    struct buf b;
    struct iso_refusal refusal;
    struct rusage before;
    struct rusage after;
    (void)state;
    buf_init(&b, 64U << 20);
    assert_ok(buf_append(&b, PACS_002 GROUP_HEADER, strlen(PACS_002 GROUP_HEADER)));
    for (int i = 0; i < 300000; i++)
        assert_ok(buf_printf(
            &b, "<!-- %d --><Unknown><MsgId>//</MsgId><a b=\"%d\">&amp;</a></Unknown>", i, i));
    assert_ok(buf_printf(&b, "</FIToFIPmtStsRpt></Document>"));
    getrusage(RUSAGE_SELF, &before);
    assert_true(read_bytes(buf_slice(&b), NULL, NULL, &refusal));
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 8192); /* kB, of a file of 18 MB */
    buf_deinit(&b);
}

static bool says_no(void *user, const struct iso_group *group, const union iso_item *item,
                    struct iso_refusal *why)
{
    (void)group;
    (void)item;
    return user != NULL ? iso_refuse(why, ISO_RULE_REFUSED, "", "%s", (const char *)user) : false;
}

static int cannot_read(void *user, char *out, int len)
{
    (void)user;
    memset(out, 0, (size_t)len);
    return -1;
}

static bool cannot_write(void *user, const char *p, size_t len)
{
    (void)user;
    (void)p;
    (void)len;
    return false;
}

static void failures_of_the_world_and_of_the_caller_are_told(void **state)
{
    char why[] = "not our instruction";
    struct iso_sink sink = {NULL, NULL, says_no};
    struct iso_sink explains = {why, NULL, says_no};
    struct iso_writer_options options = {.write = cannot_write};
    struct iso_writer_options tiny = {.write = into_buf, .bytes_max = 50};
    struct iso_writer *w = NULL;
    struct iso_refusal refusal;
    struct buf out;
    bool good = true;
    (void)state;
    buf_init(&out, 1 << 20);
    make_plain(&made, ISO_PACS_008);
    assert_true(write_message(&made, false, &out, &refusal));
    assert_false(read_bytes(buf_slice(&out), NULL, &sink, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_REFUSED);
    assert_int_equal(refusal.item, 1);
    assert_int_equal(refusal.line, 4);
    assert_false(read_bytes(buf_slice(&out), NULL, &explains, &refusal));
    assert_string_equal(refusal.detail, why);
    assert_false(iso_read(NULL, cannot_read, NULL, &sink, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_INPUT);

    assert_ok(iso_writer_new(&options, &w));
    good = iso_writer_begin(w, &made.group, &refusal) &&
           iso_writer_add(w, &made.items[0], &refusal) && iso_writer_end(w, &refusal);
    assert_false(good);
    assert_int_equal(refusal.rule, ISO_RULE_OUTPUT);
    assert_int_equal(iso_writer_bytes(w), 0);
    iso_writer_free(&w);
    assert_null(w);
    buf_reset(&out);
    tiny.user = &out;
    assert_ok(iso_writer_new(&tiny, &w));
    good = iso_writer_begin(w, &made.group, &refusal) &&
           iso_writer_add(w, &made.items[0], &refusal) && iso_writer_end(w, &refusal);
    assert_false(good);
    assert_int_equal(refusal.rule, ISO_RULE_XML_TOO_LARGE);
    assert_true(buf_len(&out) <= 50);
    iso_writer_free(&w);
    buf_deinit(&out);
}

static void what_the_xsd_forbids_is_refused_without_quoting_it(void **state)
{
    const char *folder = xsd_folder();
    struct iso_reader_options options = {0};
    struct iso_schemas *schemas = NULL;
    struct iso_schemas *empty = NULL;
    struct iso_refusal refusal;
    struct slice odd =
        SLICE(PACS_002 GROUP_HEADER "<Odd>secret</Odd></FIToFIPmtStsRpt></Document>");
    struct slice long_name =
        SLICE(PACS_002 GROUP_HEADER
              "<TxInfAndSts><StsId>1</StsId><OrgnlTxId>1</OrgnlTxId><TxSts>RJCT</TxSts>"
              "<InstgAgt><FinInstnId><BICFI>secret</BICFI></FinInstnId></InstgAgt>"
              "</TxInfAndSts></FIToFIPmtStsRpt></Document>");
    (void)state;
    assert_ok(iso_schemas_new("/", &empty));
    options.schemas = empty;
    assert_false(read_bytes(odd, &options, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_SCHEMA_MISSING);
    iso_schemas_free(&empty);
    assert_code(iso_schemas_new("/no/such/folder", &empty), ERR_SYS);
    if (folder == NULL)
        skip();
    assert_ok(iso_schemas_new(folder, &schemas));
    options.schemas = schemas;
    assert_true(read_bytes(odd, NULL, NULL, &refusal)); /* not validated: passed over */
    assert_false(read_bytes(odd, &options, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_SCHEMA);
    assert_non_null(strstr(refusal.detail, "Odd: This element is not expected"));
    assert_null(strstr(refusal.detail, "secret"));
    assert_int_equal(refusal.line, 1);
    assert_false(read_bytes(long_name, &options, NULL, &refusal));
    assert_int_equal(refusal.rule, ISO_RULE_SCHEMA);
    assert_non_null(strstr(refusal.detail, "BICFI"));
    assert_null(strstr(refusal.detail, "secret"));
    iso_schemas_free(&schemas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_doctype_is_refused),
        cmocka_unit_test(other_encodings_are_refused),
        cmocka_unit_test(unknown_messages_and_versions_are_refused_by_name),
        cmocka_unit_test(a_file_cut_anywhere_is_refused_with_its_line),
        cmocka_unit_test(depth_length_and_numbers_are_bounded),
        cmocka_unit_test(unknown_elements_are_passed_over_without_filling_memory),
        cmocka_unit_test(failures_of_the_world_and_of_the_caller_are_told),
        cmocka_unit_test(what_the_xsd_forbids_is_refused_without_quoting_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
