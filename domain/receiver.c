#include "domain/receiver.h"

#include "domain/mobile.h"

bool receiver_email(struct slice text, char out[RECEIVER_SIZE])
{
    const struct slice s = slice_trim(text);
    size_t at = 0, ats = 0;
    if (s.len < 3 || s.len > RECEIVER_BYTES_MAX || utf8_check(s, NULL) != UTF8_OK)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == ' ')
            return false;
        if (s.p[i] == '@') {
            at = i;
            ats++;
        }
        out[i] = char_is_upper(s.p[i]) ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
    }
    out[s.len] = '\0';
    return ats == 1 && at > 0 && at + 1 < s.len;
}

static bool is_ornament(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')';
}

bool receiver_phone(struct slice text, char out[RECEIVER_SIZE])
{
    enum { DIGITS_MIN = 8, DIGITS_MAX = 15 };
    struct slice s = slice_trim(text);
    char bare[RECEIVER_SIZE];
    size_t n = 0;
    if (s.len > RECEIVER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (is_ornament(s.p[i]))
            continue;
        if (!char_is_digit(s.p[i]) && !(s.p[i] == '+' && n == 0))
            return false;
        bare[n++] = s.p[i];
    }
    if (mobile_normalise(slice_of(bare, n), out) == REASON_NONE)
        return true;
    size_t from = 0;
    if (n > 0 && bare[0] == '+')
        from = 1;
    else if (n > 2 && bare[0] == '0' && bare[1] == '0')
        from = 2;
    const size_t digits = n - from;
    if (from == 0 || digits < DIGITS_MIN || digits > DIGITS_MAX || bare[from] == '0')
        return false;
    out[0] = '+';
    memcpy(out + 1, bare + from, digits);
    out[digits + 1] = '\0';
    /* 0092 300 … is the number that +92 300 … is. */
    char mobile[MOBILE_SIZE];
    if (mobile_normalise(slice_of(out, digits + 1), mobile) == REASON_NONE)
        memcpy(out, mobile, sizeof(mobile));
    return true;
}
