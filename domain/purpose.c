#include "domain/purpose.h"

reason_t channel_from_number(int32_t number, enum channel *out)
{
    if (number != CHANNEL_EXPORT_OF_SERVICES && number != CHANNEL_HOME_REMITTANCE)
        return REASON_CHANNEL_UNKNOWN;
    *out = (enum channel)number;
    return REASON_NONE;
}

const char *channel_name(enum channel channel)
{
    switch (channel) {
    case CHANNEL_UNSPECIFIED:
        return "UNSPECIFIED";
    case CHANNEL_EXPORT_OF_SERVICES:
        return "EXPORT_OF_SERVICES";
    case CHANNEL_HOME_REMITTANCE:
        return "HOME_REMITTANCE";
    }
    return "UNSPECIFIED";
}

reason_t purpose_code_check(struct slice code)
{
    if (code.len == 0)
        return REASON_FIELD_REQUIRED;
    if (code.len != PURPOSE_CODE_SIZE - 1)
        return REASON_PURPOSE_CODE_UNKNOWN;
    for (size_t i = 0; i < code.len; i++)
        if (!char_is_digit(code.p[i]))
            return REASON_PURPOSE_CODE_UNKNOWN;
    return REASON_NONE;
}
