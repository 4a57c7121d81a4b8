/* What the claim page is made of: links, forms, templates, bounds. */
#include "gateway/rest/claim_form.h"
#include "gateway/rest/claim_limit.h"
#include "gateway/rest/claim_token.h"
#include "gateway/rest/claim_view.h"
#include "gateway/rest/template.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "domain/purpose.h"
#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static const uint8_t key[CLAIM_TOKEN_KEY_SIZE] = "0123456789abcdef0123456789abcdef";
static const struct claim_token some = {7, 3, 123456789012, 15000, {0}};

/* ---------------------------------------------------------------- links */

static void a_link_says_its_item_and_is_checked(void **state)
{
    (void)state;
    char text[CLAIM_TOKEN_SIZE], again[CLAIM_TOKEN_SIZE];
    struct claim_token read;
    const size_t len = claim_token_make(&some, key, text);
    assert_int_equal(len, CLAIM_TOKEN_SIZE - 1);
    assert_true(claim_token_read(slice_of(text, len), &read));
    assert_int_equal(read.credential_id, 7);
    assert_int_equal(read.book_id, 3);
    assert_int_equal(read.batch_id, 123456789012);
    assert_int_equal(read.item_no, 15000);
    assert_true(claim_token_check(&read, key));
    (void)claim_token_make(&some, key, again);
    assert_string_equal(text, again);
}

