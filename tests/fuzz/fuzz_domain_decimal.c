/* Decimal numbers, money, rates, times, hexadecimal: what is read is written back the same. */
#include "base/hex.h"
#include "base/timefmt.h"
#include "domain/money.h"
#include "domain/rate.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_decimal(struct slice s, unsigned digits)
{
    int64_t value = 0;
    int64_t again = 0;
    int64_t down = 0;
    int64_t up = 0;
    char text[DECIMAL_SIZE];
    if (decimal_parse(s, digits, &value) == REASON_NONE) {
        size_t n = decimal_format(value, digits, 0, text);
        assert(decimal_parse(slice_of(text, n), digits, &again) == REASON_NONE && again == value);
        assert(decimal_parse_round(s, digits, ROUND_HALF_EVEN, &again) == REASON_NONE &&
               again == value);
    }
    if (decimal_parse_round(s, digits, ROUND_DOWN, &down) == REASON_NONE &&
        decimal_parse_round(s, digits, ROUND_UP, &up) == REASON_NONE)
        assert(up == down || up == down + (s.p[0] == '-' ? -1 : 1));
}

static void run_text_codes(struct slice s)
{
    unsigned char out[256];
    char text[HEX_SIZE(256)];
    size_t n = 0;
    if (!err_failed(base64url_decode(s, out, sizeof out, &n))) {
        assert(base64url_encode(out, n, text) == s.len &&
               memcmp(text, s.p == NULL ? "" : s.p, s.len) == 0);
    }
    if (!err_failed(hex_decode(s, out, sizeof out, &n)))
        assert(hex_encode(out, n, text) == s.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size);
    for (unsigned digits = 0; digits <= DECIMAL_DIGITS_MAX; digits += 2)
        run_decimal(s, digits);
    money_t money = {0};
    rate_t rate = {0};
    rate_t rate_again = {0};
    char text[RATE_TEXT_SIZE];
    char shown[MONEY_TEXT_SIZE];
    char time_text[TIMEFMT_SIZE];
    int64_t us = 0;
    int64_t us_again = 0;
    if (money_parse(s, CCY_PKR, &money) == REASON_NONE)
        assert(strlen(money_format(money, MONEY_CODE_THOUSANDS, shown)) >= 8);
    if (rate_parse(s, &rate) == REASON_NONE)
        assert(rate_parse(slice_str(rate_format(rate, text)), &rate_again) == REASON_NONE &&
               rate.e10 == rate_again.e10);
    if (!err_failed(timefmt_parse_rfc3339(s, &us)))
        assert(!err_failed(
                   timefmt_parse_rfc3339(slice_str(timefmt_rfc3339(us, time_text)), &us_again)) &&
               us == us_again);
    run_text_codes(s);
    return 0;
}
