/* What is written is read again unchanged, is valid by the published XSDs, and is the text a bank expects. */
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

static struct maker made;

/* ---------------------------------------------------------------- the same again */

static bool same(const struct iso_element *e, const void *a, const void *b);

static bool same_inside(const struct iso_element *inner, const void *a, const void *b)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++)
        if (!same(e, a, b))
            return false;
    return true;
}

static bool same_value(const struct iso_element *e, const void *a, const void *b)
{
    if (e->type == ISO_GROUP)
        return same_inside(e->inner, a, b);
    if (iso_type_is_text(e->type))
        return slice_equal(*(const struct slice *)a, *(const struct slice *)b);
    if (e->type == ISO_AMOUNT || e->type == ISO_BALANCE)
        return money_equal(*(const money_t *)a, *(const money_t *)b);
    return memcmp(a, b, iso_value_size(e->type)) == 0;
}

static bool same(const struct iso_element *e, const void *a, const void *b)
{
    if (e->flags & (ISO_ITEM | ISO_READ))
        return true;
    if (iso_value_count(e, a) != iso_value_count(e, b)) {
        print_message("%s: another number of them\n", e->name);
        return false;
    }
    for (size_t i = 0; i < iso_value_count(e, a); i++)
        if (!same_value(e, iso_value(e, a, i), iso_value(e, b, i))) {
            print_message("%s differs\n", e->name);
            return false;
        }
    return true;
}

struct seen {
    size_t groups, items;
};

static bool see_group(void *user, const struct iso_header *header, const struct iso_group *group,
                      struct iso_refusal *why)
{
    struct seen *seen = user;
    (void)why;
    assert_int_equal(group->kind, made.group.kind);
    if (made.group.total.ccy == 0)
        assert_int_equal(group->control_sum.len, 0);
    made.group.control_sum = group->control_sum; /* the writer made it */
    assert_true(same_inside(iso_definition(group->kind)->inner, group, &made.group));
    if (header != NULL) {
        assert_true(slice_equal(header->message_id, group->message_id));
        assert_slice(header->to_bic, "DEMOPKKA");
        assert_true(header->creation_us == group->creation_us);
    }
    seen->groups++;
    return true;
}

static bool see_item(void *user, const struct iso_group *group, const union iso_item *item,
                     struct iso_refusal *why)
{
    struct seen *seen = user;
    const struct iso_definition *d = iso_definition(group->kind);
    union iso_item *mine = &made.items[seen->items];

    (void)why;
    assert_true(seen->items < made.n);
    if (d->item == ISO_ITEM_FOLLOW_UP && mine->follow_up.original.message_id.len == 0)
        mine->follow_up.original = made.group.original; /* the reader fills it in */
    assert_true(same_inside(item_row(d->inner)->inner, item, mine));
    if (group->kind == ISO_PAIN_001)
        assert_true(slice_equal(item->transfer.debtor.name, made.group.payment.debtor.name));
    seen->items++;
    return true;
}

static struct iso_schemas *schemas;

static void round_trip(enum iso_kind kind, uint64_t seed, bool bare, struct buf *out)
{
    struct seen seen = {0, 0};
    struct iso_sink sink = {&seen, see_group, see_item};
    struct iso_reader_options options = {.schemas = schemas, .header_required = !bare};
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];

    make_message(&made, kind, seed);
    if (!write_message(&made, bare, out, &refusal))
        fail_msg("kind %d seed %llu: %s", (int)kind, (unsigned long long)seed,
                 iso_refusal_text(&refusal, text));
    if (!read_bytes(buf_slice(out), &options, &sink, &refusal))
        fail_msg("kind %d seed %llu: %s\n%.*s", (int)kind, (unsigned long long)seed,
                 iso_refusal_text(&refusal, text), SLICE_ARG(buf_slice(out)));
    assert_int_equal(seen.groups, 1);
    assert_int_equal(seen.items, made.n);
}

static void random_messages_of_every_kind_survive_write_and_read(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 22);
    for (unsigned i = 0; iso_definition_at(i) != NULL; i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            round_trip(iso_definition_at(i)->kind, seed * 7919 + i, seed % 2 == 0, &out);
    buf_deinit(&out);
}

