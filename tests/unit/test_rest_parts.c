/* The pure parts of the REST API: tokens, ids and references, targets, JSON in and out, receivers. */
#include "domain/receiver.h"
#include "gateway/rest/batch_in.h"
#include "gateway/rest/error.h"
#include "gateway/rest/ids.h"
#include "gateway/rest/target.h"
#include "gateway/rest/token.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 4096, 8 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* ---------------------------------------------------------------- tokens */

static const uint8_t key_a[REST_TOKEN_KEY_SIZE] = {1, 2, 3}, key_b[REST_TOKEN_KEY_SIZE] = {1, 2, 4};
static const struct rest_token sample = {.kind = REST_TOKEN_ACCESS,
                                         .credential_id = 77,
                                         .issued_s = 1000,
                                         .expires_s = 2000,
                                         .random = {9, 8, 7}};

static struct slice make(const struct rest_token *token, const uint8_t *key)
{
    static char text[REST_TOKEN_SIZE];
    return slice_of(text, rest_token_make(token, key, text));
}

static void a_token_is_good_until_it_expires(void **state)
{
    (void)state;
    struct rest_token read;
    const struct slice text = make(&sample, key_a);
    assert_true(rest_token_read(text, &read));
    assert_int_equal(read.credential_id, 77);
    assert_true(read.expires_s == 2000 && read.kind == REST_TOKEN_ACCESS);
    assert_int_equal(rest_token_check(text, REST_TOKEN_ACCESS, 1000, key_a), REST_TOKEN_GOOD);
    assert_int_equal(rest_token_check(text, REST_TOKEN_ACCESS, 1999, key_a), REST_TOKEN_GOOD);
    assert_int_equal(rest_token_check(text, REST_TOKEN_ACCESS, 2000, key_a), REST_TOKEN_EXPIRED);
}

static void a_token_of_another_kind_or_key_is_not_good(void **state)
{
    (void)state;
    struct rest_token refresh = sample;
    refresh.kind = REST_TOKEN_REFRESH;
    assert_int_equal(rest_token_check(make(&sample, key_a), REST_TOKEN_REFRESH, 1000, key_a),
                     REST_TOKEN_WRONG_KIND);
    assert_int_equal(rest_token_check(make(&refresh, key_a), REST_TOKEN_ACCESS, 1000, key_a),
                     REST_TOKEN_WRONG_KIND);
    assert_int_equal(rest_token_check(make(&sample, key_b), REST_TOKEN_ACCESS, 1000, key_a),
                     REST_TOKEN_FORGED);
}

static void every_bit_of_a_token_counts(void **state)
{
    (void)state;
    uint8_t bytes[REST_TOKEN_BYTES];
    char text[REST_TOKEN_SIZE];
    size_t len;
    assert_ok(base64url_decode(make(&sample, key_a), bytes, sizeof(bytes), &len));
    for (unsigned bit = 0; bit < 8 * REST_TOKEN_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const size_t n = base64url_encode(bytes, sizeof(bytes), text);
        assert_int_equal(rest_token_check(slice_of(text, n), REST_TOKEN_ACCESS, 1000, key_a),
                         REST_TOKEN_FORGED);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void what_is_no_token_is_forged(void **state)
{
    (void)state;
    const struct slice good = make(&sample, key_a);
    char longer[REST_TOKEN_SIZE + 1];
    memcpy(longer, good.p, good.len);
    longer[good.len] = 'A';
    const struct slice bad[] = {SLICE(""), SLICE("x"), slice_of(good.p, good.len - 1),
                                slice_of(longer, good.len + 1), SLICE("....")};
    struct rest_token read;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(rest_token_check(bad[i], REST_TOKEN_ACCESS, 1000, key_a),
                         REST_TOKEN_FORGED);
        assert_false(rest_token_read(bad[i], &read));
    }
}

/* ---------------------------------------------------------------- ids, references */

static void an_id_reads_back(void **state)
{
    static const int64_t batches[] = {1, 2, 4095, 4096, 999999, REST_BATCH_ID_MAX};
    static const int32_t items[] = {0, 1, 31, 32, 15000, REST_ITEM_NO_MAX};
    (void)state;
    for (unsigned b = 0; b < 6; b++)
        for (unsigned i = 0; i < 6; i++) {
            char text[REST_ID_SIZE];
            int64_t batch;
            int32_t item;
            assert_true(
                rest_id_read(slice_str(rest_id_write(batches[b], items[i], text)), &batch, &item));
            assert_true(batch == batches[b] && item == items[i]);
        }
    char text[REST_ID_SIZE];
    assert_string_equal(rest_id_write(1, 0, text), "0000000000G00");
    assert_string_equal(rest_id_write(1, 15000, text), "0000000000YMR");
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "0000000000G0",
                                      "0000000000G000",
                                      "0000000000g00",
                                      "0000000000I00",
                                      "0000000000U00",
                                      "0000000000000",
                                      "00000000003ZZ",
                                      "ZZZZZZZZZZZZZ",
                                      "0000000000G0 ",
                                      "0SMT4Z3ZZZG00",
                                      "000000000-G00"};
    int64_t batch;
    int32_t item;
    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rest_id_read(slice_str(bad[i]), &batch, &item));
}

