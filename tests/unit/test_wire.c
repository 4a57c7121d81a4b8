#include "gateway/wire/wire.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/wire/payout_messages.h"
#include "gateway/wire/status_messages.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 4096, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

#define DECODE(type, bytes, out) wire_decode(&(type), SLICE(bytes), &arena, out)

static void decodes_scalars_text_and_nested_messages(void **state)
{
    (void)state;
    struct wire_submit_payout_request r;
    struct refusal no = DECODE(wire_submit_payout_request_type,
                               "\x0a\x02r1\x12\x08\x0a\x03USD\x10\xd2\x09\x32\x02hi", &r);
    assert_int_equal(no.reason, REASON_NONE);
    assert_slice(r.reference, "r1");
    assert_true(r.gross.present);
    assert_slice(r.gross.currency_code, "USD");
    assert_int_equal(r.gross.minor_units, 1234);
    assert_slice(r.remittance_information, "hi");
    assert_false(r.beneficiary_details.present);
    assert_int_equal(r.quote.len, 0);
}

static void keeps_a_nul_inside_text(void **state)
{
    (void)state;
    struct wire_get_payout_request r;
    assert_int_equal(DECODE(wire_get_payout_request_type,
                            "\x0a\x03"
                            "a\0b",
                            &r)
                         .reason,
                     REASON_NONE);
    assert_int_equal(r.name.len, 3);
    assert_memory_equal(r.name.p, "a\0b", 3);
}

static void an_empty_message_is_all_absent(void **state)
{
    (void)state;
    struct wire_submit_payout_request r;
    assert_int_equal(DECODE(wire_submit_payout_request_type, "", &r).reason, REASON_NONE);
    assert_true(r.present);
    assert_false(r.gross.present);
    assert_int_equal(wire_decode(&wire_get_balance_request_type, (struct slice){NULL, 0}, &arena,
                                 &(struct wire_get_balance_request){0})
                         .reason,
                     REASON_NONE);
}

static void the_last_of_a_scalar_wins_and_messages_merge(void **state)
{
    (void)state;
    struct wire_submit_payout_request r;
    assert_int_equal(DECODE(wire_submit_payout_request_type,
                            "\x0a\x01"
                            "a\x12\x05\x0a\x03USD\x0a\x01"
                            "b\x12\x02\x10\x07",
                            &r)
                         .reason,
                     REASON_NONE);
    assert_slice(r.reference, "b");
    assert_slice(r.gross.currency_code, "USD");
    assert_int_equal(r.gross.minor_units, 7);
}

static void refuses_what_is_cut_anywhere(void **state)
{
    (void)state;
    static const char whole[] = "\x0a\x02r1\x12\x08\x0a\x03USD\x10\xd2\x09\x32\x02hi";
    struct wire_submit_payout_request r;
    for (size_t n = 1; n < sizeof(whole) - 1; n++) {
        /* Cut between two fields it is a shorter message, and a good one. */
        bool between = n == 4 || n == 14;
        struct refusal no =
            wire_decode(&wire_submit_payout_request_type, slice_of(whole, n), &arena, &r);
        assert_int_equal(no.reason, between ? REASON_NONE : REASON_MALFORMED_MESSAGE);
    }
}

