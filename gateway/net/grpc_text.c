#include "gateway/net/grpc_text.h"

#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t grpc_percent_encode(const char *text, size_t length, char *out, size_t out_size)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c <= 0x7E && c != '%') {
            if (out_size - n < 1)
                break;
            out[n++] = (char)c;
        } else {
            if (out_size - n < 3)
                break;
            out[n++] = '%';
            out[n++] = hex_digits[c >> 4];
            out[n++] = hex_digits[c & 15];
        }
    }
    return n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

size_t grpc_percent_decode(const char *text, size_t length, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && length - i > 2 && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out[n++] = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            out[n++] = text[i];
        }
    }
    return n;
}

size_t grpc_base64_encode(const uint8_t *bytes, size_t length, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t v = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        out[n++] = base64_digits[v >> 18];
        out[n++] = base64_digits[v >> 12 & 63];
        out[n++] = left > 1 ? base64_digits[v >> 6 & 63] : '=';
        out[n++] = left > 2 ? base64_digits[v & 63] : '=';
    }
    return n;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool grpc_base64_decode(const char *text, size_t length, uint8_t *out, size_t *out_length)
{
    if (length % 4 == 0) {
        for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
            length--;
    }
    if (length % 4 == 1)
        return false;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < length; i++) {
        int v = base64_value(text[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
            bits &= (1U << have) - 1;
        }
    }
    *out_length = n;
    return true;
}

bool grpc_timeout_parse(const char *text, size_t length, int64_t *timeout_ms)
{
    const int64_t year_ms = (int64_t)366 * 24 * 3600 * 1000;
    if (length < 2 || length > 9)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    switch (text[length - 1]) {
    case 'H':
        value *= 3600 * 1000;
        break;
    case 'M':
        value *= 60 * 1000;
        break;
    case 'S':
        value *= 1000;
        break;
    case 'm':
        break;
    case 'u':
        value = (value + 999) / 1000;
        break;
    case 'n':
        value = (value + 999999) / 1000000;
        break;
    default:
        return false;
    }
    *timeout_ms = value < year_ms ? value : year_ms;
    return true;
}

bool grpc_metadata_name_is_legal(const char *name, size_t length)
{
    if (length == 0 || length > 128 || (length >= 5 && memcmp(name, "grpc-", 5) == 0))
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool legal =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!legal)
            return false;
    }
    return true;
}

bool grpc_metadata_value_is_legal(const char *value, size_t length)
{
    if (length > 0 && (value[0] == ' ' || value[length - 1] == ' '))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < 0x20 || value[i] > 0x7E)
            return false;
    }
    return true;
}
