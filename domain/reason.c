#include "domain/reason.h"

#include <stddef.h>
#include <string.h>

static const reason_t all_reasons[] = {
#define REASON_ROW(number, name, status, text) REASON_##name,
    REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

const char *reason_name(reason_t reason)
{
    switch (reason) {
    case REASON_NONE:
        return "NONE";
#define REASON_CASE(number, name, status, text)                                                    \
    case REASON_##name:                                                                            \
        return #name;
        REASON_TABLE(REASON_CASE)
#undef REASON_CASE
    }
    return "INTERNAL";
}

const char *reason_text(reason_t reason)
{
    switch (reason) {
    case REASON_NONE:
        return "Done.";
#define REASON_CASE(number, name, status, text)                                                    \
    case REASON_##name:                                                                            \
        return text;
        REASON_TABLE(REASON_CASE)
#undef REASON_CASE
    }
    return "Something is wrong on our side.";
}

int reason_grpc_status(reason_t reason)
{
    switch (reason) {
    case REASON_NONE:
        return REASON_GRPC_OK;
#define REASON_CASE(number, name, status, text)                                                    \
    case REASON_##name:                                                                            \
        return REASON_GRPC_##status;
        REASON_TABLE(REASON_CASE)
#undef REASON_CASE
    }
    return REASON_GRPC_INTERNAL;
}

bool reason_from_number(int32_t number, reason_t *out)
{
    switch (number) {
    case 0:
        *out = REASON_NONE;
        return true;
#define REASON_CASE(number, name, status, text)                                                    \
    case number:                                                                                   \
        *out = REASON_##name;                                                                      \
        return true;
        REASON_TABLE(REASON_CASE)
#undef REASON_CASE
    default: /* any number may come from outside */
        return false;
    }
}

bool reason_at(unsigned i, reason_t *out)
{
    if (i >= sizeof all_reasons / sizeof all_reasons[0])
        return false;
    *out = all_reasons[i];
    return true;
}
