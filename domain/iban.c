#include "domain/iban.h"

#include <assert.h>
#include <string.h>

#define BBAN_AT      4
#define ACCOUNT_AT   8
#define IBAN_LEN_MAX 34 /* of any country */

static bool is_iban_char(char c)
{
    return char_is_digit(c) || char_is_upper(c);
}

/* The remainder mod 97 of the number that ISO 13616 makes of text: digits as they are, A = 10 to Z = 35. */
static unsigned mod97(unsigned remainder, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (char_is_digit(p[i]))
            remainder = (remainder * 10 + (unsigned)(p[i] - '0')) % 97;
        else
            remainder = (remainder * 100 + (unsigned)(p[i] - 'A') + 10) % 97;
    }
    return remainder;
}

static bool all_upper(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!char_is_upper(p[i]))
            return false;
    return true;
}

static bool all_iban_chars(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_iban_char(p[i]))
            return false;
    return true;
}

/* 00, 01 and 99 have the remainders of 97, 98 and 02, but are never computed: 98 - r is in 02..98. */
static reason_t check_digits(struct slice iban)
{
    unsigned check = (unsigned)(iban.p[2] - '0') * 10 + (unsigned)(iban.p[3] - '0');
    unsigned remainder = mod97(mod97(0, iban.p + BBAN_AT, iban.len - BBAN_AT), iban.p, BBAN_AT);
    return remainder == 1 && check >= 2 && check <= 98 ? REASON_NONE : REASON_IBAN_CHECKSUM;
}

reason_t iban_check(struct slice iban)
{
    if (iban.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!all_iban_chars(iban.p, iban.len) || iban.len < BBAN_AT || !all_upper(iban.p, 2) ||
        !char_is_digit(iban.p[2]) || !char_is_digit(iban.p[3]))
        return REASON_IBAN_SHAPE;
    if (iban.p[0] != 'P' || iban.p[1] != 'K')
        return REASON_IBAN_COUNTRY;
    if (iban.len != IBAN_LEN)
        return REASON_IBAN_LENGTH;
    if (!all_upper(iban.p + BBAN_AT, IBAN_BANK_LEN))
        return REASON_IBAN_SHAPE;
    return check_digits(iban);
}

reason_t iban_check_international(struct slice iban)
{
    reason_t reason = iban_check(iban);
    if (reason != REASON_IBAN_COUNTRY)
        return reason;
    if (iban.len <= BBAN_AT || iban.len > IBAN_LEN_MAX)
        return REASON_IBAN_LENGTH;
    return check_digits(iban);
}

const char *iban_bank_code(struct slice iban, char out[IBAN_BANK_SIZE])
{
    assert(iban.len == IBAN_LEN);
    memcpy(out, iban.p + BBAN_AT, IBAN_BANK_LEN);
    out[IBAN_BANK_LEN] = '\0';
    return out;
}

reason_t iban_make(struct slice bank, struct slice account, char out[IBAN_SIZE])
{
    if (bank.len != IBAN_BANK_LEN || !all_upper(bank.p, bank.len) ||
        account.len != IBAN_LEN - ACCOUNT_AT || !all_iban_chars(account.p, account.len))
        return REASON_IBAN_SHAPE;
    memcpy(out, "PK00", BBAN_AT);
    memcpy(out + BBAN_AT, bank.p, IBAN_BANK_LEN);
    memcpy(out + ACCOUNT_AT, account.p, account.len);
    out[IBAN_LEN] = '\0';
    unsigned check = 98 - mod97(mod97(0, out + BBAN_AT, IBAN_LEN - BBAN_AT), out, BBAN_AT);
    out[2] = (char)('0' + (int)(check / 10));
    out[3] = (char)('0' + (int)(check % 10));
    return REASON_NONE;
}
