#include "domain/bank.h"

reason_t bank_code_check(struct slice code)
{
    if (code.len == 0)
        return REASON_FIELD_REQUIRED;
    if (code.len != BANK_CODE_SIZE - 1)
        return REASON_FIELD_INVALID;
    for (size_t i = 0; i < code.len; i++)
        if (!char_is_upper(code.p[i]))
            return REASON_FIELD_INVALID;
    return REASON_NONE;
}

reason_t bank_bic_check(struct slice bic)
{
    if (bic.len == 0)
        return REASON_FIELD_REQUIRED;
    if (bic.len != 8 && bic.len != 11)
        return REASON_FIELD_INVALID;
    for (size_t i = 0; i < bic.len; i++) {
        bool country = i == 4 || i == 5;
        if (!char_is_upper(bic.p[i]) && (country || !char_is_digit(bic.p[i])))
            return REASON_FIELD_INVALID;
    }
    return REASON_NONE;
}
