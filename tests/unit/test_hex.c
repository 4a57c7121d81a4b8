#include "base/hex.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static void decode_undoes_encode(void **state)
{
    (void)state;
    struct prng prng = {4};
    for (int round = 0; round < 5000; round++) {
        unsigned char bytes[64];
        unsigned char back[64];
        char text[HEX_SIZE(64)];
        size_t len = (size_t)prng_between(&prng, 0, 64);
        size_t n = 0;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)prng_next(&prng);
        assert_int_equal(hex_encode(bytes, len, text), 2 * len);
        assert_ok(hex_decode(slice_str(text), back, len, &n));
        assert_int_equal(n, len);
        assert_memory_equal(bytes, back, len);
        assert_true(base64url_encode(bytes, len, text) < BASE64URL_SIZE(len));
        assert_ok(base64url_decode(slice_str(text), back, len, &n));
        assert_int_equal(n, len);
        assert_memory_equal(bytes, back, len);
    }
}

static void published_vectors_hold(void **state)
{
    (void)state;
    /* RFC 4648 section 10, without padding; the last shows the two characters of the URL alphabet. */
    static const char *const plain[] = {"",     "f",     "fo",     "foo",
                                        "foob", "fooba", "foobar", "\xfb\xff"};
    static const char *const coded[] = {"",       "Zg",      "Zm8",      "Zm9v",
                                        "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", "-_8"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        char text[32];
        (void)base64url_encode(plain[i], strlen(plain[i]), text);
        assert_string_equal(text, coded[i]);
    }
}

static void published_vectors_of_base32_hold(void **state)
{
    (void)state;
    /* RFC 4648 section 10, without padding; and a key of RFC 6238. */
    static const char *const plain[] = {"",     "f",     "fo",     "foo",
                                        "foob", "fooba", "foobar", "12345678901234567890"};
    static const char *const coded[] = {
        "",        "MY",       "MZXQ",       "MZXW6",
        "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        char text[40];
        size_t len = base32_encode(plain[i], strlen(plain[i]), text);
        assert_string_equal(text, coded[i]);
        assert_int_equal(len + 1, BASE32_SIZE(strlen(plain[i])));
    }
}

static void bad_text_is_refused(void **state)
{
    (void)state;
    unsigned char out[8];
    size_t n = 0;
    assert_code(hex_decode(SLICE("abc"), out, sizeof out, &n), ERR_PARSE);
    assert_code(hex_decode(SLICE("0g"), out, sizeof out, &n), ERR_PARSE);
    assert_code(hex_decode(SLICE("0011223344556677ff"), out, sizeof out, &n), ERR_LIMIT);
    assert_code(base64url_decode(SLICE("Zg=="), out, sizeof out, &n), ERR_PARSE);
    assert_code(base64url_decode(SLICE("Zm9+"), out, sizeof out, &n), ERR_PARSE);
    assert_code(base64url_decode(SLICE("Zm9v Y"), out, sizeof out, &n), ERR_PARSE);
    assert_code(base64url_decode(SLICE("A"), out, sizeof out, &n), ERR_PARSE);
    assert_code(base64url_decode(SLICE("Zh"), out, sizeof out, &n), ERR_PARSE); /* stray bits */
    assert_code(base64url_decode(SLICE("AAAAAAAAAAAA"), out, sizeof out, &n), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_undoes_encode),
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(published_vectors_of_base32_hold),
        cmocka_unit_test(bad_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