static void references_follow_from_the_platforms_ids(void **state)
{
    char stem[REST_REFERENCE_STEM_LEN + 1], other[REST_REFERENCE_STEM_LEN + 1];
    char reference[REST_REFERENCE_SIZE];
    (void)state;
    /* printf abc | sha256sum, in base32 */
    rest_reference_stem(SLICE("abc"), SLICE(""), stem);
    assert_string_equal(stem, "PP-xj4bnp4pahh6uqkbidpf3lrceo");
    rest_reference_stem(SLICE("abc"), SLICE("r"), other);
    assert_string_equal(other, stem); /* named by the sender_batch_id alone */
    rest_reference_stem(SLICE(""), SLICE("abc"), other);
    assert_string_not_equal(other, stem);
    assert_int_equal(rest_reference_write(stem, 15000, reference), 35);
    assert_string_equal(reference, "PP-xj4bnp4pahh6uqkbidpf3lrceo-15000");
}

/* ---------------------------------------------------------------- targets */

static void paths_match_by_segment(void **state)
{
    static const struct {
        const char *path, *pattern, *param; /* NULL: it does not match */
    } cases[] = {
        {"/v1/a/7", "/v1/a/{id}", "7"},
        {"/v1/a/7/", "/v1/a/{id}", "7"},
        {"/v1/a/7/&", "/v1/a/{id}", "7"},
        {"/v1/a/7//", "/v1/a/{id}", "7"},
        {"/v1/a/a%2Fb", "/v1/a/{id}", "a%2Fb"},
        {"/v1/a", "/v1/a/{id}", NULL},
        {"/v1/a/", "/v1/a/{id}", NULL},
        {"/v1/a//", "/v1/a/{id}", NULL},
        {"/v1/a//x", "/v1/a/{id}", NULL},
        {"/v1/a/7/x", "/v1/a/{id}", NULL},
        {"/v1/a/7/x", "/v1/a/{id}/x", "7"},
        {"/v1/b/7", "/v1/a/{id}", NULL},
        {"/V1/a/7", "/v1/a/{id}", NULL},
        {"", "/v1/a/{id}", NULL},
        {"/", "/v1/a/{id}", NULL},
        {"v1/a/7", "/v1/a/{id}", NULL},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice param = SLICE("");
        const bool matches = target_match(slice_str(cases[i].path), cases[i].pattern, &param, 1);
        assert_int_equal(matches, cases[i].param != NULL);
        if (matches)
            assert_slice(param, cases[i].param);
    }
}

static void percent_decoding_is_strict(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {{"", ""},      {"a%20b", "a b"}, {"%C3%bc", "\xc3\xbc"}, {"a+b", "a+b"},
                 {"%", NULL},   {"%4", NULL},     {"%zz", NULL},          {"%4%31", NULL},
                 {"%00", NULL}, {"%ff", NULL},    {"%c3", NULL},          {"%0a", "\n"}};
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice out;
        const bool good = target_decode(&arena, slice_str(cases[i].text), false, &out);
        assert_int_equal(good, cases[i].value != NULL);
        if (good)
            assert_slice(out, cases[i].value);
    }
}

static void parameters_are_found_and_others_ignored(void **state)
{
    const struct slice query = SLICE("&a=1&&b%20=x+y&c&a=2&d=%zz&d=3&=4");
    struct slice out;
    (void)state;
    assert_true(target_param(&arena, query, "a", &out));
    assert_slice(out, "1");
    assert_true(target_param(&arena, query, "b ", &out));
    assert_slice(out, "x y");
    assert_true(target_param(&arena, query, "c", &out));
    assert_slice(out, "");
    assert_true(target_param(&arena, query, "d", &out));
    assert_slice(out, "3");
    assert_false(target_param(&arena, query, "e", &out));
}

/* ---------------------------------------------------------------- JSON */