static void every_message_is_valid_by_its_published_xsd(void **state)
{
    const char *folder = xsd_folder();
    struct buf out;
    (void)state;
    if (folder == NULL)
        skip();
    assert_ok(iso_schemas_new(folder, &schemas));
    buf_init(&out, 1 << 22);
    for (unsigned i = 0; iso_definition_at(i) != NULL; i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            round_trip(iso_definition_at(i)->kind, seed * 104729 + i, seed % 2 == 0, &out);
    buf_deinit(&out);
    iso_schemas_free(&schemas);
    assert_null(schemas);
}

static void the_same_message_gives_the_same_bytes(void **state)
{
    struct buf first;
    struct buf second;
    struct iso_refusal refusal;
    (void)state;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    make_message(&made, ISO_PACS_008, 5);
    assert_true(write_message(&made, false, &first, &refusal));
    make_message(&made, ISO_PACS_008, 5);
    assert_true(write_message(&made, false, &second, &refusal));
    assert_int_equal(buf_len(&first), buf_len(&second));
    assert_memory_equal(buf_data(&first), buf_data(&second), buf_len(&first));
    buf_deinit(&first);
    buf_deinit(&second);
}

static void a_payment_is_the_text_that_a_bank_expects(void **state)
{
    static const char expected[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<BizMsg><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.02\">"
        "<Fr><FIId><FinInstnId><BICFI>UJRTPKKAXXX</BICFI></FinInstnId></FIId></Fr>"
        "<To><FIId><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></FIId></To>"
        "<BizMsgIdr>UJ-2026-07-17-1</BizMsgIdr><MsgDefIdr>pacs.008.001.08</MsgDefIdr>"
        "<CreDt>2026-07-17T14:00:00.123+05:00</CreDt></AppHdr>\n"
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08\"><FIToFICstmrCdtTrf>"
        "<GrpHdr><MsgId>UJ-2026-07-17-1</MsgId><CreDtTm>2026-07-17T14:00:00.123+05:00</CreDtTm>"
        "<NbOfTxs>1</NbOfTxs><CtrlSum>27812.50</CtrlSum>"
        "<TtlIntrBkSttlmAmt Ccy=\"PKR\">27812.50</TtlIntrBkSttlmAmt>"
        "<IntrBkSttlmDt>2026-07-17</IntrBkSttlmDt><SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf>"
        "<InstgAgt><FinInstnId><BICFI>UJRTPKKAXXX</BICFI></FinInstnId></InstgAgt>"
        "<InstdAgt><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></InstdAgt></GrpHdr>\n"
        "<CdtTrfTxInf><PmtId><InstrId>UJ7-42</InstrId><EndToEndId>UJ7-42</EndToEndId>"
        "<TxId>UJ7-42</TxId><UETR>0d1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d</UETR></PmtId>"
        "<IntrBkSttlmAmt Ccy=\"PKR\">27812.50</IntrBkSttlmAmt><ChrgBr>SHAR</ChrgBr>"
        "<Dbtr><Nm>Made Up Platform Inc</Nm><PstlAdr><StrtNm>Paris Road</StrtNm>"
        "<TwnNm>Sialkot</TwnNm><Ctry>PK</Ctry></PstlAdr></Dbtr>"
        "<DbtrAcct><Id><IBAN>PK36SCBL0000001123456702</IBAN></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><BICFI>UJRTPKKAXXX</BICFI></FinInstnId></DbtrAgt>"
        "<CdtrAgt><FinInstnId><BICFI>DEMOPKKA</BICFI></FinInstnId></CdtrAgt>"
        "<Cdtr><Nm>Nobody Anywhere</Nm><PstlAdr><StrtNm>Paris Road</StrtNm>"
        "<TwnNm>Sialkot</TwnNm><Ctry>PK</Ctry></PstlAdr></Cdtr>"
        "<CdtrAcct><Id><IBAN>PK24MUCB0646609971000177</IBAN></Id></CdtrAcct>"
        "<RgltryRptg><Dtls><Cd>9471</Cd></Dtls></RgltryRptg></CdtTrfTxInf>\n"
        "</FIToFICstmrCdtTrf></Document></BizMsg>\n";
    struct buf out;
    struct iso_refusal refusal;
    (void)state;
    buf_init(&out, 1 << 16);
    make_plain(&made, ISO_PACS_008);
    assert_true(write_message(&made, false, &out, &refusal));
    assert_ok(buf_append_char(&out, '\0'));
    assert_string_equal((const char *)buf_data(&out), expected);
    buf_deinit(&out);
}

/* Replaces every `from` of in. */
static void replace(struct buf *in, const char *from, const char *to, struct buf *out)
{
    struct slice rest = buf_slice(in);
    size_t len = strlen(from);
    const char *at = NULL;
    buf_reset(out);
    while ((at = memmem(rest.p, rest.len, from, len)) != NULL) {
        assert_ok(buf_append(out, rest.p, (size_t)(at - rest.p)));
        assert_ok(buf_append(out, to, strlen(to)));
        rest.len -= (size_t)(at - rest.p) + len;
        rest.p = at + len;
    }
    assert_ok(buf_append(out, rest.p, rest.len));
}

static void other_versions_are_read_where_their_xsd_says_the_same(void **state)
{
    static const struct {
        enum iso_kind kind;
        const char *from, *to;
        unsigned version;
    } cases[] = {
        {ISO_PACS_008, "pacs.008.001.08", "pacs.008.001.10", 10},
        {ISO_PACS_008, "pacs.008.001.08", "pacs.008.001.12", 12},
        {ISO_CAMT_053, "camt.053.001.08", "camt.053.001.12", 12},
        {ISO_PACS_008, "head.001.001.02", "head.001.001.04", 8},
    };
    const char *folder = xsd_folder();
    struct iso_reader_options options = {0};
    struct iso_refusal refusal;
    struct buf out;
    struct buf changed;
    (void)state;
    if (folder != NULL)
        assert_ok(iso_schemas_new(folder, &schemas));
    options.schemas = schemas;
    buf_init(&out, 1 << 20);
    buf_init(&changed, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            char text[ISO_REFUSAL_TEXT_SIZE];
            make_message(&made, cases[i].kind, seed);
            assert_true(write_message(&made, false, &out, &refusal));
            replace(&out, cases[i].from, cases[i].to, &changed);
            if (!read_bytes(buf_slice(&changed), &options, NULL, &refusal))
                fail_msg("%s: %s", cases[i].to, iso_refusal_text(&refusal, text));
        }
    iso_schemas_free(&schemas);
    buf_deinit(&out);
    buf_deinit(&changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_messages_of_every_kind_survive_write_and_read),
        cmocka_unit_test(every_message_is_valid_by_its_published_xsd),
        cmocka_unit_test(the_same_message_gives_the_same_bytes),
        cmocka_unit_test(a_payment_is_the_text_that_a_bank_expects),
        cmocka_unit_test(other_versions_are_read_where_their_xsd_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
