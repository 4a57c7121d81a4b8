/* The parts of the transport that need no socket: timers, queues, texts, frames, protobuf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/byte_queue.h"
#include "gateway/net/grpc_frame.h"
#include "gateway/net/grpc_text.h"
#include "gateway/net/pb_lite.h"
#include "gateway/net/timers.h"
#include "tests/unit/prng.h"

static void timeouts_are_read_in_every_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1H", 3600000}, {"2M", 120000},  {"3S", 3000}, {"4m", 4},
                {"5u", 1},       {"1000001n", 2}, {"0n", 0},    {"99999999H", 31622400000}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = -1;
        assert_true(grpc_timeout_parse(good[i].text, strlen(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    static const char *const bad[] = {"",    "S",          "1",    "-1S", "1s",
                                      "1 S", "123456789S", "1.5S", "+1S"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        assert_false(grpc_timeout_parse(bad[i], strlen(bad[i]), &ms));
    }
}

static void percent_encoding_leaves_plain_text_alone(void **state)
{
    (void)state;
    char out[64];
    size_t n = grpc_percent_encode("a b~%\n\xff", 7, out, sizeof out);
    assert_int_equal(n, 13);
    assert_memory_equal(out, "a b~%25%0A%FF", 13);
    n = grpc_percent_encode("ab\n", 3, out, 4); /* no half escapes */
    assert_int_equal(n, 2);
    n = grpc_percent_decode("%41%4g%%42%", 11, out);
    assert_int_equal(n, 7);
    assert_memory_equal(out, "A%4g%B%", 7);
}

static void base64_takes_padding_or_none(void **state)
{
    (void)state;
    uint8_t out[16];
    size_t n;
    assert_true(grpc_base64_decode("QQ==", 4, out, &n) && n == 1 && out[0] == 'A');
    assert_true(grpc_base64_decode("QQ", 2, out, &n) && n == 1 && out[0] == 'A');
    assert_true(grpc_base64_decode("QUI", 3, out, &n) && n == 2 && out[1] == 'B');
    assert_true(grpc_base64_decode("", 0, out, &n) && n == 0);
    assert_false(grpc_base64_decode("Q", 1, out, &n));
    assert_false(grpc_base64_decode("Q Q=", 4, out, &n));
    assert_false(grpc_base64_decode("Q===", 4, out, &n));
    char text[8];
    assert_int_equal(grpc_base64_encode((const uint8_t *)"\xfb\xff", 2, text), 4);
    assert_memory_equal(text, "+/8=", 4);
}

static void header_names_of_the_protocol_are_not_metadata(void **state)
{
    (void)state;
    assert_true(grpc_metadata_name_is_legal("x-trace-bin", 11));
    assert_false(grpc_metadata_name_is_legal("grpc-status", 11));
    assert_false(grpc_metadata_name_is_legal(":path", 5));
    assert_false(grpc_metadata_name_is_legal("X-Upper", 7));
    assert_false(grpc_metadata_name_is_legal("", 0));
    assert_false(grpc_metadata_value_is_legal("a\r\nb: c", 7));
    assert_false(grpc_metadata_value_is_legal(" a", 2));
    assert_true(grpc_metadata_value_is_legal("a b", 3));
}

static void a_frame_in_pieces_is_the_frame(void **state)
{
    (void)state;
    static const uint8_t wire[] = "\0\0\0\0\3abc\0\0\0\0\0";
    struct grpc_frame_reader reader = {0};
    unsigned messages = 0;
    for (size_t i = 0; i < sizeof wire - 1; i++) {
        const uint8_t *bytes = wire + i, *message;
        size_t length = 1, message_length;
        enum grpc_frame_event event =
            grpc_frame_next(&reader, 3, &bytes, &length, &message, &message_length);
        assert_int_equal(length, 0);
        if (event != GRPC_FRAME_MESSAGE) {
            assert_int_equal(event, GRPC_FRAME_NEED_MORE);
            continue;
        }
        assert_int_equal(message_length, messages == 0 ? 3 : 0);
        assert_memory_equal(message, "abc", message_length);
        messages++;
    }
    assert_int_equal(messages, 2);
    assert_true(grpc_frame_is_clean(&reader));
    grpc_frame_deinit(&reader);
}

static void a_promise_of_much_takes_no_memory(void **state)
{
    (void)state;
    static const uint8_t wire[] = "\0\0\x40\0\0x"; /* 4 MiB, says the prefix */
    struct grpc_frame_reader reader = {0};
    const uint8_t *bytes = wire, *message;
    size_t length = sizeof wire - 1, message_length;
    assert_int_equal(grpc_frame_next(&reader, 4 << 20, &bytes, &length, &message, &message_length),
                     GRPC_FRAME_NEED_MORE);
    assert_true(grpc_frame_held(&reader) <= 1024);
    grpc_frame_deinit(&reader);
    bytes = wire;
    length = sizeof wire - 1;
    assert_int_equal(
        grpc_frame_next(&reader, (4 << 20) - 1, &bytes, &length, &message, &message_length),
        GRPC_FRAME_TOO_LONG);
    grpc_frame_deinit(&reader);
}