static void json_is_written_with_its_commas_and_escapes(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 1 << 16);
    struct json_out o = json_out_of(&buf);
    json_out_object(&o);
    json_out_field(&o, "a", SLICE("q\"\\\n\t\x01\x7f\xc3\xbc\xff\xed\xa0\x80"));
    json_out_field_if(&o, "none", SLICE(""));
    json_out_key(&o, "l");
    json_out_array(&o);
    json_out_int(&o, INT64_MIN);
    json_out_bool(&o, true);
    json_out_null(&o);
    json_out_object(&o);
    json_out_object_end(&o);
    json_out_array_end(&o);
    json_out_field_money(&o, "m", -5, CCY_USD);
    json_out_field_time(&o, "t", 1789000000999999);
    json_out_object_end(&o);
    assert_false(o.failed);
    assert_int_equal(o.depth, 0);
    assert_slice(
        buf_slice(&buf),
        "{\"a\":\"q\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xbc\\ufffd\\ufffd\\ufffd\\ufffd\","
        "\"l\":[-9223372036854775808,true,null,{}],"
        "\"m\":{\"currency\":\"USD\",\"value\":\"-0.05\"},\"t\":\"2026-09-10T00:26:40Z\"}");
    buf_deinit(&buf);
}

static void json_that_does_not_fit_says_so(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 8);
    struct json_out o = json_out_of(&buf);
    json_out_array(&o);
    json_out_text(&o, SLICE("a text too long"));
    json_out_array_end(&o);
    assert_true(o.failed);
    buf_deinit(&buf);
    buf_init(&buf, 4096);
    o = json_out_of(&buf);
    for (unsigned i = 0; i < JSON_OUT_DEPTH_MAX; i++)
        json_out_array(&o);
    assert_true(o.failed);
    buf_deinit(&buf);
}

static enum rest_batch_result decode(const char *text, struct rest_faults *faults,
                                     struct rest_batch_in *out)
{
    char why[JSON_IN_WHY_SIZE];
    *faults = (struct rest_faults){.arena = &arena};
    return rest_batch_decode(slice_str(text), "upwork", faults, out, why);
}

static void a_batch_is_decoded(void **state)
{
    struct rest_faults faults;
    struct rest_batch_in b;
    (void)state;
    assert_int_equal(
        decode("{\"sender_batch_header\":{\"sender_batch_id\":\"s\",\"recipient_type\":\"PHONE\"},"
               "\"items\":[{\"receiver\":\"0300 1234567\",\"amount\":{\"currency\":\"USD\","
               "\"value\":\"1.5\"}},{\"recipient_type\":\"EMAIL\",\"receiver\":\" A@B.com\","
               "\"amount\":{\"currency\":\"USD\",\"value\":\"2\"},\"note\":\"n\"},"
               "{\"recipient_type\":\"USER_HANDLE\",\"receiver\":\"platforms/upwork/beneficiaries/"
               "42\",\"amount\":{\"currency\":\"USD\",\"value\":\"3.00\"}}]}",
               &faults, &b),
        REST_BATCH_GOOD);
    assert_int_equal(b.n, 3);
    assert_true(b.amount == 650 && b.ccy == CCY_USD);
    assert_slice(b.items[0].normal, "+923001234567");
    assert_slice(b.items[0].receiver, "0300 1234567");
    assert_slice(b.items[1].normal, "a@b.com");
    assert_int_equal(b.items[2].kind, RECEIVER_NONE);
    assert_true(b.items[2].beneficiary_id == 42);
}

static void the_digest_is_of_what_is_meant(void **state)
{
    static const char head[] = "{\"sender_batch_header\":{\"sender_batch_id\":\"s\"},\"items\":[";
    static const char *const items[] = {
        "{\"receiver\":\"a@b.co\",\"amount\":{\"currency\":\"USD\",\"value\":\"1.50\"}}",
        "{ \"amount\":{\"value\":\"1.5\",\"currency\":\"USD\"},\"x\":1,\"receiver\":\"A@B.co \"}",
        "{\"receiver\":\"a@b.co\",\"amount\":{\"currency\":\"USD\",\"value\":\"1.51\"}}",
        "{\"receiver\":\"a@b.cc\",\"amount\":{\"currency\":\"USD\",\"value\":\"1.50\"}}",
        "{\"receiver\":\"a@b.co\",\"amount\":{\"currency\":\"EUR\",\"value\":\"1.50\"}}",
        "{\"receiver\":\"a@b.co\",\"note\":\"n\",\"amount\":{\"currency\":\"USD\",\"value\":\"1.50\"}}",
    };
    struct rest_faults faults;
    struct rest_batch_in first, b;
    char text[512];
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        snprintf(text, sizeof(text), "%s%s]}", head, items[i]);
        assert_int_equal(decode(text, &faults, i == 0 ? &first : &b), REST_BATCH_GOOD);
        if (i > 0)
            assert_int_equal(memcmp(first.digest, b.digest, sizeof(b.digest)) == 0, i == 1);
    }
}

