#include "base/hex.h"

#include <stdint.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t hex_encode(const void *p, size_t len, char *out)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return 2 * len;
}

static int hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

err_t hex_decode(struct slice s, void *out, size_t out_size, size_t *out_len)
{
    unsigned char *bytes = out;
    if (s.len % 2 != 0)
        return err_make(ERR_PARSE, "odd number of hexadecimal digits");
    if (s.len / 2 > out_size)
        return err_make(ERR_LIMIT, "hexadecimal text too long");
    for (size_t i = 0; i < s.len / 2; i++) {
        int high = hex_value(s.p[2 * i]);
        int low = hex_value(s.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return err_make(ERR_PARSE, "not a hexadecimal digit");
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    *out_len = s.len / 2;
    return err_none();
}

size_t base64url_encode(const void *p, size_t len, char *out)
{
    const unsigned char *bytes = p;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8) | bytes[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            out[n++] = base64url_digits[(bits >> (n_bits - 6)) & 63];
    }
    if (n_bits > 0)
        out[n++] = base64url_digits[(bits << (6 - n_bits)) & 63];
    out[n] = '\0';
    return n;
}

static int base64url_value(char c)
{
    if (char_is_upper(c))
        return c - 'A';
    if (char_is_lower(c))
        return c - 'a' + 26;
    if (char_is_digit(c))
        return c - '0' + 52;
    return c == '-' ? 62 : (c == '_' ? 63 : -1);
}

err_t base64url_decode(struct slice s, void *out, size_t out_size, size_t *out_len)
{
    unsigned char *bytes = out;
    if (s.len % 4 == 1)
        return err_make(ERR_PARSE, "base64url text of impossible length");
    if (s.len / 4 * 3 + (s.len % 4 == 0 ? 0 : s.len % 4 - 1) > out_size)
        return err_make(ERR_LIMIT, "base64url text too long");
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < s.len; i++) {
        int value = base64url_value(s.p[i]);
        if (value < 0)
            return err_make(ERR_PARSE, "not a base64url character");
        bits = (bits << 6) | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[n++] = (unsigned char)(bits >> n_bits);
        }
    }
    if ((bits & ((1U << n_bits) - 1)) != 0)
        return err_make(ERR_PARSE, "stray bits at the end of base64url text");
    *out_len = n;
    return err_none();
}

size_t base32_encode(const void *p, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const unsigned char *bytes = p;
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xfff;
        for (n_bits += 8; n_bits >= 5; n_bits -= 5)
            out[n++] = digits[bits >> (n_bits - 5) & 31];
    }
    if (n_bits > 0)
        out[n++] = digits[bits << (5 - n_bits) & 31];
    out[n] = '\0';
    return n;
}