static void a_queue_gives_back_what_it_took(void **state)
{
    (void)state;
    struct byte_queue queue = {0};
    uint8_t in = 0, out = 0;
    struct prng prng = {7};
    for (int round = 0; round < 20000; round++) {
        uint8_t block[300];
        size_t n = prng_next(&prng) % sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = in++;
        assert_true(byte_queue_append(&queue, block, n));
        size_t waiting = byte_queue_length(&queue);
        n = prng_next(&prng) % (waiting + 1);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(byte_queue_front(&queue)[i], (uint8_t)(out + i));
        out = (uint8_t)(out + n);
        byte_queue_take(&queue, n);
        assert_int_equal(byte_queue_length(&queue), waiting - n);
    }
    byte_queue_deinit(&queue);
}

static void protobuf_that_lies_about_its_length_ends_the_reading(void **state)
{
    (void)state;
    static const uint8_t good[] = "\x0a\x03xyz\x10\x96\x01\x1d\1\0\0\0\x21\2\0\0\0\0\0\0\0";
    struct pb_bytes rest = {good, sizeof good - 1};
    struct pb_field field;
    assert_true(pb_next(&rest, &field) && field.number == 1 && field.bytes.length == 3 &&
                memcmp(field.bytes.data, "xyz", 3) == 0);
    assert_true(pb_next(&rest, &field) && field.number == 2 && field.value == 150);
    assert_true(pb_next(&rest, &field) && field.number == 3 && field.value == 1);
    assert_true(pb_next(&rest, &field) && field.number == 4 && field.value == 2);
    assert_false(pb_next(&rest, &field));
    assert_int_equal(rest.length, 0);
    static const char *const bad[] = {"\x0a\x04xyz", "\x0a",     "\x08\xff",
                                      "\x1d\1\2\3",  "\x0b\x0c", "\x02x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rest = (struct pb_bytes){(const uint8_t *)bad[i], strlen(bad[i])};
        assert_false(pb_next(&rest, &field));
        assert_true(rest.length > 0);
    }
}

static void a_writer_that_is_full_says_so(void **state)
{
    (void)state;
    uint8_t block[4];
    struct pb_writer writer = {block, 0, sizeof block, false};
    pb_put_varint(&writer, 1, 1);
    assert_false(writer.overflow);
    pb_put_bytes(&writer, 2, "xy", 2);
    assert_true(writer.overflow);
    assert_true(writer.length <= sizeof block);
}

/* ---------------------------------------------------------------- timers */

struct probe {
    struct net_timer timer;
    struct timers *timers;
    struct probe *other; /* disarmed when this one fires */
    int64_t fired_ms;
    unsigned again;
};

static void on_fire(struct net_timer *timer)
{
    struct probe *probe = (struct probe *)(void *)timer;
    probe->fired_ms = net_now_ms();
    if (probe->other != NULL)
        timers_disarm(probe->timers, &probe->other->timer);
    if (probe->again-- > 1)
        timers_arm(probe->timers, timer, net_now_ms());
}

static void timers_are_never_early_and_little_late(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    struct timers *timers = malloc(sizeof *timers);
    struct probe probes[8] = {0};
    static const int64_t wait[8] = {0, 1, 9, 10, 25, 60, 110, 130};
    timers_init(timers, base, 10);
    int64_t began = net_now_ms();
    for (int i = 0; i < 8; i++) {
        probes[i].timers = timers;
        probes[i].timer.fire = on_fire;
        timers_arm(timers, &probes[i].timer, began + wait[i]);
    }
    timers_arm(timers, &probes[0].timer, began + 70); /* again, later */
    probes[5].other = &probes[7];
    probes[1].again = 3;
    event_base_dispatch(base); /* ends by itself: nothing ticks when nothing is armed */
    for (int i = 1; i < 7; i++) {
        int64_t late = probes[i].fired_ms - began - wait[i];
        if (i != 1)
            assert_in_range(late, 0, 500);
    }
    assert_true(probes[0].fired_ms - began >= 70);
    assert_int_equal(probes[7].fired_ms, 0);
    assert_int_equal(timers->armed, 0);
    timers_deinit(timers);
    event_base_free(base);
    free(timers);
}

static void a_timer_longer_than_the_wheel_waits_its_rounds(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    struct timers *timers = malloc(sizeof *timers);
    struct probe probe = {.timers = timers, .timer = {.fire = on_fire}};
    timers_init(timers, base, 1);
    int64_t began = net_now_ms();
    timers_arm(timers, &probe.timer, began + TIMERS_SLOTS + 50);
    event_base_dispatch(base);
    assert_true(probe.fired_ms - began >= TIMERS_SLOTS + 50);
    timers_deinit(timers);
    event_base_free(base);
    free(timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_are_read_in_every_unit),
        cmocka_unit_test(percent_encoding_leaves_plain_text_alone),
        cmocka_unit_test(base64_takes_padding_or_none),
        cmocka_unit_test(header_names_of_the_protocol_are_not_metadata),
        cmocka_unit_test(a_frame_in_pieces_is_the_frame),
        cmocka_unit_test(a_promise_of_much_takes_no_memory),
        cmocka_unit_test(a_queue_gives_back_what_it_took),
        cmocka_unit_test(protobuf_that_lies_about_its_length_ends_the_reading),
        cmocka_unit_test(a_writer_that_is_full_says_so),
        cmocka_unit_test(timers_are_never_early_and_little_late),
        cmocka_unit_test(a_timer_longer_than_the_wheel_waits_its_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