static void a_note_becomes_what_a_bank_can_print(void **state)
{
    struct slice out;
    char lots[400];
    (void)state;
    assert_true(rest_note_as_info(&arena, SLICE("Invoice 18"), &out));
    assert_slice(out, "Invoice 18");
    assert_true(rest_note_as_info(&arena, SLICE(" \n two\nlines\x7f "), &out));
    assert_slice(out, "two lines");
    assert_true(rest_note_as_info(&arena, SLICE("\n \n"), &out));
    assert_int_equal(out.len, 0);
    memset(lots, 'x', sizeof(lots));
    lots[139] = ' ';
    assert_true(rest_note_as_info(&arena, slice_of(lots, sizeof(lots)), &out));
    assert_int_equal(out.len, 139);
    for (unsigned i = 0; i < sizeof(lots); i++)
        lots[i] = "\xc3\xbc"[i % 2];
    assert_true(rest_note_as_info(&arena, slice_of(lots, sizeof(lots)), &out));
    assert_int_equal(out.len, 280);
}

/* ---------------------------------------------------------------- receivers, errors */

static void receivers_have_one_form(void **state)
{
    static const struct {
        bool phone;
        const char *text, *normal; /* NULL: it is none */
    } cases[] = {
        {false, " Ayesha.Khan@Example.COM\t", "ayesha.khan@example.com"},
        {false, "a@b", "a@b"},
        {false, "\xc3\xbc@b", "\xc3\xbc@b"},
        {false, "@b", NULL},
        {false, "a@", NULL},
        {false, "a@b@c", NULL},
        {false, "a b@c", NULL},
        {false, "a\n@c", NULL},
        {false, "ab", NULL},
        {false, "a\xff@c", NULL},
        {true, "03001234567", "+923001234567"},
        {true, "+92 300 1234567", "+923001234567"},
        {true, "0092-300-1234567", "+923001234567"},
        {true, "+1 (408) 555-1212", "+14085551212"},
        {true, "+921234567890", "+921234567890"},
        {true, "408-555-1212", NULL},
        {true, "+0123456789", NULL},
        {true, "+1234567", NULL},
        {true, "+1234567890123456", NULL},
        {true, "+1408555x212", NULL},
        {true, "1+4085551212", NULL},
        {true, "", NULL},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[RECEIVER_SIZE];
        const struct slice text = slice_str(cases[i].text);
        const bool good = cases[i].phone ? receiver_phone(text, out) : receiver_email(text, out);
        if (good != (cases[i].normal != NULL))
            fail_msg("%s", cases[i].text);
        if (good)
            assert_string_equal(out, cases[i].normal);
    }
    char longest[RECEIVER_BYTES_MAX + 1], out[RECEIVER_SIZE];
    memset(longest, 'x', sizeof(longest));
    longest[1] = '@';
    assert_true(receiver_email(slice_of(longest, RECEIVER_BYTES_MAX), out));
    assert_false(receiver_email(slice_of(longest, RECEIVER_BYTES_MAX + 1), out));
}

static void every_reason_has_a_status_and_a_name(void **state)
{
    reason_t reason;
    (void)state;
    for (unsigned i = 0; reason_at(i, &reason); i++) {
        const struct rest_reason said = rest_reason_of(reason);
        assert_true(said.status >= 400 && said.status <= 503 && said.name[0] != '\0');
        /* Nobody takes "it may have been done" for a no. */
        assert_int_equal(said.status >= 500,
                         reason_grpc_status(reason) == REASON_GRPC_INTERNAL ||
                             reason_grpc_status(reason) == REASON_GRPC_UNAVAILABLE);
    }
    assert_string_equal(rest_reason_of(REASON_INSUFFICIENT_FLOAT).name, "INSUFFICIENT_FUNDS");
    assert_string_equal(rest_reason_of(REASON_RATE_STALE).name, "RATE_STALE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_until_it_expires),
        cmocka_unit_test(a_token_of_another_kind_or_key_is_not_good),
        cmocka_unit_test(every_bit_of_a_token_counts),
        cmocka_unit_test(what_is_no_token_is_forged),
        cmocka_unit_test(an_id_reads_back),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(references_follow_from_the_platforms_ids),
        cmocka_unit_test(paths_match_by_segment),
        cmocka_unit_test(percent_decoding_is_strict),
        cmocka_unit_test(parameters_are_found_and_others_ignored),
        cmocka_unit_test(json_is_written_with_its_commas_and_escapes),
        cmocka_unit_test(json_that_does_not_fit_says_so),
        cmocka_unit_test(a_batch_is_decoded),
        cmocka_unit_test(the_digest_is_of_what_is_meant),
        cmocka_unit_test(a_note_becomes_what_a_bank_can_print),
        cmocka_unit_test(receivers_have_one_form),
        cmocka_unit_test(every_reason_has_a_status_and_a_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
