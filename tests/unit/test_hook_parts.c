#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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
    assert_int_equal(hook_crc32(SLICE("{\"test\": 2432232314}")), 1667101644);
}

/* ---------------------------------------------------------------- signatures */

/* The example of Standard Webhooks 1.0 (its chapter "Verifying webhook authenticity"): id, timestamp and payload. */
#define SPEC_ID   "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SPEC_TIME 1614265330
#define SPEC_BODY "{\"test\": 2432232314}"

/* RFC 8032, 7.1, test 1: the key; what it says of SPEC_ID.SPEC_TIME.SPEC_BODY was computed with another library. */
static const char rfc8032_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const unsigned char rfc8032_public[HOOK_PUBLIC_KEY_SIZE] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
#define SPEC_SIGNATURE                                                                             \
    "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="

static char folder[] = "/tmp/hook-keys-XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
    FILE *file = fopen(path, "wx");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fchmod(fileno(file), 0600) == 0);
    assert_int_equal(fclose(file), 0);
}

/* Keys as they are made, but for the Ed25519 one. */
static int make_keys(void **state)
{
    const char *file;
    struct hook_keys *keys;
    assert_non_null(mkdtemp(folder));
    assert_ok(hook_keys_make(folder, "test", &file));
    put_file(HOOK_FILE_ED25519, rfc8032_key);
    assert_ok(hook_keys_load(folder, &keys, &file));
    *state = keys;
    return 0;
}

static int remove_keys(void **state)
{
    static const char *const names[] = {HOOK_FILE_ED25519, HOOK_FILE_RSA, HOOK_FILE_CERT};
    struct hook_keys *keys = *state;
    char path[64];
    hook_keys_free(&keys);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

static void the_standard_signature_is_the_specifications(void **state)
{
    const struct hook_keys *keys = *state;
    const struct slice public_key = slice_of(rfc8032_public, sizeof rfc8032_public);
    char out[HOOK_STANDARD_SIZE], id[HOOK_KEY_ID_SIZE];
    assert_memory_equal(hook_keys_public(keys), rfc8032_public, sizeof rfc8032_public);
    hook_key_id(public_key, id);
    assert_string_equal(id, "21fe31dfa154a261");
    assert_ok(hook_sign_standard(keys, SLICE(SPEC_ID), SPEC_TIME, SLICE(SPEC_BODY), out));
    assert_string_equal(out, SPEC_SIGNATURE);
    assert_true(hook_verify_standard(public_key, SLICE(SPEC_ID), SPEC_TIME, SLICE(SPEC_BODY),
                                     SLICE("v1,AAAA v1a,AAAA " SPEC_SIGNATURE)));
    assert_false(hook_verify_standard(public_key, SLICE(SPEC_ID), SPEC_TIME + 1, SLICE(SPEC_BODY),
                                      slice_str(out)));
    assert_false(hook_verify_standard(public_key, SLICE(SPEC_ID), SPEC_TIME, SLICE(SPEC_BODY " "),
                                      slice_str(out)));
    out[5] ^= 1;
    assert_false(hook_verify_standard(public_key, SLICE(SPEC_ID), SPEC_TIME, SLICE(SPEC_BODY),
                                      slice_str(out)));
}

/* Over the text that PayPal's page on verifying webhooks has: id|time|webhook id|CRC-32 of the body in decimal. */
static void paypals_signature_is_over_its_four_parts(void **state)
{
    static const char text[] =
        "69cd13f0-d67a-11e5-baa3-778b53f4ae55|2016-02-18T20:01:35Z|0EH40505U7160970P|3421780262";
    const struct hook_keys *keys = *state;
    const struct slice der = hook_keys_cert(keys),
                       id = SLICE("69cd13f0-d67a-11e5-baa3-778b53f4ae55"),
                       time = SLICE("2016-02-18T20:01:35Z"), hook = SLICE("0EH40505U7160970P");
    char out[HOOK_PAYPAL_SIZE];
    unsigned char bytes[HOOK_RSA_BYTES_MAX];
    assert_ok(hook_sign_paypal(keys, id, time, hook, SLICE("123456789"), out));
    assert_int_equal(strlen(out), 512); /* 3072 bits */
    assert_int_equal(EVP_DecodeBlock(bytes, (unsigned char *)out, 512), 384);
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)),
                     1);
    assert_int_equal(EVP_DigestVerify(ctx, bytes, 384, (const unsigned char *)text, strlen(text)),
                     1);
    EVP_MD_CTX_free(ctx);
    X509_free(cert);
    assert_true(hook_verify_paypal(der, id, time, hook, SLICE("123456789"), slice_str(out)));
    assert_false(hook_verify_paypal(der, id, time, hook, SLICE("123456788"), slice_str(out)));
    assert_false(hook_verify_paypal(der, id, time, SLICE("x"), SLICE("123456789"), slice_str(out)));
}

static void a_transmission_has_one_id_and_it_is_a_uuid(void **state)
{
    char out[HOOK_TRANSMISSION_ID_SIZE];
    (void)state;
    hook_transmission_id(SLICE("WH-0000002A-0000000000007"), SLICE("0A1B2C3D4E5F6G7H8"), out);
    assert_string_equal(out, "dd92590d-4abd-88c7-9c3c-ea92dc8b415d");
}

static void keys_that_are_not_a_set_are_not_loaded(void **state)
{
    struct hook_keys *keys;
    const char *file;
    (void)state;
    put_file(HOOK_FILE_ED25519, "-----BEGIN PRIVATE KEY-----\n");
    assert_code(hook_keys_load(folder, &keys, &file), ERR_PARSE);
    assert_string_equal(file, HOOK_FILE_ED25519);
    assert_null(keys);
    put_file(HOOK_FILE_ED25519, rfc8032_key);
    put_file(HOOK_FILE_RSA, rfc8032_key); /* a key, but of the wrong kind */
    assert_code(hook_keys_load(folder, &keys, &file), ERR_PARSE);
    assert_string_equal(file, HOOK_FILE_RSA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_internet_are_public_and_no_others),
        cmocka_unit_test(urls_lead_to_the_internet_over_https),
        cmocka_unit_test(pauses_are_those_of_the_table_and_random_within),
        cmocka_unit_test(ids_are_read_as_written_and_nothing_else_is),
        cmocka_unit_test(the_checksum_is_zlibs),
        cmocka_unit_test(a_transmission_has_one_id_and_it_is_a_uuid),
    };
    const struct CMUnitTest signatures[] = {
        cmocka_unit_test(the_standard_signature_is_the_specifications),
        cmocka_unit_test(paypals_signature_is_over_its_four_parts),
        cmocka_unit_test(keys_that_are_not_a_set_are_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           cmocka_run_group_tests(signatures, make_keys, remove_keys);
}