static void refuses_broken_encodings(void **state)
{
    (void)state;
    static const struct slice broken[] = {
        SLICE("\x00\x01"),                                     /* field number 0 */
        SLICE("\x0e"),                                         /* wire type 6 */
        SLICE("\x0f"),                                         /* wire type 7 */
        SLICE("\x0c"),                                         /* the end of no group */
        SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* a length beyond everything */
        SLICE("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* a number of 12 bytes */
        SLICE("\xa3\x06\x08\x01"),                                     /* a group without an end */
        SLICE("\xa3\x06\xac\x06"),     /* a group ended by another */
        SLICE("\x95\x06\x01\x02\x03"), /* 32 bits cut */
    };
    struct wire_money m;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(wire_decode(&wire_money_type, broken[i], &arena, &m).reason,
                         REASON_MALFORMED_MESSAGE);
}

static void steps_over_a_few_unknown_fields_of_every_type(void **state)
{
    (void)state;
    struct wire_money m;
    assert_int_equal(DECODE(wire_money_type,
                            "\xa0\x06\x05" /* varint */
                            "\xa1\x06"
                            "12345678" /* 64 bits */
                            "\xa2\x06\x03"
                            "abc"                                      /* bytes */
                            "\xa3\x06\x08\x01\xa3\x06\xa4\x06\xa4\x06" /* a group in a group */
                            "\xa5\x06"
                            "1234" /* 32 bits */
                            "\x10\x07",
                            &m)
                         .reason,
                     REASON_NONE);
    assert_int_equal(m.minor_units, 7);
}

static void a_known_field_of_another_type_is_unknown(void **state)
{
    (void)state;
    struct wire_money m;
    assert_int_equal(DECODE(wire_money_type, "\x08\x05\x12\x01x", &m).reason, REASON_NONE);
    assert_int_equal(m.currency_code.len, 0);
    assert_int_equal(m.minor_units, 0);
}

static void refuses_64_kib_of_junk_fields_without_taking_memory(void **state)
{
    (void)state;
    char junk[65536];
    struct wire_money m;
    for (size_t i = 0; i < sizeof(junk); i += 2) {
        junk[i] = 0x78;
        junk[i + 1] = 0x01;
    }
    assert_int_equal(wire_decode(&wire_money_type, slice_of(junk, sizeof(junk)), &arena, &m).reason,
                     REASON_TOO_MANY_UNKNOWN_FIELDS);
    assert_int_equal(arena.total_bytes, 0);
    /* One large unknown field is junk, too: a length of 65,532. */
    static const unsigned char one[] = {0x7a, 0xfc, 0xff, 0x03};
    memcpy(junk, one, sizeof(one));
    assert_int_equal(wire_decode(&wire_money_type, slice_of(junk, sizeof(junk)), &arena, &m).reason,
                     REASON_TOO_MANY_UNKNOWN_FIELDS);
}

static void counts_unknown_fields_and_their_bytes_apart(void **state)
{
    (void)state;
    char few[2 * WIRE_UNKNOWN_FIELDS_MAX + 2];
    char large[WIRE_UNKNOWN_BYTES_MAX + 2] = {0x7a, (char)0xfe, 0x3f}; /* a length of 8,190 */
    struct wire_money m;
    memset(few, 0x78, sizeof(few));
    assert_int_equal(
        wire_decode(&wire_money_type, slice_of(few, sizeof(few) - 2), &arena, &m).reason,
        REASON_NONE);
    assert_int_equal(wire_decode(&wire_money_type, slice_of(few, sizeof(few)), &arena, &m).reason,
                     REASON_TOO_MANY_UNKNOWN_FIELDS);
    assert_int_equal(wire_decode(&wire_money_type, slice_of(large, 3 + 8190), &arena, &m).reason,
                     REASON_TOO_MANY_UNKNOWN_FIELDS);
    large[1] = (char)0xfd; /* 8,189: the most there may be */
    assert_int_equal(wire_decode(&wire_money_type, slice_of(large, 3 + 8189), &arena, &m).reason,
                     REASON_NONE);
}

static void names_the_field_that_holds_the_fault(void **state)
{
    (void)state;
    struct wire_submit_payout_request r;
    struct refusal no = DECODE(wire_submit_payout_request_type, "\x12\x02\x10\xff", &r);
    assert_int_equal(no.reason, REASON_MALFORMED_MESSAGE);
    assert_string_equal(no.field, "gross");
}

static void refuses_one_item_too_many(void **state)
{
    (void)state;
    struct wire_submit_payouts_request r;
    size_t n = WIRE_PAYOUTS_MAX + 1;
    char *bytes = calloc(n, 2);
    struct arena large;
    assert_non_null(bytes);
    arena_init(&large, 4096, 64 << 20);
    for (size_t i = 0; i < n; i++)
        bytes[2 * i] = 0x0a;
    struct refusal no =
        wire_decode(&wire_submit_payouts_request_type, slice_of(bytes, 2 * n), &large, &r);
    assert_int_equal(no.reason, REASON_BATCH_TOO_LARGE);
    assert_string_equal(no.field, "payouts");
    no = wire_decode(&wire_submit_payouts_request_type, slice_of(bytes, 2 * n - 2), &large, &r);
    assert_int_equal(no.reason, REASON_NONE);
    assert_int_equal(r.payouts.n, WIRE_PAYOUTS_MAX);
    arena_deinit(&large);
    free(bytes);
}

static void refuses_more_items_than_memory_for_them(void **state)
{
    (void)state;
    struct wire_submit_payouts_request r;
    struct arena small;
    arena_init(&small, 256, 256);
    struct refusal no =
        wire_decode(&wire_submit_payouts_request_type, SLICE("\x0a\x00\x0a\x00"), &small, &r);
    assert_int_equal(no.reason, REASON_MESSAGE_TOO_LARGE);
    arena_deinit(&small);
}

static void times_out_of_range_are_marked(void **state)
{
    (void)state;
    struct buf b;
    struct wire_quote q = {.create_time = wire_time_of(-1500000), .expire_time = wire_time_of(0)},
                      back;
    buf_init(&b, 1024);
    assert_ok(wire_encode(&wire_quote_type, &q, &b));
    assert_int_equal(wire_decode(&wire_quote_type, buf_slice(&b), &arena, &back).reason,
                     REASON_NONE);
    assert_int_equal(back.create_time.us, -1500000);
    assert_true(back.expire_time.present);
    assert_int_equal(back.expire_time.us, 0);
    buf_deinit(&b);
    /* seconds = 2^62; nanos = 10^9 */
    assert_int_equal(
        DECODE(wire_quote_type, "\x1a\x0a\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40", &back).reason,
        REASON_NONE);
    assert_true(back.create_time.us == INT64_MIN);
    assert_int_equal(DECODE(wire_quote_type, "\x1a\x06\x10\x80\x94\xeb\xdc\x03", &back).reason,
                     REASON_NONE);
    assert_true(back.create_time.us == INT64_MIN);
}

static void a_long_nested_message_gets_a_long_length(void **state)
{
    (void)state;
    char text[300];
    struct buf b;
    struct wire_beneficiary m = {.details = {.present = true}, .version = -3}, back;
    memset(text, 'x', sizeof(text));
    m.details.display_name = slice_of(text, sizeof(text));
    buf_init(&b, 4096);
    assert_ok(wire_encode(&wire_beneficiary_type, &m, &b));
    assert_int_equal(wire_decode(&wire_beneficiary_type, buf_slice(&b), &arena, &back).reason,
                     REASON_NONE);
    assert_int_equal(back.details.display_name.len, sizeof(text));
    assert_memory_equal(back.details.display_name.p, text, sizeof(text));
    assert_int_equal(back.version, -3);
    buf_deinit(&b);
}

static void a_status_says_reason_field_and_delay(void **state)
{
    (void)state;
    struct buf b;
    struct wire_status s;
    buf_init(&b, 4096);
    assert_ok(wire_status_encode(REASON_QUEUE_FULL, "payouts", "no", 1250, &b));
    assert_true(wire_status_decode(buf_slice(&b), &s));
    assert_int_equal(s.code, 8);
    assert_slice(s.message, "no");
    assert_slice(s.reason, "QUEUE_FULL");
    assert_slice(s.field, "payouts");
    assert_int_equal(s.retry_ms, 1250);
    assert_false(wire_status_decode(SLICE("\x0a"), &s));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decodes_scalars_text_and_nested_messages, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_nul_inside_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_message_is_all_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_of_a_scalar_wins_and_messages_merge, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_cut_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(steps_over_a_few_unknown_fields_of_every_type, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_known_field_of_another_type_is_unknown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_64_kib_of_junk_fields_without_taking_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(counts_unknown_fields_and_their_bytes_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_the_field_that_holds_the_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_one_item_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_items_than_memory_for_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(times_out_of_range_are_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_nested_message_gets_a_long_length, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_status_says_reason_field_and_delay, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