static void any_other_bit_or_key_is_no_link(void **state)
{
    (void)state;
    char text[CLAIM_TOKEN_SIZE], other[CLAIM_TOKEN_SIZE];
    uint8_t bytes[CLAIM_TOKEN_BYTES], wrong_key[CLAIM_TOKEN_KEY_SIZE];
    size_t len;
    struct claim_token read;
    (void)claim_token_make(&some, key, text);
    assert_ok(base64url_decode(slice_str(text), bytes, sizeof(bytes), &len));
    for (unsigned bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        len = base64url_encode(bytes, sizeof(bytes), other);
        assert_false(claim_token_read(slice_of(other, len), &read) &&
                     claim_token_check(&read, key));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memcpy(wrong_key, key, sizeof(key));
    wrong_key[31] ^= 1;
    assert_true(claim_token_read(slice_str(text), &read));
    assert_false(claim_token_check(&read, wrong_key));
    for (size_t n = 0; n < CLAIM_TOKEN_SIZE - 1; n++)
        assert_false(claim_token_read(slice_of(text, n), &read));
}

/* Held against the header's text, by hand. */
static void the_signature_is_as_written_down(void **state)
{
    (void)state;
    static const char label[] = "ujrat/claim-key/1";
    static const uint8_t said[CLAIM_TOKEN_SIGNED_SIZE] = {
        1, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 0x1c, 0xbe, 0x99, 0x1a, 0x14, 0, 0, 0x3a, 0x98};
    uint8_t bytes[CLAIM_TOKEN_BYTES], derived[32], mac[32];
    char text[CLAIM_TOKEN_SIZE];
    unsigned n = 0;
    size_t len;
    (void)claim_token_make(&some, key, text);
    assert_ok(base64url_decode(slice_str(text), bytes, sizeof(bytes), &len));
    assert_memory_equal(bytes, said, sizeof(said));
    assert_non_null(
        HMAC(EVP_sha256(), key, 32, (const uint8_t *)label, sizeof(label) - 1, derived, &n));
    assert_non_null(HMAC(EVP_sha256(), derived, 32, said, sizeof(said), mac, &n));
    assert_memory_equal(bytes + sizeof(said), mac, CLAIM_TOKEN_MAC_SIZE);
}

/* ---------------------------------------------------------------- templates */

static char *filled(const char *words, const char *text, const char *value, bool *failed)
{
    struct template_page page = {.words = slice_str(words)};
    struct buf out;
    buf_init(&out, 1 << 20);
    *failed = false;
    template_set(&page, "v", slice_str(value));
    template_fill(&page, slice_str(text), &out, failed);
    char *copy = calloc(1, buf_len(&out) + 1);
    assert_non_null(copy);
    if (buf_len(&out) > 0)
        memcpy(copy, buf_data(&out), buf_len(&out));
    buf_deinit(&out);
    return copy;
}

static void values_are_escaped_wherever_they_go(void **state)
{
    (void)state;
    static const char words[] = "# note\nhello Hi {v}, <you>\n";
    static const struct {
        const char *text, *value, *want;
    } cases[] = {
        {"a{{v}}b", "x", "axb"},
        {"{{v}}", "<&>\"'", "&lt;&amp;&gt;&quot;&#39;"},
        {"<i a=\"{{v}}\">", "\" onload=\"", "<i a=\"&quot; onload=&quot;\">"},
        {"{{:hello}}", "<b>", "Hi <bdi>&lt;b&gt;</bdi>, &lt;you&gt;"},
        {"{{:hello}}", "{v}{{v}}", "Hi <bdi>{v}{{v}}</bdi>, &lt;you&gt;"},
        {"{{v}}", "{{:hello}}", "{{:hello}}"},
        {"{{none}}", "x", ""},
        {"{{?v}}yes{{/}}{{!v}}no{{/}}.", "x", "yes."},
        {"{{?v}}yes{{/}}{{!v}}no{{/}}.", "", "no."},
        {"{{?v}}a{{?v}}b{{/}}c{{/}}d", "", "d"},
        {"{{!v}}a{{?v}}b{{/}}c{{/}}d", "", "acd"},
        {"{{v}}", "\xff\xfe", ""},
        {"{{v}}", "a\nb", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool failed;
        char *got = filled(words, cases[i].text, cases[i].value, &failed);
        assert_string_equal(got, cases[i].want);
        assert_false(failed);
        free(got);
    }
}

static void a_broken_template_never_makes_half_a_page(void **state)
{
    (void)state;
    static const char *const texts[] = {"{{:unknown}}", "{{?none}}x", "{{@part}}x{{?none}}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bool failed;
        free(filled("a b\n", texts[i], "", &failed));
        assert_true(failed);
    }
}

static void values_cannot_make_tags(void **state)
{
    (void)state;
    struct prng prng = {11};
    for (int round = 0; round < 20000; round++) {
        static const char alphabet[] = "<>&\"'{}:?!/@v a\xd8\xa7";
        char value[24];
        bool failed;
        const size_t len = (size_t)prng_between(&prng, 0, sizeof(value) - 1);
        for (size_t i = 0; i < len; i++)
            value[i] = alphabet[prng_between(&prng, 0, sizeof(alphabet) - 2)];
        value[len] = '\0';
        char *got = filled("k {v}\n", "{{v}}", value, &failed);
        assert_null(strpbrk(got, "<>\"'"));
        free(got);
        got = filled("k {v}\n", "{{:k}}", value, &failed);
        assert_memory_equal(got, "<bdi>", 5);
        assert_null(strpbrk(got + 5, ">\"'") == got + strlen(got) - 1 ? NULL : got);
        free(got);
    }
}

/* ---------------------------------------------------------------- forms */

static struct arena arena;

static struct claim_form form_of(const char *body)
{
    struct claim_form form;
    assert_true(claim_form_read(&arena, slice_str(body), &form));
    return form;
}

static void a_form_is_read_as_people_write(void **state)
{
    (void)state;
    struct beneficiary_text text;
    struct claim_form form = form_of(
        "name=+Ayesha+Khan+&iban=pk36+scbl-0000+0011+2345+6702&cnic=%DB%B4%DB%B2101-1234567-"
        "%D9%A1&channel=export&bank=MUCB");
    assert_true(claim_form_check(&form, &text));
    assert_slice(text.value[PII_NAME], "Ayesha Khan");
    assert_slice(text.value[PII_IBAN], "PK36SCBL0000001123456702");
    assert_slice(text.value[PII_CNIC], "4210112345671");
    assert_slice(form.typed[CLAIM_IBAN], "pk36 scbl-0000 0011 2345 6702");
    assert_slice(text.draft.purpose_code, "9186");
    form = form_of("name=A&mobile=0300+123-4567&bank=MUCB&cnic=4210112345671&channel=remittance");
    assert_true(claim_form_check(&form, &text));
    assert_slice(text.draft.purpose_code, "9471");
    assert_int_equal(text.draft.channel, CHANNEL_HOME_REMITTANCE);
}

static void every_field_has_its_own_fault(void **state)
{
    (void)state;
    struct beneficiary_text text;
    struct claim_form form = form_of("");
    assert_false(claim_form_check(&form, &text));
    const reason_t empty[CLAIM_FIELDS] = {
        REASON_NAME_EMPTY,     REASON_FIELD_REQUIRED,  REASON_NONE, REASON_NONE,
        REASON_FIELD_REQUIRED, REASON_CHANNEL_UNKNOWN, REASON_NONE};
    for (unsigned i = 0; i < CLAIM_FIELDS; i++)
        assert_int_equal(form.fault[i], empty[i]);
    form = form_of("name=A&iban=PK36SCBL0000001123456702&mobile=1&bank=x&cnic=1&channel=3&pseb="
                   "0123456789012345678901234567890123456789");
    assert_false(claim_form_check(&form, &text));
    assert_int_equal(form.fault[CLAIM_NAME], REASON_NONE);
    assert_int_equal(form.fault[CLAIM_IBAN], REASON_NONE);
    assert_int_equal(form.fault[CLAIM_MOBILE], REASON_FIELD_CONFLICT);
    assert_int_equal(form.fault[CLAIM_BANK], REASON_NONE);
    assert_int_equal(form.fault[CLAIM_CNIC], REASON_CNIC_LENGTH);
    assert_int_equal(form.fault[CLAIM_CHANNEL], REASON_CHANNEL_UNKNOWN);
    assert_int_equal(form.fault[CLAIM_PSEB], REASON_TEXT_TOO_LONG);
}

static void whatever_is_sent_is_judged_in_bounds(void **state)
{
    (void)state;
    struct prng prng = {5};
    for (int round = 0; round < 5000; round++) {
        static const char *const pieces[] = {
            "name=", "iban=", "mobile=", "bank=", "cnic=",  "channel=", "pseb=", "&",      "%00",
            "%ff",   "+",     "PK36",    "0300",  "export", "=",        "%",     "%DB%B0", "A"};
        struct beneficiary_text text;
        char body[512] = "";
        size_t len = 0;
        for (int64_t i = prng_between(&prng, 0, 30); i > 0; i--) {
            const char *piece =
                pieces[prng_between(&prng, 0, sizeof(pieces) / sizeof(pieces[0]) - 1)];
            memcpy(body + len, piece, strlen(piece) + 1);
            len += strlen(piece);
        }
        struct claim_form form = form_of(body);
        bool faulty = false;
        const bool good = claim_form_check(&form, &text);
        for (unsigned i = 0; i < CLAIM_FIELDS; i++)
            faulty = faulty || form.fault[i] != REASON_NONE;
        assert_int_equal(good, !faulty);
        arena_reset(&arena);
    }
}

/* ---------------------------------------------------------------- bounds and views */

static void attempts_are_bounded_by_link_and_window(void **state)
{
    (void)state;
    struct claim_limits *limits = calloc(1, sizeof(*limits));
    const uint8_t one[2] = {1, 2}, other[2] = {1, 3};
    assert_non_null(limits);
    for (int i = 0; i < CLAIM_LIMIT_SENT_MAX; i++)
        assert_true(claim_limit_take(limits, one, true, 1000));
    assert_false(claim_limit_take(limits, one, true, 1000));
    assert_true(claim_limit_take(limits, one, false, 1000));
    assert_true(claim_limit_take(limits, other, true, 1000));
    assert_true(claim_limit_take(limits, one, true, 1000 + CLAIM_LIMIT_WINDOW_S));
    for (int i = 0; i < CLAIM_LIMIT_OPENED_MAX; i++)
        assert_true(claim_limit_take(limits, other, false, 1000));
    assert_false(claim_limit_take(limits, other, false, 1000));
    free(limits);
}

static void every_view_is_whole_in_every_language(void **state)
{
    (void)state;
    struct buf out;
    char policy[CLAIM_POLICY_SIZE];
    const struct claim_view_row rows[] = {{"0000000000G1", {10000, CCY_USD}, {2780000, CCY_PKR}},
                                          {"0000000000G2", {10000, CCY_USD}, {0, 0}}};
    buf_init(&out, 1 << 20);
    for (int kind = CLAIM_VIEW_DONE; kind <= CLAIM_VIEW_KNOWN; kind++) {
        for (int urdu = 0; urdu < 2; urdu++) {
            const struct claim_view view = {.kind = (enum claim_view_kind)kind,
                                            .urdu = urdu,
                                            .platform = SLICE("A & B"),
                                            .reference = SLICE("R"),
                                            .gross = {10000, CCY_USD},
                                            .net = {2780000, CCY_PKR},
                                            .rows = rows,
                                            .n_rows = 2};
            buf_reset(&out);
            assert_true(claim_view_write(&view, &out));
            assert_ok(buf_append_char(&out, '\0'));
            assert_non_null(strstr((const char *)buf_data(&out), "<h1>"));
            assert_null(strstr((const char *)buf_data(&out), "A & B"));
            if (kind == CLAIM_VIEW_DONE)
                assert_non_null(strstr((const char *)buf_data(&out), "A &amp; B"));
        }
    }
    buf_deinit(&out);
    assert_non_null(strstr(claim_view_policy(policy), "'; form-action 'self'; frame-ancestors "
                                                      "'none'; base-uri 'none'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_says_its_item_and_is_checked),
        cmocka_unit_test(any_other_bit_or_key_is_no_link),
        cmocka_unit_test(the_signature_is_as_written_down),
        cmocka_unit_test(values_are_escaped_wherever_they_go),
        cmocka_unit_test(a_broken_template_never_makes_half_a_page),
        cmocka_unit_test(values_cannot_make_tags),
        cmocka_unit_test(a_form_is_read_as_people_write),
        cmocka_unit_test(every_field_has_its_own_fault),
        cmocka_unit_test(whatever_is_sent_is_judged_in_bounds),
        cmocka_unit_test(attempts_are_bounded_by_link_and_window),
        cmocka_unit_test(every_view_is_whole_in_every_language),
    };
    arena_init(&arena, 4096, 1 << 20);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
