#include "domain/iso20022_reason.h"

static const struct iso20022_reason table[] = {
#include "domain/iso20022_reason_table.h"
};
#define TABLE_COUNT (sizeof table / sizeof table[0])

reason_t iso20022_reason_check_syntax(struct slice code)
{
    if (code.len == 0)
        return REASON_FIELD_REQUIRED;
    if (code.len != ISO20022_REASON_SIZE - 1)
        return REASON_REASON_CODE_UNKNOWN;
    for (size_t i = 0; i < code.len; i++)
        if (!char_is_upper(code.p[i]) && !char_is_digit(code.p[i]))
            return REASON_REASON_CODE_UNKNOWN;
    return REASON_NONE;
}

const struct iso20022_reason *iso20022_reason_find(struct slice code)
{
    size_t first = 0;
    size_t end = TABLE_COUNT; /* by code, so by halves */
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = slice_compare(code, slice_str(table[middle].code));
        if (order == 0)
            return &table[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}

const struct iso20022_reason *iso20022_reason_at(unsigned i)
{
    return i < TABLE_COUNT ? &table[i] : NULL;
}

reason_t iso20022_reason_check_reject(struct slice code)
{
    reason_t reason = iso20022_reason_check_syntax(code);
    const struct iso20022_reason *known = iso20022_reason_find(code);
    if (reason == REASON_NONE && (known == NULL || !known->rejects))
        return REASON_REASON_CODE_UNKNOWN;
    return reason;
}

reason_t iso20022_reason_check_return(struct slice code)
{
    reason_t reason = iso20022_reason_check_syntax(code);
    const struct iso20022_reason *known = iso20022_reason_find(code);
    if (reason == REASON_NONE && (known == NULL || !known->returns))
        return REASON_REASON_CODE_UNKNOWN;
    return reason;
}
