#include <arpa/inet.h>
#include <sys/socket.h>

#include "hook/address.h"
#include "hook/backoff.h"
#include "hook/event_id.h"
#include "hook/sign.h"
#include "hook/url.h"
#include "tests/unit/unit.h"

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return hook_address_is_public((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return hook_address_is_public((struct sockaddr *)&in6);
}

static void addresses_of_the_internet_are_public_and_no_others(void **state)
{
    static const char *const inside[] = {"0.0.0.0",
                                         "0.255.255.255",
                                         "10.0.0.1",
                                         "10.255.255.255",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "127.255.255.254",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.0.2.1",
                                         "192.88.99.1",
                                         "192.168.1.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "198.51.100.7",
                                         "203.0.113.9",
                                         "224.0.0.1",
                                         "239.255.255.255",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:8.8.8.8",
                                         "::ffff:127.0.0.1",
                                         "::8.8.8.8",
                                         "64:ff9b::808:808",
                                         "64:ff9b:1::7f00:1",
                                         "100::1",
                                         "2001::1",
                                         "2001:db8::1",
                                         "2001:1ff:ffff::1",
                                         "2002:7f00:1::1",
                                         "2620:4f:8000::1",
                                         "3fff::1",
                                         "fc00::1",
                                         "fd12:3456::1",
                                         "fe80::1",
                                         "fec0::1",
                                         "ff02::1",
                                         "4000::1",
                                         "5f00::1"};
    static const char *const outside[] = {"1.1.1.1",
                                          "8.8.8.8",
                                          "9.255.255.255",
                                          "11.0.0.0",
                                          "100.63.255.255",
                                          "100.128.0.0",
                                          "126.255.255.255",
                                          "128.0.0.1",
                                          "169.253.255.255",
                                          "172.15.255.255",
                                          "172.32.0.0",
                                          "192.167.255.255",
                                          "198.17.255.255",
                                          "198.20.0.0",
                                          "223.255.255.255",
                                          "2001:200::1",
                                          "2001:4860:4860::8888",
                                          "2606:4700::1111",
                                          "2a00::1",
                                          "3ffe::1"};
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (is_public(inside[i]))
            fail_msg("%s", inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (!is_public(outside[i]))
            fail_msg("%s", outside[i]);
    assert_false(hook_address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static void urls_lead_to_the_internet_over_https(void **state)
{
    static const char *const good[] = {"https://a.example",
                                       "https://a.example/",
                                       "HTTPS://A.EXAMPLE:443/x?y=z",
                                       "https://a.example:8443/p",
                                       "https://1.1.1.1/",
                                       "https://[2606:4700::1111]/",
                                       "https://[2606:4700::1111]:8443",
                                       "https://x-y.co.uk?q"};
    static const char *const bad[] = {"",
                                      "http://a.example/",
                                      "https://",
                                      "https:///x",
                                      "https://u@a.example/",
                                      "https://a.example#x",
                                      "https://a.example:80/",
                                      "https://a.example:0443/",
                                      "https://a.example:/",
                                      "https://a.example:99999/",
                                      "https://a.example:443x/",
                                      "https://localhost/",
                                      "https://a.local/",
                                      "https://single/",
                                      "https://127.0.0.1/",
                                      "https://0x7f.1/",
                                      "https://2130706433/",
                                      "https://127.1/",
                                      "https://010.0.0.1/",
                                      "https://1.1.1.1./",
                                      "https://[::1]/",
                                      "https://[::ffff:127.0.0.1]/",
                                      "https://[64:ff9b::7f00:1]/",
                                      "https://[fe80::1%25eth0]/",
                                      "https://[::1/",
                                      "https://a..b/",
                                      "https://a.example /",
                                      "https://a.example/\n",
                                      "https://a.example\\@127.0.0.1/",
                                      "https://-a.example/",
                                      "https://a.example.0x7f000001/"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (hook_url_fault(slice_str(good[i]), false) != NULL)
            fail_msg("%s: %s", good[i], hook_url_fault(slice_str(good[i]), false));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hook_url_fault(slice_str(bad[i]), false) == NULL)
            fail_msg("%s", bad[i]);
    assert_null(hook_url_fault(SLICE("https://localhost:40122/x"), true));
    assert_null(hook_url_fault(SLICE("https://127.0.0.1:40122/x"), true));
    assert_non_null(hook_url_fault(SLICE("http://localhost/"), true));
}

static void pauses_are_those_of_the_table_and_random_within(void **state)
{
    static const int64_t longest_s[24] = {10,    20,    40,    80,    160,   320,   640,   1280,
                                          2560,  5120,  10240, 20480, 38400, 38400, 38400, 38400,
                                          38400, 38400, 38400, 38400, 38400, 38400, 38400, 38400};
    int64_t all_s = 0;
    (void)state;
    for (unsigned n = 1; n <= 24; n++) {
        int64_t max_ms = hook_backoff_max_ms(n, 10000);
        assert_int_equal(max_ms, longest_s[n - 1] * 1000);
        assert_int_equal(hook_backoff_ms(n, 10000, 0, 0), 0);
        assert_int_equal(hook_backoff_ms(n, 10000, UINT64_MAX, 0), max_ms);
        assert_in_range(hook_backoff_ms(n, 10000, UINT64_MAX / 2, 0), max_ms / 2 - 1,
                        max_ms / 2 + 1);
        all_s += longest_s[n - 1];
    }
    assert_in_range(all_s / 2, 69 * 3600, 73 * 3600); /* three days on average */
    assert_int_equal(hook_backoff_ms(1, 10000, 0, 120), 120000);
    assert_int_equal(hook_backoff_ms(1, 10000, 0, 86400), HOOK_RETRY_AFTER_S_MAX * 1000LL);
    assert_int_equal(hook_backoff_ms(24, 10000, UINT64_MAX, 5), 38400000);
}

static void ids_are_read_as_written_and_nothing_else_is(void **state)
{
    char id[HOOK_EVENT_ID_SIZE];
    int32_t book;
    int64_t event;
    (void)state;
    assert_string_equal(hook_event_id_write(42, 0xabc, id), "WH-0000002A-0000000000ABC");
    assert_true(hook_event_id_read(slice_str(id), &book, &event));
    assert_int_equal(book, 42);
    assert_int_equal(event, 0xabc);
    static const char *const bad[] = {"",
                                      "WH-0000002a-0000000000ABC",
                                      "WH-0000002A-0000000000AB",
                                      "WH-0000002A-0000000000ABC0",
                                      "XH-0000002A-0000000000ABC",
                                      "WH-00000000-0000000000ABC",
                                      "WH-0000002A-0000000000000",
                                      "WH-8000002A-0000000000ABC",
                                      "WH-0000002A+0000000000ABC"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hook_event_id_read(slice_str(bad[i]), &book, &event));
}

static void the_checksum_is_zlibs(void **state)
{
    (void)state;
    assert_int_equal(hook_crc32(SLICE("123456789")), 0xcbf43926);
    assert_int_equal(hook_crc32(SLICE("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_internet_are_public_and_no_others),
        cmocka_unit_test(urls_lead_to_the_internet_over_https),
        cmocka_unit_test(pauses_are_those_of_the_table_and_random_within),
        cmocka_unit_test(ids_are_read_as_written_and_nothing_else_is),
        cmocka_unit_test(the_checksum_is_zlibs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
